//! Log lines on stderr, as text or JSON.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts logging; `level` is what is logged unless the settings say otherwise.
pub(crate) fn start(log: &LogConfig, level: &str) -> Result<()> {
    let level = log.level.as_deref().unwrap_or(level);
    let filter = EnvFilter::builder()
        .parse(level)
        .with_context(|| format!("log.level {level:?} is no level: write info or warn, say"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format(log) {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
    }
    Ok(())
}

/// How log lines are written.
pub(crate) fn format(log: &LogConfig) -> LogFormat {
    let fitting = if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    log.format.unwrap_or(fitting)
}
