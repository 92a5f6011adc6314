//! The tools for tenants. Only the command line creates and lists tenants; owners change their own.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use super::store::Changes;
use super::{Tenant, TenantRow, store};
use crate::call::access::{Account, Role};
use crate::call::answer::Page;
use crate::call::argument::{
    CountryCode, CurrencyCode, Email, Fields, Name, NotNull, Ranged, ZoneName, input,
};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::identity::users;
use crate::search::TenantMark;
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "tenants",
    about: "The accounts of businesses.",
    tools: &[
        ToolDef::command::<CreateTenant>(),
        ToolDef::list::<ListTenants>(),
        ToolDef::command::<UpdateTenant>(),
    ],
};

input! {
    /// A new business and its owner.
    pub struct CreateTenantInput {
        /// The business's name.
        pub name: Name,
        /// The owner's name.
        pub owner_name: Name,
        /// The owner's e-mail address.
        pub owner_email: Email,
        /// Default country of telephone numbers without a country code; US if left out.
        pub country: Option<CountryCode>,
        /// IANA time zone of dates and of times without an offset; UTC if left out.
        pub time_zone: Option<ZoneName>,
        /// ISO 4217 currency of amounts; the country's if left out.
        pub currency: Option<CurrencyCode>,
    }
}

/// What `tenants.create` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedTenant {
    /// The tenant's id.
    pub tenant_id: Id<kinds::Tenant>,
    /// The owner's user id.
    pub owner_id: Id<kinds::User>,
    /// What has to happen before the owner's membership takes effect, if it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
}

/// `tenants.create`
pub struct CreateTenant;

impl Tool for CreateTenant {
    const NAME: &'static str = "tenants.create";
    const TITLE: &'static str = "Create a tenant";
    const ABOUT: &'static str = "Creates a business with its first owner.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str =
        r#"{"name":"Second","owner_name":"Second Owner","owner_email":"second@example.com"}"#;
    type Input = CreateTenantInput;
    type Output = CreatedTenant;
}

impl Command for CreateTenant {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateTenantInput) -> Result<CreatedTenant> {
        let tenant_id = ctx.next_global_id::<kinds::Tenant>(store::GREATEST_ID_BELOW)?;
        let country = input.country.map_or(Country::US, |code| code.0);
        let time_zone = input.time_zone.map(|zone| zone.0);
        let currency = input.currency.map(|code| code.0);
        let number = store::insert(ctx.tx, tenant_id, &input.name.0, country, time_zone, currency)?;
        if TenantMark::new(i64::from(number.0)).is_none() {
            return Err(Error::conflict(
                "This database cannot hold more businesses: create the business in another database.",
            ));
        }
        let account = Account { number, id: tenant_id, country };
        // From here on, every write belongs to the new tenant, including the history entry.
        ctx.tx.bind(account.number);
        let created = store::tenant(ctx.tx)?;
        ctx.added(&created)?;
        let (owner_id, joined) =
            users::join(ctx, &input.owner_name.0, &input.owner_email.0, Role::Owner)?;
        Ok(CreatedTenant { tenant_id, owner_id, waiting: joined.notice() })
    }
}

input! {
    /// No fields.
    pub struct ListTenantsInput {}
}

/// `tenants.list`
pub struct ListTenants;

impl Tool for ListTenants {
    const NAME: &'static str = "tenants.list";
    const TITLE: &'static str = "List tenants";
    const ABOUT: &'static str = "Lists all businesses in creation order.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = "{}";
    type Input = ListTenantsInput;
    type Output = Page<TenantRow>;
}

impl List for ListTenants {
    type Row = TenantRow;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListTenantsInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<TenantRow, Uuid>> {
        let found = store::list(ctx.tx, after.unwrap_or(Uuid::nil()), count)?;
        Ok(page::with_positions(found, |row| row.tenant.id.uuid()))
    }
}

input! {
    /// Changes to a business.
    pub struct UpdateTenantInput, rules = require_change {
        /// The business's name.
        pub name: NotNull<Name>,
        /// Default country of telephone numbers without a country code.
        pub country: NotNull<CountryCode>,
        /// IANA time zone of dates and of times without an offset.
        pub time_zone: NotNull<ZoneName>,
        /// ISO 4217 currency of amounts.
        pub currency: NotNull<CurrencyCode>,
    }
}

fn require_change(sent: &mut Fields) {
    sent.require_change(&[]);
}

/// `tenants.update`
pub struct UpdateTenant;

impl Tool for UpdateTenant {
    const NAME: &'static str = "tenants.update";
    const TITLE: &'static str = "Change a tenant";
    const ABOUT: &'static str = "Changes a business's name, country or time zone, and its currency until a record has a price.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"time_zone":"America/Los_Angeles"}"#;
    type Input = UpdateTenantInput;
    type Output = Tenant;
}

impl Command for UpdateTenant {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateTenantInput) -> Result<Tenant> {
        let old = store::tenant(ctx.tx)?;
        let mut changes = Changes {
            name: input.name.0.as_ref().map(|name| &*name.0),
            country: input.country.0.map(|code| code.0),
            time_zone: input.time_zone.0.map(|zone| zone.0),
            currency: input.currency.0.map(|code| code.0),
        };
        let may_change_currency = changes.currency.is_some() || changes.country.is_some();
        if may_change_currency && store::is_priced(ctx.tx)? {
            let wanted = changes.currency.unwrap_or(old.currency);
            if wanted != old.currency {
                return Err(Error::conflict(format!(
                    "The currency stays {}: there are records with prices in it.",
                    old.currency.code()
                )));
            }
            // Another country does not bring its currency along.
            changes.currency = Some(old.currency);
        }
        store::update(ctx.tx, &changes)?;
        let new = store::tenant(ctx.tx)?;
        ctx.updated(&old, &new)?;
        Ok(new)
    }
}
