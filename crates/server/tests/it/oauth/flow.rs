//! The whole flow: registration, consent, tokens, calls, refresh and revocation.

use serde_json::json;
use zoop_both::both;
use zoop_crm::catalog;

use super::{
    Browser, EVERY_SCOPE, Program, REDIRECT, assert_refused, check_token, consent_request,
    event_count, history, redirect_target, send, tokens, value,
};
use crate::http;
use crate::server::Server;

#[both]
fn a_client_is_connected_used_refreshed_and_disconnected() {
    let server = Server::start();
    let program = Program::register(&server);

    // No one is signed in: the browser signs in first and then comes back to the same request.
    let query = program.query(&[]);
    let reply = http::get(server.public, &format!("/oauth/authorize?{query}"));
    assert_eq!(reply.status, 303, "{reply:?}");
    let next = super::encode_form(&[("next", &format!("/oauth/authorize?{query}"))]);
    assert_eq!(reply.header("location"), Some(format!("/sign-in?{next}").as_str()));

    let browser = Browser::signed_in(&server, &server.business.owner);
    let page = browser.ask(&query);
    assert_eq!(page.status, 200, "{page:?}");
    for word in [
        "Connect <bdi>Program</bdi>?",
        "<bdi>Olive Owner</bdi>",
        "<bdi>owner@acme.example</bdi>",
        "This program is unverified.",
        "program.example",
        "<bdi>Acme</bdi>",
    ] {
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
    let every = EVERY_SCOPE.split(' ').count();
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), every);
    assert_eq!(page.body.matches(" checked").count(), every);
    assert!(!page.body.contains("own device"), "the program is not on this device");

    let reply = browser.allow(&consent_request(&page), &server.business, EVERY_SCOPE);
    let (address, pairs) = redirect_target(&reply);
    assert_eq!(address, REDIRECT);
    assert_eq!(value(&pairs, "state"), Some("s&t=a te"));
    assert_eq!(value(&pairs, "iss"), Some(format!("http://{}", server.public).as_str()));
    assert_eq!(pairs.len(), 3, "{pairs:?}");

    let code = value(&pairs, "code").expect("a code");
    let first = tokens(&program.exchange(code, &[("resource", &server_resource(&server))]));
    assert_eq!(first.scope, EVERY_SCOPE);
    let listed = server.ask(&first.access, "/api/mcp", "tools/list", json!({}));
    let tools = listed.json()["result"]["tools"].as_array().map(Vec::len);
    assert_eq!(tools, Some(catalog::mcp_tools().count()));

    let second = tokens(&program.refresh(&first.refresh, &[]));
    assert_eq!(second.scope, EVERY_SCOPE);
    assert!(first.access != second.access && first.refresh != second.refresh);
    assert_eq!(check_token(&server, &first.access), Ok(()), "an access token lasts for its hour");
    assert_eq!(check_token(&server, &second.access), Ok(()));

    let revoked = send(&server, "/oauth/revoke", &[("token", &second.refresh)]);
    assert_eq!((revoked.status, revoked.body.as_str()), (200, ""));
    assert_eq!(check_token(&server, &first.access), Err("key_revoked".to_owned()));
    assert_eq!(check_token(&server, &second.access), Err("key_revoked".to_owned()));
    assert_refused(&program.refresh(&second.refresh, &[]), 400, "invalid_grant");

    let entries = history(&server, &server.business);
    let names: Vec<_> =
        entries.iter().map(|entry| entry["tool"].as_str().expect("a name")).collect();
    assert_eq!(names[..3], ["grant_revoked", "consent", "sign_in"]);
    let consent = &entries[1];
    assert_eq!(consent["client"], "Program");
    assert_eq!(consent["address"], "127.0.0.1");
    assert_eq!(consent["user_id"], entries[0]["user_id"]);
    let field = |name: &str| {
        let changes = consent["changes"].as_array().expect("changes");
        let change = changes.iter().find(|change| change["field"] == name);
        change.unwrap_or_else(|| panic!("{consent}"))["new"].clone()
    };
    assert_eq!(field("client_id"), program.id.as_str());
    assert_eq!(field("redirect_host"), "program.example");
    assert_eq!(field("scopes"), EVERY_SCOPE);
    assert_eq!(field("declined"), "");
}

fn server_resource(server: &Server) -> String {
    format!("http://{}/api/mcp/", server.public)
}

#[both]
fn the_history_records_a_calls_user_client_and_grant() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let tokens = program.connect(&browser, &server.business, EVERY_SCOPE);
    let call = json!({ "name": "notes.create", "arguments": { "body": "By a program." } });
    assert!(!server.ask(&tokens.access, "/api/mcp", "tools/call", call).tool().0);
    let entry = &history(&server, &server.business)[0];
    let user = zoop_crm::testing::Business::user(&server.business.owner).to_string();
    assert_eq!((&entry["tool"], &entry["client"]), (&json!("notes.create"), &json!("Program")));
    assert_eq!(entry["user_id"], user.as_str());
    let grants =
        server.env.call_as_operator(Some(server.business.account), "grants.list", json!({}));
    assert_eq!(entry["credential_id"], grants["rows"][0]["id"]);
}

#[both]
fn no_secret_reaches_the_log() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let (_, pairs) = redirect_target(&browser.allow(&request, &server.business, EVERY_SCOPE));
    let code = value(&pairs, "code").expect("a code");
    let first = tokens(&program.exchange(code, &[]));
    let second = tokens(&program.refresh(&first.refresh, &[]));
    send(&server, "/oauth/revoke", &[("token", &second.access)]);
    program.exchange(code, &[]);
    let log = server.log.text();
    let cookie = browser.cookie.split_once('=').expect("a value").1;
    for secret in [
        cookie,
        &request,
        code,
        &first.access,
        &first.refresh,
        &second.access,
        &second.refresh,
        super::VERIFIER,
        "owner@acme.example",
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(log.contains("oauth/token"), "the requests themselves are logged");
    assert_eq!(event_count(&server, &server.business, "token_revoked"), 1);
}
