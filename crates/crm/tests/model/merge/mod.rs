//! The model of merging: one customer gets what another one has, whose id and number lead to it from then on.

mod moved;
mod taken;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    CONFLICT, Contact, Customer, Fresh, NOT_FOUND, Note, Predicted, Tenant, argument, caseless,
    invalid_field,
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

impl Left {
    fn shown(&self) -> Value {
        let pair = |id: &Value, same_as: &Value| json!({ "id": id, "same_as": same_as });
        let contacts = self.contacts.iter().map(|(old, same)| pair(&old.shown["id"], same));
        let locations = self.locations.iter().map(|(old, same)| pair(&old["id"], same));
        json!({ "contacts": contacts.collect::<Value>(), "locations": locations.collect::<Value>() })
    }
}
