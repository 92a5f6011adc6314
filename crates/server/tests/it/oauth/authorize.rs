//! Authorization requests, valid and invalid.

use serde_json::json;
use zoop_both::both;
use zoop_crm::call::access::Role;
use zoop_crm::call::scope::Scope;

use super::{
    Browser, CHALLENGE, EVERY_SCOPE, Program, REDIRECT, check_token, consent_request, link_target,
    redirect_target, register, tokens, value,
};
use crate::http::Reply;
use crate::server::Server;

/// Checks that an answer is a page of our own, without a redirect.
#[track_caller]
fn assert_stopped(reply: &Reply) {
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(reply.header("location"), None);
    assert!(!reply.body.contains("refresh") && reply.body.contains("cannot be connected"));
}

#[both]
fn nothing_is_sent_to_an_unregistered_redirect_uri() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    for uri in [
        "https://evil.example/callback",
        "https://program.example/callback/",
        "https://program.example/callback?x=1",
        "https://program.example/callback#f",
        "https://user@program.example/callback",
        "https://program.example:8443/callback",
        "http://program.example/callback",
        "javascript:alert(1)",
        "//program.example/callback",
    ] {
        assert_stopped(&browser.ask(&program.query(&[("redirect_uri", uri)])));
    }
    for id in ["", "nobody", "zoop_cl_nonsense", "http://program.example/x"] {
        assert_stopped(&browser.ask(&program.query(&[("client_id", id)])));
    }
    assert_stopped(&browser.ask(""));
    for again in ["client_id", "redirect_uri", "state", "scope", "code_challenge", "anything"] {
        let query = format!("{}&{again}=x&{again}=y", program.query(&[]));
        assert_stopped(&browser.ask(&query));
    }
    let long = "x".repeat(8 * 1024);
    assert_stopped(&browser.ask(&program.query(&[("state", &long)])));
}

#[both]
fn an_invalid_request_of_a_known_client_links_back_without_redirecting() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let issuer = format!("http://{}", server.public);
    for (change, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "code id_token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("resource", "https://other.example/api/mcp"), "invalid_target"),
        (("resource", issuer.as_str()), "invalid_target"),
        (("scope", "operate"), "invalid_scope"),
        (("scope", "administer everything"), "invalid_scope"),
    ] {
        let reply = browser.ask(&program.query(&[change]));
        assert!(reply.body.contains("<strong>program.example</strong>"), "{reply:?}");
        let (address, pairs) = link_target(&reply);
        assert_eq!(address, REDIRECT, "{change:?}");
        assert_eq!(value(&pairs, "error"), Some(error), "{change:?}");
        assert_eq!(value(&pairs, "state"), Some("s&t=a te"), "{change:?}");
        assert_eq!(value(&pairs, "iss"), Some(issuer.as_str()), "{change:?}");
        assert_eq!(value(&pairs, "code"), None, "{change:?}");
    }
}

#[both]
fn a_request_may_omit_parameters_with_only_one_choice() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let all = |scope: &str| {
        let page = browser.ask(&program.query(&[("scope", scope), ("redirect_uri", "")]));
        assert_eq!(page.status, 200, "{page:?}");
        page.body.matches("type=\"checkbox\"").count()
    };
    let every = EVERY_SCOPE.split(' ').count();
    assert_eq!(all(""), every, "as many as the challenge names");
    assert_eq!(all("offline_access"), every);
    assert_eq!(all("read:notes offline_access unheard:of"), 1);
}

#[both]
fn a_loopback_client_may_use_any_port_and_the_page_warns() {
    let server = Server::start();
    let browser = Browser::signed_in(&server, &server.business.owner);
    let uris = ["http://127.0.0.1:33418/callback", "cursor://some.program/callback"];
    let reply = register(&server, &json!({ "client_name": "Local", "redirect_uris": uris }));
    let program = Program {
        server: &server,
        id: reply.json()["client_id"].as_str().expect("an id").to_owned(),
    };
    for (uri, host) in [
        ("http://127.0.0.1:50123/callback", "127.0.0.1"),
        ("cursor://some.program/callback", "cursor:"),
    ] {
        let page = browser.ask(&program.query(&[("redirect_uri", uri)]));
        assert!(page.body.contains("own device"), "{page:?}");
        assert!(page.body.contains(&format!("<strong>{host}</strong>")), "{page:?}");
        let reply = browser.allow(&consent_request(&page), &server.business, "read:notes");
        let (address, pairs) = redirect_target(&reply);
        assert_eq!(address, uri);
        let code = value(&pairs, "code").expect("a code");
        let refused = program.exchange(code, &[("redirect_uri", uris[0])]);
        assert_eq!(refused.status == 400, uri != uris[0], "{refused:?}");
        let done = program.exchange(code, &[("redirect_uri", uri)]);
        assert_eq!(check_token(&server, &tokens(&done).access), Ok(()));
    }
    // Two addresses are registered, so one must be named.
    assert_stopped(&browser.ask(&program.query(&[("redirect_uri", "")])));
    assert_stopped(&browser.ask(&program.query(&[("redirect_uri", "http://localhost/callback")])));
}

#[both]
fn a_client_name_is_escaped_on_the_page() {
    let server = Server::start();
    let browser = Browser::signed_in(&server, &server.business.owner);
    let name = "<script>alert(1)</script>\" onload=\"x";
    let reply = register(&server, &json!({ "client_name": name, "redirect_uris": [REDIRECT] }));
    let id = reply.json()["client_id"].as_str().expect("an id").to_owned();
    let program = Program { server: &server, id };
    let page = browser.ask(&program.query(&[("state", "\"><img src=x>")]));
    assert!(!page.body.contains("<script>") && !page.body.contains("onload=\""), "{page:?}");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(
        page.header("referrer-policy"),
        Some("same-origin"),
        "the page's own form sends an origin"
    );
    let reply = browser.allow(&consent_request(&page), &server.business, "read:notes");
    assert!(!reply.body.contains("<img"), "{reply:?}");
    assert_eq!(value(&redirect_target(&reply).1, "state"), Some("\"><img src=x>"));
}

#[both]
fn a_user_is_not_asked_for_scopes_their_role_lacks() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.tech);
    let page = browser.ask(&program.query(&[]));
    let of_role = Scope::GRANTABLE.iter().filter(|scope| Role::Tech.scopes().has(**scope));
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), of_role.count(), "{page:?}");
    assert!(!page.body.contains("write:customers\" value"), "{page:?}");
    let reply = browser.ask(&program.query(&[("scope", "write:customers")]));
    assert_eq!(value(&link_target(&reply).1, "error"), Some("access_denied"));
    // A scope that was never offered does not count as declined.
    let ticked = "read:customers read:notes write:notes write:customers";
    let tokens = program.connect(&browser, &server.business, ticked);
    assert_eq!(tokens.scope, "read:customers read:notes write:notes");
    assert_eq!(CHALLENGE.len(), 43);
}
