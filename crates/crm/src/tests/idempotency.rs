//! Retries: a write with an idempotency key happens once.

use serde_json::{Value, json};
use zoop_both::both;

use zoop_db::Timestamp;

use crate::call::definition::ToolKind;
use crate::call::scope::Scope;
use crate::call::sweep::{STEP, Swept};
use crate::testing::{Caller, TestEnv, error_json};
use crate::{catalog, maintenance};

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn with_key(arguments: &str, key: &str) -> Value {
    let mut arguments: Value = serde_json::from_str(arguments).unwrap();
    arguments["idempotency_key"] = json!(key);
    arguments
}

#[both]
fn every_command_answers_a_retry_with_the_first_answer() {
    let env = TestEnv::new();
    for tool in catalog::tools() {
        let ToolKind::Command { .. } = tool.kind else { continue };
        let acme = env.business(tool.name);
        let operator = Caller::operator(Some(acme.account));
        // Idempotency keys belong to a tenant, and these tools are called outside any tenant.
        if tool.name.starts_with("tenants.") {
            continue;
        }
        let access = if tool.is_public() { &acme.owner } else { &operator };
        let arguments = with_key(&acme.fill(tool.example), "once");
        let entries =
            || env.call_as_operator(Some(acme.account), "changes.list", json!({}))["rows"].clone();
        let first = env.call(access, tool.name, arguments.clone()).expect(tool.name);
        let before = entries();
        env.clock.advance(DAY - 1);
        let again = env.call(access, tool.name, arguments).expect(tool.name);
        assert_eq!(first, again, "{}", tool.name);
        assert_eq!(entries(), before, "{}: a replay leaves no history", tool.name);
    }
}

#[both]
fn an_idempotency_key_is_valid_for_one_call_and_credential_for_a_day() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let create = |access: &Caller, name: &str| {
        env.call(access, "tags.create", json!({ "name": name, "idempotency_key": "k" }))
    };
    let first = create(&acme.owner, "A").unwrap();
    assert_eq!(
        error_json(&create(&acme.owner, "B").unwrap_err())["kind"],
        "conflict",
        "other arguments"
    );
    let other_tool = json!({ "id": first["id"], "idempotency_key": "k" });
    let refused = env.call(&acme.owner, "tags.delete", other_tool).unwrap_err();
    assert_eq!(error_json(&refused)["kind"], "conflict", "another tool");
    create(&acme.office, "B").expect("the same key of another credential is independent");
    env.clock.advance(DAY - 1);
    assert_eq!(create(&acme.owner, "A").unwrap(), first, "until the day ends");
    env.clock.advance(1);
    let later = create(&acme.owner, "C").expect("a day later the key is new");
    assert_ne!(later["id"], first["id"]);
}

#[both]
fn the_order_of_the_fields_does_not_matter() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let one = r##"{"name":"A","color":"#112233","idempotency_key":"k"}"##;
    let two = r##"{"idempotency_key":"k","color":"#112233","name":"A"}"##;
    let first = env.call_text(&acme.owner, "tags.create", one).unwrap();
    assert_eq!(env.call_text(&acme.owner, "tags.create", two).unwrap(), first);
}

#[both]
fn a_rejected_call_is_not_remembered() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let arguments = json!({ "name": "hoa", "idempotency_key": "k" });
    env.call(&acme.owner, "tags.create", arguments.clone()).expect_err("the name is taken");
    env.call(&acme.owner, "tags.delete", json!({ "id": acme.id("tag") })).unwrap();
    env.call(&acme.owner, "tags.create", arguments).expect("the name is free now");
}

#[both]
fn idempotency_keys_are_limited_in_length() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let long = "k".repeat(255);
    let create = |key: Value, name: &str| {
        env.call(&acme.owner, "tags.create", json!({ "name": name, "idempotency_key": key }))
    };
    create(json!(long), "A").expect("255 characters");
    for (key, name) in [(json!("k".repeat(256)), "B"), (json!(7), "C"), (json!("a\nb"), "D")] {
        let refused = error_json(&create(key, name).unwrap_err());
        assert_eq!(refused["fields"][0]["field"], "idempotency_key");
    }
    create(Value::Null, "E").expect("null counts as not sent");
}

#[both]
fn a_replay_never_shows_more_than_the_caller_may_see() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteCustomers]));
    let arguments = json!({ "id": acme.id("customer"), "is_vip": true, "idempotency_key": "k" });
    let first = env.call(&writer, "customers.update", arguments.clone()).unwrap();
    assert_eq!(env.call(&writer, "customers.update", arguments).unwrap(), first);
    assert_eq!(first.as_object().unwrap().len(), 3, "{first}");
}

#[both]
fn old_answers_are_swept() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let arguments = json!({ "name": "A", "idempotency_key": "k" });
    env.call(&acme.owner, "tags.create", arguments).unwrap();
    env.clock.advance(DAY - 1);
    assert_eq!(env.sweep(), 0);
    env.clock.advance(1);
    assert_eq!(env.sweep(), 1);
}

#[both]
fn a_step_of_a_sweep_removes_few_answers_the_oldest_first() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let create = |key: usize| {
        let arguments = json!({ "name": format!("T{key}"), "idempotency_key": key.to_string() });
        env.call(&acme.owner, "tags.create", arguments).unwrap();
        env.clock.advance(1);
    };
    (0..STEP + 2).for_each(create);
    let sweep = maintenance::sweeps().next().expect("the sweep of answers");
    let step = |now| env.write(move |tx| sweep.step(tx, now)).unwrap();
    let day_after = |milliseconds_ago: usize| {
        let ago = i64::try_from(milliseconds_ago).unwrap();
        Timestamp(env.environment.clock.now().0 + (DAY - ago) * 1_000)
    };
    assert_eq!(step(day_after(STEP + 2)), Swept { rows: 1, is_done: true }, "the oldest");
    assert_eq!(step(day_after(0)), Swept { rows: STEP, is_done: false });
    assert_eq!(step(day_after(0)), Swept { rows: 1, is_done: true });
}
