//! Commands in the tools' own types that run once, or only if nothing else was written in between.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use zoop_both::both;

use crate::arguments;
use crate::business::customers::FullCustomer;
use crate::business::customers::tools::create::CreateCustomer;
use crate::business::customers::tools::get::GetCustomer;
use crate::business::customers::tools::update::UpdateCustomer;
use crate::call::argument::Arguments;
use crate::call::error::Error;
use crate::call::run::{self, Runner};
use crate::identity::keys::tools::CreateKey;
use crate::testing::{Caller, TestEnv, error_json, text};
use crate::values::id::{Id, kinds};

/// Number of calls at once.
const CALLS: usize = 6;

fn runner(env: &TestEnv) -> Runner<'_> {
    let deadline = Instant::now() + Duration::from_secs(60);
    Runner { db: &env.db, environment: &env.environment, deadline }
}

fn company(name: &str) -> Arguments<CreateCustomer> {
    // Longer than what is remembered of an answer.
    let notes = "x".repeat(5_000);
    arguments!(CreateCustomer {
        customer_type: "company",
        company_name: name,
        notes_internal: notes
    })
}

fn is_known(env: &TestEnv, caller: &Caller, key: &'static str) -> bool {
    let (environment, caller) = (env.environment.clone(), caller.clone());
    env.read(move |tx| run::check_once(tx, &environment, &caller, key, company("Bay Bakery")))
        .expect("an answer")
}

#[both]
fn a_typed_command_with_a_key_runs_once() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = &acme.owner;
    let entries =
        || env.call_as_operator(Some(acme.account), "changes.list", json!({}))["rows"].clone();
    assert!(!is_known(&env, owner, "k"));
    let add =
        |name: &str| runner(&env).command_once(owner.clone(), "k".to_owned(), company(name)).wait();
    let ids: BTreeSet<_> = thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(|| add("Bay Bakery"))).collect();
        let answers =
            calls.into_iter().map(|call| call.join().expect("no panic").expect("a record"));
        answers.map(|answer| answer.output.customer.id.uuid()).collect()
    });
    assert_eq!(ids.len(), 1, "every call got the same record");
    let found = env.call(owner, "customers.search", json!({ "q": "Bay Bakery" })).expect("rows");
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(1));
    assert!(is_known(&env, owner, "k"));
    assert!(!is_known(&env, &acme.office, "k"), "a key belongs to its credential");
    let before = entries();
    // The record as it is now.
    env.call(owner, "customers.update", json!({ "id": found["rows"][0]["id"], "source": "fair" }))
        .expect("a change");
    assert_eq!(
        add("Bay Bakery").expect("a record").output.customer.source.as_deref(),
        Some("fair")
    );
    assert_eq!(entries()[1], before[0], "a retry leaves no history");
    let other = add("Harbor Hotel").expect_err("another call with the same key");
    assert_eq!(error_json(&other)["kind"], "conflict");
}

#[both]
fn a_secret_is_answered_once_and_not_remembered() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    let create = || {
        let arguments = arguments!(CreateKey { scopes: "read:customers" });
        runner(&env).command_first(operator.clone(), "k".to_owned(), arguments).wait()
    };
    let keys = || {
        let listed = env.call_as_operator(Some(acme.account), "keys.list", json!({}));
        listed["rows"].as_array().expect("rows").len()
    };
    let before = keys();
    let made = create().expect("an answer").expect("a key");
    assert!(made.key.starts_with("zoop_tk_"));
    assert!(create().expect("an answer").is_none());
    let remembered = json!({ "scopes": "read:customers", "idempotency_key": "k" });
    assert_eq!(env.call(&operator, "keys.create", remembered).expect("an answer"), json!(null));
    assert_eq!(keys(), before + 1);
}

#[both]
fn a_typed_command_runs_only_if_nothing_was_written_in_between() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let customer = json!({ "customer_type": "company", "company_name": "Bay Bakery" });
    let made = env.call(&acme.owner, "customers.create", customer).expect("a customer");
    let id = Id::<kinds::Customer>::parse(text(&made, "id")).expect("an id");
    let set = |caller: &Caller, old: Option<&str>, source: &str| {
        let old = old.map(str::to_owned);
        runner(&env)
            .command_if(
                caller.clone(),
                arguments!(UpdateCustomer { id: id, source: source }),
                arguments!(GetCustomer { id: id }),
                move |now: &FullCustomer| now.customer.source == old,
            )
            .wait()
    };
    let done: Vec<_> = thread::scope(|scope| {
        let (set, owner) = (&set, &acme.owner);
        let calls: Vec<_> = (0..CALLS)
            .map(|call| scope.spawn(move || set(owner, None, &format!("fair {call}"))))
            .collect();
        let answers =
            calls.into_iter().map(|call| call.join().expect("no panic").expect("an answer"));
        answers.flatten().collect()
    });
    let [only] = &done[..] else { panic!("{done:?}") };
    let stored = env.call(&acme.owner, "customers.get", json!({ "id": id })).expect("a customer");
    assert_eq!(
        stored["source"].as_str(),
        only.output.source.as_deref(),
        "the others wrote nothing"
    );
    let second = set(&acme.owner, only.output.source.as_deref(), "radio").expect("an answer");
    assert_eq!(second.expect("it is as expected").output.source.as_deref(), Some("radio"));
    let refused = set(&acme.tech, Some("radio"), "tv").expect_err("a tech may not");
    assert!(matches!(refused, Error::InsufficientScope { .. }), "{refused:?}");
}
