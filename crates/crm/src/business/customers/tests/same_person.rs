//! An individual and the contact that was created with them are one person.

use serde_json::{Value, json};
use zoop_both::both;

use super::{person, search};
use crate::call::scope::Scope;
use crate::testing::{Business, TestEnv, text};

/// An individual, and the contact that was created with them.
struct Individual<'a> {
    env: &'a TestEnv,
    acme: &'a Business,
    id: String,
    contact: String,
}

impl<'a> Individual<'a> {
    fn new(env: &'a TestEnv, acme: &'a Business) -> Self {
        let fields =
            json!({ "last_name": "Cruz", "phone": "510-555-0101", "email": "a@example.com" });
        let id = person(env, acme, "Ana", fields);
        let full = env.call(&acme.owner, "customers.get", json!({ "id": id })).unwrap();
        let contact = text(&full["contacts"][0], "id").to_owned();
        Self { env, acme, id, contact }
    }

    fn call(&self, tool: &str, fields: Value) -> Value {
        let mut arguments = if tool.starts_with("contacts.") {
            json!({ "id": self.contact, "customer_id": self.id })
        } else {
            json!({ "id": self.id })
        };
        arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.env.call(&self.acme.owner, tool, arguments).expect(tool)
    }

    /// Name, telephone number and e-mail address of the customer, and of the contact.
    fn both(&self) -> [Value; 2] {
        let customer = self.call("customers.get", json!({}));
        let contact = self.call("contacts.get", json!({}));
        let fields = |record: &Value, keys: [&str; 5]| keys.map(|key| record[key].clone());
        let own =
            ["first_name", "last_name", "primary_phone", "primary_phone_raw", "primary_email"];
        [
            json!(fields(&customer, own)),
            json!(fields(&contact, ["first_name", "last_name", "phone", "phone_raw", "email"])),
        ]
    }
}

#[both]
fn a_change_of_the_customer_or_its_own_contact_reaches_the_other() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ana = Individual::new(&env, &acme);
    for (tool, fields, expected) in [
        (
            "contacts.update",
            json!({ "phone": "(301) 555-7777", "title": "Owner" }),
            json!(["Ana", "Cruz", "+13015557777", "(301) 555-7777", "a@example.com"]),
        ),
        (
            "customers.update",
            json!({ "last_name": "Diaz", "email": "diaz@example.com" }),
            json!(["Ana", "Diaz", "+13015557777", "(301) 555-7777", "diaz@example.com"]),
        ),
        (
            "contacts.update",
            json!({ "first_name": "Anna", "email": null }),
            json!(["Anna", "Diaz", "+13015557777", "(301) 555-7777", null]),
        ),
        (
            "customers.update",
            json!({ "phone": null, "last_name": null }),
            json!(["Anna", null, null, null, null]),
        ),
    ] {
        env.clock.advance(1_000);
        ana.call(tool, fields);
        let [customer, contact] = ana.both();
        assert_eq!(customer, expected, "{tool}");
        assert_eq!(contact, expected, "{tool}");
        for (record, kind) in [(&ana.id, "customer"), (&ana.contact, "contact")] {
            let own = json!({ "record_id": record, "limit": 1 });
            let history = env.call_as_operator(Some(acme.account), "changes.list", own);
            let entry = &history["rows"][0];
            assert_eq!(entry["tool"], tool);
            let changes = entry["changes"].as_array().unwrap();
            let is_own =
                |change: &&Value| change["record_type"] == kind && change["field"] != "updated_at";
            assert!(
                changes.iter().any(|change| is_own(&change)),
                "{tool}: no change of the {kind}"
            );
        }
    }
    assert_eq!(search(&env, &acme, json!({ "q": "anna" })), ["Anna"]);
    assert_eq!(search(&env, &acme, json!({ "q": "cruz" })), Vec::<String>::new());
    assert_eq!(search(&env, &acme, json!({ "q": "301 555 7777" })), Vec::<String>::new());
}

#[both]
fn other_contacts_are_not_the_customer() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ana = Individual::new(&env, &acme);
    let namesake = json!({ "customer_id": ana.id, "first_name": "Ana", "last_name": "Cruz" });
    let namesake = env.create(&acme.owner, "contacts.create", namesake);
    let update = json!({ "customer_id": ana.id, "id": namesake, "email": "other@example.com" });
    env.call(&acme.owner, "contacts.update", update).unwrap();
    ana.call("contacts.update", json!({ "role": "billing", "is_primary": true }));
    let [customer, contact] = ana.both();
    assert_eq!(customer, contact);
    assert_eq!(customer[4], "a@example.com");
}

#[both]
fn an_archived_contact_and_one_with_another_name_are_no_longer_the_customer() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ana = Individual::new(&env, &acme);
    let ben = json!({ "customer_id": ana.id, "first_name": "Ben", "last_name": "Cruz" });
    env.create(&acme.owner, "contacts.create", ben);
    ana.call("contacts.archive", json!({}));
    ana.call("customers.update", json!({ "first_name": "Anna" }));
    assert_eq!(ana.both()[1][0], "Ana", "an archived contact stays as it is");
    env.call_as_operator(Some(acme.account), "contacts.restore", json!({ "id": ana.contact }));
    ana.call("customers.update", json!({ "phone": "510-555-0199" }));
    ana.call("contacts.update", json!({ "email": "ana@example.org" }));
    let [customer, contact] = ana.both();
    assert_eq!((&customer[3], &customer[4]), (&json!("510-555-0199"), &json!("a@example.com")));
    assert_eq!((&contact[3], &contact[4]), (&json!("510-555-0101"), &json!("ana@example.org")));
}

#[both]
fn a_write_only_callers_receipt_of_a_contact_shows_nothing_of_the_customer() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ana = Individual::new(&env, &acme);
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let update = json!({ "id": ana.contact, "customer_id": ana.id, "email": "b@example.com" });
    let receipt = env.call(&writer, "contacts.update", update.clone()).unwrap();
    let keys: Vec<_> = receipt.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "updated_at", "customer_id", "email"]);
    let [customer, contact] = ana.both();
    assert_eq!((&customer[4], &contact[4]), (&update["email"], &update["email"]));
}
