//! The user's answer to a client's authorization request: a grant and a code, or a refusal.

use std::net::IpAddr;

use serde::Serialize;
use zoop_db::{Timestamp, Uuid, WriteTx};

use super::redirect;
use super::requests::{AuthorizationRequest, PendingRequest};
use super::store::{grants, requests, tokens};
use super::tokens::MAX_LIFETIME;
use crate::call::access::{Access, Source};
use crate::call::caller::Refusal;
use crate::call::context::Recorded;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::proof::enter_write;
use crate::call::scope::Scopes;
use crate::identity::sign_in::SignedIn;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// Lifetime of a code, in microseconds (RFC 6749, 4.1.2, recommends at most ten minutes).
pub(super) const CODE_LIFETIME: i64 = 60 * 1_000_000;

/// The user's choice on the consent page.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// The tenant.
    pub tenant: Id<kinds::Tenant>,
    /// The scopes that the user left selected.
    pub scopes: Scopes,
    /// Whether the user grants the scopes to the client.
    pub is_allowed: bool,
}

/// The result of an answer.
#[derive(Debug)]
pub enum ConsentOutcome {
    /// The client gets a code.
    Allowed(AuthorizationRequest, Secret),
    /// The client gets nothing.
    Denied(AuthorizationRequest),
    /// The request has expired, was already answered, or belongs to another session. Or the session has ended.
    Gone,
    /// The user is not a member of the chosen tenant, or has none of the requested scopes there.
    NoBusiness,
    /// The user left no scope selected. The request is still pending.
    NoScope,
}

/// A consent or a refusal, as the history records it.
#[derive(Debug, Serialize)]
struct Consent<'a> {
    #[serde(skip)]
    id: Uuid,
    client_id: &'a str,
    client_name: &'a str,
    redirect_host: String,
    scopes: String,
    declined: String,
}

impl Recorded for Consent<'_> {
    const TYPE: &'static str = "grant";

    fn record_id(&self) -> Uuid {
        self.id
    }
}

/// Carries out the user's answer. Of several concurrent answers, only the one that removes the request takes
/// effect.
///
/// # Errors
/// If the database fails.
pub fn answer(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    signed_in: &SignedIn,
    secret: &Secret,
    choice: Choice,
    address: Option<IpAddr>,
) -> Result<ConsentOutcome> {
    let now = environment.clock.now();
    let Some(pending) = requests::get(tx, &secret.hash(), signed_in.session, now)? else {
        return Ok(ConsentOutcome::Gone);
    };
    let source = Source { client: Some(pending.client_name.clone()), address };
    let access = match enter_write(tx, environment, &signed_in.in_tenant(choice.tenant, source)) {
        Ok(access) => access,
        Err(Refusal::Denied(_)) => return Ok(ConsentOutcome::Gone),
        Err(Refusal::Failed(Error::NotFound { .. })) => return Ok(ConsentOutcome::NoBusiness),
        Err(Refusal::Failed(error)) => return Err(error),
    };
    let offered = pending.request.scopes.scopes().and(access.scopes);
    if offered.is_empty() {
        return Ok(ConsentOutcome::NoBusiness);
    }
    let granted = choice.scopes.and(offered);
    if choice.is_allowed && granted.is_empty() {
        return Ok(ConsentOutcome::NoScope);
    }
    if !requests::take(tx, &secret.hash(), signed_in.session, now)? {
        return Ok(ConsentOutcome::Gone);
    }
    if choice.is_allowed {
        let code = allow(tx, environment, signed_in, &access, &pending, granted, offered)?;
        Ok(ConsentOutcome::Allowed(pending.request, code))
    } else {
        deny(tx, environment, signed_in, &access, &pending)?;
        Ok(ConsentOutcome::Denied(pending.request))
    }
}

fn allow(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    signed_in: &SignedIn,
    access: &Access,
    pending: &PendingRequest,
    granted: Scopes,
    offered: Scopes,
) -> Result<Secret> {
    let PendingRequest { request, client_name } = pending;
    let code = Secret::generate(SecretKind::AuthorizationCode, &environment.entropy);
    history::event(tx, access, environment, "consent", |ctx| {
        let id = ctx.next_global_id::<kinds::Grant>(grants::GREATEST_ID_BELOW)?;
        let declined = request.scopes.within(offered.without(granted));
        let granted = request.scopes.within(granted);
        let ends_at = Timestamp(ctx.now.0 + MAX_LIFETIME);
        grants::add(ctx.tx, id, signed_in.user, &request.client_id, granted, declined, ends_at)?;
        let expires_at = Timestamp(ctx.now.0 + CODE_LIFETIME);
        let AuthorizationRequest { redirect_uri, challenge, .. } = request;
        tokens::add_code(ctx.tx, &code.hash(), id, redirect_uri, challenge, expires_at)?;
        ctx.added(&Consent {
            id: id.uuid(),
            client_id: &request.client_id,
            client_name,
            redirect_host: redirect::destination(redirect_uri).host,
            scopes: granted.list(),
            declined: declined.list(),
        })
    })?;
    Ok(code)
}

fn deny(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    signed_in: &SignedIn,
    access: &Access,
    pending: &PendingRequest,
) -> Result<()> {
    let PendingRequest { request, client_name } = pending;
    history::event(tx, access, environment, "consent_refused", |ctx| {
        ctx.added(&Consent {
            // There is no grant, so the entry is about the user.
            id: signed_in.user.uuid(),
            client_id: &request.client_id,
            client_name,
            redirect_host: redirect::destination(&request.redirect_uri).host,
            scopes: String::new(),
            declined: request.scopes.list(),
        })
    })
}
