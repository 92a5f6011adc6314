//! [`Presence`]: the sign that a zoop has an embedded database open.
//!
//! Every zoop that has an embedded database open holds a shared lock on a file beside it. Only
//! replacing the database, or copying into it, needs the lock exclusively. The lock is the operating system's and
//! ends with its process, however that ends.
//!
//! The file is what counts, not how its path is written: symbolic links are followed, and a file that has
//! several names (hard links) is looked at for the locks that SQLite keeps on the file itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
use zoop_db::sqlite;

use crate::database::beside;

/// What stands behind a database's name in the name of its lock file.
pub(crate) const LOCK: &str = "-lock";

/// The refusal of an exclusive lock.
#[derive(Debug, thiserror::Error)]
#[error("{0} is in use by a running zoop: stop the server first")]
pub(crate) struct InUse(pub(crate) String);

/// The sign that a database is open, or is being replaced.
pub(crate) struct Presence {
    /// Closing it ends the lock.
    _lock: File,
}

impl Presence {
    /// The lock that every zoop holds which has the database open.
    pub(crate) fn shared(database: &Path) -> Result<Self> {
        let file = sqlite::resolved(database);
        let lock = lock_file(&file)?;
        // The first one under this name looks whether the file is open under another name. What is
        // open under this name may be opened again.
        if has_other_names(&file)? && lock.try_lock().is_ok() {
            refuse_other_name(&file)?;
        }
        match lock.try_lock_shared() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("this database is being restored or copied: try again when that is done")
            }
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the database"),
        }
    }

    /// The exclusive lock: nobody else has the database open.
    pub(crate) fn alone(database: &Path) -> Result<Self> {
        let file = sqlite::resolved(database);
        let lock = lock_file(&file)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(InUse(database.display().to_string()).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).context("cannot lock the database");
            }
        }
        if has_other_names(&file)? {
            refuse_other_name(&file)?;
        }
        Ok(Self { _lock: lock })
    }

    /// Whether a zoop has the database open under this name. Makes no file.
    pub(crate) fn is_held(database: &Path) -> bool {
        let lock = beside(&sqlite::resolved(database), LOCK);
        File::open(lock).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

/// Whether both paths name one file.
pub(crate) fn is_one_file(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) else { return false };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Refuses what is there and is not a regular file, such as a device or a folder.
pub(crate) fn refuse_irregular(path: &Path) -> Result<()> {
    let is_irregular = fs::metadata(path).is_ok_and(|found| !found.is_file());
    ensure!(!is_irregular, "{} is not a regular file: choose another name", path.display());
    Ok(())
}

/// Whether a file that is there has several names (hard links).
pub(crate) fn has_other_names(file: &Path) -> Result<bool> {
    match fs::metadata(file) {
        Ok(found) => Ok(found.nlink() > 1),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", file.display())),
    }
}

/// Refuses a file that is open in SQLite although nobody has it open under this name. Each name has a
/// log of its own, so two that write would damage the file. Must not run while this process has the file
/// open: closing it ends the process's own locks.
fn refuse_other_name(file: &Path) -> Result<()> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let whole = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let holder = fcntl_getlk(&opened, &whole).context("cannot look at the database's locks")?;
    ensure!(
        holder.is_none(),
        "{} has another name (a hard link), under which it is in use by a running zoop: stop the server \
         first, and give the file one name only",
        file.display()
    );
    Ok(())
}

fn lock_file(database: &Path) -> Result<File> {
    refuse_irregular(database)?;
    let path = beside(database, LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| {
            format!("cannot make the file {}; `zoop doctor` looks what is missing", path.display())
        })
}
