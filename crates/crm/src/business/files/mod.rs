//! Files on notes: photos and documents. The database has what is known of a file, and the server's file store has its
//! content.
//!
//! This module says what a file is, which types are accepted (`media_type.rs`, `content.rs`), how a name is cleaned
//! (`name.rs`), how a change is undone (`put_back.rs`), how many files fit (`room.rs`), whose content must be there
//! (`inventory.rs`), and whose can be deleted (`cleaning.rs`). A file is as visible as its note. What must not live here:
//! the content itself, or anything that stores it.

pub mod cleaning;
mod content;
pub mod inventory;
mod media_type;
mod name;
pub(in crate::business) mod put_back;
mod room;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use content::{Content, Recognized, Unaccepted};
pub use media_type::MediaType;
pub use name::FileName;
pub use room::{MAX_BYTES, MAX_FILES, OlderFiles, account_is_full};

pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

crate::call::table::record! {
    /// A file as stored.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct File {
        /// The file's id, under which its content is stored.
        pub id: Id<kinds::File> as fixed,
        /// The note that it is on.
        pub note_id: Id<kinds::Note> as fixed,
        /// Its name, cleaned.
        pub name: String as fixed,
        /// Its type, recognized by its content.
        pub media_type: MediaType as fixed,
        /// Its size in bytes.
        pub size: i64 as fixed,
        /// The SHA-256 of its content, in hexadecimal digits.
        #[serde(skip)]
        pub sha256: String as fixed,
        /// An image's width in pixels, if it is known.
        pub width: Option<i64> as fixed,
        /// An image's height in pixels, if it is known.
        pub height: Option<i64> as fixed,
        /// The user who added it.
        pub created_by: Id<kinds::User> as fixed,
        /// When it was added.
        pub created_at: Moment = id.created_at(),
        /// When it was removed. A removed file is never shown.
        #[serde(skip)]
        pub removed_at: Option<Moment>,
    }

    table files {
        key: [id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant, OnExpiry],
    }
}

impl Recorded for File {
    const TYPE: &'static str = "file";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

/// A file on a note, whose content belongs to an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFile {
    /// The file's id.
    pub id: Id<kinds::File>,
    /// Its name, cleaned: without folders.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// A file attached to a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The file's id.
    pub id: Id<kinds::File>,
    /// Its name.
    pub name: String,
    /// Its media type.
    #[schemars(with = "String")]
    pub r#type: MediaType,
    /// Its size in bytes.
    pub size: u64,
    /// Its path at this server, for the same credential.
    pub url: String,
}

impl From<File> for Attachment {
    fn from(file: File) -> Self {
        Self {
            id: file.id,
            name: file.name,
            r#type: file.media_type,
            size: u64::try_from(file.size).unwrap_or(0),
            url: format!("/files/{}", file.id),
        }
    }
}
