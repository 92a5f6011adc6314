//! Which contacts and locations move in a merge, and what is not kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::state::{Contact, Customer, Origin, is_archived, time};
use super::taken::{is_same_ignoring_case, stands_for};
use super::{Left, Merge};

impl Merge {
    pub(super) fn of(kept: &Customer, other: &Customer, take: &BTreeSet<&str>, now: i64) -> Self {
        let mut merge = Self {
            kept: kept.clone(),
            left: Left::default(),
            moved_contacts: Vec::new(),
            moved_locations: Vec::new(),
        };
        merge.kept.take_fields(other, take);
        merge.kept.own["updated_at"] = json!(time(now));
        merge.kept.change_own_contact(kept, now);
        merge.move_contacts(other, now);
        merge.move_locations(other, now);
        merge
    }

    fn move_contacts(&mut self, other: &Customer, now: i64) {
        let own: Vec<_> = self.kept.active_contacts().into_iter().cloned().collect();
        let mut moved = Vec::new();
        for old in &other.contacts {
            let mut new = old.clone();
            new.shown["customer_id"] = self.kept.own["id"].clone();
            new.shown["is_primary"] = json!(false);
            new.shown["updated_at"] = json!(time(now));
            let is_placeholder = old.origin == Origin::Placeholder && old.is_active();
            if is_placeholder {
                new.origin = Origin::Own;
                self.give_company_reach(&mut new, other, &own);
            }
            let says_nothing =
                is_placeholder && new.shown["phone"].is_null() && new.shown["email"].is_null();
            let same = own.iter().find(|own| says_nothing || own.says_all_of(&new));
            match same.filter(|_| old.is_active()) {
                Some(same) => self.left.contacts.push((old.clone(), same.shown["id"].clone())),
                None => moved.push((old.is_primary(), new)),
            }
        }
        self.moved_contacts = moved.iter().map(|(_, new)| new.shown["id"].clone()).collect();
        let is_active = |(_, new): &&mut (bool, Contact)| new.is_active();
        // A placeholder gives way to the first real contact, or to the one that was primary.
        if let [placeholder] = &own[..]
            && placeholder.origin == Origin::Placeholder
            && moved.iter_mut().any(|it| is_active(&it))
        {
            let was_primary = moved.iter().position(|(primary, new)| *primary && new.is_active());
            let first = moved.iter().position(|(_, new)| new.is_active());
            let chosen = was_primary.or(first).expect("an active contact");
            let chosen = &mut moved[chosen].1;
            chosen.shown["is_primary"] = json!(true);
            let id = chosen.shown["id"].clone();
            for (_, same_as) in &mut self.left.contacts {
                *same_as = id.clone();
            }
            let mut contacts = self.kept.contacts.iter_mut();
            let own = contacts.find(|it| it.shown["id"] == placeholder.shown["id"]);
            let own = own.expect("the placeholder");
            own.shown["is_primary"] = json!(false);
            own.shown["archived_at"] = json!(time(now));
            own.shown["updated_at"] = json!(time(now));
        }
        self.kept.contacts.extend(moved.into_iter().map(|(_, new)| new));
        self.kept.contacts.sort_by_key(|contact| contact.shown["id"].to_string());
    }

    /// A company's placeholder becomes a contact with the company's own phone and e-mail address, unless the kept
    /// customer has them.
    fn give_company_reach(&self, contact: &mut Contact, other: &Customer, own: &[Contact]) {
        let kept = &self.kept.own;
        let has = |own_field: &str, field: &str, value: &Value| {
            let mut all = own.iter().map(|it| &it.shown[field]).chain([&kept[own_field]]);
            all.any(|it| is_same_ignoring_case(it, value))
        };
        let phone = &other.own["primary_phone"];
        let raw = &other.own["primary_phone_raw"];
        let is_known = has("primary_phone", "phone", phone);
        (contact.shown["phone"], contact.shown["phone_raw"]) =
            if is_known { (Value::Null, Value::Null) } else { (phone.clone(), raw.clone()) };
        let email = &other.own["primary_email"];
        let is_known = has("primary_email", "email", email);
        contact.shown["email"] = if is_known { Value::Null } else { email.clone() };
    }

    fn move_locations(&mut self, other: &Customer, now: i64) {
        let own = self.kept.active_locations();
        let mut moved = Vec::new();
        for old in &other.locations {
            let same = own.iter().find(|own| stands_for(own, old));
            if let Some(same) = same.filter(|_| !is_archived(old)) {
                self.left.locations.push((old.clone(), same["id"].clone()));
                continue;
            }
            let is_rival = |own: &Value| {
                own["is_primary"] == true && own["location_type"] == old["location_type"]
            };
            let is_primary = old["is_primary"] == true && !own.iter().any(is_rival);
            let mut new = old.clone();
            new["customer_id"] = self.kept.own["id"].clone();
            new["is_primary"] = json!(is_primary);
            new["updated_at"] = json!(time(now));
            moved.push(new);
        }
        self.moved_locations = moved.iter().map(|new| new["id"].clone()).collect();
        self.kept.locations.extend(moved);
        self.kept.locations.sort_by_key(|location| location["id"].to_string());
    }

    /// The records whose notes move, each with the one that gets them.
    pub(super) fn successors(&self, other: &Customer) -> Vec<(Value, Value)> {
        let contacts = self.left.contacts.iter().map(|(old, to)| (&old.shown["id"], to));
        let locations = self.left.locations.iter().map(|(old, to)| (&old["id"], to));
        let all = [(&other.own["id"], &self.kept.own["id"])].into_iter();
        let all = all.chain(contacts).chain(locations);
        all.map(|(from, to)| (from.clone(), to.clone())).collect()
    }

    /// The values of the other customer that nothing of the kept one has.
    pub(super) fn not_kept(&self, other: &Customer) -> Vec<Value> {
        let contacts = self.kept.active_contacts();
        let mut lost = Vec::new();
        let name = other.display_name();
        let is_named = self.kept.display_name() == name;
        if !is_named && contacts.iter().all(|contact| contact.name() != name) {
            let field = if other.is_company() { "company_name" } else { "first_name" };
            lost.push(json!({ "field": field, "value": name }));
        }
        for (field, own, of_contact, shown) in [
            ("phone", "primary_phone", "phone", "primary_phone_raw"),
            ("email", "primary_email", "email", "primary_email"),
        ] {
            let of_contacts = contacts.iter().map(|contact| &contact.shown[of_contact]);
            let mut all = of_contacts.chain([&self.kept.own[own]]);
            let value = &other.own[own];
            if !value.is_null() && !all.any(|it| is_same_ignoring_case(it, value)) {
                lost.push(json!({ "field": field, "value": other.own[shown] }));
            }
        }
        for field in ["do_not_contact_reason", "source", "external_id"] {
            let value = &other.own[field];
            if !value.is_null() && *value != self.kept.own[field] {
                lost.push(json!({ "field": field, "value": value }));
            }
        }
        lost
    }

    /// The other customer after the merge.
    pub(super) fn other_then(&self, mut other: Customer, now: i64) -> Customer {
        if other.own["external_id"] == self.kept.own["external_id"] {
            other.own["external_id"] = Value::Null;
        }
        if !other.is_archived() {
            other.own["archived_at"] = json!(time(now));
        }
        other.own["updated_at"] = json!(time(now));
        other.merged_into = Some(self.kept.id().to_owned());
        other.contacts = self.left.contacts.iter().map(|(contact, _)| contact.clone()).collect();
        other.locations =
            self.left.locations.iter().map(|(location, _)| location.clone()).collect();
        other.tags.clear();
        other
    }
}
