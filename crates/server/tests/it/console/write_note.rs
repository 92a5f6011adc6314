//! What one does with notes on the page of all notes: writing one, and pinning.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{
    OFFICE, TECH, browser_of, business, call, company, create, start, unescaped, without_change,
};
use crate::people::{Browser, between, history, location};
use crate::server::Server;

/// The newest note.
fn newest(server: &Server) -> Value {
    call(server, "notes.list", json!({}))["rows"][0].clone()
}

#[both]
fn a_note_is_pinned_and_unpinned_in_place_by_who_may_change_it() {
    let server = start();
    let (first, business) = (company(&server, "Bay Bakery"), business(&server));
    let about =
        |body: &str| json!({ "body": body, "subject_type": "customer", "subject_id": first });
    let ours = server.env.create(&server.business.tech, "notes.create", about("The gate sticks."));
    let theirs = create(&server, "notes.create", about("The gate is new."));
    let (mut tech, pin) = (browser_of(&server, TECH), format!("/notes/{ours}/pin"));
    for (query, pinned, done) in
        [("&q=gate", true, "The note is pinned."), ("&q=gate", false, "is no longer pinned.")]
    {
        let shown = unescaped(&tech.get(&format!("/notes?business={business}{query}")).body);
        assert!(!shown.contains(&format!("/notes/{theirs}/pin")), "{shown}");
        let form = between(&shown, &format!("action=\"{pin}\""), "</form>");
        let next = between(form, "name=\"next\" value=\"", "\"");
        let value = between(form, "name=\"pinned\" value=\"", "\"");
        assert_eq!(value, pinned.to_string());
        assert_eq!(form.contains(">Pin<"), pinned, "{form}");
        let fields = [("business", &*business), ("next", next), ("pinned", value)];
        let sent = tech.post(&pin, &fields);
        let word = if pinned { "pinned" } else { "unpinned" };
        let expected = format!("/notes?business={business}{query}&done={word}&record={ours}#notes");
        assert_eq!(without_change(&sent), expected);
        assert!(tech.get(location(&sent)).body.contains(done));
        assert_eq!(call(&server, "notes.get", json!({ "id": ours }))["pinned"], pinned);
    }
    assert!(unescaped(&Browser::owner(&server).get("/notes").body).contains(&pin), "an owner may");
    let fields = [("business", &*business), ("next", "//evil.example"), ("pinned", "true")];
    let mut office = browser_of(&server, OFFICE);
    let before = history(&server).len();
    let refused = office.post(&pin, &fields);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("author or an owner"), "{}", refused.body);
    assert_eq!(history(&server).len(), before);
    let elsewhere = tech.post(&pin, &fields);
    assert!(location(&elsewhere).starts_with("/notes?"), "{elsewhere:?}");
}

#[both]
fn a_note_is_written_about_a_customer_that_the_form_finds() {
    let server = start();
    let (bakery, business) = (company(&server, "Bay Bakery"), business(&server));
    let others = ["Mill Bakery", "Old Mill Bakery"].map(|name| company(&server, name));
    let mut tech = browser_of(&server, TECH);
    let list = unescaped(&tech.get("/notes").body);
    let new = format!("/notes/new?business={business}");
    assert!(list.contains(&format!("<a class=\"btn primary\" href=\"{new}\">New note</a>")));
    let form = tech.get(&new).body;
    let key = between(&form, "name=\"key\" value=\"", "\"").to_owned();
    let mut send = |fields: &[(&str, &str)]| {
        let always = [("business", &*business), ("key", &*key), ("body", "Gate <b>sticks</b>.")];
        tech.post("/notes/new", &[&always[..], fields].concat())
    };

    let found = send(&[("q", "mill bakery"), ("find", "yes")]);
    assert_eq!(found.status, 200, "{found:?}");
    assert!(found.body.contains("Gate &#60;b&#62;sticks&#60;/b&#62;.</textarea>"), "it is kept");
    assert_eq!(between(&found.body, "name=\"key\" value=\"", "\""), key);
    assert!(others.iter().all(|id| found.body.contains(&format!("value=\"{id}\""))));
    assert!(!found.body.contains(&bakery) && !found.body.contains(" checked"), "{}", found.body);
    let one = send(&[("q", "bay"), ("find", "yes")]).body;
    assert!(one.contains(&format!("value=\"{bakery}\" checked")), "the only one is chosen");
    let nothing = send(&[("q", "<i>zzzz"), ("find", "yes")]).body;
    assert!(nothing.contains("No customer matches <bdi>&#60;i&#62;zzzz"), "{nothing}");
    let open = send(&[("q", "mill bakery")]);
    assert_eq!(open.status, 400, "{open:?}");
    assert!(open.body.contains("Choose whom the note is about."), "{}", open.body);
    assert!(open.body.contains(&others[0]) && open.body.contains("sticks"), "{}", open.body);

    let chosen = [("q", "mill bakery"), ("customer", &*others[1])];
    let added = send(&chosen);
    assert!(location(&added).contains("/notes?") && location(&added).contains("done=note&"));
    let note = newest(&server);
    assert_eq!(
        (&note["body"], &note["subject_id"]),
        (&json!("Gate <b>sticks</b>."), &json!(others[1]))
    );
    assert_eq!(note["created_by"], Business::user(&server.business.tech).to_string());
    assert_eq!(
        without_change(&send(&chosen)),
        without_change(&added),
        "sent twice, it is one note"
    );
    let page = tech.get(location(&added)).body;
    assert!(page.contains("The note was added.") && page.contains("Old Mill Bakery"), "{page}");
}

#[both]
fn a_note_is_written_about_nobody_and_a_mistake_keeps_the_form() {
    let server = start();
    let (bakery, business) = (company(&server, "Bay Bakery"), business(&server));
    let mut tech = browser_of(&server, TECH);
    let mut send = |body: &str, q: &str, customer: &str| {
        let fields = [("business", &*business), ("body", body), ("q", q), ("customer", customer)];
        tech.post("/notes/new", &fields)
    };
    for (body, q, customer) in [("Buy hoses.", "", ""), ("Buy valves.", "bay", "nobody")] {
        assert_eq!(send(body, q, customer).status, 303);
        let note = newest(&server);
        assert_eq!((&note["body"], &note["subject_id"]), (&json!(body), &Value::Null));
    }
    let empty = send(" ", "bay", &bakery);
    assert_eq!(empty.status, 400, "{empty:?}");
    let problem = between(&empty.body, "id=\"body-problem\">", "</p>");
    assert!(problem.starts_with("The note is required"), "{problem}");
    assert!(empty.body.contains(&format!("value=\"{bakery}\" checked")), "{}", empty.body);
    let other = server.env.empty_business("Borealis");
    let theirs = json!({ "customer_type": "company", "company_name": "Bay Theirs" });
    let theirs = server.env.create(&other.owner, "customers.create", theirs);
    for unknown in [theirs.as_str(), "01890000-0000-7000-8000-000000000000"] {
        let refused = send("Gate sticks.", "bay", unknown);
        assert!([400, 404].contains(&refused.status), "{refused:?}");
        assert!(refused.body.contains("Gate sticks.</textarea>"), "{}", refused.body);
        assert!(!refused.body.contains("Bay Theirs"), "{}", refused.body);
    }
    assert_eq!(newest(&server)["body"], "Buy valves.");
}
