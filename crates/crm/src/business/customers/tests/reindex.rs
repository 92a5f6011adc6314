//! Entries of the search index that an older version wrote.

use serde_json::json;
use zoop_both::both;
use zoop_db::params;

use super::{person, search};
use crate::business::customers::store;
use crate::maintenance::{self, Outdated};
use crate::testing::{Business, TestEnv};
use crate::values::id::Id;

/// Replaces a customer's entry by one as the previous version wrote it, with only a few of its tokens.
fn write_old_entry(env: &TestEnv, business: &Business, id: &str, name: &str) {
    let (tenant, id) = (business.account.number, Id::parse(id).unwrap());
    let mark = format!("{:04}", tenant.0);
    let tokens = format!("{mark}=customer {mark}=active {mark}=w:{name} {mark}:{name}");
    env.write(move |tx| {
        tx.bind(tenant);
        let customer = store::get(tx, id)?;
        tx.execute(store::UNINDEX, params![customer.n])?;
        let row = store::document(customer.n, &tokens);
        Ok(tx.execute_each(store::INDEX, &[row])?)
    })
    .unwrap();
}

fn outdated(env: &TestEnv) -> Vec<Outdated> {
    env.read(maintenance::outdated).unwrap()
}

#[both]
fn entries_of_an_older_version_are_found_by_their_old_tokens_and_written_again() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let other = env.empty_business("Other");
    let ann = person(&env, &acme, "ann", json!({ "last_name": "Nguyen" }));
    person(&env, &acme, "bea", json!({}));
    let cleo = person(&env, &other, "cleo", json!({}));
    assert_eq!(outdated(&env), []);
    write_old_entry(&env, &acme, &ann, "ann");
    write_old_entry(&env, &other, &cleo, "cleo");
    // An old entry is found by what the old version knew. No filter takes it for a customer without the flag.
    assert_eq!(search(&env, &acme, json!({ "q": "ann" })), ["ann Nguyen"]);
    assert_eq!(search(&env, &acme, json!({ "do_not_contact": false })), ["bea"]);
    assert_eq!(search(&env, &acme, json!({ "is_vip": false })), ["bea"]);
    let of = |business: &Business, id: &str| Outdated {
        tenant: business.account.number,
        customers: vec![Id::parse(id).unwrap()],
    };
    assert_eq!(outdated(&env), [of(&acme, &ann), of(&other, &cleo)]);
    for Outdated { tenant, customers } in outdated(&env) {
        env.write(move |tx| maintenance::reindex(tx, tenant, &customers)).unwrap();
    }
    assert_eq!(outdated(&env), []);
    assert_eq!(search(&env, &acme, json!({ "do_not_contact": false })), ["bea", "ann Nguyen"]);
    assert_eq!(search(&env, &other, json!({ "is_vip": false })), ["cleo"]);
}

#[both]
fn archived_customers_are_written_again_too() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let ann = person(&env, &acme, "ann", json!({}));
    env.call(&acme.owner, "customers.archive", json!({ "id": ann })).unwrap();
    let tenant = acme.account.number;
    let id = Id::parse(&ann).unwrap();
    env.write(move |tx| {
        tx.bind(tenant);
        let customer = store::get(tx, id)?;
        tx.execute(store::UNINDEX, params![customer.n])?;
        let tokens = format!("{:04}~customer", tenant.0);
        Ok(tx.execute_each(store::INDEX, &[store::document(customer.n, &tokens)])?)
    })
    .unwrap();
    assert_eq!(outdated(&env).len(), 1);
    env.write(move |tx| maintenance::reindex(tx, tenant, &[id])).unwrap();
    assert_eq!(outdated(&env), []);
    assert_eq!(search(&env, &acme, json!({ "q": "ann", "status": "archived" })), ["ann"]);
}
