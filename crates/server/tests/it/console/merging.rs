//! Merging two customers, as a browser without scripts does it.

use serde_json::{Value, json};
use zoop_both::both;

use super::{OFFICE, browser_of, business, call, create, start, unescaped};
use crate::people::{between, location};
use crate::server::Server;

/// Two records of Bob Doe.
fn bobs(server: &Server) -> (String, String) {
    let person = |first: &str, phone: &str, email: Value| {
        let fields = json!({
            "customer_type": "individual", "first_name": first, "last_name": "Doe", "phone": phone,
            "email": email, "notes_internal": format!("Said {first}."),
        });
        create(server, "customers.create", fields)
    };
    let kept = person("Bob", "510-555-0123", Value::Null);
    let other = person("Robert", "510-555-0199", json!("bob@example.com"));
    let note = json!({ "body": "Boiler hums.", "subject_type": "customer", "subject_id": other });
    create(server, "notes.create", note);
    (kept, other)
}

#[both]
fn the_page_shows_the_result_and_its_form_does_exactly_that() {
    let server = start();
    let (kept, other) = bobs(&server);
    let account = business(&server);
    let mut office = browser_of(&server, OFFICE);
    let path = format!("/customers/{kept}/merge/{other}");
    let page = office.get(&format!("{path}?business={account}&phone=other")).body;
    // Only what differs is a choice, and the choices are those of the address.
    for name in ["first_name", "phone", "notes_internal"] {
        assert!(page.contains(&format!("name=\"{name}\" value=\"kept\"")), "{name}: {page}");
    }
    for name in ["last_name", "email", "is_vip", "source"] {
        assert!(!page.contains(&format!("name=\"{name}\"")), "{name}: {page}");
    }
    assert!(page.contains("name=\"phone\" value=\"other\" checked"), "{page}");
    let shown = page.split("id=\"merged-head\"").nth(1).expect("the result");
    for text in [
        "Bob Doe",
        "(510) 555-0199",
        "bob@example.com",
        "Said Bob.",
        "Said Robert.",
        "It gets 1 contact, 1 note.",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let plan = unescaped(between(shown, "name=\"plan\" value=\"", "\""));
    let fields = [("business", &*account), ("plan", &plan), ("phone", "other")];
    // Somebody changes one of the two meanwhile: the page comes again, with the new plan.
    call(&server, "customers.update", json!({ "id": other, "source": "google" }));
    let again = office.post(&path, &fields);
    assert_eq!(again.status, 400);
    assert!(again.body.contains("Something in this plan has changed since"), "{again:?}");
    let plan = unescaped(between(&again.body, "name=\"plan\" value=\"", "\""));
    let fields = [("business", &*account), ("plan", &plan), ("phone", "other")];
    let merged = office.post(&path, &fields);
    assert_eq!(merged.status, 303, "{merged:?}");
    let page = office.get(location(&merged)).body;
    assert!(page.contains("The customers were merged.") && page.contains(">Undo"), "{page}");
    let customer = call(&server, "customers.get", json!({ "id": other }));
    assert_eq!((&customer["id"], &customer["source"]), (&json!(kept), &json!("google")));
    assert_eq!(customer["primary_phone"], "+15105550199");

    // The old page leads to the kept customer, and so does this page.
    for old in
        [format!("/customers/{other}?business={account}"), format!("{path}?business={account}")]
    {
        let reply = office.get(&old);
        assert_eq!(reply.status, 303, "{old}");
        assert!(location(&reply).starts_with(&format!("/customers/{kept}?")), "{reply:?}");
    }
    let history = office.get(&format!("/customers/{kept}/history?business={account}")).body;
    for text in [
        "merged <bdi>Robert Doe</bdi> into <bdi>Bob Doe</bdi>",
        "moved the contact <bdi>Robert Doe</bdi>",
        "moved a note",
    ] {
        assert!(history.contains(text), "{text}: {history}");
    }
    let undo = between(&page, "action=\"/changes/", "\"");
    let next = unescaped(between(&page, "name=\"next\" value=\"", "\""));
    let undone =
        office.post(&format!("/changes/{undo}"), &[("business", &*account), ("next", &*next)]);
    assert_eq!(undone.status, 303, "{undone:?}");
    assert_eq!(office.get(&format!("/customers/{other}?business={account}")).status, 200);
    let history = office.get(&format!("/customers/{kept}/history?business={account}")).body;
    assert!(
        history.contains("separated <bdi>Robert Doe</bdi> from <bdi>Bob Doe</bdi>"),
        "{history}"
    );
}

#[both]
fn a_customer_cannot_be_merged_into_an_archived_one() {
    let server = start();
    let (kept, other) = bobs(&server);
    let account = business(&server);
    call(&server, "customers.archive", json!({ "id": kept }));
    let mut office = browser_of(&server, OFFICE);
    let page = office.get(&format!("/customers/{kept}/merge/{other}?business={account}")).body;
    assert!(
        page.contains("This customer is archived") && !page.contains("name=\"plan\""),
        "{page}"
    );
    // The other way round it can.
    let reverse = unescaped(between(&page, "method=\"get\" action=\"", "\""));
    assert_eq!(reverse, format!("/customers/{other}/merge/{kept}"));
    let page = office.get(&format!("{reverse}?business={account}")).body;
    assert!(page.contains("name=\"plan\""), "{page}");
}

#[both]
fn what_was_typed_for_a_customer_that_was_merged_meanwhile_is_not_lost() {
    let server = start();
    let (kept, other) = bobs(&server);
    let account = business(&server);
    let tag = create(&server, "tags.create", json!({ "name": "VIP" }));
    let mut office = browser_of(&server, OFFICE);
    let page = office.get(&format!("/customers/{other}?business={account}")).body;
    assert!(page.contains("Robert Doe"), "{page}");
    call(&server, "customers.merge", json!({ "keep_id": kept, "merge_id": other }));
    let record = format!("/customers/{other}");
    for (form, field, typed) in [
        ("notes", "body", "The gate sticks."),
        ("new-tag", "name", "Late payer"),
        ("tag", "tag", &*tag),
        ("archive", "x", "x"),
        ("restore", "x", "x"),
    ] {
        server.env.clock.advance(4_000);
        let fields = [("business", &*account), (field, typed)];
        let reply = office.post(&format!("{record}/{form}"), &fields);
        assert_eq!(reply.status, 404, "{form}: {reply:?}");
        let said = "This customer was merged into another one";
        assert!(reply.body.contains(said) && reply.body.contains("Bob Doe"), "{form}: {reply:?}");
        // The page is that of the kept customer, with the same form.
        assert!(reply.body.contains(&format!("action=\"/customers/{kept}/notes")), "{form}");
        assert!(
            form.contains("tag") || field == "x" || reply.body.contains(typed),
            "{form}: {reply:?}"
        );
    }
}
