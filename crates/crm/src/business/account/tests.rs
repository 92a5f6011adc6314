//! Tests of `account.get` and `team.list`, through the pipeline.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::scope::Scope;
use crate::identity::sign_in::passwords;
use crate::identity::sign_in::user::Initiator;
use crate::testing::{Business, Caller, TestEnv};
use crate::values::size::Size;

fn account(env: &TestEnv, caller: &Caller) -> Value {
    env.call(caller, "account.get", json!({})).expect("the account")
}

#[both]
fn the_account_is_shown_with_the_time_in_its_zone() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    env.empty_business("Other");
    let zone = json!({ "time_zone": "America/Denver", "country": "CA" });
    env.call_as_operator(Some(acme.account), "tenants.update", zone);
    let shown = account(&env, &acme.tech);
    assert_eq!(shown["id"], json!(acme.account.id));
    assert_eq!(shown["name"], "Acme");
    assert_eq!(shown["country"], "CA");
    assert_eq!(shown["time_zone"], "America/Denver");
    assert_eq!(shown["currency"], "CAD");
    assert_eq!(shown["now"], "2026-06-13T12:00:00.000-06:00");
    env.clock.advance(180 * 24 * 60 * 60 * 1_000);
    let winter = account(&env, &acme.tech);
    assert_eq!(winter["now"], "2026-12-10T11:00:00.000-07:00");
}

#[both]
fn a_caller_learns_for_whom_it_acts_and_what_it_may_do() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let person = |caller: &Caller, name: &str, role: &str| json!({ "id": Business::user(caller), "name": name, "role": role });
    for (caller, name, role) in [
        (&acme.owner, "Olive Owner", "owner"),
        (&acme.office, "Oscar Office", "office"),
        (&acme.tech, "Tessa Tech", "tech"),
    ] {
        let shown = account(&env, caller);
        assert_eq!(shown["caller"]["user"], person(caller, name, role));
        let scopes: Vec<_> = caller.scopes.iter().map(Scope::name).collect();
        assert_eq!(shown["caller"]["scopes"], json!(scopes));
    }
    assert_eq!(account(&env, &acme.tenant)["caller"]["user"], Value::Null);
    let writer = env.access(&env.key(acme.account, None, &[Scope::WriteNotes]));
    let expected = json!({ "user": null, "scopes": ["write:notes"] });
    assert_eq!(account(&env, &writer)["caller"], expected);
    // A role that no longer includes the key's scope leaves a credential without any.
    let tech = Business::user(&acme.tech).to_string();
    let powerless = env.access(&env.key(acme.account, Some(&tech), &[Scope::WriteCustomers]));
    assert_eq!(account(&env, &powerless)["caller"]["scopes"], json!([]));
}

#[both]
fn the_limits_show_what_is_left_of_them() {
    let mut env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let limits = |env: &TestEnv, caller: &Caller| account(env, caller)["limits"].clone();
    let before = limits(&env, &acme.owner);
    assert_eq!(before["note_writes_per_minute"], json!({ "limit": 60, "left": 60 }));
    assert_eq!(before["calls_per_minute"], Value::Null, "only a server counts calls");
    assert_eq!(before["storage_bytes"]["limit"], Value::Null);
    assert_eq!(before["storage_bytes"]["left"], Value::Null);
    for _ in 0..3 {
        env.create(&acme.owner, "notes.create", json!({ "body": "a".repeat(1_000) }));
    }
    let used = limits(&env, &acme.owner)["storage_bytes"]["used"].as_u64().unwrap();
    assert!(used > before["storage_bytes"]["used"].as_u64().unwrap() + 6_000, "{used}");
    env.environment.storage_limit = Size(1 << 20);
    let storage = json!({ "used": used, "limit": 1 << 20, "left": (1 << 20) - used });
    assert_eq!(limits(&env, &acme.office)["storage_bytes"], storage);

    let left =
        |env: &TestEnv, caller| limits(env, caller)["note_writes_per_minute"]["left"].clone();
    assert_eq!((left(&env, &acme.owner), left(&env, &acme.office)), (json!(57), json!(60)));
    assert_eq!(left(&env, &acme.tenant), Value::Null, "an account writes no notes");
    env.clock.advance(60_000);
    assert_eq!(left(&env, &acme.owner), 60);
    env.environment.note_writes_per_minute = 0;
    env.environment.storage_limit = Size(1);
    let shown = limits(&env, &acme.owner);
    assert_eq!(shown["note_writes_per_minute"], Value::Null);
    assert_eq!(shown["storage_bytes"]["left"], 0);
}

#[both]
fn the_team_is_listed_and_only_owners_and_the_office_see_e_mail_addresses() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let team = |caller: &Caller| {
        let page = env.call(caller, "team.list", json!({})).expect("the team");
        assert_eq!(page["hasMore"], false);
        page["rows"].as_array().expect("rows").clone()
    };
    let row = |business: &Business, with_email: bool| {
        [
            (&business.owner, "Olive Owner", "owner"),
            (&business.office, "Oscar Office", "office"),
            (&business.tech, "Tessa Tech", "tech"),
        ]
        .map(|(caller, name, role)| {
            let mut row = json!({ "id": Business::user(caller), "name": name, "role": role });
            if with_email {
                row["email"] = json!(format!("{role}@acme.example"));
            }
            row
        })
    };
    assert_eq!(team(&acme.owner), row(&acme, true));
    assert_eq!(team(&acme.office), row(&acme, true));
    assert_eq!(team(&acme.tech), row(&acme, false));
    assert_eq!(team(&acme.tenant), row(&acme, false));
    assert_eq!(team(&other.tech), row(&other, false));
    let reader = env.access(&env.key(acme.account, None, &[Scope::ReadNotes]));
    assert_eq!(team(&reader), row(&acme, false));

    let tech = json!({ "id": Business::user(&acme.tech) });
    env.call_as_operator(Some(acme.account), "users.remove", tech);
    assert_eq!(team(&acme.owner), row(&acme, true)[..2], "a removed member is not listed");
}

#[both]
fn a_pending_membership_is_not_in_the_team() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let (user, environment) = (Business::user(&other.tech), env.environment.clone());
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "a hash", Initiator::Unproved(None))
    };
    env.write(set).expect("a password");
    let who = json!({ "name": "Tessa", "email": "tech@other.example", "role": "tech" });
    let added = env.call_as_operator(Some(acme.account), "users.create", who);
    assert!(added["waiting"].is_string(), "{added}");
    let page = env.call(&acme.owner, "team.list", json!({ "limit": 100 })).expect("the team");
    assert_eq!(page["rows"].as_array().expect("rows").len(), 3);
}
