//! The model of customers and of the other subjects of notes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    Contact, Customer, Fresh, NOT_FOUND, Origin, Predicted, Tenant, argument, creation, e164,
    invalid_fields, time,
};

impl Tenant {
    pub(super) fn customers(
        &mut self,
        verb: &str,
        arguments: &Object,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let id = argument(arguments, "id");
        match verb {
            "search" => Ok(self.search(arguments)),
            "get" => {
                let tags = self.tags.clone();
                Ok(self.customer(&id)?.with_children(&tags))
            }
            "create" => self.create_customer(arguments, fresh, now),
            "update" => self.update_customer(arguments, now),
            "archive" => {
                let customer = self.active_customer(&id)?;
                customer.own["archived_at"] = json!(time(now));
                customer.own["updated_at"] = json!(time(now));
                Ok(json!({ "archived": true, "id": id }))
            }
            "restore" => {
                let customer = self.customer(&id)?;
                if !customer.is_archived() {
                    return Err(NOT_FOUND);
                }
                customer.own["archived_at"] = Value::Null;
                customer.own["updated_at"] = json!(time(now));
                Ok(json!({ "restored": true, "id": id }))
            }
            other => panic!("customers.{other}"),
        }
    }

    fn create_customer(&mut self, arguments: &Object, fresh: &Fresh, now: i64) -> Predicted {
        let at = time(creation(now, self.customers.iter().map(|customer| &customer.own)));
        let contact_created = self.contact_creation(now);
        let location_created = self.location_creation(now);
        let mut own = json!({
            "id": fresh.id, "customer_number": format!("C-{:04}", self.customers.len() + 1),
            "primary_phone": e164(&argument(arguments, "phone")),
            "primary_phone_raw": argument(arguments, "phone"),
            "primary_email": argument(arguments, "email"), "is_vip": false, "do_not_contact": false,
            "do_not_contact_reason": null, "created_at": at, "updated_at": at, "archived_at": null,
        });
        for field in
            ["customer_type", "first_name", "last_name", "company_name", "notes_internal", "source"]
        {
            own[field] = argument(arguments, field);
        }
        let mut contact = Contact::new(&fresh.contact, &fresh.id, contact_created);
        match arguments.get("primary_contact") {
            Some(Value::Object(person)) => contact.fill(person),
            _ if own["customer_type"] == "company" => contact.origin = Origin::Placeholder,
            _ => contact.origin = Origin::Customer,
        }
        contact.follow(&own, contact_created);
        let mut customer = Customer {
            own,
            status: "active".to_owned(),
            contacts: vec![contact],
            locations: Vec::new(),
            tags: BTreeSet::new(),
        };
        if let Some(Value::Object(address)) = arguments.get("location") {
            customer.add_location(address, &fresh.location, location_created)?;
        }
        let mut shown = customer.with_derived_fields(&self.tags);
        shown["possible_duplicates"] = self.duplicates(&customer).into();
        self.customers.push(customer);
        Ok(shown)
    }

    /// Customers that share a phone or an e-mail address with a new customer or its contact.
    fn duplicates(&self, new: &Customer) -> Vec<Value> {
        let all = |customer: &Customer, own: &str, contact: &str| -> BTreeSet<String> {
            let contacts = customer.active_contacts();
            let all = contacts.iter().map(|row| &row.shown[contact]).chain([&customer.own[own]]);
            all.filter_map(|value| value.as_str().map(str::to_lowercase)).collect()
        };
        let has = |customer: &Customer, own: &str, contact: &str| {
            !all(customer, own, contact).is_disjoint(&all(new, own, contact))
        };
        let current = self.customers.iter().filter(|customer| !customer.is_archived());
        current
            .filter_map(|customer| {
                let phone = has(customer, "primary_phone", "phone");
                let shared = match (phone, has(customer, "primary_email", "email")) {
                    (true, true) => "phone and email",
                    (true, false) => "phone",
                    (false, true) => "email",
                    (false, false) => return None,
                };
                let name = customer.display_name();
                Some(json!({ "id": customer.id(), "display_name": name, "match": shared }))
            })
            .collect()
    }

    fn update_customer(&mut self, arguments: &Object, now: i64) -> Predicted {
        let tags = self.tags.clone();
        let customer = self.active_customer(&argument(arguments, "id"))?;
        let foreign: &[&str] =
            if customer.is_company() { &["first_name", "last_name"] } else { &["company_name"] };
        let foreign = foreign.iter().filter(|field| arguments.contains_key(**field));
        let foreign: BTreeSet<_> = foreign.map(|field| (*field).to_owned()).collect();
        if !foreign.is_empty() {
            return Err(invalid_fields(foreign));
        }
        let before = customer.own.clone();
        for (field, value) in arguments {
            match field.as_str() {
                "id" => {}
                "status" => value.as_str().expect("a status").clone_into(&mut customer.status),
                "phone" => {
                    customer.own["primary_phone"] = e164(value);
                    customer.own["primary_phone_raw"] = value.clone();
                }
                "email" => customer.own["primary_email"] = value.clone(),
                _ => customer.own[field.as_str()] = value.clone(),
            }
        }
        let is_same = [
            "first_name",
            "last_name",
            "company_name",
            "primary_phone",
            "primary_phone_raw",
            "primary_email",
        ]
        .iter()
        .all(|field| before[*field] == customer.own[*field]);
        if !is_same {
            // An archived contact does not follow its customer.
            for contact in customer.contacts.iter_mut().filter(|contact| contact.is_active()) {
                contact.follow(&customer.own, now);
            }
        }
        customer.own["updated_at"] = json!(time(now));
        Ok(customer.with_derived_fields(&tags))
    }

    /// Creates a job, invoice, quote or estimate.
    pub(super) fn create_work(&mut self, arguments: &Object, fresh: &Fresh) -> Predicted {
        self.active_customer(&argument(arguments, "customer_id"))?;
        let kind = arguments["subject_type"].as_str().expect("a type").to_owned();
        self.work.push((kind, fresh.id.clone()));
        Ok(json!({ "id": fresh.id }))
    }

    /// Whether a note's subject exists, archived or not.
    pub(super) fn has_subject(&self, kind: &Value, id: &Value) -> bool {
        match kind.as_str().expect("a type") {
            "customer" => self.customers.iter().any(|customer| customer.own["id"] == *id),
            "customer_contact" => {
                let mut all = self.customers.iter().flat_map(|customer| &customer.contacts);
                all.any(|contact| contact.shown["id"] == *id)
            }
            "customer_location" => {
                let mut all = self.customers.iter().flat_map(|customer| &customer.locations);
                all.any(|location| location["id"] == *id)
            }
            kind => self.work.iter().any(|work| work.0 == kind && *id == *work.1),
        }
    }
}
