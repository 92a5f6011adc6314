//! The files whose content must be in the file store.

use zoop_db::ReadTx;

use super::store;
use crate::call::error::Result;
use crate::identity::tenants;
use crate::values::id::{Id, kinds};

/// A file that is on a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The file's tenant.
    pub tenant: Id<kinds::Tenant>,
    /// The file.
    pub file: Id<kinds::File>,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its content, if the database says it.
    pub sha256: Option<[u8; 32]>,
}

/// The files of all tenants, one tenant after the other. Those that were removed are not among them.
///
/// # Errors
/// If the database fails.
pub fn all(tx: &mut ReadTx<'_>) -> Result<Vec<Kept>> {
    let mut files = Vec::new();
    for tenants::Numbered { number, id: tenant } in tenants::store::numbered(tx)? {
        tx.bind(number);
        files.extend(store::kept_of(tx, tenant)?);
    }
    Ok(files)
}
