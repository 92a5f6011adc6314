//! Discovery: everything that a client must know besides the endpoint's URL.
//!
//! Sources: RFC 9728 (the resource), RFC 8414 (the authorization server), and
//! draft-ietf-oauth-client-id-metadata-document.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use zoop_crm::call::scope::{Scope, Scopes};

use super::token::OFFLINE_ACCESS;
use crate::app::App;

/// Short, so that clients soon see a changed setting.
const CACHE_CONTROL_VALUE: &str = "public, max-age=300";

/// The metadata of the protected resource. Clients compare `resource` with the URL that they were given. On loopback
/// that URL may use another name of this machine; the issuer is always the public URL.
pub(super) async fn resource(State(app): State<App>, target: Uri, headers: HeaderMap) -> Response {
    let public_url = &app.shared.settings.public_url;
    answer(&json!({
        "resource": super::resource(&public_url.asked_at(&target, &headers)),
        "authorization_servers": [&**public_url],
        "scopes_supported": Scope::GRANTABLE,
        "bearer_methods_supported": ["header"],
        "resource_name": "Zoop",
    }))
}

/// The metadata of the authorization server. `none` is the only authentication method listed, so that clients that
/// support several methods choose it.
pub(super) async fn server(State(app): State<App>) -> Response {
    let issuer = &*app.shared.settings.public_url;
    let mut scopes: Vec<_> = Scopes::of(Scope::GRANTABLE).iter().map(Scope::name).collect();
    scopes.push(OFFLINE_ACCESS);
    answer(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "registration_endpoint": format!("{issuer}/oauth/register"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": scopes,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    }))
}

fn answer(metadata: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL_VALUE)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let mut response = (headers, metadata.to_string()).into_response();
    super::open(response.headers_mut());
    response
}
