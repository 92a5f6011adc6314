//! The SQL for pending authorization requests.

use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use crate::call::error::Result;
use crate::call::scope::ScopeNames;
use crate::call::sweep::{Sweep, few};
use crate::identity::oauth::requests::{AuthorizationRequest, LIFETIME, PendingRequest};
use crate::values::clock::SLACK;
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    /// The authorization requests that are pending until the user answers.
    pub(crate) const OAUTH_REQUESTS = oauth_requests {
        shared: "are made before the user has chosen a tenant",
        key: { hash: Bytes },
        columns: {
            session_id: Id, client_id: Text, redirect_uri: Text, state: Text, challenge: Text,
            scopes: Text, expires_at: Time,
        },
        exported: Secret,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    GET = "SELECT r.client_id, c.name, r.redirect_uri, r.state, r.challenge, r.scopes \
           FROM oauth_requests r JOIN oauth_clients c ON c.id = r.client_id \
           WHERE r.hash = $1 AND r.session_id = $2 AND r.expires_at > $3";
    ADD = "INSERT INTO oauth_requests (hash, session_id, client_id, redirect_uri, state, challenge, \
           scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Deletes all requests of a session except the newest `$2`.
    DROP_OLDEST = "DELETE FROM oauth_requests WHERE hash IN (SELECT hash FROM oauth_requests \
                   WHERE session_id = $1 ORDER BY expires_at DESC LIMIT 1000 OFFSET $2)";
    TAKE = "DELETE FROM oauth_requests WHERE hash = $1 AND session_id = $2 AND expires_at > $3";
    SHORTEN = (concat!("UPDATE oauth_requests SET expires_at = $1",
               few!("oauth_requests", "hash", "expires_at > $2", "expires_at")));
    SWEEP = (concat!("DELETE FROM oauth_requests",
             few!("oauth_requests", "hash", "expires_at <= $1", "expires_at")));
}

pub(crate) fn get(
    tx: &mut ReadTx<'_>,
    hash: &[u8; 32],
    session: Id<kinds::Session>,
    now: Timestamp,
) -> Result<Option<PendingRequest>> {
    tx.global_first(GET, params![hash, session, now], |row| {
        let client_id = row.take()?;
        let client_name = row.take()?;
        let request = AuthorizationRequest {
            client_id,
            redirect_uri: row.take()?,
            state: row.take()?,
            challenge: row.take()?,
            scopes: ScopeNames::parse_known(&row.take::<String>()?),
        };
        Ok(PendingRequest { request, client_name })
    })
}

pub(crate) fn add(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    session: Id<kinds::Session>,
    request: &AuthorizationRequest,
    expires_at: Timestamp,
) -> Result<()> {
    let AuthorizationRequest { client_id, redirect_uri, state, challenge, scopes } = request;
    let scopes = scopes.list();
    tx.global_execute(
        ADD,
        params![hash, session, client_id, redirect_uri, state, challenge, scopes, expires_at],
    )?;
    Ok(())
}

/// Removes a session's oldest requests, so that at most `max` remain.
pub(crate) fn drop_oldest(
    tx: &mut WriteTx<'_>,
    session: Id<kinds::Session>,
    max: u32,
) -> Result<()> {
    tx.global_execute(DROP_OLDEST, params![session, max])?;
    Ok(())
}

/// Removes a request. Of several concurrent transactions, only the one that removed it gets `true`.
pub(crate) fn take(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    session: Id<kinds::Session>,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.global_execute(TAKE, params![hash, session, now])? > 0)
}

/// The sweeps of requests. The first sweep caps expiry times that come from a clock running ahead.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "authorization requests from the future",
        step: |tx, now| {
            let latest = Timestamp(now.0 + LIFETIME);
            Ok(tx.global_execute(SHORTEN, params![latest, Timestamp(latest.0 + SLACK)])?)
        },
    },
    Sweep {
        rows: "authorization requests",
        step: |tx, now| Ok(tx.global_execute(SWEEP, params![now])?),
    },
];
