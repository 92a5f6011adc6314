//! The SQL for clients.

use zoop_db::{ReadTx, Row, Timestamp, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::call::sweep::few;
use crate::identity::oauth::clients::{Client, ClientKind, ConnectedClient};

crate::call::table::table! {
    pub(crate) const OAUTH_CLIENTS = oauth_clients {
        shared: "serve users of every tenant",
        key: { id: Text },
        columns: {
            kind: Text, name: Text, redirect_uris: Text, created_at: Time, stale_at: Time,
            last_used_at: Time, connected_at: Time,
        },
        exported: Internal,
        erased: [OnExpiry],
    }
}

crate::call::table::table! {
    /// The number of registered clients that no user has connected. It may be too high: see [`unconnected`].
    pub(crate) const OAUTH_CLIENT_COUNTS = oauth_client_counts {
        shared: "count clients before any user is known",
        key: { kind: Text },
        columns: { unconnected: Integer },
        exported: Internal,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    GET = "SELECT id, kind, name, redirect_uris, stale_at FROM oauth_clients WHERE id = $1";
    ADD = "INSERT INTO oauth_clients (id, kind, name, redirect_uris, created_at, stale_at, \
           last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $5)";
    /// Adds or updates a metadata document. Several requests may fetch the same document at the same time.
    KEEP = "INSERT INTO oauth_clients (id, kind, name, redirect_uris, created_at, stale_at, \
            last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $5) ON CONFLICT (id) DO UPDATE SET \
            name = excluded.name, redirect_uris = excluded.redirect_uris, \
            stale_at = excluded.stale_at";
    RECORD_USE = "UPDATE oauth_clients SET last_used_at = $2 WHERE id = $1";
    RECORD_CONNECTION = "UPDATE oauth_clients SET last_used_at = $2, \
                         connected_at = coalesce(connected_at, $2) WHERE id = $1";
    UNCONNECTED = "SELECT unconnected FROM oauth_client_counts WHERE kind = 'registered'";
    INCREMENT_UNCONNECTED = "INSERT INTO oauth_client_counts (kind, unconnected) VALUES ('registered', 1) \
                             ON CONFLICT (kind) DO UPDATE SET unconnected = oauth_client_counts.unconnected + 1";
    /// Must read only the index of unconnected clients, so that the number of other clients does not matter.
    RECOUNT = "INSERT INTO oauth_client_counts (kind, unconnected) \
               SELECT 'registered', count(*) FROM oauth_clients \
               WHERE stale_at IS NULL AND connected_at IS NULL AND last_used_at >= $1 \
               ON CONFLICT (kind) DO UPDATE SET unconnected = excluded.unconnected";
    /// Must read the same index as `RECOUNT`. The first row of the index is nearly always the answer.
    OLDEST = "SELECT c.id FROM oauth_clients c WHERE c.stale_at IS NULL \
              AND c.connected_at IS NULL AND c.last_used_at < $1 \
              AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_id = c.id) \
              AND NOT EXISTS (SELECT 1 FROM oauth_requests r WHERE r.client_id = c.id) \
              ORDER BY c.last_used_at LIMIT 1";
    REMOVE = "DELETE FROM oauth_clients WHERE id = $1";
    SWEEP = (concat!("DELETE FROM oauth_clients", few!("oauth_clients", "id", "kind = $2 \
             AND last_used_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_id = oauth_clients.id) \
             AND NOT EXISTS (SELECT 1 FROM oauth_requests r WHERE r.client_id = oauth_clients.id)",
             "last_used_at")));
    /// Clients that a user has connected, with the number of their grants that are not revoked.
    CLIENTS = "SELECT c.id, c.kind, c.name, c.redirect_uris, c.created_at, c.last_used_at, \
               (SELECT count(*) FROM oauth_grants g WHERE g.client_id = c.id \
               AND g.connected_at IS NOT NULL AND g.revoked_at IS NULL) \
               FROM oauth_clients c \
               WHERE c.connected_at IS NOT NULL AND c.id > $1 ORDER BY c.id LIMIT $2";
}

pub(crate) fn get(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Client>> {
    tx.global_first(GET, params![id], |row| {
        Ok(Client {
            id: row.take()?,
            kind: row.take()?,
            name: row.take()?,
            redirect_uris: read_uris(row)?,
            stale_at: row.take()?,
        })
    })
}

pub(crate) fn add(tx: &mut WriteTx<'_>, client: &Client, now: Timestamp) -> Result<()> {
    write(tx, ADD, client, now)
}

/// Adds a client, or updates its metadata.
pub(crate) fn keep(tx: &mut WriteTx<'_>, client: &Client, now: Timestamp) -> Result<()> {
    write(tx, KEEP, client, now)
}

fn write(
    tx: &mut WriteTx<'_>,
    sql: zoop_db::GlobalSql,
    client: &Client,
    now: Timestamp,
) -> Result<()> {
    let Client { id, kind, name, redirect_uris, stale_at } = client;
    let uris = serde_json::to_string(redirect_uris)?;
    tx.global_execute(sql, params![id, kind, name, uris, now, stale_at])?;
    Ok(())
}

/// Records that a user is asked for consent to a client.
pub(crate) fn record_use(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<()> {
    tx.global_execute(RECORD_USE, params![id, now])?;
    Ok(())
}

/// Records that a user connected a client.
pub(crate) fn record_connection(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<()> {
    tx.global_execute(RECORD_CONNECTION, params![id, now])?;
    Ok(())
}

/// An upper bound on the number of registered clients that no user has connected. Clients that were connected or
/// removed since the last [`recount`] still count.
pub(crate) fn unconnected(tx: &mut ReadTx<'_>) -> Result<i64> {
    let count = tx.global_first::<i64, Error>(UNCONNECTED, &[], |row| Ok(row.take()?))?;
    Ok(count.unwrap_or(0))
}

/// Adds one to the number of unconnected clients. Concurrent registrations wait here for one another, so this comes
/// last.
pub(crate) fn increment_unconnected(tx: &mut WriteTx<'_>) -> Result<()> {
    tx.global_execute(INCREMENT_UNCONNECTED, &[])?;
    Ok(())
}

/// Counts the registered clients that no user has connected.
pub(crate) fn recount(tx: &mut WriteTx<'_>) -> Result<()> {
    tx.global_execute(RECOUNT, params![Timestamp(0)])?;
    Ok(())
}

/// Removes the unconnected registered client with the earliest last use, if that was before `before`. Returns
/// whether a client was removed.
pub(crate) fn remove_oldest(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<bool> {
    let oldest: Option<String> =
        tx.global_first::<_, Error>(OLDEST, params![before], |row| Ok(row.take()?))?;
    match oldest {
        Some(id) => Ok(tx.global_execute(REMOVE, params![id])? > 0),
        None => Ok(false),
    }
}

/// The step of a [`Sweep`](crate::call::sweep::Sweep): removes clients of one kind that were last used before
/// `before` and have no grant or pending request.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, kind: ClientKind, before: Timestamp) -> Result<usize> {
    Ok(tx.global_execute(SWEEP, params![before, kind])?)
}

/// Up to `count` clients that a user has connected, after the id `after`.
pub(crate) fn connected_after(
    tx: &mut ReadTx<'_>,
    after: &str,
    count: usize,
) -> Result<Vec<ConnectedClient>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(CLIENTS, params![after, count], |row| {
        Ok(ConnectedClient {
            id: row.take()?,
            kind: row.take::<ClientKind>()?,
            name: row.take()?,
            redirect_uris: read_uris(row)?,
            created_at: row.take()?,
            last_used_at: row.take()?,
            grants: row.take()?,
        })
    })
}

/// Reads a client's kind and redirect URIs. Returns the URL of its document, or else its first redirect URI.
pub(super) fn read_address(row: &mut Row<'_>, id: &str) -> Result<String> {
    let kind = row.take()?;
    let first = read_uris(row)?.into_iter().next();
    Ok(match kind {
        ClientKind::Document => id.to_owned(),
        ClientKind::Registered => first.unwrap_or_default(),
    })
}

fn read_uris(row: &mut Row<'_>) -> Result<Vec<String>> {
    Ok(serde_json::from_str(&row.take::<String>()?)?)
}

/// The number of steps that the engine takes to find room for another client, for a test.
#[cfg(test)]
pub(crate) fn steps(tx: &mut ReadTx<'_>, before: Timestamp) -> Result<i32> {
    Ok(tx.global_steps(UNCONNECTED, &[])? + tx.global_steps(OLDEST, params![before])?)
}
