//! `customers.search`

use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::business::customers::index::CustomerQuery;
use crate::business::customers::{CustomerNumber, CustomerType, SearchRow, Status, hints, store};
use crate::business::tags;
use crate::call::answer::Page;
use crate::call::argument::{Email, Ranged, SearchText, Text, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The filters of the search.
    pub struct SearchCustomersInput, hints = hints::SEARCH, aliases = hints::SEARCH_ALIASES {
        /// Words or digits, or one phone in any format. Each word must occur, whole or in part, in a
        /// name of the customer or its contacts; digits may also occur in a phone, if there are 3 or
        /// more. At most 256 characters.
        pub q: Option<SearchText>,
        /// Only this status; if left out, all but archived customers.
        pub status: Option<Status>,
        /// Only this type.
        pub r#type: Option<CustomerType>,
        /// Only customers with this tag, given by its id.
        pub tag: Option<Id<kinds::Tag>>,
        /// The whole e-mail address, in upper or lower case.
        pub email: Option<Email>,
        /// The whole customer number, such as C-0042.
        pub customer_number: Option<Text<32>>,
        /// The whole id in another system.
        pub external_id: Option<Text<128>>,
    }
}

/// The sort key of a row: whole matches come first, then partial matches, each newest first.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Position {
    /// Whether the row is only a partial match.
    partial: bool,
    /// The row's id.
    id: Uuid,
}

/// `customers.search`
pub struct SearchCustomers;

impl Tool for SearchCustomers {
    const NAME: &'static str = "customers.search";
    const TITLE: &'static str = "Search customers";
    const ABOUT: &'static str = "Finds customers by name, phone, e-mail, number, tag, type or \
        status. Start here to get a customer's id. Rows that match whole words or a whole phone \
        come first, then partial matches, each newest first.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"q":"Nguyen","status":"active","limit":20}"#;
    type Input = SearchCustomersInput;
    type Output = Page<SearchRow>;
}

impl List for SearchCustomers {
    type Row = SearchRow;
    type Position = Position;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &SearchCustomersInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<SearchRow, Position>> {
        let tag = match input.tag {
            None => None,
            Some(id) => match tags::store::number(ctx.tx, id)? {
                None => return Ok(Found::all(Vec::new())),
                number => number,
            },
        };
        let number = match &input.customer_number {
            None => None,
            Some(text) => match CustomerNumber::parse(&text.0) {
                None => return Ok(Found::all(Vec::new())),
                number => number.map(|number| number.0),
            },
        };
        // At most one customer has the external id. The index finds it by its number, along with the other filters.
        let number = match &input.external_id {
            None => number,
            Some(Text(id)) => match store::by_external_id(ctx.tx, id)? {
                Some(found) if number.is_none_or(|number| number == found.customer_number.0) => {
                    Some(found.customer_number.0)
                }
                _ => return Ok(Found::all(Vec::new())),
            },
        };
        let query = CustomerQuery {
            q: input.q.as_ref().map(|words| words.0.as_str()),
            country: ctx.access.country().numbering_plan(),
            status: input.status,
            kind: input.r#type,
            tag,
            email: input.email.as_ref().map(|email| email.0.as_str()),
            number,
        };
        let tiers = query
            .tiers(store::mark(ctx.tx)?)
            .map_err(|problem| Error::field("q", problem.text()))?;

        let mut rows = Vec::new();
        let partial_before = match after {
            Some(Position { partial: true, id }) => Some(id),
            whole => {
                let before = whole.map(|position| position.id);
                let found = store::search(ctx.tx, &tiers.first, before, count)?;
                rows.extend(found.into_iter().map(|row| with_position(row, false)));
                None
            }
        };
        if let (Some(rest), true) = (&tiers.rest, rows.len() < count) {
            let found = store::search(ctx.tx, rest, partial_before, count - rows.len())?;
            rows.extend(found.into_iter().map(|row| with_position(row, true)));
        }
        Ok(Found::all(rows))
    }
}

fn with_position(row: SearchRow, partial: bool) -> (SearchRow, Position) {
    let position = Position { partial, id: row.id.uuid() };
    (row, position)
}
