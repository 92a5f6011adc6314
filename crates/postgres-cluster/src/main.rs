//! `zoop-postgres-cluster run -- COMMAND…` runs a command with a temporary PostgreSQL cluster, or with the one
//! that `ZOOP_TEST_POSTGRES` names.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use zoop_postgres_cluster::{Cluster, VARIABLE};

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [run, separator, program, rest @ ..] = arguments.as_slice() else { bail!(USAGE) };
    if run != "run" || separator != "--" {
        bail!(USAGE);
    }
    let mut command = Command::new(program);
    command.args(rest);
    let own = if std::env::var_os(VARIABLE).is_none() { Some(Cluster::start()?) } else { None };
    if let Some(cluster) = &own {
        command.env(VARIABLE, cluster.url());
    }
    let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

const USAGE: &str = "usage: zoop-postgres-cluster run -- COMMAND…";
