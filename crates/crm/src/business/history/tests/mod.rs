//! Who is shown which entries of the history, and its filters.

pub(in crate::business) mod former;
mod merges;
mod original;
mod revert;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::access::Source;
use crate::call::definition::ToolKind;
use crate::call::scope::{Scope, Scopes};
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json, text};
use crate::values::id::{Id, kinds};

fn session(env: &TestEnv, business: &Business, user: Id<kinds::User>) -> Caller {
    let (_, signed_in) = env.sign_in(user);
    let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    env.in_tenant(signed_in.in_tenant(business.account.id, Source { client: None, address }))
}

/// Runs the example of every command that writes to the business, as far as the ones before it allow. Returns the entry
/// that each of them added, as it was shown then.
fn run_every_command(env: &TestEnv, acme: &Business, owner: &Caller) -> Vec<Value> {
    let operator = Caller::operator(Some(acme.account));
    let mut seen = Vec::new();
    for tool in catalog::tools() {
        // A new tenant's entry is in its own history, and an erasure takes the sample away from the other commands.
        let is_left_out = ["tenants.create", "customers.erase"].contains(&tool.name);
        if !matches!(tool.kind, ToolKind::Command { .. }) || is_left_out {
            continue;
        }
        env.clock.advance(1_000);
        let caller = if tool.is_public() { owner } else { &operator };
        if env.call_text(caller, tool.name, &acme.fill(tool.example)).is_ok() {
            let newest = env.call(owner, "changes.list", json!({ "limit": 1 })).expect("a page");
            assert_eq!(newest["rows"][0]["tool"], tool.name);
            seen.push(lasting(newest["rows"][0].clone()));
        }
    }
    assert!(seen.len() >= 20, "{}", seen.len());
    seen
}

/// An entry without what may change later: whether it can be reverted.
fn lasting(mut entry: Value) -> Value {
    let fields = entry.as_object_mut().expect("an entry");
    fields.remove("can_revert");
    fields.remove("cannot_revert");
    entry
}

/// The lasting part of all rows of all pages.
fn entries(env: &TestEnv, caller: &Caller, filters: &Value) -> Vec<Value> {
    rows(env, caller, filters).into_iter().map(lasting).collect()
}

/// All rows of all pages.
fn rows(env: &TestEnv, caller: &Caller, filters: &Value) -> Vec<Value> {
    let (mut all, mut arguments) = (Vec::new(), filters.clone());
    loop {
        let page = env.call(caller, "changes.list", arguments).expect("a page");
        all.extend(page["rows"].as_array().expect("rows").iter().cloned());
        if page["hasMore"] == false {
            return all;
        }
        arguments = json!({ "cursor": page["nextCursor"] });
    }
}

#[both]
fn the_office_sees_who_changed_a_record_and_nothing_about_people_keys_and_programs() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    // The examples of some tools change the other member of the office.
    let second = json!({ "name": "Ola", "email": "ola@acme.example", "role": "office" });
    let second = env.call_as_operator(Some(acme.account), "users.create", second);
    let second = Id::parse(text(&second, "user_id")).expect("an id");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let office = session(&env, &acme, second);
    let mut seen = [0, 0];
    for tool in catalog::tools().filter(|tool| matches!(tool.kind, ToolKind::Command { .. })) {
        // A new tenant's entry is in its own history.
        if tool.name == "tenants.create" {
            continue;
        }
        let caller = if tool.is_public() { &owner } else { &operator };
        let newest = r#"{"limit":1}"#;
        let [answer, by_owner, by_office] = env.rehearse([
            (caller, tool.name, &acme.fill(tool.example)),
            (&owner, "changes.list", newest),
            (&office, "changes.list", newest),
        ]);
        answer.expect(tool.name);
        let [by_owner, by_office] = [by_owner, by_office].map(|answer| {
            let page: Value = serde_json::from_str(&answer.expect("a page")).expect("JSON");
            page["rows"][0].clone()
        });
        assert_eq!(by_owner["tool"], tool.name);
        let is_about_records = tool.scope.is_grantable()
            || [
                "subjects.create",
                "customers.erase",
                "tax_rates.restore",
                "catalog_items.restore",
                "quotes.restore",
                "jobs.restore",
                "quotes.set_lines",
            ]
            .contains(&tool.name);
        assert_eq!(by_office["tool"] == tool.name, is_about_records, "{}: {by_office}", tool.name);
        seen[usize::from(is_about_records)] += 1;
        if is_about_records {
            assert_eq!(by_office["changes"], by_owner["changes"], "{}", tool.name);
            let has_address = caller.source.address.is_some();
            assert_eq!(by_owner["address"].is_string(), has_address, "{by_owner}");
            assert_eq!(by_office["address"], json!(null), "{by_office}");
        }
    }
    assert!(seen.iter().all(|count| *count > 5), "both kinds were seen: {seen:?}");
    // Entries that are not a tool's either: the sign-ins above.
    let tools = |caller: &Caller| {
        let rows = entries(&env, caller, &json!({}));
        rows.iter().map(|row| text(row, "tool").to_owned()).collect::<Vec<_>>()
    };
    assert!(tools(&owner).contains(&"sign_in".to_owned()));
    let hidden = ["sign_in", "keys.create", "users.create", "tenants.create", "consent"];
    assert!(!tools(&office).iter().any(|tool| hidden.contains(&tool.as_str())));
    assert_eq!(entries(&env, &office, &json!({ "tool": "sign_in" })), Vec::<Value>::new());
    let user = Business::user(&acme.office).to_string();
    assert_eq!(entries(&env, &office, &json!({ "record_id": user })), Vec::<Value>::new());
}

#[both]
fn the_crew_is_refused_the_history() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let tech = session(&env, &acme, Business::user(&acme.tech));
    for caller in [&acme.tech, &tech] {
        let refused = env.call(caller, "changes.list", json!({})).expect_err("no right");
        let error = error_json(&refused);
        assert_eq!(error["kind"], "insufficient_scope", "{error}");
        assert_eq!(error["required"], json!(["read:history"]), "{error}");
    }
}

/// A key or a program is shown what its other scopes allow it to read, and never what its owner sees of people.
#[both]
fn a_key_sees_the_changes_of_records_that_it_may_read() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let key =
        |user: Option<&str>, scopes: &[Scope]| env.access(&env.key(acme.account, user, scopes));
    let owner = Business::user(&acme.owner).to_string();
    let types = |caller: &Caller| -> BTreeSet<String> {
        let rows = entries(&env, caller, &json!({}));
        let changes = rows.iter().flat_map(|row| row["changes"].as_array().expect("changes"));
        changes.map(|change| text(change, "record_type").to_owned()).collect()
    };
    let customers = ["contact", "customer", "location", "subject", "tag"];
    let notes = ["file", "note"];
    let all = customers.into_iter().chain(notes).chain([
        "catalog_category",
        "catalog_item",
        "job",
        "quote",
        "tax_rate",
    ]);
    let all: BTreeSet<_> = all.map(str::to_owned).collect();
    for user in [Some(owner.as_str()), None] {
        let history_only = key(user, &[Scope::ReadHistory]);
        assert_eq!(types(&history_only), BTreeSet::new());
        let notes_only = key(user, &[Scope::ReadHistory, Scope::ReadNotes]);
        assert_eq!(types(&notes_only), notes.map(str::to_owned).into());
        let customers_only = key(user, &[Scope::ReadHistory, Scope::ReadCustomers]);
        assert_eq!(types(&customers_only), customers.map(str::to_owned).into());
        assert_eq!(types(&key(user, Scope::GRANTABLE)), all);
    }
}

/// Some clients add the name of the called tool as `tool` to every call.
#[both]
fn the_filter_by_tool_is_not_what_clients_add() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let all = rows(&env, &acme.owner, &json!({}));
    for added in ["changes.list", "changes_list", "MCP_Client_changes_list"] {
        assert_eq!(rows(&env, &acme.owner, &json!({ "tool": added })), all, "{added}");
    }
    let filtered = rows(&env, &acme.owner, &json!({ "tool": "tags.create" }));
    assert!(!filtered.is_empty() && filtered.iter().all(|row| row["tool"] == "tags.create"));
}

#[both]
fn the_filters_agree_with_a_simple_implementation() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let all = Scopes::of(Scope::GRANTABLE);
    let (_, issued) = env.connect(acme.account, Business::user(&acme.office), all);
    let program = env.authenticate(issued.access.expose()).expect("a valid token");
    let customer = acme.id("customer");
    for (caller, source) in [(&program, "a"), (&acme.tenant, "b"), (&owner, "c")] {
        let change = json!({ "id": customer, "source": source });
        env.call(caller, "customers.update", change).expect("a change");
        env.call(caller, "tags.attach", json!({ "id": acme.id("tag"), "customer_id": customer }))
            .expect("a tag");
    }
    let whole = entries(&env, &owner, &json!({}));
    let client = whole.iter().find_map(|row| row["client"].as_str()).expect("a client's name");
    let user = Business::user(&acme.office).to_string();
    let me = Business::user(&acme.owner).to_string();
    let credential = program.credential.uuid().to_string();
    let values = [
        ("user_id", "user_id", user.as_str()),
        ("user_id", "user_id", me.as_str()),
        ("user_id", "user_id", customer),
        ("credential_id", "credential_id", credential.as_str()),
        ("client", "client", client),
        ("client", "client", "nobody"),
        ("tool", "tool", "customers.update"),
        ("tool", "tool", "tags.attach"),
    ];
    let mut found = 0;
    for record in [None, Some(customer)] {
        for (one, other) in values.iter().flat_map(|one| values.iter().map(move |it| (one, it))) {
            let mut filters = json!({ "record_id": record, "limit": 2 });
            for (filter, _, value) in [one, other] {
                filters[filter] = json!(value);
            }
            // Of two values for one filter, the second counts.
            let holds = |row: &Value| {
                [one, other].iter().all(|(filter, field, _)| row[field] == filters[filter])
            };
            let is_about = |row: &Value| {
                let mut changes = row["changes"].as_array().expect("changes").iter();
                record.is_none_or(|record| changes.any(|it| it["record_id"] == record))
            };
            let expected = whole.iter().filter(|row| holds(row) && is_about(row)).cloned();
            let expected: Vec<_> = expected.collect();
            found += expected.len();
            assert_eq!(entries(&env, &owner, &filters), expected, "{filters}");
        }
    }
    assert!(found > 20, "{found}");
    let mine = entries(&env, &owner, &json!({ "user_id": "me" }));
    assert_eq!(mine, entries(&env, &owner, &json!({ "user_id": me })));
    let operator = Caller::operator(Some(acme.account));
    let refused =
        env.call(&operator, "changes.list", json!({ "user_id": "me" })).expect_err("nobody");
    assert_eq!(error_json(&refused)["fields"][0]["field"], "user_id");
}

#[both]
fn the_history_of_some_time_is_listed_by_instants_dates_and_local_times() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let zone = json!({ "time_zone": "America/New_York" });
    env.call(&owner, "tenants.update", zone).expect("a zone");
    let customer = acme.id("customer");
    let change = |source: &str, seconds: i64| {
        env.clock.advance(seconds * 1_000);
        let change = json!({ "id": customer, "source": source });
        env.call(&acme.owner, "customers.update", change).expect("a change");
    };
    // The clock begins on June 13, 2026, at 18:00 UTC, which is 2 p.m. in New York.
    change("a", 60);
    change("b", 9 * 3_600);
    change("c", 3_600);
    change("d", 24 * 3_600);
    // The first session has ended.
    let owner = session(&env, &acme, Business::user(&acme.owner));
    let found = |from: Option<&str>, to: Option<&str>, others: &Value| {
        let mut filters = others.clone();
        filters["limit"] = json!(1);
        (filters["from"], filters["to"]) = (json!(from), json!(to));
        filters["tool"] = json!("customers.update");
        let rows = entries(&env, &owner, &filters);
        let new = |row: &Value| text(&row["changes"][0], "new").to_owned();
        rows.iter().map(new).collect::<String>()
    };
    for others in [json!({}), json!({ "record_id": customer }), json!({ "user_id": "me" })] {
        for (from, to, expected) in [
            (None, None, "dcba"),
            (Some("2026-06-14"), None, "dc"),
            (None, Some("2026-06-14"), "ba"),
            (Some("2026-06-14"), Some("2026-06-15"), "c"),
            (Some("2026-06-13T23:01:00"), Some("2026-06-14T00:01"), "b"),
            (Some("2026-06-14T03:01:00Z"), Some("2026-06-14T04:01:00Z"), "b"),
            (Some("2026-06-16"), None, ""),
            (None, Some("2026-06-13"), ""),
            (Some("2026-06-15"), Some("2026-06-14"), ""),
        ] {
            assert_eq!(found(from, to, &others), expected, "{from:?} {to:?} {others}");
        }
    }
    let refused = json!({ "from": "yesterday" });
    let refused = env.call(&owner, "changes.list", refused).expect_err("no time");
    assert_eq!(error_json(&refused)["fields"][0]["field"], "from");
}

/// Only on SQLite, because a thousand writes take long on PostgreSQL. The other tests run the same statements on both.
#[test]
fn a_search_that_finds_little_stops_and_its_cursor_goes_on() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office = session(&env, &acme, Business::user(&acme.office));
    let customer = acme.id("customer");
    let call = |number: usize| {
        ("customers.update".to_owned(), json!({ "id": customer, "source": number.to_string() }))
    };
    env.write_all(&acme.tenant, (0..1_005).map(call).collect());
    for filters in [json!({}), json!({ "record_id": customer })] {
        let mut filters = filters;
        filters["tool"] = json!("customers.create");
        let first = env.call(&office, "changes.list", filters.clone()).expect("a page");
        assert_eq!((&first["rows"], &first["hasMore"]), (&json!([]), &json!(true)), "{filters}");
        let next = json!({ "cursor": first["nextCursor"] });
        let next = env.call(&office, "changes.list", next).expect("a page");
        let rows = next["rows"].as_array().expect("rows");
        assert!(!rows.is_empty() && next["hasMore"] == false, "{next}");
        assert!(rows.iter().all(|row| row["tool"] == "customers.create"), "{next}");
    }
    // Without filters nothing is searched, and every page is full.
    let page = env.call(&office, "changes.list", json!({ "limit": 100 })).expect("a page");
    assert_eq!(page["rows"].as_array().expect("rows").len(), 100);
}
