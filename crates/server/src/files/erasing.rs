//! Deletes the content of files at once, when the records that they are about are erased.

use std::fmt;

use zoop_crm::database_identity::DatabaseId;
use zoop_crm::values::id::{Id, kinds};

use super::objects::Key;
use super::ownership::Owner;
use super::store::{FileStore, UnusableFileStore};

/// The content of files, as their rows name it before they are erased.
#[derive(Debug)]
pub struct ErasedContents {
    tenant: Id<kinds::Tenant>,
    files: Vec<Id<kinds::File>>,
    store: Option<FileStore>,
}

/// What was deleted of the content.
#[derive(Debug)]
pub struct DeletedContents {
    /// Of how many files.
    pub count: usize,
    /// Why it is not that of all files. A server's sweep deletes the rest later.
    pub outcome: Result<(), UnusableFileStore>,
}

/// Why content could not be deleted, so that nothing may be erased.
#[derive(Debug)]
pub enum Undeletable {
    /// There are files, and no store is set.
    NoStore,
    /// The store belongs to another database, which may need the files.
    AnotherDatabase(FileStore),
    /// The store fails.
    Unusable(FileStore, UnusableFileStore),
}

impl fmt::Display for Undeletable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStore => out.write_str(
                "the customer has files: set files.url to where their content is, so that it is deleted too",
            ),
            Self::AnotherDatabase(store) => write!(
                out,
                "{store} belongs to another database, which may need the customer's files: see `zoop files adopt --help`"
            ),
            Self::Unusable(store, error) => write!(out, "{store} cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Undeletable {}

impl ErasedContents {
    /// The content of these files of a tenant, if it can be deleted.
    ///
    /// # Errors
    /// If the content cannot be deleted, and why.
    pub async fn check(
        store: Option<FileStore>,
        database: &DatabaseId,
        tenant: Id<kinds::Tenant>,
        files: Vec<Id<kinds::File>>,
    ) -> Result<Self, Undeletable> {
        if files.is_empty() {
            return Ok(Self { tenant, files, store: None });
        }
        let store = store.ok_or(Undeletable::NoStore)?;
        match store.owner(database).await {
            Ok(Owner::AnotherDatabase) => Err(Undeletable::AnotherDatabase(store)),
            Ok(Owner::ThisDatabase | Owner::Nobody) => {
                Ok(Self { tenant, files, store: Some(store) })
            }
            Err(error) => Err(Undeletable::Unusable(store, error)),
        }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[Id<kinds::File>] {
        &self.files
    }

    /// Deletes the content of those of the files that have no row any more.
    pub async fn delete(&self, without_row: &[Id<kinds::File>]) -> DeletedContents {
        let mut deleted = DeletedContents { count: 0, outcome: Ok(()) };
        let Some(store) = &self.store else { return deleted };
        for file in without_row {
            let key = Key { tenant: self.tenant, file: *file };
            if let Err(error) = store.delete_all(key).await {
                deleted.outcome = Err(UnusableFileStore(format!(
                    "the content of files cannot be deleted in {store} now, and a server deletes it within days: {error}"
                )));
                break;
            }
            deleted.count += 1;
        }
        deleted
    }
}
