//! Tests that the work of a key lookup reveals nothing about the stored keys. They count the engine's steps, since
//! times vary.

use serde_json::json;
use zoop_both::both;

use super::store;
use crate::call::scope::Scope;
use crate::testing::{Business, TestEnv, text};
use crate::values::clock::Entropy;
use crate::values::secret::{Secret, SecretKind};

/// The number of steps that the engine takes to look up a token.
fn steps(env: &TestEnv, token: &str) -> i32 {
    let hash = Secret::parse(token).expect("a well-formed key").hash();
    env.read(move |tx| store::steps(tx, &hash)).expect("the database answers")
}

/// An unknown key that shares the longest possible prefix with `key`.
fn lookalike(key: &str) -> String {
    let body = &key[..key.len() - crate::values::secret::CHECK_CHARACTERS];
    let last = if body.ends_with('x') { 'y' } else { 'x' };
    let body = format!("{}{last}", &body[..body.len() - 1]);
    let check = crate::values::secret::check(&body);
    body + &check
}

/// A tenant with many keys, so that the index of keys has more than one level.
fn business(env: &TestEnv) -> Business {
    let acme = env.empty_business("Acme");
    for _ in 0..200 {
        env.key(acme.account, None, Scope::GRANTABLE);
    }
    acme
}

#[both]
fn an_unknown_key_costs_the_same_work_whatever_its_prefix() {
    let env = TestEnv::new();
    let acme = business(&env);
    let entropy = Entropy::seeded(7);
    let generate = |kind| Secret::generate(kind, &entropy).expose().to_owned();
    let mut unknown: Vec<_> = (0..50)
        .flat_map(|_| [generate(SecretKind::UserKey), generate(SecretKind::TenantKey)])
        .chain([lookalike(&acme.owner_key), lookalike(&acme.tenant_key)])
        .collect();
    // A key of one kind with the prefix of the other kind.
    unknown.push(lookalike(&acme.owner_key.replace("_uk_", "_tk_")));
    let first = steps(&env, &unknown[0]);
    for token in &unknown {
        assert_eq!(env.authenticate(token).expect_err("an unknown key"), "invalid_token");
        assert_eq!(steps(&env, token), first, "{token}");
    }
    assert!(first < steps(&env, &acme.owner_key), "the row of a stored key is also read");
}

#[both]
fn a_stored_key_costs_the_same_work_whether_or_not_it_is_valid() {
    let env = TestEnv::new();
    let acme = business(&env);
    let account = Some(acme.account);
    let create = |arguments| {
        let created = env.call_as_operator(account, "keys.create", arguments);
        (text(&created, "key_id").to_owned(), text(&created, "key").to_owned())
    };
    let (id, revoked) = create(json!({ "scopes": "read:customers" }));
    env.call_as_operator(account, "keys.revoke", json!({ "id": id }));
    let (_, expired) = create(json!({ "scopes": "read:customers", "expires_in": 60 }));
    env.clock.advance(60_000);
    assert_eq!(env.authenticate(&revoked).expect_err("a revoked key"), "key_revoked");
    assert_eq!(env.authenticate(&expired).expect_err("an expired key"), "expired");
    let valid = steps(&env, &acme.tenant_key);
    assert_eq!(steps(&env, &expired), valid);
    // `IS NOT NULL` takes one step less for a revoked key. The difference reveals nothing: only a caller with the
    // whole key can cause it, and the answer says anyway that the key is revoked.
    assert!((valid - 1..=valid).contains(&steps(&env, &revoked)));
}
