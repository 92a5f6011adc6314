//! An export has all of an account and nothing else, and comes back whole on either engine.

mod bring_back;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Cursor, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::Timestamp;

use super::manifest::Manifest;
use super::people::SHARED;
use super::*;
use crate::business::files::NoteFile;
use crate::business::import::tests::account as import;
use crate::call::table::Export;
use crate::schema::TABLES;
use crate::testing::{Business, TestEnv, text};
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
        self.bring_back_with(env, into, |_, _| {})
    }

    /// [`Self::bring_back`], with the progress.
    fn bring_back_with(
        &self,
        env: &TestEnv,
        into: Id<kinds::Tenant>,
        mut progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<BroughtBack> {
        let (manifest, environment) = (self.manifest.clone(), env.environment.clone());
        let folder = self.folder.clone();
        let open: Arc<OpenForReading> = Arc::new(move |name: &str| {
            let found = folder.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
            Ok(Box::new(BufReader::new(Cursor::new(found))))
        });
        check(&manifest, &*open, &mut |_| {})?;
        env.write(move |tx| bring_back(tx, &environment, &manifest, into, &*open, &mut progress))
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
