//! The model of customers and of the other subjects of notes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    CONFLICT, Contact, Customer, Fresh, NOT_FOUND, Origin, Predicted, Tenant, Work, argument,
    argument_or, caseless, creation, e164, invalid_field, invalid_fields, time,
};

impl Tenant {
    pub(super) fn customers(
        &mut self,
        verb: &str,
        arguments: &Object,
        caller: usize,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let id = argument(arguments, "id");
        match verb {
            "search" => Ok(self.search(arguments)),
            "get" => {
                let (tags, id) = (self.tags.clone(), self.resolved(&id));
                Ok(self.customer(&id)?.with_children(&tags))
            }
            "find_duplicates" => self.find_duplicates(arguments),
            "mark_different" => self.mark_different(arguments),
            "create" => self.create_customer(arguments, caller, fresh, now),
            "update" => self.update_customer(arguments, now),
            "archive" => {
                let customer = self.active_customer(&id)?;
                customer.own["archived_at"] = json!(time(now));
                customer.own["updated_at"] = json!(time(now));
                Ok(json!({ "archived": true, "id": id }))
            }
            "restore" => {
                let customer = self.unmerged_customer(&id)?;
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

    fn create_customer(
        &mut self,
        arguments: &Object,
        caller: usize,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        let tags = self.named_tags(arguments)?;
        self.require_free(&argument(arguments, "external_id"), &Value::Null)?;
        let at = time(creation(now, self.customers.iter().map(|customer| &customer.own)));
        let contact_created = self.contact_creation(now);
        let location_created = self.location_creation(now);
        let mut own = json!({
            "id": fresh.id, "customer_number": format!("C-{:04}", self.customers.len() + 1),
            "primary_phone": e164(&argument(arguments, "phone")),
            "primary_phone_raw": argument(arguments, "phone"),
            "primary_email": argument(arguments, "email"),
            "is_vip": argument_or(arguments, "is_vip", false),
            "do_not_contact": argument_or(arguments, "do_not_contact", false), "created_at": at, "updated_at": at, "archived_at": null,
        });
        for field in [
            "customer_type",
            "first_name",
            "last_name",
            "company_name",
            "notes_internal",
            "do_not_contact_reason",
            "source",
            "external_id",
        ] {
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
            tags,
            merged_into: None,
        };
        if argument(arguments, "if_duplicate") == "refuse" {
            if !self.may(caller, "read:customers") {
                return Err(invalid_field("if_duplicate"));
            }
            if !self.duplicates(&customer).is_empty() {
                return Err(CONFLICT);
            }
        }
        if let Some(Value::Object(address)) = arguments.get("location") {
            customer.add_location(address, &fresh.location, location_created)?;
        }
        let likely = self.likely_duplicates(&customer);
        // Which of these the product finds is not modelled, so it may refuse.
        if argument(arguments, "if_duplicate") == "refuse"
            && !likely.is_empty()
            && fresh.id.is_empty()
        {
            return Err(CONFLICT);
        }
        let mut shown = customer.with_derived_fields(&self.tags);
        shown["possible_duplicates"] = self.duplicates(&customer).into();
        shown["likely_duplicates"] = likely.into();
        self.customers.push(customer);
        Ok(shown)
    }

    /// The ids of the tags that a call names by id or name.
    fn named_tags(&self, arguments: &Object) -> Predicted<BTreeSet<String>> {
        let (mut ids, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        let named = argument(arguments, "tags");
        for (index, name) in named.as_array().into_iter().flatten().enumerate() {
            let mut tags = self.tags.iter();
            let is_meant =
                |tag: &&Value| tag["id"] == *name || caseless(&tag["name"]) == caseless(name);
            match tags.find(is_meant) {
                Some(tag) => drop(ids.insert(tag["id"].as_str().expect("an id").to_owned())),
                None => drop(unknown.insert(format!("tags[{index}]"))),
            }
        }
        if unknown.is_empty() { Ok(ids) } else { Err(invalid_fields(unknown)) }
    }

    /// Rejects an external id that another customer has, archived or not.
    fn require_free(&self, external_id: &Value, own: &Value) -> Predicted<()> {
        let mut holders = self.customers.iter().filter(|it| it.own["external_id"] == *external_id);
        let is_taken = holders.any(|holder| self.resolved(&holder.own["id"]) != *own);
        if !external_id.is_null() && is_taken { Err(CONFLICT) } else { Ok(()) }
    }

    /// A customer that was merged gives its external id up to the one that has its records.
    fn give_up(&mut self, external_id: &Value, own: &Value, now: i64) {
        let is_merged = |it: &&mut Customer| it.merged_into.is_some() && it.own["id"] != *own;
        for holder in self.customers.iter_mut().filter(is_merged) {
            if !external_id.is_null() && holder.own["external_id"] == *external_id {
                holder.own["external_id"] = Value::Null;
                holder.own["updated_at"] = json!(time(now));
            }
        }
    }

    fn update_customer(&mut self, arguments: &Object, now: i64) -> Predicted {
        let tags = self.tags.clone();
        let id = argument(arguments, "id");
        let free = self.require_free(&argument(arguments, "external_id"), &id);
        let customer = self.active_customer(&id)?;
        let foreign: &[&str] =
            if customer.is_company() { &["first_name", "last_name"] } else { &["company_name"] };
        let foreign = foreign.iter().filter(|field| arguments.contains_key(**field));
        let foreign: BTreeSet<_> = foreign.map(|field| (*field).to_owned()).collect();
        if !foreign.is_empty() {
            return Err(invalid_fields(foreign));
        }
        free?;
        self.give_up(&argument(arguments, "external_id"), &id, now);
        let customer = self.active_customer(&id)?;
        let own_contact = customer.own_contact();
        let old_name = customer.own["company_name"].clone();
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
        let name_changed = customer.own["company_name"] != old_name;
        let placeholder =
            |contact: &&mut Contact| contact.origin == Origin::Placeholder && contact.is_active();
        if let Some(contact) = customer.contacts.iter_mut().find(placeholder)
            && name_changed
        {
            contact.follow(&customer.own, now);
        }
        if let Some(contact) = own_contact {
            customer.contacts[contact].copy_sent(arguments, now);
        }
        customer.own["updated_at"] = json!(time(now));
        Ok(customer.with_derived_fields(&tags))
    }

    /// Creates a job, invoice, quote or estimate.
    pub(super) fn create_work(&mut self, arguments: &Object, fresh: &Fresh) -> Predicted {
        let customer = argument(arguments, "customer_id");
        self.active_customer(&customer)?;
        let kind = arguments["subject_type"].as_str().expect("a type").to_owned();
        self.work.push(Work { kind, id: fresh.id.clone(), customer });
        Ok(json!({ "id": fresh.id }))
    }

    /// The customer that a note's subject is or belongs to, archived or not. `None` if there is no such subject.
    pub(super) fn customer_of(&self, kind: &Value, id: &Value) -> Option<&Customer> {
        let mut customers = self.customers.iter();
        match kind.as_str()? {
            "customer" => customers.find(|customer| customer.own["id"] == *id),
            "customer_contact" => {
                customers.find(|it| it.contacts.iter().any(|contact| contact.shown["id"] == *id))
            }
            "customer_location" => {
                customers.find(|it| it.locations.iter().any(|location| location["id"] == *id))
            }
            kind => {
                let work = self.work.iter().find(|work| work.kind == kind && *id == *work.id)?;
                customers.find(|customer| customer.own["id"] == work.customer)
            }
        }
    }
}
