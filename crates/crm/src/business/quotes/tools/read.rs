//! `quotes.list` and `quotes.get`

use zoop_db::Uuid;

use crate::business::quotes::hints::HINTS;
use crate::business::quotes::{QuoteRow, QuoteStatus, ShownQuote, store};
use crate::call::answer::Page;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Query, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The filters of the list.
    pub struct ListQuotesInput, hints = HINTS {
        /// Only quotes that have come so far.
        pub status: Option<QuoteStatus>,
        /// Only quotes of this customer.
        pub customer_id: Option<Id<kinds::Customer>>,
        /// true lists the archived ones instead.
        pub archived: Option<bool>,
    }
}

/// `quotes.list`
pub struct ListQuotes;

impl Tool for ListQuotes {
    const NAME: &'static str = "quotes.list";
    const TITLE: &'static str = "List quotes";
    const ABOUT: &'static str = "Lists quotes, newest first.";
    const SCOPE: Scope = Scope::ReadQuotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"status":"draft","customer_id":"{customer}"}"#;
    type Input = ListQuotesInput;
    type Output = Page<QuoteRow>;
}

impl List for ListQuotes {
    type Row = QuoteRow;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListQuotesInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<QuoteRow, Uuid>> {
        let filters = store::Filters {
            status: input.status,
            customer: input.customer_id,
            archived: input.archived == Some(true),
        };
        let rows = store::list(ctx.tx, filters, after.unwrap_or(Uuid::max()), count)?;
        Ok(page::with_positions(rows, |row| row.id.uuid()))
    }
}

input! {
    /// A quote.
    pub struct QuoteInput, hints = HINTS {
        /// The quote's id.
        pub id: Id<kinds::Quote>,
    }
}

/// `quotes.get`
pub struct GetQuote;

impl Tool for GetQuote {
    const NAME: &'static str = "quotes.get";
    const TITLE: &'static str = "Get a quote";
    const ABOUT: &'static str =
        "Returns a quote with its lines, taxes and total, also an archived one.";
    const SCOPE: Scope = Scope::ReadQuotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{quote}"}"#;
    type Input = QuoteInput;
    type Output = ShownQuote;
}

impl Query for GetQuote {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &QuoteInput) -> Result<ShownQuote> {
        store::shown(ctx.tx, ctx.access, input.id)
    }
}
