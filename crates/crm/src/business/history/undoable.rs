//! Whether one entry can be reverted. Only pages ask, after an action, so it is a query of the pages' own and not in the
//! catalog.

use schemars::JsonSchema;
use serde::Serialize;

use super::revert;
use crate::call::argument::input;
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The entry.
    pub struct UndoableInput {
        /// Its id.
        pub id: Id<kinds::Entry>,
    }
}

/// Whether the caller can revert an entry now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CanRevert {
    /// Whether nothing stands in the way.
    pub can_revert: bool,
}

/// Whether an entry can be reverted.
pub struct Undoable;

impl Tool for Undoable {
    const NAME: &'static str = "changes.undoable";
    const TITLE: &'static str = "See whether a change can be undone";
    const ABOUT: &'static str = "Says whether changes.revert can undo an entry.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{entry}"}"#;
    type Input = UndoableInput;
    type Output = CanRevert;
}

impl Query for Undoable {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &UndoableInput) -> Result<CanRevert> {
        Ok(CanRevert { can_revert: revert::can_revert(ctx.tx, ctx.access, input.id)? })
    }
}
