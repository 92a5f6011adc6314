//! `zoop tenant`: the businesses of the installation.

use anyhow::Result;
use serde_json::json;

use crate::arguments::Tenant;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Tenant, output: &mut Output<'_>) -> Result<()> {
    match command {
        Tenant::Create { name, owner_name, owner_email, country } => {
            let operator = Operator::open(config, Missing::Create)?;
            let tenant = json!({
                "name": name,
                "owner_name": owner_name,
                "owner_email": owner_email,
                "country": country,
            });
            let answer = operator.run(&About::Installation, "tenants.create", &tenant)?;
            output.answer(&answer, || {
                let (id, owner) = (output::cell(&answer["tenant_id"]), &answer["owner_id"]);
                format!(
                    "created the business {id}, its owner is {}\nnext: zoop user set-password {0}, \
                     with which the owner signs in at the server's address, or\nzoop key create \
                     --tenant {id} --user {0} --scope \
                     read:customers,write:customers,read:notes,write:notes",
                    output::cell(owner)
                )
            })?;
        }
        Tenant::List => {
            let operator = Operator::open(config, Missing::Refuse)?;
            let answer = operator.run(&About::Installation, "tenants.list", &json!({}))?;
            let columns =
                [("ID", "id"), ("NAME", "name"), ("COUNTRY", "country"), ("CREATED", "created_at")];
            output.answer(&answer, || output::rows(&answer, &columns))?;
        }
    }
    Ok(())
}
