//! Runs a case under callgrind and reads its count.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};

use crate::cases::{self, Case};
use crate::fixture;
use crate::record::Counts;

/// Repetitions in a case's shorter run. Subtracting its count from the longer run's removes the one-time work.
const FEW: u32 = 20;
/// Repetitions in a case's longer run.
const MANY: u32 = 120;

/// Counts every case, running as many cases at a time as there are cores.
pub(crate) fn count_all() -> Result<Counts> {
    let folder = tempfile::tempdir()?;
    fixture::make(folder.path())?;
    let waiting = Mutex::new(cases::ALL.iter());
    let counted = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = waiting.lock().map_or(None, |mut cases| cases.next());
            let Some(case) = next else { return };
            let count = count(folder.path(), case);
            if let Ok(mut counted) = counted.lock() {
                counted.push((case.name, count));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    let counted = counted.into_inner().map_err(|_| anyhow!("a thread panicked"))?;
    counted.into_iter().map(|(name, count)| Ok((name.to_owned(), count?))).collect()
}

/// The names of this process's threads in the order in which they were started, which is how
/// callgrind numbers them.
pub(crate) fn threads() -> Result<Vec<String>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        let number: u32 = entry.file_name().to_string_lossy().parse()?;
        let name = fs::read_to_string(entry.path().join("comm"))?;
        threads.push((number, name.trim_end().to_owned()));
    }
    threads.sort_unstable();
    Ok(threads.into_iter().map(|(_, name)| name).collect())
}

/// The number of instructions for one call of a case.
fn count(folder: &Path, case: &Case) -> Result<u64> {
    let (few, many) = (count_run(folder, case, FEW)?, count_run(folder, case, MANY)?);
    Ok(many.saturating_sub(few) / u64::from(MANY - FEW))
}

/// The number of instructions for a whole run, on a copy of the database. The checkpoint thread is excluded: its
/// work belongs to no call, and how far it gets depends on the disk. A reader that keeps the first snapshot open
/// prevents that thread from doing anything that the calls could notice.
fn count_run(source: &Path, case: &Case, times: u32) -> Result<u64> {
    let copy = tempfile::tempdir()?;
    for name in ["zoop.db", "facts.json"] {
        fs::copy(source.join(name), copy.path().join(name))?;
    }
    let reader = rusqlite::Connection::open(copy.path().join("zoop.db"))?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    let counts = copy.path().join("counts");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe()?)
        .arg("repeat")
        .arg(copy.path())
        .args([case.name, &times.to_string()])
        .output()
        .context("valgrind cannot be run; on Debian: apt-get install valgrind")?;
    drop(reader);
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed under callgrind:\n{log}", case.name);
    let threads = String::from_utf8(output.stdout)?;
    let mut sum = 0;
    for (thread, name) in (1..).zip(threads.lines()) {
        if name != "zoop-checkpoint" {
            sum += total(&counts.with_file_name(format!("counts-{thread:02}")))?;
        }
    }
    Ok(sum)
}

/// The sum of a thread's counts.
fn total(file: &Path) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.with_context(|| format!("{} has no totals", file.display()))
}
