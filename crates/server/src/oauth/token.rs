//! `POST /oauth/token` and `POST /oauth/revoke`.
//!
//! Sources: RFC 6749, 3.2 and 5; RFC 7009, 2; RFC 8707, 2.2.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use zoop_crm::call::access::Rights;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::ScopeNames;
use zoop_crm::identity::authenticate::Bearer;
use zoop_crm::identity::oauth::clients;
use zoop_crm::identity::oauth::tokens::{self, CodeRequest, Issued, RefreshRequest, TokenOutcome};
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::{Db, ReadTx, Timestamp};

use super::{failed, refused};
use crate::anonymous_limits::Action;
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::bodies::BodyFault;
use crate::request_log::RequestLog;
use crate::web::form::{self, Form};

/// The length limit of a client id, in bytes.
pub(super) const MAX_CLIENT_ID_LENGTH: usize = 2_048;
/// The scope that some clients request in order to get refresh tokens. All clients get them anyway.
pub(super) const OFFLINE_ACCESS: &str = "offline_access";

/// A request that passed the common checks.
struct ClientRequest<'a> {
    shared: &'a Shared,
    form: Form,
    address: std::net::IpAddr,
    deadline: Instant,
    request_log: &'a RequestLog<'a>,
}

/// `POST /oauth/token`: issues tokens.
pub(super) async fn token(State(app): State<App>, request: Request) -> Response {
    let mut request_log = RequestLog::start(&app.shared, &request);
    request_log.tool = "oauth/token";
    let answer = match read_request(&app.shared, request, &request_log).await {
        Ok(request) => request.issue_tokens().await,
        Err(refusal) => Err(refusal),
    };
    respond(request_log, answer)
}

/// `POST /oauth/revoke`: revokes tokens.
pub(super) async fn revoke(State(app): State<App>, request: Request) -> Response {
    let mut request_log = RequestLog::start(&app.shared, &request);
    request_log.tool = "oauth/revoke";
    let answer = match read_request(&app.shared, request, &request_log).await {
        Ok(request) => request.revoke_token().await,
        Err(refusal) => Err(refusal),
    };
    respond(request_log, answer)
}

fn respond(request_log: RequestLog<'_>, answer: Result<Answer, Answer>) -> Response {
    let mut response = request_log.finish(answer.unwrap_or_else(|refusal| refusal));
    super::open(response.headers_mut());
    response
}

/// Reads the form of a request. The URL must not contain parameters, because URLs are often logged.
async fn read_request<'a>(
    shared: &'a Shared,
    request: Request,
    request_log: &'a RequestLog<'a>,
) -> Result<ClientRequest<'a>, Answer> {
    let (head, body) = request.into_parts();
    let address = super::admit(shared, &head, Action::Token).map_err(super::too_many)?;
    let wrong = |description| refused("invalid_request", description);
    if head.uri.query().is_some() {
        return Err(wrong("Send the parameters in the body, not in the URL."));
    }
    if !super::is_of_type(&head.headers, "application/x-www-form-urlencoded") {
        return Err(wrong("Send the parameters as application/x-www-form-urlencoded."));
    }
    let deadline = Instant::now() + shared.settings.request_deadline;
    let body =
        form::body(shared, body, Some(address), deadline).await.map_err(|fault| match fault {
            BodyFault::NoRoom => super::unavailable("overloaded"),
            _ => wrong("The body is too long or did not arrive in time."),
        })?;
    let form =
        Form::parse(&body.bytes).map_err(|_| wrong("A parameter is duplicated or invalid."))?;
    Ok(ClientRequest { shared, form, address, deadline, request_log })
}

impl ClientRequest<'_> {
    /// The storage, for the jobs of this client.
    fn db(&self) -> Db {
        self.shared.db_for(None, Some(self.address))
    }

    async fn issue_tokens(self) -> Result<Answer, Answer> {
        let grant_type = self.form.get("grant_type");
        if !matches!(grant_type, Some("authorization_code" | "refresh_token")) {
            let error =
                if grant_type.is_some() { "unsupported_grant_type" } else { "invalid_request" };
            return Err(refused(error, "grant_type must be authorization_code or refresh_token."));
        }
        let client_id = self.client().await?;
        let public_url = &self.shared.settings.public_url;
        if self.form.get("resource").is_some_and(|sent| !super::is_resource(public_url, sent)) {
            return Err(refused("invalid_target", "This server does not have this resource."));
        }
        if grant_type == Some("authorization_code") {
            self.by_code(client_id).await
        } else {
            self.by_refresh_token(client_id).await
        }
    }

    /// The id of the requesting client. An unknown client is asked to register again.
    async fn client(&self) -> Result<String, Answer> {
        let unknown = || Answer {
            status: StatusCode::UNAUTHORIZED,
            ..refused("invalid_client", "This client is not registered here: register again.")
        };
        let id = self.form.get("client_id").filter(|id| id.len() <= MAX_CLIENT_ID_LENGTH);
        let id = id.ok_or_else(unknown)?.to_owned();
        let searched = id.clone();
        let found = self.db().read(self.deadline, move |tx| clients::find(tx, &searched)).await;
        let found = found.map_err(|error| failed(&error, &self.request_log.id))?;
        found.map(|_| id).ok_or_else(unknown)
    }

    async fn by_code(self, client_id: String) -> Result<Answer, Answer> {
        let code = self.form.text("code");
        let Some(code) = Secret::parse_as(SecretKind::AuthorizationCode, code) else {
            return Err(invalid_grant());
        };
        let verifier = self.form.text("code_verifier").to_owned();
        let redirect_uri = self.form.get("redirect_uri").map(str::to_owned);
        let request = CodeRequest { client_id, code, verifier, redirect_uri };
        let environment = self.shared.environment.clone();
        let outcome = self.db().write(self.deadline, move |tx| {
            let outcome = tokens::exchange(tx, &environment, &request, Some(self.address))?;
            with_rights(tx, outcome, environment.clock.now())
        });
        answer(outcome.await, self.request_log)
    }

    async fn by_refresh_token(self, client_id: String) -> Result<Answer, Answer> {
        let token = self.form.text("refresh_token");
        let Some(token) = Secret::parse_as(SecretKind::RefreshToken, token) else {
            return Err(invalid_grant());
        };
        let scopes = self.form.get("scope").map(known_scopes).transpose()?.flatten();
        let request = RefreshRequest { client_id, token, scopes };
        let environment = self.shared.environment.clone();
        let outcome = self.db().write(self.deadline, move |tx| {
            let outcome = tokens::refresh(tx, &environment, &request, Some(self.address))?;
            with_rights(tx, outcome, environment.clock.now())
        });
        answer(outcome.await, self.request_log)
    }

    async fn revoke_token(self) -> Result<Answer, Answer> {
        let Some(token) = self.form.get("token") else {
            return Err(refused("invalid_request", "Send the token to revoke."));
        };
        let done = || Answer::empty(StatusCode::OK, "ok");
        let is_ours = |secret: &Secret| {
            matches!(secret.kind(), SecretKind::AccessToken | SecretKind::RefreshToken)
        };
        // Revoking an unknown token succeeds, because such a token is already invalid (RFC 7009, 2.2).
        let Some(token) = Secret::parse(token).filter(is_ours) else { return Ok(done()) };
        let client_id = self.form.get("client_id").map(str::to_owned);
        let environment = self.shared.environment.clone();
        let revoking = self.db().write(self.deadline, move |tx| {
            tokens::revoke(tx, &environment, client_id.as_deref(), &token, Some(self.address))
        });
        revoking.await.map_err(|error| failed(&error, &self.request_log.id))?;
        Ok(done())
    }
}

/// The scopes in a refresh request. `None` if the request names only `offline_access`, which has no effect.
fn known_scopes(list: &str) -> Result<Option<ScopeNames>, Answer> {
    let names = list.split_ascii_whitespace().filter(|name| *name != OFFLINE_ACCESS);
    let scopes = ScopeNames::parse(names).map_err(|_| invalid_scope())?;
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}

fn invalid_grant() -> Answer {
    refused("invalid_grant", "Invalid or expired code or token; start a new authorization.")
}

fn invalid_scope() -> Answer {
    refused(
        "invalid_scope",
        "The user did not grant all of these scopes; start a new authorization to ask for them.",
    )
}

/// Adds the rights of newly issued tokens to the outcome, for the log.
fn with_rights(
    tx: &mut ReadTx<'_>,
    outcome: TokenOutcome,
    now: Timestamp,
) -> Result<(TokenOutcome, Option<Rights>), Error> {
    let TokenOutcome::Issued(Issued { access, .. }) = &outcome else { return Ok((outcome, None)) };
    let caller = Bearer::new(access.expose()).caller(tx, &now)?;
    Ok((outcome, caller.ok().map(|caller| caller.rights)))
}

/// The answer to a token request.
fn answer(
    outcome: Result<(TokenOutcome, Option<Rights>), Error>,
    request_log: &RequestLog<'_>,
) -> Result<Answer, Answer> {
    let (outcome, granted) = outcome.map_err(|error| match error {
        Error::Conflict { retry_after_s: Some(seconds), .. } => super::too_many(seconds),
        error => failed(&error, &request_log.id),
    })?;
    if let Some(rights) = granted {
        // The cell is empty before: a request issues tokens only once.
        let _ = request_log.granted.set(rights);
    }
    match outcome {
        TokenOutcome::Issued(Issued { access, refresh, scopes, seconds }) => {
            let body = json!({
                "access_token": access.expose(),
                "token_type": "Bearer",
                "expires_in": seconds,
                "refresh_token": refresh.expose(),
                "scope": scopes.list(),
            });
            Ok(Answer::ok(body.to_string().into_bytes(), "ok"))
        }
        TokenOutcome::InvalidGrant => Err(invalid_grant()),
        TokenOutcome::InvalidScope => Err(invalid_scope()),
    }
}
