//! The programs that the people of a business have connected.

use serde_json::json;
use zoop_both::both;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::Business;

use super::{OFFICE, browser_of, business, start, unescaped};
use crate::oauth::{Browser as ProgramBrowser, Program, check_token};
use crate::people::buttons::buttons;
use crate::people::{Browser, event_count, location};

#[test]
fn the_page_says_how_to_connect_each_program() {
    let server = start();
    let page = Browser::owner(&server).get("/apps").body;
    let address = format!("<code id=\"mcp-address\">http://{}/api/mcp</code>", server.public);
    assert!(page.contains(&address), "{page}");
    for program in ["Claude", "ChatGPT", "n8n"] {
        assert!(page.contains(&format!("<dt>{program}</dt><dd>In the ")), "{program}: {page}");
    }
    let keys = format!("<a href=\"/keys?business={}\">API key</a>", business(&server));
    assert!(page.contains(&keys), "{page}");
}

#[both]
fn an_owner_sees_the_programs_of_everybody_and_disconnects_them() {
    let server = start();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let empty = owner.get("/apps").body;
    assert!(empty.contains("No program is connected yet."), "{empty}");
    let program = Program::register(&server);
    let tech = ProgramBrowser::signed_in(&server, &server.business.tech);
    let tokens = program.connect(&tech, &server.business, "read:customers write:notes");
    let local = json!({ "client_name": "<b>Desk", "redirect_uris": ["http://127.0.0.1/back"] });
    let reply = crate::oauth::register(&server, &local);
    assert_eq!(reply.status, 201, "{reply:?}");

    let page = owner.get("/apps").body;
    for said in [
        "<strong><bdi>Program</bdi></strong> for <bdi>Tessa Tech</bdi>",
        "From <bdi>program.example</bdi>.",
        "It may read customers, write notes.",
        "Connected <time",
        "last used <time",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Desk"), "what nobody has connected is not shown: {page}");
    let question = buttons(&page).into_iter().find(|it| it.name.starts_with("Disconnect"));
    let question = question.expect("a question").address;
    let asked = owner.get(&question).body;
    assert!(asked.contains("Disconnect <bdi>Program</bdi>?"), "{asked}");
    assert!(asked.contains("which <bdi>Tessa Tech</bdi> connected"), "{asked}");
    check_token(&server, &tokens.access).expect("asking disconnects nothing");

    let id = question.rsplit_once("program=").expect("an id").1;
    let fields = [("business", &*account), ("program", id)];
    let reply = owner.post("/apps/disconnect", &fields);
    assert_eq!(location(&reply), format!("/apps?business={account}&done=disconnected"));
    check_token(&server, &tokens.access).expect_err("a disconnected program");
    let page = owner.get(location(&reply)).body;
    assert!(page.contains("The program is disconnected") && !page.contains("Tessa"), "{page}");
    assert_eq!(owner.get(&question).status, 404);
    let again = owner.post("/apps/disconnect", &fields);
    assert_eq!(location(&again), format!("/apps?business={account}&done=gone"));
    assert_eq!(event_count(&server, "grants.revoke"), 1);
}

#[both]
fn only_owners_reach_programs_and_only_those_of_their_business() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    let scopes = Scopes::of(Scope::GRANTABLE);
    let (theirs, _) = server.env.connect(other.account, Business::user(&other.owner), scopes);
    let theirs = theirs.to_string();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    assert!(owner.get("/apps").body.contains("No program is connected yet."));
    let unknown = owner.get("/apps/disconnect?program=01890000-0000-7000-8000-000000000000");
    assert_eq!(unknown.status, 404);
    let mut office = browser_of(&server, OFFICE);
    for id in [&*theirs, "x", ""] {
        let question = format!("/apps/disconnect?program={id}");
        assert_eq!(owner.get(&question).body, unknown.body, "{id}");
        assert_eq!(office.get(&question).status, 403, "{id}");
        let fields = [("business", &*account), ("program", id)];
        let reply = owner.post("/apps/disconnect", &fields);
        assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{id}");
        assert_eq!(office.post("/apps/disconnect", &fields).status, 403, "{id}");
    }
    let listed = server.env.call_as_operator(Some(other.account), "grants.list", json!({}));
    assert_eq!(listed["rows"].as_array().map(Vec::len), Some(1));
}

#[both]
fn many_programs_are_listed_page_by_page() {
    let server = start();
    let owner = Business::user(&server.business.owner);
    for _ in 0..41 {
        server.env.connect(server.business.account, owner, Scopes::of(&[Scope::ReadCustomers]));
    }
    let mut owner = Browser::owner(&server);
    let first = owner.get("/apps").body;
    assert_eq!(first.matches(">Disconnect<").count(), 40);
    assert!(first.len() < 60 * 1024, "{}", first.len());
    let (until, _) = first.split_once("\">More programs</a>").expect("a next page");
    let more = unescaped(until.rsplit_once("href=\"").expect("its address").1);
    let second = owner.get(&more).body;
    assert_eq!(second.matches(">Disconnect<").count(), 1);
    assert!(!second.contains("More programs"), "{second}");
}
