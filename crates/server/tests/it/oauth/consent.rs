//! The consent page, and which answers are accepted.

use serde_json::json;
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{
    Browser, EVERY_SCOPE, Program, TECH_SCOPES, assert_refused, consent_request, event_count,
    history, redirect_target, tokens, value,
};
use crate::http::Reply;
use crate::server::Server;

#[track_caller]
fn assert_over(reply: &Reply) {
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.body.contains("This request is over"), "{reply:?}");
}

#[both]
fn a_denial_is_sent_to_the_client_and_recorded() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let tenant = server.business.account.id.to_string();
    let deny = [("request", request.as_str()), ("business", &tenant), ("decision", "deny")];
    let (_, pairs) = redirect_target(&browser.answer(&deny));
    assert_eq!(value(&pairs, "error"), Some("access_denied"));
    assert_eq!(value(&pairs, "iss"), Some(format!("http://{}", server.public).as_str()));
    assert_eq!(value(&pairs, "state"), Some("s&t=a te"));
    assert_over(&browser.allow(&request, &server.business, EVERY_SCOPE));
    let entry = &history(&server, &server.business)[0];
    assert_eq!((&entry["tool"], &entry["client"]), (&json!("consent_refused"), &json!("Program")));
    assert_eq!(event_count(&server, &server.business, "consent"), 0);
}

#[both]
fn a_declined_scope_is_remembered_and_not_requested_by_calls() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let customer = json!({ "name": "customers.create",
                           "arguments": { "customer_type": "company", "company_name": "A" } });
    let tools = |token: &str| {
        let listed = server.ask(token, "/api/mcp", "tools/list", json!({})).json();
        let tools = listed["result"]["tools"].as_array().expect("tools").clone();
        let names = tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned());
        names.collect::<Vec<_>>()
    };

    // The scope was requested and unticked: the tool is not listed, and a call gets a tool error, as with a key.
    let declined = program.connect(&browser, &server.business, "read:customers read:notes");
    assert_eq!(declined.scope, "read:customers read:notes");
    let reply = server.ask(&declined.access, "/api/mcp", "tools/call", customer.clone());
    assert_eq!(reply.tool().1["kind"], "insufficient_scope");
    assert!(!tools(&declined.access).contains(&"customers.create".to_owned()));

    // The scope was never requested: the tool is listed, and a call gets a challenge with the scopes to request.
    let request = consent_request(&browser.ask(&program.query(&[("scope", "read:customers")])));
    let (_, pairs) = redirect_target(&browser.allow(&request, &server.business, "read:customers"));
    let code = value(&pairs, "code").expect("a code");
    let narrow = tokens(&program.exchange(code, &[]));
    assert!(tools(&narrow.access).contains(&"customers.create".to_owned()));
    let reply = server.ask(&narrow.access, "/api/mcp", "tools/call", customer);
    assert_eq!((reply.status, reply.code()), (403, Some(-32002)), "{reply:?}");
    let challenge = reply.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"read:customers write:customers\""), "{challenge}");
}

#[both]
fn at_least_one_scope_must_stay_ticked() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let request = consent_request(&browser.ask(&program.query(&[("scope", "read:notes")])));
    for ticked in ["nothing", "write:notes", "administer"] {
        let again = browser.allow(&request, &server.business, ticked);
        assert_eq!(again.status, 400, "{again:?}");
        assert!(again.body.contains("at least one box checked"), "{again:?}");
        assert_eq!(consent_request(&again), request);
    }
    let reply = browser.allow(&request, &server.business, "read:notes write:notes");
    let code = redirect_target(&reply).1;
    let scope = tokens(&program.exchange(value(&code, "code").expect("a code"), &[])).scope;
    assert_eq!(scope, "read:notes", "no more than was asked for");
}

#[both]
fn a_consent_counts_only_in_the_session_it_was_shown_to() {
    let server = Server::start();
    let program = Program::register(&server);
    let (owner, office) = (&server.business.owner, &server.business.office);
    let browser = Browser::signed_in(&server, owner);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let tenant = server.business.account.id.to_string();
    let pairs = [
        ("request", request.as_str()),
        ("business", &tenant),
        ("decision", "allow"),
        ("read:notes", "yes"),
    ];
    for headers in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "http://127.0.0.1")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[],
    ] {
        let reply = browser.answer_from(headers, &pairs);
        assert_eq!(reply.status, 403, "{headers:?}: {reply:?}");
    }
    // Another user's session, another session of the same user, and no session.
    assert_over(&Browser::signed_in(&server, office).answer(&pairs));
    assert_over(&Browser::signed_in(&server, owner).answer(&pairs));
    let nobody = Browser { server: &server, cookie: "x=y".to_owned() };
    assert_over(&nobody.answer(&pairs));
    for changes in [("request", "zoop_cr_nonsense"), ("decision", "perhaps"), ("business", "x")] {
        assert_over(&browser.answer(&super::with_changes(&pairs, &[changes])));
    }
    let twice = [&pairs[..], &[("decision", "deny")]].concat();
    assert_eq!(browser.answer(&twice).status, 400);
    // None of these used up the request.
    let (_, answer) = redirect_target(&browser.answer(&pairs));
    assert!(value(&answer, "code").is_some());
    assert_over(&browser.answer(&pairs));
    assert_eq!(event_count(&server, &server.business, "consent"), 1);
}

#[both]
fn a_request_expires_after_ten_minutes() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let ask = || consent_request(&browser.ask(&program.query(&[])));
    let (first, second) = (ask(), ask());
    server.env.clock.advance(600_000 - 1);
    redirect_target(&browser.allow(&first, &server.business, EVERY_SCOPE));
    server.env.clock.advance(1);
    assert_over(&browser.allow(&second, &server.business, EVERY_SCOPE));
}

#[both]
fn a_session_keeps_its_newest_twenty_requests() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let ask = || {
        server.env.clock.advance(1);
        consent_request(&browser.ask(&program.query(&[])))
    };
    let requests: Vec<_> = (0..21).map(|_| ask()).collect();
    assert_over(&browser.allow(&requests[0], &server.business, EVERY_SCOPE));
    for request in &requests[1..] {
        redirect_target(&browser.allow(request, &server.business, EVERY_SCOPE));
    }
}

#[both]
fn a_program_works_in_the_business_that_was_chosen_and_in_no_other() {
    let server = Server::start();
    let other = server.env.empty_business("Other");
    let foreign = server.env.empty_business("Foreign");
    let member = json!({ "name": "Olive", "email": "owner@acme.example", "role": "tech" });
    server.env.call_as_operator(Some(other.account), "users.create", member);
    let note = |business: &zoop_crm::testing::Business, body: &str| {
        server.env.create(&business.owner, "notes.create", json!({ "body": body }))
    };
    let (own, others) = (note(&server.business, "Acme's"), note(&other, "The other's"));

    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let page = browser.ask(&program.query(&[]));
    assert_eq!(page.body.matches("type=\"radio\"").count(), 2, "{page:?}");
    let request = consent_request(&page);
    let again = browser.allow(&request, &foreign, EVERY_SCOPE);
    assert_eq!(again.status, 400, "{again:?}");
    assert!(again.body.contains("Choose another one"), "{again:?}");
    assert_eq!(event_count(&server, &foreign, "consent"), 0);

    let (_, pairs) = redirect_target(&browser.allow(&request, &other, EVERY_SCOPE));
    let tokens = tokens(&program.exchange(value(&pairs, "code").expect("a code"), &[]));
    assert_eq!(tokens.scope, TECH_SCOPES, "the scopes of a tech in the other business");
    let get = |id: &str| {
        let call = json!({ "name": "notes.get", "arguments": { "id": id } });
        server.ask(&tokens.access, "/api/mcp", "tools/call", call).tool()
    };
    assert_eq!(get(&others).1["body"], "The other's");
    assert_eq!(get(&own).1["kind"], "not_found");
    assert_eq!(event_count(&server, &other, "consent"), 1);
    assert_eq!(event_count(&server, &server.business, "consent"), 0);
}

#[both]
fn a_user_signed_out_meanwhile_cannot_consent() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let page = browser.ask(&program.query(&[]));
    server.env.clock.advance(12 * 3_600_000);
    assert_over(&browser.allow(&consent_request(&page), &server.business, EVERY_SCOPE));
    assert_eq!(browser.ask(&program.query(&[])).status, 303, "sign in again");
}

#[both]
fn a_user_removed_meanwhile_cannot_consent() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.office);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    let office = zoop_crm::testing::Business::user(&server.business.office).to_string();
    let account = Some(server.business.account);
    server.env.call_as_operator(account, "users.remove", json!({ "id": office }));
    assert_eq!(browser.allow(&request, &server.business, EVERY_SCOPE).status, 400);
    assert_refused(&program.exchange(&code, &[]), 400, "invalid_grant");
}

#[both]
fn consents_and_issued_tokens_are_logged() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    program.exchange(&code, &[]);
    program.exchange("zoop_ac_none", &[]);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let tenant = server.business.account.id.to_string();
    browser.answer(&[("request", &request), ("business", &tenant), ("decision", "deny")]);
    let owner = Business::user(&server.business.owner).to_string();
    let pages = server.log.pages();
    let answers: Vec<_> = pages.iter().filter(|line| line["method"] == "POST").collect();
    let [allowed, denied] = answers[..] else { panic!("{pages:?}") };
    for (line, outcome) in [(allowed, "allowed"), (denied, "denied")] {
        assert_eq!(
            (&line["route"], &line["outcome"]),
            (&json!("/oauth/authorize"), &json!(outcome))
        );
        assert_eq!(
            (&line["user_id"], &line["client_address"]),
            (&json!(owner), &json!("127.0.0.1"))
        );
    }
    let requests = server.log.requests();
    let programs: Vec<_> =
        requests.iter().map(|line| (line["tool"].as_str(), line["outcome"].as_str())).collect();
    let [registered, given, refused] = programs[..] else { panic!("{requests:?}") };
    assert_eq!(registered, (Some("oauth/register"), Some("ok")));
    assert_eq!(
        (given, refused),
        ((Some("oauth/token"), Some("ok")), (Some("oauth/token"), Some("refused")))
    );
    assert!(requests.iter().all(|line| line["client_address"] == "127.0.0.1"), "{requests:?}");
    assert_eq!(
        (&requests[1]["user_id"], &requests[1]["tenant_id"]),
        (&json!(owner), &json!(tenant))
    );
    assert!(requests[1]["credential_id"].is_string() && requests[2].get("user_id").is_none());
    let log = server.log.text();
    assert!(!log.contains(&code) && !log.contains(&request) && !log.contains("Program"), "{log}");
}
