//! `customers.merge`, through the pipeline.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// Two records of Bob Doe: `kept` has one contact, one location and one tag, `other` has more of all.
struct Bobs<'a> {
    env: &'a TestEnv,
    acme: &'a Business,
    kept: String,
    other: String,
}

fn create(env: &TestEnv, acme: &Business, fields: Value) -> String {
    env.create(&acme.owner, "customers.create", fields)
}

impl<'a> Bobs<'a> {
    fn new(env: &'a TestEnv, acme: &'a Business) -> Self {
        for name in ["Gate", "Dog"] {
            env.create(&acme.owner, "tags.create", json!({ "name": name }));
        }
        let kept = json!({
            "customer_type": "individual", "first_name": "Bob", "last_name": "Doe",
            "phone": "510-555-0123", "notes_internal": "Pays cash.", "tags": ["Gate"],
            "location": { "address_line1": "12 Oak Street", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" },
        });
        let other = json!({
            "customer_type": "individual", "first_name": "Robert", "last_name": "Doe",
            "phone": "510-555-0199", "email": "bob@example.com", "external_id": "QB-7",
            "notes_internal": "Ring twice.", "do_not_contact": true, "source": "google",
            "tags": ["Gate", "Dog"],
            "location": { "address_line1": "12 oak st", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" },
        });
        let (kept, other) = (create(env, acme, kept), create(env, acme, other));
        let bobs = Self { env, acme, kept, other };
        bobs.call(
            "locations.create",
            json!({ "address_line1": "9 Elm Road", "city": "Oakland",
            "state": "CA", "postal_code": "94609", "customer_id": bobs.other }),
        );
        bobs
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.env.call(&self.acme.owner, tool, arguments).expect(tool)
    }

    fn refused(&self, tool: &str, arguments: Value) -> Value {
        error_json(&self.env.call(&self.acme.owner, tool, arguments).expect_err(tool))
    }

    fn get(&self, id: &str) -> Value {
        self.call("customers.get", json!({ "id": id }))
    }

    fn merge(&self, more: Value) -> Value {
        self.call("customers.merge", self.ids(more))
    }

    fn ids(&self, more: Value) -> Value {
        let mut arguments = json!({ "keep_id": self.kept, "merge_id": self.other });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    }

    fn note(&self, on: &str, id: &str, body: &str) -> String {
        let note = json!({ "body": body, "subject_type": on, "subject_id": id });
        self.env.create(&self.acme.tech, "notes.create", note)
    }

    /// The numbers of the customers that `q` finds.
    fn found(&self, q: &str) -> Vec<String> {
        let page = self.call("customers.search", json!({ "q": q }));
        let rows = page["rows"].as_array().unwrap().iter();
        rows.map(|row| text(row, "customer_number").to_owned()).collect()
    }

    fn undo(&self) {
        let page = self.call("changes.list", json!({ "limit": 1 }));
        assert_eq!(page["rows"][0]["can_revert"], true, "{page}");
        self.call("changes.revert", json!({ "id": page["rows"][0]["id"] }));
    }
}

fn names(rows: &Value, field: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| text(row, field).to_owned()).collect()
}

#[both]
fn the_kept_customer_gets_everything_and_the_old_id_and_number_lead_to_it() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    let old = bobs.get(&bobs.other);
    let on_customer = bobs.note("customer", &bobs.other, "Boiler hums.");
    let at = text(&old["locations"][0], "id").to_owned();
    let on_location = bobs.note("customer_location", &at, "Gate code 9911.");
    bobs.merge(json!({}));

    let kept = bobs.get(&bobs.kept);
    assert_eq!(kept["display_name"], "Bob Doe");
    assert_eq!(kept["primary_phone"], "+15105550123");
    // What only the other one had.
    assert_eq!(kept["primary_email"], "bob@example.com");
    assert_eq!(kept["external_id"], "QB-7");
    assert_eq!(kept["source"], "google");
    assert_eq!(kept["do_not_contact"], true);
    assert_eq!(kept["notes_internal"], "Pays cash.\n\nRing twice.");
    assert_eq!(names(&kept["tags"], "name"), ["Dog", "Gate"]);
    assert_eq!(names(&kept["contacts"], "first_name"), ["Bob", "Robert"]);
    // 12 oak st is 12 Oak Street.
    assert_eq!(names(&kept["locations"], "address_line1"), ["12 Oak Street", "9 Elm Road"]);
    let primary: Vec<_> =
        kept["locations"].as_array().unwrap().iter().map(|it| &it["is_primary"]).collect();
    assert_eq!(primary, [true, false]);
    assert_eq!(kept["merged_from"][0]["id"], json!(bobs.other));
    assert_eq!(kept["merged_from"][0]["customer_number"], old["customer_number"]);

    // The old id reads the kept customer, and so does the old number.
    assert_eq!(bobs.get(&bobs.other), kept);
    for tool in ["contacts.list", "locations.list"] {
        let list = |id: &str| bobs.call(tool, json!({ "customer_id": id }));
        assert_eq!(list(&bobs.other), list(&bobs.kept), "{tool}");
    }
    let number = text(&old, "customer_number");
    assert_eq!(bobs.found(number), [text(&kept, "customer_number")]);
    assert_eq!(bobs.found("Robert"), [text(&kept, "customer_number")]);
    assert_eq!(bobs.found("doe"), [text(&kept, "customer_number")]);
    let by_external_id = bobs.call("customers.search", json!({ "external_id": "QB-7" }));
    assert_eq!(names(&by_external_id["rows"], "id"), [&*bobs.kept]);
    for status in ["active", "inactive", "archived"] {
        let page = bobs.call("customers.search", json!({ "status": status }));
        assert!(!names(&page["rows"], "id").contains(&bobs.other), "{status}");
    }

    // The notes, also by the old ids. No one edited them.
    let by_customer = |id: &str| bobs.call("notes.list", json!({ "customer_id": id }));
    let notes = by_customer(&bobs.kept);
    assert_eq!(names(&notes["rows"], "id"), [on_location, on_customer.clone()]);
    assert_eq!(by_customer(&bobs.other), notes);
    assert_eq!(notes["rows"][0]["subject_id"], kept["locations"][0]["id"]);
    for note in notes["rows"].as_array().unwrap() {
        assert_eq!(note["customer_id"], json!(bobs.kept));
        assert_eq!(note["updated_at"], note["created_at"]);
    }
    let of_subject = bobs.call("notes.list", json!({ "subject_id": bobs.other }));
    assert_eq!(names(&of_subject["rows"], "id"), [on_customer]);
    // Tags count the kept customer once.
    let tags = bobs.call("tags.list", json!({}));
    assert_eq!(names(&tags["rows"], "name"), ["Dog", "Gate"]);
}

#[both]
fn the_merged_customer_is_not_changed_any_more() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    let old = bobs.get(&bobs.other);
    bobs.merge(json!({}));
    let (other, kept) = (&bobs.other, &bobs.kept);
    let dropped = &old["locations"][0]["id"];
    let tag = bobs.get(kept)["tags"][0]["id"].clone();
    for (tool, arguments) in [
        ("customers.update", json!({ "id": other, "is_vip": true })),
        ("customers.archive", json!({ "id": other })),
        ("customers.restore", json!({ "id": other })),
        ("contacts.create", json!({ "customer_id": other, "first_name": "Al", "last_name": "Bo" })),
        ("tags.attach", json!({ "id": tag, "customer_id": other })),
        ("tags.detach", json!({ "id": tag, "customer_id": other })),
        ("notes.create", json!({ "body": "x", "subject_type": "customer", "subject_id": other })),
        (
            "notes.create",
            json!({ "body": "x", "subject_type": "customer_location", "subject_id": dropped }),
        ),
        ("customers.merge", json!({ "keep_id": other, "merge_id": kept })),
    ] {
        let error = bobs.refused(tool, arguments);
        assert_eq!(error["kind"], "not_found", "{tool}");
        let expected = format!("This customer was merged into another one: send the id {kept}.");
        assert_eq!(error["message"], json!(expected), "{tool}");
    }
    // Merging it again is done already.
    let again = bobs.merge(json!({}));
    assert_eq!((&again["merged"], &again["customer"]["id"]), (&json!(true), &json!(kept)));
    // A caller who may not read customers learns nothing.
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let error =
        env.call(&writer, "customers.update", json!({ "id": other, "is_vip": true })).unwrap_err();
    assert_eq!(
        error_json(&error)["message"],
        "There is no such customer in this account: check the ids that you sent."
    );
}

#[both]
fn a_dry_run_writes_nothing_and_its_plan_is_done_exactly_or_refused() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    bobs.note("customer", &bobs.other, "Boiler hums.");
    let (kept, other) = (bobs.get(&bobs.kept), bobs.get(&bobs.other));
    let entries = bobs.call("changes.list", json!({}));
    let take = json!({ "take": ["first_name", "phone", "do_not_contact"], "dry_run": true });
    let shown = bobs.merge(take.clone());
    assert_eq!((bobs.get(&bobs.kept), bobs.get(&bobs.other)), (kept, other));
    assert_eq!(bobs.call("changes.list", json!({})), entries);
    assert_eq!((&shown["merged"], &shown["moved"]["notes"]), (&json!(false), &json!(1)));
    assert_eq!(shown["customer"]["display_name"], "Robert Doe");
    assert_eq!(shown["customer"]["primary_phone"], "+15105550199");
    // Then his contact is the same as the other's, who therefore is dropped.
    assert_eq!(shown["moved"]["contacts"], json!([]));
    assert_eq!(shown["dropped"]["contacts"].as_array().unwrap().len(), 1);
    assert_eq!(shown["dropped"]["locations"].as_array().unwrap().len(), 1);

    let plan = shown["plan"].clone();
    let with_plan = |take: Value| json!({ "plan": plan, "take": take });
    // Another plan, and the same one after something in it has changed.
    let taken = json!(["first_name", "phone", "do_not_contact"]);
    let error = bobs.refused("customers.merge", bobs.ids(with_plan(json!(["first_name"]))));
    assert_eq!(error["kind"], "conflict");
    let note = bobs.note("customer", &bobs.other, "And leaks.");
    let error = bobs.refused("customers.merge", bobs.ids(with_plan(taken.clone())));
    assert_eq!(error["kind"], "conflict");
    env.call(&acme.tech, "notes.archive", json!({ "id": note })).expect("archived");
    // An archived note moves too.
    assert_eq!(
        bobs.refused("customers.merge", bobs.ids(with_plan(taken.clone())))["kind"],
        "conflict"
    );

    let again = bobs.merge(take);
    let done = bobs.merge(json!({ "plan": again["plan"], "take": taken }));
    assert_eq!(done["merged"], true);
    for part in ["moved", "dropped"] {
        assert_eq!(done[part], again[part], "{part}");
    }
    let mut kept = bobs.get(&bobs.kept);
    for key in ["contacts", "locations"] {
        kept.as_object_mut().unwrap().remove(key);
    }
    for record in [&shown["customer"], &done["customer"]] {
        for (key, value) in record.as_object().unwrap() {
            assert!(key == "updated_at" || kept[key] == *value, "{key}: {value} {}", kept[key]);
        }
    }
}

#[both]
fn a_merge_is_undone_with_what_came_since() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    let note = bobs.note("customer", &bobs.other, "Boiler hums.");
    let whole = || {
        let mut both = [bobs.get(&bobs.kept), bobs.get(&bobs.other)];
        for record in &mut both {
            let lists = ["contacts", "locations"].map(|key| record[key].take());
            record.as_object_mut().unwrap().remove("updated_at");
            for mut row in lists.into_iter().flat_map(|list| list.as_array().unwrap().clone()) {
                row.as_object_mut().unwrap().remove("updated_at");
                let id = text(&row, "id").to_owned();
                record[id] = row;
            }
        }
        both
    };
    let before = whole();
    bobs.merge(json!({ "take": ["phone"] }));
    let merged = bobs.get(&bobs.kept);
    // The office undoes it, although the technician wrote the note.
    let entry = bobs.call("changes.list", json!({ "limit": 1 }))["rows"][0].clone();
    assert_eq!(entry["tool"], "customers.merge");
    let undo = |caller: &Caller| env.call(caller, "changes.revert", json!({ "id": entry["id"] }));
    undo(&acme.office).expect("undone");
    assert_eq!(whole(), before);
    assert_eq!(bobs.call("notes.get", json!({ "id": note }))["subject_id"], json!(bobs.other));
    let old_number = text(&before[1], "customer_number");
    assert_eq!(bobs.found(old_number), [old_number]);
    // Bob is a nickname of Robert.
    assert_eq!(bobs.found("Robert"), [old_number, text(&before[0], "customer_number")]);

    // And again, and back.
    bobs.undo();
    let mut again = bobs.get(&bobs.kept);
    again["updated_at"] = merged["updated_at"].clone();
    assert_eq!(names(&again["contacts"], "id"), names(&merged["contacts"], "id"));
    assert_eq!(again["merged_from"], merged["merged_from"]);
    assert_eq!(names(&again["locations"], "id"), names(&merged["locations"], "id"));
    bobs.undo();
    assert_eq!(whole(), before);
}

#[both]
fn what_changed_since_stands_in_the_way_of_undo() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    bobs.merge(json!({}));
    let entry = bobs.call("changes.list", json!({ "limit": 1 }))["rows"][0]["id"].clone();
    let kept = bobs.get(&bobs.kept);
    let robert = json!({ "id": kept["contacts"][1]["id"], "customer_id": bobs.kept });
    let with = |mut arguments: Value, field: &str, value: Value| {
        arguments[field] = value;
        arguments
    };
    let blocked = |by: &str| {
        let error = bobs.refused("changes.revert", json!({ "id": entry }));
        let message = text(&error, "message");
        assert!(error["kind"] == "conflict" && message.contains(by), "{by}: {message}");
        let page = bobs.call("changes.list", json!({ "record_id": bobs.other, "limit": 1 }));
        assert_eq!(page["rows"][0]["can_revert"], false, "{by}");
    };
    // Another primary contact, an archived contact, another e-mail address, another merge.
    bobs.call("contacts.update", with(robert.clone(), "is_primary", json!(true)));
    blocked("is_primary");
    bobs.undo();
    bobs.call("contacts.archive", robert.clone());
    blocked("archived");
    bobs.undo();
    bobs.call("customers.update", json!({ "id": bobs.kept, "email": "doe@example.com" }));
    blocked("email");
    bobs.undo();
    let third =
        create(&env, &acme, json!({ "customer_type": "company", "company_name": "Doe Inc." }));
    bobs.call("customers.merge", json!({ "keep_id": third, "merge_id": bobs.kept }));
    blocked("merged into another one since");
    // Earlier changes of the merged customer wait too.
    let earlier =
        bobs.call("changes.list", json!({ "record_id": bobs.other, "tool": "customers.create" }));
    assert_eq!(earlier["rows"][0]["can_revert"], false);
    // All ids and numbers lead to the third.
    for id in [&bobs.kept, &bobs.other] {
        assert_eq!(bobs.get(id)["id"], json!(third));
    }
    assert_eq!(
        names(&bobs.get(&third)["merged_from"], "id"),
        [bobs.other.clone(), bobs.kept.clone()]
    );
    // The company's placeholder gives way to its first person.
    assert_eq!(names(&bobs.get(&third)["contacts"], "first_name"), ["Bob", "Robert"]);
    assert_eq!(bobs.get(&third)["contacts"][0]["is_primary"], true);
    bobs.undo();
    assert_eq!(names(&bobs.get(&third)["contacts"], "first_name"), ["Doe Inc."]);
    assert_eq!(bobs.get(&bobs.kept)["contacts"][0]["is_primary"], true);
    // A phone of a moved contact may have changed: it goes back with the contact.
    bobs.call("contacts.update", with(robert, "title", json!("Owner")));
    bobs.call("changes.revert", json!({ "id": entry }));
    assert_eq!(bobs.get(&bobs.other)["contacts"][0]["title"], "Owner");
}

#[both]
fn a_merge_that_cannot_be_is_refused() {
    let env = TestEnv::new();
    let (acme, ben) = (env.empty_business("Acme"), env.business("Ben"));
    let bobs = Bobs::new(&env, &acme);
    let foreign = ben.id("customer");
    let same = json!({ "keep_id": bobs.kept, "merge_id": bobs.kept.to_uppercase() });
    assert_eq!(bobs.refused("customers.merge", same)["fields"][0]["field"], "merge_id");
    for (keep, merge) in [(foreign, &*bobs.other), (&*bobs.kept, foreign)] {
        let error = bobs.refused("customers.merge", json!({ "keep_id": keep, "merge_id": merge }));
        assert_eq!(
            error["message"],
            "There is no such customer in this account: check the ids that you sent."
        );
    }
    let error =
        bobs.refused("customers.merge", bobs.ids(json!({ "take": ["email", "company_name"] })));
    assert_eq!(error["fields"][0]["field"], "take");
    bobs.call("customers.archive", json!({ "id": bobs.kept }));
    assert_eq!(bobs.refused("customers.merge", bobs.ids(json!({})))["kind"], "not_found");
    // The other one may be archived: it was put away as a duplicate, with its notes.
    bobs.call("customers.merge", json!({ "keep_id": bobs.other, "merge_id": bobs.kept }));
    assert_eq!(bobs.get(&bobs.kept)["id"], json!(bobs.other));
    bobs.undo();
    assert_eq!(bobs.get(&bobs.kept)["status"], "archived");
    // Programs that act for no user do not merge.
    let error = env.call(&acme.tenant, "customers.merge", bobs.ids(json!({}))).unwrap_err();
    assert!(text(&error_json(&error), "message").contains("user"), "{error:?}");
}

#[both]
fn a_merge_is_not_done_again_if_the_customer_got_more_since() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Late" }));
    let operator = Caller::operator(Some(acme.account));
    let other = &bobs.other;
    let at = text(&bobs.get(other)["locations"][0], "id").to_owned();
    bobs.merge(json!({}));
    bobs.undo();
    let undoing = bobs.call("changes.list", json!({ "limit": 1 }))["rows"][0]["id"].clone();
    let person = json!({ "customer_id": other, "first_name": "Al", "last_name": "Bo" });
    let place = json!({ "customer_id": other, "address_line1": "1 Ash Lane", "city": "Oakland", "state": "CA",
                        "postal_code": "94601" });
    let invoice = json!({ "customer_id": other, "subject_type": "invoice", "title": "Repipe", "status": "open" });
    let job = json!({ "customer_id": other, "title": "Repipe" });
    let note =
        |kind: &str, id: &str| json!({ "body": "Leaks.", "subject_type": kind, "subject_id": id });
    // Each addition stays: whichever is there stands in the way.
    for (caller, tool, arguments) in [
        (&acme.owner, "tags.attach", json!({ "id": tag, "customer_id": other })),
        // The merge dropped this location, and would move its notes.
        (&acme.owner, "notes.create", note("customer_location", &at)),
        (&acme.owner, "notes.create", note("customer", other)),
        (&acme.owner, "contacts.create", person),
        (&acme.owner, "locations.create", place),
        (&acme.owner, "jobs.create", job),
        (&operator, "subjects.create", invoice),
    ] {
        env.clock.advance(1_000_000);
        env.call(caller, tool, arguments).expect(tool);
        let error = bobs.refused("changes.revert", json!({ "id": undoing }));
        assert!(text(&error, "message").contains("merge it again"), "{tool}: {error}");
        if tool == "tags.attach" {
            bobs.call("tags.detach", json!({ "id": tag, "customer_id": other }));
        }
    }
}

#[both]
fn a_person_stays_one_with_their_own_contact_whichever_record_is_older() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bob = |phone: &str| {
        env.clock.advance(1_000_000);
        create(
            &env,
            &acme,
            json!({ "customer_type": "individual", "first_name": "Bob", "last_name": "Doe", "phone": phone }),
        )
    };
    let (older, newer) = (bob("510-555-0101"), bob("510-555-0102"));
    let call = |tool: &str, arguments: Value| env.call(&acme.owner, tool, arguments).expect(tool);
    call("customers.merge", json!({ "keep_id": newer, "merge_id": older }));
    call("customers.update", json!({ "id": newer, "phone": "510-555-0103" }));
    let phones = || {
        let contacts = call("contacts.list", json!({ "customer_id": newer }));
        names(&contacts["rows"], "phone_raw")
    };
    assert_eq!(phones(), ["510-555-0103", "510-555-0101"]);
    let contacts = call("contacts.list", json!({ "customer_id": newer }))["rows"].clone();
    let moved = json!({ "id": contacts[1]["id"], "customer_id": newer, "phone": "510-555-0104" });
    call("contacts.update", moved);
    assert_eq!(call("customers.get", json!({ "id": newer }))["primary_phone_raw"], "510-555-0103");
}

#[both]
fn nothing_of_a_company_is_lost_without_a_word() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let company = |name: &str, phone: &str, external_id: &str| {
        let fields = json!({ "customer_type": "company", "company_name": name, "phone": phone,
                             "external_id": external_id, "source": external_id });
        create(&env, &acme, fields)
    };
    let (kept, other) = (
        company("Bay Bakery", "510-555-0101", "A1"),
        company("Bay Bakery LLC", "510-555-0102", "B2"),
    );
    let call = |tool: &str, arguments: Value| env.call(&acme.owner, tool, arguments).expect(tool);
    let found = |q: Value| names(&call("customers.search", q)["rows"], "id");
    let merge = json!({ "keep_id": kept, "merge_id": other, "take": ["company_name"] });
    let merged = call("customers.merge", merge);
    // The external id is the one thing that the kept company cannot have twice.
    assert_eq!(
        merged["not_kept"],
        json!([{ "field": "source", "value": "B2" }, { "field": "external_id", "value": "B2" }])
    );
    for q in ["510-555-0101", "510-555-0102", "LLC"] {
        assert_eq!(found(json!({ "q": q })), [&*kept], "{q}");
    }
    let contacts = call("contacts.list", json!({ "customer_id": kept }))["rows"].clone();
    assert_eq!(names(&contacts, "first_name"), ["Bay Bakery LLC"]);
    assert_eq!(contacts[0]["phone_raw"], "510-555-0102");
    // The external id leads to the kept company, which may take it over later.
    assert_eq!(found(json!({ "external_id": "B2" })), [&*kept]);
    let third = json!({ "customer_type": "company", "company_name": "Third", "external_id": "B2" });
    let error = error_json(&env.call(&acme.owner, "customers.create", third).unwrap_err());
    assert!(text(&error, "message").contains(&kept), "{error}");
    call("customers.update", json!({ "id": kept, "external_id": "B2" }));
    assert_eq!(found(json!({ "external_id": "B2" })), [&*kept]);
    for _ in 0..2 {
        let entries = call("changes.list", json!({}))["rows"].clone();
        let entry = entries
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["can_revert"] == true && it["tool"] != "changes.revert");
        call("changes.revert", json!({ "id": entry.unwrap()["id"] }));
    }
    assert_eq!(call("customers.get", json!({ "id": other }))["external_id"], "B2");
    assert_eq!(found(json!({ "q": "510-555-0102" })), [&*other]);
    // The placeholder is one again: the first person takes its place.
    call("contacts.create", json!({ "customer_id": other, "first_name": "Al", "last_name": "Bo" }));
    assert_eq!(
        names(&call("contacts.list", json!({ "customer_id": other }))["rows"], "first_name"),
        ["Al"]
    );
}

#[both]
fn a_deleted_tag_comes_back_to_those_who_have_the_records_now() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Late" }));
    let person = |number: usize, tags: Value| {
        let name = format!("Bob{number}");
        create(
            &env,
            &acme,
            json!({ "customer_type": "individual", "first_name": name, "tags": tags }),
        )
    };
    let kept = person(0, json!([]));
    let others: Vec<_> = (1..=60).map(|number| person(number, json!([tag]))).collect();
    let call = |tool: &str, arguments: Value| {
        env.clock.advance(1_000);
        env.call(&acme.owner, tool, arguments).expect(tool)
    };
    call("tags.delete", json!({ "id": tag }));
    let deletion = call("changes.list", json!({ "limit": 1 }))["rows"][0]["id"].clone();
    for other in &others {
        call("customers.merge", json!({ "keep_id": kept, "merge_id": other }));
    }
    call("changes.revert", json!({ "id": deletion }));
    let tags = call("customers.get", json!({ "id": kept }))["tags"].clone();
    assert_eq!(names(&tags, "name"), ["Late"]);
    // It is deleted from one customer now.
    call("tags.delete", json!({ "id": tag }));
    let entry = call("changes.list", json!({ "limit": 1 }))["rows"][0].clone();
    let changes = entry["changes"].as_array().unwrap().iter().filter(|it| it["field"] == "tag");
    assert_eq!(changes.map(|it| text(it, "record_id").to_owned()).collect::<Vec<_>>(), [kept]);
}

#[both]
fn a_draft_stays_and_its_author_is_told_where_it_belongs() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    let draft = json!({ "body": "Boiler", "draft": true, "subject_type": "customer", "subject_id": bobs.other });
    let draft = env.create(&acme.tech, "notes.create", draft);
    let shown = bobs.merge(json!({ "dry_run": true }));
    assert_eq!(shown["moved"]["notes"], 0, "only its author knows of a draft");
    bobs.merge(json!({}));
    let commit = |more: Value| {
        let mut arguments = json!({ "id": draft, "draft": false });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        env.call(&acme.tech, "notes.update", arguments)
    };
    let error = error_json(&commit(json!({})).unwrap_err());
    assert!(text(&error, "message").contains(&bobs.kept), "{error}");
    commit(json!({ "subject_type": "customer", "subject_id": bobs.kept })).expect("committed");
    let notes = bobs.call("notes.list", json!({ "customer_id": bobs.kept }));
    assert_eq!(names(&notes["rows"], "id"), [draft]);
}

#[both]
fn a_caller_who_may_not_read_learns_nothing_from_a_merge() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bobs = Bobs::new(&env, &acme);
    bobs.note("customer", &bobs.other, "Boiler hums.");
    let owner = Business::user(&acme.owner).to_string();
    let key = |scopes: &[Scope]| env.access(&env.key(acme.account, Some(&owner), scopes));
    let writer = key(&[Scope::WriteCustomers]);
    let dry = bobs.ids(json!({ "dry_run": true }));
    let shown = env.call(&writer, "customers.merge", dry.clone()).expect("a dry run");
    let keys: Vec<_> = shown.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["merged", "plan"]);
    let wrong = bobs.ids(json!({ "take": ["company_name"] }));
    let error = error_json(&env.call(&writer, "customers.merge", wrong).unwrap_err());
    assert!(!text(&error, "message").contains("customer_type is"), "{error}");
    // Without notes, not how many there are.
    let reader = key(&[Scope::ReadCustomers, Scope::WriteCustomers]);
    let shown = env.call(&reader, "customers.merge", dry).expect("a dry run");
    assert_eq!(shown["moved"].get("notes"), None, "{shown}");
}

#[both]
fn what_is_different_from_a_customer_is_different_from_the_one_it_is_merged_into_until_that_is_undone()
 {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let bob = || {
        let fields = json!({ "customer_type": "individual", "first_name": "Bob", "last_name": "Doe",
                             "phone": "510-555-0101" });
        create(&env, &acme, fields)
    };
    let (kept, other, son, known) = (bob(), bob(), bob(), bob());
    let call = |tool: &str, arguments: Value| env.call(&acme.owner, tool, arguments).expect(tool);
    let different = |one: &str, two: &str| {
        call("customers.mark_different", json!({ "customer_id": one, "other_id": two }));
    };
    different(&other, &son);
    different(&other, &known);
    different(&kept, &known);
    different(&son, &known);
    let duplicates_of = |id: &str| {
        let found = call("customers.find_duplicates", json!({ "customer_id": id }));
        let rows = found["rows"].as_array().expect("rows").clone();
        let ids: BTreeSet<_> =
            rows.iter().map(|row| row["id"].as_str().map(str::to_owned)).collect();
        ids.into_iter().flatten().collect::<Vec<_>>()
    };
    let before = [&kept, &other, &son, &known].map(|id| duplicates_of(id));
    assert_eq!(
        before,
        [vec![other.clone(), son.clone()], vec![kept.clone()], vec![kept.clone()], vec![]]
    );
    call("customers.merge", json!({ "keep_id": kept, "merge_id": other }));
    let undo = || {
        let newest = call("changes.list", json!({ "limit": 1 }))["rows"][0].clone();
        let undone = call("changes.revert", json!({ "id": newest["id"] }));
        assert_eq!(undone["reverted"], true, "{undone}");
        undone["steps"].to_string()
    };
    let assert_merged = || {
        for id in [&kept, &other, &son, &known] {
            assert_eq!(duplicates_of(id), [""; 0], "{id}");
        }
    };
    assert_merged();
    let steps = undo();
    let taken_back = format!("mark customers {kept} and {son} as no longer different");
    assert!(steps.contains(&taken_back) && !steps.contains(&known), "{steps}");
    assert_eq!([&kept, &other, &son, &known].map(|id| duplicates_of(id)), before);
    undo();
    assert_merged();
}
