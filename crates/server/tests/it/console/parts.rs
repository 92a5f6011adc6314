//! The forms of a customer's contacts and locations, and of notes.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::filled::Filled;
use super::{
    OFFICE, TECH, browser_of, business, call, company, create, start, unescaped, without_change,
};
use crate::people::buttons::{Button, buttons};
use crate::people::{Browser, between, history, location};

#[both]
fn contacts_and_locations_are_added_changed_archived_and_restored() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    let mut office = browser_of(&server, OFFICE);
    let record = format!("/customers/{id}");
    let business = business(&server);
    for (kind, word, typed, change, fault) in [
        (
            "contacts",
            "contact",
            &[("first_name", "Ben"), ("last_name", "Ito")][..],
            ("title", "Baker"),
            ("last_name", "Last name"),
        ),
        (
            "locations",
            "location",
            &[
                ("address_line1", "482 Oak Street"),
                ("city", "Oakland"),
                ("state", "CA"),
                ("postal_code", "94607"),
            ],
            ("access_notes", "Gate code 4411"),
            ("city", "City"),
        ),
    ] {
        let page = unescaped(&office.get(&record).body);
        let new = format!("{record}/{kind}/new?business={business}");
        assert!(page.contains(&format!("href=\"{new}\">New {word}</a>")), "{page}");
        let empty = Filled::open(&mut office, &new);
        let refused = empty.send(&mut office);
        assert_eq!(refused.status, 400);
        let (field, label) = fault;
        let said = between(&refused.body, &format!("id=\"{field}-fault\">"), "</p>");
        assert_eq!(said, format!("{label} is required."));
        let form = typed
            .iter()
            .fold(Filled::of(&refused.body), |form, (name, value)| form.with(name, value));
        let sent = form.send(&mut office);
        assert!(location(&sent).contains(&format!("done={word}-added")), "{sent:?}");
        assert_eq!(without_change(&form.send(&mut office)), without_change(&sent), "sent twice");
        let rows = |server, archived: bool| -> Value {
            let filter = json!({ "customer_id": id, "archived": archived });
            call(server, &format!("{kind}.list"), filter)["rows"].clone()
        };
        assert_eq!(rows(&server, false).as_array().map(Vec::len), Some(1), "one {word}");
        let part = rows(&server, false)[0]["id"].as_str().expect("an id").to_owned();

        let edit = format!("{record}/{kind}/{part}/edit");
        let page = unescaped(&office.get(&record).body);
        let shown = buttons(&page);
        let address = format!("{edit}?business={business}");
        assert!(shown.iter().any(|it| it.leads && it.address == address), "{edit}: {shown:?}");
        let stale = Filled::open(&mut office, &edit).with(field, "Mine");
        let (name, value) = change;
        let sent = Filled::open(&mut office, &edit).with(name, value).send(&mut office);
        assert!(location(&sent).contains(&format!("done={word}-saved")), "{sent:?}");
        assert_eq!(rows(&server, false)[0][name], value);
        assert_eq!(history(&server)[0]["tool"], format!("{kind}.update"));
        assert_eq!(stale.send(&mut office).status, 409, "{word}");

        // A customer keeps one contact, so there is another one to archive.
        let mut arguments = json!({ "customer_id": id, "first_name": "Mei", "last_name": "Tan" });
        if kind == "contacts" {
            let alone =
                office.post(&format!("{record}/{kind}/{part}/archive"), &[("business", &business)]);
            assert_eq!(alone.status, 400);
            assert!(alone.body.contains("add another contact first"), "{}", alone.body);
            create(&server, "contacts.create", arguments.take());
        }
        let ask = format!("{record}/{kind}/{part}/archive");
        let question = office.get(&ask);
        assert_eq!(question.status, 200);
        assert!(question.body.contains("Archive <bdi>"), "{}", question.body);
        assert_eq!(rows(&server, true), json!([]), "asking archives nothing");
        let archived = office.post(&ask, &[("business", &business)]);
        let page = office.get(location(&archived)).body;
        assert!(page.contains(&format!("The {word} was archived.")), "{page}");
        let restore = format!("{record}/{kind}/{part}/restore");
        assert!(page.contains("type=\"submit\">Undo<"), "undone at once: {page}");
        let all = office.get(&format!("{record}/archived")).body;
        assert!(all.contains(&format!("action=\"{restore}\"")), "{all}");
        let restored = office.post(&restore, &[("business", &business)]);
        let page = office.get(location(&restored)).body;
        assert!(page.contains(&format!("The {word} was restored.")), "{page}");
        let all = office.get(&format!("{record}/archived")).body;
        assert!(!all.contains("/restore"), "{all}");
        assert_eq!(office.post(&restore, &[("business", &business)]).status, 404);
    }
}

#[both]
fn an_author_edits_archives_and_restores_a_note_and_others_do_not() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let (business, record) = (business(&server), format!("/customers/{customer}"));
    let note =
        json!({ "body": "Gate <b>sticks</b>", "subject_type": "customer", "subject_id": customer });
    let note = server.env.create(&server.business.tech, "notes.create", note);
    for (page, query) in
        [(record.as_str(), format!("&customer={customer}")), ("/notes", String::new())]
    {
        let mut tech = browser_of(&server, TECH);
        let shown = unescaped(&tech.get(page).body);
        let edit = format!("/notes/{note}/edit?business={business}{query}");
        let archive = edit.replace("/edit", "/archive");
        for (name, address) in [("Edit", &edit), ("Archive", &archive)] {
            let has = |it: &Button| it.name.starts_with(name) && it.address == *address;
            assert!(buttons(&shown).iter().any(has), "{name}: {shown}");
        }
        let form = Filled::open(&mut tech, &edit);
        let body = format!("Gate sticks\r\nsee {}", page.len());
        let sent = form.clone().with("body", &body).send(&mut tech);
        assert!(
            location(&sent).starts_with(&format!("{page}?business={business}&done=note-saved"))
        );
        assert!(tech.get(location(&sent)).body.contains("The note was saved."));
        let stored = call(&server, "notes.get", json!({ "id": note }));
        assert_eq!(stored["body"], body.replace("\r\n", "\n"));
        assert_eq!(form.with("body", "Mine").send(&mut tech).status, 409);
        let empty = Filled::open(&mut tech, &edit).with("body", " ").send(&mut tech);
        assert_eq!(between(&empty.body, "id=\"body-fault\">", "</p>"), "Note cannot be cleared.");

        // An office user who is not the author sees no button, and the tool refuses forms.
        let mut office = browser_of(&server, OFFICE);
        assert!(!office.get(page).body.contains(&format!("/notes/{note}/")));
        assert_eq!(office.get(&edit).status, 403);
        assert_eq!(office.get(&archive).status, 403);
        let refused = office.post(&archive, &[("business", &business)]);
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.contains("author or an owner"), "{}", refused.body);
        let other = Filled::open(&mut Browser::owner(&server), &edit).with("body", "Theirs");
        assert_eq!(other.send(&mut office).status, 400);

        let question = tech.get(&archive);
        assert!(question.body.contains("<h1>Archive this note?</h1>"), "{}", question.body);
        let archived = tech.post(&archive, &[("business", &business)]);
        let after = tech.get(location(&archived)).body;
        assert!(after.contains("The note was archived."), "{after}");
        assert!(!after.contains("Gate sticks"), "{after}");
        let restore = unescaped(between(&after, "<form method=\"post\" action=\"/notes/", "\""));
        let restore = format!("/notes/{restore}");
        // Whoever goes back to the question can restore it there too, if they may.
        let again = tech.get(&archive).body;
        assert!(again.contains("This note is archived already"), "{again}");
        let offered = buttons(&again).into_iter().find(|it| it.name == "Restore");
        assert_eq!(offered.map(|it| it.address), Some(restore.clone()), "{again}");
        assert_eq!(office.get(&archive).status, 404);
        let restored = tech.post(&restore, &[("business", &business)]);
        let user = Business::user(&server.business.tech).to_string();
        assert_eq!(history(&server)[0]["user_id"], user);
        let after = tech.get(location(&restored)).body;
        assert!(
            after.contains("The note was restored.") && after.contains("Gate sticks"),
            "{after}"
        );
        assert_eq!(tech.post(&restore, &[("business", &business)]).status, 404);
    }
}

#[both]
fn a_note_that_is_sent_twice_is_added_once() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let mut tech = browser_of(&server, TECH);
    let record = format!("/customers/{customer}");
    let business = business(&server);
    let page = tech.get(&record).body;
    let key = between(&page, "name=\"key\" value=\"", "\"").to_owned();
    let fields = [("business", business.as_str()), ("key", &key), ("body", "The gate sticks.")];
    let first = tech.post(&format!("{record}/notes"), &fields);
    let second = tech.post(&format!("{record}/notes"), &fields);
    assert_eq!(without_change(&first), without_change(&second));
    let notes = call(&server, "notes.list", json!({ "customer_id": customer }));
    assert_eq!(notes["rows"].as_array().map(Vec::len), Some(1), "{notes}");
    let other = [("business", business.as_str()), ("key", &key), ("body", "The door squeaks.")];
    // Another text, as after going back, is another note.
    tech.post(&format!("{record}/notes"), &other);
    let notes = call(&server, "notes.list", json!({ "customer_id": customer }));
    assert_eq!(notes["rows"].as_array().map(Vec::len), Some(2), "{notes}");
}

#[both]
fn a_tech_has_no_form_for_records_and_unknown_ones_are_the_same_page() {
    let server = start();
    let arguments = json!({
        "customer_type": "company", "company_name": "Bay Bakery",
        "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                      "postal_code": "94607" },
    });
    let own = create(&server, "customers.create", arguments);
    let second = company(&server, "Harbor Hotel");
    let whole = call(&server, "customers.get", json!({ "id": own }));
    let part = |kind: &str| whole[kind][0]["id"].as_str().expect("an id").to_owned();
    let other = server.env.empty_business("Borealis");
    let theirs = json!({ "customer_type": "company", "company_name": "Aurora Motel" });
    let theirs = server.env.create(&other.owner, "customers.create", theirs);
    let unknown = "01890000-0000-7000-8000-000000000000";
    let business = business(&server);
    let (mut tech, mut office) = (browser_of(&server, TECH), browser_of(&server, OFFICE));
    let before = history(&server).len();
    assert_eq!(tech.get("/customers/new").status, 403);
    assert_eq!(
        tech.post("/customers/new", &[("business", &business), ("first_name", "X")]).status,
        403
    );
    assert!(!tech.get("/customers").body.contains("New customer"));
    let mut missing = Vec::new();
    for (kind, form) in [
        ("", "edit"),
        ("contacts", "new"),
        ("contacts", "edit"),
        ("contacts", "archive"),
        ("locations", "new"),
        ("locations", "edit"),
        ("locations", "archive"),
    ] {
        let path = |customer: &str, id: &str| match (kind, form) {
            ("", _) => format!("/customers/{customer}/{form}"),
            (_, "new") => format!("/customers/{customer}/{kind}/new"),
            _ => format!("/customers/{customer}/{kind}/{id}/{form}"),
        };
        let id = if kind.is_empty() { String::new() } else { part(kind) };
        let ours = path(&own, &id);
        assert_eq!(office.get(&ours).status, 200, "{ours}");
        assert_eq!(tech.get(&ours).status, 403, "{ours}");
        let fields = [
            ("business", business.as_str()),
            ("first_name", "X"),
            ("last_name", "X"),
            ("address_line1", "X"),
            ("city", "X"),
            ("state", "X"),
            ("postal_code", "X"),
        ];
        assert_eq!(tech.post(&ours, &fields).status, 403, "{ours}");
        let mut strange = vec![path(&theirs, &id), path(unknown, &id), path("x", &id)];
        if form != "new" && !kind.is_empty() {
            strange.extend([path(&own, unknown), path(&own, "x"), path(&second, &id)]);
        }
        for path in strange {
            missing.push(office.get(&path));
            // The page of an own customer says that a part is not there any more.
            if ![&own, &second].iter().any(|own| path.contains(own.as_str())) {
                missing.push(office.post(&path, &fields));
            }
        }
    }
    for note in [unknown, "x"] {
        for form in ["edit", "archive"] {
            missing.push(office.get(&format!("/notes/{note}/{form}")));
        }
    }
    missing.push(office.get(&format!("/customers/{theirs}/archived")));
    for reply in &missing {
        assert_eq!((reply.status, &reply.body), (404, &missing[0].body), "{reply:?}");
    }
    assert_eq!(history(&server).len(), before, "nothing was changed");
    let page = tech.get(&format!("/customers/{own}")).body;
    for absent in ["/edit", "/new", "/archive", ">Edit"] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
}

#[both]
fn a_form_whose_session_has_ended_is_kept_and_can_be_sent_again() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    let mut office = browser_of(&server, OFFICE);
    let new = Filled::open(&mut office, "/customers/new").with("first_name", "Hana \"H\"\r\nN");
    let edit = Filled::open(&mut office, &format!("/customers/{id}/edit")).with("source", "fair");
    office.post("/sign-out", &[]);
    for (form, typed) in [(new, "Hana &#34;H&#34;\r\nN"), (edit, "fair")] {
        let kept = form.send(&mut office);
        assert_eq!(kept.status, 401, "{kept:?}");
        assert!(kept.body.contains("nothing that you typed is lost"), "{}", kept.body);
        assert!(kept.body.contains(&format!("value=\"{typed}\"")), "{}", kept.body);
        assert!(kept.body.contains(&format!("action=\"{}\"", form.action)), "{}", kept.body);
    }
    let note = [("business", business(&server)), ("body", "The gate sticks.".to_owned())];
    let note = note.each_ref().map(|(name, value)| (*name, value.as_str()));
    let kept = office.post(&format!("/customers/{id}/notes"), &note);
    assert!(kept.body.contains("name=\"body\" value=\"The gate sticks.\""), "{}", kept.body);
    let mut office = browser_of(&server, OFFICE);
    let sent = office.post(&format!("/customers/{id}/notes"), &note);
    assert!(location(&sent).contains("done=note"), "{sent:?}");
}

#[both]
fn what_programs_fill_in_is_in_a_form_only_if_there_is_a_value() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let place = |line: &str| {
        json!({ "customer_id": customer, "address_line1": line, "city": "Oakland", "state": "CA",
                "postal_code": "94607", "country": "CA" })
    };
    let plain = create(&server, "locations.create", place("1 Pier Road"));
    let mut known = place("2 Pier Road");
    (known["latitude"], known["longitude"]) = (json!(37.8), json!(-122.3));
    let known = create(&server, "locations.create", known);
    let mut office = browser_of(&server, OFFICE);
    let form = |id: &str| format!("/customers/{customer}/locations/{id}/edit");
    let page = office.get(&form(&plain)).body;
    let has = |page: &str, name: &str| page.contains(&format!("name=\"{name}\""));
    assert!(!has(&page, "latitude") && !has(&page, "place_id"), "{page}");
    assert!(page.contains("<option value=\"CA\" selected>Canada</option>"), "{page}");
    let page = office.get(&form(&known)).body;
    assert!(has(&page, "latitude") && has(&page, "longitude"), "{page}");
    assert!(!has(&page, "place_id"), "{page}");
    let page = office.get("/customers/new").body;
    assert!(!has(&page, "external_id") && !has(&page, "location.latitude"), "{page}");
    // Emptied and saved, they are gone.
    let form = Filled::open(&mut office, &form(&known)).with("latitude", "").with("longitude", "");
    assert_eq!(form.send(&mut office).status, 303);
    let stored = call(&server, "locations.get", json!({ "id": known, "customer_id": customer }));
    assert_eq!((&stored["latitude"], &stored["country"]), (&json!(null), &json!("CA")));
}
