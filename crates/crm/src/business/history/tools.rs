//! The only tool of the history.

use zoop_db::Uuid;

use super::store::{self, Filters};
use crate::call::answer::Page;
use crate::call::argument::{Author, DateOrTime, Ranged, Text, input};
use crate::call::context::ReadCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::identity::tenants;
use crate::values::id::{Id, kinds};

/// The history's tools.
pub const GROUP: Group =
    Group { name: "history", about: "Who changed what.", tools: &[ToolDef::list::<ListHistory>()] };

input! {
    /// The filters of the history.
    pub struct ListHistoryInput {
        /// Only entries that changed this record, of any kind.
        pub record: Option<Id<kinds::Record>>,
        /// Only what this person did: a user id, or me.
        pub user: Option<Author>,
        /// Only what was done with this API key, connected program or session.
        pub credential: Option<Id<kinds::Credential>>,
        /// Only what a client program of exactly this name did.
        pub client: Option<Text<256>>,
        /// Only entries of this tool or other event, such as tags.attach.
        pub event: Option<Text<64>>,
        /// At or after this RFC 3339 time, date or local time.
        pub from: Option<DateOrTime>,
        /// Before this time.
        pub to: Option<DateOrTime>,
    }
}

/// `history.list`
pub struct ListHistory;

impl Tool for ListHistory {
    const NAME: &'static str = "history.list";
    const TITLE: &'static str = "List the history";
    const ABOUT: &'static str = "Lists changes, newest first. A page that searches \
        many entries may have fewer rows than the limit, or none: pass nextCursor to go on.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"record":"{customer}"}"#;
    type Input = ListHistoryInput;
    type Output = Page<HistoryEntry>;
}

impl List for ListHistory {
    type Row = HistoryEntry;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListHistoryInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<HistoryEntry, Uuid>> {
        let user = input.user.map(|user| user.user(ctx.access, "user")).transpose()?;
        let ids = tenants::ids_between(ctx.tx, input.from, input.to)?;
        let filters = Filters {
            record: input.record.map(Id::uuid),
            user: user.map(Id::uuid),
            credential: input.credential.map(Id::uuid),
            client: input.client.as_ref().map(|client| client.0.as_str()),
            tool: input.event.as_ref().map(|event| event.0.as_str()),
            from: ids.start,
        };
        store::list(ctx.tx, ctx.access, filters, after.unwrap_or(ids.end), count)
    }
}
