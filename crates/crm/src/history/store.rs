//! The SQL of the history.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use zoop_db::{ReadTx, Row, Uuid, params};

use super::Entry;
use crate::context::{Change, WriteCtx};
use crate::error::{Error, Result};
use crate::id::{Id, kinds};

macro_rules! columns {
    () => {
        "h.id, h.actor_kind, h.user_id, h.credential_id, h.client, h.tool, h.changes"
    };
}

zoop_db::statements! {
    GREATEST = "SELECT id FROM history WHERE tenant_no = $1 ORDER BY id DESC LIMIT 1";
    INSERT = "INSERT INTO history \
              (tenant_no, id, actor_kind, user_id, credential_id, client, tool, changes) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_RECORD = "INSERT INTO history_records (tenant_no, record_id, entry_id) \
                     VALUES ($1, $2, $3)";
    /// A tenant's entries before one, newest first.
    ALL = (concat!("SELECT ", columns!(), " FROM history h \
           WHERE h.tenant_no = $1 AND h.id < $2 ORDER BY h.id DESC LIMIT $3"));
    /// One record's entries before one, newest first.
    OF_RECORD = (concat!("SELECT ", columns!(), " FROM history_records r \
           JOIN history h ON h.tenant_no = r.tenant_no AND h.id = r.entry_id \
           WHERE r.tenant_no = $1 AND r.record_id = $2 AND r.entry_id < $3 \
           ORDER BY r.entry_id DESC LIMIT $4"));
}

/// Adds an entry and the records that it touched.
pub(super) fn insert(ctx: &mut WriteCtx<'_, '_>, tool: &str, changes: &[Change]) -> Result<()> {
    let id = ctx.next_id::<kinds::Entry>(GREATEST)?;
    let changes_json = serde_json::to_string(changes)?;
    let access = ctx.access;
    ctx.tx.execute(
        INSERT,
        params![
            id,
            access.actor.kind(),
            access.actor.user(),
            access.credential.uuid(),
            access.client,
            tool,
            changes_json
        ],
    )?;
    for record in changes.iter().map(|change| change.record_id).collect::<BTreeSet<_>>() {
        ctx.tx.execute(INSERT_RECORD, params![record, id])?;
    }
    Ok(())
}

/// Up to `count` entries before `before`, newest first, of one record or of all.
pub(super) fn list(
    tx: &mut ReadTx<'_>,
    record: Option<Uuid>,
    before: Uuid,
    count: usize,
) -> Result<Vec<Entry>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match record {
        Some(record) => tx.all(OF_RECORD, params![record, before, count], entry),
        None => tx.all(ALL, params![before, count], entry),
    }
}

fn entry(row: &mut Row<'_>) -> Result<Entry> {
    let id: Id<kinds::Entry> = row.take()?;
    Ok(Entry {
        id,
        at: id.created_at(),
        actor_kind: row.take()?,
        user_id: row.take()?,
        credential_id: row.take::<Option<Uuid>>()?.filter(|id| !id.is_nil()).map(Id::new),
        client: row.take()?,
        tool: row.take()?,
        changes: RawValue::from_string(row.take()?).map_err(Error::internal)?,
    })
}
