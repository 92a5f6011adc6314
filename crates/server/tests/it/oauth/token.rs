//! Codes and refresh tokens: what they are valid for, for how long, and how a copy is detected.

use serde_json::json;
use zoop_both::both;

use super::{
    Browser, CHALLENGE, EVERY_SCOPE, Program, VERIFIER, assert_refused, check_token, encode_form,
    event_count, send, tokens,
};
use crate::http;
use crate::server::Server;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[both]
fn a_code_is_valid_only_with_its_pkce_verifier() {
    let server = Server::start();
    let program = Program::register(&server);
    let other_program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    for change in [
        ("code_verifier", ""),
        ("code_verifier", "wrong"),
        ("code_verifier", CHALLENGE),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"),
        ("redirect_uri", "https://program.example/other"),
        ("client_id", other_program.id.as_str()),
        ("code", ""),
        ("code", "zoop_ac_nonsense"),
    ] {
        assert_refused(&program.exchange(&code, &[change]), 400, "invalid_grant");
    }
    for (change, status, error) in [
        (("client_id", ""), 401, "invalid_client"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("resource", "https://other.example/api/mcp"), 400, "invalid_target"),
        (("grant_type", ""), 400, "invalid_request"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("grant_type", "client_credentials"), 400, "unsupported_grant_type"),
    ] {
        assert_refused(&program.exchange(&code, &[change]), status, error);
    }
    // None of these used up the code. OAuth 2.1 allows omitting the redirect URI, because PKCE binds the code.
    let done = tokens(&program.exchange(&code, &[("redirect_uri", "")]));
    assert_eq!(check_token(&server, &done.access), Ok(()));
}

#[both]
fn a_code_is_valid_for_a_minute() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = || program.code(&browser, &server.business, EVERY_SCOPE);
    let (first, second) = (code(), code());
    server.env.clock.advance(MINUTE - 1);
    tokens(&program.exchange(&first, &[]));
    server.env.clock.advance(1);
    assert_refused(&program.exchange(&second, &[]), 400, "invalid_grant");
}

#[both]
fn reusing_an_authorization_code_revokes_its_tokens() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let other = program.connect(&browser, &server.business, EVERY_SCOPE);
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    let first = tokens(&program.exchange(&code, &[]));
    let second = tokens(&program.refresh(&first.refresh, &[]));
    // The reuse counts even without the verifier.
    server.env.clock.advance(10 * MINUTE);
    assert_refused(&program.exchange(&code, &[("code_verifier", "")]), 400, "invalid_grant");
    for token in [&first.access, &second.access] {
        assert_eq!(check_token(&server, token), Err("key_revoked".to_owned()));
    }
    assert_refused(&program.refresh(&second.refresh, &[]), 400, "invalid_grant");
    assert_eq!(check_token(&server, &other.access), Ok(()), "another grant is not revoked");
    assert_refused(&program.exchange(&code, &[]), 400, "invalid_grant");
    assert_eq!(event_count(&server, &server.business, "code_replayed"), 1, "recorded once");
}

#[both]
fn an_access_token_lasts_an_hour() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let tokens = program.connect(&browser, &server.business, EVERY_SCOPE);
    server.env.clock.advance(60 * MINUTE - 1);
    assert_eq!(check_token(&server, &tokens.access), Ok(()));
    server.env.clock.advance(1);
    assert_eq!(check_token(&server, &tokens.access), Err("expired".to_owned()));
    assert_eq!(check_token(&server, &tokens.refresh), Err("invalid_token".to_owned()));
}

#[both]
fn a_refresh_token_lasts_thirty_days_and_its_grant_half_a_year() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let idle = program.connect(&browser, &server.business, EVERY_SCOPE);
    let mut used = program.connect(&browser, &server.business, EVERY_SCOPE);
    server.env.clock.advance(30 * DAY - 1);
    used = tokens(&program.refresh(&used.refresh, &[]));
    server.env.clock.advance(1);
    assert_refused(&program.refresh(&idle.refresh, &[]), 400, "invalid_grant");
    for _ in 0..5 {
        server.env.clock.advance(29 * DAY);
        used = tokens(&program.refresh(&used.refresh, &[]));
    }
    // 175 days have passed.
    server.env.clock.advance(5 * DAY - 1);
    used = tokens(&program.refresh(&used.refresh, &[]));
    assert_eq!(check_token(&server, &used.access), Ok(()));
    server.env.clock.advance(1);
    assert_refused(&program.refresh(&used.refresh, &[]), 400, "invalid_grant");
    assert_eq!(
        check_token(&server, &used.access),
        Err("expired".to_owned()),
        "the token ends with its grant"
    );
}

#[both]
fn a_rotated_refresh_token_is_accepted_for_two_minutes_and_then_ends_the_grant() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let second = tokens(&program.refresh(&first.refresh, &[]));
    server.env.clock.advance(2 * MINUTE);
    let third = tokens(&program.refresh(&first.refresh, &[]));
    assert_eq!((&third.access, &third.refresh), (&second.access, &second.refresh), "the same pair");
    assert_eq!((second.seconds, third.seconds), (3_600, 3_480), "what is left of the hour");
    assert_eq!(check_token(&server, &third.access), Ok(()));
    let less = tokens(&program.refresh(&first.refresh, &[("scope", "read:notes")]));
    assert_eq!(less.refresh, second.refresh, "one chain, whatever scopes are requested");
    assert_ne!(less.access, second.access);
    let fourth = tokens(&program.refresh(&third.refresh, &[]));
    assert_ne!(fourth.refresh, third.refresh);
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 0);
    server.env.clock.advance(1);
    // Repeating the first token did not extend its two minutes.
    assert_refused(&program.refresh(&first.refresh, &[]), 400, "invalid_grant");
    for token in [&first, &second, &third, &fourth] {
        assert_eq!(check_token(&server, &token.access), Err("key_revoked".to_owned()));
        assert_refused(&program.refresh(&token.refresh, &[]), 400, "invalid_grant");
    }
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 1, "recorded once");
}

#[both]
fn a_token_dated_by_a_fast_clock_lasts_no_longer_than_others() {
    let server = Server::start();
    let program = Program::register(&server);
    let years = 2 * 365 * DAY;
    server.env.clock.advance(years);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let second = tokens(&program.refresh(&first.refresh, &[]));
    server.env.clock.advance(-years);
    assert_eq!(check_token(&server, &second.access), Err("expired".to_owned()));
    let third = tokens(&program.refresh(&second.refresh, &[]));
    assert_eq!(check_token(&server, &third.access), Ok(()));
    // The corrected clock cannot tell how long ago the first token was exchanged.
    assert_refused(&program.refresh(&first.refresh, &[]), 400, "invalid_grant");
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 1);
}

#[both]
fn a_refresh_can_narrow_scopes_and_never_widen_them() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, "read:customers read:notes");
    for scope in ["read:customers write:customers", "operate", "write:notes"] {
        let refused = program.refresh(&first.refresh, &[("scope", scope)]);
        assert_refused(&refused, 400, "invalid_scope");
    }
    let less = tokens(&program.refresh(&first.refresh, &[("scope", "read:notes offline_access")]));
    assert_eq!(less.scope, "read:notes");
    let search = json!({ "name": "customers.search", "arguments": {} });
    let reply = server.ask(&less.access, "/api/mcp", "tools/call", search.clone());
    assert_eq!(reply.status, 403, "{reply:?}");
    // The new refresh token can request as much as the old one.
    let whole = tokens(&program.refresh(&less.refresh, &[]));
    assert_eq!(whole.scope, "read:customers read:notes");
    assert!(!server.ask(&whole.access, "/api/mcp", "tools/call", search).tool().0);
}

#[both]
fn a_refresh_token_is_valid_only_for_its_client() {
    let server = Server::start();
    let program = Program::register(&server);
    let other_program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let tokens = program.connect(&browser, &server.business, EVERY_SCOPE);
    assert_refused(&other_program.refresh(&tokens.refresh, &[]), 400, "invalid_grant");
    assert_refused(&program.refresh(&tokens.access, &[]), 400, "invalid_grant");
    assert_refused(&program.refresh("", &[]), 400, "invalid_grant");
    let gone = program.refresh(&tokens.refresh, &[("client_id", "zoop_cl_nonsense")]);
    assert_refused(&gone, 401, "invalid_client");
    let pairs = [("token", tokens.refresh.as_str()), ("client_id", &other_program.id)];
    assert_eq!(send(&server, "/oauth/revoke", &pairs).status, 200);
    assert_eq!(
        check_token(&server, &tokens.access),
        Ok(()),
        "another client cannot revoke the token"
    );
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 0);
}

#[both]
fn revoking_an_access_token_keeps_the_others_and_revoking_an_unknown_one_succeeds() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let second = tokens(&program.refresh(&first.refresh, &[]));
    let revoke = |pairs: &[(&str, &str)]| send(&server, "/oauth/revoke", pairs);
    let hint = ("token_type_hint", "refresh_token");
    for _ in 0..2 {
        assert_eq!(
            revoke(&[("token", &first.access), hint, ("client_id", &program.id)]).status,
            200
        );
    }
    assert_eq!(check_token(&server, &first.access), Err("key_revoked".to_owned()));
    assert_eq!(check_token(&server, &second.access), Ok(()));
    for token in ["nonsense", "zoop_rt_nonsense", server.business.owner_key.as_str()] {
        assert_eq!(revoke(&[("token", token)]).status, 200);
    }
    assert_eq!(check_token(&server, &server.business.owner_key), Ok(()));
    assert_refused(&revoke(&[]), 400, "invalid_request");
    assert_refused(&revoke(&[("token", "x"), ("token", "y")]), 400, "invalid_request");
    assert_eq!(event_count(&server, &server.business, "token_revoked"), 1);
}

#[both]
fn parameters_in_the_url_duplicates_and_json_are_rejected() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", program.id.as_str()),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let query = format!("/oauth/token?{}", encode_form(&pairs));
    assert_refused(&send(&server, &query, &[]), 400, "invalid_request");
    assert_refused(&send(&server, "/oauth/token?x=1", &pairs), 400, "invalid_request");
    let twice = [&pairs[..], &[("client_id", "other")]].concat();
    assert_refused(&send(&server, "/oauth/token", &twice), 400, "invalid_request");
    let body = encode_form(&pairs);
    for kind in ["application/json", "multipart/form-data", ""] {
        let kind = [("Content-Type", kind)];
        let reply = http::request(server.public, "POST", "/oauth/token", &kind, body.as_bytes());
        assert_refused(&reply, 400, "invalid_request");
    }
    assert_eq!(http::get(server.public, "/oauth/token").status, 405);
    tokens(&send(&server, "/oauth/token", &pairs));
}

#[both]
fn token_requests_are_limited_by_address() {
    let server = Server::start();
    for _ in 0..120 {
        assert_refused(&send(&server, "/oauth/token", &[]), 400, "invalid_request");
    }
    let reply = send(&server, "/oauth/token", &[]);
    assert_refused(&reply, 429, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), Some("60"));
    assert_eq!(server.owner("ping", json!({})).status, 200, "a caller with a token is not limited");
}

#[both]
fn a_connection_is_refreshed_a_hundred_and_twenty_times_an_hour() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let other = program.connect(&browser, &server.business, EVERY_SCOPE);
    let mut last = first.clone();
    for n in 0..120 {
        // This stays below the limit for the address, which is per minute.
        server.env.clock.advance(1_000);
        // Repeating the first token counts as a refresh, too.
        let token = if n % 2 == 0 { &first } else { &last };
        last = tokens(&program.refresh(&token.refresh, &[]));
    }
    let refused = program.refresh(&last.refresh, &[]);
    assert_refused(&refused, 429, "temporarily_unavailable");
    assert_eq!(refused.header("retry-after"), Some("3481"));
    tokens(&program.refresh(&other.refresh, &[]));
    server.env.clock.advance(60 * MINUTE);
    tokens(&program.refresh(&last.refresh, &[]));
}

#[both]
fn a_nul_character_is_rejected_like_any_invalid_value() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    assert_refused(&program.refresh("x", &[("client_id", "a\0b")]), 400, "invalid_request");
    for change in [("client_id", "https://a.example/\0"), ("redirect_uri", "https://a.example/\0")]
    {
        assert_eq!(browser.ask(&program.query(&[change])).status, 400, "{change:?}");
    }
    let wrong = browser.ask(&program.query(&[("state", "a\0b")]));
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let metadata = json!({ "client_name": "a\0b", "redirect_uris": [super::REDIRECT] });
    assert_eq!(super::register(&server, &metadata).status, 201);
    let form = [("email", "a\0b@acme.example"), ("password", "correct horse")];
    let origin = format!("http://{}", server.public);
    let headers =
        [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin.as_str())];
    let body = encode_form(&form);
    let reply = http::request(server.public, "POST", "/sign-in", &headers, body.as_bytes());
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(http::get(server.public, "/sign-in?next=%00").status, 400);
}
