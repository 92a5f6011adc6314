//! Undo, as a browser without scripts sees it: beside the entries of the history, and in what a page says was done.

use serde_json::{Value, json};
use zoop_both::both;

use super::{OFFICE, TECH, browser_of, business, call, company, create, start, unescaped};
use crate::http::Reply;
use crate::people::{Browser, OWNER, PASSWORD, between, location};
use crate::server::Server;

/// The action and the fields of the first button on a page that undoes something.
fn button(page: &str) -> Option<(String, String)> {
    let (_, form) = page.split_once("action=\"/changes/")?;
    let (action, form) = form.split_once('"')?;
    let next = unescaped(between(form, "name=\"next\" value=\"", "\""));
    assert!(form.contains("type=\"submit\">Undo"), "{form}");
    Some((format!("/changes/{action}"), next))
}

/// Presses the first button.
fn press(browser: &mut Browser<'_>, server: &Server, page: &str) -> Reply {
    let (action, next) = button(page).expect("a button");
    browser.post(&action, &[("business", &business(server)), ("next", &next)])
}

fn customer(server: &Server, id: &str) -> Value {
    call(server, "customers.get", json!({ "id": id }))
}

#[both]
fn what_was_done_is_undone_from_the_message_and_done_again() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    let tag = create(&server, "tags.create", json!({ "name": "VIP" }));
    let mut office = browser_of(&server, OFFICE);
    let account = business(&server);
    let record = format!("/customers/{id}");
    let fields = [("business", &*account), ("tag", &*tag)];
    let attached = office.post(&format!("{record}/tag"), &fields);
    let page = office.get(location(&attached)).body;
    assert!(page.contains("The tag was attached."), "{page}");
    let undone = press(&mut office, &server, &page);
    assert_eq!(undone.status, 303, "{undone:?}");
    assert!(location(&undone).starts_with(&format!("{record}?")), "{undone:?}");
    let page = office.get(location(&undone)).body;
    assert!(page.contains("The change was undone.") && !page.contains("was attached"), "{page}");
    assert_eq!(customer(&server, &id)["tags"], json!([]));
    // The old address has nothing to offer any more.
    let old = office.get(location(&attached)).body;
    assert!(button(&old).is_none(), "{old}");
    press(&mut office, &server, &page);
    assert_eq!(customer(&server, &id)["tags"][0]["name"], "VIP", "undoing it again attaches it");

    let archived = office.post(&format!("{record}/archive"), &[("business", &account)]);
    let page = office.get(location(&archived)).body;
    press(&mut office, &server, &page);
    assert_eq!(customer(&server, &id)["archived_at"], Value::Null);
    let note = [("business", &*account), ("body", "The gate sticks.")];
    let added = office.post(&format!("{record}/notes"), &note);
    let page = office.get(location(&added)).body;
    assert!(page.contains("The note was added."), "{page}");
    press(&mut office, &server, &page);
    assert_eq!(call(&server, "notes.list", json!({}))["rows"], json!([]));

    let deleted = office.post("/tags/delete", &fields);
    let page = office.get(location(&deleted)).body;
    let undone = press(&mut office, &server, &page);
    let page = office.get(location(&undone)).body;
    assert!(page.contains("The change was undone.") && page.contains(">VIP<"), "{page}");
    assert_eq!(customer(&server, &id)["tags"][0]["id"], tag.as_str());
}

#[both]
fn each_entry_has_its_button_as_long_as_it_can_be_undone() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    call(&server, "customers.update", json!({ "id": id, "source": "web" }));
    call(&server, "customers.update", json!({ "id": id, "source": "radio" }));
    let mut office = browser_of(&server, OFFICE);
    let history = format!("/customers/{id}/history?business={}", business(&server));
    for path in [history.as_str(), "/activity"] {
        let page = office.get(path).body;
        let entries: Vec<_> = page.split("<p class=\"does\">").skip(1).collect();
        let buttons: Vec<_> = entries.iter().map(|entry| button(entry).is_some()).collect();
        assert!(buttons[0] && !buttons[1], "the older one was overwritten: {page}");
        let undone = press(&mut office, &server, &page);
        let page = office.get(location(&undone)).body;
        assert!(location(&undone).starts_with(path.split('?').next().expect("a path")));
        assert!(page.contains("The change was undone."), "{page}");
        assert!(page.contains("undid a change: changed"), "{page}");
        assert_eq!(customer(&server, &id)["source"], "web", "{path}");
        call(&server, "customers.update", json!({ "id": id, "source": "radio" }));
    }
    // Somebody was quicker.
    let page = office.get("/activity").body;
    call(&server, "customers.update", json!({ "id": id, "source": "fair" }));
    let refused = press(&mut office, &server, &page);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("This cannot be undone"), "{refused:?}");
    assert!(refused.body.contains("is now &#34;fair&#34;, set by Olive Owner"), "{refused:?}");
}

#[both]
fn only_who_may_read_the_history_is_offered_undo_and_only_in_their_business() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    let mut tech = browser_of(&server, TECH);
    let note = [("business", &*business(&server)), ("body", "The gate sticks.")];
    let added = tech.post(&format!("/customers/{id}/notes"), &note);
    let page = tech.get(location(&added)).body;
    assert!(page.contains("The note was added.") && button(&page).is_none(), "{page}");
    let newest = call(&server, "changes.list", json!({ "limit": 1 }))["rows"][0].clone();
    let action = format!("/changes/{}/undo", newest["id"].as_str().expect("an id"));
    let fields = [("business", &*business(&server))];
    assert_eq!(tech.post(&action, &fields).status, 403);

    let other = server.env.business("Other");
    let foreign = server.env.call(&other.owner, "changes.list", json!({ "limit": 1 }));
    let foreign =
        foreign.expect("the history")["rows"][0]["id"].as_str().expect("an id").to_owned();
    let mut owner = Browser::new(&server);
    owner.sign_in(OWNER, PASSWORD);
    let theirs = owner.post(&format!("/changes/{foreign}/undo"), &fields);
    let unknown = "/changes/01890000-0000-7000-8000-000000000000/undo";
    let unknown = owner.post(unknown, &fields);
    assert_eq!((theirs.status, &theirs.body), (404, &unknown.body));
    // The page afterwards is one of this server.
    let elsewhere = [fields[0], ("next", "https://evil.example/")];
    let undone = owner.post(&action, &elsewhere);
    assert!(location(&undone).starts_with("/?business="), "{undone:?}");
}
