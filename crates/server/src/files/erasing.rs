//! Deletes the content of files at once, for a command that erases the records they are about.

use zoop_crm::values::id::{Id, kinds};

use super::objects::Key;
use super::store::{FileStore, UnusableFileStore};

impl FileStore {
    /// Deletes all that is stored of a tenant's files, and of which there may be nothing.
    ///
    /// # Errors
    /// If the store fails. What was deleted until then is gone.
    pub async fn erase(
        &self,
        tenant: Id<kinds::Tenant>,
        files: &[Id<kinds::File>],
    ) -> Result<(), UnusableFileStore> {
        for file in files {
            self.delete_all(Key { tenant, file: *file }).await?;
        }
        Ok(())
    }
}
