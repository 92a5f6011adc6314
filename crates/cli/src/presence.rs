//! [`Presence`]: the lock that shows that a zoop process has an embedded database open.
//!
//! Every process that has an embedded database open holds a shared lock on a lock file next to the database.
//! Replacing the database, copying into it, and copying it without `--while-running` require an exclusive
//! lock. The operating system releases the lock however the process ends.
//!
//! The lock protects the file, whatever path names it: symbolic links are followed, and a file with several names
//! (hard links) is checked for the locks that SQLite keeps on the file itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
use zoop_db::sqlite;

use crate::database::with_suffix;

/// The suffix of a lock file's name, after the database's name.
pub(crate) const LOCK: &str = "-lock";

/// The error when an exclusive lock is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0} is in use by a running zoop: stop the server first")]
pub(crate) struct InUse(pub(crate) String);

/// The lock on a database that is open or is being replaced.
pub(crate) struct Presence {
    /// Closing this file releases the lock.
    _lock: File,
}

impl Presence {
    /// Acquires the shared lock. Every process that has the database open holds it.
    pub(crate) fn shared(database: &Path) -> Result<Self> {
        let file = sqlite::resolved(database);
        let lock = lock_file(&file)?;
        // If the exclusive lock is free, no process has the file open under this name. Then any lock that SQLite
        // holds on the file belongs to a process that opened another name.
        if has_other_names(&file)? && lock.try_lock().is_ok() {
            refuse_other_name(&file)?;
        }
        match lock.try_lock_shared() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("this database is being restored or copied: try again when that is finished")
            }
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the database"),
        }
    }

    /// Acquires the exclusive lock, so that no other zoop process has the database open.
    pub(crate) fn exclusive(database: &Path) -> Result<Self> {
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

    /// Whether a process has the database open under this name. Does not create the lock file.
    pub(crate) fn is_held(database: &Path) -> bool {
        let lock = with_suffix(&sqlite::resolved(database), LOCK);
        File::open(lock).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

/// Whether both paths lead to the same file.
pub(crate) fn is_one_file(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) else { return false };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Rejects an existing path that is not a regular file, such as a device or a folder.
pub(crate) fn refuse_irregular(path: &Path) -> Result<()> {
    let is_irregular = fs::metadata(path).is_ok_and(|found| !found.is_file());
    ensure!(!is_irregular, "{} is not a regular file: choose another name", path.display());
    Ok(())
}

/// Whether an existing file has several names (hard links).
pub(crate) fn has_other_names(file: &Path) -> Result<bool> {
    match fs::metadata(file) {
        Ok(found) => Ok(found.nlink() > 1),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot inspect {}", file.display())),
    }
}

/// Rejects a file that is open in SQLite although no process has it open under this name. Each name has its own
/// log, so writers under two names would damage the file. Must not be called while this process has the database
/// open: closing the file would release all of the process's locks on it.
fn refuse_other_name(file: &Path) -> Result<()> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let whole = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let holder = fcntl_getlk(&opened, &whole).context("cannot read the database's locks")?;
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
    let path = with_suffix(database, LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| {
            format!("cannot create the file {}; `zoop doctor` shows what is wrong", path.display())
        })
}
