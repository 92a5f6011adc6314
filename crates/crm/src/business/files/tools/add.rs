//! `notes.add_files`: names files whose content is stored already.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::business::files::{
    Attachment, File, FileName, MAX_BYTES, MediaType, OlderFiles, Recognized, room, store,
};
use crate::business::notes::hints::HINTS;
use crate::business::notes::{access, limit};
use crate::call::archive::Archivable;
use crate::call::argument::{Json, List, Ranged, Text, Value, input, nested};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// A file whose content is stored.
    pub struct NewFile {
        /// Its id, under which the content is stored.
        pub id: Id<kinds::File>,
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
nested!(NewFile);

/// A file whose content is stored, as an argument.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its id, under which the content is stored.
    pub id: Id<kinds::File>,
    /// Its name.
    pub name: FileName,
    /// What its content was recognized as.
    pub recognized: Recognized,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of the content in hexadecimal digits.
    pub sha256: String,
}

impl Value for StoredFile {
    fn json(self) -> Option<Json> {
        let (width, height) = self.recognized.dimensions.unzip();
        let members = [
            ("id", self.id.json()),
            ("name", self.name.as_str().json()),
            ("media_type", self.recognized.media_type.word().json()),
            ("size", self.size.json()),
            ("sha256", self.sha256.json()),
            ("width", width.json()),
            ("height", height.json()),
        ];
        let sent = members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?)));
        Some(Json::Object(sent.collect()))
    }
}

input! {
    /// Files to add.
    pub struct AddFilesInput, hints = HINTS {
        /// The note.
        pub note_id: Id<kinds::Note>,
        /// The files.
        pub files: List<NewFile, 1, { super::MAX_AT_ONCE }>,
        ..older: OlderFiles
    }
}

impl AddFilesInput {
    /// The size of all files together in bytes.
    fn size(&self) -> u64 {
        self.files.0.iter().map(|file| u64::from(file.size.get())).sum()
    }
}

/// The files that were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddedFiles {
    /// The files, in the order in which they were sent.
    pub attachments: Vec<Attachment>,
}

/// `notes.add_files`
pub struct AddFiles;

impl Tool for AddFiles {
    const NAME: &'static str = "notes.add_files";
    const TITLE: &'static str = "Add files to a note";
    const ABOUT: &'static str =
        "Adds files whose content is stored to a note: all of them, or none.";
    const SCOPE: Scope = Scope::WriteNotes;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = AddFilesInput;
    type Output = AddedFiles;
}

impl Command for AddFiles {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Read(|answer| Ok(serde_json::from_str(answer)?));
    /// The ids, under which the content was stored again.
    const PER_TRY: &'static [&'static str] = &["id"];

    fn prepare(ctx: &mut ReadCtx<'_, '_>, mut input: AddFilesInput) -> Result<AddFilesInput> {
        input.older = OlderFiles::with_room_for(ctx, input.size())?;
        Ok(input)
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &AddFilesInput) -> Result<AddedFiles> {
        let note = access::changeable(ctx, input.note_id)?.unless_archived(ctx.access)?;
        let files = &input.files.0;
        room::require_on_note(ctx.tx, note.id, files.len())?;
        input.older.require_room(ctx.tx, input.size(), ctx.environment.files_limit)?;
        let created_by = limit::count(ctx)?;
        let pixels = |number: Option<Ranged<0, { u32::MAX }>>| number.map(|it| i64::from(it.get()));
        let mut attachments = Vec::with_capacity(files.len());
        for new in files {
            let file = File {
                id: new.id,
                note_id: note.id,
                name: new.name.as_str().to_owned(),
                media_type: new.media_type,
                size: i64::from(new.size.get()),
                sha256: new.sha256.0.clone(),
                width: pixels(new.width),
                height: pixels(new.height),
                created_by,
                created_at: new.id.created_at(),
                removed_at: None,
            };
            store::insert(ctx.tx, &file)?;
            ctx.added(&file)?;
            ctx.changed("note", note.id.uuid(), "attachments", json!(null), json!(file.name));
            attachments.push(Attachment::from(file));
        }
        if note.draft {
            ctx.leave_no_history();
        }
        Ok(AddedFiles { attachments })
    }
}
