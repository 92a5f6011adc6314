//! Connected programs: what their users and owners see, and how they end.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::access::Source;
use zoop_crm::call::error::Error;
use zoop_crm::identity::oauth::{clients, grants};
use zoop_crm::testing::{Business, Caller};
use zoop_crm::values::clock::Clock;
use zoop_crm::values::id::Id;

use super::{
    Browser, EVERY_SCOPE, Program, REDIRECT, TECH_SCOPES, assert_refused, check_token, event_count,
    history,
};
use crate::server::Server;

fn list_grants(server: &Server) -> Vec<Value> {
    let listed =
        server.env.call_as_operator(Some(server.business.account), "grants.list", json!({}));
    listed["rows"].as_array().expect("rows").clone()
}

/// Signs a user in, and returns them as a caller in the business.
fn session_of(server: &Server, business: &Business, person: &Caller) -> Caller {
    let (_, signed_in) = server.env.sign_in(Business::user(person));
    server.env.in_tenant(signed_in.in_tenant(business.account.id, Source::default()))
}

#[both]
fn an_owner_sees_what_is_connected_and_disconnects_it() {
    let server = Server::start();
    let program = Program::register(&server);
    let tech = Browser::signed_in(&server, &server.business.tech);
    program.code(&tech, &server.business, EVERY_SCOPE);
    assert!(list_grants(&server).is_empty(), "the client never redeemed its code");
    let tokens = program.connect(&tech, &server.business, "read:notes");
    let rows = list_grants(&server);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row["user_id"], Business::user(&server.business.tech).to_string());
    assert_eq!((&row["user_name"], &row["client_name"]), (&json!("Tessa Tech"), &json!("Program")));
    assert_eq!(row["client_id"], program.id.as_str());
    assert_eq!(row["scopes"], json!(["read:notes"]));
    let declined = TECH_SCOPES.split(' ').filter(|scope| *scope != "read:notes");
    assert_eq!(row["declined"], json!(declined.collect::<Vec<_>>()));
    assert_eq!((&row["tenant_name"], &row["revoked_at"]), (&json!("Acme"), &Value::Null));

    let id = json!({ "id": row["id"] });
    let owner = session_of(&server, &server.business, &server.business.owner);
    let office = session_of(&server, &server.business, &server.business.office);
    let refused = server.env.call(&office, "grants.revoke", id.clone());
    assert!(matches!(refused, Err(Error::InsufficientScope { .. })), "{refused:?}");
    let other = server.env.empty_business("Other");
    let foreign = session_of(&server, &other, &other.owner);
    let refused = server.env.call(&foreign, "grants.revoke", id.clone());
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    server.env.call(&owner, "grants.revoke", id.clone()).expect("the program is disconnected");
    assert_eq!(check_token(&server, &tokens.access), Err("key_revoked".to_owned()));
    assert_refused(&program.refresh(&tokens.refresh, &[]), 400, "invalid_grant");
    assert!(list_grants(&server).is_empty());
    let again = server.env.call(&owner, "grants.revoke", id);
    assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
    let entry = &history(&server, &server.business)[0];
    assert_eq!(
        (&entry["tool"], &entry["changes"][0]["record_id"]),
        (&json!("grants.revoke"), &row["id"])
    );
}

#[both]
fn a_user_sees_and_ends_their_own_grants_in_every_business() {
    let server = Server::start();
    let other = server.env.empty_business("Other");
    let member = json!({ "name": "Tessa", "email": "tech@acme.example", "role": "office" });
    server.env.call_as_operator(Some(other.account), "users.create", member);
    let program = Program::register(&server);
    let tech = Browser::signed_in(&server, &server.business.tech);
    let here = program.connect(&tech, &server.business, EVERY_SCOPE);
    let there = program.connect(&tech, &other, EVERY_SCOPE);
    let owners = Browser::signed_in(&server, &server.business.owner);
    let foreign = program.connect(&owners, &server.business, EVERY_SCOPE);
    let (_, signed_in) = server.env.sign_in(Business::user(&server.business.tech));
    let own = || {
        let (signed_in, now) = (signed_in.clone(), server.env.clock.now());
        server.env.read(move |tx| grants::of_user(tx, &signed_in, now, None, 10)).expect("grants")
    };
    let names: Vec<_> = own().into_iter().map(|grant| grant.tenant_name).collect();
    assert_eq!(names, ["Other", "Acme"]);
    let revoke = |id| {
        let (signed_in, environment) = (signed_in.clone(), server.env.environment.clone());
        server.env.write(move |tx| grants::revoke_own(tx, &environment, &signed_in, id, None))
    };
    let rows = list_grants(&server);
    let owners = rows.iter().find(|row| row["user_name"] == "Olive Owner").expect("a grant");
    let owners = Id::parse(owners["id"].as_str().expect("an id")).expect("an id");
    assert!(matches!(revoke(owners), Err(Error::NotFound { .. })), "the grant is not theirs");
    revoke(own()[0].id).expect("the program is disconnected");
    assert_eq!(check_token(&server, &there.access), Err("key_revoked".to_owned()));
    assert_eq!(check_token(&server, &here.access), Ok(()));
    assert_eq!(check_token(&server, &foreign.access), Ok(()));
    assert_eq!((event_count(&server, &other, "grant_revoked"), own().len()), (1, 1));
}

#[both]
fn a_new_role_or_removal_takes_effect_on_the_next_call_and_ended_grants_stay_ended() {
    let server = Server::start();
    let account = Some(server.business.account);
    let office = Business::user(&server.business.office).to_string();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.office);
    let tokens = program.connect(&browser, &server.business, EVERY_SCOPE);
    let create = || {
        let company = json!({ "customer_type": "company", "company_name": "A" });
        let call = json!({ "name": "customers.create", "arguments": company });
        server.ask(&tokens.access, "/api/mcp", "tools/call", call).tool()
    };
    assert!(!create().0);
    server.env.call_as_operator(account, "users.set_role", json!({ "id": office, "role": "tech" }));
    assert_eq!(create().1["kind"], "insufficient_scope");
    server.env.call_as_operator(account, "users.remove", json!({ "id": office }));
    assert_eq!(check_token(&server, &tokens.access), Err("key_revoked".to_owned()));
    let removal = &history(&server, &server.business)[0];
    let ended = removal["changes"].as_array().expect("changes").iter();
    assert_eq!(ended.filter(|change| change["record_type"] == "grant").count(), 1, "{removal}");
    let back = json!({ "name": "O", "email": "office@acme.example", "role": "owner" });
    server.env.call_as_operator(account, "users.create", back);
    assert_eq!(check_token(&server, &tokens.access), Err("key_revoked".to_owned()));
    assert_refused(&program.refresh(&tokens.refresh, &[]), 400, "invalid_grant");
}

#[both]
fn ended_grants_are_swept_and_live_ones_kept() {
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    let server = Server::start();
    let sweep = || server.env.sweep();
    let is_known = |program: &Program<'_>| {
        let id = program.id.clone();
        server.env.read(move |tx| clients::find(tx, &id)).expect("an answer").is_some()
    };
    let unused = Program::register(&server);
    let abandoned = Program::register(&server);
    let used = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = used.code(&browser, &server.business, EVERY_SCOPE);
    super::tokens(&used.exchange(&code, &[]));
    abandoned.code(&browser, &server.business, EVERY_SCOPE);
    browser.ask(&used.query(&[]));
    assert_eq!(sweep(), 0, "nothing has expired");
    server.env.clock.advance(DAY);
    sweep();
    assert_refused(&used.exchange(&code, &[]), 400, "invalid_grant");
    assert_eq!(
        event_count(&server, &server.business, "code_replayed"),
        1,
        "the reuse is detected a day later"
    );

    let browser = Browser::signed_in(&server, &server.business.owner);
    let mut tokens = used.connect(&browser, &server.business, EVERY_SCOPE);
    server.env.clock.advance(2 * DAY);
    assert!(sweep() > 0);
    let next = super::tokens(&used.refresh(&tokens.refresh, &[]));
    // The abandoned grant is gone, and so is its client, which nothing else uses.
    server.env.clock.advance(28 * DAY);
    sweep();
    assert!(!is_known(&unused) && !is_known(&abandoned) && is_known(&used));
    tokens = super::tokens(&used.refresh(&next.refresh, &[]));
    for _ in 0..5 {
        server.env.clock.advance(29 * DAY);
        sweep();
        tokens = super::tokens(&used.refresh(&tokens.refresh, &[]));
    }
    server.env.clock.advance(6 * DAY);
    sweep();
    // A replayed token is detected until a day after its grant has ended.
    assert_refused(&used.refresh(&next.refresh, &[]), 400, "invalid_grant");
    server.env.clock.advance(40 * DAY);
    sweep();
    assert!(!is_known(&used));
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    assert_eq!(super::register(&server, &metadata).status, 201);
}
