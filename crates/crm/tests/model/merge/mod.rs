//! The model of merging: one customer gets what another one has, whose id and number lead to it from then on.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_crm::values::fold;

use super::arguments::Object;
use super::state::{
    CONFLICT, Contact, Customer, Fresh, NOT_FOUND, Note, Origin, Predicted, Tenant, argument,
    caseless, invalid_field, is_archived, time,
};

/// A plan that a dry run answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// What the product calls it.
    pub(super) id: Value,
    /// The call.
    pub(super) arguments: Object,
    /// Everything that the merge depends on.
    basis: Value,
}

/// Texts of a location that another one at the same address must also have to stand for it.
const LOCATION_TEXTS: &[&str] =
    &["label", "access_notes", "parking_notes", "service_notes", "place_id"];

/// What the kept customer becomes, and what stays with the other one.
struct Merge {
    kept: Customer,
    left: Left,
    moved_contacts: Vec<Value>,
    moved_locations: Vec<Value>,
}

/// Contacts and locations that the kept customer has already, and the ids of what stands for them.
#[derive(Default)]
struct Left {
    contacts: Vec<(Contact, Value)>,
    locations: Vec<(Value, Value)>,
}

impl Tenant {
    /// The customer that this one was merged into, or itself.
    pub(super) fn resolved(&self, id: &Value) -> Value {
        let found = self.customers.iter().find(|customer| customer.own["id"] == *id);
        match found.and_then(|customer| customer.merged_into.as_ref()) {
            Some(kept) => self.resolved(&json!(kept)),
            None => id.clone(),
        }
    }

    /// A customer that was not merged into another one. It may be archived.
    pub(super) fn unmerged_customer(&mut self, id: &Value) -> Predicted<&mut Customer> {
        let customer = self.customer(id)?;
        if customer.merged_into.is_some() { Err(NOT_FOUND) } else { Ok(customer) }
    }

    /// The answer, and whether the call adds a history entry.
    pub(super) fn merge(
        &mut self,
        arguments: &Object,
        caller: usize,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted<(Value, bool)> {
        let [keep, merge] = ["keep_id", "merge_id"].map(|name| argument(arguments, name));
        if keep == merge {
            return Err(invalid_field("merge_id"));
        }
        let other = self.customer(&merge)?.clone();
        let kept = self.active_customer(&keep)?.clone();
        if other.merged_into.as_deref() == Some(kept.id()) {
            let answer = json!({
                "merged": true, "plan": null, "customer": kept.with_derived_fields(&self.tags),
                "moved": { "contacts": [], "locations": [], "subjects": 0, "tags": [] },
                "dropped": { "contacts": [], "locations": [] }, "not_kept": [],
            });
            return Ok((answer, false));
        }
        if other.merged_into.is_some() {
            return Err(NOT_FOUND);
        }
        let take = argument(arguments, "take");
        let take = take.as_array().into_iter().flatten();
        let take: BTreeSet<_> = take.filter_map(Value::as_str).collect();
        let foreign: &[&str] =
            if kept.is_company() { &["first_name", "last_name"] } else { &["company_name"] };
        if foreign.iter().any(|field| take.contains(field)) {
            return Err(invalid_field("take"));
        }
        let mut merge = Merge::of(&kept, &other, &take, now);
        let notes = self.notes_about(&merge.successors(&other));
        let works = self.works_of(other.id());
        let basis = self.basis([&kept, &other], &take, &notes, &works);
        if let Some(sent) = arguments.get("plan")
            && !self.plans.iter().any(|plan| plan.id == *sent && plan.basis == basis)
        {
            return Err(CONFLICT);
        }
        let new_tags = self.tags_among(other.tags.difference(&kept.tags).collect());
        let mut moved = json!({
            "contacts": merge.moved_contacts, "locations": merge.moved_locations,
            "subjects": works.len(), "tags": new_tags,
        });
        if self.may(caller, "read:notes") {
            moved["notes"] = json!(notes.len());
        }
        merge.kept.tags.extend(other.tags.iter().cloned());
        let is_dry = arguments.get("dry_run") == Some(&json!(true));
        let plan = if is_dry { fresh.plan.clone() } else { Value::Null };
        let answer = json!({
            "merged": !is_dry, "plan": plan, "moved": moved,
            "customer": merge.kept.with_derived_fields(&self.tags),
            "dropped": merge.left.shown(), "not_kept": merge.not_kept(&other),
        });
        if is_dry {
            let names = ["keep_id", "merge_id", "take"];
            let sent = arguments.iter().filter(|(name, _)| names.contains(&name.as_str()));
            let arguments = sent.map(|(name, value)| (name.clone(), value.clone())).collect();
            let plan = Plan { id: plan, arguments, basis };
            if !self.plans.contains(&plan) {
                self.plans.push(plan);
            }
            return Ok((answer, false));
        }
        for (note, to) in notes {
            self.notes[note].shown["subject_id"] = to;
        }
        for work in works {
            self.work[work].customer = json!(kept.id());
        }
        self.inherit_different(other.id(), kept.id());
        let other = merge.other_then(other, now);
        for changed in [merge.kept, other] {
            let id = changed.own["id"].clone();
            *self.customer(&id)? = changed;
        }
        Ok((answer, true))
    }

    /// Everything that a merge depends on: a plan is valid as long as it is the same.
    fn basis(
        &self,
        [kept, other]: [&Customer; 2],
        take: &BTreeSet<&str>,
        notes: &[(usize, Value)],
        works: &[usize],
    ) -> Value {
        let shown = |contact: &Contact| contact.shown.clone();
        let own_contacts: Vec<_> = kept.active_contacts().into_iter().map(shown).collect();
        let contacts: Vec<_> = other.contacts.iter().map(shown).collect();
        let notes = notes.iter().map(|(note, to)| json!([self.notes[*note].shown["id"], to]));
        json!([
            take,
            [kept.own, kept.status, kept.tags, own_contacts, kept.active_locations()],
            [other.own, other.status, other.tags, contacts, other.locations],
            notes.collect::<Vec<_>>(),
            works.iter().map(|work| &self.work[*work].id).collect::<Vec<_>>(),
        ])
    }

    /// The ids of these tags, sorted by name.
    fn tags_among(&self, ids: Vec<&String>) -> Vec<Value> {
        let is_among = |tag: &&Value| ids.iter().any(|id| tag["id"] == ***id);
        let mut tags: Vec<_> = self.tags.iter().filter(is_among).collect();
        tags.sort_by_key(|tag| caseless(&tag["name"]));
        tags.into_iter().map(|tag| tag["id"].clone()).collect()
    }

    /// The positions of the notes about these records, drafts not included, each with the record that it will be about.
    fn notes_about(&self, successors: &[(Value, Value)]) -> Vec<(usize, Value)> {
        let is_committed = |(_, note): &(usize, &Note)| note.shown["draft"] == false;
        let committed = self.notes.iter().enumerate().filter(is_committed);
        let moved = committed.filter_map(|(position, note)| {
            let mut successors = successors.iter();
            let (_, to) = successors.find(|(from, _)| note.shown["subject_id"] == *from)?;
            Some((position, to.clone()))
        });
        moved.collect()
    }

    /// The positions of a customer's jobs, invoices, quotes and estimates.
    fn works_of(&self, customer: &str) -> Vec<usize> {
        let works = self.work.iter().enumerate();
        works.filter(|(_, work)| work.customer == *customer).map(|(position, _)| position).collect()
    }

    /// What is different from a customer is different from the one that it is merged into.
    fn inherit_different(&mut self, other: &str, kept: &str) {
        let marks = self.different.iter().filter(|(one, another)| one == other && another != kept);
        let marks: Vec<_> = marks.map(|(_, another)| another.clone()).collect();
        for another in marks {
            self.different.insert((another.clone(), kept.to_owned()));
            self.different.insert((kept.to_owned(), another));
        }
    }
}

impl Merge {
    fn of(kept: &Customer, other: &Customer, take: &BTreeSet<&str>, now: i64) -> Self {
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
    fn successors(&self, other: &Customer) -> Vec<(Value, Value)> {
        let contacts = self.left.contacts.iter().map(|(old, to)| (&old.shown["id"], to));
        let locations = self.left.locations.iter().map(|(old, to)| (&old["id"], to));
        let all = [(&other.own["id"], &self.kept.own["id"])].into_iter();
        let all = all.chain(contacts).chain(locations);
        all.map(|(from, to)| (from.clone(), to.clone())).collect()
    }

    /// The values of the other customer that nothing of the kept one has.
    fn not_kept(&self, other: &Customer) -> Vec<Value> {
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
    fn other_then(&self, mut other: Customer, now: i64) -> Customer {
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

impl Left {
    fn shown(&self) -> Value {
        let pair = |id: &Value, same_as: &Value| json!({ "id": id, "same_as": same_as });
        let contacts = self.contacts.iter().map(|(old, same)| pair(&old.shown["id"], same));
        let locations = self.locations.iter().map(|(old, same)| pair(&old["id"], same));
        json!({ "contacts": contacts.collect::<Value>(), "locations": locations.collect::<Value>() })
    }
}

impl Customer {
    /// Takes the fields that it lacks, and those that the call names, from another customer.
    fn take_fields(&mut self, other: &Self, take: &BTreeSet<&str>) {
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
    fn change_own_contact(&mut self, old: &Self, now: i64) {
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
    fn says_all_of(&self, other: &Self) -> bool {
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
fn stands_for(own: &Value, other: &Value) -> bool {
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

fn is_same_ignoring_case(one: &Value, other: &Value) -> bool {
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
