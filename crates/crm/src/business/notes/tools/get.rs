//! `notes.get`

use super::NoteInput;
use crate::business::notes::{ShownNote, access};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};

/// `notes.get`
pub struct GetNote;

impl Tool for GetNote {
    const NAME: &'static str = "notes.get";
    const TITLE: &'static str = "Get a note";
    const ABOUT: &'static str =
        "Returns one note. An archived note or another person's draft is not_found.";
    const SCOPE: Scope = Scope::ReadNotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{note}"}"#;
    type Input = NoteInput;
    type Output = ShownNote;
}

impl Query for GetNote {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &NoteInput) -> Result<ShownNote> {
        access::visible(ctx.tx, ctx.access, ctx.now, input.id)
    }
}
