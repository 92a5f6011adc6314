//! Puts a load on a server: callers on persistent connections. Each caller sends its next request when it has the
//! answer to the last one (a closed loop), or at fixed intervals. All callers run on one thread, to use as little as
//! possible of a machine on which the server also runs.
//!
//! Every answer is checked: a benchmark that counts errors as answers measures nothing.

mod connection;
mod request;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use procfs::process::Process;
use serde::{Deserialize, Serialize};
use tokio::task::LocalSet;

pub(crate) use connection::Connection;
pub(crate) use request::{Expected, Requests, Target};

/// The longest answer time that is recorded, in nanoseconds. Longer times are recorded as this one.
const MAX_NANOSECONDS: u64 = 60_000_000_000;

/// How long a load lasts, and how fast its callers call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The time before calls are counted.
    pub(crate) warm_up: Duration,
    /// The time in which calls are counted.
    pub(crate) counted: Duration,
    /// The time between the starts of a caller's calls. Zero means that a call starts when the last one is answered.
    pub(crate) interval: Duration,
}

/// The result of a load.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) calls: u64,
    pub(crate) calls_per_second: f64,
    /// Percentiles of the answer times, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The number of cores that this process used, on average.
    pub(crate) driver_cores: f64,
    /// The number of cores that the server used, on average.
    pub(crate) server_cores: f64,
    /// The server's memory under load without mapped files, in bytes.
    pub(crate) server_own_memory: u64,
    /// The same with mapped files.
    pub(crate) server_memory: u64,
}

/// Puts a load of `callers` callers on a server.
pub(crate) fn run(
    target: &Target,
    requests: Requests,
    callers: usize,
    span: Span,
    server: &Process,
) -> Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let requests = Rc::new(requests);
    let driver = Process::myself()?;
    let tasks = LocalSet::new();
    let begin = Instant::now() + span.warm_up;
    let end = begin + span.counted;
    let caller_tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (address, requests) = (target.address, requests.clone());
            let window = Window { begin, end, interval: span.interval };
            tasks.spawn_local(call(address, requests, (caller, callers), window))
        })
        .collect();
    let watch = tasks.spawn_local({
        let server = Process::new(server.pid)?;
        async move {
            tokio::time::sleep_until(begin.into()).await;
            let before = (cpu(&driver)?, cpu(&server)?);
            tokio::time::sleep_until(end.into()).await;
            let after = (cpu(&driver)?, cpu(&server)?);
            anyhow::Ok((after.0 - before.0, after.1 - before.1, memory(&server)?))
        }
    });
    let mut times = Histogram::new_with_max(MAX_NANOSECONDS, 3)?;
    let (driver_cpu, server_cpu, memory) = tasks.block_on(&runtime, async {
        for task in caller_tasks {
            times.add(task.await??)?;
        }
        watch.await?
    })?;
    let seconds = span.counted.as_secs_f64();
    let time = |quantile| to_f64(times.value_at_quantile(quantile)) / 1_000.0;
    Ok(Measured {
        calls: times.len(),
        calls_per_second: to_f64(times.len()) / seconds,
        p50: time(0.5),
        p95: time(0.95),
        p99: time(0.99),
        p999: time(0.999),
        driver_cores: driver_cpu / seconds,
        server_cores: server_cpu / seconds,
        server_own_memory: memory.own,
        server_memory: memory.all,
    })
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^52")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

/// The time in which calls are counted, and the interval between a caller's calls.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
    interval: Duration,
}

/// Runs one caller until the end. Returns the times of its counted calls, in nanoseconds. If a late answer delays the
/// next call, the time of that call counts from when it was due.
async fn call(
    address: SocketAddr,
    requests: Rc<Requests>,
    (caller, callers): (usize, usize),
    Window { begin, end, interval }: Window,
) -> Result<Histogram<u64>> {
    let mut times = Histogram::new_with_max(MAX_NANOSECONDS, 3)?;
    let mut connection = Connection::open(address).await?;
    // Callers use different indexes, so that they do not send the same request at once.
    let mut index = caller;
    let mut due = Instant::now();
    loop {
        let request = requests.get(index);
        index += callers;
        if interval.is_zero() {
            due = Instant::now();
        } else {
            due += interval;
            tokio::time::sleep_until(due.into()).await;
        }
        if due >= end {
            return Ok(times);
        }
        connection.call(&request, requests.expected()).await?;
        if due >= begin {
            let time = u64::try_from(due.elapsed().as_nanos())?;
            times.record(time.clamp(1, MAX_NANOSECONDS))?;
        }
    }
}

/// Makes one call and returns the answer's body.
pub(crate) fn once(address: SocketAddr, request: &[u8]) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(address).await?;
        let body = connection.call(request, Expected::Success).await?;
        String::from_utf8(body.to_vec()).context("the answer is not text")
    })
}

/// The memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Without mapped files.
    pub(crate) own: u64,
    /// With mapped files.
    pub(crate) all: u64,
}

/// A process's current memory.
pub(crate) fn memory(process: &Process) -> Result<Memory> {
    let status = process.status()?;
    let bytes = |kib: Option<u64>| kib.unwrap_or_default() * 1_024;
    Ok(Memory { own: bytes(status.rssanon), all: bytes(status.vmrss) })
}

/// The processor time that a process has used, in seconds.
fn cpu(process: &Process) -> Result<f64> {
    let stat = process.stat()?;
    Ok(to_f64(stat.utime + stat.stime) / to_f64(procfs::ticks_per_second()))
}

#[cfg(test)]
mod tests;
