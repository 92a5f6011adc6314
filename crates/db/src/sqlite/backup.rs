//! Copies a live database file consistently, and changes such a copy.

use std::path::Path;

use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};

use crate::error::{Error, Result};

/// The number of pages copied between two progress reports.
const PAGES_PER_STEP: i32 = 1_024;

/// Copies `source` to `target` page by page from one snapshot. `progress` receives the number of copied pages and
/// the number of all pages.
pub(super) fn copy(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let from = open(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // An open read transaction pins the snapshot, so that concurrent writes never restart the copy.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    super::create_private(target);
    let mut to = open(target, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(&from, &mut to)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let state = backup.progress();
        let all = u64::try_from(state.pagecount).unwrap_or(0);
        progress(all - u64::try_from(state.remaining).unwrap_or(0).min(all), all);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Another process holds a lock on the target; a partial copy cannot be trusted.
            _ => return Err(Error::Locked),
        }
    }
}

/// Changes a copy that nothing else uses, if it has the table.
pub(super) fn change(file: &Path, table: &str, sql: &str) -> Result<()> {
    let copy = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if !copy.table_exists(None, table)? {
        return Ok(());
    }
    copy.execute_batch(sql)?;
    let is_busy: bool = copy.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy { Err(Error::Locked) } else { Ok(()) }
}

fn open(path: &Path, flags: OpenFlags) -> Result<rusqlite::Connection> {
    rusqlite::Connection::open_with_flags(path, flags)
        .map_err(|source| Error::Open { path: path.to_owned(), source: source.into() })
}
