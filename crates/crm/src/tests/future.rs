//! A clock that was ahead for a while: after it was corrected, new records have the right time.

use serde_json::{Value, json};
use zoop_both::both;

use crate::maintenance::{self, Ahead};
use crate::testing::{Business, TestEnv, error_json, text};
use crate::values::clock::{Clock, rfc3339};

const SECOND: i64 = 1_000;
const HOUR: i64 = 60 * 60 * SECOND;
const YEARS: i64 = 10 * 365 * 24 * HOUR;

fn rows(env: &TestEnv, business: &Business, list: &str, arguments: Value) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut page = env.call(&business.owner, list, arguments).expect("a page");
    loop {
        rows.extend(page["rows"].as_array().expect("rows").iter().cloned());
        let Some(cursor) = page["nextCursor"].as_str() else { return rows };
        let arguments = json!({ "cursor": cursor, "limit": 2 });
        page = env.call(&business.owner, list, arguments).expect("a page");
    }
}

fn bodies(env: &TestEnv, business: &Business, mut arguments: Value) -> Vec<String> {
    arguments["limit"] = json!(2);
    let rows = rows(env, business, "notes.list", arguments);
    rows.iter().map(|row| text(row, "body").to_owned()).collect()
}

/// Creates a record of each kind that has a creation time, and returns these times.
fn create_records(env: &TestEnv, business: &Business, name: &str) -> Vec<String> {
    let call = |tool, arguments| env.call(&business.owner, tool, arguments).expect(tool);
    let customer =
        call("customers.create", json!({ "customer_type": "company", "company_name": name }));
    let location = json!({ "customer_id": customer["id"], "address_line1": "1 Elm", "city": "C",
        "state": "S", "postal_code": "P", "location_type": "other" });
    let contact = json!({ "customer_id": customer["id"], "first_name": "A", "last_name": "B" });
    let invited = json!({ "name": name, "email": format!("{name}@acme.example"), "role": "tech" });
    let key = json!({ "scopes": "read:notes", "name": name });
    env.call_as_operator(Some(business.account), "invitations.create", invited);
    env.call_as_operator(Some(business.account), "keys.create", key);
    let (_, session) = env.sign_in(Business::user(&business.owner));
    let lists = ["invitations.list", "keys.list", "changes.list"].map(|list| {
        let listed = env.call_as_operator(Some(business.account), list, json!({}));
        let time =
            |row: &Value| row["created_at"].as_str().or(row["at"].as_str()).map(str::to_owned);
        let times = listed["rows"].as_array().expect("rows").iter().filter_map(time);
        // Only the record that was just created has the current time.
        let now = rfc3339(env.clock.now());
        times.into_iter().find(|time| *time == now).unwrap_or_else(|| panic!("{list}: {listed}"))
    });
    [
        customer.clone(),
        call("locations.create", location),
        call("contacts.create", contact),
        call("tags.create", json!({ "name": name })),
        call("notes.create", json!({ "body": name })),
    ]
    .iter()
    .map(|record| text(record, "created_at").to_owned())
    .chain([session.session.created_at()].map(|at| rfc3339(at.0)))
    .chain(lists)
    .collect()
}

#[both]
fn records_created_after_a_clock_was_corrected_have_the_right_time() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    create_records(&env, &acme, "before");
    for ahead in [HOUR, YEARS] {
        env.clock.advance(ahead);
        create_records(&env, &acme, &format!("wrong{ahead}"));
        env.clock.advance(-ahead);
        let mut last = String::new();
        for number in 0..3 {
            env.clock.advance(SECOND);
            let now = rfc3339(env.clock.now());
            for time in create_records(&env, &acme, &format!("right{ahead}of{number}")) {
                assert_eq!(time, now, "{ahead}");
            }
            let note = env.call(&acme.owner, "notes.create", json!({ "body": "order" })).unwrap();
            let id = text(&note, "id").to_owned();
            assert!(id > last, "ids should increase while the clock is right");
            last = id;
        }
        env.clock.advance(20 * SECOND);
    }
}

#[both]
fn setting_a_clock_back_by_seconds_keeps_ids_in_order() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let create = |body: &str| {
        text(&env.call(&acme.owner, "notes.create", json!({ "body": body })).unwrap(), "id")
            .to_owned()
    };
    let first = create("first");
    env.clock.advance(-5 * SECOND + 1);
    assert!(create("second") > first);
    assert_eq!(bodies(&env, &acme, json!({ "q": "second" })), ["second"]);
}

#[both]
fn pages_and_filters_are_right_despite_notes_dated_by_a_wrong_clock() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let now = || rfc3339(env.clock.now());
    let note = |body: &str| {
        let note = json!({ "body": format!("{body} word") });
        env.call(&acme.owner, "notes.create", note).expect("a note");
    };
    note("one");
    env.clock.advance(2 * HOUR);
    let wrong_time = now();
    note("wrong one");
    env.clock.advance(SECOND);
    note("wrong two");
    env.clock.advance(-2 * HOUR);
    note("two");
    env.clock.advance(SECOND);
    let middle = now();
    note("three");
    env.clock.advance(SECOND);
    let end = now();
    note("four");
    env.clock.advance(SECOND);
    let sorted = |arguments: Value| {
        let mut found = bodies(&env, &acme, arguments);
        let all = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), all, "no note is on two pages");
        found.into_iter().map(|body| body.replace(" word", "")).collect::<Vec<_>>()
    };
    // The second round is later than the time to which the clock was wrongly set.
    for later in [0, 3 * HOUR] {
        env.clock.advance(later);
        for filter in [json!({}), json!({ "q": "word" })] {
            let with = |name: &str, time: &str| {
                let mut filter = filter.clone();
                filter[name] = json!(time);
                sorted(filter)
            };
            assert_eq!(sorted(filter.clone()).len(), 6);
            assert_eq!(with("created_before", &middle), ["one", "two"]);
            assert_eq!(with("created_before", &end), ["one", "three", "two"]);
            assert_eq!(with("created_after", &middle), ["four", "three", "wrong one", "wrong two"]);
            assert_eq!(with("created_after", &wrong_time), ["wrong one", "wrong two"]);
            assert_eq!(with("created_before", &wrong_time), ["four", "one", "three", "two"]);
        }
    }
}

#[both]
fn drafts_and_idempotent_answers_dated_over_a_day_ahead_are_expired() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let draft = json!({ "body": "Half", "draft": true });
    let once = json!({ "body": "Once", "idempotency_key": "k" });
    env.clock.advance(YEARS);
    let id = env.create(&acme.owner, "notes.create", draft.clone());
    let first = env.create(&acme.owner, "notes.create", once.clone());
    assert_eq!(env.create(&acme.owner, "notes.create", once.clone()), first);
    env.clock.advance(-YEARS);
    let expired = env.call(&acme.owner, "notes.get", json!({ "id": id }));
    assert_eq!(error_json(&expired.unwrap_err())["kind"], "not_found");
    assert_ne!(env.create(&acme.owner, "notes.create", once.clone()), first);

    assert!(env.sweep() > 0, "the draft should be swept");
    assert_eq!(env.sweep(), 0);
    // A draft and an answer dated less than a day ahead work as usual.
    env.clock.advance(23 * HOUR);
    let id = env.create(&acme.owner, "notes.create", draft);
    let other = json!({ "body": "Twice", "idempotency_key": "l" });
    let second = env.create(&acme.owner, "notes.create", other.clone());
    env.clock.advance(-23 * HOUR);
    env.call(&acme.owner, "notes.get", json!({ "id": id })).expect("the draft should exist");
    assert_eq!(env.create(&acme.owner, "notes.create", other), second);
}

#[both]
fn records_dated_in_the_future_are_detected() {
    let env = TestEnv::new();
    let (acme, _other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let ahead = || {
        let now = env.clock.now();
        env.read(move |tx| maintenance::ahead(tx, now)).expect("the history")
    };
    assert_eq!(ahead(), None);
    env.clock.advance(HOUR);
    let note = env.call(&acme.owner, "notes.create", json!({ "body": "Early" })).unwrap();
    assert_eq!(ahead(), None);
    env.clock.advance(-HOUR);
    let Some(Ahead { tenants: 1, latest }) = ahead() else { panic!("{:?}", ahead()) };
    assert_eq!(rfc3339(latest.0), text(&note, "created_at"));
    env.clock.advance(HOUR - 5 * SECOND + 1);
    assert_eq!(ahead(), None, "within the tolerated clock skew");
}

#[test]
fn every_query_for_a_greatest_id_excludes_ids_from_a_wrong_clock() {
    let tenant = crate::schema::statements().flat_map(|(module, statements)| {
        statements.iter().map(move |(name, sql)| (module, *name, sql.sqlite(), "AND id < $2 "))
    });
    let global = crate::schema::global_statements().flat_map(|(module, statements)| {
        statements.iter().map(move |(name, sql)| (module, *name, sql.sqlite(), "WHERE id < $1 "))
    });
    let greatest: Vec<_> =
        tenant.chain(global).filter(|it| it.1.starts_with("GREATEST_")).collect();
    assert!(greatest.len() >= 13, "{greatest:?}");
    for (module, name, sql, bound) in greatest {
        assert!(sql.contains(bound), "{module} {name}: {sql}");
    }
}
