//! A description of the machine.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use anyhow::Result;
use procfs::Current;

use crate::results::median;

/// The number of disk syncs whose median is reported.
const SYNCS: usize = 50;

/// One line for each relevant property.
pub(super) fn describe() -> Result<Vec<String>> {
    let processors = procfs::CpuInfo::current()?;
    let name = processors.model_name(0).unwrap_or("unknown").to_owned();
    let memory = procfs::Meminfo::current()?.mem_total >> 30;
    let kernel = procfs::sys::kernel::Version::current()?;
    let sync = disk_sync()?;
    Ok(vec![
        format!("{} cores of {name}", processors.num_cores()),
        format!("{memory} GiB of memory"),
        format!("Linux {}.{}", kernel.major, kernel.minor),
        format!("a disk that takes {sync:.0} µs to make 4 KiB durable (median)"),
    ])
}

/// The disk's median time to make a page durable, in microseconds.
fn disk_sync() -> Result<f64> {
    let path = crate::folder()?.join("sync.probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4_096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(path)?;
    Ok(median(times).unwrap_or_default())
}
