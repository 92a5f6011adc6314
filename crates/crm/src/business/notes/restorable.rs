//! Whether a note that is not shown is archived and could be restored. Only pages ask: somebody may come back to a page
//! about a note that is archived meanwhile. So this is a query of the pages' own and not in the catalog.

use super::access;
use super::tools::NoteInput;
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};

/// Whether the caller may restore a note, which is archived.
pub struct IsRestorable;

impl Tool for IsRestorable {
    const NAME: &'static str = "notes.is_restorable";
    const TITLE: &'static str = "Whether a note can be restored";
    const ABOUT: &'static str = "Says whether the note is archived and the caller may restore it.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{archived_note}"}"#;
    type Input = NoteInput;
    type Output = bool;
}

impl Query for IsRestorable {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &NoteInput) -> Result<bool> {
        match access::restorable(ctx.tx, ctx.access, ctx.now, input.id) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
