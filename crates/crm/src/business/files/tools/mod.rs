//! The tools of files. Only [`RemoveFile`](remove::RemoveFile) is in the catalog, with the tools of notes. The others
//! are run by the server, which receives and sends the content.

pub mod add;
pub mod check;
pub mod open;
pub mod remove;
pub mod removed;

use crate::business::notes::hints::HINTS;
use crate::call::access::Access;
use crate::call::argument::input;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, Kind, kinds};

/// Maximum number of files that are added at once: as many as fit on a note.
const MAX_AT_ONCE: usize = super::MAX_FILES as usize;

input! {
    /// The file to act on.
    pub struct FileInput, hints = HINTS {
        /// The file's id.
        pub id: Id<kinds::File>,
    }
}

/// The caller's tenant, under whose id the content of its files is stored.
fn tenant(access: &Access) -> Result<Id<kinds::Tenant>> {
    let account = access.account.ok_or_else(|| Error::internal("a file belongs to a tenant"))?;
    Ok(account.id)
}

/// A file on a note that the caller may not see is as unknown as one that does not exist.
pub(super) fn of_file(error: Error) -> Error {
    match error {
        Error::NotFound { .. } => Error::not_found(kinds::File::WORD),
        other => other,
    }
}
