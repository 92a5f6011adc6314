//! The names that notes are shown with.

use serde_json::{Value, json};
use zoop_both::both;

use super::unlimited;
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, text};

/// A note about a subject, or a standalone one.
fn note_on(env: &TestEnv, access: &Caller, kind: Option<&str>, subject: Option<&str>) -> Value {
    let note = json!({ "body": "Seen.", "subject_type": kind, "subject_id": subject });
    env.call(access, "notes.create", note).expect("a note")
}

/// The author's name, the customer's id and the customer's name, as a note shows them.
fn names(note: &Value) -> [Value; 3] {
    ["created_by_name", "customer_id", "customer_name"].map(|key| note[key].clone())
}

#[both]
fn every_tool_shows_the_author_and_the_customer_whatever_the_note_is_about() {
    let env = unlimited();
    let business = env.business("Ada");
    let customer = business.id("customer");
    let invoice = env.call_as_operator(
        Some(business.account),
        "subjects.create",
        json!({ "customer_id": customer, "subject_type": "invoice", "title": "Repipe", "status": "sent" }),
    );
    let hana = [json!("Oscar Office"), json!(customer), json!("Hana Nguyen")];
    for (kind, subject) in [
        ("customer", customer),
        ("customer_contact", business.id("other_contact")),
        ("customer_contact", business.id("archived_contact")),
        ("customer_location", business.id("location")),
        ("customer_location", business.id("archived_location")),
        ("job", business.id("job")),
        ("invoice", text(&invoice, "id")),
        ("quote", business.id("quote")),
    ] {
        let note = note_on(&env, &business.office, Some(kind), Some(subject));
        assert_eq!(names(&note), hana, "{kind}");
        let id = text(&note, "id");
        let got = env.call(&business.tenant, "notes.get", json!({ "id": id })).unwrap();
        assert_eq!(got, note, "{kind}");
        for filters in [
            json!({ "limit": 1 }),
            json!({ "subject_id": subject, "limit": 1 }),
            json!({ "q": "seen", "limit": 1 }),
        ] {
            let page = env.call(&business.tech, "notes.list", filters.clone()).unwrap();
            assert_eq!(page["rows"][0], note, "{kind} {filters}");
        }
    }
    let company = business.id("archived_customer");
    let note = note_on(&env, &business.office, Some("customer"), Some(company));
    assert_eq!(names(&note), [json!("Oscar Office"), json!(company), json!("Closed Down")]);
    let note = note_on(&env, &business.office, None, None);
    assert_eq!(names(&note), [json!("Oscar Office"), Value::Null, Value::Null]);
}

#[both]
fn the_names_follow_the_subject_and_are_current() {
    let env = unlimited();
    let business = env.business("Ada");
    let (owner, customer) = (&business.owner, business.id("customer"));
    let id = text(&note_on(&env, &business.tech, None, None), "id").to_owned();
    let update = |changes: Value| env.call(owner, "notes.update", changes).unwrap();
    let on = json!({ "id": id, "subject_type": "customer", "subject_id": customer });
    let hana = [json!("Tessa Tech"), json!(customer), json!("Hana Nguyen")];
    assert_eq!(names(&update(on)), hana);
    let renamed = json!({ "id": customer, "last_name": "Tran" });
    env.call(owner, "customers.update", renamed).unwrap();
    let got = || env.call(owner, "notes.get", json!({ "id": id })).unwrap();
    assert_eq!(got()["customer_name"], "Hana Tran");
    let none = update(json!({ "id": id, "subject_type": null, "subject_id": null }));
    assert_eq!(names(&none), [json!("Tessa Tech"), Value::Null, Value::Null]);

    let tech = Business::user(&business.tech);
    env.call_as_operator(Some(business.account), "users.remove", json!({ "id": tech }));
    assert_eq!(got()["created_by_name"], "Tessa Tech");
}

#[both]
fn a_caller_who_may_only_write_is_shown_no_names() {
    let env = unlimited();
    let business = env.business("Ada");
    let user = Business::user(&business.office).to_string();
    let writer = env.access(&env.key(business.account, Some(&user), &[Scope::WriteNotes]));
    let customer = business.id("customer");
    let note = note_on(&env, &writer, Some("customer"), Some(customer));
    let update = json!({ "id": note["id"], "pinned": true });
    let updated = env.call(&writer, "notes.update", update).unwrap();
    for shown in [note, updated] {
        assert_eq!(names(&shown), [Value::Null, Value::Null, Value::Null], "{shown}");
    }
}

#[both]
fn a_user_of_two_businesses_has_the_name_that_each_of_them_uses() {
    let env = unlimited();
    let (ada, ben) = (env.business("Ada"), env.empty_business("Ben"));
    let invited = json!({ "name": "Oz", "email": "office@ada.example", "role": "tech" });
    env.call_as_operator(Some(ben.account), "users.create", invited);
    let user = Business::user(&ada.office).to_string();
    let there = env.access(&env.key(ben.account, Some(&user), Scope::GRANTABLE));
    assert_eq!(names(&note_on(&env, &there, None, None))[0], "Oz");
    assert_eq!(names(&note_on(&env, &ada.office, None, None))[0], "Oscar Office");
}
