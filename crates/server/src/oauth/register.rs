//! `POST /oauth/register`: dynamic client registration (RFC 7591), for clients that do not support metadata
//! documents yet. A registration grants nothing.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::identity::oauth::clients::{self, Client, Metadata, MetadataFault, Registration};

use crate::anonymous_limits::Action;
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::bodies::BodyFault;
use crate::peer::client_prefix;
use crate::request_log::RequestLog;
use crate::web::form;

/// `POST /oauth/register`
pub(super) async fn register(State(app): State<App>, request: Request) -> Response {
    let mut request_log = RequestLog::start(&app.shared, &request);
    request_log.tool = "oauth/register";
    let answer =
        try_register(&app.shared, request, &request_log).await.unwrap_or_else(|refusal| refusal);
    let mut response = request_log.finish(answer);
    super::open(response.headers_mut());
    response
}

async fn try_register(
    shared: &Shared,
    request: Request,
    request_log: &RequestLog<'_>,
) -> Result<Answer, Answer> {
    let (head, body) = request.into_parts();
    let address = super::admit(shared, &head, Action::Registration).map_err(super::too_many)?;
    let deadline = Instant::now() + shared.settings.request_deadline;
    let wrong = |description| super::refused("invalid_client_metadata", description);
    if !super::is_of_type(&head.headers, "application/json") {
        return Err(wrong("Send the metadata as application/json."));
    }
    let body =
        form::body(shared, body, Some(address), deadline).await.map_err(|fault| match fault {
            BodyFault::NoRoom => super::unavailable("overloaded"),
            _ => wrong("The metadata is longer than 64 KiB or did not arrive."),
        })?;
    let sent: Value =
        serde_json::from_slice(&body.bytes).map_err(|_| wrong("The body is not valid JSON."))?;
    let metadata = Metadata::read(&sent).map_err(|fault| match fault {
        MetadataFault::NotAnObject => wrong("The metadata must be a JSON object."),
        MetadataFault::RedirectUris => super::refused(
            "invalid_redirect_uri",
            "redirect_uris must be 1 to 20 addresses that begin with https, with http on loopback, or \
             with a scheme of the program's own, without a fragment.",
        ),
    })?;
    let environment = shared.environment.clone();
    let from = client_prefix(address).to_string();
    let registration = shared
        .db_for(None, Some(address))
        .write(deadline, move |tx| clients::register(tx, &environment, &metadata, &from))
        .await
        .map_err(|error| match error {
            Error::Conflict { retry_after_s: Some(seconds), .. } => super::too_many(seconds),
            error => super::failed(&error, &request_log.id),
        })?;
    match registration {
        Registration::Done(client) => {
            let status = StatusCode::CREATED;
            let issued_at = shared.environment.clock.now().0.div_euclid(1_000_000);
            let body = client_information(&client, issued_at).to_string();
            Ok(Answer { status, ..Answer::ok(body.into_bytes(), "ok") })
        }
        Registration::Full => Err(super::unavailable("overloaded")),
    }
}

/// The values that were registered, which may differ from those that the client sent (RFC 7591, 3.2.1).
fn client_information(client: &Client, issued_at: i64) -> Value {
    json!({
        "client_id": client.id,
        "client_id_issued_at": issued_at,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": Scopes::of(Scope::GRANTABLE).list(),
    })
}
