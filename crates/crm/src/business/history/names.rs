//! The names of those who made the entries of the history.

use std::collections::{BTreeSet, HashMap};

use zoop_db::{ReadTx, Sql, Uuid, params, text};

use crate::call::error::{Error, Result};
use crate::call::history::HistoryEntry;
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::values::id::Id;

/// People are called as in this account, also those who have left it.
const PEOPLE_WANTED: &str = "SELECT u.id, coalesce(m.name, u.name) FROM wanted CROSS JOIN users u \
    LEFT JOIN memberships m ON m.tenant_no = $1 AND m.user_id = u.id WHERE u.id = wanted_id";
const KEYS_WANTED: &str = "SELECT k.id, k.name FROM wanted CROSS JOIN api_keys k \
    WHERE k.tenant_no = $1 AND k.id = wanted_id";

zoop_db::statements! {
    PEOPLE = {
        sqlite: text!(WANTED_SQLITE, PEOPLE_WANTED), postgres: text!(WANTED_POSTGRES, PEOPLE_WANTED),
    };
    KEYS = {
        sqlite: text!(WANTED_SQLITE, KEYS_WANTED), postgres: text!(WANTED_POSTGRES, KEYS_WANTED),
    };
}

/// Adds the names of the people and keys to entries.
pub(super) fn add(tx: &mut ReadTx<'_>, entries: &mut [HistoryEntry]) -> Result<()> {
    let people = read(tx, PEOPLE, entries.iter().filter_map(|entry| entry.user_id).map(Id::uuid))?;
    let credentials = entries.iter().filter_map(|entry| entry.credential_id).map(Id::uuid);
    let keys = read(tx, KEYS, credentials)?;
    for entry in entries {
        entry.user_name = entry.user_id.and_then(|id| people.get(&id.uuid()).cloned());
        entry.key_name = entry.credential_id.and_then(|id| keys.get(&id.uuid()).cloned());
    }
    Ok(())
}

/// Who made an entry whose names were added.
pub(super) fn who(entry: &HistoryEntry) -> String {
    let name = match (&entry.user_name, &entry.key_name) {
        (Some(user), _) => user.clone(),
        (None, Some(key)) => format!("the API key {key}"),
        (None, None) => format!("the {}", entry.actor_kind),
    };
    match &entry.client {
        Some(client) => format!("{name} with {client}"),
        None => name,
    }
}

fn read(
    tx: &mut ReadTx<'_>,
    statement: Sql,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, String>> {
    let ids: BTreeSet<_> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let names =
        tx.all::<_, Error>(statement, params![id_list(ids)], |row| Ok((row.take()?, row.take()?)))?;
    Ok(names.into_iter().collect())
}
