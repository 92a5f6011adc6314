//! `zoop migrate`: brings the database's schema up to date; creates a missing database.

use anyhow::Result;
use serde_json::json;
use zoop_db::Migrate;

use crate::config::Config;
use crate::database::{self, Missing};
use crate::output::Output;
use crate::url::without_password;

/// Runs the command.
pub(crate) fn run(config: &Config, output: &mut Output<'_>) -> Result<()> {
    database::open(&config.database, &config.sequential_options(), Missing::Create, Migrate::Run)?;
    let database = without_password(&config.database);
    let answer = json!({ "migrated": true, "database": database });
    output.answer(&answer, || format!("the schema of {database} is up to date"))?;
    Ok(())
}
