//! Tests of the subject tools, through the pipeline.

use serde_json::json;
use zoop_both::both;

use crate::testing::{TestEnv, error_json};

fn invoice(customer: &str) -> serde_json::Value {
    json!({ "customer_id": customer, "subject_type": "invoice", "title": "Repipe", "status": "sent" })
}

#[both]
fn a_note_on_a_subject_must_name_the_subjects_type() {
    let env = TestEnv::new();
    let business = env.business("Ada");
    let operator = crate::testing::Caller::operator(Some(business.account));
    let id = env.create(&operator, "subjects.create", invoice(business.id("customer")));
    let note = |kind: &str| {
        let note = json!({ "body": "Signed.", "subject_type": kind, "subject_id": id });
        env.call(&business.owner, "notes.create", note)
    };
    assert_eq!(note("invoice").unwrap()["subject_id"], json!(id));
    for kind in ["job", "quote", "lawn_estimate", "customer"] {
        assert_eq!(note(kind).unwrap_err().kind(), "not_found", "{kind}");
    }
}

#[both]
fn a_subject_needs_an_active_customer_of_its_tenant_and_is_recorded_in_the_history() {
    let env = TestEnv::new();
    let (ada, ben) = (env.business("Ada"), env.business("Ben"));
    let operator = crate::testing::Caller::operator(Some(ada.account));
    let id = env.create(&operator, "subjects.create", invoice(ada.id("customer")));
    let entries = env.call(&operator, "changes.list", json!({ "record_id": id })).unwrap();
    let rows = entries["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{entries}");
    assert_eq!(rows[0]["tool"], "subjects.create");

    let foreign = env.call(&operator, "subjects.create", invoice(ben.id("customer"))).unwrap_err();
    assert_eq!(error_json(&foreign)["kind"], "not_found");
    let customer = ada.id("customer");
    env.call(&ada.owner, "customers.archive", json!({ "id": customer })).unwrap();
    let archived = env.call(&operator, "subjects.create", invoice(customer)).unwrap_err();
    assert_eq!(error_json(&archived)["kind"], "not_found");
}
