//! `zoop doctor`: checks the installation, and says what to do about each problem.

mod files;
mod server;
mod services;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use serde_json::json;
use zoop_crm::maintenance::{self, Ahead};
use zoop_crm::values::clock::{Clock, SystemClock, parse_rfc3339, rfc3339};
use zoop_db::Migrate;

use crate::config::Config;
use crate::database::{self, Missing, with_suffix};
use crate::operator::Operator;
use crate::output::Output;
use crate::server_address::{Address, Source};
use crate::url::without_password;

/// The minimum free space on the disk; with less, the check fails.
const MIN_FREE_MIB: u64 = 256;
/// A clock that shows an earlier time than this was never set.
const EARLIEST: &str = "2026-01-01T00:00:00.000Z";

/// The result of one check.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Whether the check found something that works but should be changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    warning: bool,
    detail: String,
}

impl Check {
    fn new(name: &'static str, outcome: Result<String>) -> Self {
        match outcome {
            Ok(detail) => Self { name, ok: true, warning: false, detail },
            Err(error) => Self { name, ok: false, warning: false, detail: format!("{error:#}") },
        }
    }

    /// A check whose failure is only a warning.
    fn advice(name: &'static str, outcome: Result<String>) -> Self {
        let Self { name, ok, detail, .. } = Self::new(name, outcome);
        Self { name, ok: true, warning: !ok, detail }
    }
}

/// Runs the command, with the settings or the errors in them. Returns true if no check failed.
pub(crate) fn run(settings: Result<Config>, output: &mut Output<'_>) -> Result<bool> {
    let mut checks = Vec::new();
    match settings {
        Ok(config) => {
            checks.push(Check::new("settings", describe(&config)));
            examine(&config, &mut checks);
        }
        Err(error) => checks.push(Check::new("settings", Err(error))),
    }
    let ok = checks.iter().all(|check| check.ok);
    output.answer(&json!({ "ok": ok, "checks": checks }), || text(&checks))?;
    Ok(ok)
}

fn text(checks: &[Check]) -> String {
    let line = |check: &Check| {
        let mark = match (check.ok, check.warning) {
            (true, false) => '✓',
            (true, true) => '!',
            (false, _) => '✗',
        };
        format!("{mark} {}: {}", check.name, check.detail)
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Runs all checks that the settings allow.
fn examine(config: &Config, checks: &mut Vec<Check>) {
    services::examine(config, checks);
    if let Ok(path) = database::file(&config.database) {
        checks.push(Check::new("folder", writable(&path)));
        checks.push(Check::new("disk", free_space(&path)));
    }
    let store = files::store(config);
    let is_usable = store.ok;
    checks.push(store);
    let opened =
        database::open(&config.database, &config.options(), Missing::Refuse, Migrate::Refuse)
            .and_then(|database| Operator::with_database(database, config));
    match opened {
        Ok(operator) => {
            let opened = format!("{} opens, and its schema is current", shown(config));
            checks.push(Check::new("database", Ok(opened)));
            checks.push(Check::advice("address", address(config, &operator)));
            let businesses = operator.businesses();
            checks.push(Check::new("clock", clock()));
            checks.push(Check::advice("future", future(&operator)));
            checks.extend(server::examine(&operator.database.db));
            checks.push(Check::new(
                "reading",
                businesses.map(|businesses| format!("{} business(es)", businesses.len())),
            ));
            if is_usable {
                checks.extend(files::compare(config, &operator));
            }
            checks.push(Check::new("structure", operator.check_structure()));
        }
        Err(error) => {
            checks.push(Check::new("database", Err(error)));
            checks.push(Check::new("clock", clock()));
        }
    }
}

fn shown(config: &Config) -> String {
    without_password(&config.database)
}

/// Where the settings come from, and whether a server would start with them.
fn describe(config: &Config) -> Result<String> {
    let url = config.public_url(None)?;
    Ok(format!("{}; a server with these settings is at {url}/api/mcp", config.source()))
}

/// The address at which clients reach this database's server.
fn address(config: &Config, operator: &Operator) -> Result<String> {
    let address = Address::of(config, operator)?;
    let clock = &*operator.environment.clock;
    match (address.warning(clock), &address.source) {
        (Some(warning), _) => bail!(warning),
        (None, Source::Running(server)) => Ok(format!(
            "clients use {}/api/mcp, the address of the server that started at {}",
            address.url,
            rfc3339(server.started_at)
        )),
        (None, _) => Ok(format!("clients use {}/api/mcp, according to the settings", address.url)),
    }
}

/// Whether the database's folder is writable, as it must be: SQLite creates files in it.
fn writable(database: &Path) -> Result<String> {
    let folder = database::folder(database);
    let probe = with_suffix(database, &format!("-doctor-{}", std::process::id()));
    match fs::write(&probe, b"zoop").and_then(|()| fs::remove_file(&probe)) {
        Ok(()) => Ok(format!("{} is writable", folder.display())),
        Err(error) => bail!("{} is not writable: {error}", folder.display()),
    }
}

fn free_space(database: &Path) -> Result<String> {
    let free = fs4::available_space(database::folder(database))? / (1024 * 1024);
    ensure!(free >= MIN_FREE_MIB, "only {free} MiB are free: free up at least {MIN_FREE_MIB} MiB");
    Ok(format!("{free} MiB are free"))
}

/// Whether the clock is plausible.
fn clock() -> Result<String> {
    let now = SystemClock.now();
    let shown = rfc3339(now);
    ensure!(
        Some(now) >= parse_rfc3339(EARLIEST),
        "the clock shows {shown}: set it to the correct time"
    );
    Ok(shown)
}

/// Whether a clock was wrong when records were created, or is wrong now.
fn future(operator: &Operator) -> Result<String> {
    let now = SystemClock.now();
    match operator.read(move |tx| maintenance::ahead(tx, now))? {
        None => Ok("no record is dated in the future".to_owned()),
        Some(Ahead { tenants, latest }) => bail!(
            "{tenants} business(es) have records dated in the future, the latest {}: if this machine's clock \
             is behind, set it; if a clock was ahead, those records keep their time, and new ones get the \
             correct time",
            rfc3339(latest.0)
        ),
    }
}
