//! `zoop user`: the people of a business.

use anyhow::Result;
use serde_json::json;

use crate::arguments::User;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};

/// Runs the command.
pub(crate) fn run(config: &Config, command: User, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        User::Create { of, name, email, role } => {
            let user = json!({ "name": name, "email": email, "role": role });
            let answer = operator.run(&About::Tenant(of.tenant), "users.create", &user)?;
            output.answer(&answer, || {
                format!("added {name} as {role}: {}", output::cell(&answer["user_id"]))
            })?;
        }
        User::List { of } => {
            let answer = operator.run(&About::Tenant(of.tenant), "users.list", &json!({}))?;
            let columns = [("ID", "id"), ("NAME", "name"), ("EMAIL", "email"), ("ROLE", "role")];
            output.answer(&answer, || output::rows(&answer, &columns))?;
        }
        User::SetRole { user_id, role, of } => {
            let change = json!({ "id": user_id, "role": role });
            let answer = operator.run(&About::Tenant(of.tenant), "users.set_role", &change)?;
            output.answer(&answer, || format!("{user_id} has the role {role} now"))?;
        }
        User::Remove { user_id, of } => {
            let which = json!({ "id": user_id });
            let answer = operator.run(&About::Tenant(of.tenant), "users.remove", &which)?;
            output.answer(&answer, || format!("removed {user_id}; their keys have stopped"))?;
        }
    }
    Ok(())
}
