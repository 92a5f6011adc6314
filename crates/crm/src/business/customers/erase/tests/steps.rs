//! Erasures in several steps, that are interrupted, and two at once.

use std::sync::Arc;

use serde_json::{Value, json};
use zoop_both::both;

use crate::business::customers::erase::{self, EraseCustomer, Erasure, store};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::perform::{self, CommandCall, Ready};
use crate::call::proof::{enter_read, enter_write};
use crate::call::tool::Step;
use crate::maintenance;
use crate::testing::{Business, Caller, TestEnv};
use crate::values::id::{Id, kinds};

/// A customer with many notes, entries and remembered answers.
fn many(env: &TestEnv, acme: &Business) -> Id<kinds::Customer> {
    let id = acme.id("customer").to_owned();
    for number in 0..60 {
        let body = format!("Note {number}");
        let note = json!({ "subject_type": "customer", "subject_id": id, "body": body,
                           "idempotency_key": format!("note {number}") });
        env.create(&acme.owner, "notes.create", note);
        env.clock.advance(2_000);
        let source = json!({ "id": id, "source": format!("Source {number}") });
        env.call(&acme.owner, "customers.update", source).expect("a change");
    }
    Id::parse(&id).expect("an id")
}

fn run(env: &TestEnv, acme: &Business, id: Id<kinds::Customer>, more: &Value) -> Value {
    let mut arguments = json!({ "id": id });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    env.call_as_operator(Some(acme.account), "customers.erase", arguments)
}

/// Runs some steps of an erasure, as one that is interrupted then.
fn interrupted(env: &TestEnv, acme: &Business, id: Id<kinds::Customer>, steps: usize) {
    let begun = Begun::new(env, acme, id);
    for _ in 0..steps {
        begun.step().expect("a step");
    }
}

/// An erasure that has been read and goes on step by step.
struct Begun<'e> {
    env: &'e TestEnv,
    operator: Caller,
    ready: Arc<Ready<EraseCustomer>>,
}

impl<'e> Begun<'e> {
    fn new(env: &'e TestEnv, acme: &Business, id: Id<kinds::Customer>) -> Self {
        let operator = Caller::operator(Some(acme.account));
        let (proof, environment) = (operator.clone(), env.environment.clone());
        let ready = env.read(move |tx| {
            let access = enter_read(tx, &environment, &proof)?;
            let arguments = crate::arguments!(EraseCustomer { id: id });
            let call = CommandCall { arguments: arguments.into_object(), key: Ok(None) };
            perform::prepare::<EraseCustomer>(&mut ReadCtx::new(tx, &access, &environment), call)
        });
        Self { env, operator, ready: Arc::new(ready.expect("it is prepared")) }
    }

    /// Runs the next step, which is not the last one.
    fn step(&self) -> Result<()> {
        let (ready, proof) = (self.ready.clone(), self.operator.clone());
        let environment = self.env.environment.clone();
        let step = self.env.write(move |tx| {
            let access = enter_write(tx, &environment, &proof)?;
            ready.run_typed(&mut WriteCtx::begin(tx, &access, &environment)?)
        })?;
        assert!(matches!(step, Step::Partial), "it is done");
        Ok(())
    }
}

#[both]
fn a_merge_between_the_reading_and_the_erasure_is_refused() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let fields = json!({ "customer_type": "company", "company_name": "Other" });
    let other = env.create(&acme.owner, "customers.create", fields);
    let begun = Begun::new(&env, &acme, id);
    let pair = json!({ "keep_id": id, "merge_id": other });
    env.call(&acme.owner, "customers.merge", pair).expect("merged");
    let refused = begun.step().expect_err("something else is there now");
    assert!(format!("{refused:?}").contains("was merged into this one meanwhile"), "{refused:?}");
    assert!(notes_left(&env, &acme, id) >= 60, "nothing is erased");
    run(&env, &acme, id, &json!({}));
    assert_eq!(notes_left(&env, &acme, id), 0);
}

fn stored(env: &TestEnv, acme: &Business, id: Id<kinds::Customer>) -> Option<Erasure> {
    let tenant = acme.account.number;
    env.read(move |tx| {
        tx.bind(tenant);
        erase::get(tx, id)
    })
    .expect("what is stored")
}

/// How many notes about the customer the table has, with drafts and archived ones.
fn notes_left(env: &TestEnv, acme: &Business, id: Id<kinds::Customer>) -> usize {
    let tenant = acme.account.number;
    let left = env.read(move |tx| {
        tx.bind(tenant);
        store::note_ids(tx, id.uuid())
    });
    left.expect("the notes").len()
}

#[both]
fn many_notes_and_entries_are_erased_in_several_steps_and_none_is_left() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let all = || env.call(&acme.owner, "notes.list", json!({ "limit": 100 })).expect("notes");
    let others = |list: &Value| {
        let rows = list["rows"].as_array().expect("rows").iter();
        rows.filter(|row| row["subject_type"].is_null()).cloned().collect::<Vec<_>>()
    };
    let id = many(&env, &acme);
    let (before, dry) = (all(), run(&env, &acme, id, &json!({ "dry_run": true })));
    let there = i64::try_from(notes_left(&env, &acme, id)).expect("few");
    assert!(there >= 60 && dry["notes"].as_i64() >= Some(there), "{dry}");
    let erased = run(&env, &acme, id, &json!({}));
    for name in
        ["customers", "contacts", "locations", "subjects", "tags", "notes", "files", "entries"]
    {
        assert_eq!(erased[name], dry[name], "{name}");
    }
    assert_eq!(notes_left(&env, &acme, id), 0);
    assert_eq!(all()["rows"], json!(others(&before)));
    let history = json!({ "record_id": id, "limit": 100 });
    let history = env.call(&acme.owner, "changes.list", history).expect("the history").to_string();
    assert!(!history.contains("Source "), "{history}");
    // The answers to what was written about it are forgotten, and their keys stay taken.
    let retry = json!({ "body": "Note 3", "idempotency_key": "note 3" });
    env.call(&acme.owner, "notes.create", retry).expect_err("the key is taken");
    let tenant = acme.account.number;
    let (_, drift) = env
        .read(move |tx| {
            tx.bind(tenant);
            maintenance::measure(tx)
        })
        .expect("a measurement");
    assert!(drift.total().abs() < 2_000, "{drift:?}");
}

#[both]
fn an_interrupted_erasure_goes_on_and_counts_what_was_erased_in_all_runs() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let dry = run(&env, &acme, id, &json!({ "dry_run": true }));
    for steps in [1, 4] {
        interrupted(&env, &acme, id, steps);
        let stored = stored(&env, &acme, id).expect("it has begun");
        assert!(stored.erased_at.is_none() && stored.counts.entries > 0, "{stored:?}");
        // What is erased already is counted once.
        assert_eq!(run(&env, &acme, id, &json!({ "dry_run": true })), dry);
    }
    let left = notes_left(&env, &acme, id);
    assert!(left > 0 && left < 60, "some notes are erased: {left}");
    // Remembered answers go in step with the entries, also those about notes that are left.
    let retry = json!({ "subject_type": "customer", "subject_id": id, "body": "Note 59",
                        "idempotency_key": "note 59" });
    env.call(&acme.owner, "notes.create", retry).expect_err("its key is taken");
    let name = env.call(&acme.owner, "customers.get", json!({ "id": id }));
    name.expect("the customer is there until the end");
    // What is added meanwhile is erased too.
    let more = json!({ "subject_type": "customer", "subject_id": id, "body": "Meanwhile" });
    env.create(&acme.owner, "notes.create", more);
    env.clock.advance(60_000);
    let erased = run(&env, &acme, id, &json!({}));
    let with_more = |name: &str, more: i64| dry[name].as_i64().map(|count| json!(count + more));
    for name in ["customers", "contacts", "locations", "subjects", "tags", "files"] {
        assert_eq!(Some(erased[name].clone()), with_more(name, 0), "{name}");
    }
    for name in ["notes", "entries"] {
        assert_eq!(Some(erased[name].clone()), with_more(name, 1), "{name}");
    }
    assert_eq!(notes_left(&env, &acme, id), 0);
    let stored = stored(&env, &acme, id).expect("it is done");
    assert_eq!(json!(stored.counts.entries), erased["entries"]);
    assert!(stored.erased_at.is_some());
}

#[both]
fn of_two_erasures_at_once_the_later_one_goes_on() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let dry = run(&env, &acme, id, &json!({ "dry_run": true }));
    let first = Begun::new(&env, &acme, id);
    first.step().expect("a step");
    env.clock.advance(1_000);
    let second = Begun::new(&env, &acme, id);
    second.step().expect("a step");
    for _ in 0..2 {
        let refused = format!("{:?}", first.step().expect_err("the later one goes on"));
        assert!(refused.contains("wait a minute, then look at the customer again"), "{refused}");
    }
    let before = stored(&env, &acme, id).expect("it has begun").counts;
    second.step().expect("the next step");
    let after = stored(&env, &acme, id).expect("it has begun").counts;
    assert!(after.entries > before.entries, "{after:?}");
    // A clock that was wrong stops no erasure for longer than a few minutes.
    env.clock.advance(-600_000);
    let erased = run(&env, &acme, id, &json!({}));
    assert_eq!(erased["entries"], dry["entries"]);
}

#[both]
fn what_is_added_between_the_steps_is_erased_too() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let begun = Begun::new(&env, &acme, id);
    let contact = json!({ "customer_id": id, "first_name": "Quibnark", "last_name": "Doe" });
    let contact = env.create(&acme.owner, "contacts.create", contact);
    let note = json!({ "subject_type": "customer_contact", "subject_id": contact, "body": "Quibnark called.",
                       "idempotency_key": "late" });
    let note = env.create(&acme.owner, "notes.create", note);
    let mut steps = 0;
    while env.call(&acme.owner, "notes.get", json!({ "id": note })).is_ok() {
        begun.step().expect("a step");
        steps += 1;
    }
    assert!(steps > 3, "{steps}");
    run(&env, &acme, id, &json!({}));
    let history = json!({ "record_id": note });
    let history = env.call(&acme.owner, "changes.list", history).expect("the history").to_string();
    assert!(!history.contains("Quibnark"), "{history}");
}

#[both]
fn an_interrupted_erasure_of_a_customer_that_is_merged_ends_with_the_kept_one() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let fields = json!({ "customer_type": "company", "company_name": "Kept" });
    let kept = env.create(&acme.owner, "customers.create", fields);
    interrupted(&env, &acme, id, 5);
    let tenant = acme.account.number;
    env.write(move |tx| erase::contents_deleted(tx, tenant, id, 2)).expect("it is stored");
    let part = stored(&env, &acme, id).expect("it has begun");
    assert!(part.counts.notes > 0, "{part:?}");
    env.clock.advance(1_000);
    let pair = json!({ "keep_id": kept, "merge_id": id });
    env.call(&acme.owner, "customers.merge", pair).expect("merged");
    let kept = Id::parse(&kept).expect("an id");
    let left = i64::try_from(notes_left(&env, &acme, kept)).expect("few");
    let dry = run(&env, &acme, kept, &json!({ "dry_run": true }));
    assert_eq!(dry["notes"], json!(part.counts.notes + left));
    let erased = run(&env, &acme, kept, &json!({}));
    for name in ["customers", "notes", "entries"] {
        assert_eq!(erased[name], dry[name], "{name}");
    }
    assert!(stored(&env, &acme, id).is_none(), "it is part of the other erasure");
    assert_eq!(stored(&env, &acme, kept).map(|it| it.contents), Some(2));
    let listed = env.read(move |tx| {
        tx.bind(tenant);
        erase::latest(tx, 10)
    });
    let listed = listed.expect("the erasures");
    assert!(listed.iter().all(|it| it.erased_at.is_some()) && listed.len() == 1, "{listed:?}");
}
