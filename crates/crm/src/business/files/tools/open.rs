//! `notes.open_file`: what is needed to send a file's content.

use schemars::JsonSchema;
use serde::Serialize;

use super::FileInput;
use crate::business::files::{MediaType, store};
use crate::business::notes::access;
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

/// A file whose content the caller may read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OpenedFile {
    /// The tenant, under whose id the content is stored.
    pub tenant: Id<kinds::Tenant>,
    /// The file's id.
    pub id: Id<kinds::File>,
    /// Its name.
    pub name: String,
    /// Its type.
    pub media_type: MediaType,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content in hexadecimal digits.
    pub sha256: String,
}

/// `notes.open_file`
pub struct OpenFile;

impl Tool for OpenFile {
    const NAME: &'static str = "notes.open_file";
    const TITLE: &'static str = "Open a file";
    const ABOUT: &'static str = "Returns what is needed to send a file's content.";
    const SCOPE: Scope = Scope::ReadNotes;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = FileInput;
    type Output = OpenedFile;
}

impl Query for OpenFile {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &FileInput) -> Result<OpenedFile> {
        let file = store::get(ctx.tx, input.id)?;
        access::visible(ctx.tx, ctx.access, ctx.now, file.note_id).map_err(super::of_file)?;
        Ok(OpenedFile {
            tenant: super::tenant(ctx.access)?,
            id: file.id,
            name: file.name,
            media_type: file.media_type,
            size: u64::try_from(file.size).unwrap_or(0),
            sha256: file.sha256,
        })
    }
}
