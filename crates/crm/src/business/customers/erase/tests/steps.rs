//! Erasures in several steps, that are interrupted, and whose files cannot be written again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::{Tenant, Timestamp};
use zoop_postgres_cluster::Database;

use crate::business::customers::erase::{self, EraseCustomer, Erasure, rewriting, store};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::perform::{self, CommandCall};
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
    steps_after(env, acme, id, steps, || {}).expect("steps");
}

/// [`interrupted`], with something else between the reading and the steps.
fn steps_after(
    env: &TestEnv,
    acme: &Business,
    id: Id<kinds::Customer>,
    steps: usize,
    between: impl FnOnce(),
) -> Result<()> {
    let operator = Caller::operator(Some(acme.account));
    let (proof, environment) = (operator.clone(), env.environment.clone());
    let ready = env.read(move |tx| {
        let access = enter_read(tx, &environment, &proof)?;
        let arguments = crate::arguments!(EraseCustomer { id: id });
        let call = CommandCall { arguments: arguments.into_object(), key: Ok(None) };
        perform::prepare::<EraseCustomer>(&mut ReadCtx::new(tx, &access, &environment), call)
    });
    let ready = Arc::new(ready.expect("it is prepared"));
    between();
    for _ in 0..steps {
        let (ready, proof, environment) =
            (ready.clone(), operator.clone(), env.environment.clone());
        let step = env.write(move |tx| {
            let access = enter_write(tx, &environment, &proof)?;
            ready.run_typed(&mut WriteCtx::begin(tx, &access, &environment)?)
        })?;
        assert!(matches!(step, Step::Partial), "it is not done in {steps} steps");
    }
    Ok(())
}

#[both]
fn a_merge_between_the_reading_and_the_erasure_is_refused() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = many(&env, &acme);
    let fields = json!({ "customer_type": "company", "company_name": "Other" });
    let other = env.create(&acme.owner, "customers.create", fields);
    let merge = || {
        let pair = json!({ "keep_id": id, "merge_id": other });
        env.call(&acme.owner, "customers.merge", pair).expect("merged");
    };
    let refused = steps_after(&env, &acme, id, 1, merge).expect_err("something else is there now");
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
    }
    let left = notes_left(&env, &acme, id);
    assert!(left > 0 && left < 60, "some notes are erased: {left}");
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

/// Keeps the files from being written again, as long as what it returns is there.
fn prevent(env: &TestEnv) -> Prevented<'_> {
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            file.execute_batch("BEGIN IMMEDIATE").expect("the lock");
            Prevented::Locked(file)
        }
        Some(server) => {
            let role = server.run("SELECT current_user").expect("the role").trim().to_owned();
            server.run_as_superuser("ALTER TABLE notes OWNER TO CURRENT_USER").expect("an owner");
            Prevented::Owned(server, role)
        }
    }
}

enum Prevented<'e> {
    /// By a write of another process.
    Locked(rusqlite::Connection),
    /// By another owner of a table: the database, and the role that owned it.
    Owned(&'e Database, String),
}

impl Prevented<'_> {
    /// Checks the error.
    fn check(&self, error: &zoop_db::Error) {
        match self {
            Self::Locked(_) => assert!(matches!(error, zoop_db::Error::Locked), "{error}"),
            Self::Owned(..) => assert!(error.to_string().contains("does not own notes"), "{error}"),
        }
    }

    fn end(self) {
        match self {
            Self::Locked(file) => drop(file),
            Self::Owned(server, role) => {
                let back = format!("ALTER TABLE notes OWNER TO {role}");
                server.run_as_superuser(&back).expect("the owner");
            }
        }
    }
}

#[both]
fn an_erasure_whose_files_cannot_be_written_again_waits_until_they_are() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let id = Id::parse(acme.id("customer")).expect("an id");
    run(&env, &acme, id, &json!({}));
    let due = stored(&env, &acme, id).and_then(|it| it.due_at).expect("it waits").0;
    let waiting = || env.read(rewriting::waiting).expect("those that wait");
    assert_eq!((waiting().due_at, waiting().tenants), (Some(due), vec![acme.account.number]));
    let claim = |tenant: Tenant, now: Timestamp| {
        env.write(move |tx| rewriting::claim_due(tx, tenant, now)).expect("a claim")
    };
    let tenant = acme.account.number;
    let prevented = prevent(&env);
    prevented.check(&maintenance::rewrite(env.url(), Duration::ZERO).expect_err("it is prevented"));
    if let Prevented::Owned(..) = prevented {
        prevented.check(&maintenance::check_rewrite(env.url()).expect_err("it is known before"));
    }
    prevented.end();
    maintenance::check_rewrite(env.url()).expect("nothing is in the way");
    // It is claimed once, and due again in a day.
    assert!(!claim(tenant, Timestamp(due.0 - 5 * 3_600_000_000)), "it is too early");
    assert!(claim(tenant, due) && !claim(tenant, due));
    assert_eq!(waiting().due_at, Some(rewriting::postponed(due)));
    let now = rewriting::postponed(due);
    assert!(claim(tenant, now));
    maintenance::rewrite(env.url(), maintenance::REWRITE_PATIENCE).expect("it is written again");
    let done = move |tx: &mut zoop_db::WriteTx<'_>| {
        // The first claim is not the one after which they were.
        rewriting::rewritten(tx, tenant, rewriting::postponed(due), due)?;
        rewriting::rewritten(tx, tenant, rewriting::postponed(now), now)
    };
    env.write(done).expect("it is stored");
    assert_eq!(waiting().due_at, None);
    assert_eq!(stored(&env, &acme, id).and_then(|it| it.rewritten_at).map(|at| at.0), Some(now));
}
