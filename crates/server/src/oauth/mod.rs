//! The authorization server over HTTP: its endpoints for clients, and its pages for users.
//!
//! | module | contains |
//! | --- | --- |
//! | `metadata` | discovery, for clients that know only the endpoint's URL |
//! | `register` | clients that register themselves |
//! | `documents`, `public` | clients whose metadata is a document at another server, which is fetched safely |
//! | `authorize`, `consent` | a client's request, and the page that asks the user |
//! | `token` | exchanges codes and refresh tokens for tokens; revokes tokens |
//!
//! The rules are in [`zoop_crm::identity::oauth`]. The issuer is the public URL, never the `Host` of a request. On
//! loopback, the resource has the name of this machine that its client used.

mod authorize;
mod consent;
pub(crate) mod documents;
mod metadata;
mod public;
mod register;
mod token;

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use url::Url;
use zoop_crm::call::error::Error;
use zoop_db::Db;

use crate::anonymous_limits::Action;
use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::web::browser::{SESSION, cookie_value};
use crate::web_origin::WebOrigin;

/// The endpoints for clients.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/oauth-protected-resource", get(metadata::resource).options(preflight))
        .route(
            "/.well-known/oauth-protected-resource/api/mcp",
            get(metadata::resource).options(preflight),
        )
        .route(
            "/.well-known/oauth-protected-resource/api/mcp/",
            get(metadata::resource).options(preflight),
        )
        .route("/.well-known/oauth-authorization-server", get(metadata::server).options(preflight))
        .route("/oauth/register", post(register::register).options(preflight))
        .route("/oauth/token", post(token::token).options(preflight))
        .route("/oauth/revoke", post(token::revoke).options(preflight))
}

/// The pages of the authorization server.
pub(crate) fn pages() -> Router<App> {
    Router::new().route("/oauth/authorize", get(authorize::ask).post(consent::answer))
}

/// The resource that tokens are for (RFC 8707).
pub(crate) fn resource(public_url: &str) -> String {
    format!("{public_url}/api/mcp")
}

/// Whether a client's `resource` is this server's endpoint. It may have any of the server's names, a trailing slash,
/// and any query.
fn is_resource(public_url: &WebOrigin, sent: &str) -> bool {
    let Ok(url) = Url::parse(sent) else { return false };
    WebOrigin::of(&url).is_some_and(|origin| public_url.is_also(&origin))
        && url.fragment().is_none()
        && matches!(url.path(), "/api/mcp" | "/api/mcp/")
}

/// Allows the pages of any origin to read an answer. Cookies have no effect on it, so any other client would get the
/// same answer.
fn open(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    open(headers);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "accept, authorization, content-type, mcp-protocol-version"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The IP address of the client.
fn address(shared: &Shared, head: &Parts) -> IpAddr {
    let client = shared.proxies.client(&head.extensions, &head.headers);
    client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The storage, for the jobs of a browser.
fn db(shared: &Shared, head: &Parts) -> Db {
    shared.db_for(cookie_value(&head.headers, SESSION), Some(address(shared, head)))
}

/// Counts a request for its IP address, before anything else is done. Returns the address, or as the error the
/// seconds to wait after too many requests.
fn admit(shared: &Shared, head: &Parts, action: Action) -> Result<IpAddr, u64> {
    let address = address(shared, head);
    shared.anonymous_limits.admit(action, address, shared.environment.clock.now())?;
    Ok(address)
}

/// Whether the body has this media type.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split_once(';').map_or(sent, |(essence, _)| essence);
    essence.trim().eq_ignore_ascii_case(media_type)
}

/// An error in the form that clients expect (RFC 6749, 5.2).
fn refused(error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description }).to_string();
    Answer { status: StatusCode::BAD_REQUEST, ..Answer::ok(body.into_bytes(), "refused") }
}

fn too_many(seconds: u64) -> Answer {
    Answer {
        status: StatusCode::TOO_MANY_REQUESTS,
        retry_after: Some(seconds),
        outcome: "rate_limited",
        ..refused(
            "temporarily_unavailable",
            "Too many requests from this address: try again later.",
        )
    }
}

fn unavailable(outcome: &'static str) -> Answer {
    Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry_after: Some(5),
        outcome,
        ..refused(
            "temporarily_unavailable",
            "The server is not available at the moment: try again later.",
        )
    }
}

/// The answer to a request that failed on the server; the cause is logged.
fn failed(error: &Error, request_id: &str) -> Answer {
    match error {
        Error::Unavailable { cause } => {
            tracing::debug!(request_id, %cause, "a request was answered 503");
            unavailable("unavailable")
        }
        Error::Internal { cause } => {
            tracing::error!(request_id, %cause, "a request failed");
            internal()
        }
        error => {
            tracing::error!(request_id, kind = error.kind(), "a request failed");
            internal()
        }
    }
}

fn internal() -> Answer {
    Answer {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        outcome: "internal",
        ..refused("server_error", "The server failed: try again later.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_may_have_a_trailing_slash_and_a_query() {
        let own = |text: &str| text.parse::<WebOrigin>().unwrap();
        let is_ours = |sent| is_resource(&own("https://crm.example.com"), sent);
        for sent in [
            "https://crm.example.com/api/mcp",
            "HTTPS://CRM.example.com:443/api/mcp",
            "https://crm.example.com./api/mcp",
            "https://crm.example.com/api/mcp/",
            "https://crm.example.com/api/mcp?readonly=true",
        ] {
            assert!(is_ours(sent), "{sent}");
        }
        for sent in [
            "https://crm.example.com",
            "https://crm.example.com/api/mcp//",
            "https://crm.example.com/api/mcp#f",
            "https://crm.example.com.evil.example/api/mcp",
            "http://crm.example.com/api/mcp",
            "https://user@crm.example.com/api/mcp",
            "https://crm.example.com/API/mcp",
            "https://crm.example.com:8443/api/mcp",
            "https://localhost/api/mcp",
            "https://other.example/api/mcp",
            "",
        ] {
            assert!(!is_ours(sent), "{sent}");
        }
        let is_local = |sent| is_resource(&own("http://127.0.0.1:8080"), sent);
        assert!(
            is_local("HTTP://127.0.0.1:8080/api/mcp") && is_local("http://localhost:8080/api/mcp")
        );
        assert!(!is_local("http://localhost/api/mcp") && !is_local("http://10.0.0.1:8080/api/mcp"));
    }
}
