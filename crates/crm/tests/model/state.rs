//! The model's state: simple lists in creation order, with the records as tools return them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zoop_crm::values::text;

use super::arguments::Object;
use super::merge::Plan;
use super::pools;
use super::process::Credential;

/// Why a call is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: &'static str,
    /// The invalid fields; `None` if the contract names none.
    pub(super) fields: Option<BTreeSet<String>>,
    pub(super) retry_after_s: Option<u64>,
}

/// The answer that the model predicts.
pub(super) type Predicted<T = Value> = Result<T, Refusal>;

/// The result of a check. The error describes the disagreement.
pub(super) type Checked<T = ()> = Result<T, String>;

const fn refusal(kind: &'static str) -> Refusal {
    Refusal { kind, fields: None, retry_after_s: None }
}

pub(super) const NOT_FOUND: Refusal = refusal("not_found");
pub(super) const CONFLICT: Refusal = refusal("conflict");
pub(super) const INVALID: Refusal = refusal("invalid_input");
pub(super) const NO_SCOPE: Refusal = refusal("insufficient_scope");

pub(super) fn invalid_fields(fields: BTreeSet<String>) -> Refusal {
    Refusal { fields: Some(fields), ..INVALID }
}

pub(super) fn invalid_field(field: &str) -> Refusal {
    invalid_fields(BTreeSet::from([field.to_owned()]))
}

/// The ids that a call created. The model cannot predict ids, so it takes them from the product.
#[derive(Debug, Default, Clone)]
pub(super) struct Fresh {
    /// The plan of a dry run. The model cannot predict it either.
    pub(super) plan: Value,
    pub(super) id: String,
    pub(super) contact: String,
    pub(super) location: String,
}

/// A caller with a credential.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) credential: Credential,
    /// The scopes of the credential. A user's role limits them further.
    pub(super) granted: &'static [&'static str],
    pub(super) user: Option<String>,
}

/// Where the fields of a contact come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Own,
    Customer,
    Placeholder,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contact {
    pub(super) shown: Value,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Customer {
    /// The record. Its phone and e-mail are the customer's own, not those of the primary contact.
    pub(super) own: Value,
    /// `active` or `inactive`. Archiving does not change it.
    pub(super) status: String,
    pub(super) contacts: Vec<Contact>,
    pub(super) locations: Vec<Value>,
    pub(super) tags: BTreeSet<String>,
    /// The id of the customer that it was merged into.
    pub(super) merged_into: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    /// The record, without the names that it is shown with.
    pub(super) shown: Value,
    pub(super) created: i64,
    pub(super) is_archived: bool,
}

/// A file on a note. Sequences only remove files: their content is not sent as arguments of a tool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct File {
    pub(super) id: Value,
    pub(super) note: Value,
    pub(super) is_removed: bool,
}

/// A job, invoice, quote or estimate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) customer: Value,
}

/// A stored answer, for a retry with the same idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remembered {
    pub(super) tool: &'static str,
    pub(super) arguments: Object,
    pub(super) answer: Value,
    pub(super) at: i64,
}

/// One tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tenant {
    pub(super) callers: Vec<Caller>,
    /// The role of each user.
    pub(super) roles: BTreeMap<String, &'static str>,
    /// The name of each user.
    pub(super) user_names: BTreeMap<String, &'static str>,
    pub(super) customers: Vec<Customer>,
    /// Pairs of customers that a user marked as different, each pair in both directions.
    pub(super) different: BTreeSet<(String, String)>,
    /// The plans of merges.
    pub(super) plans: Vec<Plan>,
    pub(super) tags: Vec<Value>,
    pub(super) notes: Vec<Note>,
    pub(super) files: Vec<File>,
    /// Jobs, invoices, quotes and estimates.
    pub(super) work: Vec<Work>,
    /// The tool of each history entry.
    pub(super) history: Vec<&'static str>,
    pub(super) remembered: BTreeMap<(usize, String), Remembered>,
    /// The times of each user's note writes.
    pub(super) note_writes: BTreeMap<String, Vec<i64>>,
}

pub(super) fn time(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).expect("a time");
    format!("{time:.3}")
}

pub(super) fn milliseconds(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().expect("a time").parse().expect("a time");
    time.as_millisecond()
}

/// The creation time of the next record in a list: now, or the creation time of the last record if the clock went
/// back by seconds, so that creation times stay in creation order.
pub(super) fn creation<'a>(now: i64, list: impl Iterator<Item = &'a Value>) -> i64 {
    list.map(|record| milliseconds(&record["created_at"])).max().map_or(now, |last| last.max(now))
}

pub(super) fn is_archived(record: &Value) -> bool {
    !record["archived_at"].is_null()
}

/// The argument's value, or `null`.
pub(super) fn argument(arguments: &Object, name: &str) -> Value {
    arguments.get(name).cloned().unwrap_or_default()
}

/// The argument's value, or a default.
pub(super) fn argument_or(arguments: &Object, name: &str, other: impl Into<Value>) -> Value {
    arguments.get(name).cloned().unwrap_or_else(|| other.into())
}

pub(super) fn e164(typed: &Value) -> Value {
    let phone = pools::PHONES.iter().find(|phone| *typed == *phone.typed);
    phone.map_or(Value::Null, |phone| json!(phone.e164))
}

impl Contact {
    pub(super) fn is_active(&self) -> bool {
        !is_archived(&self.shown)
    }

    pub(super) fn is_primary(&self) -> bool {
        self.shown["is_primary"] == true
    }

    pub(super) fn name(&self) -> String {
        full_name(&self.shown)
    }
}

/// First and last name joined by a space.
pub(super) fn full_name(record: &Value) -> String {
    let names = ["first_name", "last_name"].iter().filter_map(|name| record[*name].as_str());
    names.collect::<Vec<_>>().join(" ")
}

impl Customer {
    pub(super) fn id(&self) -> &str {
        self.own["id"].as_str().expect("an id")
    }

    pub(super) fn is_company(&self) -> bool {
        self.own["customer_type"] == "company"
    }

    pub(super) fn is_archived(&self) -> bool {
        is_archived(&self.own)
    }

    pub(super) fn display_name(&self) -> String {
        match self.own["company_name"].as_str() {
            Some(name) => name.to_owned(),
            None => full_name(&self.own),
        }
    }

    pub(super) fn visible_status(&self) -> &str {
        if self.is_archived() { "archived" } else { &self.status }
    }

    /// The active contacts: the primary contact first, then the others in creation order.
    pub(super) fn active_contacts(&self) -> Vec<&Contact> {
        let active = || self.contacts.iter().filter(|contact| contact.is_active());
        let primary = active().filter(|contact| contact.is_primary());
        primary.chain(active().filter(|contact| !contact.is_primary())).collect()
    }

    /// The active locations: primary locations first, then the others, each in creation order.
    pub(super) fn active_locations(&self) -> Vec<Value> {
        let active = || self.locations.iter().filter(|location| !is_archived(location));
        let primary = active().filter(|location| location["is_primary"] == true);
        primary
            .chain(active().filter(|location| location["is_primary"] == false))
            .cloned()
            .collect()
    }

    /// The customer's own phone or e-mail, or else the primary contact's.
    pub(super) fn primary(&self, own: &str, contact: &str) -> Value {
        if !self.own[own].is_null() {
            return self.own[own].clone();
        }
        let primary = self.contacts.iter().find(|contact| contact.is_primary());
        primary.map_or(Value::Null, |primary| primary.shown[contact].clone())
    }

    /// The record with its derived fields.
    pub(super) fn with_derived_fields(&self, tags: &[Value]) -> Value {
        let mut shown = self.own.clone();
        shown["display_name"] = json!(self.display_name());
        shown["status"] = json!(self.visible_status());
        let own_phone = !self.own["primary_phone"].is_null();
        shown["primary_phone"] = self.primary("primary_phone", "phone");
        if !own_phone {
            shown["primary_phone_raw"] = self.primary("primary_phone_raw", "phone_raw");
        }
        shown["primary_email"] = self.primary("primary_email", "email");
        let mut own: Vec<_> = tags
            .iter()
            .filter(|tag| self.tags.contains(tag["id"].as_str().expect("an id")))
            .collect();
        own.sort_by_key(|tag| caseless(&tag["name"]));
        let label =
            |tag: &Value| json!({ "id": tag["id"], "name": tag["name"], "color": tag["color"] });
        shown["tags"] = own.into_iter().map(label).collect();
        shown
    }

    pub(super) fn with_children(&self, tags: &[Value]) -> Value {
        let mut full = self.with_derived_fields(tags);
        full["contacts"] =
            self.active_contacts().into_iter().map(|contact| contact.shown.clone()).collect();
        full["locations"] = self.active_locations().into();
        full
    }
}

/// A name in lower case, for comparison.
pub(super) fn caseless(name: &Value) -> String {
    text::visible(name.as_str().expect("a name")).to_lowercase()
}

impl Tenant {
    /// The records of every list that is in creation order.
    fn lists(&self) -> Vec<Vec<&Value>> {
        let mut lists: Vec<Vec<_>> = vec![
            self.customers.iter().map(|customer| &customer.own).collect(),
            self.tags.iter().collect(),
            self.notes.iter().map(|note| &note.shown).collect(),
        ];
        for customer in &self.customers {
            lists.push(customer.contacts.iter().map(|contact| &contact.shown).collect());
            lists.push(customer.locations.iter().collect());
        }
        lists
    }

    /// Checks that ids are in creation order, whichever process created the records and whatever its clock showed.
    pub(super) fn check_order(&self) -> Checked {
        for list in self.lists() {
            let ids: Vec<_> = list.iter().map(|record| record["id"].as_str()).collect();
            if !ids.is_sorted_by(|one, next| one < next) {
                return Err(format!("ids are not in creation order: {ids:?}"));
            }
        }
        Ok(())
    }

    pub(super) fn customer(&mut self, id: &Value) -> Predicted<&mut Customer> {
        self.customers.iter_mut().find(|customer| customer.own["id"] == *id).ok_or(NOT_FOUND)
    }

    /// The customer with this id, or all customers if the call names none.
    pub(super) fn named_customers(&self, id: &Value) -> impl Iterator<Item = &Customer> {
        self.customers.iter().filter(move |customer| id.is_null() || customer.own["id"] == *id)
    }

    /// A customer that can be changed: it is not archived.
    pub(super) fn active_customer(&mut self, id: &Value) -> Predicted<&mut Customer> {
        self.customer(id)
            .and_then(|customer| if customer.is_archived() { Err(NOT_FOUND) } else { Ok(customer) })
    }
}
