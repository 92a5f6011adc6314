//! What the kept customer takes from the other one, and which contacts and locations say the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_crm::values::fold;

use super::super::state::{Contact, Customer, Origin, time};

/// Texts of a location that another one at the same address must also have to stand for it.
const LOCATION_TEXTS: &[&str] =
    &["label", "access_notes", "parking_notes", "service_notes", "place_id"];

impl Customer {
    /// Takes the fields that it lacks, and those that the call names, from another customer.
    pub(super) fn take_fields(&mut self, other: &Self, take: &BTreeSet<&str>) {
        let is_company = self.is_company();
        for field in [
            "first_name",
            "last_name",
            "company_name",
            "email",
            "do_not_contact_reason",
            "source",
            "external_id",
            "notes_internal",
        ] {
            let is_of_other_type = match field {
                "first_name" | "last_name" => is_company,
                "company_name" => !is_company,
                _ => false,
            };
            if is_of_other_type {
                continue;
            }
            let own = if field == "email" { "primary_email" } else { field };
            let theirs = &other.own[own];
            // A name is never taken away.
            let may_clear = !["first_name", "company_name"].contains(&field);
            let is_taken = take.contains(field) && (may_clear || !theirs.is_null());
            if field == "notes_internal" && !is_taken {
                self.own[own] = both_notes(&self.own[own], theirs);
            } else if is_taken || self.own[own].is_null() {
                self.own[own] = theirs.clone();
            }
        }
        if take.contains("phone") || self.own["primary_phone"].is_null() {
            for field in ["primary_phone", "primary_phone_raw"] {
                self.own[field] = other.own[field].clone();
            }
        }
        for field in ["is_vip", "do_not_contact"] {
            let either = self.own[field] == true || other.own[field] == true;
            let value = if take.contains(field) { other.own[field] == true } else { either };
            self.own[field] = json!(value);
        }
        if take.contains("status") {
            self.status.clone_from(&other.status);
        }
        let merged =
            |customer: &Self| customer.own["merged_from"].as_array().cloned().unwrap_or_default();
        let mut all = merged(self);
        all.extend(merged(other));
        all.push(json!({ "id": other.id(), "customer_number": other.own["customer_number"] }));
        self.own["merged_from"] = Value::Array(all);
    }

    /// The contact that is the same person as the customer, or a company's placeholder, follows the customer.
    pub(super) fn change_own_contact(&mut self, old: &Self, now: i64) {
        let is_changed = |field: &str| old.own[field] != self.own[field];
        if self.is_company() {
            let is_placeholder =
                |it: &&mut Contact| it.origin == Origin::Placeholder && it.is_active();
            if is_changed("company_name")
                && let Some(placeholder) = self.contacts.iter_mut().find(is_placeholder)
            {
                placeholder.shown["first_name"] = self.own["company_name"].clone();
                placeholder.shown["updated_at"] = json!(time(now));
            }
            return;
        }
        let Some(position) = old.own_contact() else { return };
        let before = self.contacts[position].clone();
        let [phone, email] = [is_changed("primary_phone_raw"), is_changed("primary_email")];
        let own = &self.own;
        let contact = &mut self.contacts[position];
        for (is_changed, field, of_customer) in [
            (true, "first_name", "first_name"),
            (true, "last_name", "last_name"),
            (phone, "phone", "primary_phone"),
            (phone, "phone_raw", "primary_phone_raw"),
            (email, "email", "primary_email"),
        ] {
            if is_changed {
                contact.shown[field] = own[of_customer].clone();
            }
        }
        if *contact == before {
            return;
        }
        contact.shown["updated_at"] = json!(time(now));
        // What only fills a gap of the customer does not replace the contact's own.
        for (field, of_customer, decides) in [
            ("phone", "primary_phone", "phone"),
            ("phone_raw", "primary_phone", "phone"),
            ("email", "primary_email", "email"),
        ] {
            if old.own[of_customer].is_null() && !before.shown[decides].is_null() {
                contact.shown[field] = before.shown[field].clone();
            }
        }
    }
}

impl Contact {
    /// Whether another contact of the same name says nothing that this one does not say.
    pub(super) fn says_all_of(&self, other: &Self) -> bool {
        let words = |contact: &Self| words(&json!(contact.name()));
        let is_covered = |field: &str| {
            let text = &other.shown[field];
            text.is_null() || *text == self.shown[field]
        };
        let email = &other.shown["email"];
        words(self) == words(other)
            && is_covered("phone")
            && (email.is_null() || is_same_ignoring_case(email, &self.shown["email"]))
            && is_covered("title")
            && other.shown["role"] == self.shown["role"]
    }
}

/// Whether a location is at the same address as another one, and says all that the other says.
pub(super) fn stands_for(own: &Value, other: &Value) -> bool {
    let address = ["address_line1", "address_line2", "city", "state", "postal_code"];
    ["location_type", "country"].iter().all(|field| own[*field] == other[*field])
        && address.iter().all(|field| words(&own[*field]) == words(&other[*field]))
        && LOCATION_TEXTS
            .iter()
            .all(|field| other[*field].is_null() || own[*field] == other[*field])
        && (other["latitude"].is_null() || !own["latitude"].is_null())
}

fn words(text: &Value) -> Vec<String> {
    let words = fold::words(text.as_str().unwrap_or_default());
    words.into_iter().map(|word| word.text).collect()
}

pub(super) fn is_same_ignoring_case(one: &Value, other: &Value) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
        _ => false,
    }
}

/// Both remarks, unless one has the other.
fn both_notes(own: &Value, theirs: &Value) -> Value {
    match (own.as_str(), theirs.as_str()) {
        (Some(own), Some(theirs)) if own.split("\n\n").all(|paragraph| paragraph != theirs) => {
            json!(format!("{own}\n\n{theirs}"))
        }
        (Some(_), _) => own.clone(),
        (None, _) => theirs.clone(),
    }
}
