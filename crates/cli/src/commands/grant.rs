//! `zoop grant`: the clients that users of a business have connected.

use anyhow::Result;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::identity::oauth::tools::{ListGrants, RevokeGrant};

use crate::arguments::Grant;
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator};
use crate::output::{self, Output};
use crate::table::Column;

/// The table's columns.
const COLUMNS: &[Column] = &[
    Column::text("PROGRAM", "client_name"),
    Column::text("OF", "user_name"),
    Column::text("SCOPES", "scopes"),
    Column::time("SINCE", "created_at"),
    Column::time("LAST USED", "last_used_at"),
    Column::id("ID", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: Grant, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        Grant::List { of } => {
            let about = About::Tenant(of.tenant);
            let grants = operator.all::<ListGrants>(&about)?;
            let rows = json!({ "rows": grants });
            output.answer(&rows, || output::render_table(grants.iter().rev(), COLUMNS))?;
        }
        Grant::Revoke { program, of, confirmation } => {
            let grant = operator.find(&About::Tenant(of.tenant.clone()), Kind::Grant, &program)?;
            confirm(
                &confirmation,
                &format!("Disconnect {}? To use it again, you must connect it again.", grant.shown),
            )?;
            let about = About::from_record_id(of.tenant);
            let answer = operator.command(&about, arguments!(RevokeGrant { id: &grant.id }))?;
            output.answer(&answer, || {
                format!("disconnected {}: it has stopped working", grant.shown)
            })?;
        }
    }
    Ok(())
}
