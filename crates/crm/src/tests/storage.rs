//! The bytes that each tenant stores: every write counts them, measuring corrects the count, and a limit applies.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::{Dialect, Timestamp};

use super::races::open_again;
use crate::call::access::Account;
use crate::call::error::Error;
use crate::call::storage::{self, Class, Stored};
use crate::maintenance;
use crate::testing::{self, Business, TestEnv, error_json};
use crate::values::size::Size;

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// The counted and the measured bytes of a tenant.
fn storage_of(env: &TestEnv, account: Account) -> (Stored, Stored) {
    env.read(move |tx| {
        tx.bind(account.number);
        let (measured, drift) = maintenance::measure(tx)?;
        Ok((storage::counted(tx)?, (measured, drift)))
    })
    .map(|(counted, (measured, drift))| {
        assert_eq!(measured.since(&counted), drift);
        (counted, measured)
    })
    .expect("the stored bytes")
}

/// Makes writes that store bytes of every class.
fn write_every_class(env: &TestEnv, acme: &Business) {
    let call = |tool: &str, arguments: Value| env.call(&acme.owner, tool, arguments).expect(tool);
    for number in 0..20 {
        let text = format!("{number} {}", "A long text. ".repeat(100));
        let customer = call(
            "customers.create",
            json!({
                "customer_type": "company", "company_name": format!("Company {number}"),
                "notes_internal": text, "idempotency_key": format!("customer {number}"),
            }),
        );
        call("customers.update", json!({ "id": customer["id"], "notes_internal": "short" }));
        let key = format!("note {number}");
        let note = call("notes.create", json!({ "body": text, "idempotency_key": key }));
        call("notes.update", json!({ "id": note["id"], "body": "short", "pinned": true }));
        let draft = call("notes.create", json!({ "body": text, "draft": true }));
        call("notes.update", json!({ "id": draft["id"], "body": format!("{text}{text}") }));
        match number % 3 {
            0 => drop(call("notes.update", json!({ "id": draft["id"], "draft": false }))),
            1 => drop(call("notes.archive", json!({ "id": draft["id"] }))),
            _ => {}
        }
        env.clock.advance(60_000);
    }
}

#[both]
fn what_writes_count_is_what_is_there() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    write_every_class(&env, &acme);
    let (counted, measured) = storage_of(&env, acme.account);
    for class in Class::ALL {
        let (counted, measured) = (counted.of(class), measured.of(class));
        assert!(measured > 2_000, "{class:?}: {measured}");
        assert!((counted - measured).abs() <= measured / 4, "{class:?}: {counted} of {measured}");
    }
    env.clock.advance(DAY);
    assert!(env.sweep() > 0);
    let (counted, measured) = storage_of(&env, acme.account);
    for class in [Class::Answers, Class::Drafts] {
        assert_eq!(measured.of(class), 0, "{class:?}");
        assert_eq!(counted.of(class), 0, "{class:?}: a sweep subtracts what it removes");
    }
}

#[both]
fn above_the_limit_what_adds_is_refused_and_all_else_works() {
    let mut env = TestEnv::new();
    let (acme, other) = (env.business("Acme"), env.empty_business("Other"));
    let (stored, _) = storage_of(&env, acme.account);
    let note = json!({ "body": "a".repeat(10_000) });
    env.environment.storage_limit = Size(u64::try_from(stored.total()).unwrap() + 15_000);
    let refused = error_json(&env.call(&acme.owner, "notes.create", note.clone()).unwrap_err());
    assert_eq!(refused["kind"], "conflict", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("storage is full ("), "{refused}");
    assert_eq!(storage_of(&env, acme.account).0, stored, "a refused note stores nothing");

    let small = json!({ "body": "small" });
    env.call(&acme.owner, "notes.create", small.clone()).expect("there is room for less");
    env.call(&other.owner, "notes.create", note.clone())
        .expect("another tenant is below its limit");
    env.environment.storage_limit = Size(1);
    env.call(&acme.owner, "notes.create", small.clone()).unwrap_err();
    let update = json!({ "id": acme.id("customer"), "source": "referral" });
    env.call(&acme.owner, "customers.update", update).unwrap_err();
    env.call(&acme.owner, "notes.list", json!({})).expect("reads still work");
    env.call(&acme.owner, "notes.archive", json!({ "id": acme.id("note") })).expect("archiving");
    env.call(&acme.owner, "tags.delete", json!({ "id": acme.id("tag") })).expect("deleting");
    let key =
        env.call_as_operator(Some(acme.account), "keys.list", json!({}))["rows"][0]["id"].clone();
    env.call_as_operator(Some(acme.account), "keys.revoke", json!({ "id": key }));
    env.environment.storage_limit = Size(0);
    env.call(&acme.office, "notes.create", note).expect("0 means no limit");
}

/// Forgets what is counted of every tenant.
fn forget_counts(env: &TestEnv) {
    let forget = "DELETE FROM tenant_storage";
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            assert_eq!(file.execute(forget, []).expect("a tenant"), 1);
        }
        Some(server) => drop(server.run_as_superuser(forget).expect("a tenant")),
    }
}

/// On PostgreSQL a measurement takes no tenant's lock, so it can begin to count between two statements of a write.
#[test]
fn a_write_beside_the_first_measurement_is_not_refused_as_full() {
    testing::on(Dialect::Postgres, write_beside_measurement);
}

fn write_beside_measurement() {
    let mut env = TestEnv::new();
    env.environment.storage_limit = Size(1 << 30);
    let acme = env.business("Acme");
    forget_counts(&env);
    let (number, now) = (acme.account.number, env.environment.clock.now());
    let (begun, wait_until_begun) = mpsc::channel();
    let (release, wait_for_release) = mpsc::channel();
    let deadline = Instant::now() + Duration::from_secs(60);
    let other = open_again(&env);
    let measurement = other.write(deadline, move |tx| {
        storage::correct(tx, number, &Stored::default(), now, now)?;
        begun.send(()).expect("the test waits");
        wait_for_release.recv().expect("the test releases");
        Ok::<_, Error>(())
    });
    wait_until_begun.recv().expect("a measurement");
    thread::scope(|scope| {
        let note = json!({ "body": "Beside" });
        let write = scope.spawn(|| env.call(&acme.owner, "notes.create", note));
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let server = env.server().expect("a server");
        while server.run_as_superuser(waiting).expect("a count").trim() == "0" {
            assert!(Instant::now() < deadline, "the write should wait for the measurement");
        }
        release.send(()).expect("the measurement waits");
        write.join().expect("a call").expect("a note");
    });
    measurement.wait().expect("the measurement");
}

#[both]
fn a_measured_tenant_is_corrected_once() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (_, measured) = storage_of(&env, acme.account);
    forget_counts(&env);
    let now = env.environment.clock.now();
    let since = Timestamp(now.0 - 1);
    let due = || env.read(move |tx| storage::unmeasured(tx, since, 10)).expect("tenants");
    assert_eq!(due(), [acme.account.number], "a tenant that was never counted should be due");
    let (counted, _) = storage_of(&env, acme.account);
    let drift = measured.since(&counted);
    // Two processes measured the same drift. After a write, both correct: only the first may take effect.
    env.call(&acme.owner, "notes.create", json!({ "body": "Between" })).unwrap();
    for _ in 0..2 {
        let number = acme.account.number;
        env.write(move |tx| storage::correct(tx, number, &drift, now, since))
            .expect("a correction");
    }
    assert!(due().is_empty());
    let (counted, measured) = storage_of(&env, acme.account);
    let difference = measured.since(&counted).total().abs();
    assert!(difference < 200, "{counted:?} of {measured:?}");
}

#[both]
fn the_list_of_tenants_says_what_each_stores() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let listed = env.call_as_operator(None, "tenants.list", json!({}))["rows"].clone();
    let (stored, _) = storage_of(&env, acme.account);
    assert_eq!(listed[0]["storage_bytes"], stored.total());
}
