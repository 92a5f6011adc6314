//! `notes.add_file`: names a file whose content is stored already.

use serde_json::json;

use crate::business::files::{Attachment, File, FileName, MAX_BYTES, MediaType, room, store};
use crate::business::notes::hints::HINTS;
use crate::business::notes::{access, limit};
use crate::call::archive::Archivable;
use crate::call::argument::{Ranged, Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// A file whose content is stored.
    pub struct AddFileInput, hints = HINTS {
        /// Its id, under which the content is stored.
        pub id: Id<kinds::File>,
        /// The note.
        pub note_id: Id<kinds::Note>,
        /// Its name.
        pub name: FileName,
        /// Its type.
        pub media_type: MediaType,
        /// Its size in bytes.
        pub size: Ranged<1, MAX_BYTES>,
        /// The SHA-256 of the content in hexadecimal digits.
        pub sha256: Text<64>,
        /// An image's width.
        pub width: Option<Ranged<0, { u32::MAX }>>,
        /// An image's height.
        pub height: Option<Ranged<0, { u32::MAX }>>,
    }
}

/// `notes.add_file`
pub struct AddFile;

impl Tool for AddFile {
    const NAME: &'static str = "notes.add_file";
    const TITLE: &'static str = "Add a file to a note";
    const ABOUT: &'static str = "Adds a file whose content is stored to a note.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = AddFileInput;
    type Output = Attachment;
}

impl Command for AddFile {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &AddFileInput) -> Result<Attachment> {
        let note = access::changeable(ctx, input.note_id)?.unless_archived(ctx.access)?;
        room::require(ctx.tx, note.id, input.size.get(), ctx.environment.files_limit)?;
        let created_by = limit::count(ctx)?;
        let pixels = |number: Option<Ranged<0, { u32::MAX }>>| number.map(|it| i64::from(it.get()));
        let file = File {
            id: input.id,
            note_id: note.id,
            name: input.name.as_str().to_owned(),
            media_type: input.media_type,
            size: i64::from(input.size.get()),
            sha256: input.sha256.0.clone(),
            width: pixels(input.width),
            height: pixels(input.height),
            created_by,
            created_at: input.id.created_at(),
            removed_at: None,
        };
        store::insert(ctx.tx, &file)?;
        ctx.added(&file)?;
        ctx.changed("note", note.id.uuid(), "attachments", json!(null), json!(file.name));
        if note.draft {
            ctx.leave_no_history();
        }
        Ok(Attachment::from(file))
    }
}
