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

    /// Deletes the content, once no row names it, and returns of how many files. What stays is deleted later by a server's
    /// sweep.
    ///
    /// # Errors
    /// If the store fails. What was deleted until then is gone.
    pub async fn delete(&self) -> Result<usize, UnusableFileStore> {
        let Some(store) = &self.store else { return Ok(0) };
        for file in &self.files {
            store.delete_all(Key { tenant: self.tenant, file: *file }).await.map_err(|error| {
                UnusableFileStore(format!(
                    "the content of files cannot be deleted in {store} now, and a server deletes it within days: {error}"
                ))
            })?;
        }
        Ok(self.files.len())
    }
}
