//! Checks a request's head before the body is read: the method, and a bearer token of the right form. So a request
//! without a token costs little more than its connection.

use axum::http::Method;
use axum::http::request::Parts;
use zoop_crm::call::caller::Denied;
use zoop_crm::identity::authenticate::credential;
use zoop_crm::values::secret::Secret;
use zoop_db::Lane;
use zoop_mcp::ReplyTo;

use super::{headers, limited, refused, unauthorized};
use crate::answer::Answer;
use crate::app::Shared;
use crate::auth::{MISSING_TOKEN, bearer};
use crate::challenges::Challenge;
use crate::network::Holder;
use crate::request_log::RequestLog;
use crate::unknown_tokens;

/// A token of the right form, which has not been looked up yet, and the request's holder.
pub(super) struct Entry {
    pub(super) token: Secret,
    /// Who the request's seat and body are counted for.
    pub(super) holder: Holder,
}

impl Entry {
    /// Checks the head of a request.
    pub(super) fn of(
        shared: &Shared,
        head: &Parts,
        request_log: &RequestLog<'_>,
    ) -> Result<Self, Answer> {
        let reply_to = headers::unread(&head.headers);
        if head.method != Method::POST {
            return Err(refused(&reply_to.method_not_allowed()));
        }
        let authorization = headers::authorization(&head.headers)
            .map_err(|fault| refused(&fault.refusal(reply_to)))?;
        let asked_at = || shared.settings.public_url.asked_at(&head.uri, &head.headers);
        let Some(sent) = authorization.and_then(bearer) else {
            let challenge = Challenge(&asked_at()).missing();
            return Err(unauthorized(reply_to, MISSING_TOKEN, challenge));
        };
        let Some(token) = credential(&sent) else {
            let challenge = Challenge(&asked_at()).invalid();
            return Err(unauthorized(reply_to, Denied::Invalid.reason(), challenge));
        };
        let address = request_log.address;
        let holder = match shared.lanes.lane_of(Some(token.expose()), address) {
            Lane::Tenant { tenant, .. } => Holder::Tenant(tenant),
            Lane::Anonymous { .. } | Lane::Internal => Holder::stranger(address),
        };
        let entry = Self { token, holder };
        entry.check(shared, request_log, reply_to)?;
        Ok(entry)
    }

    /// Refuses a token that this process does not know, if its network has sent too many unknown tokens.
    pub(super) fn check(
        &self,
        shared: &Shared,
        request_log: &RequestLog<'_>,
        reply_to: ReplyTo<'_>,
    ) -> Result<(), Answer> {
        if matches!(self.holder, Holder::Tenant(_)) {
            return Ok(());
        }
        let now = shared.environment.clock.now();
        match unknown_tokens::wait(&shared.anonymous_limits, request_log.address, now) {
            Some(seconds) => Err(limited(reply_to, seconds)),
            None => Ok(()),
        }
    }
}
