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
/// What identifies the first of them: each value of the rows, of the notes and of the files. "brelquist" is in the picture
/// and "yubtrigg" in the file that was removed.
const WORDS: [&str; 12] = [
    "anzorb",
    "exilmont",
    "anzorb@example",
    "umblat",
    "rixnotch",
    "5105550123",
    "plimsquat",
    "lorptext",
    "trembaxe",
    "drimwock",
    "brelquist",
    "yubtrigg",
];
/// A picture of one pixel, with a comment.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0\x21\xfe\x09brelquist\0\
    \x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// What the files of the database and the store of files have, in lower case.
fn contents(folder: &Folder) -> Vec<Vec<u8>> {
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
    contents.map(|bytes| bytes.to_ascii_lowercase()).collect()
}

fn has(contents: &[Vec<u8>], bytes: &[u8]) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    contents.iter().any(|content| content.windows(bytes.len()).any(|part| part == bytes))
}

/// Those of the words that the database or the store of files has, in any case.
fn found(folder: &Folder) -> Vec<&'static str> {
    let contents = contents(folder);
    WORDS.into_iter().filter(|word| has(&contents, word.as_bytes())).collect()
}

/// Adds a file to a note. Returns its id.
fn add_file(server: &str, key: &str, note: &str, name: &str, content: &[u8]) -> String {
    let post = ureq::post(format!("{server}/api/notes/{note}/files"))
        .header("Authorization", format!("Bearer {key}"))
        .header("Content-Disposition", format!("attachment; filename=\"{name}\""));
    let answer = post.send(content).expect("an answer").into_body().read_to_string().expect("text");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    text(&answer, "id")
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
    let note = json!({ "subject_type": "customer", "subject_id": id, "body": "Plimsquat called.",
                       "idempotency_key": "a" });
    let note = client.ask("notes.create", &note);
    let note = text(&note, "id");
    let add = |name: &str, content: &[u8]| add_file(&server.url, &key, &note, name, content);
    add("trembaxe.txt", b"The glorptext is 4711.");
    let picture = add("drimwock.gif", GIF);
    let removed = add("old.txt", b"The yubtrigg is 4712.");
    client.ask("notes.remove_file", &json!({ "id": removed }));
    let thumbnail = ureq::get(format!("{}/files/{picture}/thumbnail", server.url))
        .header("Authorization", format!("Bearer {key}"));
    let thumbnail = thumbnail.call().expect("an answer").into_body().read_to_vec().expect("a JPEG");
    assert!(thumbnail.starts_with(b"\xff\xd8"), "{thumbnail:?}");
    assert!(has(&contents(&folder), &thumbnail), "it is kept in the store");
    assert_eq!(found(&folder), WORDS, "the test can see all of them");
    let others = json!({ "q": "Jane" });
    let before = client.ask("customers.search", &others);

    // The server runs meanwhile.
    let number = text(&search["rows"][0], "customer_number");
    let erase = ["erase", "--customer", &number];
    let dry = folder.json(&[&erase[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["erased"], &dry["notes"], &dry["files"]),
        (&json!(false), &json!(2), &json!(3)),
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
    assert_eq!(done, (&json!(true), &json!(3), &json!(true)));
    assert!(erased["rewritten_at"].is_string() && erased["rewrite_due_at"].is_null(), "{erased}");
    let written = fs::read_to_string(folder.path("certificate.json")).expect("the certificate");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), erased);
    assert_eq!(found(&folder), Vec::<&str>::new());
    assert!(!has(&contents(&folder), &thumbnail));
    let mut left = Vec::new();
    files(&folder.path("store"), &mut left);
    assert_eq!(left, Vec::<PathBuf>::new(), "the thumbnail and the removed file go too");
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
