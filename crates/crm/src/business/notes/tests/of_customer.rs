//! `notes.list` with `customer_id`.

use serde_json::{Value, json};
use zoop_both::both;

use super::{bodies, create_notes, invalid_fields, unlimited};
use crate::testing::{Business, TestEnv, text};

/// A sample business whose customer has a note about itself and about each record that belongs to it, each with the
/// word for the record's type, and other notes that it does not have.
fn fixture() -> (TestEnv, Business, String) {
    let env = unlimited();
    let business = env.business("Ada");
    let other = env.create(
        &business.owner,
        "customers.create",
        json!({ "customer_type": "company", "company_name": "Other" }),
    );
    let about = |kind: &str, subject: &str| {
        let body = format!("{kind} seen");
        json!({ "body": body, "subject_type": kind, "subject_id": subject, "pinned": kind == "job" })
    };
    let notes = vec![
        about("customer", &other),
        about("customer", business.id("customer")),
        about("customer_contact", business.id("contact")),
        about("customer_contact", business.id("archived_contact")),
        about("customer_location", business.id("location")),
        json!({ "body": "standalone seen" }),
        about("job", business.id("job")),
        json!({ "body": "not yet seen", "draft": true,
                "subject_type": "job", "subject_id": business.id("job") }),
    ];
    create_notes(&env, &business.office, notes);
    (env, business, other)
}

#[both]
fn one_list_has_the_notes_on_the_customer_and_on_all_that_belongs_to_it() {
    let (env, business, other) = fixture();
    let customer = business.id("customer");
    let all = [
        "job seen",
        "customer_location seen",
        "customer_contact seen",
        "customer_contact seen",
        "customer seen",
    ];
    let found = |filters| bodies(&env, &business.tech, filters);
    assert_eq!(found(json!({ "customer_id": customer })), all);
    assert_eq!(found(json!({ "customer_id": other })), ["customer seen"]);
    for (filters, expected) in [
        (json!({ "pinned": true }), &["job seen"][..]),
        (json!({ "subject_type": "customer_location" }), &["customer_location seen"]),
        (json!({ "subject_id": business.id("archived_contact") }), &["customer_contact seen"]),
        (json!({ "q": "job se" }), &["job seen"]),
        (json!({ "q": "seen", "subject_type": "customer" }), &["customer seen"]),
        (json!({ "q": "nothing" }), &[]),
        (json!({ "created_by": Business::user(&business.office) }), &all),
        (json!({ "created_by": Business::user(&business.owner) }), &[]),
        (json!({ "created_before": "2026-06-13T18:00:00Z" }), &[]),
        (json!({ "created_after": "2026-06-13T18:00:00Z" }), &all),
    ] {
        let mut sent = filters.clone();
        sent["customer_id"] = json!(customer);
        assert_eq!(found(sent), expected, "{filters}");
    }
}

#[both]
fn the_list_follows_a_change_of_the_subject() {
    let (env, business, other) = fixture();
    let owner = &business.owner;
    let list = |customer: &str| bodies(&env, owner, json!({ "customer_id": customer }));
    let page = env.call(owner, "notes.list", json!({ "q": "job" })).unwrap();
    let note = text(&page["rows"][0], "id").to_owned();
    let moved = json!({ "id": note, "subject_type": "customer", "subject_id": other });
    env.call(owner, "notes.update", moved).unwrap();
    assert_eq!(list(&other), ["job seen", "customer seen"]);
    assert_eq!(list(business.id("customer")).len(), 4);
    env.call(owner, "notes.archive", json!({ "id": note })).unwrap();
    assert_eq!(list(&other), ["customer seen"]);
}

#[both]
fn pages_of_a_customers_notes_hold_every_note_once_newest_first() {
    let env = unlimited();
    let business = env.business("Ada");
    let subjects = ["customer", "customer_contact", "customer_location", "job"]
        .map(|kind| (kind, business.id(kind.trim_start_matches("customer_"))));
    let notes = (0..90).map(|number: usize| {
        let (kind, subject) = subjects[number % subjects.len()];
        let body = format!("visit {number:02}");
        json!({ "body": body, "subject_type": kind, "subject_id": subject })
    });
    create_notes(&env, &business.office, notes.collect());
    let newest_first: Vec<_> = (0..90).rev().map(|number| format!("visit {number:02}")).collect();
    for q in [json!(null), json!("visit")] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut filters = json!({ "customer_id": business.id("customer"), "q": q, "limit": 7 });
        while !filters.is_null() {
            let page = env.call(&business.tech, "notes.list", filters).unwrap();
            let rows = page["rows"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| text(row, "body").to_owned()));
            pages += 1;
            let cursor = &page["nextCursor"];
            filters = match cursor.as_str() {
                Some(cursor) => json!({ "cursor": cursor, "limit": 7 }),
                None => Value::Null,
            };
        }
        assert_eq!((seen, pages), (newest_first.clone(), 13), "{q}");
    }
}

#[both]
fn an_unknown_customer_has_no_notes_and_standalone_notes_have_no_customer() {
    let (env, business, _) = fixture();
    let stranger = env.business("Ben");
    let found = |filters| bodies(&env, &business.owner, filters);
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert_eq!(found(json!({ "customer_id": nobody })), [""; 0]);
    assert_eq!(found(json!({ "customer_id": stranger.id("customer") })), [""; 0]);
    // A subject is no customer.
    assert_eq!(found(json!({ "customer_id": business.id("job") })), [""; 0]);
    let foreign = json!({ "customer_id": nobody, "subject_id": business.id("job") });
    assert_eq!(found(foreign), [""; 0]);
    let list = |filters| env.call(&business.owner, "notes.list", filters);
    let customer = business.id("customer");
    let standalone = json!({ "subject_type": "standalone", "customer_id": customer });
    assert_eq!(invalid_fields(list(standalone)), ["customer_id"]);
    assert_eq!(invalid_fields(list(json!({ "customer_id": "x" }))), ["customer_id"]);
}
