//! Looks up the file that a request is for, as far as its caller may read it: somebody with a bearer token, or with a session
//! in any of its user's tenants.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use zoop_crm::arguments;
use zoop_crm::business::files::tools::open::{OpenFile, OpenedFile};
use zoop_crm::call::access::Source;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::{self, Runner};
use zoop_crm::identity::sign_in::SignedIn;
use zoop_db::Tenant;

use super::caller::{BearerCaller, seat};
use super::refusal;
use crate::anonymous_limits::Action;
use crate::answer::Answer;
use crate::app::Shared;
use crate::auth::{CallFailure, MISSING_TOKEN};
use crate::challenges::Challenge;
use crate::request_log::RequestLog;
use crate::web::browser;
use crate::web::refusal::is_for_person;

/// Why a file is not sent.
pub(super) enum Unsent {
    /// A person has to sign in first, and comes back to this address.
    SignIn(String),
    /// There is no such file, as far as this caller may know.
    Unknown,
    /// Another reason.
    Refused(Answer),
}

impl From<Answer> for Unsent {
    fn from(answer: Answer) -> Self {
        Self::Refused(answer)
    }
}

/// The file with this id, and the number of its tenant.
pub(super) async fn opened(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &mut RequestLog<'_>,
    deadline: Instant,
) -> Result<(OpenedFile, Tenant), Unsent> {
    if has_token(&head.headers) {
        with_token(shared, head, id, request_log, deadline).await
    } else {
        in_browser(shared, head, id, request_log, deadline).await
    }
}

/// Whether a bearer token was sent. A proxy may want another `Authorization` of its own, and passes it on.
fn has_token(headers: &HeaderMap) -> bool {
    let is_bearer = |sent: &HeaderValue| {
        let scheme = sent.as_bytes().get(.."Bearer".len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer"))
    };
    headers.get_all(AUTHORIZATION).iter().any(is_bearer)
}

/// The file, for a bearer token.
async fn with_token(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &mut RequestLog<'_>,
    deadline: Instant,
) -> Result<(OpenedFile, Tenant), Unsent> {
    let caller = BearerCaller::of(shared, head, request_log)?;
    let _seat = seat(shared, caller.holder(), deadline).await?;
    let (db, environment) = (&caller.auth.db(), &shared.environment);
    let runner = Runner { db, environment, deadline };
    let opened = runner.query(caller.auth.clone(), arguments!(OpenFile { id: id })).await;
    let opened = opened.map_err(|failure| match &failure {
        CallFailure::Failed(error) if is_unknown(error) => Unsent::Unknown,
        failure => refusal::of_call(&caller.auth, &request_log.id, failure).into(),
    })?;
    let account = caller.auth.authenticated().and_then(|it| it.account).ok_or(Unsent::Unknown)?;
    Ok((opened, account.number))
}

/// The file, for a session. It may be in any of the user's tenants.
async fn in_browser(
    shared: &Arc<Shared>,
    head: &Parts,
    id: &str,
    request_log: &RequestLog<'_>,
    deadline: Instant,
) -> Result<(OpenedFile, Tenant), Unsent> {
    let address = request_log.address;
    let counted = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let now = shared.environment.clock.now();
    let limits = &shared.anonymous_limits;
    limits.admit(Action::File, counted, now).map_err(refusal::limited)?;
    let failed = |error: &Error| Unsent::from(refusal::failed(error, &request_log.id));
    let signed_in = browser::signed_in(shared, &head.headers, address, deadline).await;
    let Some(signed_in) = signed_in.map_err(|error| failed(&error))? else {
        if is_for_person(&head.method, &head.headers) {
            return Err(Unsent::SignIn(head.uri.path().to_owned()));
        }
        let asked_at = shared.settings.public_url.asked_at(&head.uri, &head.headers);
        return Err(refusal::unauthorized(MISSING_TOKEN, Challenge(&asked_at).missing()).into());
    };
    let db = shared.db_for(browser::cookie_value(&head.headers, browser::SESSION), address);
    let (environment, id) = (shared.environment.clone(), id.to_owned());
    let source = Source { client: None, address };
    let found = db.read::<_, Error>(deadline, move |tx| {
        for membership in signed_in.memberships(tx)? {
            let proof = SignedIn::in_tenant(&signed_in, membership.account.id, source.clone());
            match run::query(tx, &environment, &proof, arguments!(OpenFile { id: &id })) {
                Ok(opened) => return Ok(Some((opened, membership.account.number))),
                Err(Refusal::Failed(error)) if is_unknown(&error) => {}
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Denied(_)) => return Ok(None),
            }
        }
        Ok(None)
    });
    found.await.map_err(|error| failed(&error))?.ok_or(Unsent::Unknown)
}

/// Whether an error means that there is no such file for this caller. A text that is not an id names none either.
const fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Unusable { .. } | Error::InvalidInput { .. })
}
