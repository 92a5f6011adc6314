//! Retries of calls with long answers, of which only a part is remembered.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::{ToolDef, ToolKind};
use crate::call::idempotency::{self, MAX_KEPT};
use crate::call::scope::Scope;
use crate::call::tool::Receipt;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv};

/// Tools with answers longer than [`MAX_KEPT`]. A test compares this list with the tools that it finds.
const LONG: &[&str] = &[
    "customers.create",
    "customers.update",
    "contacts.create",
    "contacts.update",
    "locations.create",
    "locations.update",
    "notes.create",
    "notes.update",
    "catalog_items.create",
    "catalog_items.update",
    "jobs.create",
    "jobs.update",
];

/// The tool's example, with every string as long as the tool accepts.
fn longest(env: &TestEnv, business: &Business, caller: &Caller, tool: &ToolDef) -> Value {
    let mut arguments: Value = serde_json::from_str(&business.fill(tool.example)).expect("JSON");
    let address =
        format!("{}@{}.example", "a".repeat(64), ["b"; 3].map(|b| b.repeat(58)).join("."));
    for field in tool.fields() {
        let long = match field.schema["maxLength"].as_u64() {
            _ if field.name == "email" => address.clone(),
            Some(length) => "😀".repeat(usize::try_from(length).expect("a length")),
            None => continue,
        };
        let mut longer = arguments.clone();
        longer[field.name] = json!(long);
        // The tool may refuse the longer string: some fields exclude each other, and some have a format.
        let is_accepted = || env.try_out(caller, tool.name, &longer.to_string()).is_ok();
        if field.name != idempotency::FIELD && is_accepted() {
            arguments = longer;
        }
    }
    arguments
}

/// The longest remembered answer, in bytes.
fn longest_remembered(env: &TestEnv) -> i64 {
    let longest = "SELECT max(octet_length(answer)) FROM idempotency";
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            file.query_row(longest, [], |row| row.get(0)).expect("an answer")
        }
        Some(server) => {
            server.run_as_superuser(longest).expect("an answer").trim().parse().expect("a number")
        }
    }
}

/// A caller with only this write scope.
fn writer(env: &TestEnv, business: &Business, scope: Scope) -> Caller {
    let owner = Business::user(&business.owner).to_string();
    env.access(&env.key(business.account, Some(&owner), &[scope]))
}

#[both]
fn an_answer_of_any_length_is_remembered_in_a_few_bytes_and_comes_again_byte_for_byte() {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 0;
    let mut long = Vec::new();
    for tool in catalog::tools().filter(|tool| !tool.name.starts_with("tenants.")) {
        let ToolKind::Command { .. } = tool.kind else { continue };
        let business = env.business(tool.name);
        let operator = Caller::operator(Some(business.account));
        let caller = if tool.is_public() { &business.owner } else { &operator };
        let mut arguments = longest(&env, &business, caller, tool);
        arguments["idempotency_key"] = json!("once");
        let text = arguments.to_string();
        let first = env.call_text(caller, tool.name, &text).expect(tool.name);
        assert!(
            longest_remembered(&env) <= i64::try_from(MAX_KEPT).unwrap(),
            "{} remembers a long answer",
            tool.name
        );
        assert_eq!(env.call_text(caller, tool.name, &text).expect(tool.name), first);
        if first.len() > MAX_KEPT {
            long.push(tool.name);
            let business = env.business(&format!("{}.blind", tool.name));
            let writer = writer(&env, &business, tool.scope);
            let mut arguments = longest(&env, &business, &writer, tool);
            arguments["idempotency_key"] = json!("once");
            let text = arguments.to_string();
            let first = env.call_text(&writer, tool.name, &text).expect(tool.name);
            assert_eq!(env.call_text(&writer, tool.name, &text).expect(tool.name), first);
        }
    }
    for tool in LONG {
        assert!(long.contains(tool), "{tool} has no long answer");
    }
    assert_eq!(long.len(), LONG.len(), "{long:?}");
}

#[both]
fn what_others_have_written_since_is_told_only_to_who_may_read_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let notes = writer(&env, &acme, Scope::WriteNotes);
    let (body, other) = ("a".repeat(9_000), "b".repeat(9_000));
    let create = json!({ "body": body, "idempotency_key": "k" });
    for (caller, may_read) in [(&notes, false), (&acme.owner, true)] {
        let first = env.call(caller, "notes.create", create.clone()).unwrap();
        assert_eq!(first["body"], body);
        env.clock.advance(1);
        let update = json!({ "id": first["id"], "body": other });
        let updated = env.call(&acme.owner, "notes.update", update).unwrap();
        let again = env.call(caller, "notes.create", create.clone()).unwrap();
        if may_read {
            assert_eq!(again, updated, "a reader gets the current note");
        } else {
            assert_eq!(again, json!({ "id": first["id"], "created_at": first["created_at"] }));
        }
        env.call(&acme.owner, "notes.archive", json!({ "id": first["id"] })).unwrap();
        let again = env.call(caller, "notes.create", create.clone()).expect("a replay");
        assert_eq!(again, json!({ "id": first["id"], "created_at": first["created_at"] }));
    }
}

#[both]
fn a_write_only_caller_is_never_told_what_changed_since() {
    let env = TestEnv::new();
    for tool in LONG.iter().map(|name| catalog::find(name).expect("a tool")) {
        let ToolKind::Command { receipt, .. } = tool.kind else { unreachable!() };
        let business = env.business(tool.name);
        let writer = writer(&env, &business, tool.scope);
        let mut arguments = longest(&env, &business, &writer, tool);
        arguments["idempotency_key"] = json!("once");
        let first = env.call(&writer, tool.name, arguments.clone()).expect(tool.name);
        env.clock.advance(1);
        let group = tool.name.split('.').next().expect("a group");
        let mut change = json!({ "id": first["id"] });
        match group {
            "notes" => change["body"] = json!("secret"),
            "customers" => change["source"] = json!("secret"),
            "catalog_items" => change["unit_label"] = json!("secret"),
            "contacts" | "jobs" => change["title"] = json!("secret"),
            _ => change["access_notes"] = json!("secret"),
        }
        if let Some(customer) = arguments.get("customer_id") {
            change["customer_id"] = customer.clone();
        }
        let update = format!("{group}.update");
        env.call(&business.owner, &update, change).expect(tool.name);
        let again = env.call(&writer, tool.name, arguments).expect(tool.name);
        let keys: &[&str] = match receipt {
            Receipt::Keys(keys) => keys,
            Receipt::Sent { always, .. } | Receipt::Document { always, .. } => always,
            Receipt::Whole => unreachable!("long answers are reduced"),
        };
        for (key, value) in again.as_object().expect("an object") {
            assert!(keys.contains(&key.as_str()), "{}: {key}", tool.name);
            assert_eq!(first[key], *value, "{}: {key}", tool.name);
        }
    }
}

#[both]
fn an_answer_that_the_version_before_remembered_whole_is_given_as_it_is() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let create = json!({ "body": "a".repeat(9_000), "idempotency_key": "k" });
    let first = env.call(&acme.owner, "notes.create", create.clone()).unwrap();
    let set = format!("UPDATE idempotency SET whole_hash = NULL, answer = '{first}'");
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            assert_eq!(file.execute(&set, []).expect("an answer"), 1);
        }
        Some(server) => {
            server.run_as_superuser(&set).expect("an answer");
        }
    }
    env.call(&acme.owner, "notes.archive", json!({ "id": first["id"] })).unwrap();
    assert_eq!(env.call(&acme.owner, "notes.create", create).unwrap(), first);
}
