//! An export has all of an account and nothing else, and comes back whole on either engine.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Cursor, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::{Dialect, Timestamp};

use super::manifest::{Manifest, Purpose};
use super::people::SHARED;
use sha2::Digest as _;

use super::*;
use crate::business::files::NoteFile;
use crate::business::import::tests::account as import;
use crate::call::table::Export;
use crate::maintenance;
use crate::schema::TABLES;
use crate::testing::{Business, TestEnv, engine, error_json, on, text};
use crate::values::clock::Entropy;
use crate::values::id::{Id, kinds};
use crate::values::spreadsheet_cell::original;

/// The moment that exports of these tests are of.
const MOMENT: Timestamp = Timestamp(1_781_400_000_000_000);

/// The files of an export, by their names.
type Folder = BTreeMap<String, Vec<u8>>;

/// A file in memory.
#[derive(Clone)]
struct Growing(Arc<Mutex<Folder>>, String);

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().entry(self.1.clone()).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An export: the manifest, the other files, and the files on notes.
struct Exported {
    manifest: Manifest,
    folder: Folder,
    files: Vec<NoteFile>,
}

impl Exported {
    fn of(env: &TestEnv, account: Account) -> Self {
        let folder = Arc::new(Mutex::new(Folder::new()));
        let target = folder.clone();
        let written = env.read(move |tx| {
            let mut open = |name: &str| {
                let file = Growing(target.clone(), name.to_owned());
                let before = target.lock().unwrap().insert(name.to_owned(), Vec::new());
                assert!(before.is_none(), "{name} is written twice");
                Ok(Box::new(file) as Box<dyn Write>)
            };
            let mut reports = Vec::new();
            let written =
                write(tx, account, MOMENT, &mut open, &mut |done, all| reports.push((done, all)));
            assert!(reports.is_sorted() && reports.last().is_some_and(|(done, all)| done == all));
            written
        });
        let Written { manifest, files } = written.expect("an export");
        let folder = folder.lock().unwrap().clone();
        Self { manifest, folder, files }
    }

    fn text(&self, name: &str) -> &str {
        let bytes = self.folder.get(name).unwrap_or_else(|| panic!("no {name}"));
        std::str::from_utf8(bytes).expect("UTF-8")
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The rows of a table for spreadsheets, each with its cells by the names of their columns.
    fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.text(name).strip_prefix('\u{feff}').expect("a mark");
        csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .map(|row| row.expect("a row"))
            .collect()
    }

    /// Brings the export back into the account with this id.
    fn bring_back(&self, env: &TestEnv, into: Id<kinds::Tenant>) -> Result<BroughtBack> {
        let (manifest, environment) = (self.manifest.clone(), env.environment.clone());
        let folder = self.folder.clone();
        let open: Arc<OpenForReading> = Arc::new(move |name: &str| {
            let found = folder.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
            Ok(Box::new(BufReader::new(Cursor::new(found))))
        });
        check(&manifest, &*open, &mut |_| {})?;
        env.write(move |tx| bring_back(tx, &environment, &manifest, into, &*open, &mut |_, _| {}))
    }
}

/// A business with records of every kind, and with texts that need care in files.
fn rich(env: &TestEnv) -> Business {
    let business = env.business("Acme");
    let owner = &business.owner;
    let call = |tool: &str, arguments: Value| {
        env.call(owner, tool, arguments).unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    };
    let company = |name: &str| {
        let new = json!({ "customer_type": "company", "company_name": name,
                          "notes_internal": "=cmd|' /C calc'!A0\r\n\"two\", lines", "external_id": name });
        text(&call("customers.create", new), "id").to_owned()
    };
    let [kept, merged, different] = ["=SUM(A1)", "'@Merged", "Åse, \"清\"; 안녕"].map(company);
    call("customers.merge", json!({ "keep_id": kept, "merge_id": merged }));
    call("customers.mark_different", json!({ "customer_id": kept, "other_id": different }));
    import::add(env, &business, "Name,Tags\nIvy Imported,Weekly\n");
    call(
        "customers.update",
        json!({ "id": different, "do_not_contact": true, "status": "inactive" }),
    );
    call("tags.attach", json!({ "id": business.id("tag"), "customer_id": kept }));
    call(
        "locations.create",
        json!({ "customer_id": kept, "address_line1": "1 Elm", "city": "Oakland", "state": "CA",
                "postal_code": "94607", "latitude": 37.0 + 1.0 / 3.0, "longitude": -122.25 }),
    );
    let removed = call("tags.create", json!({ "name": "+Gone" }));
    call("tags.delete", json!({ "id": removed["id"] }));
    let note = call(
        "notes.create",
        json!({ "body": "-1+1\n\"quoted\"", "subject_type": "customer", "subject_id": kept }),
    );
    env.add_file(owner, text(&note, "id"), "=photo.txt", b"content").expect("a file");
    call("notes.update", json!({ "id": note["id"], "body": "-1+1\nchanged", "pinned": true }));
    env.call(&business.tech, "notes.create", json!({ "body": "Secret draft", "draft": true }))
        .expect("a draft");
    let office = Business::user(&business.office);
    env.call(&business.office, "notes.create", json!({ "body": "By the office" })).expect("a note");
    env.call_as_operator(Some(business.account), "users.remove", json!({ "id": office }));
    let erased = json!({ "id": company("Erased") });
    env.call_as_operator(Some(business.account), "customers.erase", erased);
    business
}

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
fn an_export_opens_nothing_and_has_nothing_of_others() {
    let env = TestEnv::new();
    let (business, neighbor) = (rich(&env), env.business("Neighbor"));
    env.call(&neighbor.owner, "notes.create", json!({ "body": "Of the neighbor" }))
        .expect("a note");
    let exported = Exported::of(&env, business.account);
    for (name, content) in &exported.folder {
        let content = String::from_utf8(content.clone()).expect("UTF-8");
        let foreign = neighbor.ids.iter().map(|(_, id)| id.as_str()).chain([
            "Of the neighbor",
            "neighbor.example",
            "Secret draft",
            &business.owner_key,
            &business.tenant_key,
        ]);
        for text in foreign {
            assert!(!content.contains(text), "{name} has {text}");
        }
        for column in ["hash", "secret", "password", "token", "tenant_no"] {
            assert!(!content.contains(&format!("\"{column}\":")), "{name} has {column}");
        }
    }
    let notes = exported.lines("data/notes.jsonl");
    assert!(notes.iter().all(|note| note["draft"] == false) && !notes.is_empty());
}

#[test]
fn every_table_of_a_tenants_export_has_a_file() {
    let mut expected: Vec<_> = TABLES
        .iter()
        .filter(|table| table.exported == Export::WithTenant)
        .map(|table| table.name)
        .collect();
    let shared = SHARED.iter().flat_map(|shared| shared.tables).copied();
    let mut found: Vec<_> = data::tables().map(|table| table.name).chain(shared).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[both]
fn the_manifest_describes_every_file() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let Manifest { business: of, taken_at, files, .. } = &exported.manifest;
    assert_eq!(
        (of.id, of.name.as_str(), of.currency.as_str()),
        (business.account.id, "Acme", "USD")
    );
    assert_eq!(taken_at.0, MOMENT);
    let names: Vec<_> = files.iter().map(|file| &file.name).collect();
    assert_eq!(names.len(), exported.folder.len());
    for file in files {
        let content = &exported.folder[&file.name];
        assert_eq!(file.bytes, content.len() as u64, "{}", file.name);
        let rows = match file.name.rsplit('.').next() {
            Some("jsonl") => Some(exported.lines(&file.name).len()),
            Some("csv") => Some(exported.table(&file.name).len()),
            Some("vcf") => Some(exported.text(&file.name).matches("BEGIN:VCARD").count()),
            _ => None,
        };
        assert_eq!(file.rows, rows.map(|rows| rows as u64), "{}", file.name);
    }
    let read: Manifest = serde_json::from_str(&exported.manifest.text()).expect("a manifest");
    assert_eq!(read, exported.manifest);
    let contents: Vec<_> = exported.files.iter().map(content).collect();
    assert!(contents.iter().any(|it| it.ends_with("/=photo.txt")), "{contents:?}");
}

#[both]
fn no_cell_of_a_spreadsheet_is_run_and_every_cell_comes_back() {
    let env = TestEnv::new();
    let business = rich(&env);
    let exported = Exported::of(&env, business.account);
    let customers = exported.table("tables/customers.csv");
    let names: Vec<_> = customers.iter().map(|row| row["Name"].as_str()).collect();
    for name in ["'=SUM(A1)", "''@Merged", "Åse, \"清\"; 안녕", "Hana Nguyen"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let stored: Vec<_> = exported.lines("data/customers.jsonl");
    for (row, stored) in customers.iter().zip(&stored) {
        assert_eq!(row["Customer id"], stored["id"]);
        let company = stored["company_name"].as_str().unwrap_or_default();
        assert_eq!(original(&row["Company"]), company);
        let internal = stored["notes_internal"].as_str().unwrap_or_default();
        assert_eq!(original(&row["Internal notes"]), internal);
    }
    let row = |name: &str| customers.iter().find(|row| row["Name"] == name).expect(name);
    assert_eq!(row("'=SUM(A1)")["Tags"], "HOA");
    assert_eq!(row("Åse, \"清\"; 안녕")["Do not contact"], "yes");
    assert_eq!(row("Closed Down")["Status"], "archived");
    assert_eq!(row("''@Merged")["Merged into"], row("'=SUM(A1)")["Customer id"]);
    let notes = exported.table("tables/notes.csv");
    let note = notes.iter().find(|note| note["Note"].contains("changed")).expect("a note");
    assert_eq!((original(&note["Note"]), note["Files"].as_str()), ("-1+1\nchanged", "'=photo.txt"));
    assert_eq!((note["Author"].as_str(), note["Pinned"].as_str()), ("Olive Owner", "yes"));
    let changes = exported.table("tables/changes.csv");
    let change = changes.iter().find(|row| row["Field"] == "status").expect("a change");
    assert_eq!((change["Before"].as_str(), change["After"].as_str()), ("active", "inactive"));
    assert_eq!((change["Who"].as_str(), change["API key"].as_str()), ("Olive Owner", "test"));
    for file in exported.folder.keys().filter(|name| name.starts_with("tables/")) {
        for cell in exported.table(file).iter().flat_map(BTreeMap::values) {
            assert!(!cell.starts_with(['=', '@', '\t', '\r']), "{file}: {cell}");
        }
    }
}

#[both]
fn the_cards_can_be_read_by_an_address_book() {
    use calcard::vcard::VCardProperty;
    let env = TestEnv::new();
    let business = rich(&env);
    let long = "Ωmega, Heating; \\ Cooling and more, so that the line has to be folded somewhere";
    let new = json!({ "customer_type": "company", "company_name": long, "phone": "(510) 555-0177",
                      "primary_contact": { "first_name": "José", "last_name": "Núñez, Jr.", "title": "CEO; owner",
                                   "email": "jose@example.com", "phone": "510 555 0178" } });
    env.call(&business.owner, "customers.create", new).expect("a customer");
    let exported = Exported::of(&env, business.account);
    let text = exported.text("contacts.vcf");
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
    let mut parser = calcard::Parser::new(text);
    let mut cards = Vec::new();
    loop {
        match parser.entry() {
            calcard::Entry::VCard(card) => cards.push(card),
            calcard::Entry::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    let values = |card: &calcard::vcard::VCard, property: VCardProperty| -> Vec<String> {
        let entries = card.entries.iter().filter(|entry| entry.name == property);
        let values = entries.flat_map(|entry| &entry.values);
        values.map(|value| value.as_text().unwrap_or_default().to_owned()).collect()
    };
    let find = |name: &str| {
        let found = cards.iter().find(|card| values(card, VCardProperty::Fn) == [name]);
        found.unwrap_or_else(|| panic!("{name} in {text}"))
    };
    let jose = find("José Núñez, Jr.");
    assert_eq!(values(jose, VCardProperty::Org).join(";"), long.trim());
    assert_eq!(values(jose, VCardProperty::N)[..2], ["Núñez, Jr.", "José"]);
    assert_eq!(values(jose, VCardProperty::Title), ["CEO; owner"]);
    assert_eq!(values(jose, VCardProperty::Tel), ["+15105550178", "+15105550177"]);
    assert_eq!(values(jose, VCardProperty::Email), ["jose@example.com"]);
    let hana = find("Hana Nguyen");
    let address = ["", "", "482 Oak Street", "Oakland", "CA", "94607", "US"];
    assert_eq!(values(hana, VCardProperty::Adr), address);
    let marked = find("Åse, \"清\"; 안녕");
    assert_eq!(values(marked, VCardProperty::Note), ["Customer C-0005: do not contact"]);
    assert!(!text.contains("Moved Away") && !text.contains("Closed Down"), "{text}");
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
