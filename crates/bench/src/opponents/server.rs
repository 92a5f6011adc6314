//! Servers as separate processes: starting, stopping and preparing them.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process};

use crate::load::Target;

/// The time limit for a server to start listening, and to stop.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The setting for how many writes share a transaction.
const WRITE_BATCH: &str = "ZOOP_STORAGE_WRITE_BATCH";

/// A running server. Dropping it stops the server.
pub(crate) struct Server {
    child: Child,
    pub(crate) process: Process,
    pub(crate) target: Target,
    /// The time from the start of the process until it accepted a connection.
    pub(crate) started_in: Duration,
}

/// How to run zoop.
#[derive(Debug, Clone)]
pub(crate) struct Zoop {
    pub(crate) binary: PathBuf,
}

/// How many writes share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// As many as are waiting, as in the product.
    Grouped,
    /// One.
    Single,
}

impl Zoop {
    /// Checks that the binary supports one transaction per write. A binary that ignored the variable would group writes
    /// in both of the compared measurements.
    pub(crate) fn check(&self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--print-config"]).env(WRITE_BATCH, "1");
        let settings = String::from_utf8(command.output()?.stdout)?;
        ensure!(has_single_batch(&settings), "the binary does not know {WRITE_BATCH}");
        Ok(())
    }

    /// Creates a key of a business, revokes it and returns its secret.
    pub(crate) fn revoked_key(&self, database: &Path, tenant: &str) -> Result<String> {
        let create = ["key", "create", "--tenant", tenant, "--scope", "read:customers"];
        let made = self.command(database, &create, "")?;
        let text = |field: &str| {
            let found = made[field].as_str().map(str::to_owned);
            found.with_context(|| format!("the answer of `key create` has no field {field}"))
        };
        self.command(database, &["key", "revoke", &text("key_id")?], "")?;
        text("key")
    }

    /// Copies a database file to an empty database, with progress; returns the number of rows.
    pub(crate) fn copy(&self, from: &Path, to: &str) -> Result<u64> {
        let from = format!("sqlite://{}", from.display());
        let mut command = Command::new(&self.binary);
        command.args(["copy", "--json", "--from", &from, "--to", to]);
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "zoop copy failed");
        let copied: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let tables =
            copied["tables"].as_array().context("the answer of `copy` has no list of tables")?;
        Ok(tables.iter().filter_map(|table| table["rows"].as_u64()).sum())
    }

    /// Runs a command of zoop to its end, with this text on standard input; returns its output.
    pub(crate) fn command(
        &self,
        database: &Path,
        arguments: &[&str],
        input: &str,
    ) -> Result<serde_json::Value> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--json");
        command.env("ZOOP_DATABASE", format!("sqlite://{}", database.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Starts the server on a database file, without rate limits.
    pub(crate) fn start(&self, database: &Path, token: &str, commits: Commits) -> Result<Server> {
        self.start_on(&format!("sqlite://{}", database.display()), token, commits)
    }

    /// Like [`Self::start`], on any database.
    pub(crate) fn start_on(&self, url: &str, token: &str, commits: Commits) -> Result<Server> {
        let port = free_port()?;
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--ops-listen", "none", "--listen"]);
        command.arg(format!("127.0.0.1:{port}"));
        command.env("ZOOP_DATABASE", url);
        for limit in ["CREDENTIAL", "TENANT", "NOTE_WRITES"] {
            command.env(format!("ZOOP_LIMITS_{limit}"), "0");
        }
        command.env("ZOOP_LOG_LEVEL", "warn");
        // The browsers of a benchmark are in many networks.
        command.env("ZOOP_SERVER_TRUSTED_PROXIES", "127.0.0.1/32");
        if commits == Commits::Single {
            command.env(WRITE_BATCH, "1");
        }
        // This folder has no zoop.toml.
        command.current_dir(crate::folder()?);
        Server::start(command, port, "/api/mcp", token)
    }
}

impl Server {
    /// Starts a program that will listen on a port, and waits until it does.
    pub(crate) fn start(
        mut command: Command,
        port: u16,
        path: &'static str,
        token: &str,
    ) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Instant::now();
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().with_context(|| {
                format!("{} cannot be started", command.get_program().display())
            })?;
        let process = Process::new(i32::try_from(child.id())?)?;
        let target = Target { address, path, token: token.to_owned() };
        let mut server = Self { child, process, target, started_in: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended: {status}", command.get_program().display());
            }
            if started.elapsed() > TIMEOUT {
                bail!("{} does not listen", command.get_program().display());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        server.started_in = started.elapsed();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server is asked to stop first, because a killed server leaves its database's log behind.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok()) {
            let until = Instant::now() + TIMEOUT;
            while Instant::now() < until {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether printed settings put each write into a transaction of its own.
fn has_single_batch(settings: &str) -> bool {
    settings.lines().any(|line| line.trim() == "write_batch = 1")
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_whose_size_begins_with_one_is_not_a_single_batch() {
        assert!(has_single_batch("[storage]\nwrite_batch = 1\nreaders = 4\n"));
        assert!(!has_single_batch("[storage]\nwrite_batch = 128\nreaders = 4\n"));
    }
}
