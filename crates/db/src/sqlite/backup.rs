//! Copies a live database file consistently.

use std::path::Path;

use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};

use crate::error::{Error, Result};

/// The number of pages copied between two progress reports.
const PAGES_PER_STEP: i32 = 1_024;

/// Copies `source` to `target` page by page from one snapshot. `progress` receives the number of copied pages and
/// the number of all pages.
pub(super) fn copy(source: &Path, target: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let open = |path: &Path, flags| {
        rusqlite::Connection::open_with_flags(path, flags)
            .map_err(|source| Error::Open { path: path.to_owned(), source: source.into() })
    };
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
