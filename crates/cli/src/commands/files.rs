//! `zoop files`: makes the file store belong to this database, or no longer.

use anyhow::{Context, Result};
use serde_json::json;
use zoop_crm::database_identity;
use zoop_server::Owner;

use crate::arguments::{Confirmation, Files};
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::file_store;
use crate::operator::Operator;
use crate::output::Output;
use crate::url::without_password;

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Files, output: &mut Output<'_>) -> Result<()> {
    match command {
        Files::Adopt(confirmation) => adopt(config, confirmation, output),
        Files::Release => release(config, output),
    }
}

fn adopt(config: &Config, confirmation: &Confirmation, output: &mut Output<'_>) -> Result<()> {
    let store = config.files()?.context(
        "there is no store for files: set files.url to file:///folder or s3://bucket/prefix first",
    )?;
    let operator = Operator::open(config, Missing::Refuse)?;
    let database = operator.read(database_identity::get)?;
    let failed = || format!("files on notes cannot be stored in {store}");
    let owner = file_store::wait(store.owner(&database)).with_context(failed)?;
    if owner == Owner::AnotherDatabase {
        let question = format!(
            "{store} belongs to another database, or this one was moved. Delete there from now on what this one does not \
             name? If another database or backup is still needed, its files will be lost."
        );
        confirm(confirmation, &question)?;
    }
    file_store::wait(store.adopt(&database)).with_context(failed)?;
    let shown = without_password(&config.database);
    let answer = json!({ "adopted": true, "store": store.to_string(), "database": shown });
    output.answer(&answer, || {
        format!("{store} belongs to {shown} from now on: content that it does not name is deleted there after a day")
    })?;
    Ok(())
}

fn release(config: &Config, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let entropy = operator.environment.entropy.clone();
    operator.write(move |tx| database_identity::renew(tx, &entropy))?;
    let shown = without_password(&config.database);
    output.answer(&json!({ "released": true, "database": shown }), || {
        format!("{shown} deletes nothing in a store that a database has used before, until `zoop files adopt`")
    })?;
    Ok(())
}
