//! What a killed server leaves in a folder: content that was being written, which the folder keeps under a name of its own
//! until it is whole. In a bucket, a rule of the bucket removes it.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use zoop_crm::business::files::cleaning::KEPT_FOR;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Timestamp;

use super::objects::Object;
use super::store::FileStore;

impl FileStore {
    /// Deletes the unfinished content of a tenant that nobody writes any more. Returns how much it was.
    pub(super) async fn delete_leftovers(
        &self,
        tenant: Id<kinds::Tenant>,
        now: Timestamp,
    ) -> io::Result<usize> {
        let Some(folder) = self.as_folder() else { return Ok(0) };
        let folder = folder.join(tenant.to_string());
        let deleting = tokio::task::spawn_blocking(move || delete(&folder, now));
        deleting.await.map_err(io::Error::other)?
    }
}

fn delete(folder: &Path, now: Timestamp) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut deleted = 0;
    for entry in entries {
        let Some(path) = leftover(&entry?, now) else { continue };
        match fs::remove_file(path) {
            Ok(()) => deleted += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(deleted)
}

/// The path of an unfinished object that is a day old. The store names it after the object, with a number: `<id>#1`.
fn leftover(entry: &DirEntry, now: Timestamp) -> Option<PathBuf> {
    let name = entry.file_name().into_string().ok()?;
    let (object, number) = name.split_once('#')?;
    Object::parse(object)?;
    number.parse::<u32>().ok()?;
    let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let written = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let written = i64::try_from(written.as_micros()).ok()?;
    (written < now.0 - KEPT_FOR).then(|| entry.path())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use zoop_db::Uuid;

    use super::*;
    use crate::files::objects::Key;
    use crate::files::writer::PART;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[tokio::test]
    async fn unfinished_content_is_deleted_a_day_after_the_last_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let tenant = Id::parse("0198c0de-0000-7000-8000-000000000001").expect("an id");
        let file = "0198c0de-0000-7000-8000-000000000002";
        let of_tenant = folder.path().join(tenant.to_string());
        fs::create_dir(&of_tenant).expect("a folder");
        let write = |name: &str, hour: u32| {
            let written = File::create(of_tenant.join(name)).expect("a file");
            written.set_modified(UNIX_EPOCH + hour * HOUR).expect("its time");
        };
        let others = [file, "notes.txt", "notes#1", &format!("{file}#x")];
        for name in others {
            write(name, 10);
        }
        write(&format!("{file}#1"), 75);
        write(&format!("{file}.320.jpg#1"), 75);
        write(&format!("{file}#2"), 77);
        let now = Timestamp(100 * 60 * 60 * 1_000_000);
        let store = FileStore::folder(folder.path());
        assert_eq!(store.delete_leftovers(tenant, now).await.expect("deleted"), 2);
        assert!(!of_tenant.join(format!("{file}#1")).exists());
        assert_eq!(fs::read_dir(&of_tenant).expect("the folder").count(), others.len() + 1);
    }

    #[tokio::test]
    async fn what_the_store_leaves_of_an_upload_is_known_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let [tenant, file] = [1, 2].map(Uuid::from_u128);
        let store = FileStore::folder(folder.path());
        let key = Key { tenant: Id::new(tenant), file: Id::new(file) };
        let mut writer = store.write(key).await.expect("a writer");
        writer.write(&vec![0; PART + 1]).await.expect("a part is sent");
        writer.sent().await.expect("it is stored");
        let found = fs::read_dir(folder.path().join(tenant.to_string())).expect("the folder");
        let found: Vec<_> = found.map(|entry| entry.expect("an entry")).collect();
        let [unfinished] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(leftover(unfinished, Timestamp(i64::MAX)), Some(unfinished.path()));
    }
}
