//! `zoop key`: API keys. A key itself is printed when it is made, and never again.

use anyhow::Result;
use serde_json::{Value, json};

use crate::arguments::Key;
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator, seconds};
use crate::output::{self, Output};
use crate::table::Column;

/// What the table of keys shows; nothing of it is secret.
const COLUMNS: &[Column] = &[
    Column::text("NAME", "name"),
    Column::text("FOR", "for"),
    Column::word("BEGINS", "hint"),
    Column::text("SCOPES", "scopes"),
    Column::word("LIMIT", "shown_limit"),
    Column::time("LAST USED", "last_used_at"),
    Column::time("EXPIRES", "expires_at"),
    Column::time("REVOKED", "revoked_at"),
    Column::id("ID", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: Key, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        Key::Create { of, user, scope, name, expires, limit } => {
            let about = About::Tenant(of.tenant);
            let user = match user {
                Some(user) => Some(operator.named(&about, Kind::User, &user)?.id),
                None => None,
            };
            let key = json!({
                "user": user,
                "scopes": scope.join(" "),
                "name": name,
                "expires_in": seconds(expires),
                "limit": limit,
            });
            let answer = operator.run(&about, "keys.create", &key)?;
            output.answer(&answer, || shown_once(&answer))?;
        }
        Key::List { of } => {
            let about = About::Tenant(of.tenant);
            let answer = operator.run(&about, "keys.list", &json!({}))?;
            let people = operator.run(&about, "users.list", &json!({}))?;
            output.answer(&answer, || output::listed(&for_people(&answer, &people), COLUMNS))?;
        }
        Key::Revoke { key, of, confirmation } => {
            let key = operator.named(&About::Tenant(of.tenant.clone()), Kind::Key, &key)?;
            confirm(&confirmation, &format!("Revoke the key {} for good?", key.shown))?;
            let which = json!({ "id": key.id });
            let answer = operator.run(&About::whose_id_tells(of.tenant), "keys.revoke", &which)?;
            output.answer(&answer, || format!("revoked {}: it has stopped working", key.shown))?;
        }
        Key::Rotate { key, of, overlap, confirmation } => {
            let key = operator.named(&About::Tenant(of.tenant.clone()), Kind::Key, &key)?;
            if overlap.is_none() {
                let question = format!("Replace the key {}? The old one stops at once.", key.shown);
                confirm(&confirmation, &question)?;
            }
            let which = json!({ "id": key.id, "overlap": seconds(overlap) });
            let answer = operator.run(&About::whose_id_tells(of.tenant), "keys.rotate", &which)?;
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

/// The list as people read it: the newest first, revoked ones last, with the person's name and the limit.
fn for_people(answer: &Value, people: &Value) -> Value {
    let mut list = output::newest_first(answer);
    let name = |id: &Value| {
        let mut rows = people["rows"].as_array().into_iter().flatten();
        rows.find(|row| row["id"] == *id)
            .map_or("a former member", |row| row["name"].as_str().unwrap_or_default())
    };
    let rows = list["rows"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let mut rows: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            row["for"] = match &row["user_id"] {
                Value::Null => json!("the business"),
                id => json!(name(id)),
            };
            row["shown_limit"] = match &row["limit"] {
                Value::Null => json!("default"),
                limit if *limit == 0 => json!("none"),
                limit => limit.clone(),
            };
            row
        })
        .collect();
    rows.sort_by_key(|row| !row["revoked_at"].is_null());
    json!({ "rows": rows })
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
