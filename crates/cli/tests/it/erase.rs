//! `zoop erase`: nothing of the customer is left in the database, the store of files or the output.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::Client;
use crate::env::{Folder, text};

const FILE: &str = "Name,Phone,Email,Street,City,State,Zip,Notes\n\
    Qanzorb Vexilmont,510-555-0123,qanzorb@example.com,48 Wumblat Street,Oakland,CA,94607,Frixnotch gate\n\
    Jane Doe,510-555-0124,jane@example.com,9 Elm Road,Oakland,CA,94607,Ring twice\n";
/// What identifies the first of them.
const WORDS: [&str; 6] = ["anzorb", "exilmont", "umblat", "rixnotch", "5105550123", "lorptext"];

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Those of the words that the database or the store of files has, in any case.
fn found(folder: &Folder) -> Vec<&'static str> {
    let mut all = Vec::new();
    files(&folder.path("store"), &mut all);
    match folder.server() {
        None => all.extend(["zoop.db", "zoop.db-wal", "zoop.db-shm"].map(|name| folder.path(name))),
        Some(server) => {
            let place = "CHECKPOINT; SELECT current_setting('data_directory') || '/base/' || oid \
                         FROM pg_database WHERE datname = current_database()";
            files(Path::new(server.run_as_superuser(place).expect("the folder").trim()), &mut all);
        }
    }
    let contents = all.iter().filter_map(|file| fs::read(file).ok());
    let contents: Vec<_> = contents.map(|bytes| bytes.to_ascii_lowercase()).collect();
    let has = |word: &&&str| {
        contents.iter().any(|bytes| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
    };
    WORDS.iter().filter(has).copied().collect()
}

#[both]
fn nothing_of_an_erased_customer_is_left_and_the_certificate_says_so() {
    let folder = Folder::new();
    let url = format!("[files]\nurl = 'file://{}'\n", folder.path("store").display());
    folder.write("zoop.toml", &url);
    let (tenant, _, key) = folder.business();
    folder.write("customers.csv", FILE);
    folder.json(&["import", "customers.csv", "--yes"]);
    let mut server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let search = client.ask("customers.search", &json!({ "q": "Qanzorb" }));
    let id = text(&search["rows"][0], "id");
    let note = json!({ "subject_type": "customer", "subject_id": id, "body": "Called.",
                       "idempotency_key": "a" });
    let note = client.ask("notes.create", &note);
    let target = format!("{}/api/notes/{}/files", server.url, text(&note, "id"));
    let post = ureq::post(&target).header("Authorization", format!("Bearer {key}"));
    let post = post.header("Content-Disposition", "attachment; filename=\"code.txt\"");
    post.send("The glorptext is 4711.").expect("an answer");
    assert_eq!(found(&folder), WORDS, "the test can see all of them");
    let others = json!({ "q": "Jane" });
    let before = client.ask("customers.search", &others);

    // The server runs meanwhile.
    let number = text(&search["rows"][0], "customer_number");
    let erase = ["erase", "--customer", &number];
    let dry = folder.json(&[&erase[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["erased"], &dry["notes"], &dry["files"]),
        (&json!(false), &json!(2), &json!(1)),
        "{dry}"
    );
    assert_eq!(found(&folder), WORDS);
    let certificate = ["--certificate", "certificate.json", "--yes"];
    let erased = folder.json(&[&erase[..], &certificate].concat());
    assert_eq!(erased["tenant_id"], json!(tenant));
    for name in
        ["id", "customer_number", "customers", "contacts", "locations", "notes", "files", "entries"]
    {
        assert_eq!(erased[name], dry[name], "{name}");
    }
    let done = (&erased["erased"], &erased["contents"], &erased["is_rewritten"]);
    assert_eq!(done, (&json!(true), &json!(1), &json!(true)));
    assert!(erased["rewritten_at"].is_string() && erased["rewrite_due_at"].is_null(), "{erased}");
    let written = fs::read_to_string(folder.path("certificate.json")).expect("the certificate");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), erased);
    assert_eq!(found(&folder), Vec::<&str>::new());
    assert_eq!(client.ask("customers.search", &others), before);
    server.terminate();
    assert!(server.wait().success());

    let again = folder.zoop(&erase);
    assert!(again.failure().contains("there is no customer called"), "{}", again.stderr);
    let named = folder.zoop(&["erase", "--customer", "Jane Doe", "--dry-run"]);
    assert!(named.failure().contains("by its number, such as C-0042"), "{}", named.stderr);
    let again = folder.zoop(&["erase", "--customer", &id, "--yes"]);
    assert!(again.failure().contains("there is no such customer"), "{}", again.stderr);
    folder.json(&["erase", "--finish"]);
    // What was imported is not known any more, so the same file brings the customer back, and only this one.
    let imported = folder.json(&["import", "customers.csv", "--yes"]);
    assert_eq!(imported["added"], json!(1), "{imported}");
    let there =
        folder.zoop(&["erase", "--customer", "C-0003", "--certificate", "certificate.json"]);
    assert!(there.failure().contains("certificate.json"), "no other certificate is replaced");
    folder.json(&["export", "--to", "export"]);
    let shown = folder.zoop(&["erase", "--customer", "C-0003"]);
    assert!(shown.stdout.contains("Backups, copies and exports made before"), "{}", shown.stdout);
}

/// A script for SQLite or PostgreSQL.
fn change(folder: &Folder, [sqlite, postgres]: [&str; 2]) {
    match folder.server() {
        None => {
            let file = rusqlite::Connection::open(folder.path("zoop.db")).expect("the file");
            file.execute_batch(sqlite).expect("a change");
        }
        Some(server) => drop(server.run_as_superuser(postgres).expect("a change")),
    }
}

#[both]
fn a_command_that_fails_deletes_the_content_of_what_is_erased() {
    let folder = Folder::new();
    let url = format!("[files]\nurl = 'file://{}'\n", folder.path("store").display());
    folder.write("zoop.toml", &url);
    let (_, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let new = json!({ "customer_type": "individual", "first_name": "Qanzorb", "last_name": "Doe" });
    let id = text(&client.ask("customers.create", &new), "id");
    let note = json!({ "subject_type": "customer", "subject_id": id, "body": "Called." });
    let note = client.ask("notes.create", &note);
    let target = format!("{}/api/notes/{}/files", server.url, text(&note, "id"));
    let post = ureq::post(&target).header("Authorization", format!("Bearer {key}"));
    let post = post.header("Content-Disposition", "attachment; filename=\"code.txt\"");
    post.send("The glorptext is 4711.").expect("an answer");
    server.terminate();
    assert!(server.wait().success());
    // The last step fails.
    change(
        &folder,
        [
            "CREATE TRIGGER failing BEFORE UPDATE ON customers WHEN NEW.erased_at IS NOT NULL \
             BEGIN SELECT RAISE(ABORT, 'no'); END",
            "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN RAISE EXCEPTION ''no''; END'; \
             CREATE TRIGGER failing BEFORE UPDATE ON customers FOR EACH ROW \
             WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION failing()",
        ],
    );
    let stored = || {
        let mut all = Vec::new();
        files(&folder.path("store"), &mut all);
        let contents = all.iter().filter_map(|file| fs::read_to_string(file).ok());
        contents.filter(|content| content.contains("glorptext")).count()
    };
    assert_eq!(stored(), 1);
    let erase = ["erase", "--customer", &id, "--yes"];
    folder.zoop(&erase).failure();
    assert_eq!(stored(), 0);
    change(&folder, ["DROP TRIGGER failing", "DROP TRIGGER failing ON customers"]);
    let dry = folder.json(&["erase", "--customer", &id, "--dry-run"]);
    let erased = folder.json(&erase);
    let counts = (&erased["notes"], &erased["files"], &erased["contents"]);
    assert_eq!(counts, (&json!(1), &json!(1), &json!(1)));
    assert_eq!(erased["entries"], dry["entries"]);
}
