//! The model of contacts.

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    CONFLICT, Contact, Customer, Fresh, NOT_FOUND, Origin, Predicted, Tenant, argument,
    argument_or, creation, e164, milliseconds, time,
};

impl Contact {
    /// A contact with empty fields.
    pub(super) fn new(id: &str, customer: &str, at: i64) -> Self {
        let at = time(at);
        let shown = json!({
            "id": id, "customer_id": customer, "first_name": "", "last_name": null, "phone": null,
            "phone_raw": null, "email": null, "is_primary": true, "phone_can_sms": true,
            "role": "general", "title": null, "created_at": at, "updated_at": at,
            "archived_at": null,
        });
        Self { shown, origin: Origin::Own }
    }

    /// Sets the fields that were sent.
    pub(super) fn fill(&mut self, arguments: &Object) {
        self.origin = Origin::Own;
        for field in ["first_name", "last_name", "email", "title"] {
            self.shown[field] = argument(arguments, field);
        }
        self.shown["phone_can_sms"] = argument_or(arguments, "phone_can_sms", true);
        self.shown["role"] = argument_or(arguments, "role", "general");
        self.set_phone(argument(arguments, "phone"));
    }

    /// Sets the fields of a person that a call sends for the customer, who is the same person.
    pub(super) fn copy_sent(&mut self, arguments: &Object, now: i64) {
        let before = self.shown.clone();
        for field in ["first_name", "last_name", "email"] {
            if let Some(value) = arguments.get(field) {
                self.shown[field] = value.clone();
            }
        }
        if let Some(typed) = arguments.get("phone") {
            self.set_phone(typed.clone());
        }
        if self.shown != before {
            self.shown["updated_at"] = json!(time(now));
        }
    }

    fn set_phone(&mut self, typed: Value) {
        self.shown["phone"] = e164(&typed);
        self.shown["phone_raw"] = typed;
    }

    /// Copies the customer's fields, if the contact was created with the customer.
    pub(super) fn follow(&mut self, own: &Value, now: i64) {
        let before = self.shown.clone();
        match self.origin {
            Origin::Own => {}
            Origin::Placeholder => self.shown["first_name"] = own["company_name"].clone(),
            Origin::Customer => {
                for (field, of_customer) in [
                    ("first_name", "first_name"),
                    ("last_name", "last_name"),
                    ("phone", "primary_phone"),
                    ("phone_raw", "primary_phone_raw"),
                    ("email", "primary_email"),
                ] {
                    self.shown[field] = own[of_customer].clone();
                }
            }
        }
        if self.shown != before {
            self.shown["updated_at"] = json!(time(now));
        }
    }
}

impl Customer {
    /// The position of the contact that was created with an individual, if it is the same person: it is active and has
    /// the customer's name. Older contacts come from customers that were merged into this one.
    pub(super) fn own_contact(&self) -> Option<usize> {
        let created = milliseconds(&self.own["created_at"]);
        let mut contacts = self.contacts.iter();
        let first = contacts.position(|it| milliseconds(&it.shown["created_at"]) >= created)?;
        let contact = &self.contacts[first];
        let same = |field: &str| contact.shown[field] == self.own[field];
        let is_same = contact.is_active() && same("first_name") && same("last_name");
        (!self.is_company() && is_same).then_some(first)
    }

    /// Sets the fields of a person that a call sends for the contact, who is the same person.
    fn copy_sent(&mut self, arguments: &Object, now: i64) {
        let before = self.own.clone();
        for (field, own) in [
            ("first_name", "first_name"),
            ("last_name", "last_name"),
            ("email", "primary_email"),
            ("phone", "primary_phone_raw"),
        ] {
            if let Some(value) = arguments.get(field) {
                self.own[own] = value.clone();
            }
        }
        if let Some(typed) = arguments.get("phone") {
            self.own["primary_phone"] = e164(typed);
        }
        if self.own != before {
            self.own["updated_at"] = json!(time(now));
        }
    }

    fn set_primary(&mut self, id: &Value, now: i64) {
        for contact in &mut self.contacts {
            let is_primary = contact.shown["id"] == *id;
            if contact.is_primary() != is_primary {
                contact.shown["is_primary"] = json!(is_primary);
                contact.shown["updated_at"] = json!(time(now));
            }
        }
    }

    fn active_contact(&mut self, id: &Value) -> Predicted<&mut Contact> {
        let found = self.contacts.iter_mut().find(|contact| contact.shown["id"] == *id);
        found.filter(|contact| contact.is_active()).ok_or(NOT_FOUND)
    }
}

impl Tenant {
    pub(super) fn contact_creation(&self, now: i64) -> i64 {
        let all = self.customers.iter().flat_map(|customer| &customer.contacts);
        creation(now, all.map(|contact| &contact.shown))
    }

    pub(super) fn contacts(
        &mut self,
        verb: &str,
        arguments: &Object,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let created = self.contact_creation(now);
        let id = argument(arguments, "id");
        let customer_id = argument(arguments, "customer_id");
        match verb {
            "list" => {
                let customer_id = self.resolved(&customer_id);
                let customer = self.customer(&customer_id)?;
                let archived = || customer.contacts.iter().filter(|contact| !contact.is_active());
                let rows: Vec<_> = match arguments.get("archived") {
                    Some(Value::Bool(true)) => archived().map(|row| row.shown.clone()).collect(),
                    _ => customer.active_contacts().iter().map(|row| row.shown.clone()).collect(),
                };
                Ok(json!({ "rows": rows }))
            }
            "get" => {
                let mut contacts = self.named_customers(&customer_id).flat_map(|it| &it.contacts);
                let found = contacts.find(|contact| contact.shown["id"] == id);
                found.map(|contact| contact.shown.clone()).ok_or(NOT_FOUND)
            }
            "create" => {
                let customer = self.active_customer(&customer_id)?;
                Ok(create(customer, arguments, fresh, created, now))
            }
            "update" => update(self.active_customer(&customer_id)?, arguments, now),
            "archive" => archive(self.active_customer(&customer_id)?, &id, now),
            "restore" => self.restore_contact(&id, now),
            other => panic!("contacts.{other}"),
        }
    }

    /// Restores a contact, which does not become primary.
    fn restore_contact(&mut self, id: &Value, now: i64) -> Predicted {
        let has = |customer: &Customer| customer.contacts.iter().any(|it| it.shown["id"] == *id);
        let customer = self.customers.iter_mut().find(|it| has(it)).ok_or(NOT_FOUND)?;
        if customer.is_archived() {
            return Err(NOT_FOUND);
        }
        let mut contacts = customer.contacts.iter_mut();
        let found = contacts.find(|contact| contact.shown["id"] == *id && !contact.is_active());
        let found = found.ok_or(NOT_FOUND)?;
        // Another contact took its place for good.
        if found.origin == Origin::Placeholder {
            return Err(CONFLICT);
        }
        found.shown["archived_at"] = Value::Null;
        found.shown["updated_at"] = json!(time(now));
        Ok(json!({ "restored": true, "id": id }))
    }
}

fn create(
    customer: &mut Customer,
    arguments: &Object,
    fresh: &Fresh,
    created: i64,
    now: i64,
) -> Value {
    let placeholder =
        |contact: &&mut Contact| contact.origin == Origin::Placeholder && contact.is_active();
    if let Some(contact) = customer.contacts.iter_mut().find(placeholder) {
        contact.fill(arguments);
        contact.shown["updated_at"] = json!(time(now));
        return contact.shown.clone();
    }
    let mut contact = Contact::new(&fresh.id, customer.id(), created);
    contact.fill(arguments);
    contact.shown["is_primary"] = json!(false);
    customer.contacts.push(contact);
    if arguments.get("is_primary") == Some(&json!(true)) {
        customer.set_primary(&json!(fresh.id), now);
        // The promotion of a new contact does not count as an update.
        let contact = customer.contacts.last_mut().expect("the new contact");
        contact.shown["updated_at"] = contact.shown["created_at"].clone();
    }
    customer.contacts.last().expect("the new contact").shown.clone()
}

fn update(customer: &mut Customer, arguments: &Object, now: i64) -> Predicted {
    let id = argument(arguments, "id");
    let own_contact = customer.own_contact();
    let is_customer = own_contact.is_some_and(|it| customer.contacts[it].shown["id"] == id);
    let contact = customer.active_contact(&id)?;
    if contact.is_primary() && arguments.get("is_primary") == Some(&json!(false)) {
        return Err(CONFLICT);
    }
    for (field, value) in arguments {
        match field.as_str() {
            "id" | "customer_id" | "is_primary" => {}
            "phone" => contact.set_phone(value.clone()),
            _ => contact.shown[field.as_str()] = value.clone(),
        }
    }
    contact.origin = Origin::Own;
    contact.shown["updated_at"] = json!(time(now));
    if is_customer {
        customer.copy_sent(arguments, now);
    }
    if arguments.get("is_primary") == Some(&json!(true)) {
        customer.set_primary(&id, now);
    }
    Ok(customer.active_contact(&id)?.shown.clone())
}

fn archive(customer: &mut Customer, id: &Value, now: i64) -> Predicted {
    customer.active_contact(id)?;
    let mut others = customer.contacts.iter().filter(|contact| contact.shown["id"] != *id);
    let Some(oldest) = others.find(|contact| contact.is_active()) else {
        return Err(CONFLICT);
    };
    let oldest = oldest.shown["id"].clone();
    let contact = customer.active_contact(id)?;
    let was_primary = contact.is_primary();
    contact.shown["is_primary"] = json!(false);
    contact.shown["archived_at"] = json!(time(now));
    contact.shown["updated_at"] = json!(time(now));
    if was_primary {
        customer.set_primary(&oldest, now);
    }
    Ok(json!({ "archived": true, "id": id }))
}
