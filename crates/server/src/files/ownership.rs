//! To which database a store belongs. Two databases may know of different files in one store, so only the one to which it
//! belongs deletes what it does not know. A copy with the same id in another place is another database.

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutMode, Result};
use zoop_crm::database_identity::DatabaseId;

use super::store::{FileStore, UnusableFileStore};

/// The object that has the id of the database.
const NAME: &str = "zoop-database";

/// The database to which a store belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// No server has used the store yet.
    Nobody,
    /// The database that asked.
    ThisDatabase,
    /// Another one.
    AnotherDatabase,
}

impl FileStore {
    /// To whom the store belongs.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn owner(&self, database: &DatabaseId) -> Result<Owner, UnusableFileStore> {
        // A folder that was never used is not created here.
        if !self.may_have_files() {
            return Ok(Owner::Nobody);
        }
        Ok(match self.owning_database().await? {
            None => Owner::Nobody,
            Some(id) if DatabaseId::parse(&id).as_ref() == Some(database) => Owner::ThisDatabase,
            Some(_) => Owner::AnotherDatabase,
        })
    }

    /// Makes the store belong to the database if it belongs to none, and says to whom it belongs now.
    pub(super) async fn claim(&self, database: &DatabaseId) -> Result<Owner, UnusableFileStore> {
        let owner = self.owner(database).await?;
        if owner != Owner::Nobody {
            return Ok(owner);
        }
        let (objects, name) = (self.objects()?, Path::from(NAME));
        let id = database.to_string();
        match objects.put_opts(&name, id.into(), PutMode::Create.into()).await {
            Ok(_) | Err(Error::AlreadyExists { .. }) => {}
            // Not every store can do this. If two servers write at once, the later one wins.
            Err(_) if self.owner(database).await? == Owner::Nobody => self.adopt(database).await?,
            Err(_) => {}
        }
        // Some stores overwrite although they were asked not to.
        self.owner(database).await
    }

    /// Makes the store belong to the database, whoever had it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn adopt(&self, database: &DatabaseId) -> Result<(), UnusableFileStore> {
        let id = database.to_string();
        self.objects()?.put(&Path::from(NAME), id.into()).await?;
        Ok(())
    }

    /// What the store says of the database to which it belongs.
    async fn owning_database(&self) -> Result<Option<String>> {
        let found = match self.objects()?.get(&Path::from(NAME)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found?.bytes().await?,
        };
        Ok(Some(String::from_utf8_lossy(&found).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(number: u8) -> DatabaseId {
        let id = format!("00000000-0000-4000-8000-{number:012} file 1:1");
        DatabaseId::parse(&id).expect("an id")
    }

    #[tokio::test]
    async fn a_copy_in_another_place_does_not_own_the_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path().join("files"));
        let (original, id) = (database(1), "00000000-0000-4000-8000-000000000001");
        let copy = DatabaseId::parse(&format!("{id} file 1:2")).expect("an id");
        assert_eq!(store.claim(&original).await, Ok(Owner::ThisDatabase));
        assert_eq!(store.claim(&copy).await, Ok(Owner::AnotherDatabase));
        std::fs::write(folder.path().join("files").join(NAME), id).expect("written");
        assert_eq!(store.claim(&original).await, Ok(Owner::AnotherDatabase), "no place");
    }

    #[tokio::test]
    async fn a_store_belongs_to_the_first_database_until_another_adopts_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path().join("files"));
        let [one, two] = [database(1), database(2)];
        assert_eq!(store.owner(&one).await, Ok(Owner::Nobody));
        assert!(!store.may_have_files(), "asking creates no folder");
        assert_eq!(store.claim(&one).await, Ok(Owner::ThisDatabase));
        assert_eq!(store.claim(&two).await, Ok(Owner::AnotherDatabase));
        store.adopt(&two).await.expect("adopted");
        assert_eq!(store.claim(&two).await, Ok(Owner::ThisDatabase));
        assert_eq!(store.claim(&one).await, Ok(Owner::AnotherDatabase));
        std::fs::write(folder.path().join("files").join(NAME), "nonsense").expect("written");
        assert_eq!(store.claim(&two).await, Ok(Owner::AnotherDatabase), "nothing is deleted then");
    }
}
