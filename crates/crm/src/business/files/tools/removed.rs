//! `notes.removed_file`: the name of a file that was just removed. Only pages say it, so it is not in the catalog.

use super::FileInput;
use crate::business::files::store;
use crate::business::notes::access;
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};

/// `notes.removed_file`
pub struct RemovedFile;

impl Tool for RemovedFile {
    const NAME: &'static str = "notes.removed_file";
    const TITLE: &'static str = "Name a removed file";
    const ABOUT: &'static str =
        "Returns the name of a file that was removed, until its content is deleted.";
    const SCOPE: Scope = Scope::ReadNotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = FileInput;
    type Output = String;
}

impl Query for RemovedFile {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &FileInput) -> Result<String> {
        let file = store::get_removed(ctx.tx, input.id)?;
        access::visible(ctx.tx, ctx.access, ctx.now, file.note_id).map_err(super::of_file)?;
        Ok(file.name)
    }
}
