//! How an import is undone, and how one that cannot go on is taken back.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use zoop_both::both;

use super::super::{State, WhenRejected, latest, run, undo};
use super::account::{FILE, lines, names, run_all, search};
use super::{importer, plan, source};
use crate::call::error::Error;
use crate::testing::{Business, TestEnv};
use crate::values::size::Size;

#[both]
fn an_import_is_undone_but_for_what_was_changed_since() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let outcome = run_all(&importer, FILE);
    let marco = search(&env, &acme, &json!({ "q": "marco" }))[0]["id"].clone();
    let note = json!({ "subject_type": "customer", "subject_id": marco, "body": "Called." });
    env.create(&acme.owner, "notes.create", note);
    let undone = undo(&importer, outcome.import.id, &|_, _| Ok(())).expect("undone");
    assert_eq!(undone.taken_back, 2, "{undone:?}");
    let kept: Vec<_> = undone.kept.iter().map(|it| format!("{} {}", it.name, it.why)).collect();
    assert_eq!(
        kept,
        [
            "Marco Reyes was changed since",
            "Weekly is a tag that other customers have",
            "HOA is a tag that other customers have"
        ]
    );
    assert_eq!(names(&env, &acme, &json!({})), ["Marco Reyes"]);
    let left = importer.read(|tx, _| latest(tx, 1)).expect("imports");
    assert_eq!(left[0].state, State::Undoing, "it can be undone again");
    let again = run_all(&importer, FILE);
    assert_eq!(again.import.added, 2, "what was taken back can be imported again");
}

#[both]
fn undoing_everything_leaves_no_tag() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let outcome = run_all(&importer, FILE);
    let undone = undo(&importer, outcome.import.id, &|_, _| Ok(())).expect("undone");
    assert_eq!((undone.taken_back, undone.kept.len()), (5, 0), "{undone:?}");
    assert!(names(&env, &acme, &json!({})).is_empty());
    let tags = env.call(&acme.owner, "tags.list", json!({})).expect("tags");
    assert_eq!(tags["rows"], json!([]));
    let undone = undo(&importer, outcome.import.id, &|_, _| Ok(())).expect("nothing left to undo");
    assert_eq!(undone.kept, []);
}

#[both]
fn taking_tags_back_can_be_interrupted_and_goes_on() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let import = run_all(&importer, "Name,Tags\nAnn Able,\"Gold, Blue\"\n").import.id;
    let tags = || env.call(&acme.owner, "tags.list", json!({})).expect("tags")["rows"].clone();
    let stopped = |done: usize, all: usize| match (done, all) {
        (2, 3) => Err(Error::from(zoop_db::Error::Closed)),
        _ => Ok(()),
    };
    undo(&importer, import, &stopped).expect_err("one of the tags is left");
    assert_eq!(tags().as_array().map(Vec::len), Some(1));
    let undone = undo(&importer, import, &|_, _| Ok(())).expect("undone");
    assert_eq!((undone.taken_back, undone.kept.len()), (3, 0));
    assert_eq!(tags(), json!([]));
}

#[both]
fn an_import_that_is_undone_while_it_runs_stops() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let many = lines(45, |n| format!("Ann{n} Able{n},510-555-{:04}\n", 1000 + n));
    let file = source("many.csv", format!("Name,Phone\n{many}").as_bytes());
    let planned = plan(&importer, &file);
    // What was added is taken back afterwards, which reports too.
    let is_done = AtomicBool::new(false);
    let undone = |done: usize, _: usize| {
        if done == 40 && !is_done.swap(true, Ordering::Relaxed) {
            let reader = importer.clone();
            let latest = reader.read(|tx, _| latest(tx, 1)).expect("imports");
            assert_eq!(latest[0].state, State::Running);
            undo(&importer, latest[0].id, &|_, _| Ok(())).expect("undone");
        }
        Ok(())
    };
    let stopped = run(&importer, &file, &planned, WhenRejected::AddNone, &undone);
    let message = format!("{:?}", stopped.expect_err("it was undone"));
    assert!(message.contains("was undone meanwhile"), "{message}");
    assert!(names(&env, &acme, &json!({})).is_empty());
}

#[both]
fn an_import_is_taken_back_whole_without_its_member_or_space() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let mut by_office = importer(&env, &acme);
    by_office.member.user = Business::user(&acme.office);
    let before = names(&env, &acme, &json!({}));
    let many = lines(45, |n| format!("Ann{n} Able{n},510-555-{:04},Note {n}\n", 1000 + n));
    let file = source("many.csv", format!("Name,Phone,Notes\n{many}").as_bytes());
    let planned = plan(&by_office, &file);
    let is_done = AtomicBool::new(false);
    let removed = |done: usize, _: usize| {
        if done == 40 && !is_done.swap(true, Ordering::Relaxed) {
            let id = Business::user(&acme.office).to_string();
            env.call_as_operator(Some(acme.account), "users.remove", json!({ "id": id }));
        }
        Ok(())
    };
    let stopped = run(&by_office, &file, &planned, WhenRejected::AddNone, &removed);
    assert!(stopped.is_err());
    assert_eq!(names(&env, &acme, &json!({})), before, "the notes of the other user too");

    let mut small = importer(&env, &acme);
    let used = env.call(&acme.owner, "account.get", json!({})).expect("the account");
    let used = used["storage"]["used"].as_u64().unwrap_or(100_000);
    small.environment.storage_limit = Size(used + 20_000);
    let planned = plan(&small, &file);
    let stopped = run(&small, &file, &planned, WhenRejected::AddNone, &|_, _| Ok(()));
    let message = format!("{:?}", stopped.expect_err("the storage is full"));
    assert!(message.contains("Nothing was imported: This account's storage is full"), "{message}");
    assert_eq!(names(&env, &acme, &json!({})), before);
}

#[both]
fn a_tag_that_someone_uses_or_changed_stays_and_archived_customers_go_again() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let file = "Name,ID,Tags,Archived\nAnn Able,7,\"Gold, Blue\",\nOld One,8,,true\n";
    let outcome = run_all(&importer, file);
    let tags = env.call(&acme.owner, "tags.list", json!({})).expect("tags");
    let id = |name: &str| {
        let rows = tags["rows"].as_array().expect("rows");
        rows.iter().find(|tag| tag["name"] == name).expect("the tag")["id"].clone()
    };
    let renamed = json!({ "id": id("Gold"), "name": "Golden" });
    env.call(&acme.owner, "tags.update", renamed).expect("renamed");
    let gone = json!({ "customer_type": "individual", "first_name": "Gone", "tags": ["Blue"] });
    let gone = env.create(&acme.owner, "customers.create", gone);
    env.call(&acme.owner, "customers.archive", json!({ "id": gone })).expect("archived");
    let undone = undo(&importer, outcome.import.id, &|_, _| Ok(())).expect("undone");
    let mut kept: Vec<_> = undone.kept.iter().map(|it| format!("{} {}", it.name, it.why)).collect();
    kept.sort();
    assert_eq!(kept, ["Blue is a tag that other customers have", "Golden was changed since"]);
    let again = run_all(&importer, file);
    assert_eq!(again.import.added, 2, "both ids are free again");
}

const REYES: &str = "Name,Phone,Notes\nMarco Reyes,510-555-0123,Has a dog.\nM. Reyes,510-555-0177,Ring twice.\n\
    Bob Doe,510-555-0124,\n";

/// Merges the customer with the second phone into the one with the first.
fn merge(env: &TestEnv, business: &Business, keep: &str, other: &str) {
    let id = |phone: &str| search(env, business, &json!({ "q": phone }))[0]["id"].clone();
    let arguments = json!({ "keep_id": id(keep), "merge_id": id(other) });
    env.call(&business.owner, "customers.merge", arguments).expect("merged");
}

#[both]
fn a_file_adds_nothing_again_after_two_of_its_customers_were_merged() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    assert_eq!(run_all(&importer, REYES).import.added, 3);
    merge(&env, &acme, "5105550123", "5105550177");
    let before = names(&env, &acme, &json!({}));
    assert_eq!(before, ["Bob Doe", "Marco Reyes"]);
    assert_eq!(run_all(&importer, REYES).import.added, 0);
    assert_eq!(names(&env, &acme, &json!({})), before);
    merge(&env, &acme, "5105550124", "5105550123");
    assert_eq!(names(&env, &acme, &json!({})), ["Bob Doe"], "merged in turn");
    assert_eq!(run_all(&importer, REYES).import.added, 0);
}

#[both]
fn undoing_an_import_keeps_and_names_the_customers_that_were_merged() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let outcome = run_all(&importer, REYES);
    merge(&env, &acme, "5105550123", "5105550177");
    let undone = undo(&importer, outcome.import.id, &|_, _| Ok(())).expect("undone");
    let mut kept: Vec<_> = undone.kept.iter().map(|it| format!("{} {}", it.name, it.why)).collect();
    kept.sort();
    assert_eq!(kept, ["M. Reyes was changed since", "Marco Reyes was changed since"]);
    assert_eq!(undone.taken_back, 1);
    assert_eq!(names(&env, &acme, &json!({})), ["Marco Reyes"]);
    assert_eq!(search(&env, &acme, &json!({ "q": "5105550177" })).len(), 1, "its phone stays");
    let left = importer.read(|tx, _| latest(tx, 1)).expect("imports");
    assert_eq!(left[0].state, State::Undoing, "it can be undone again");
}
