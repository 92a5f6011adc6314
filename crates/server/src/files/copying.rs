//! Compares a store with the files that a database names, and copies their content to another store: for commands.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, Result};
use sha2::{Digest, Sha256};
use zoop_crm::business::files::inventory::Kept;
use zoop_crm::values::id::{Id, kinds};

use super::objects::{Key, Object};
use super::store::{FileStore, UnusableFileStore};

/// How many files are copied at once.
const AT_ONCE: usize = 4;

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiedFiles {
    /// The number of files that were copied.
    pub files: usize,
    /// The size of these in bytes.
    pub bytes: u64,
    /// The number of files that the target had already.
    pub already_there: usize,
    /// The files whose content is missing, or is another one than the database says.
    pub missing: Vec<Kept>,
}

/// What became of one file.
enum Outcome {
    Copied,
    AlreadyThere,
    Missing,
}

impl FileStore {
    /// Those of the files whose content is missing, or is not of their size.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn missing(&self, files: &[Kept]) -> Result<Vec<Kept>, UnusableFileStore> {
        let mut missing = Vec::new();
        for of_tenant in files.chunk_by(|one, next| one.tenant == next.tenant) {
            let stored = self.sizes(of_tenant).await?;
            let is_missing = |kept: &&Kept| stored.get(&kept.file) != Some(&kept.size);
            missing.extend(of_tenant.iter().filter(is_missing));
        }
        Ok(missing)
    }

    /// Copies the content of files to another store. What is there with the right size is not copied again. `progress` is
    /// called with the size of each file that is done.
    ///
    /// # Errors
    /// If a store fails. What was copied until then stays.
    pub async fn copy_to(
        &self,
        target: &Self,
        files: &[Kept],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<CopiedFiles, UnusableFileStore> {
        let mut copied = CopiedFiles::default();
        for of_tenant in files.chunk_by(|one, next| one.tenant == next.tenant) {
            let there = target.sizes(of_tenant).await?;
            let one = |kept: Kept| {
                let is_there = there.get(&kept.file) == Some(&kept.size);
                async move {
                    let outcome = if is_there {
                        Outcome::AlreadyThere
                    } else {
                        self.copy_one(target, &kept).await?
                    };
                    progress(kept.size);
                    Ok::<_, Error>((kept, outcome))
                }
            };
            let mut copying = stream::iter(of_tenant.to_vec()).map(one).buffer_unordered(AT_ONCE);
            while let Some((kept, outcome)) = copying.try_next().await? {
                match outcome {
                    Outcome::Copied => {
                        copied.files += 1;
                        copied.bytes += kept.size;
                    }
                    Outcome::AlreadyThere => copied.already_there += 1,
                    Outcome::Missing => copied.missing.push(kept),
                }
            }
        }
        copied.missing.sort_by_key(|kept| (kept.tenant.uuid(), kept.file.uuid()));
        Ok(copied)
    }

    async fn copy_one(&self, target: &Self, kept: &Kept) -> Result<Outcome> {
        if !self.may_have_files() {
            return Ok(Outcome::Missing);
        }
        let key = Key::from(kept);
        let mut content = match self.read_all(key).await {
            Err(Error::NotFound { .. }) => return Ok(Outcome::Missing),
            content => content?,
        };
        let (mut writer, mut size, mut hash) = (target.write(key).await?, 0, Sha256::new());
        while let Some(piece) = content.try_next().await? {
            size += piece.len() as u64;
            hash.update(&piece);
            writer.write(&piece).await?;
        }
        let sha256 = <[u8; 32]>::from(hash.finalize());
        if size != kept.size || kept.sha256.is_some_and(|expected| expected != sha256) {
            // Dropping the writer discards what was written.
            return Ok(Outcome::Missing);
        }
        writer.finish().await?;
        Ok(Outcome::Copied)
    }

    /// The sizes of the stored files of these files' tenant. A folder that was never used is not created for that.
    async fn sizes(&self, of_tenant: &[Kept]) -> Result<HashMap<Id<kinds::File>, u64>> {
        match of_tenant.first() {
            Some(kept) if self.may_have_files() => {
                let stored = self.list(kept.tenant).await?.into_iter();
                // Smaller copies of pictures can be made again, and are not copied.
                let content = stored.filter(|it| it.object == Object::Content);
                Ok(content.map(|it| (it.file, it.size)).collect())
            }
            _ => Ok(HashMap::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use zoop_db::Uuid;

    use super::*;

    #[tokio::test]
    async fn content_that_is_not_what_the_database_says_is_not_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let [from, to] = ["from", "to"].map(|name| FileStore::folder(folder.path().join(name)));
        let kept = |number: u128, content: &[u8]| Kept {
            tenant: Id::new(Uuid::from_u128(1)),
            file: Id::new(Uuid::from_u128(number)),
            size: 4,
            sha256: Some(Sha256::digest(content).into()),
        };
        let files = [kept(2, b"text"), kept(3, b"test")];
        for file in &files {
            let mut writer = from.write(Key::from(file)).await.expect("a writer");
            writer.write(b"text").await.expect("written");
            writer.finish().await.expect("stored");
        }
        let copied = from.copy_to(&to, &files, &|_| {}).await.expect("copied");
        assert_eq!((copied.files, copied.missing), (1, vec![files[1]]));
        assert_eq!(to.all().await.expect("a list").len(), 1);
    }
}
