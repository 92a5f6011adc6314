//! Two writers race for each uniqueness rule, as two processes on one database would.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::{Db, Migrate, Options};

use crate::call::error::Result;
use crate::call::run;
use crate::catalog;
use crate::identity::sign_in::sessions::{self, Origin};
use crate::identity::sign_in::user::{self, Initiator};
use crate::identity::sign_in::{password_login, passwords};
use crate::schema;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// Number of calls by each of the two processes.
const EACH: usize = 20;

/// The same database, opened again as by another process.
pub(super) fn open_again(env: &TestEnv) -> Db {
    let url = env.url().to_owned();
    Db::open(&url, &Options::default(), schema::MIGRATIONS, Migrate::Refuse)
        .expect("the database should open")
}

/// Makes the same kind of call many times from both processes at once, and returns every answer.
fn race(
    env: &TestEnv,
    access: &Caller,
    tool: &str,
    arguments: impl Fn(usize) -> Value,
) -> Vec<Result<Value>> {
    let tool = catalog::find(tool).expect("a tool");
    let other = open_again(env);
    let replies: Vec<_> = (0..EACH * 2)
        .map(|number| {
            let db = if number % 2 == 0 { &env.db } else { &other };
            let (access, environment) = (access.clone(), env.environment.clone());
            let arguments = arguments(number).to_string();
            let deadline = Instant::now() + Duration::from_secs(60);
            db.write(deadline, move |tx| {
                run::write(tx, &environment, &access, tool, &arguments, None)
            })
        })
        .collect();
    let answers = replies.into_iter().map(|reply| Ok(serde_json::from_str(&reply.wait()?)?));
    answers.collect()
}

fn successes(answers: &[Result<Value>]) -> usize {
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(error_json(error)["kind"], "conflict", "{error:?}");
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}

fn primaries(env: &TestEnv, business: &Business, list: &str) -> usize {
    let arguments = json!({ "customer_id": business.id("customer") });
    let listed = env.call(&business.owner, list, arguments).unwrap();
    listed["rows"].as_array().unwrap().iter().filter(|row| row["is_primary"] == true).count()
}

#[both]
fn exactly_one_contact_is_primary() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(&env, &acme.owner, "contacts.create", |number| {
        json!({ "customer_id": acme.id("customer"), "first_name": format!("N{number}"),
                "last_name": "X", "is_primary": true })
    });
    assert_eq!(successes(&answers), EACH * 2, "each call promotes its own contact");
    assert_eq!(primaries(&env, &acme, "contacts.list"), 1);
}

#[both]
fn exactly_one_location_of_a_type_is_primary() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(&env, &acme.owner, "locations.create", |number| {
        json!({ "customer_id": acme.id("customer"), "address_line1": format!("{number} Elm"),
                "city": "C", "state": "S", "postal_code": "P", "location_type": "billing",
                "is_primary": true })
    });
    assert_eq!(successes(&answers), 1);
    assert_eq!(primaries(&env, &acme, "locations.list"), 2, "service and billing");
}

#[both]
fn no_two_tags_share_a_name() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(
        &env,
        &acme.owner,
        "tags.create",
        |number| json!({ "name": if number % 3 == 0 { "seasonal" } else { "Seasonal" } }),
    );
    assert_eq!(successes(&answers), 1);
}

#[both]
fn no_two_customers_share_a_number() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(
        &env,
        &acme.owner,
        "customers.create",
        |number| json!({ "customer_type": "individual", "first_name": format!("N{number}") }),
    );
    assert_eq!(successes(&answers), EACH * 2);
    let numbers: BTreeSet<_> = answers
        .iter()
        .map(|answer| text(answer.as_ref().unwrap(), "customer_number").to_owned())
        .collect();
    assert_eq!(numbers.len(), EACH * 2);
    let ids: BTreeSet<_> =
        answers.iter().map(|answer| text(answer.as_ref().unwrap(), "id").to_owned()).collect();
    assert_eq!(ids.len(), EACH * 2);
}

#[both]
fn no_two_customers_share_an_external_id() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(&env, &acme.owner, "customers.create", |number| {
        json!({ "customer_type": "individual", "first_name": format!("N{number}"),
                "external_id": format!("QB-{}", number % 4) })
    });
    assert_eq!(successes(&answers), 4);
}

#[both]
fn an_idempotency_key_causes_one_write() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let answers = race(
        &env,
        &acme.owner,
        "customers.create",
        |_| json!({ "customer_type": "individual", "first_name": "Once", "idempotency_key": "k" }),
    );
    assert_eq!(successes(&answers), EACH * 2, "every retry should get the answer");
    let ids: BTreeSet<_> =
        answers.iter().map(|answer| text(answer.as_ref().unwrap(), "id").to_owned()).collect();
    assert_eq!(ids.len(), 1);
    let found = env.call(&acme.owner, "customers.search", json!({ "q": "once" })).unwrap();
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
}

#[both]
fn a_sign_in_with_the_old_password_does_not_survive_its_change() {
    const HASHES: [&str; 2] = ["hash of the old password", "hash of the new password"];
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let user = Business::user(&acme.owner);
    let other = open_again(&env);
    let environment = || env.environment.clone();
    for _ in 0..EACH {
        let (first, then) = (environment(), environment());
        let email = env
            .write(move |tx| {
                passwords::set(tx, &first, user, HASHES[0], Initiator::Operator)?;
                Ok(user::find(tx, &user.to_string())?.email)
            })
            .unwrap();
        let attempt =
            env.write(move |tx| password_login::begin(tx, &then, &email, None, None)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let (entering, changing) = (environment(), environment());
        let signed_in = env.db.write(deadline, move |tx| {
            let origin = Origin { address: None, browser: String::new() };
            // A renewed hash of the old password must not overwrite the new hash.
            let renewed = Some("renewed hash of the old password");
            password_login::finish(tx, &entering, &attempt, renewed, &origin, None)
        });
        let changed = other.write(deadline, move |tx| {
            passwords::set(tx, &changing, user, HASHES[1], Initiator::Operator)
        });
        let (signed_in, changed): (Result<_>, Result<_>) = (signed_in.wait(), changed.wait());
        changed.unwrap();
        let stored = env.read(move |tx| passwords::stored_hash(tx, user)).unwrap();
        assert_eq!(stored.as_deref(), Some(HASHES[1]));
        if let password_login::PasswordSignIn::In(secret) = signed_in.unwrap() {
            let now = env.environment.clock.now();
            let found = env.read(move |tx| sessions::find(tx, &secret, now)).unwrap();
            assert!(found.is_none(), "every session from before the change should have ended");
        }
        // Let the failed attempts expire.
        env.clock.advance(15 * 60 * 1_000);
    }
}

#[both]
fn when_two_owners_demote_each_other_one_remains() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let members = [&acme.owner, &acme.office].map(|it| Business::user(it).to_string());
    let account = Some(acme.account);
    let owners = || {
        let listed = env.call_as_operator(account, "users.list", json!({}));
        listed["rows"].as_array().unwrap().iter().filter(|row| row["role"] == "owner").count()
    };
    let operator = Caller::operator(account);
    for _ in 0..5 {
        for id in &members {
            env.call_as_operator(account, "users.set_role", json!({ "id": id, "role": "owner" }));
        }
        assert_eq!(owners(), 2);
        race(
            &env,
            &operator,
            "users.set_role",
            |number| json!({ "id": members[number % 2], "role": "office" }),
        );
        assert_eq!(owners(), 1, "a tenant always has an owner");
    }
}

#[both]
fn concurrent_rotations_replace_a_key_once() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let listed = env.call_as_operator(Some(acme.account), "keys.list", json!({}));
    let key = listed["rows"][0]["id"].clone();
    let unrevoked = || {
        let listed = env.call_as_operator(Some(acme.account), "keys.list", json!({}));
        listed["rows"].as_array().unwrap().iter().filter(|row| row["revoked_at"].is_null()).count()
    };
    let before = unrevoked();
    // The operator calls outside any tenant: the key determines the tenant whose lock the write waits for.
    let operator = Caller::operator(None);
    let answers = race(&env, &operator, "keys.rotate", |_| json!({ "id": key }));
    assert_eq!(successes(&answers), 1, "a revoked key is not rotated again");
    assert_eq!(unrevoked(), before);
}
