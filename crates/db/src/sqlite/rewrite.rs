//! Writes a file again, so that it has nothing of rows that were deleted or changed.

use std::path::Path;

use super::Connection;
use crate::error::{Error, Result};

/// How often a checkpoint that readers prevent is tried; each time it waits for the lock.
const ATTEMPTS: u32 = 12;

/// Rewrites the file at this path, which other processes may use meanwhile. The full-text indexes first: their segments
/// keep the words of deleted rows until they are merged.
pub(crate) fn run(path: &Path, indexes: &[&'static str]) -> Result<()> {
    let connection = Connection::open_writer(&super::resolved(path))?;
    for index in indexes {
        connection.script(&format!("INSERT INTO {index} ({index}) VALUES ('optimize')"))?;
    }
    // The new file is as long as the old one, so it must not be built in memory.
    connection.script("PRAGMA temp_store = FILE; VACUUM")?;
    for _ in 0..ATTEMPTS {
        let pragma = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_blocked = connection.raw().query_row(pragma, [], |row| row.get::<_, bool>(0))?;
        if !is_blocked {
            return Ok(());
        }
    }
    Err(Error::Locked)
}
