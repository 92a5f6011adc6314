//! Exchanges codes for tokens, refreshes tokens, and revokes them.
//!
//! An invalid token request is an outcome, not an error, so that the revocations it causes are committed.
//!
//! Sources: RFC 6749, 4.1.3, 5 and 6; RFC 7636, 4.6; RFC 7009; RFC 9700, 2.1.1 and 4.14.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zoop_db::{Timestamp, WriteTx};

use super::store::tokens::{self as store, Holder};
use super::store::{clients, grants};
use crate::call::access::{Access, Actor, Credential, Rights, Source};
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::scope::{ScopeNames, Scopes};
use crate::identity::sign_in::attempts::{self, Limit};
use crate::values::clock::{Environment, SLACK, rfc3339};
use crate::values::secret::{Secret, SecretKind};

/// Lifetime of an access token, in seconds.
pub const ACCESS_SECONDS: i64 = 3_600;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600 * SECOND;
/// Lifetime of a refresh token that is not used, in microseconds.
pub(super) const IDLE_LIFETIME: i64 = 30 * DAY;
/// Maximum lifetime of a grant, in microseconds.
pub(super) const MAX_LIFETIME: i64 = 180 * DAY;
/// How long an exchanged refresh token is still accepted and gives the same successor, in microseconds. A client may
/// run in several processes, or may not have received the answer. RFC 9700, 4.14.2, leaves the choice open.
const GRACE_PERIOD: i64 = 120 * SECOND;
/// Limit on the refreshes of one grant, across all processes. A client needs one refresh per hour. Each refresh adds
/// a refresh token, which is kept while the grant is kept, to detect the use of a copy.
const REFRESH_LIMIT: Limit = Limit { action: "refresh", times: 120, seconds: 3_600 };
/// Allowed lengths of a PKCE verifier (RFC 7636, 4.1).
const VERIFIER_LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// New tokens.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Secret,
    /// The scopes of the access token.
    pub scopes: ScopeNames,
    /// Seconds until the access token expires.
    pub seconds: i64,
}

/// The result of a token request.
#[derive(Debug)]
pub enum TokenOutcome {
    /// New tokens were issued.
    Issued(Issued),
    /// The code or the refresh token is invalid.
    InvalidGrant,
    /// The client asked for scopes that it was not granted, or for none.
    InvalidScope,
}

/// A token request with a code, and the proof that the client may use the code.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    /// The client's id.
    pub client_id: String,
    /// The code.
    pub code: Secret,
    /// The PKCE verifier.
    pub verifier: String,
    /// The redirect URI that received the code, if the client repeats it.
    pub redirect_uri: Option<String>,
}

/// A token request with a refresh token.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// The client's id.
    pub client_id: String,
    /// The refresh token.
    pub token: Secret,
    /// The scopes of the new access token, if the client wants fewer than it was granted.
    pub scopes: Option<ScopeNames>,
}

/// Whether `text` has the form of a PKCE challenge of method S256 (RFC 7636, 4.2): a SHA-256 hash in base64url.
pub fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether `challenge` was made from `verifier` (RFC 7636, 4.6). The comparison is between hashes, so its duration
/// reveals nothing about the verifier.
pub fn is_proved(challenge: &str, verifier: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    VERIFIER_LENGTHS.contains(&verifier.len())
        && verifier.bytes().all(is_unreserved)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

/// Exchanges a code for tokens. A code that is used a second time may have been stolen, so its grant is revoked.
///
/// # Errors
/// If the database fails.
pub fn exchange(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    request: &CodeRequest,
    address: Option<IpAddr>,
) -> Result<TokenOutcome> {
    let now = environment.clock.now();
    let hash = request.code.hash();
    let Some(code) = store::code(tx, &hash)? else { return Ok(TokenOutcome::InvalidGrant) };
    let holder = &code.holder;
    if holder.client_id != request.client_id {
        return Ok(TokenOutcome::InvalidGrant);
    }
    if code.is_used {
        revoke_grant(tx, environment, holder, address, "code_replayed")?;
        return Ok(TokenOutcome::InvalidGrant);
    }
    let redirect_matches =
        request.redirect_uri.as_ref().is_none_or(|uri| *uri == code.redirect_uri);
    let is_usable = code.expires_at > now && !holder.is_revoked && holder.role.is_some();
    if !is_usable || !redirect_matches || !is_proved(&code.challenge, &request.verifier) {
        return Ok(TokenOutcome::InvalidGrant);
    }
    if !store::use_code(tx, &hash, now)? {
        // A concurrent request with the same verifier used the code first.
        revoke_grant(tx, environment, holder, address, "code_replayed")?;
        return Ok(TokenOutcome::InvalidGrant);
    }
    grants::connect(tx, holder.grant, now)?;
    clients::record_connection(tx, &holder.client_id, now)?;
    let pair = Pair::random(environment);
    Ok(TokenOutcome::Issued(issue(tx, environment, holder, pair, holder.scopes, holder.scopes)?))
}

/// Exchanges a refresh token for new tokens. For two minutes, an exchanged refresh token is still accepted and
/// gives the same new refresh token, so that a copy never starts a second chain of tokens. A later use shows
/// that there is a copy, so the grant is revoked.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait after too many refreshes.
pub fn refresh(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    request: &RefreshRequest,
    address: Option<IpAddr>,
) -> Result<TokenOutcome> {
    let now = environment.clock.now();
    let hash = request.token.hash();
    let Some(token) = store::token(tx, &hash)? else { return Ok(TokenOutcome::InvalidGrant) };
    let holder = &token.holder;
    if !token.is_refresh || holder.client_id != request.client_id || holder.is_revoked {
        return Ok(TokenOutcome::InvalidGrant);
    }
    // A time in the future was set by a clock running ahead, so nobody knows how long ago the exchange was.
    let grace_is_over = |at: Timestamp| now.0 > at.0 + GRACE_PERIOD || at.0 > now.0 + SLACK;
    if token.rotated_at.is_some_and(grace_is_over) {
        revoke_grant(tx, environment, holder, address, "token_replayed")?;
        return Ok(TokenOutcome::InvalidGrant);
    }
    if token.expires_at <= now || token.is_revoked || holder.role.is_none() {
        return Ok(TokenOutcome::InvalidGrant);
    }
    let scopes = request.scopes.unwrap_or(token.scopes);
    let beyond = scopes.scopes().without(token.scopes.scopes());
    if !beyond.is_empty() || scopes.is_empty() {
        return Ok(TokenOutcome::InvalidScope);
    }
    attempts::record(tx, REFRESH_LIMIT, &holder.grant.to_string(), now)?;
    // Of several concurrent requests, one marks the token as exchanged. The others are within the grace period.
    store::rotate(tx, &hash, now)?;
    let pair = Pair::successors(tx, environment, &request.token, scopes)?;
    Ok(TokenOutcome::Issued(issue(tx, environment, holder, pair, scopes, token.scopes)?))
}

/// Revokes an access token, or the whole grant of a refresh token (RFC 7009, 2.1). Ignores an unknown token
/// and the token of another client.
///
/// # Errors
/// If the database fails.
pub fn revoke(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    client_id: Option<&str>,
    token: &Secret,
    address: Option<IpAddr>,
) -> Result<()> {
    let hash = token.hash();
    let Some(found) = store::token(tx, &hash)? else { return Ok(()) };
    let holder = &found.holder;
    if client_id.is_some_and(|id| id != holder.client_id) || found.is_revoked {
        return Ok(());
    }
    if found.is_refresh {
        return revoke_grant(tx, environment, holder, address, "grant_revoked");
    }
    let Some(access) = client_access(holder, address) else { return Ok(()) };
    history::event(tx, &access, environment, "token_revoked", |ctx| {
        if store::revoke(ctx.tx, &hash, ctx.now)? {
            let at = Value::from(rfc3339(ctx.now));
            ctx.changed("grant", holder.grant.uuid(), "access_token_revoked_at", Value::Null, at);
        } else {
            ctx.leave_no_history();
        }
        Ok(())
    })
}

/// Stores a new pair of tokens. The access token gets `scopes`. The refresh token keeps `all`, so that later requests
/// may ask for any of these scopes (RFC 6749, 6).
fn issue(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    holder: &Holder,
    pair: Pair,
    scopes: ScopeNames,
    all: ScopeNames,
) -> Result<Issued> {
    let now = environment.clock.now();
    let Pair { access, refresh } = pair;
    let end = holder.ends_at.map_or(holder.grant.created_at().0.0 + MAX_LIFETIME, |end| end.0);
    let access_end = Timestamp((now.0 + ACCESS_SECONDS * SECOND).min(end));
    let refresh_end = Timestamp((now.0 + IDLE_LIFETIME).min(end));
    let grant = holder.grant;
    let access_end = store::add_token(tx, &access.hash(), grant, "access", scopes, access_end)?;
    store::add_token(tx, &refresh.hash(), grant, "refresh", all, refresh_end)?;
    // Rounded up, so that a valid token never has zero seconds left.
    let seconds = (access_end.0 - now.0 + SECOND - 1) / SECOND;
    Ok(Issued { access, refresh, scopes, seconds })
}

/// An access token and a refresh token that are not stored yet.
struct Pair {
    access: Secret,
    refresh: Secret,
}

impl Pair {
    fn random(environment: &Environment) -> Self {
        let secret = |kind| Secret::generate(kind, &environment.entropy);
        Self { access: secret(SecretKind::AccessToken), refresh: secret(SecretKind::RefreshToken) }
    }

    /// The successors of a refresh token. They are derived from the refresh token and a salt, so that neither the
    /// token nor the database alone reveals them. The salt is stored while the refresh token is still accepted. The
    /// new access token also depends on its scopes.
    fn successors(
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        token: &Secret,
        scopes: ScopeNames,
    ) -> Result<Self> {
        let mut fresh = [0; 32];
        environment.entropy.fill(&mut fresh);
        let until = Timestamp(environment.clock.now().0 + GRACE_PERIOD + SLACK);
        let salt = store::successor_salt(tx, &token.hash(), &fresh, until)?;
        let derive = |kind: SecretKind, label: &str| -> Result<Secret> {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(token.expose().as_bytes()).map_err(|error| {
                    Error::internal(format!("cannot use a token as an HMAC key: {error}"))
                })?;
            for part in [&salt, kind.prefix().as_bytes(), label.as_bytes()] {
                mac.update(part);
            }
            Ok(Secret::of(kind, &mac.finalize().into_bytes().into()))
        };
        Ok(Self {
            access: derive(SecretKind::AccessToken, &scopes.list())?,
            refresh: derive(SecretKind::RefreshToken, "")?,
        })
    }
}

/// Whether an access token is valid now. A token that expires too far in the future is not valid: its expiry was
/// set by a clock running ahead.
pub(super) fn is_current(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at > now && expires_at.0 <= now.0 + ACCESS_SECONDS * SECOND + SLACK
}

/// Revokes a grant, and with it all its tokens. `event` is the name of the history entry.
fn revoke_grant(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    holder: &Holder,
    address: Option<IpAddr>,
    event: &'static str,
) -> Result<()> {
    if holder.is_revoked {
        return Ok(());
    }
    // The grants of a removed member are already revoked.
    let Some(access) = client_access(holder, address) else { return Ok(()) };
    history::event(tx, &access, environment, event, |ctx| {
        super::grants::revoke_if_unrevoked(ctx, holder.grant)
    })
}

/// The access of the client, which acts for the grant's user. `None` if the user is not a member.
fn client_access(holder: &Holder, address: Option<IpAddr>) -> Option<Access> {
    let role = holder.role?;
    let rights = Rights {
        account: Some(holder.account),
        actor: Actor::User { id: holder.user, role },
        scopes: Scopes::NONE,
        attainable: Scopes::NONE,
        credential: Credential::Grant(holder.grant),
    };
    Some(Access::new(rights, Source { client: Some(holder.client_name.clone()), address }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_proves_only_its_own_challenge() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(is_proved(challenge, verifier));
        assert!(!is_proved(challenge, &verifier[1..]));
        assert!(!is_proved(challenge, challenge), "the challenge method `plain` is not supported");
        assert!(!is_proved(verifier, verifier), "the challenge method `plain` is not supported");
        for text in
            ["", verifier.trim_end_matches('k'), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"]
        {
            assert!(!is_challenge(text), "{text}");
        }
        let short = "x".repeat(42);
        assert!(!is_proved(&URL_SAFE_NO_PAD.encode(Sha256::digest(&short)), &short));
    }
}
