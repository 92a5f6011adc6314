use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zoop_both::both;

use super::inventory::{self, Kept};
use super::{FileName, MAX_BYTES, MAX_FILES, MediaType, Recognized, cleaning};
use crate::business::files::tools::add::{AddFiles, AddedFiles, StoredFile};
use crate::business::files::tools::check::CheckFile;
use crate::business::files::tools::open::OpenFile;
use crate::business::files::tools::removed::RemovedFile;
use crate::call::argument::Arguments;
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::perform::{self, CommandCall};
use crate::call::proof::{enter_read, enter_write};
use crate::call::run;
use crate::call::scope::Scope;
use crate::call::tool::{Query, Step};
use crate::testing::{Business, Caller, TestEnv, error_json};
use crate::values::id::{self, Id, kinds};
use crate::values::size::Size;

const TEXT: &[u8] = b"The code is 4711.";
const DAY: i64 = 24 * 60 * 60 * 1_000;

fn note(env: &TestEnv, caller: &Caller, arguments: Value) -> String {
    env.create(caller, "notes.create", arguments)
}

fn kind(error: &crate::call::error::Error) -> String {
    error_json(error)["kind"].as_str().expect("a kind").to_owned()
}

fn query<T: Query<Output: Send + 'static>>(
    env: &TestEnv,
    caller: &Caller,
    arguments: Arguments<T>,
) -> crate::call::error::Result<T::Output> {
    let (caller, environment) = (caller.clone(), env.environment.clone());
    env.read(move |tx| run::query(tx, &environment, &caller, arguments))
}

fn open(env: &TestEnv, caller: &Caller, file: &str) -> crate::call::error::Result<Value> {
    let opened = query(env, caller, crate::arguments!(OpenFile { id: file }));
    opened.map(|it| serde_json::to_value(it).expect("JSON"))
}

#[both]
fn every_tool_that_shows_a_note_shows_its_files() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = note(&env, &acme.tech, json!({ "body": "Gate sticks." }));
    let other = note(&env, &acme.tech, json!({ "body": "Without files." }));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0";
    let first = env.add_file(&acme.tech, &id, "photos/gate\u{202e}.png", png).expect("a file");
    env.clock.advance(1_000);
    let second = env.add_file(&acme.owner, &id, "code.txt", TEXT).expect("an owner may too");
    let expected = json!([
        { "id": first.id, "name": "gate.png", "type": "image/png", "size": png.len(),
          "url": format!("/files/{}", first.id) },
        { "id": second.id, "name": "code.txt", "type": "text/plain", "size": TEXT.len(),
          "url": format!("/files/{}", second.id) },
    ]);
    let shown = env.call(&acme.office, "notes.get", json!({ "id": id })).expect("the note");
    assert_eq!(shown["attachments"], expected);
    let updated = env.call(&acme.tech, "notes.update", json!({ "id": id, "pinned": true }));
    assert_eq!(updated.expect("the note")["attachments"], expected);
    let listed = env.call(&acme.office, "notes.list", json!({})).expect("notes");
    let of = |id: &str| {
        let rows = listed["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["id"] == id).expect("the note")["attachments"].clone()
    };
    assert_eq!(of(&id), expected);
    assert_eq!(of(&other), json!([]));
}

#[both]
fn a_file_is_as_visible_as_its_note_and_only_in_its_account() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let id = note(&env, &acme.tech, json!({ "body": "Gate sticks." }));
    let file = env.add_file(&acme.tech, &id, "code.txt", TEXT).expect("a file").id.to_string();
    let opened = open(&env, &acme.office, &file).expect("everyone who reads notes may");
    assert_eq!(opened["tenant"], acme.account.id.to_string());
    assert_eq!(opened["name"], "code.txt");
    assert_eq!(kind(&open(&env, &other.owner, &file).unwrap_err()), "not_found");
    let blind = env.access(&env.key(acme.account, None, &[Scope::ReadCustomers]));
    assert_eq!(kind(&open(&env, &blind, &file).unwrap_err()), "insufficient_scope");
    env.call(&acme.tech, "notes.archive", json!({ "id": id })).expect("archived");
    let archived = error_json(&open(&env, &acme.owner, &file).unwrap_err());
    assert!(archived["message"].as_str().unwrap().contains("no such file"), "{archived}");
    env.call(&acme.tech, "notes.restore", json!({ "id": id })).expect("restored");
    open(&env, &acme.owner, &file).expect("restored with its note");

    let draft = note(&env, &acme.tech, json!({ "body": "Mine.", "draft": true }));
    let file = env.add_file(&acme.tech, &draft, "mine.txt", TEXT).expect("a file").id.to_string();
    open(&env, &acme.tech, &file).expect("the author's draft");
    for caller in [&acme.owner, &acme.tenant] {
        assert_eq!(kind(&open(&env, caller, &file).unwrap_err()), "not_found");
    }
    for record in [&draft, &file] {
        let of_record = json!({ "record_id": record });
        let history = env.call_as_operator(Some(acme.account), "changes.list", of_record);
        assert_eq!(history["rows"], json!([]), "a draft leaves no history");
    }
    env.clock.advance(DAY);
    assert_eq!(kind(&open(&env, &acme.tech, &file).unwrap_err()), "not_found", "it has expired");
}

#[both]
fn only_the_author_or_an_owner_adds_and_removes_files() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let id = note(&env, &acme.office, json!({ "body": "Gate sticks." }));
    let add = |caller: &Caller| env.add_file(caller, &id, "code.txt", TEXT);
    assert_eq!(kind(&add(&acme.tech).unwrap_err()), "invalid_input");
    assert_eq!(kind(&add(&acme.tenant).unwrap_err()), "invalid_input", "a person must act");
    assert_eq!(kind(&add(&other.owner).unwrap_err()), "not_found");
    let file = add(&acme.office).expect("the author's").id.to_string();
    let remove = |caller: &Caller| env.call(caller, "notes.remove_file", json!({ "id": file }));
    let removed =
        |caller: &Caller| query(&env, caller, crate::arguments!(RemovedFile { id: &file }));
    assert_eq!(kind(&removed(&acme.owner).unwrap_err()), "not_found", "it is there");
    assert_eq!(kind(&remove(&acme.tech).unwrap_err()), "invalid_input");
    assert_eq!(kind(&remove(&other.owner).unwrap_err()), "not_found");
    assert_eq!(remove(&acme.owner).expect("removed"), json!({ "removed": true, "id": file }));
    assert_eq!(kind(&remove(&acme.owner).unwrap_err()), "not_found", "it is gone");
    assert_eq!(kind(&open(&env, &acme.owner, &file).unwrap_err()), "not_found");
    assert_eq!(removed(&acme.tech).expect("its name"), "code.txt");
    assert_eq!(kind(&removed(&other.owner).unwrap_err()), "not_found");
    let shown = env.call(&acme.office, "notes.get", json!({ "id": id })).expect("the note");
    assert_eq!(shown["attachments"], json!([]));
    env.call(&acme.office, "notes.archive", json!({ "id": id })).expect("archived");
    assert_eq!(kind(&add(&acme.office).unwrap_err()), "not_found", "archived");
    assert_eq!(kind(&removed(&acme.office).unwrap_err()), "not_found", "archived");
}

#[both]
fn the_history_of_a_note_and_of_a_file_tells_of_both() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = note(&env, &acme.owner, json!({ "body": "Gate sticks." }));
    let file = env.add_file(&acme.owner, &id, "code.txt", TEXT).expect("a file").id.to_string();
    env.call(&acme.owner, "notes.remove_file", json!({ "id": file })).expect("removed");
    let changes = |record: &str, field: &str| {
        let arguments = json!({ "record_id": record });
        let entries = env.call_as_operator(Some(acme.account), "changes.list", arguments);
        let rows = entries["rows"].as_array().expect("rows").clone();
        let changes = rows.iter().flat_map(|row| {
            let tool = row["tool"].clone();
            let changes = row["changes"].as_array().expect("changes").clone();
            changes.into_iter().map(move |change| (tool.clone(), change))
        });
        changes
            .filter(|(_, it)| it["record_id"] == record && it["field"] == field)
            .map(|(tool, it)| json!([tool, it["old"], it["new"]]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        changes(&id, "attachments"),
        [
            json!(["notes.remove_file", "code.txt", null]),
            json!(["notes.add_files", null, "code.txt"]),
        ]
    );
    assert_eq!(
        changes(&file, "media_type"),
        [
            json!(["notes.remove_file", "text/plain", null]),
            json!(["notes.add_files", null, "text/plain"]),
        ]
    );
}

#[both]
fn files_have_limits_on_the_note_and_in_the_account() {
    let mut env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = note(&env, &acme.owner, json!({ "body": "Gate sticks." }));
    let check = |env: &TestEnv, note: &str, size: u32| {
        query(env, &acme.owner, crate::arguments!(CheckFile { note_id: note, size: size }))
    };
    assert_eq!(check(&env, &id, MAX_BYTES).expect("it fits").tenant, acme.account.id);
    for _ in 0..MAX_FILES {
        env.add_file(&acme.owner, &id, "code.txt", TEXT).expect("there is room");
        env.clock.advance(60_000);
    }
    let full = error_json(&env.add_file(&acme.owner, &id, "code.txt", TEXT).unwrap_err());
    assert_eq!(full["kind"], "conflict", "{full}");
    assert!(full["message"].as_str().unwrap().contains("already has 20 files"), "{full}");
    assert_eq!(kind(&check(&env, &id, 1).unwrap_err()), "conflict");

    let other = note(&env, &acme.owner, json!({ "body": "Another." }));
    let stored = u64::from(MAX_FILES) * TEXT.len() as u64;
    env.environment.files_limit = Size(stored + TEXT.len() as u64);
    let last = env.add_file(&acme.owner, &other, "code.txt", TEXT).expect("it just fits");
    env.call(&acme.owner, "notes.remove_file", json!({ "id": last.id })).expect("removed");
    let full = error_json(&check(&env, &other, 1).unwrap_err());
    assert!(full["message"].as_str().unwrap().contains("reached their limit"), "{full}");
    assert_eq!(kind(&env.add_file(&acme.owner, &other, "a.txt", TEXT).unwrap_err()), "conflict");
}

/// Prepares adding a file to a note in a read, and returns the write.
fn prepared(
    env: &TestEnv,
    caller: &Caller,
    note: &str,
) -> impl FnOnce() -> crate::call::error::Result<AddedFiles> {
    let now = env.environment.clock.now();
    let file = StoredFile {
        id: Id::new(id::following(None, now, env.environment.entropy.bits())),
        name: FileName::of("code.txt"),
        recognized: Recognized { media_type: MediaType::Text, dimensions: None },
        size: TEXT.len() as u64,
        sha256: "0".repeat(64),
    };
    let arguments = crate::arguments!(AddFiles { note_id: note, files: vec![file] });
    let (proof, environment) = (caller.clone(), env.environment.clone());
    let ready = env.read(move |tx| {
        let access = enter_read(tx, &environment, &proof)?;
        let call = CommandCall { arguments: arguments.into_object(), key: Ok(None) };
        perform::prepare::<AddFiles>(&mut ReadCtx::new(tx, &access, &environment), call)
    });
    let (ready, proof) = (ready.expect("there is room"), caller.clone());
    move || {
        let environment = env.environment.clone();
        env.write(move |tx| {
            let access = enter_write(tx, &environment, &proof)?;
            match ready.run_typed(&mut WriteCtx::begin(tx, &access, &environment)?)? {
                Step::Done(added) => Ok(added),
                Step::Partial => Err(crate::call::error::Error::internal("it has one part")),
            }
        })
    }
}

#[both]
fn files_that_are_added_at_the_same_moment_do_not_exceed_the_limit_of_the_account_together() {
    let mut env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let [one, two] =
        ["Gate sticks.", "Another."].map(|body| note(&env, &acme.owner, json!({ "body": body })));
    env.environment.files_limit = Size(3 * TEXT.len() as u64);
    env.add_file(&acme.owner, &one, "code.txt", TEXT).expect("there is room");
    env.clock.advance(2 * DAY);
    let calls = [&one, &two, &one].map(|note| prepared(&env, &acme.owner, note));
    let [first, second, third] = calls.map(|write| write());
    first.expect("there is room");
    second.expect("it just fits");
    let full = error_json(&third.unwrap_err());
    assert!(full["message"].as_str().unwrap().contains("reached their limit"), "{full}");
}

#[both]
fn files_that_are_sent_together_are_added_all_or_none() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = note(&env, &acme.owner, json!({ "body": "Gate sticks." }));
    let add = |count: usize| env.add_files(&acme.owner, &id, &vec![("code.txt", TEXT); count]);
    let shown = || {
        let note = env.call(&acme.owner, "notes.get", json!({ "id": id })).expect("the note");
        note["attachments"].as_array().expect("files").len()
    };
    let added = add(MAX_FILES as usize - 1).expect("there is room");
    assert!(added.is_sorted_by_key(|file| file.id.uuid()));
    let full = error_json(&add(2).unwrap_err());
    assert!(full["message"].as_str().unwrap().contains("room for only 1 more"), "{full}");
    assert_eq!(shown(), MAX_FILES as usize - 1);
    add(1).expect("it fits");
    assert_eq!(shown(), MAX_FILES as usize);
    let entries =
        env.call_as_operator(Some(acme.account), "changes.list", json!({ "record_id": id }));
    let entries = entries["rows"].as_array().expect("rows");
    let adding: Vec<_> = entries.iter().filter(|it| it["tool"] == "notes.add_files").collect();
    assert_eq!(adding.len(), 2, "one entry for all files that were sent together");
}

#[both]
fn a_file_is_refused_when_the_storage_is_full() {
    let mut env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let id = note(&env, &acme.owner, json!({ "body": "Gate sticks." }));
    let file = env.add_file(&acme.owner, &id, "code.txt", TEXT).expect("a file").id;
    env.environment.storage_limit = Size(1);
    let full = error_json(&env.add_file(&acme.owner, &id, "code.txt", TEXT).unwrap_err());
    assert!(full["message"].as_str().unwrap().contains("storage is full"), "{full}");
    env.call(&acme.owner, "notes.remove_file", json!({ "id": file })).expect("removed");
}

/// What a sweep of the store does in the database, with these objects in the store.
fn clean(env: &TestEnv, acme: &Business, objects: &[Id<kinds::File>]) -> Vec<Id<kinds::File>> {
    let (tenant, now) = (acme.account.number, env.environment.clock.now());
    let objects = objects.to_vec();
    let removed = env.read(move |tx| cleaning::removed(tx, tenant, now)).expect("files");
    let deleted = removed.clone();
    env.write(move |tx| cleaning::forget(tx, tenant, &deleted)).expect("forgotten");
    let left: Vec<_> = objects.into_iter().filter(|id| !removed.contains(id)).collect();
    let unneeded = env.read(move |tx| cleaning::unneeded(tx, tenant, now, &left)).expect("files");
    let deleted = unneeded.clone();
    env.write(move |tx| cleaning::forget(tx, tenant, &deleted)).expect("forgotten");
    [removed, unneeded].concat()
}

#[both]
fn content_that_nothing_needs_is_deleted_after_a_day() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    assert_eq!(env.read(cleaning::tenants).expect("tenants")[0].id, acme.account.id);
    let kept = note(&env, &acme.owner, json!({ "body": "Gate sticks." }));
    let draft = note(&env, &acme.owner, json!({ "body": "Expires.", "draft": true }));
    let add = |note: &str| env.add_file(&acme.owner, note, "a.txt", TEXT).expect("a file").id;
    let (kept, removed, expired) = (add(&kept), add(&kept), add(&draft));
    let lost = Id::new(crate::values::id::following(None, env.environment.clock.now(), 7));
    let mut objects = vec![kept, removed, expired, lost];
    objects.sort_by_key(|id| id.uuid());
    env.call(&acme.owner, "notes.remove_file", json!({ "id": removed })).expect("removed");
    env.clock.advance(DAY - 1_000);
    env.sweep();
    assert_eq!(clean(&env, &acme, &objects), [], "not before a day has passed");
    env.clock.advance(2_000);
    env.sweep();
    let mut deleted = clean(&env, &acme, &objects);
    deleted.sort_by_key(|id| id.uuid());
    let mut unneeded = vec![removed, expired, lost];
    unneeded.sort_by_key(|id| id.uuid());
    assert_eq!(deleted, unneeded);
    assert_eq!(clean(&env, &acme, &[kept]), []);
    let named = env.read(inventory::all).expect("files");
    let size = TEXT.len() as u64;
    let sha256 = Some(Sha256::digest(TEXT).into());
    assert_eq!(named, [Kept { tenant: acme.account.id, file: kept, size, sha256 }]);
    open(&env, &acme.owner, &kept.to_string()).expect("it is still needed");
}

#[both]
fn the_row_of_a_file_whose_note_is_gone_is_removed_even_if_its_content_is_not_in_the_store() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let draft = note(&env, &acme.owner, json!({ "body": "Expires.", "draft": true }));
    let file = env.add_file(&acme.owner, &draft, "a.txt", TEXT).expect("a file").id;
    env.clock.advance(DAY + 2_000);
    assert_eq!(clean(&env, &acme, &[]), [], "the draft is still there");
    env.sweep();
    assert_eq!(clean(&env, &acme, &[]), [file]);
    assert_eq!(clean(&env, &acme, &[]), []);
}
