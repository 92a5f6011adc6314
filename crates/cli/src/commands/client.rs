//! `zoop client`: the OAuth clients of the installation.

use anyhow::Result;
use serde_json::json;
use zoop_crm::identity::oauth::tools::ListClients;

use crate::arguments::Client;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};
use crate::table::Column;

/// The table's columns.
const COLUMNS: &[Column] = &[
    Column::text("NAME", "name"),
    Column::text("KNOWN BY", "kind"),
    Column::text("CONNECTIONS", "grants"),
    Column::time("LAST USED", "last_used_at"),
    Column::id("ID", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Client, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        Client::List => {
            let clients = operator.all::<ListClients>(&About::Installation)?;
            output
                .answer(&json!({ "rows": clients }), || output::render_table(&clients, COLUMNS))?;
        }
    }
    Ok(())
}
