//! The tools for tax rates.

use schemars::JsonSchema;
use serde::Serialize;

use super::hints::HINTS;
use super::{MAX_RATES, TaxRate, store};
use crate::call::answer::{Archived, Restored};
use crate::call::archive::{Archivable, archive, restore};
use crate::call::argument::{Fields, NotNull, Text, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Query, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};
use crate::values::money::TaxPercent;

/// The tools for tax rates.
pub const GROUP: Group = Group {
    name: "tax_rates",
    about: "Tax rates: what quotes and invoices add for taxes.",
    tools: &[
        ToolDef::query::<ListTaxRates>(),
        ToolDef::query::<GetTaxRate>(),
        ToolDef::command::<CreateTaxRate>(),
        ToolDef::command::<UpdateTaxRate>(),
        ToolDef::command::<ArchiveTaxRate>(),
        ToolDef::command::<RestoreTaxRate>(),
    ],
};

input! {
    /// No fields.
    pub struct ListTaxRatesInput, hints = HINTS {}
}

/// The account's tax rates.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TaxRates {
    /// The rates, newest first, without archived ones.
    pub rows: Vec<TaxRate>,
    /// The rate that new documents have, if there is one.
    pub default_tax_rate_id: Option<Id<kinds::TaxRate>>,
}

/// `tax_rates.list`
pub struct ListTaxRates;

impl Tool for ListTaxRates {
    const NAME: &'static str = "tax_rates.list";
    const TITLE: &'static str = "List tax rates";
    const ABOUT: &'static str = "Lists the account's tax rates, newest first.";
    const SCOPE: Scope = Scope::ReadTaxRates;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = "{}";
    type Input = ListTaxRatesInput;
    type Output = TaxRates;
}

impl Query for ListTaxRates {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &ListTaxRatesInput) -> Result<TaxRates> {
        let rows = store::active(ctx.tx)?;
        let default_tax_rate_id = rows.iter().find(|rate| rate.is_default).map(|rate| rate.id);
        Ok(TaxRates { rows, default_tax_rate_id })
    }
}

input! {
    /// A tax rate.
    pub struct TaxRateInput, hints = HINTS {
        /// The rate's id.
        pub id: Id<kinds::TaxRate>,
    }
}

/// `tax_rates.get`
pub struct GetTaxRate;

impl Tool for GetTaxRate {
    const NAME: &'static str = "tax_rates.get";
    const TITLE: &'static str = "Get a tax rate";
    const ABOUT: &'static str = "Returns one tax rate, also an archived one.";
    const SCOPE: Scope = Scope::ReadTaxRates;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tax_rate}"}"#;
    type Input = TaxRateInput;
    type Output = TaxRate;
}

impl Query for GetTaxRate {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &TaxRateInput) -> Result<TaxRate> {
        store::get(ctx.tx, input.id)
    }
}

input! {
    /// A new tax rate.
    pub struct CreateTaxRateInput, hints = HINTS {
        /// As documents print it.
        pub name: Text<64>,
        /// 8.25 means 8.25 %; state, county and city together.
        pub rate_percentage: TaxPercent,
        /// Whether new documents have it, instead of the present default. Default false.
        pub is_default: Option<bool>,
    }
}

/// `tax_rates.create`
pub struct CreateTaxRate;

impl Tool for CreateTaxRate {
    const NAME: &'static str = "tax_rates.create";
    const TITLE: &'static str = "Create a tax rate";
    const ABOUT: &'static str = "Creates a tax rate.";
    const SCOPE: Scope = Scope::WriteTaxRates;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"name":"Alameda County","rate_percentage":10.75}"#;
    type Input = CreateTaxRateInput;
    type Output = TaxRate;
}

impl Command for CreateTaxRate {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| store::get(ctx.tx, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateTaxRateInput) -> Result<TaxRate> {
        require_room(ctx)?;
        let id = ctx.next_id::<kinds::TaxRate>(store::GREATEST_ID_BELOW)?;
        let rate = TaxRate {
            id,
            name: input.name.0.clone(),
            rate_percentage: input.rate_percentage,
            rate_decimal: input.rate_percentage.fraction(),
            is_default: input.is_default == Some(true),
            created_at: id.created_at(),
            updated_at: id.created_at(),
            archived_at: None,
        };
        if rate.is_default {
            clear_default(ctx)?;
        }
        store::insert(ctx.tx, &rate)?;
        ctx.added(&rate)?;
        Ok(rate)
    }
}

input! {
    /// The changes to a tax rate.
    pub struct UpdateTaxRateInput, rules = update_rules, hints = HINTS {
        /// The rate's id.
        pub id: Id<kinds::TaxRate>,
        /// As documents print it.
        pub name: NotNull<Text<64>>,
        /// 8.25 means 8.25 %. Documents that have the rate keep its old percentage.
        pub rate_percentage: NotNull<TaxPercent>,
        /// true takes it from the present default; false leaves none.
        pub is_default: NotNull<bool>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id"]);
}

/// `tax_rates.update`
pub struct UpdateTaxRate;

impl Tool for UpdateTaxRate {
    const NAME: &'static str = "tax_rates.update";
    const TITLE: &'static str = "Update a tax rate";
    const ABOUT: &'static str = "Changes a tax rate for documents to come.";
    const SCOPE: Scope = Scope::WriteTaxRates;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tax_rate}","rate_percentage":9}"#;
    type Input = UpdateTaxRateInput;
    type Output = TaxRate;
}

impl Command for UpdateTaxRate {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateTaxRateInput) -> Result<TaxRate> {
        let old = store::get(ctx.tx, input.id)?.unless_archived(ctx.access)?;
        let input = input.clone();
        let rate_percentage = input.rate_percentage.0.unwrap_or(old.rate_percentage);
        let new = TaxRate {
            name: input.name.0.map_or_else(|| old.name.clone(), |name| name.0),
            rate_percentage,
            rate_decimal: rate_percentage.fraction(),
            is_default: input.is_default.0.unwrap_or(old.is_default),
            updated_at: ctx.moment(),
            ..old.clone()
        };
        if new.is_default && !old.is_default {
            clear_default(ctx)?;
        }
        TaxRate::save(ctx, &old, &new)?;
        Ok(new)
    }
}

/// `tax_rates.archive`
pub struct ArchiveTaxRate;

impl Tool for ArchiveTaxRate {
    const NAME: &'static str = "tax_rates.archive";
    const TITLE: &'static str = "Archive a tax rate";
    const ABOUT: &'static str = "Archives a tax rate; documents that have it keep it. \
        changes.revert brings it back.";
    const SCOPE: Scope = Scope::WriteTaxRates;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{tax_rate}"}"#;
    type Input = TaxRateInput;
    type Output = Archived<kinds::TaxRate>;
}

impl Command for ArchiveTaxRate {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &TaxRateInput) -> Result<Archived<kinds::TaxRate>> {
        let rate = store::get(ctx.tx, input.id)?;
        archive(ctx, &rate)
    }
}

/// `tax_rates.restore`
pub struct RestoreTaxRate;

impl Tool for RestoreTaxRate {
    const NAME: &'static str = "tax_rates.restore";
    const TITLE: &'static str = "Restore a tax rate";
    const ABOUT: &'static str = "Restores an archived tax rate. It is not the default.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{archived_tax_rate}"}"#;
    type Input = TaxRateInput;
    type Output = Restored<kinds::TaxRate>;
}

impl Command for RestoreTaxRate {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &TaxRateInput) -> Result<Restored<kinds::TaxRate>> {
        let rate = store::get(ctx.tx, input.id)?;
        require_room(ctx)?;
        restore(ctx, &rate)
    }
}

/// Rejects another active rate if there are as many as a list shows.
pub(super) fn require_room(ctx: &mut WriteCtx<'_, '_>) -> Result<()> {
    if store::active(ctx.tx)?.len() < MAX_RATES {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "There are {MAX_RATES} tax rates already, the maximum: archive one first."
    )))
}

/// Takes the place of the default from the rate that has it.
pub(super) fn clear_default(ctx: &mut WriteCtx<'_, '_>) -> Result<()> {
    let Some(old) = store::default(ctx.tx)? else { return Ok(()) };
    let new = TaxRate { is_default: false, updated_at: ctx.moment(), ..old.clone() };
    TaxRate::save(ctx, &old, &new)
}
