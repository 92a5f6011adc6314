//! An account comes back whole or not at all, and without rights.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha2::Digest as _;
use zoop_both::both;
use zoop_db::Dialect;

use super::{Exported, rich};
use crate::business::customers::erase::rewriting;
use crate::call::access::Account;
use crate::export::manifest::{self, Purpose};
use crate::maintenance;
use crate::testing::{TestEnv, engine, error_json, on, text};
use crate::values::clock::Entropy;
use crate::values::id::{Id, kinds};

/// Adds an entry of the history in the form of the previous version.
fn add_former_entry(env: &TestEnv, account: Account) {
    let nil = "00000000000000000000000000000000";
    let id = |digits: &str| match env.server() {
        None => format!("X'{digits}'"),
        Some(_) => format!("'{digits}'::uuid"),
    };
    let script = format!(
        "INSERT INTO history (tenant_no, id, actor_kind, credential_id, tool, changes) \
         VALUES ({}, {}, 'operator', {}, 'tenants.update', '[]')",
        account.number.0,
        id("0190b6c5000070008000000000000001"),
        id(nil)
    );
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            file.execute_batch(&script).expect("an entry");
        }
        Some(server) => drop(server.run_as_superuser(&script).expect("an entry")),
    }
}

/// An environment on the other engine, whose ids are other ones.
fn elsewhere() -> TestEnv {
    let other = match engine() {
        Dialect::Sqlite => Dialect::Postgres,
        Dialect::Postgres => Dialect::Sqlite,
    };
    let mut env = on(other, TestEnv::new);
    env.environment.entropy = Entropy::seeded(7);
    env
}

#[both]
fn an_account_comes_back_on_the_other_engine_byte_for_byte() {
    let env = TestEnv::new();
    env.business("Other");
    let business = rich(&env);
    add_former_entry(&env, business.account);
    let first = Exported::of(&env, business.account);
    let target = elsewhere();
    // Numbers of the engine differ there.
    let neighbor = target.business("Neighbor");
    let before = Exported::of(&target, neighbor.account).folder;

    let back = first.bring_back(&target, business.account.id).expect("brought back");
    assert_eq!((back.account.id, back.pending), (business.account.id, 2));
    let second = Exported::of(&target, back.account);
    for entry in first.manifest.files.iter().filter(|file| file.purpose == Purpose::Data) {
        assert!(entry.rows > Some(0), "{}", entry.name);
    }
    let gone = ["data/connected_programs.jsonl", "data/invitations.jsonl"];
    for (name, content) in &first.folder {
        let (is_gone, again) = (gone.contains(&name.as_str()), &second.folder[name]);
        let expected = if is_gone { &Vec::new() } else { content };
        // Nothing is due elsewhere: see below.
        if name == "data/erasures.jsonl" {
            continue;
        }
        assert!(again == expected, "{name}:\n{}\n{}", first.text(name), second.text(name));
        assert!(!is_gone || !content.is_empty(), "{name}");
    }
    assert_eq!(second.folder.len(), first.folder.len());
    assert_eq!(second.files, first.files);
    assert_eq!(Exported::of(&target, neighbor.account).folder, before, "another account changed");
    let (stored, drift) = target
        .read(move |tx| {
            tx.bind(back.account.number);
            maintenance::measure(tx)
        })
        .expect("measured");
    assert!(stored.total() > 0 && drift.total() == 0, "{stored:?} {drift:?}");
}

#[both]
fn an_export_of_an_earlier_format_comes_back_without_the_tables_that_it_does_not_know() {
    let env = TestEnv::new();
    let business = rich(&env);
    let mut exported = Exported::of(&env, business.account);
    let name = "data/tax_rates.jsonl";
    exported.folder.remove(name).expect("the file");
    exported.manifest.files.retain(|file| file.name != name);
    let empty = env.empty_business("Empty");
    let error = exported.bring_back(&env, empty.account.id).expect_err("a refusal");
    assert!(text(&error_json(&error), "message").contains(name), "this format has the file");
    exported.manifest.format = 1;
    let back = exported.bring_back(&env, empty.account.id).expect("brought back");
    let second = Exported::of(&env, back.account);
    assert_eq!(second.text(name), "");
    assert_eq!(second.text("data/tags.jsonl"), exported.text("data/tags.jsonl"));
}

#[both]
fn people_come_back_without_rights_and_their_names_stay() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let target = elsewhere();
    // The owner is known there, by another id.
    let known = target.empty_business("Known");
    let email = json!({ "name": "Olive", "email": "OWNER@acme.example", "role": "office" });
    let there = target.call_as_operator(Some(known.account), "users.create", email);
    let back = exported.bring_back(&target, business.account.id).expect("brought back");
    let account = Some(back.account);

    let people = target.call_as_operator(account, "users.list", json!({}));
    let people = people["rows"].as_array().expect("people");
    assert!(people.iter().all(|person| person["is_waiting"] == true), "{people:?}");
    let owner = people.iter().find(|person| person["role"] == "owner").expect("the owner");
    assert_eq!(owner["id"], there["user_id"]);
    for key in [&business.owner_key, &business.tenant_key] {
        target.authenticate(key).expect_err("the key is refused");
    }
    let keys = target.call_as_operator(account, "keys.list", json!({}));
    let keys = keys["rows"].as_array().expect("keys");
    assert!(!keys.is_empty() && keys.iter().all(|key| !key["revoked_at"].is_null()), "{keys:?}");

    let found = target.call_as_operator(account, "customers.search", json!({ "q": "nguy" }));
    assert_eq!(found["rows"][0]["display_name"], "Hana Nguyen", "{found}");
    let notes = target.call_as_operator(account, "notes.list", json!({ "q": "gate" }));
    assert_eq!(notes["rows"][0]["created_by"], there["user_id"], "{notes}");
    assert_eq!(notes["rows"][0]["created_by_name"], "Olive", "{notes}");
    let changes =
        target.call_as_operator(account, "changes.list", json!({ "tool": "tags.delete" }));
    let change = &changes["rows"][0];
    assert_eq!((&change["user_id"], &change["key_name"]), (&there["user_id"], &json!("test")));
    let next = json!({ "customer_type": "company", "company_name": "Next" });
    let next = target.call_as_operator(account, "customers.create", next);
    let here = env.call_as_operator(
        Some(business.account),
        "customers.create",
        json!({ "customer_type": "company", "company_name": "Next" }),
    );
    assert_eq!(next["customer_number"], here["customer_number"]);
}

#[both]
fn an_account_comes_back_only_into_an_empty_one_and_whole_or_not_at_all() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let refused = |exported: &Exported, into: Id<kinds::Tenant>| {
        let error = exported.bring_back(&env, into).expect_err("a refusal");
        text(&error_json(&error), "message").to_owned()
    };
    assert!(refused(&exported, business.account.id).contains("not empty, it has customers"));
    assert!(refused(&exported, Id::new(zoop_db::Uuid::max())).contains("no such tenant"));

    let empty = env.empty_business("Empty");
    let before = Exported::of(&env, empty.account);
    let tampered = |name: &str, from: &str, to: &str| {
        let mut folder = exported.folder.clone();
        let content = exported.text(name).replacen(from, to, 1);
        assert_ne!(content, exported.text(name), "{name}");
        folder.insert(name.to_owned(), content.into_bytes());
        Exported { manifest: exported.manifest.clone(), folder, files: Vec::new() }
    };
    let other_name = tampered("data/customers.jsonl", "Hana", "Anna");
    assert!(refused(&other_name, empty.account.id).contains("is not the file that was exported"));
    let mut later = tampered("data/customers.jsonl", "Hana", "Anna");
    later.manifest.format += 1;
    assert!(refused(&later, empty.account.id).contains("use a newer version"));
    // The last table has a line that no export writes, and the manifest agrees.
    for (from, to) in
        [("\"record_id\":\"", "\"record_id\":\"x"), ("\"entry_id\"", "\"unknown\":1,\"entry_id\"")]
    {
        let mut bad = tampered("data/history_records.jsonl", from, to);
        let content = &bad.folder["data/history_records.jsonl"];
        let (size, hash) = (content.len() as u64, sha2::Sha256::digest(content));
        let named = |file: &&mut manifest::FileEntry| file.name == "data/history_records.jsonl";
        let entry = bad.manifest.files.iter_mut().find(named).expect("the file");
        (entry.bytes, entry.sha256) = (size, data_encoding::HEXLOWER.encode(&hash));
        let message = refused(&bad, empty.account.id);
        assert!(message.contains("line 1 of data/history_records.jsonl"), "{message}");
    }
    assert_eq!(Exported::of(&env, empty.account).folder, before.folder);

    let back = exported.bring_back(&env, empty.account.id).expect("brought back");
    let second = Exported::of(&env, back.account);
    for name in ["data/customers.jsonl", "data/notes.jsonl", "tables/contacts.csv", "contacts.vcf"]
    {
        assert_eq!(second.text(name), exported.text(name));
    }
    let owner = env.call(&empty.owner, "customers.search", json!({ "q": "nguyen" }));
    assert_eq!(owner.expect("the owner's call")["rows"].as_array().map(Vec::len), Some(1));
}

#[both]
fn a_made_up_export_brings_no_circles_of_customers_and_no_other_person() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let empty = env.empty_business("Empty");
    // The file with another content, and the manifest agrees.
    let made_up = |name: &str, change: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = exported.lines(name);
        change(&mut lines);
        let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
        let content = lines.join("\n") + "\n";
        assert_ne!(content, exported.text(name));
        let (mut manifest, mut folder) = (exported.manifest.clone(), exported.folder.clone());
        let entry = manifest.files.iter_mut().find(|file| file.name == name).expect("the file");
        entry.bytes = content.len() as u64;
        entry.sha256 = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&content));
        folder.insert(name.to_owned(), content.into_bytes());
        let error = Exported { manifest, folder, files: Vec::new() }
            .bring_back(&env, empty.account.id)
            .expect_err("a refusal");
        text(&error_json(&error), "message").to_owned()
    };
    let before = Exported::of(&env, empty.account).folder;
    let circle = made_up("data/customers.jsonl", &|lines| {
        let at = lines.iter().position(|it| it["merged_into"].is_string()).expect("a merged one");
        let kept = lines[at]["merged_into"].clone();
        let merged = lines[at]["id"].clone();
        let kept = lines.iter_mut().find(|it| it["id"] == kept).expect("the kept one");
        kept["merged_into"] = merged;
    });
    assert!(circle.contains("was merged into itself, by way of others"), "{circle}");
    let person =
        made_up("data/members.jsonl", &|lines| lines[0]["email"] = json!("eve@example.com"));
    assert!(person.contains("line 1 of data/members.jsonl has the id of a person"), "{person}");
    assert_eq!(Exported::of(&env, empty.account).folder, before);
}

#[both]
fn no_server_writes_the_files_again_for_what_was_erased_elsewhere() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let erasures = exported.lines("data/erasures.jsonl");
    assert!(erasures.len() == 1 && erasures[0]["due_at"].is_string(), "{erasures:?}");
    let target = elsewhere();
    let back = exported.bring_back(&target, business.account.id).expect("brought back");
    let mut again = Exported::of(&target, back.account).lines("data/erasures.jsonl");
    assert_eq!(again[0]["due_at"].take(), Value::Null);
    again[0]["due_at"] = erasures[0]["due_at"].clone();
    assert_eq!(again, erasures, "all else comes back");
    let search = target.read(|tx| rewriting::search(tx, zoop_db::Tenant(0)));
    assert_eq!(search.expect("those that wait").waiting, []);
}

#[both]
fn of_long_rows_few_are_in_memory_at_once() {
    let env = TestEnv::new();
    let business = rich(&env);
    for number in 0..6 {
        let note = json!({ "body": format!("Note {number}") });
        env.call(&business.owner, "notes.create", note).expect("a note");
    }
    let name = "data/notes.jsonl";
    let mut exported = Exported::of(&env, business.account);
    // Blanks at the end of a line change nothing.
    let blanks = " ".repeat(3 << 20);
    let long: String = exported.text(name).lines().flat_map(|line| [line, &blanks, "\n"]).collect();
    let entry = exported.manifest.files.iter_mut().find(|file| file.name == name);
    let entry = entry.expect("the file");
    entry.bytes = long.len() as u64;
    entry.sha256 = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&long));
    let notes = entry.rows.expect("rows");
    exported.folder.insert(name.to_owned(), long.into_bytes());
    let pages = |exported: &Exported| {
        let target = elsewhere();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let seen = reports.clone();
        let progress = move |done, _| seen.lock().unwrap().push(done);
        exported.bring_back_with(&target, business.account.id, progress).expect("brought back");
        let reports = reports.lock().unwrap().clone();
        assert!(reports.is_sorted());
        reports.len()
    };
    let short = pages(&Exported::of(&env, business.account));
    // Two lines are longer than a page may be.
    let more = usize::try_from(notes / 2).expect("few");
    assert!(notes >= 6, "{notes}");
    assert_eq!(pages(&exported), short + more);
}
