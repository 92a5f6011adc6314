//! The lookup of a key tells nothing by the work it does, which is counted, not timed.

use serde_json::json;
use zoop_both::both;

use super::store;
use crate::call::scope::Scope;
use crate::testing::{Business, TestEnv, text};
use crate::values::clock::Entropy;
use crate::values::secret::{Secret, SecretKind};

/// The engine's steps to look up what was presented.
fn steps(env: &TestEnv, token: &str) -> i32 {
    let hash = Secret::parse(token).expect("a whole key").hash();
    env.read(move |tx| store::steps(tx, &hash)).expect("the database answers")
}

/// A key that is unknown and yet begins as `key` does, for as long as that can be.
fn lookalike(key: &str) -> String {
    let body = &key[..key.len() - crate::values::secret::CHECK_CHARACTERS];
    let last = if body.ends_with('x') { 'y' } else { 'x' };
    let body = format!("{}{last}", &body[..body.len() - 1]);
    let check = crate::values::secret::check(&body);
    body + &check
}

/// A business with many keys beside its own, so that the lookup has a tree to walk.
fn business(env: &TestEnv) -> Business {
    let acme = env.empty_business("Acme");
    for _ in 0..200 {
        env.key(acme.account, None, Scope::GRANTABLE);
    }
    acme
}

#[both]
fn an_unknown_key_costs_the_same_work_whatever_it_begins_with() {
    let env = TestEnv::new();
    let acme = business(&env);
    let entropy = Entropy::seeded(7);
    let made = |kind| Secret::generate(kind, &entropy).expose().to_owned();
    let mut unknown: Vec<_> = (0..50)
        .flat_map(|_| [made(SecretKind::UserKey), made(SecretKind::TenantKey)])
        .chain([lookalike(&acme.owner_key), lookalike(&acme.tenant_key)])
        .collect();
    // The other kind's prefix before what is a good key otherwise.
    unknown.push(lookalike(&acme.owner_key.replace("_uk_", "_tk_")));
    let first = steps(&env, &unknown[0]);
    for token in &unknown {
        assert_eq!(env.authenticate(token).expect_err("unknown"), "invalid_token");
        assert_eq!(steps(&env, token), first, "{token}");
    }
    assert!(first < steps(&env, &acme.owner_key), "what is there is also read");
}

#[both]
fn a_key_that_is_there_costs_the_same_work_whether_it_is_good_or_not() {
    let env = TestEnv::new();
    let acme = business(&env);
    let account = Some(acme.account);
    let make = |arguments| {
        let made = env.operate(account, "keys.create", arguments);
        (text(&made, "key_id").to_owned(), text(&made, "key").to_owned())
    };
    let (id, revoked) = make(json!({ "scopes": "read:customers" }));
    env.operate(account, "keys.revoke", json!({ "id": id }));
    let (_, expired) = make(json!({ "scopes": "read:customers", "expires_in": 60 }));
    env.clock.advance(60_000);
    assert_eq!(env.authenticate(&revoked).expect_err("it"), "key_revoked");
    assert_eq!(env.authenticate(&expired).expect_err("it"), "expired");
    let good = steps(&env, &acme.tenant_key);
    assert_eq!(steps(&env, &expired), good);
    // `IS NOT NULL` takes one step less if it is true. The answer says that the key is revoked anyway, and only a
    // caller with the whole key gets it.
    assert!((good - 1..=good).contains(&steps(&env, &revoked)));
}
