//! Clients that register themselves.

use serde_json::{Value, json};
use zoop_both::both;

use super::{REDIRECT, assert_refused, register};
use crate::http;
use crate::server::Server;

#[both]
fn a_registration_returns_the_values_in_effect() {
    let server = Server::start();
    let reply = register(
        &server,
        &json!({
            "client_name": "Pro\u{202e}gram\n",
            "redirect_uris": [REDIRECT, "http://127.0.0.1:33418/"],
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
            "scope": "operate",
            "application_type": "native",
            "software_id": { "anything": [1, 2, 3] },
        }),
    );
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let mut answer = reply.json();
    let id = answer["client_id"].take();
    assert!(id.as_str().is_some_and(|id| id.starts_with("zoop_cl_")), "{id}");
    assert_eq!(
        answer,
        json!({
            "client_id": null,
            "client_id_issued_at": 1_781_373_600,
            "client_name": "Program",
            "redirect_uris": [REDIRECT, "http://127.0.0.1:33418/"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": super::EVERY_SCOPE,
        })
    );
}

#[test]
fn invalid_metadata_is_rejected_with_the_errors_of_the_rfc() {
    let server = Server::start();
    for uris in [
        Value::Null,
        json!([]),
        json!(["javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["http://program.example/callback"]),
        json!(["https://user@program.example/callback"]),
        json!(["https://program.example/callback#fragment"]),
        json!([REDIRECT, "nonsense"]),
    ] {
        let reply = register(&server, &json!({ "redirect_uris": uris }));
        assert_refused(&reply, 400, "invalid_redirect_uri");
    }
    assert_refused(&register(&server, &json!([])), 400, "invalid_client_metadata");
    let send = |kind: &str, body: &[u8]| {
        http::request(server.public, "POST", "/oauth/register", &[("Content-Type", kind)], body)
    };
    assert_refused(&send("application/json", b"{"), 400, "invalid_client_metadata");
    assert_refused(&send("text/plain", b"{}"), 400, "invalid_client_metadata");
    let long = vec![b' '; 64 * 1024 + 1];
    assert_refused(&send("application/json", &long), 400, "invalid_client_metadata");
}

#[both]
fn an_address_registers_twenty_clients_an_hour() {
    let server = Server::start();
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    for _ in 0..20 {
        assert_eq!(register(&server, &metadata).status, 201);
    }
    let reply = register(&server, &metadata);
    assert_refused(&reply, 429, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), Some("3600"));
    server.env.clock.advance(3_600_000);
    assert_eq!(register(&server, &metadata).status, 201);
}
