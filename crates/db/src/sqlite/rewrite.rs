//! Writes a file again, so that it has nothing of rows that were deleted or changed.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::Connection;
use crate::error::{Error, Result};

/// How long to wait before a step is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Rewrites the file at this path, which other processes may use meanwhile. The full-text indexes first: their segments
/// keep the words of deleted rows until they are merged.
pub(crate) fn run(path: &Path, indexes: &[&'static str], patience: Duration) -> Result<()> {
    let connection = Connection::open_writer(&super::resolved(path))?;
    for index in indexes {
        let optimize = format!("INSERT INTO {index} ({index}) VALUES ('optimize')");
        patiently(patience, || unless_locked(connection.script(&optimize)))?;
    }
    // The new file is as long as the old one, so it must not be built in memory.
    connection.script("PRAGMA temp_store = FILE")?;
    patiently(patience, || unless_locked(connection.script("VACUUM")))?;
    patiently(patience, || {
        let pragma = "PRAGMA wal_checkpoint(TRUNCATE)";
        Ok(!connection.raw().query_row(pragma, [], |row| row.get::<_, bool>(0))?)
    })
}

/// Whether a step is done, which another connection may have prevented.
fn unless_locked(outcome: Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Error::Locked) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Tries a step until it is done. SQLite does not wait where another connection is writing pages back.
fn patiently(patience: Duration, step: impl Fn() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + patience;
    while !step()? {
        if Instant::now() > end {
            return Err(Error::Locked);
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
