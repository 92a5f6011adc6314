//! `quotes.create`

use crate::business::customers;
use crate::business::lines::{Lines, kept_default};
use crate::business::numbers;
use crate::business::quotes::hints::HINTS;
use crate::business::quotes::{Quote, QuoteStatus, ShownQuote, store};
use crate::call::archive::Archivable;
use crate::call::argument::{Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};
use crate::values::money::Money;
use crate::values::number::QuoteNumber;

input! {
    /// A new quote.
    pub struct CreateQuoteInput, hints = HINTS {
        /// What the work is.
        pub title: Text<200>,
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
    }
}

/// `quotes.create`
pub struct CreateQuote;

impl Tool for CreateQuote {
    const NAME: &'static str = "quotes.create";
    const TITLE: &'static str = "Create a quote";
    const ABOUT: &'static str =
        "Creates a draft quote without lines; a person makes those in the console.";
    const SCOPE: Scope = Scope::WriteQuotes;
    const ACTOR: ActorRule = ActorRule::Owner;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"title":"Repipe","customer_id":"{customer}"}"#;
    type Input = CreateQuoteInput;
    type Output = ShownQuote;
}

impl Command for CreateQuote {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> =
        Replay::Reread(|ctx, _, id| store::shown(ctx.tx, ctx.access, Id::new(id)));

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateQuoteInput) -> Result<ShownQuote> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let id = ctx.next_id::<kinds::Quote>(store::GREATEST_ID_BELOW)?;
        let author = ctx.access.actor.user();
        let quote = Quote {
            id,
            quote_number: QuoteNumber(numbers::next(ctx.tx, QuoteNumber::LETTER)?),
            title: input.title.0.clone(),
            status: QuoteStatus::Draft,
            customer_id: customer.id,
            total: Money::ZERO,
            currency: tenants::tenant(ctx.tx)?.currency,
            sent_at: None,
            decided_at: None,
            created_by: author,
            updated_by: author,
            created_at: id.created_at(),
            updated_at: id.created_at(),
            archived_at: None,
            tax_rate_id: None,
            tax_rate_name: None,
            tax_rate_percentage: None,
            line_items: Lines::default(),
        };
        let quote = quote.with_lines(Lines::default(), kept_default(ctx.tx)?, Money::ZERO);
        store::insert(ctx.tx, &quote)?;
        ctx.added(&quote)?;
        store::shown(ctx.tx, ctx.access, id)
    }
}
