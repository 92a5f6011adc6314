//! The API keys of a business.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{OFFICE, browser_of, business, start, unescaped};
use crate::oauth::check_token;
use crate::people::buttons::buttons;
use crate::people::{Browser, between, location};
use crate::server::Server;

fn keys(server: &Server) -> Vec<Value> {
    let account = Some(server.business.account);
    let listed = server.env.call_as_operator(account, "keys.list", json!({}));
    listed["rows"].as_array().expect("rows").clone()
}

/// The keys that exist before a test makes one: those of the test's business itself.
fn count(server: &Server) -> usize {
    keys(server).len()
}

/// The key that the page shows.
fn shown(page: &str) -> String {
    between(page, "<code id=\"key\">", "</code>").to_owned()
}

fn form<'a>(account: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("business", account), ("name", "Website form"), ("acts_for", "me")];
    fields.extend([("read:customers", "yes"), ("expires_in", ""), ("limit", "")]);
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields
}

#[both]
fn a_key_is_created_with_what_was_chosen_and_shown_once() {
    let server = start();
    let (account, before) = (business(&server), count(&server));
    let mut owner = Browser::owner(&server);
    let changes = [("write:notes", "yes"), ("expires_in", "2592000"), ("limit", "30")];
    let reply = owner.post("/keys", &form(&account, &changes));
    assert_eq!(reply.status, 200, "{reply:?}");
    let key = shown(&reply.body);
    let stored = keys(&server).pop().expect("the key");
    assert_eq!(stored["name"], "Website form");
    assert_eq!(stored["scopes"], json!(["read:customers", "write:notes"]));
    assert_eq!(stored["user_id"], json!(Business::user(&server.business.owner)));
    assert_eq!(stored["limit"], 30);

    let page = owner.get("/keys").body;
    assert!(!page.contains(&key), "a key is shown once");
    let row = page.rsplit_once("<bdi>Website form</bdi></strong>").expect("a row").1;
    let row = row.split_once("</li>").expect("its end").0;
    for said in [
        "Acts for <bdi>Olive Owner</bdi>.",
        "It may read customers, write notes.",
        "never used",
        "Expires <time",
        "At most 30 requests a minute.",
        stored["hint"].as_str().expect("a hint"),
    ] {
        assert!(row.contains(said), "{said}: {row}");
    }
    check_token(&server, &key).expect("a key that works");

    // What only people can do is not offered to the business, and is not said of its key.
    for only in ["write:notes", "write:jobs", "write:quotes"] {
        let box_of = format!("name=\"{only}\"");
        let boxes = page.split("for-people\">").skip(1);
        let found =
            boxes.filter(|rest| rest.split('>').next().is_some_and(|it| it.contains(&box_of)));
        assert_eq!(found.count(), 1, "{only}: {page}");
    }
    assert_eq!(page.matches("for-people").count(), 3, "{page}");
    let notes = [("acts_for", "business"), ("read:customers", ""), ("write:notes", "yes")];
    let nothing: Vec<_> =
        form(&account, &notes).into_iter().filter(|(name, _)| *name != "read:customers").collect();
    let refused = owner.post("/keys", &nothing);
    assert!(refused.status == 400 && refused.body.contains("scopes-problem"), "{refused:?}");
    let changes = [("acts_for", "business"), ("name", "<b>Till"), ("write:notes", "yes")];
    let made = owner.post("/keys", &form(&account, &changes));
    let of_business = shown(&made.body);
    assert!(of_business.starts_with("zoop_tk_"), "{of_business}");
    assert!(!made.body.contains("<b>Till"), "a name is text");
    let stored = keys(&server).pop().expect("the key");
    assert_eq!((&stored["user_id"], &stored["limit"]), (&Value::Null, &Value::Null));
    assert_eq!(stored["expires_at"], Value::Null);
    assert_eq!(stored["scopes"], json!(["read:customers"]));
    let scopes = json!({ "name": "Old", "scopes": "read:customers write:notes" });
    server.env.call_as_operator(Some(server.business.account), "keys.create", scopes);
    let row = owner.get("/keys").body;
    let row = row.rsplit_once("<bdi>Old</bdi></strong>").expect("a row").1.split_once("</li>");
    let row = row.expect("its end").0;
    assert!(row.contains("It may read customers.") && !row.contains("write"), "{row}");
    let page = owner.get("/keys").body;
    assert!(page.contains("Acts for the business.") && page.contains("Never expires."), "{page}");
    assert_eq!(count(&server), before + 3);
}

/// The once-key of the form on a page.
fn once(page: &str) -> &str {
    between(page, "name=\"once\" value=\"", "\"")
}

#[both]
fn a_form_that_is_sent_again_makes_no_second_secret() {
    let server = start();
    let (account, before) = (business(&server), count(&server));
    let mut owner = Browser::owner(&server);
    let page = owner.get("/keys").body;
    let fields = form(&account, &[("once", once(&page))]);
    let key = shown(&owner.post("/keys", &fields).body);
    let again = owner.post("/keys", &fields);
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.body.contains("Its key was created and shown then"), "{}", again.body);
    assert!(!again.body.contains("<code id=\"key\">") && !again.body.contains(&key));
    assert_eq!(count(&server), before + 1);
    // Whoever goes back and changes something wants another key, and so does whoever uses the form of the answer.
    let changes = [("once", once(&page)), ("name", "Till")];
    shown(&owner.post("/keys", &form(&account, &changes)).body);
    shown(&owner.post("/keys", &form(&account, &[("once", once(&again.body))])).body);
    assert_eq!(count(&server), before + 3);

    let id = keys(&server).pop().expect("a key")["id"].as_str().expect("an id").to_owned();
    let asked = owner.get(&format!("/keys/rotate?business={account}&key={id}")).body;
    let fields = [("business", &*account), ("key", &*id), ("once", once(&asked)), ("overlap", "")];
    let new = shown(&owner.post("/keys/rotate", &fields).body);
    let again = owner.post("/keys/rotate", &fields).body;
    assert!(again.contains("Its key was created and shown then"), "{again}");
    assert_eq!(count(&server), before + 4);
    check_token(&server, &new).expect("the new key works");
}

#[both]
fn a_mistake_is_said_beside_the_field_and_everything_typed_is_kept() {
    let server = start();
    let (account, before) = (business(&server), count(&server));
    let mut owner = Browser::owner(&server);
    let long = "x".repeat(129);
    for (change, field, said) in [
        (("read:customers", ""), "scopes", "At least one of these is required."),
        (("name", long.as_str()), "name", "Name must be at most 128 characters."),
        (("limit", "many"), "limit", "Requests a minute must be a whole number"),
        (("limit", "-1"), "limit", "Requests a minute must be a whole number"),
        (("expires_in", "soon"), "expires_in", "Expires must be"),
    ] {
        let changes = [("acts_for", "business"), ("name", "Till"), change];
        let reply = owner.post("/keys", &form(&account, &changes));
        assert_eq!(reply.status, 400, "{change:?} {reply:?}");
        let beside = between(&reply.body, &format!("id=\"{field}-problem\">"), "</p>");
        assert!(beside.starts_with(said), "{change:?}: {beside}");
        assert_eq!(reply.body.matches("aria-invalid").count(), 1, "{change:?}");
        let name = if field == "name" { &long } else { "Till" };
        let limit = if field == "limit" { change.1 } else { "" };
        let ticked = if field == "scopes" { "" } else { " checked" };
        for kept in [
            format!("name=\"name\" value=\"{name}\""),
            format!("name=\"limit\" value=\"{limit}\""),
            format!("name=\"read:customers\" value=\"yes\"{ticked}>"),
            "name=\"acts_for\" value=\"business\" checked>".to_owned(),
        ] {
            assert!(reply.body.contains(&kept), "{kept}: {}", reply.body);
        }
    }
    let kept = owner.post("/keys", &form(&account, &[("name", &long), ("expires_in", "7776000")]));
    assert!(kept.body.contains("value=\"7776000\" selected>In 90 days"), "{}", kept.body);
    assert_eq!(count(&server), before);
}

#[both]
fn a_key_is_replaced_and_revoked_after_a_question() {
    let server = start();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let old = shown(&owner.post("/keys", &form(&account, &[])).body);
    let id = keys(&server).pop().expect("the key")["id"].as_str().expect("an id").to_owned();
    let page = unescaped(&owner.get("/keys").body);
    for word in ["rotate", "revoke"] {
        let question = format!("/keys/{word}?business={account}&key={id}");
        let is_pressed = buttons(&page).iter().any(|it| it.leads && it.address == question);
        assert!(is_pressed || page.contains(&question), "{page}");
        let asked = owner.get(&question).body;
        assert!(asked.contains("<bdi>Website form</bdi>?</h1>"), "{asked}");
    }
    check_token(&server, &old).expect("a question changes nothing");

    // The old key works a while longer.
    let fields = [("business", &*account), ("key", &*id), ("overlap", "3600")];
    let new = shown(&owner.post("/keys/rotate", &fields).body);
    check_token(&server, &old).expect("the old key");
    check_token(&server, &new).expect("the new key");
    server.env.clock.advance(3_601_000);
    check_token(&server, &old).expect_err("the old key has expired");
    let mut owner = Browser::owner(&server);
    let page = owner.get("/keys").body;
    assert!(page.contains("<em class=\"mark\">Expired</em>"), "{page}");
    let fields = [("business", &*account), ("key", &*id), ("overlap", "")];
    let refused = owner.post("/keys/rotate", &fields);
    let said = between(&refused.body, "role=\"alert\">", "</p>");
    assert!(refused.status == 400 && said.starts_with("This key has expired"), "{refused:?}");

    // Without an overlap, it stops at once.
    let id = keys(&server).pop().expect("the key")["id"].as_str().expect("an id").to_owned();
    let fields = [("business", &*account), ("key", &*id), ("overlap", "")];
    let newest = shown(&owner.post("/keys/rotate", &fields).body);
    check_token(&server, &new).expect_err("the replaced key");
    check_token(&server, &newest).expect("the newest key");

    let id = keys(&server).pop().expect("the key")["id"].as_str().expect("an id").to_owned();
    let fields = [("business", &*account), ("key", &*id)];
    let revoked = owner.post("/keys/revoke", &fields);
    assert_eq!(location(&revoked), format!("/keys?business={account}&done=revoked"));
    check_token(&server, &newest).expect_err("the revoked key");
    let page = owner.get(location(&revoked)).body;
    assert!(page.contains("The key was revoked."), "{page}");
    assert!(page.contains("<em class=\"mark\">Revoked</em>"), "{page}");
    let again = owner.post("/keys/revoke", &fields);
    let said = between(&again.body, "role=\"alert\">", "</p>");
    assert!(again.status == 400 && said.contains("already revoked"), "{again:?}");
    assert_eq!(owner.get(&format!("/keys/revoke?key={id}")).status, 404);
}

#[both]
fn only_owners_reach_keys_and_only_those_of_their_business() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    let theirs = json!({ "scopes": "read:customers", "name": "Theirs" });
    let made = server.env.call_as_operator(Some(other.account), "keys.create", theirs);
    let theirs = made["key_id"].as_str().expect("an id");
    let key = made["key"].as_str().expect("a key");
    let (account, before) = (business(&server), count(&server));
    let mut owner = Browser::owner(&server);
    let page = owner.get("/keys").body;
    assert!(!page.contains("Theirs"), "{page}");
    let mut office = browser_of(&server, OFFICE);
    for path in ["/keys/rotate", "/keys/revoke"] {
        let unknown = owner.get(&format!("{path}?key=01890000-0000-7000-8000-000000000000"));
        assert_eq!(unknown.status, 404);
        for id in [theirs, "x", ""] {
            assert_eq!(owner.get(&format!("{path}?key={id}")).body, unknown.body, "{path} {id}");
            let fields = [("business", &*account), ("key", id)];
            let reply = owner.post(path, &fields);
            assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{path} {id}");
            assert_eq!(office.post(path, &fields).status, 403, "{path} {id}");
        }
    }
    assert_eq!(office.post("/keys", &form(&account, &[])).status, 403);
    check_token(&server, key).expect("their key");
    assert_eq!(count(&server), before);
}

#[both]
fn many_keys_are_listed_page_by_page() {
    let server = start();
    let before = count(&server);
    for number in before..41 {
        let key = json!({ "scopes": "read:customers", "name": format!("Key {number}") });
        server.env.call_as_operator(Some(server.business.account), "keys.create", key);
    }
    let mut owner = Browser::owner(&server);
    let first = owner.get("/keys").body;
    assert_eq!(first.matches(">Revoke<").count(), 40);
    assert!(first.len() < 60 * 1024, "{}", first.len());
    let (until, _) = first.split_once("\">More keys</a>").expect("a next page");
    let more = unescaped(until.rsplit_once("href=\"").expect("its address").1);
    let second = owner.get(&more).body;
    assert_eq!(second.matches(">Revoke<").count(), 1);
    assert!(second.contains("Key 40") && !second.contains("More keys"), "{second}");
}
