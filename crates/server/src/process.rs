//! The resources that this process uses: for the metrics, and for the limit on connections.

use std::path::Path;

/// A sample of the resources that the process uses, and of the free space on the database's disk.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    /// Memory that is in use now, in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// Processor time since the start, in seconds.
    pub(crate) cpu_seconds: Option<f64>,
    /// The number of open files and connections.
    pub(crate) open_files: Option<u64>,
    /// The maximum number of open files and connections. `None` also if there is no maximum.
    pub(crate) max_files: Option<u64>,
    /// Free bytes on the database's disk, if the database is a file.
    pub(crate) free_bytes: Option<u64>,
}

/// Takes a sample. `database_folder` is the folder of a database file. A value that the operating system does not
/// report is `None`.
pub(crate) fn sample(database_folder: Option<&Path>) -> Resources {
    let free_bytes = database_folder.and_then(|folder| fs4::available_space(folder).ok());
    Resources { free_bytes, ..sample_process() }
}

#[cfg(target_os = "linux")]
fn sample_process() -> Resources {
    use procfs::WithCurrentSystemInfo;
    use procfs::process::Process;

    let Ok(process) = Process::myself() else { return Resources::default() };
    let stat = process.stat().ok();
    let ticks = procfs::ticks_per_second();
    #[expect(clippy::cast_precision_loss, reason = "a count of ticks is far below 2^52")]
    let seconds = |stat: &procfs::process::Stat| (stat.utime + stat.stime) as f64 / ticks as f64;
    Resources {
        cpu_seconds: stat.as_ref().map(seconds),
        resident_bytes: stat.map(|stat| stat.rss_bytes().get()),
        open_files: process.fd_count().ok().and_then(|count| u64::try_from(count).ok()),
        max_files: max_files(),
        free_bytes: None,
    }
}

/// The maximum number of open files and connections. `None` also if there is no maximum.
#[cfg(target_os = "linux")]
pub(crate) fn max_files() -> Option<u64> {
    use procfs::process::{LimitValue, Process};

    match Process::myself().ok()?.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(count) => Some(count),
        LimitValue::Unlimited => None,
    }
}

/// The address space that the process may use, in bytes. `None` also if it is not limited.
#[cfg(target_os = "linux")]
pub(crate) fn address_space() -> Option<u64> {
    use procfs::process::{LimitValue, Process};

    match Process::myself().ok()?.limits().ok()?.max_address_space.soft_limit {
        LimitValue::Value(bytes) => Some(bytes),
        LimitValue::Unlimited => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn sample_process() -> Resources {
    Resources::default()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn max_files() -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn address_space() -> Option<u64> {
    None
}
