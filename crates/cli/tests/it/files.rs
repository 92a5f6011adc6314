//! The content of files on notes in `zoop backup`, `restore-backup`, `copy` and `doctor`, and to which database a store
//! belongs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::Client;
use crate::env::{Folder, Server, database, text, wait_until};

const TEXT: &str = "The code is 4711.";

/// A business with files on a note, in the folder's own store.
struct Files {
    folder: Folder,
    tenant: String,
    key: String,
    /// The files' ids.
    ids: Vec<String>,
}

impl Files {
    /// Two files, in the folder `store`.
    fn new() -> Self {
        let folder = Folder::new();
        let url = format!("[files]\nurl = 'file://{}'\n", folder.path("store").display());
        folder.write("zoop.toml", &url);
        Self::add(folder)
    }

    /// Two files, in the folder beside the database's file.
    fn beside() -> Self {
        Self::add(Folder::new())
    }

    fn add(folder: Folder) -> Self {
        let (tenant, _, key) = folder.business();
        let server = folder.serve(&[]);
        let note =
            Client::new(&server.url, &key).ask("notes.create", &json!({ "body": "Gate sticks." }));
        let target = format!("{}/api/notes/{}/files", server.url, text(&note, "id"));
        let upload = |_| {
            let post = ureq::post(&target).header("Authorization", format!("Bearer {key}"));
            let post = post.header("Content-Disposition", "attachment; filename=\"code.txt\"");
            let reply = post.send(TEXT).expect("an answer").into_body().read_to_string();
            let added = serde_json::from_str(&reply.expect("a body")).expect("JSON");
            text(&added, "id")
        };
        let ids = (0..2).map(upload).collect();
        stop(server);
        Self { folder, tenant, key, ids }
    }

    /// The content of a file in a store of the folder.
    fn content(&self, store: &str, file: usize) -> PathBuf {
        self.folder.path(store).join(&self.tenant).join(&self.ids[file])
    }

    /// How many of the files a server sends whole.
    fn sent(&self, settings: &[&str]) -> usize {
        let server = self.folder.serve(settings);
        let get = |id: &String| {
            let get = ureq::get(format!("{}/files/{id}", server.url));
            let reply = get.header("Authorization", format!("Bearer {}", self.key)).call();
            reply.is_ok_and(|it| it.into_body().read_to_string().is_ok_and(|body| body == TEXT))
        };
        let sent = self.ids.iter().filter(|id| get(id)).count();
        stop(server);
        sent
    }

    /// One of the doctor's checks.
    fn check(&self, name: &str) -> Value {
        let answer = self.folder.zoop(&["doctor", "--json"]);
        let report: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        let mut checks = report["checks"].as_array().expect("checks").iter();
        checks.find(|check| check["name"] == name).cloned().unwrap_or_default()
    }
}

fn stop(mut server: Server) {
    server.terminate();
    assert!(server.wait().success());
}

fn is_text(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|content| content == TEXT)
}

#[test]
fn a_backup_has_the_files_and_a_restored_database_too() {
    let files = Files::beside();
    let folder = &files.folder;
    // A thumbnail can be made again, so no backup has it.
    let thumbnail = |store| files.content(store, 0).with_extension("320.jpg");
    fs::write(thumbnail("zoop.db-files"), "a smaller copy").expect("written");
    let made = folder.json(&["backup", "copy.db"]);
    let whole = json!({
        "folder": "copy.db-files", "copied": 2, "bytes": 2 * TEXT.len(), "already_there": 0, "missing": 0,
    });
    assert_eq!(made["files"], whole);
    assert_eq!(made["without_files_of"], Value::Null);
    assert!((0..2).all(|file| is_text(&files.content("copy.db-files", file))));
    assert!(!thumbnail("copy.db-files").exists());
    let again = folder.zoop(&["backup", "copy.db", "--force"]).stdout;
    assert!(
        again.contains("copy.db-files with 0 files (0 bytes), 2 were there already"),
        "{again}"
    );
    fs::write(files.content("copy.db-files", 0), "half").expect("an interrupted copy");
    assert_eq!(folder.json(&["backup", "copy.db", "--force"])["files"]["copied"], 1);
    assert!(is_text(&files.content("copy.db-files", 0)));

    let without = folder.zoop(&["backup", "none.db", "--without-files"]).stdout;
    assert!(without.contains("not in it: back up zoop.db-files too"), "{without}");
    assert!(!folder.path("none.db-files").exists());
    let leftovers = fs::read_dir(folder.path("")).expect("the folder");
    let leftovers = leftovers.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().contains("partial")
    });
    assert_eq!(leftovers.count(), 0, "reading the backup leaves nothing beside it");

    let other = ["--database", "sqlite://other.db"];
    let restored = folder.json(&[&["restore-backup", "copy.db"], &other[..]].concat());
    assert_eq!(
        (&restored["files"]["copied"], &restored["files"]["missing"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(files.sent(&other), 2);
    let bare = folder.zoop(&["restore-backup", "none.db", "--database", "sqlite://bare.db"]);
    assert!(
        bare.stdout.contains("the backup has no files, because there is no"),
        "{}",
        bare.stdout
    );
    assert!(bare.stdout.contains("the content of 2 of 2 files is missing"), "{}", bare.stdout);

    fs::remove_file(files.content("zoop.db-files", 1)).expect("removed");
    for json in [&[][..], &["--json"]] {
        let part = folder.zoop(&[&["backup", "part.db", "--force"], json].concat());
        assert_eq!(part.code, 0, "{}", part.stderr);
        let missing =
            format!("missing in zoop.db-files, so it is not in the copy: {}", files.tenant);
        assert!(part.stderr.contains("the content of 1 file is"), "{}", part.stderr);
        assert!(part.stderr.contains(&missing), "{}", part.stderr);
        assert!(part.stderr.contains(&files.ids[1]) && !part.stderr.contains(&files.ids[0]));
    }
}

#[test]
fn a_backup_of_an_older_schema_has_all_content_of_the_store() {
    let files = Files::beside();
    let file = rusqlite::Connection::open(files.folder.path("zoop.db")).expect("the database");
    file.execute_batch(
        "DROP TABLE database_identity; DELETE FROM schema_steps WHERE name = '0014_database_identity'",
    )
    .expect("an older schema");
    drop(file);
    let made = files.folder.json(&["backup", "copy.db"]);
    assert_eq!(made["files"]["copied"], 2, "{made}");
    assert!((0..2).all(|file| is_text(&files.content("copy.db-files", file))));
}

#[test]
fn a_backup_is_not_written_into_the_store_itself() {
    let files = Files::beside();
    let store = files.folder.path("copy.db-files");
    fs::rename(files.folder.path("zoop.db-files"), &store).expect("moved");
    files.folder.write("zoop.toml", &format!("[files]\nurl = 'file://{}'\n", store.display()));
    let answer = files.folder.zoop(&["backup", "copy.db"]);
    assert!(answer.failure().contains("is the store of the files itself"), "{}", answer.stderr);
}

#[test]
fn a_copy_has_the_files_in_a_store_of_its_own() {
    let files = Files::beside();
    let folder = &files.folder;
    let copied = folder.json(&["copy", "--to", "sqlite://new.db"]);
    assert_eq!((&copied["files"]["copied"], &copied["files"]["missing"]), (&json!(2), &json!(0)));
    assert_eq!(files.sent(&["--database", "sqlite://new.db"]), 2);

    let (there, elsewhere) = (database(), database());
    let told = folder.zoop(&["copy", "--to", there.url()]).stdout;
    assert!(told.contains("2 files on notes is in zoop.db-files and was not copied"), "{told}");
    let store = format!("file://{}", folder.path("moved").display());
    let copied = folder.json(&["copy", "--to", elsewhere.url(), "--files-to", &store]);
    assert_eq!(copied["files"]["copied"], 2);
    assert!((0..2).all(|file| is_text(&files.content("moved", file))));
}

#[both]
fn a_store_belongs_to_one_database_until_another_adopts_it() {
    let files = Files::new();
    let folder = &files.folder;
    let server = folder.serve(&[]);
    wait_until("the store belongs to it", || folder.path("store/zoop-database").exists());
    stop(server);
    assert_eq!(files.check("owner of files")["warning"], Value::Null);
    let mark = || fs::read_to_string(folder.path("store/zoop-database")).expect("a mark");
    let owner = mark();

    let copy = ["--database", "sqlite://copy.db"];
    let told = folder.zoop(&["copy", "--to", "sqlite://copy.db"]).stdout;
    assert!(told.contains("for both databases. The copy deletes nothing there"), "{told}");
    let server = folder.serve(&copy);
    let warned = server.log_line("the file store belongs to another database");
    assert!(text(&warned, "message").contains("`zoop files adopt`"), "{warned}");
    stop(server);
    assert_eq!(mark(), owner);
    let doctor = folder.zoop(&[&["doctor"][..], &copy].concat());
    assert!(doctor.stdout.contains("! owner of files: ") && doctor.code == 0, "{}", doctor.stdout);

    let adopted = folder.json(&[&["files", "adopt"][..], &copy].concat());
    assert_eq!(adopted["adopted"], true);
    assert_ne!(mark(), owner);
    let doctor = folder.zoop(&[&["doctor"][..], &copy].concat()).stdout;
    assert!(doctor.contains("✓ owner of files: "), "{doctor}");
    assert_eq!(files.check("owner of files")["warning"], true);
    folder.json(&["files", "adopt"]);
    assert_eq!(mark(), owner, "its id is still the same");
    folder.json(&["files", "release"]);
    assert_eq!((&files.check("owner of files")["warning"], mark()), (&json!(true), owner));
}

/// The id of the database in a file.
fn id(file: &Path) -> Vec<u8> {
    let file = rusqlite::Connection::open(file).expect("a database");
    file.query_row("SELECT id FROM database_identity", [], |row| row.get(0)).expect("an id")
}

#[test]
fn a_backup_and_a_copied_file_are_other_databases_and_a_renamed_one_is_not() {
    let files = Files::new();
    let folder = &files.folder;
    folder.json(&["files", "adopt"]);
    folder.json(&["backup", "backup.db"]);
    assert_ne!(id(&folder.path("backup.db")), id(&folder.path("zoop.db")));
    assert!(!folder.path("backup.db-wal").exists(), "it is whole without a log");
    fs::copy(folder.path("zoop.db"), folder.path("copy.db")).expect("copied");
    assert_eq!(id(&folder.path("copy.db")), id(&folder.path("zoop.db")));
    let owner = |database: &str| {
        let database = format!("sqlite://{database}");
        let answer = folder.zoop(&["doctor", "--database", &database]).stdout;
        let line = answer.lines().find(|line| line.contains("owner of files")).expect("a check");
        line.trim().chars().next().expect("a mark")
    };
    assert_eq!(["zoop.db", "backup.db", "copy.db"].map(owner), ['✓', '!', '!']);
    fs::rename(folder.path("zoop.db"), folder.path("renamed.db")).expect("renamed");
    assert_eq!(owner("renamed.db"), '✓');
}

#[test]
fn a_restored_backup_is_another_database() {
    let files = Files::new();
    let folder = &files.folder;
    folder.json(&["files", "adopt"]);
    folder.json(&["backup", "copy.db"]);
    let restored = folder.zoop(&["restore-backup", "copy.db", "--force"]);
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    assert!(restored.stderr.contains("run `zoop files adopt`"), "{}", restored.stderr);
    assert_eq!(files.check("owner of files")["warning"], true);
    folder.json(&["files", "adopt"]);
    assert_eq!(files.check("owner of files")["warning"], Value::Null);
}

#[both]
fn the_doctor_finds_content_that_is_missing() {
    let files = Files::new();
    let whole = files.check("content of files");
    assert_eq!(whole["ok"], true, "{whole}");
    fs::remove_file(files.content("store", 0)).expect("removed");
    fs::write(files.content("store", 1), "half").expect("damaged");
    let missing = files.check("content of files");
    let detail = text(&missing, "detail");
    assert_eq!(missing["ok"], false);
    assert!(detail.contains("the content of 2 of 2 files on notes is missing"), "{detail}");
    assert!(files.ids.iter().all(|id| detail.contains(id)), "{detail}");
    assert_eq!(files.folder.zoop(&["doctor"]).code, 1);
}

#[test]
fn a_variable_that_is_not_text_is_no_reason_to_stop() {
    let folder = Folder::new();
    folder.business();
    folder.write("zoop.toml", "[files]\nurl = 's3://photos'\nendpoint = 'http://127.0.0.1:1'\n");
    let mut command = folder.command(&["doctor"]);
    command.env("ODD", OsStr::from_bytes(b"\xff")).env("AWS_ACCESS_KEY_ID", "key");
    let output = command.env("AWS_SECRET_ACCESS_KEY", "secret").output().expect("zoop runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("✗ files: files on notes cannot be stored in s3://photos"), "{told}");
}
