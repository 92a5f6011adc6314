//! `zoop serve`: runs the server.

use anyhow::Result;
use zoop_db::Migrate;

use crate::arguments::Serve;
use crate::config::{Config, LogFormat};
use crate::database::{self, Missing};
use crate::hosting::{self, Listeners};
use crate::operator::Operator;
use crate::output::{self, Output};
use crate::url::without_password;
use crate::{logging, operator};

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Serve, output: &mut Output<'_>) -> Result<()> {
    if command.print_config {
        let shown = config.with_secrets_hidden();
        let toml = toml::to_string(&shown)?;
        output::note(&format!("settings from {}", config.source()));
        output.answer(&shown, || toml)?;
        return Ok(());
    }
    let _log = logging::start(&config.log, "info")?;
    let listeners = Listeners::bind(config)?;
    // With --no-migrate the schema is managed elsewhere, so this command must not create a database either.
    let (missing, migrate) = if command.no_migrate {
        (Missing::Refuse, Migrate::Refuse)
    } else {
        (Missing::Create, Migrate::Run)
    };
    let operator = Operator::with_database(
        database::open(&config.database, &config.options(), missing, migrate)?,
        config,
    )?;
    if operator.businesses()?.is_empty() {
        tracing::warn!("the database contains no business: `zoop tenant create` creates one");
    }
    let environment = operator::environment(config)?;
    let (address, operations) = (listeners.address()?, listeners.operations_address());
    let endpoint = format!("{}/api/mcp", listeners.public_url);
    hosting::run(config, operator.db(), environment, listeners, || {
        let database = without_password(&config.database);
        match logging::format(&config.log) {
            LogFormat::Text => {
                let metrics = operations.map(|at| format!(", metrics on {at}")).unwrap_or_default();
                output::note(&format!(
                    "zoop is ready: {endpoint} (listening on {address}{metrics}, {database})"
                ));
            }
            LogFormat::Json => {
                let operations = operations.map(|address| address.to_string());
                tracing::info!(endpoint, %address, operations, database, "ready");
            }
        }
        Ok(())
    })
}
