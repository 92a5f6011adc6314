//! The model of the pipeline: scope, actor, arguments, idempotency key, tool, history, receipt.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arguments::{self, Object, is_blank};
use super::contract::{Callers, OPERATE, Presence, Tool};
use super::duplicates::DESCRIBING;
use super::notes::DAY;
use super::pools;
use super::state::{
    CONFLICT, Fresh, INVALID, NO_SCOPE, Predicted, Refusal, Remembered, Tenant, invalid_field,
    invalid_fields,
};

const KEY: &str = "idempotency_key";
/// The fields of the receipt of `customers.create`.
const RECEIPT: &[&str] = &[
    "id",
    "customer_type",
    "customer_number",
    "display_name",
    "status",
    "primary_phone",
    "primary_email",
    "created_at",
];

impl Tenant {
    /// The expected answer to a call. For a list it has all rows, as if on one page.
    pub(super) fn call(
        &mut self,
        caller: usize,
        tool: &'static Tool,
        sent: &Value,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted {
        self.authorize(caller, tool)?;
        let mut sent = sent.as_object().expect("an object").clone();
        sent.retain(|name, _| !pools::CLIENT_ADDED_KEYS.contains(&name.as_str()));
        let key = if tool.is_read() { Ok(None) } else { take_key(&mut sent) };
        let (key, arguments) = combine(key, clean_arguments(tool, &sent))?;
        if let Some(key) = &key
            && let Some(stored) = self.remembered.get(&(caller, key.clone()))
            && stored.at + DAY > now
        {
            if stored.tool != tool.name || stored.arguments != sent {
                return Err(CONFLICT);
            }
            let answer = stored.answer.clone();
            return Ok(self.receipt(caller, tool, answer, &sent));
        }
        let (answer, leaves_history) = self
            .run(caller, tool, &arguments, fresh, now)
            .map_err(|refusal| self.hide_type(caller, tool, &arguments, refusal))?;
        if leaves_history {
            self.history.push(tool.name);
        }
        if let Some(key) = key {
            let remembered = Remembered {
                tool: tool.name,
                arguments: sent.clone(),
                answer: answer.clone(),
                at: now,
            };
            self.remembered.insert((caller, key), remembered);
        }
        Ok(self.receipt(caller, tool, answer, &sent))
    }

    fn authorize(&self, caller: usize, tool: &Tool) -> Predicted<()> {
        if !self.may(caller, tool.scope) {
            return Err(NO_SCOPE);
        }
        if self.may_act(caller, tool.callers) { Ok(()) } else { Err(INVALID) }
    }

    pub(super) fn may_act(&self, caller: usize, callers: Callers) -> bool {
        match callers {
            Callers::Anyone => true,
            Callers::UsersAndOperator if self.may(caller, OPERATE) => true,
            Callers::Users | Callers::UsersAndOperator => self.callers[caller].user.is_some(),
        }
    }

    fn run(
        &mut self,
        caller: usize,
        tool: &Tool,
        arguments: &Object,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted<(Value, bool)> {
        let verb = tool.verb();
        let answer = match tool.group() {
            "customers" if verb == "merge" => return self.merge(arguments, caller, fresh, now),
            "customers" => self.customers(verb, arguments, caller, fresh, now),
            "contacts" => self.contacts(verb, arguments, fresh, now),
            "locations" => self.locations(verb, arguments, fresh, now),
            "tags" => self.tags(verb, arguments, caller, fresh, now),
            "subjects" => self.create_work(arguments, fresh),
            "users" => self.set_role(arguments),
            _ => return self.notes(verb, arguments, caller, fresh, now),
        };
        Ok((answer?, !tool.is_read()))
    }

    /// An error about fields that a customer's type does not have would reveal the type. For a caller who may not
    /// read, the error instead names all sent fields that depend on the type.
    fn hide_type(
        &self,
        caller: usize,
        tool: &Tool,
        arguments: &Object,
        refusal: Refusal,
    ) -> Refusal {
        let typed_fields = ["first_name", "last_name", "company_name"].map(str::to_owned);
        let is_about_type =
            |fields: &BTreeSet<String>| fields.iter().all(|field| typed_fields.contains(field));
        match &refusal.fields {
            Some(fields)
                if tool.name == "customers.update"
                    && is_about_type(fields)
                    && !self.may(caller, tool.read_scope()) =>
            {
                invalid_fields(
                    typed_fields.into_iter().filter(|name| arguments.contains_key(name)).collect(),
                )
            }
            _ => refusal,
        }
    }

    /// The answer, or the receipt for a caller who may not read: ids, and what the call itself sent.
    fn receipt(&self, caller: usize, tool: &Tool, answer: Value, sent: &Object) -> Value {
        let can_read = self.may(caller, tool.read_scope());
        let first = match (tool.name, tool.verb()) {
            _ if can_read => return answer,
            ("customers.create", _) => {
                return RECEIPT
                    .iter()
                    .map(|key| ((*key).to_owned(), answer[*key].clone()))
                    .collect();
            }
            ("customers.merge", _) => {
                return json!({ "merged": answer["merged"], "plan": answer["plan"] });
            }
            (_, "create") => "created_at",
            (_, "update") => "updated_at",
            // These answers contain a flag and ids.
            (
                _,
                "archive" | "restore" | "delete" | "attach" | "detach" | "remove_file"
                | "mark_different",
            ) => return answer,
            (name, _) => panic!("{name}: add the receipt of a caller who may not read"),
        };
        let mut receipt = json!({ "id": answer["id"], first: answer[first] });
        for (name, value) in sent {
            let shown = match (tool.name, name.as_str()) {
                ("customers.update", "phone") => "primary_phone",
                ("customers.update", "email") => "primary_email",
                (_, name) => name,
            };
            let stored = if is_blank(value) { Value::Null } else { answer[shown].clone() };
            receipt[shown] = stored;
        }
        receipt
    }
}

/// Both values, or the invalid fields of either.
fn combine<T, U>(left: Predicted<T>, right: Predicted<U>) -> Predicted<(T, U)> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(mut left), Err(right)) => {
            let fields = left.fields.into_iter().chain(right.fields).flatten();
            left.fields = Some(fields.collect());
            Err(left)
        }
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
    }
}

fn take_key(sent: &mut Object) -> Predicted<Option<String>> {
    match sent.remove(KEY) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(key)) if key.is_empty() => Ok(None),
        Some(Value::String(key)) if key.len() <= 255 => Ok(Some(key)),
        Some(_) => Err(invalid_field(KEY)),
    }
}

/// The cleaned arguments, or all invalid fields.
fn clean_arguments(tool: &Tool, sent: &Object) -> Predicted<Object> {
    let read = arguments::read(sent, tool.fields);
    let mut problems = read.as_ref().err().cloned().unwrap_or_default();
    check_rules(tool.name, sent, &mut problems);
    let changes = tool.fields.iter().filter(|field| field.2 != Presence::Required);
    let has_change = changes.clone().any(|field| sent.contains_key(field.0));
    match read {
        Ok(arguments) if problems.is_empty() => {
            let is_without_change = tool.verb() == "update" && !has_change;
            if is_without_change { Err(invalid_field("arguments")) } else { Ok(arguments) }
        }
        _ => Err(invalid_fields(problems)),
    }
}

/// The two fields of a note's subject, each with the other field.
const SUBJECT: [(&str, &str); 2] = [("subject_type", "subject_id"), ("subject_id", "subject_type")];

/// Adds the fields that break a rule about several fields.
fn check_rules(tool: &str, sent: &Object, invalid: &mut BTreeSet<String>) {
    let is_filled = |name: &str| sent.get(name).is_some_and(|value| !is_blank(value));
    let has = |name: &str| sent.contains_key(name);
    let mut refuse = |name: &str| invalid.extend([name.to_owned()]);
    match tool {
        "customers.create" => {
            let (required, foreign) = match sent.get("customer_type").and_then(Value::as_str) {
                Some("individual") => ("first_name", ["company_name", "primary_contact"]),
                Some("company") => ("company_name", ["first_name", "last_name"]),
                _ => return,
            };
            if !is_filled(required) {
                refuse(required);
            }
            foreign.iter().filter(|name| is_filled(name)).for_each(|name| refuse(name));
        }
        "customers.find_duplicates" if is_filled("customer_id") => {
            let described = sent.keys().filter(|name| DESCRIBING.contains(&name.as_str()));
            described.filter(|name| is_filled(name)).for_each(|name| refuse(name));
        }
        "customers.update" if has("customer_type") => refuse("customer_type"),
        "notes.create" => {
            for (one, other) in SUBJECT {
                if is_filled(other) && !is_filled(one) {
                    refuse(one);
                }
            }
            let is_draft =
                sent.get("draft").is_some_and(|draft| !draft.is_null() && *draft != false);
            if !is_filled("body") && !is_draft {
                refuse("body");
            }
        }
        "notes.update" => {
            for (one, other) in SUBJECT {
                let is_alone = has(other) && !has(one);
                if is_alone || (has(one) && is_filled(other) && !is_filled(one)) {
                    refuse(one);
                }
            }
        }
        "notes.list" if sent.get("subject_type") == Some(&json!("standalone")) => {
            let refused = ["subject_id", "customer_id", "q"];
            refused.iter().filter(|name| is_filled(name)).for_each(|name| refuse(name));
        }
        _ => {}
    }
}
