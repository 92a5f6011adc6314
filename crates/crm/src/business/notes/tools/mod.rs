//! The tools of notes.

pub mod archive;
pub mod create;
pub mod get;
pub mod list;
pub mod restore;
pub mod update;

use archive::ArchiveNote;
use create::CreateNote;
use get::GetNote;
use list::ListNotes;
use restore::RestoreNote;
use update::UpdateNote;

use crate::business::files::tools::remove::RemoveFile;
use crate::business::notes::hints::HINTS;
use crate::call::argument::input;
use crate::call::definition::{Group, ToolDef};
use crate::values::id::{Id, kinds};

/// The tools of notes.
pub const GROUP: Group = Group {
    name: "notes",
    about: "Notes: free texts, standalone or on a record.",
    tools: &[
        ToolDef::list::<ListNotes>(),
        ToolDef::query::<GetNote>(),
        ToolDef::command::<CreateNote>(),
        ToolDef::command::<UpdateNote>(),
        ToolDef::command::<ArchiveNote>(),
        ToolDef::command::<RestoreNote>(),
        ToolDef::command::<RemoveFile>(),
    ],
};

input! {
    /// The note to act on.
    pub struct NoteInput, hints = HINTS {
        /// The note's id.
        pub id: Id<kinds::Note>,
    }
}
