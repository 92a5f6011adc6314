//! Log lines on stderr, as text or JSON.
//!
//! A separate thread writes them, so that no request waits for the reader of the log. If the reader does not
//! keep up, lines are lost and requests continue.
//!
//! Records of the `log` crate are never written, because the library that parses phone numbers logs the numbers.
//! Therefore nothing here may call tracing-subscriber's `init`, which forwards such records.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing::subscriber::set_global_default;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFilter, LogFormat};

/// The running log. Dropping it writes the remaining lines.
#[must_use]
pub(crate) struct Log {
    _writer: WorkerGuard,
}

/// Starts logging; `level` is the default level.
pub(crate) fn start(log: &LogConfig, level: &str) -> Result<Log> {
    let filter = log.level.as_ref().map_or_else(|| EnvFilter::new(level), LogFilter::filter);
    // The thread flushes when its queue is empty, so that under load many lines share a write.
    let (stderr, writer) = tracing_appender::non_blocking(io::BufWriter::new(io::stderr()));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format(log) {
        LogFormat::Json => set_global_default(lines.json().flatten_event(true).finish()),
        LogFormat::Text => set_global_default(lines.with_ansi(io::stderr().is_terminal()).finish()),
    }
    .context("logging is already started")?;
    Ok(Log { _writer: writer })
}

/// How log lines are written.
pub(crate) fn format(log: &LogConfig) -> LogFormat {
    let default = if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    log.format.unwrap_or(default)
}
