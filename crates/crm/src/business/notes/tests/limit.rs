//! The limit on note writes in a rolling minute.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::Uuid;

use super::{draft, kind, note, refusal};
use crate::business::notes::store;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::testing::{Business, Caller, TestEnv, error_json};

/// An environment with a limit of three writes a minute.
fn limited() -> (TestEnv, Business) {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 3;
    let business = env.business("Ada");
    (env, business)
}

fn create(env: &TestEnv, access: &Caller) -> Result<Value> {
    env.call(access, "notes.create", json!({ "body": "One more." }))
}

#[both]
fn the_rate_limit_window_is_exact_to_the_millisecond() {
    let (env, business) = limited();
    let author = &business.office;
    for _ in 0..3 {
        note(&env, author, "Written.");
        env.clock.advance(10_000);
    }
    let error = refusal(create(&env, author));
    assert_eq!((&error["kind"], &error["retry_after_s"]), (&json!("conflict"), &json!(30)));
    env.clock.advance(29_999);
    let error = refusal(create(&env, author));
    assert_eq!((&error["kind"], &error["retry_after_s"]), (&json!("conflict"), &json!(1)));
    env.clock.advance(1);
    assert!(create(&env, author).is_ok());
    // The second write leaves the window ten seconds after the first.
    assert_eq!(refusal(create(&env, author))["retry_after_s"], 10);
    // A retry after the promised time succeeds.
    env.clock.advance(10_000);
    assert!(create(&env, author).is_ok());
}

#[both]
fn retry_after_is_right_after_the_limit_was_lowered() {
    let (mut env, business) = limited();
    let author = &business.office;
    for _ in 0..3 {
        note(&env, author, "Written.");
        env.clock.advance(10_000);
    }
    env.environment.note_writes_per_minute = 1;
    let seconds = refusal(create(&env, author))["retry_after_s"].as_i64().unwrap();
    assert_eq!(seconds, 50);
    env.clock.advance(seconds * 1_000 - 1);
    assert_eq!(kind(create(&env, author)), "conflict");
    env.clock.advance(1);
    assert!(create(&env, author).is_ok());
}

#[both]
fn a_clock_that_is_set_back_locks_no_one_out() {
    let (env, business) = limited();
    let author = &business.office;
    for _ in 0..3 {
        note(&env, author, "Written.");
    }
    env.clock.advance(-3_600_000);
    for _ in 0..3 {
        note(&env, author, "Written an hour before.");
    }
    assert_eq!(refusal(create(&env, author))["retry_after_s"], 60);
}

#[both]
fn each_user_is_counted_separately_in_each_tenant() {
    let (env, business) = limited();
    for _ in 0..3 {
        note(&env, &business.office, "Written.");
    }
    assert_eq!(kind(create(&env, &business.office)), "conflict");
    assert!(create(&env, &business.tech).is_ok());

    let other = env.empty_business("Ben");
    let same_person = json!({
        "name": "Oscar Office", "email": "office@ada.example", "role": "office",
    });
    env.call_as_operator(Some(other.account), "users.create", same_person);
    let user = Business::user(&business.office).to_string();
    let key = env.key(other.account, Some(&user), Scope::GRANTABLE);
    assert!(create(&env, &env.access(&key)).is_ok());
}

#[both]
fn changes_to_drafts_refused_calls_replays_and_operator_calls_do_not_count() {
    let (mut env, business) = limited();
    env.environment.note_writes_per_minute = 4;
    let author = &business.office;
    let once = json!({ "body": "Once.", "idempotency_key": "k" });
    env.call(author, "notes.create", once.clone()).unwrap();
    let id = draft(&env, author, "Two");
    let other_draft = draft(&env, author, "Three");
    for pinned in [true, false, true, false, true] {
        let change = json!({ "id": id, "pinned": pinned });
        env.call(author, "notes.update", change).unwrap();
        env.call(author, "notes.create", once.clone()).unwrap();
        assert_eq!(kind(env.call(author, "notes.create", json!({}))), "invalid_input");
        let unknown_subject = json!({ "body": "x", "subject_type": "job", "subject_id": id });
        assert_eq!(kind(env.call(author, "notes.create", unknown_subject)), "not_found");
    }
    // Committing is the fourth write.
    env.call(author, "notes.update", json!({ "id": id, "draft": false })).unwrap();
    for (tool, arguments) in [
        ("notes.archive", json!({ "id": id })),
        ("notes.update", json!({ "id": id, "pinned": false })),
        ("notes.create", json!({ "draft": true })),
    ] {
        assert_eq!(kind(env.call(author, tool, arguments)), "conflict", "{tool}");
    }
    // At the limit, a replay and a change of a draft still pass.
    assert!(env.call(author, "notes.create", once).is_ok());
    let change = json!({ "id": other_draft, "body": "Three, changed." });
    env.call(author, "notes.update", change).expect("a draft should still be changed");
    env.clock.advance(60_000);
    for _ in 0..3 {
        env.call(author, "notes.update", json!({ "id": id, "pinned": true })).unwrap();
    }
    env.call(author, "notes.archive", json!({ "id": id })).unwrap();
    assert_eq!(kind(create(&env, author)), "conflict");
    let operator = Caller::operator(Some(business.account));
    env.call(&operator, "notes.restore", json!({ "id": id })).unwrap();
}

#[both]
fn counts_outside_the_window_are_removed_at_the_users_next_write() {
    let (env, business) = limited();
    for _ in 0..3 {
        note(&env, &business.office, "Written.");
        note(&env, &business.tech, "Written.");
    }
    env.clock.advance(60_000);
    note(&env, &business.office, "Written.");
    let stored_writes = |access: &Caller| {
        let (user, account) = (Business::user(access), business.account);
        let count = env.read(move |tx| {
            tx.bind(account.number);
            for number in 1.. {
                if store::nth_write(tx, user, Uuid::nil(), number)?.is_none() {
                    return Ok(number - 1);
                }
            }
            Ok(0)
        });
        count.unwrap()
    };
    assert_eq!((stored_writes(&business.office), stored_writes(&business.tech)), (1, 3));
}

#[both]
fn zero_means_no_limit() {
    let (mut env, business) = limited();
    env.environment.note_writes_per_minute = 0;
    for _ in 0..70 {
        note(&env, &business.office, "Written.");
    }
}

#[both]
fn drafts_are_counted_by_their_bytes() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let create = json!({ "body": "", "draft": true });
    let id = env.create(&acme.office, "notes.create", create.clone());
    let save = |caller: &Caller, id: &str, bytes: usize| {
        env.call(caller, "notes.update", json!({ "id": id, "body": "é".repeat(bytes / 2) }))
    };
    // 4 MiB are 41 saves of 100,000 bytes and one of 94,304.
    for number in 0..41 {
        save(&acme.office, &id, 100_000).unwrap_or_else(|error| panic!("{number}: {error:?}"));
        env.clock.advance(100);
    }
    env.clock.advance(900);
    save(&acme.office, &id, 94_304).expect("the limit itself should be allowed");
    let refused = error_json(&save(&acme.office, &id, 2).unwrap_err());
    assert_eq!(refused["kind"], "conflict", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("4 MiB of drafts"), "{refused}");
    // It is now second 5. The ten saves of second 0 leave the minute's window together, at second 61.
    assert_eq!(refused["retry_after_s"], 56, "{refused}");
    let large = error_json(&save(&acme.office, &id, 150_000).unwrap_err());
    assert_eq!(large["retry_after_s"], 56, "{large}");
    let theirs = env.create(&acme.owner, "notes.create", create);
    save(&acme.owner, &theirs, 100_000).expect("each user should have their own limit");
    env.call(&acme.office, "notes.update", json!({ "id": id, "draft": false }))
        .expect("committing the draft should be allowed");

    let id = env.create(&acme.office, "notes.create", json!({ "body": "", "draft": true }));
    env.clock.advance(55_999);
    save(&acme.office, &id, 2).expect_err("the first second should still count");
    env.clock.advance(1);
    save(&acme.office, &id, 100_000).expect("the first second should no longer count");
    env.clock.advance(-2 * 60 * 60 * 1_000);
    save(&acme.office, &id, 2).expect("saves from a clock that was ahead should not count");
}
