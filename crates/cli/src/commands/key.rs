//! `zoop key`: API keys. A key itself is printed only when it is created.

use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::identity::keys::KeyRecord;
use zoop_crm::identity::keys::tools::{CreateKey, CreatedKey, ListKeys, RevokeKey, RotateKey};
use zoop_crm::identity::users::tools::{ListUsers, ListedUser};

use crate::arguments::Key;
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator, seconds};
use crate::output::{self, Output};
use crate::table::Column;

/// The table's columns; none of them is secret.
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
                Some(user) => Some(operator.find(&about, Kind::User, &user)?.id),
                None => None,
            };
            let key = arguments!(CreateKey {
                user: user,
                scopes: scope.join(" "),
                name: name,
                expires_in: seconds(expires),
                limit: limit,
            });
            let answer = operator.command(&about, key)?;
            output.answer(&answer, || new_key_text(&answer))?;
        }
        Key::List { of } => {
            let about = About::Tenant(of.tenant);
            let keys = operator.all::<ListKeys>(&about)?;
            let people = operator.all::<ListUsers>(&about)?;
            let rows = json!({ "rows": keys });
            output.answer(&rows, || output::render_table(&table_rows(&keys, &people), COLUMNS))?;
        }
        Key::Revoke { key, of, confirmation } => {
            let key = operator.find(&About::Tenant(of.tenant.clone()), Kind::Key, &key)?;
            confirm(&confirmation, &format!("Revoke the key {} for good?", key.shown))?;
            let which = arguments!(RevokeKey { id: &key.id });
            let answer = operator.command(&About::from_record_id(of.tenant), which)?;
            output.answer(&answer, || format!("revoked {}: it has stopped working", key.shown))?;
        }
        Key::Rotate { key, of, overlap, confirmation } => {
            let key = operator.find(&About::Tenant(of.tenant.clone()), Kind::Key, &key)?;
            if overlap.is_none() {
                let question = format!("Replace the key {}? The old one stops at once.", key.shown);
                confirm(&confirmation, &question)?;
            }
            let which = arguments!(RotateKey { id: &key.id, overlap: seconds(overlap) });
            let answer = operator.command(&About::from_record_id(of.tenant), which)?;
            output.answer(&answer, || {
                let old = match overlap {
                    Some(time) => {
                        format!("the old key still works for {}", humantime::format_duration(time))
                    }
                    None => "the old key has stopped working".to_owned(),
                };
                format!("{}\n{old}", new_key_text(&answer))
            })?;
        }
    }
    Ok(())
}

/// A key, as shown to people.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    key: &'a KeyRecord,
    r#for: &'a str,
    shown_limit: String,
}

/// The keys as shown to people, with the user's name and the limit: newest first, revoked keys last.
fn table_rows<'a>(keys: &'a [KeyRecord], people: &'a [ListedUser]) -> Vec<Row<'a>> {
    let name = |id| {
        let found = people.iter().find(|user| user.member.id == id);
        found.map_or("a former member", |user| user.member.name.as_str())
    };
    let shown = |key: &'a KeyRecord| Row {
        key,
        r#for: key.user_id.map_or("the business", name),
        shown_limit: match key.limit {
            None => "default".to_owned(),
            Some(0) => "none".to_owned(),
            Some(limit) => limit.to_string(),
        },
    };
    let mut rows: Vec<_> = keys.iter().rev().map(shown).collect();
    rows.sort_by_key(|row| row.key.revoked_at.is_some());
    rows
}

/// The text that shows a new key.
fn new_key_text(created: &CreatedKey) -> String {
    format!(
        "{}\nThis is the key {} (for the {}). Keep it: it is not shown again.",
        created.key,
        created.key_id,
        created.actor_kind.word()
    )
}
