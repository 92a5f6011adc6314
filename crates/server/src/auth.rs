//! Turns a token into an authenticated caller, in the job that also does the request's work, so that both see the
//! same snapshot of the database.
//!
//! [`zoop_crm::identity::authenticate`] decides whether a token is valid. This module passes the token to it, and
//! counts the request against the limits: only once, even if the request needs several jobs.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::http::HeaderValue;
use zoop_crm::call::access::{Access, Account, Rights, Source};
use zoop_crm::call::caller::{Caller, Denied, Used};
use zoop_crm::call::error::Error;
use zoop_crm::call::proof::Proof;
use zoop_crm::call::scope::Scopes;
use zoop_crm::identity::authenticate::Bearer;
use zoop_crm::values::clock::Environment;
use zoop_crm::values::secret::Secret;
use zoop_db::{Db, Lane, ReadTx, Uuid};

use crate::app::Shared;
use crate::challenges::Challenge;
use crate::limiter::{Admission, Applicant, Class};
use crate::unknown_tokens;
use crate::web_origin::WebOrigin;

/// `data.reason` of a refusal when no bearer token was presented.
pub(crate) const MISSING_TOKEN: &str = "missing_token";

/// A request's token, and its caller once the token has been looked up.
pub(crate) struct AuthContext {
    shared: Arc<Shared>,
    bearer: Bearer,
    /// The origin at which the caller reached this server.
    asked_at: WebOrigin,
    class: Class,
    /// Set by the first job that finds the token valid. Kept for later jobs and reruns, even after a rollback, so
    /// that the request is counted once.
    authenticated: OnceLock<Authenticated>,
}

/// What is known about a request besides its token.
pub(crate) struct Presented {
    /// The name that the client sent.
    pub(crate) client: Option<String>,
    /// The IP address of the client.
    pub(crate) address: Option<IpAddr>,
    /// The origin at which the caller reached this server.
    pub(crate) asked_at: WebOrigin,
    /// Which limit the request counts against.
    pub(crate) class: Class,
}

/// What is known about an authenticated request, whether or not the limiter admitted it.
pub(crate) struct Authenticated {
    /// The tenant.
    pub(crate) account: Option<Account>,
    /// The credential's id.
    pub(crate) credential: Uuid,
    /// What the limiter decided.
    pub(crate) admission: Admission,
    /// The scopes of the token.
    pub(crate) scopes: Scopes,
    /// The credential, if its use must be recorded.
    pub(crate) used: Option<Used>,
}

/// Why a job ended without a result.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// The token was rejected.
    Denied(Denied),
    /// Too many requests.
    Limited,
    /// The work itself failed.
    Failed(Error),
}

impl From<Error> for CallFailure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<zoop_db::Error> for CallFailure {
    fn from(error: zoop_db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The token in an `Authorization` header, if it contains a bearer token. Bytes that are not UTF-8 are replaced, so
/// that the token is rejected like any other invalid one.
pub(crate) fn bearer(authorization: &HeaderValue) -> Option<Cow<'_, str>> {
    let (scheme, token) = authorization.as_bytes().split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty())
        .then(|| String::from_utf8_lossy(token))
}

impl AuthContext {
    pub(crate) fn new(shared: &Arc<Shared>, token: &Secret, caller: Presented) -> Arc<Self> {
        let Presented { client, address, asked_at, class } = caller;
        let token = token.expose().to_owned();
        let bearer = Bearer { token, source: Source { client, address } };
        let (shared, authenticated) = (shared.clone(), OnceLock::new());
        Arc::new(Self { shared, bearer, asked_at, class, authenticated })
    }

    /// What is known about the caller, once the token has been found valid.
    pub(crate) fn authenticated(&self) -> Option<&Authenticated> {
        self.authenticated.get()
    }

    /// Counts the rejected token for its network, if the database does not know the token.
    pub(crate) fn count_denied(&self, denied: Denied) {
        if denied == Denied::Invalid {
            let Shared { anonymous_limits, environment, .. } = &*self.shared;
            let address = self.bearer.source.address;
            unknown_tokens::count(anonymous_limits, address, environment.clock.now());
        }
    }

    /// The lane of the jobs of this caller, as far as it is known.
    pub(crate) fn lane(&self) -> Lane {
        self.shared.lanes.lane_of(Some(&self.bearer.token), self.address())
    }

    /// The storage, for the jobs of this caller.
    pub(crate) fn db(&self) -> Db {
        self.shared.db.lane(self.lane())
    }

    /// The IP address of the client.
    pub(crate) const fn address(&self) -> Option<IpAddr> {
        self.bearer.source.address
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The challenges for this caller.
    pub(crate) fn challenge(&self) -> Challenge<'_> {
        Challenge(&self.asked_at)
    }
}

impl Proof for AuthContext {
    type Refusal = CallFailure;

    /// Looks up the token, and counts the request unless an earlier job did.
    fn access(
        &self,
        tx: &mut ReadTx<'_>,
        environment: &Environment,
    ) -> Result<Access, CallFailure> {
        let lanes = &self.shared.lanes;
        let caller = self.bearer.caller(tx, &*environment.clock)?.map_err(|denied| {
            lanes.forget(&self.bearer.token);
            CallFailure::Denied(denied)
        })?;
        let authenticated = self.authenticated.get_or_init(|| {
            if let Some(account) = caller.rights.account {
                lanes.learn(&self.bearer.token, account.number, caller.rights.credential.uuid());
            }
            Authenticated::admit(&caller, &self.shared, self.class)
        });
        match authenticated.admission.refused_for {
            None => {
                let limits = authenticated.admission.call_limits();
                Ok(self.bearer.access_of(caller).with_call_limits(limits))
            }
            Some(_) => Err(CallFailure::Limited),
        }
    }
}

impl Authenticated {
    fn admit(caller: &Caller, shared: &Shared, class: Class) -> Self {
        let Rights { account, credential, scopes, .. } = caller.rights;
        let limits = shared.settings.limits;
        let admission = match account {
            Some(account) => shared.limiter.admit(
                &*shared.environment.clock,
                Applicant {
                    class,
                    credential: credential.uuid(),
                    credential_limit: caller.request_limit.unwrap_or(limits.credential),
                    tenant: account.number,
                    tenant_limit: limits.tenant,
                },
            ),
            None => Admission::UNLIMITED,
        };
        Self { account, credential: credential.uuid(), admission, scopes, used: caller.used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_recognized_in_any_case_and_nothing_else_is() {
        let token = |value: &'static [u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            bearer(&value).map(Cow::into_owned)
        };
        assert_eq!(token(b"Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token(b"bEARER   abc").as_deref(), Some("abc"));
        assert_eq!(token(b"Bearer \xff").as_deref(), Some("\u{fffd}"));
        assert_eq!(token(b"Bearer "), None);
        assert_eq!(token(b"Bearer"), None);
        assert_eq!(token(b"Basic abc"), None);
        assert_eq!(token(b"Bearerabc"), None);
    }
}
