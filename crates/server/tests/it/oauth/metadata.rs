//! Discovery.

use serde_json::json;

use crate::http;
use crate::oauth::EVERY_SCOPE;
use crate::server::Server;

#[test]
fn a_client_that_knows_only_the_endpoint_finds_all_metadata() {
    let server = Server::start();
    let issuer = format!("http://{}", server.public);
    let bare = server.post_bare(&[], b"{}");
    let challenge = bare.header("www-authenticate").expect("a challenge");
    let named = format!("{issuer}/.well-known/oauth-protected-resource/api/mcp");
    assert!(challenge.contains(&format!("resource_metadata=\"{named}\"")), "{challenge}");
    let scopes: Vec<_> = EVERY_SCOPE.split(' ').collect();
    let with_refresh = [scopes.clone(), vec!["offline_access"]].concat();
    for path in
        ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/api/mcp"]
    {
        let reply = http::get(server.public, path);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            reply.json(),
            json!({
                "resource": format!("{issuer}/api/mcp"),
                "authorization_servers": [issuer],
                "scopes_supported": scopes,
                "bearer_methods_supported": ["header"],
                "resource_name": "Zoop",
            })
        );
    }
    let reply = http::get(server.public, "/.well-known/oauth-authorization-server");
    assert_eq!(
        reply.json(),
        json!({
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
            "scopes_supported": with_refresh,
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
        })
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(http::get(server.public, "/.well-known/openid-configuration").status, 404);
}

#[test]
fn no_host_header_changes_the_issuer() {
    let server = Server::start();
    let path = "/.well-known/oauth-authorization-server";
    // Every request of these tests also has the header Host: zoop.test.
    let headers = [("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example")];
    let reply = http::request(server.public, "GET", path, &headers, b"");
    assert_eq!(reply.json()["issuer"], format!("http://{}", server.public));
    assert!(!reply.body.contains("evil") && !reply.body.contains("zoop.test"), "{reply:?}");
}

#[test]
fn other_sites_may_read_what_clients_read_but_no_pages() {
    let server = Server::start();
    let origin = ("Origin", "https://inspector.example");
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/api/mcp",
        "/.well-known/oauth-authorization-server",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/register",
    ] {
        let method = if path.starts_with("/oauth") { "POST" } else { "GET" };
        let preflight = [origin, ("Access-Control-Request-Method", method)];
        let reply = http::request(server.public, "OPTIONS", path, &preflight, b"");
        assert_eq!(reply.status, 204, "{path}: {reply:?}");
        let header = |name| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("access-control-allow-origin"), "*", "{path}");
        assert!(header("access-control-allow-methods").contains(method), "{path}");
        let headers = header("access-control-allow-headers");
        assert!(headers.contains("content-type") && headers.contains("mcp-protocol-version"));
        assert_eq!(reply.header("access-control-allow-credentials"), None, "{path}");
        let reply = http::request(server.public, method, path, &[origin], b"");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let reply = http::request(server.public, "GET", "/oauth/authorize?x=1", &[origin], b"");
    assert_eq!(reply.header("access-control-allow-origin"), None);
}
