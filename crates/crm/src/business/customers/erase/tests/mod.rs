//! `customers.erase`, through the pipeline, and what the files of the database have afterwards.

mod leftovers;
mod rewriting;
mod steps;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use zoop_both::both;

use crate::business::history::tests::former::store_in_the_former_form;
use crate::call::table::Erasure;
use crate::maintenance;
use crate::schema::TABLES;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// Words that occur nowhere else. Indexes leave out what a word has in common with the one before, so no two begin or
/// end alike.
struct Words {
    all: Vec<String>,
}

impl Words {
    fn next(&mut self) -> String {
        let letters = b"bcdfghjklmnpqrstvwxz";
        let mut seed = u64::try_from(self.all.len()).expect("a number") + 1;
        let mut letter = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(letters[usize::try_from((seed >> 40) % 20).expect("small")])
        };
        let word: String = (0..10).map(|_| letter()).collect();
        self.all.push(word.clone());
        word
    }
}

/// A customer with values in every field of every table, some of them replaced since, and one that was merged into it.
struct Person<'a> {
    env: &'a TestEnv,
    acme: &'a Business,
    words: Words,
    id: String,
    merged: String,
    records: Vec<String>,
}

impl<'a> Person<'a> {
    fn new(env: &'a TestEnv, acme: &'a Business) -> Self {
        let mut words = Words { all: Vec::new() };
        let mut w = || words.next();
        let call =
            |tool: &str, arguments: Value| env.call(&acme.owner, tool, arguments).expect(tool);
        let id = text(
            &call(
                "customers.create",
                json!({
                    "customer_type": "individual", "first_name": w(), "last_name": w(),
                    "phone": "(510) 555-0177", "email": format!("{}@example.com", w()),
                    "notes_internal": w(), "do_not_contact": true, "do_not_contact_reason": w(),
                    "source": w(), "external_id": w(), "tags": ["HOA"],
                    "idempotency_key": "the key stays",
                    "location": {
                        "label": w(), "address_line1": w(), "address_line2": w(), "city": w(),
                        "state": w(), "postal_code": w(), "access_notes": w(), "parking_notes": w(),
                        "service_notes": w(), "place_id": w(),
                    },
                }),
            ),
            "id",
        )
        .to_owned();
        let first_name = w();
        call(
            "customers.update",
            json!({ "id": id, "first_name": first_name, "notes_internal": w() }),
        );
        let contact = env.create(
            &acme.owner,
            "contacts.create",
            json!({ "customer_id": id, "first_name": w(), "last_name": w(), "title": w(),
                    "phone": "(510) 555-0188", "email": format!("{}@example.com", w()) }),
        );
        call("contacts.update", json!({ "customer_id": id, "id": contact, "title": w() }));
        call("contacts.archive", json!({ "customer_id": id, "id": contact }));
        let operator = Caller::operator(Some(acme.account));
        let invoice =
            json!({ "customer_id": id, "subject_type": "invoice", "title": w(), "status": w() });
        let invoice = env.create(&operator, "subjects.create", invoice);
        let job = json!({ "customer_id": id, "title": w(), "description": w(),
                          "line_items": [{ "description": w(), "unit_price": 85 }] });
        let job = env.create(&acme.owner, "jobs.create", job);
        call("jobs.cancel", json!({ "id": job, "reason": w() }));
        let quote = json!({ "customer_id": id, "title": w() });
        let quote = env.create(&acme.owner, "quotes.create", quote);
        let lines = json!([{ "section": w(), "description": w(), "unit_price": 85 }]);
        let lines = json!({ "id": quote, "line_items": lines });
        env.call(&operator, "quotes.set_lines", lines).expect("the lines");
        let merged = env.create(
            &acme.owner,
            "customers.create",
            json!({ "customer_type": "company", "company_name": w(), "phone": "(510) 555-0199",
                    "email": format!("{}@example.com", w()), "notes_internal": w() }),
        );
        let mut records = vec![id.clone(), merged.clone(), contact, job.clone(), quote.clone()];
        records.push(invoice);
        let subjects = [("customer", &id), ("job", &job), ("quote", &quote), ("customer", &merged)];
        for (subject_type, subject) in subjects {
            let note = env.create(
                &acme.owner,
                "notes.create",
                json!({ "subject_type": subject_type, "subject_id": subject, "body": w() }),
            );
            call("notes.update", json!({ "id": note, "body": w() }));
            let gone = env
                .add_file(&acme.owner, &note, &format!("{}.txt", w()), b"Gone.")
                .expect("a file");
            env.add_file(&acme.owner, &note, &format!("{}.txt", w()), b"There.").expect("a file");
            call("notes.remove_file", json!({ "id": gone.id }));
            records.push(note);
        }
        let draft =
            json!({ "subject_type": "customer", "subject_id": id, "body": w(), "draft": true });
        env.create(&acme.owner, "notes.create", draft);
        call(
            "customers.mark_different",
            json!({ "customer_id": id, "other_id": acme.id("customer") }),
        );
        call("customers.merge", json!({ "keep_id": id, "merge_id": merged }));
        // A file that waits to be imported has them too.
        let rows = format!("Name,{},Notes\n{},{},{}\n,,{}\n", w(), w(), w(), w(), w());
        env.prepare_import(&acme.owner, &rows);
        // Some of the history is as earlier versions wrote it.
        let entries = call("changes.list", json!({ "record_id": id, "limit": 3 }));
        store_in_the_former_form(env, entries["rows"].as_array().expect("rows"));
        for digits in ["5105550177", "5105550188", "5105550199"] {
            words.all.push(digits.to_owned());
        }
        Self { env, acme, words, id, merged, records }
    }

    fn erase(&self, more: &Value) -> Value {
        let mut arguments = json!({ "id": self.id });
        arguments
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("one").clone());
        self.env.call_as_operator(Some(self.acme.account), "customers.erase", arguments)
    }

    /// What no erasure of the person may change: another customer, notes, tags and their history.
    fn others(&self) -> Value {
        let call = |tool: &str, arguments: Value| {
            self.env.call(&self.acme.owner, tool, arguments).expect(tool)
        };
        let other = self.acme.id("customer");
        json!([
            call("customers.get", json!({ "id": other })),
            call("contacts.list", json!({ "customer_id": other })),
            call("notes.list", json!({ "subject_type": "standalone" })),
            call("tags.list", json!({})),
            call("changes.list", json!({ "record_id": self.acme.id("note") })),
            call("changes.list", json!({ "record_id": self.acme.id("contact") })),
        ])
    }

    /// Those of the words that the files of the database have, in any case.
    fn found(&self) -> Vec<&str> {
        let files = raw_files(self.env);
        assert!(!files.is_empty());
        let contents: Vec<_> = files
            .iter()
            .filter_map(|file| fs::read(file).ok())
            .map(|bytes| bytes.to_ascii_lowercase())
            .collect();
        // The end of a word, since indexes leave out what it has in common with the one before.
        let has = |word: &&str| {
            let end = &word.as_bytes()[word.len() - 7..];
            contents.iter().any(|bytes| memchr::memmem::find(bytes, end).is_some())
        };
        self.words.all.iter().map(String::as_str).filter(has).collect()
    }
}

/// The files in which the engine has the database, but for the write-ahead log of PostgreSQL.
fn raw_files(env: &TestEnv) -> Vec<PathBuf> {
    let Some(server) = env.server() else {
        let path = env.path();
        let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        return vec![path.clone(), beside("-wal"), beside("-shm")];
    };
    let folder = "CHECKPOINT; SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database \
                  WHERE datname = current_database()";
    let folder = server.run_as_superuser(folder).expect("the folder");
    let entries = fs::read_dir(Path::new(folder.trim())).expect("the folder");
    entries.map(|entry| entry.expect("a file").path()).collect()
}

/// A new table needs a removal in `store.rs` or a step in `apply.rs`, and a row with values in [`Person`].
#[test]
fn each_table_that_is_erased_with_a_customer_has_its_part_here() {
    let erased = TABLES.iter().filter(|it| it.erased.contains(&Erasure::WithCustomer));
    let names: Vec<_> = erased.map(|table| table.name).collect();
    let known = [
        "customers",
        "contacts",
        "locations",
        "different_customers",
        "customer_tags",
        "subjects",
        "quotes",
        "jobs",
        "notes",
        "files",
        "imported",
        "import_jobs",
        "import_parts",
        "history_entries",
        "history_records",
        "history",
    ];
    assert_eq!(names, known);
}

#[both]
fn nothing_of_an_erased_customer_is_left_in_any_file_of_the_database() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let person = Person::new(&env, &acme);
    let before = person.others();
    assert_eq!(person.found(), person.words.all, "the test can see all of them");

    let dry = person.erase(&json!({ "dry_run": true }));
    let erased = person.erase(&json!({}));
    let expected = json!({ "customers": 2, "contacts": 3, "locations": 1, "subjects": 3, "tags": 1,
                           "notes": 5, "files": 8 });
    for (name, count) in expected.as_object().expect("counts") {
        assert_eq!((&dry[name], &erased[name]), (count, count), "{name}: {dry}");
    }
    assert_eq!((&dry["erased"], &erased["erased"]), (&json!(false), &json!(true)));
    maintenance::rewrite(env.url(), Duration::from_secs(60))
        .expect("the database is written again");
    assert_eq!(person.found(), Vec::<&str>::new());
    assert_eq!(person.others(), before);
}

#[both]
fn an_erased_customer_is_as_if_it_was_not_there_and_no_change_of_it_can_be_undone() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let person = Person::new(&env, &acme);
    let number = env.call(&acme.owner, "customers.get", json!({ "id": person.id })).expect("it");
    person.erase(&json!({}));
    for id in [&person.id, &person.merged] {
        for (tool, arguments) in [
            ("customers.get", json!({ "id": id })),
            ("customers.restore", json!({ "id": id })),
            ("customers.update", json!({ "id": id, "first_name": "Bob" })),
            (
                "contacts.create",
                json!({ "customer_id": id, "first_name": "Bob", "last_name": "Doe" }),
            ),
        ] {
            let error = env.call(&acme.owner, tool, arguments).expect_err(tool);
            assert_eq!(error_json(&error)["kind"], "not_found", "{tool}");
        }
    }
    for status in ["active", "inactive", "archived"] {
        let found = json!({ "customer_number": number["customer_number"], "status": status });
        let found = env.call(&acme.owner, "customers.search", found).expect("a search");
        assert_eq!(found["rows"], json!([]), "{status}");
    }
    let mut seen = 0;
    for record in &person.records {
        let entries = json!({ "record_id": record });
        let entries = env.call(&acme.owner, "changes.list", entries).expect("the history");
        for entry in entries["rows"].as_array().expect("rows") {
            assert_eq!(entry["can_revert"], json!(false), "{entry}");
            let entry = json!({ "id": entry["id"] });
            let refused = env.call(&acme.owner, "changes.revert", entry).expect_err("a refusal");
            let refused = error_json(&refused).to_string();
            assert!(refused.contains("erased, which cannot be undone"), "{refused}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
    let retry = json!({ "customer_type": "individual", "first_name": "Bob",
                        "idempotency_key": "the key stays" });
    let refused = env.call(&acme.owner, "customers.create", retry).expect_err("a refusal");
    assert_eq!(error_json(&refused)["kind"], "conflict");
}

#[both]
fn what_else_an_entry_did_can_still_be_undone() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let person = Person::new(&env, &acme);
    let tag = acme.id("tag");
    env.call(&acme.owner, "tags.delete", json!({ "id": tag })).expect("a deletion");
    person.erase(&json!({}));
    let deleted = json!({ "record_id": tag, "limit": 1 });
    let deleted = env.call(&acme.owner, "changes.list", deleted).expect("the history");
    let entry = json!({ "id": deleted["rows"][0]["id"] });
    env.call(&acme.owner, "changes.revert", entry).expect("the tag comes back");
    let tags = env.call(&acme.owner, "tags.list", json!({})).expect("tags");
    assert_eq!(tags["rows"][0]["name"], "HOA");
}
