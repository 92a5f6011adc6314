//! The history's one tool.

use zoop_db::Uuid;

use super::{Entry, store};
use crate::answer::Page;
use crate::argument::input;
use crate::context::ReadCtx;
use crate::definition::{Group, ToolDef};
use crate::error::Result;
use crate::id::{Id, kinds};
use crate::scope::Scope;
use crate::tool::{ActorRule, Doors, List, Tool};

/// The history's tools.
pub const GROUP: Group =
    Group { name: "history", about: "Who changed what.", tools: &[ToolDef::list::<ListHistory>()] };

input! {
    /// The filters of the history.
    pub struct ListHistoryInput {
        /// Only entries that touched this record, of whatever kind.
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
    const DOORS: Doors = Doors::House;
    const EXAMPLE: &'static str = r#"{"record":"{customer}"}"#;
    type Input = ListHistoryInput;
    type Output = Page<Entry>;
}

impl List for ListHistory {
    type Row = Entry;
    type Position = Uuid;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListHistoryInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Vec<(Entry, Uuid)>> {
        let before = after.unwrap_or(Uuid::max());
        let entries = store::list(ctx.tx, input.record.map(Id::uuid), before, count)?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let id = entry.id.uuid();
                (entry, id)
            })
            .collect())
    }
}
