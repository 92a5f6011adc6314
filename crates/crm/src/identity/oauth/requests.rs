//! Pending authorization requests: kept for ten minutes, for one session only.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::store::{clients, requests as store};
use crate::call::error::Result;
use crate::call::scope::ScopeNames;
use crate::identity::sign_in::SignedIn;
use crate::values::clock::Environment;
use crate::values::secret::{Secret, SecretKind};

/// How long the person may take, in microseconds.
pub(super) const LIFETIME: i64 = 10 * 60 * 1_000_000;
/// Requests that one session has at once; the oldest gives way.
const MAX_OF_SESSION: u32 = 20;

/// What a program asked for, everything of it checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The program.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What the program wants to have back with the answer.
    pub state: Option<String>,
    /// The PKCE challenge, of method S256.
    pub challenge: String,
    /// The scopes, under the names that the program used.
    pub scopes: ScopeNames,
}

/// A request that waits for the person's answer.
#[derive(Debug, Clone)]
pub struct PendingRequest {
    /// What was asked for.
    pub request: Request,
    /// What the program calls itself.
    pub client_name: String,
}

/// Parks a request; the secret goes into the form.
///
/// # Errors
/// The database's.
pub fn park(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    person: &SignedIn,
    request: &Request,
) -> Result<Secret> {
    let now = environment.clock.now();
    let secret = Secret::generate(SecretKind::ConsentRequest, &environment.entropy);
    clients::used(tx, &request.client_id, now)?;
    let expires_at = Timestamp(now.0 + LIFETIME);
    store::add(tx, &secret.hash(), person.session, request, expires_at)?;
    store::drop_oldest(tx, person.session, MAX_OF_SESSION)?;
    Ok(secret)
}

/// A request that waits for this person's answer in this session.
///
/// # Errors
/// The database's.
pub fn find(
    tx: &mut ReadTx<'_>,
    person: &SignedIn,
    secret: &Secret,
    now: Timestamp,
) -> Result<Option<PendingRequest>> {
    store::get(tx, &secret.hash(), person.session, now)
}
