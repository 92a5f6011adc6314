//! `zoop key`: API keys. A key itself is printed when it is made, and never again.

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::Key;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator, seconds};
use crate::output::{self, Output};

/// What the table of keys shows; nothing of it is secret.
const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("FOR", "actor_kind"),
    ("BEGINS", "hint"),
    ("SCOPES", "scopes"),
    ("LAST USED", "last_used_at"),
    ("EXPIRES", "expires_at"),
    ("REVOKED", "revoked_at"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: Key, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    // A key's id alone says whose it is.
    let anyone = About::Installation;
    match command {
        Key::Create { of, user, scope, name, expires, limit } => {
            let key = json!({
                "user": user,
                "scopes": scope.join(" "),
                "name": name,
                "expires_in": seconds(expires),
                "limit": limit,
            });
            let answer = operator.run(&About::Tenant(of.tenant), "keys.create", &key)?;
            output.answer(&answer, || shown_once(&answer))?;
        }
        Key::List { of } => {
            let answer = operator.run(&About::Tenant(of.tenant), "keys.list", &json!({}))?;
            output.answer(&answer, || output::rows(&answer, COLUMNS))?;
        }
        Key::Revoke { key_id } => {
            let answer = operator.run(&anyone, "keys.revoke", &json!({ "id": key_id }))?;
            output.answer(&answer, || format!("revoked {key_id}: it has stopped working"))?;
        }
        Key::Rotate { key_id, overlap } => {
            let which = json!({ "id": key_id, "overlap": seconds(overlap) });
            let answer = operator.run(&anyone, "keys.rotate", &which)?;
            output.answer(&answer, || {
                let old = match overlap {
                    Some(time) => {
                        format!("the old key still works for {}", humantime::format_duration(time))
                    }
                    None => "the old key has stopped working".to_owned(),
                };
                format!("{}\n{old}", shown_once(&answer))
            })?;
        }
    }
    Ok(())
}

/// A new key for people.
fn shown_once(answer: &Value) -> String {
    let text = |key: &str| output::cell(&answer[key]);
    // The key is longer than a cell may be, and must not be cut.
    let key = answer["key"].as_str().unwrap_or_default();
    format!(
        "{key}\nThis is the key {} (for the {}). Keep it: it is not shown again.",
        text("key_id"),
        text("actor_kind")
    )
}
