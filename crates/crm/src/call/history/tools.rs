//! The only tool of the history.

use zoop_db::Uuid;

use super::{HistoryEntry, store};
use crate::call::answer::Page;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

/// The history's tools.
pub const GROUP: Group =
    Group { name: "history", about: "Who changed what.", tools: &[ToolDef::list::<ListHistory>()] };

input! {
    /// The filters of the history.
    pub struct ListHistoryInput {
        /// Only entries that changed this record, of any kind.
        pub record: Option<Id<kinds::Record>>,
    }
}

/// `history.list`
pub struct ListHistory;

impl Tool for ListHistory {
    const NAME: &'static str = "history.list";
    const TITLE: &'static str = "List the history";
    const ABOUT: &'static str = "Lists changes, newest first.";
    const SCOPE: Scope = Scope::Administer;
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
        let before = after.unwrap_or(Uuid::max());
        let entries = store::list(ctx.tx, input.record.map(Id::uuid), before, count)?;
        Ok(page::with_positions(entries, |entry| entry.id.uuid()))
    }
}
