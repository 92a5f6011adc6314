//! Who asks: a bearer token, or a session in one of its user's tenants.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use zoop_crm::identity::authenticate::credential;
use zoop_crm::values::secret::Secret;
use zoop_db::Lane;

use super::refusal;
use crate::answer::Answer;
use crate::app::Shared;
use crate::auth::{AuthContext, MISSING_TOKEN, Presented, bearer};
use crate::challenges::Challenge;
use crate::limiter::Class;
use crate::network::Holder;
use crate::request_log::RequestLog;
use crate::seats::{Seat, halfway};
use crate::unknown_tokens;

/// A caller with a bearer token of the right form. The first job of the request looks it up.
pub(super) struct BearerCaller {
    pub(super) auth: Arc<AuthContext>,
}

impl BearerCaller {
    /// Checks the head of a request.
    pub(super) fn of(
        shared: &Arc<Shared>,
        head: &Parts,
        request_log: &mut RequestLog<'_>,
    ) -> Result<Self, Answer> {
        let asked_at = shared.settings.public_url.asked_at(&head.uri, &head.headers);
        let mut sent = head.headers.get_all(AUTHORIZATION).iter();
        let (first, second) = (sent.next(), sent.next());
        if second.is_some() {
            return Err(refusal::refusal(
                StatusCode::BAD_REQUEST,
                "invalid_input",
                "Send one Authorization header.",
            ));
        }
        let Some(sent) = first.and_then(bearer) else {
            return Err(refusal::unauthorized(MISSING_TOKEN, Challenge(&asked_at).missing()));
        };
        let Some(token) = credential(&sent) else {
            return Err(refusal::unauthorized(refusal::MALFORMED, Challenge(&asked_at).invalid()));
        };
        let address = request_log.address;
        let auth = Self::context(shared, &token, request_log, asked_at);
        let caller = Self { auth };
        let now = shared.environment.clock.now();
        if !matches!(caller.holder(), Holder::Tenant(_))
            && let Some(seconds) = unknown_tokens::wait(&shared.anonymous_limits, address, now)
        {
            return Err(refusal::limited(seconds));
        }
        Ok(caller)
    }

    /// Who the request's seat and memory are counted for. Before the first job has looked up the token, that may be a
    /// stranger.
    pub(super) fn holder(&self) -> Holder {
        match self.auth.lane() {
            Lane::Tenant { tenant, .. } => Holder::Tenant(tenant),
            Lane::Anonymous { .. } | Lane::Internal => Holder::stranger(self.auth.address()),
        }
    }

    fn context(
        shared: &Arc<Shared>,
        token: &Secret,
        request_log: &mut RequestLog<'_>,
        asked_at: crate::web_origin::WebOrigin,
    ) -> Arc<AuthContext> {
        let address = request_log.address;
        let presented = Presented { client: None, address, asked_at, class: Class::Call };
        let auth = AuthContext::new(shared, token, presented);
        request_log.auth = Some(auth.clone());
        auth
    }
}

/// Waits for a seat, for jobs that end by the deadline.
pub(super) async fn seat(
    shared: &Shared,
    holder: Holder,
    deadline: Instant,
) -> Result<Seat, Answer> {
    let seat = shared.seats.take(holder, halfway(deadline)).await;
    seat.ok_or_else(refusal::overloaded)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use zoop_crm::arguments;
    use zoop_crm::business::files::tools::check::CheckFile;
    use zoop_crm::call::run::Runner;
    use zoop_crm::testing::TestEnv;

    use super::*;
    use crate::app::{App, Settings};

    #[test]
    fn what_an_upload_uses_is_counted_for_its_tenant_once_its_token_was_looked_up() {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let note = serde_json::json!({ "body": "Gate sticks." });
        let note = env.create(&acme.owner, "notes.create", note);
        let settings = Settings::new("http://t.test".parse().expect("a URL"));
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let token = format!("Bearer {}", acme.owner_key);
            let request = Request::builder().header(AUTHORIZATION, token);
            let request = request.body(Body::empty()).expect("a request");
            let mut request_log = RequestLog::start(&shared, &request);
            let (head, _) = request.into_parts();
            let caller = BearerCaller::of(&shared, &head, &mut request_log);
            let caller = caller.map_err(|refusal| refusal.status).expect("a caller");
            assert_eq!(caller.holder(), Holder::UnknownAddress);
            let (db, environment) = (&caller.auth.db(), &shared.environment);
            let deadline = Instant::now() + shared.settings.request_deadline;
            let arguments = arguments!(CheckFile { note_id: &note, size: 1_u32 });
            let checking = Runner { db, environment, deadline };
            checking.query(caller.auth.clone(), arguments).await.expect("it fits");
            assert_eq!(caller.holder(), Holder::Tenant(acme.account.number));
        });
    }
}
