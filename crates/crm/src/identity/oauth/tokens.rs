//! Codes become tokens, refresh tokens become new ones, and either can be ended.
//!
//! A token request that is no good is an outcome, not an error: what it revokes is kept.
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
use crate::values::clock::SLACK;
use crate::values::clock::{Environment, rfc3339};
use crate::values::secret::{Secret, SecretKind};

/// How long an access token is good for, in seconds.
pub const ACCESS_SECONDS: i64 = 3_600;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600 * SECOND;
/// How long a refresh token lasts without use, in microseconds.
const IDLE: i64 = 30 * DAY;
/// How long a grant lasts in any case, in microseconds.
pub(super) const MAX_LIFETIME: i64 = 180 * DAY;
/// How long a refresh token that was exchanged is taken once more, for the same successor: a program may
/// run in several processes, or have lost the answer (RFC 9700, 4.14.2, leaves it open).
const GRACE: i64 = 120 * SECOND;
/// Refreshes of one grant, in all processes: an access token lasts an hour, and every pair is kept for as
/// long as its grant, so that a copy of it is noticed.
const REFRESHES: Limit = Limit { action: "refresh", times: 120, seconds: 3_600 };
/// RFC 7636, 4.1.
const VERIFIER_LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// Tokens that were just made.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Secret,
    /// What the access token may do.
    pub scopes: ScopeNames,
    /// How long the access token is good for, in seconds.
    pub seconds: i64,
}

/// How a token request ended.
#[derive(Debug)]
pub enum Outcome {
    /// With tokens.
    Issued(Issued),
    /// The code or the refresh token is no good.
    InvalidGrant,
    /// More was asked for than was given.
    InvalidScope,
}

/// A token request's code and what proves whose it is.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    /// The program.
    pub client_id: String,
    /// The code.
    pub code: Secret,
    /// The PKCE verifier.
    pub verifier: String,
    /// Where the code was sent to, if the program says it.
    pub redirect_uri: Option<String>,
}

/// A token request's refresh token.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// The program.
    pub client_id: String,
    /// The refresh token.
    pub token: Secret,
    /// The scopes of the new access token, if fewer than were given.
    pub scopes: Option<ScopeNames>,
}

/// Whether `text` can be a PKCE challenge of method S256 (RFC 7636, 4.2): a SHA-256 in base64url.
pub fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether `verifier` is what `challenge` was made of (RFC 7636, 4.6). Both sides are hashes, so how long
/// comparing takes tells nothing of the verifier.
pub fn is_proved(challenge: &str, verifier: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    VERIFIER_LENGTHS.contains(&verifier.len())
        && verifier.bytes().all(is_plain)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

/// Makes tokens of a code. A code that comes a second time was stolen, and ends its grant.
///
/// # Errors
/// The database's.
pub fn exchange(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    request: &CodeRequest,
    address: Option<IpAddr>,
) -> Result<Outcome> {
    let now = environment.clock.now();
    let hash = request.code.hash();
    let Some(code) = store::code(tx, &hash)? else { return Ok(Outcome::InvalidGrant) };
    let holder = &code.holder;
    if holder.client_id != request.client_id {
        return Ok(Outcome::InvalidGrant);
    }
    if code.is_used {
        end(tx, environment, holder, address, "code_replayed")?;
        return Ok(Outcome::InvalidGrant);
    }
    let is_there = request.redirect_uri.as_ref().is_none_or(|uri| *uri == code.redirect_uri);
    let is_good = code.expires_at > now && !holder.is_revoked && holder.role.is_some();
    if !is_good || !is_there || !is_proved(&code.challenge, &request.verifier) {
        return Ok(Outcome::InvalidGrant);
    }
    if !store::use_code(tx, &hash, now)? {
        // Another request was faster, with the same verifier.
        end(tx, environment, holder, address, "code_replayed")?;
        return Ok(Outcome::InvalidGrant);
    }
    grants::connect(tx, holder.grant, now)?;
    clients::connected(tx, &holder.client_id, now)?;
    let pair = Pair::random(environment);
    Ok(Outcome::Issued(issue(tx, environment, holder, pair, holder.scopes, holder.scopes)?))
}

/// Makes new tokens of a refresh token. For two minutes one that was exchanged is taken again, and gives
/// the same refresh token: whoever has a copy shares one chain with its owner, and none lives beside it.
/// After that its use tells that there is a copy, and the grant ends.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait after too many.
pub fn refresh(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    request: &RefreshRequest,
    address: Option<IpAddr>,
) -> Result<Outcome> {
    let now = environment.clock.now();
    let hash = request.token.hash();
    let Some(token) = store::token(tx, &hash)? else { return Ok(Outcome::InvalidGrant) };
    let holder = &token.holder;
    if !token.is_refresh || holder.client_id != request.client_id || holder.is_revoked {
        return Ok(Outcome::InvalidGrant);
    }
    // A time in the future is that of a clock that was ahead: nobody knows how long ago it was.
    let is_over = |at: Timestamp| now.0 > at.0 + GRACE || at.0 > now.0 + SLACK;
    if token.rotated_at.is_some_and(is_over) {
        end(tx, environment, holder, address, "token_replayed")?;
        return Ok(Outcome::InvalidGrant);
    }
    if token.expires_at <= now || token.is_revoked || holder.role.is_none() {
        return Ok(Outcome::InvalidGrant);
    }
    let scopes = request.scopes.unwrap_or(token.scopes);
    let beyond = scopes.scopes().without(token.scopes.scopes());
    if !beyond.is_empty() || scopes.is_empty() {
        return Ok(Outcome::InvalidScope);
    }
    attempts::count(tx, REFRESHES, &holder.grant.to_string(), now)?;
    // Of several at once one rotates it; the others come within the grace.
    store::rotate(tx, &hash, now)?;
    let pair = Pair::after(tx, environment, &request.token, scopes)?;
    Ok(Outcome::Issued(issue(tx, environment, holder, pair, scopes, token.scopes)?))
}

/// Ends what a token stands for: of a refresh token the whole grant (RFC 7009, 2.1), of an access token
/// itself. An unknown token, and one of another program, ends nothing.
///
/// # Errors
/// The database's.
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
        return end(tx, environment, holder, address, "grant_revoked");
    }
    let Some(access) = acting(holder, address) else { return Ok(()) };
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

/// Writes a new pair down. The refresh token keeps all that it could ask for (RFC 6749, 6).
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
    let refresh_end = Timestamp((now.0 + IDLE).min(end));
    let grant = holder.grant;
    let access_end = store::add_token(tx, &access.hash(), grant, "access", scopes, access_end)?;
    store::add_token(tx, &refresh.hash(), grant, "refresh", all, refresh_end)?;
    // Begun seconds count, so that no token that is good lasts for none.
    let seconds = (access_end.0 - now.0 + SECOND - 1) / SECOND;
    Ok(Issued { access, refresh, scopes, seconds })
}

/// An access token and a refresh token that are not written down yet.
struct Pair {
    access: Secret,
    refresh: Secret,
}

impl Pair {
    fn random(environment: &Environment) -> Self {
        let secret = |kind| Secret::generate(kind, &environment.entropy);
        Self { access: secret(SecretKind::AccessToken), refresh: secret(SecretKind::RefreshToken) }
    }

    /// What follows a refresh token: derived from it and from a salt that is kept while it is taken, so
    /// that neither the token nor the database tells it without the other. The access token depends on
    /// its scopes too.
    fn after(
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        token: &Secret,
        scopes: ScopeNames,
    ) -> Result<Self> {
        let mut fresh = [0; 32];
        environment.entropy.fill(&mut fresh);
        let until = Timestamp(environment.clock.now().0 + GRACE + SLACK);
        let salt = store::successor_salt(tx, &token.hash(), &fresh, until)?;
        let derived = |kind: SecretKind, label: &str| -> Result<Secret> {
            let mut mac = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes())
                .map_err(|error| Error::internal(format!("a token as a key: {error}")))?;
            for part in [&salt, kind.prefix().as_bytes(), label.as_bytes()] {
                mac.update(part);
            }
            Ok(Secret::of(kind, &mac.finalize().into_bytes().into()))
        };
        Ok(Self {
            access: derived(SecretKind::AccessToken, &scopes.list())?,
            refresh: derived(SecretKind::RefreshToken, "")?,
        })
    }
}

/// Whether an access token is good now; one that a clock that was ahead has dated is not.
pub(super) fn is_current(expires_at: Timestamp, now: Timestamp) -> bool {
    expires_at > now && expires_at.0 <= now.0 + ACCESS_SECONDS * SECOND + SLACK
}

/// Lets no code and no refresh token that a clock that was ahead has dated last longer than its lifetime
/// from now.
pub(super) fn shorten(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<()> {
    let after = |lifetime: i64| Timestamp(now.0 + lifetime);
    store::shorten(tx, after(super::consent::CODE_LIFETIME), after(IDLE), SLACK)
}

/// Ends a grant, and with it every token of it.
fn end(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    holder: &Holder,
    address: Option<IpAddr>,
    why: &'static str,
) -> Result<()> {
    if holder.is_revoked {
        return Ok(());
    }
    // Whoever was removed has lost their grants already.
    let Some(access) = acting(holder, address) else { return Ok(()) };
    history::event(tx, &access, environment, why, |ctx| super::grants::end(ctx, holder.grant))
}

/// The program, acting for its person.
fn acting(holder: &Holder, address: Option<IpAddr>) -> Option<Access> {
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
    fn a_verifier_proves_its_challenge_alone() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge));
        assert!(is_proved(challenge, verifier));
        assert!(!is_proved(challenge, &verifier[1..]));
        assert!(!is_proved(challenge, challenge), "the method plain");
        assert!(!is_proved(verifier, verifier), "the method plain");
        for text in
            ["", verifier.trim_end_matches('k'), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"]
        {
            assert!(!is_challenge(text), "{text}");
        }
        let short = "x".repeat(42);
        assert!(!is_proved(&URL_SAFE_NO_PAD.encode(Sha256::digest(&short)), &short));
    }
}
