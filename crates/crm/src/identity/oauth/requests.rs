//! Pending authorization requests. Each is stored for ten minutes and belongs to one session.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::store::{clients, requests as store};
use crate::call::error::Result;
use crate::call::scope::ScopeNames;
use crate::identity::sign_in::SignedIn;
use crate::values::clock::Environment;
use crate::values::secret::{Secret, SecretKind};

/// How long the user may take to answer, in microseconds.
pub(super) const LIFETIME: i64 = 10 * 60 * 1_000_000;
/// Maximum number of pending requests of a session. A further request removes the oldest.
const MAX_PER_SESSION: u32 = 20;

/// A client's authorization request, after all checks.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// The client's id.
    pub client_id: String,
    /// The URI that receives the answer.
    pub redirect_uri: String,
    /// The client's `state`, which the answer repeats.
    pub state: Option<String>,
    /// The PKCE challenge (method S256).
    pub challenge: String,
    /// The scopes, by the names that the client used.
    pub scopes: ScopeNames,
}

/// A request that waits for the user's answer.
#[derive(Debug, Clone)]
pub struct PendingRequest {
    /// The request.
    pub request: AuthorizationRequest,
    /// The client's name for itself.
    pub client_name: String,
}

/// Stores a request, and returns its secret for the consent form.
///
/// # Errors
/// If the database fails.
pub fn start(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    signed_in: &SignedIn,
    request: &AuthorizationRequest,
) -> Result<Secret> {
    let now = environment.clock.now();
    let secret = Secret::generate(SecretKind::ConsentRequest, &environment.entropy);
    clients::record_use(tx, &request.client_id, now)?;
    let expires_at = Timestamp(now.0 + LIFETIME);
    store::add(tx, &secret.hash(), signed_in.session, request, expires_at)?;
    store::drop_oldest(tx, signed_in.session, MAX_PER_SESSION)?;
    Ok(secret)
}

/// The request with this secret, if it is pending in this session.
///
/// # Errors
/// If the database fails.
pub fn find(
    tx: &mut ReadTx<'_>,
    signed_in: &SignedIn,
    secret: &Secret,
    now: Timestamp,
) -> Result<Option<PendingRequest>> {
    store::get(tx, &secret.hash(), signed_in.session, now)
}
