//! `quotes.set_lines`: what the quote's page and `zoop quote lines` do. Programs do not make lines of quotes.

use crate::business::lines::{
    Kept, MAX_LINES, QuoteLineInput, TaxChoice, fill, kept_rate, refuse_amounts,
};
use crate::business::quotes::hints::HINTS;
use crate::business::quotes::{Quote, QuoteStatus, ShownQuote, store};
use crate::call::archive::Archivable;
use crate::call::argument::{List, Patch, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};

input! {
    /// The lines of a quote.
    pub struct SetLinesInput, hints = HINTS {
        /// The quote's id.
        pub id: Id<kinds::Quote>,
        /// All its lines: they replace the present ones.
        pub line_items: List<QuoteLineInput, 0, MAX_LINES>,
        /// The rate of lines that have none of their own: an id, or none. Left out, it stays.
        pub tax_rate_id: Patch<TaxChoice>,
    }
}

/// `quotes.set_lines`
pub struct SetLines;

impl Tool for SetLines {
    const NAME: &'static str = "quotes.set_lines";
    const TITLE: &'static str = "Set a quote's lines";
    const ABOUT: &'static str = "Replaces the lines of a draft quote.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{quote}","line_items":[{"description":"Copper pipe","quantity":12,"unit_price":"8.50"}]}"#;
    type Input = SetLinesInput;
    type Output = ShownQuote;
}

impl Command for SetLines {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Keys(&["id", "updated_at"]);
    const REPLAY: Replay<Self> =
        Replay::Reread(|ctx, _, id| store::shown(ctx.tx, ctx.access, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &SetLinesInput) -> Result<ShownQuote> {
        let old = store::get(ctx.tx, input.id)?.unless_archived(ctx.access)?;
        let own_rate = old.tax_rate();
        let kept = Kept { lines: Some(&old.line_items), rate: own_rate.as_ref() };
        let sent = input.line_items.0.iter();
        let sent = sent.map(|it| (&it.line, it.section.as_ref().map(|section| &*section.0)));
        let line_items = fill(ctx.tx, sent, kept)?;
        let rate = match &input.tax_rate_id {
            Patch::Keep => old.tax_rate_id,
            Patch::Clear => None,
            Patch::Set(choice) => choice.0,
        };
        let tax_rate = rate.map(|id| kept_rate(ctx.tx, id, kept)).transpose()?;
        let currency = tenants::tenant(ctx.tx)?.currency;
        let totals = line_items.totals(tax_rate.as_ref(), currency);
        let total = totals.map_err(|refused| refuse_amounts(refused, currency))?.total;
        if old.status != QuoteStatus::Draft {
            return Err(Error::conflict(format!(
                "This quote is {}: its lines can only change while it is a draft.",
                old.status.word()
            )));
        }
        let new = Quote { currency, updated_at: ctx.moment(), ..old.clone() };
        Quote::save(ctx, &old, &new.with_lines(line_items, tax_rate, total))?;
        store::shown(ctx.tx, ctx.access, input.id)
    }
}
