//! `changes.list`. `changes.revert` has a folder of its own.

use zoop_db::Uuid;

use super::revert::RevertChanges;
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
pub const GROUP: Group = Group {
    name: "changes",
    about: "Changes: who changed what, and undoing it.",
    tools: &[ToolDef::list::<ListChanges>(), ToolDef::command::<RevertChanges>()],
};

input! {
    /// The filters of the history.
    pub struct ListChangesInput {
        /// A record of any kind.
        pub record_id: Option<Id<kinds::Record>>,
        /// Such as customers.update.
        pub tool: Option<Text<64>>,
        /// Who did it: a user id, or me.
        pub user_id: Option<Author>,
        /// An API key, connected app or session.
        pub credential_id: Option<Id<kinds::Credential>>,
        /// The exact name of a program.
        pub client: Option<Text<256>>,
        /// At or after this time, date or local time.
        pub from: Option<DateOrTime>,
        /// Before this time.
        pub to: Option<DateOrTime>,
    }
}

/// `changes.list`
pub struct ListChanges;

impl Tool for ListChanges {
    const NAME: &'static str = "changes.list";
    const TITLE: &'static str = "List changes";
    const ABOUT: &'static str = "Lists changes, newest first. A page that searches \
        many entries may have fewer rows than the limit, or none: pass nextCursor to go on.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"record_id":"{customer}"}"#;
    type Input = ListChangesInput;
    type Output = Page<HistoryEntry>;
}

impl List for ListChanges {
    type Row = HistoryEntry;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListChangesInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<HistoryEntry, Uuid>> {
        let user = input.user_id.map(|user| user.user(ctx.access, "user_id")).transpose()?;
        let ids = tenants::ids_between(ctx.tx, input.from, input.to)?;
        let filters = Filters {
            record: input.record_id.map(Id::uuid),
            user: user.map(Id::uuid),
            credential: input.credential_id.map(Id::uuid),
            client: input.client.as_ref().map(|client| client.0.as_str()),
            tool: input.tool.as_ref().map(|tool| tool.0.as_str()),
            from: ids.start,
        };
        store::list(ctx.tx, ctx.access, filters, after.unwrap_or(ids.end), count)
    }
}
