//! `zoop backup` and `zoop restore-backup`.

use std::fs;
use std::os::unix::fs::symlink;

use zoop_crm::schema::MIGRATIONS;
use zoop_db::{Db, Migrate, Options};

use crate::env::{Folder, text};

/// The number of businesses in the database.
fn tenants(folder: &Folder) -> usize {
    folder.json(&["tenant", "list"])["rows"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_live_database_is_backed_up_and_restored() {
    let folder = Folder::new();
    let (_, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let made = folder.json(&["backup", "copy.db"]);
    assert_eq!(made["path"], "copy.db");
    let size = std::fs::metadata(folder.path("copy.db")).expect("the copy").len();
    assert_eq!(made["bytes"], size);
    assert_eq!(made["without_files_of"], serde_json::Value::Null, "there are no files");
    let answer = folder.zoop(&["backup", "copy.db"]);
    assert!(answer.failure().contains("--force"), "{}", answer.stderr);
    std::fs::create_dir(folder.path("zoop.db-files")).expect("the folder of files");
    let without_files = ["backup", "copy.db", "--force", "--without-files"];
    let made = folder.json(&without_files);
    assert_eq!(made["without_files_of"], "zoop.db-files");
    let told = folder.zoop(&without_files);
    assert!(told.stdout.contains("back up zoop.db-files too"), "{}", told.stdout);
    let answer = folder.zoop(&["backup", "zoop.db", "--force"]);
    assert!(answer.failure().contains("the database itself"), "{}", answer.stderr);
    let answer = folder.zoop(&["backup", "nowhere/copy.db"]);
    assert!(answer.failure().contains("no folder"), "{}", answer.stderr);

    folder.json(&[
        "tenant",
        "create",
        "--name",
        "Later",
        "--owner-name",
        "Later",
        "--owner-email",
        "later@example.com",
    ]);
    assert_eq!(tenants(&folder), 2);
    let answer = folder.zoop(&["restore-backup", "copy.db"]);
    assert!(answer.failure().contains("--force"), "{}", answer.stderr);
    let answer = folder.zoop(&["restore-backup", "copy.db", "--force"]);
    assert!(answer.failure().contains("stop the server"), "{}", answer.stderr);
    assert_eq!(tenants(&folder), 2, "nothing was replaced");

    server.terminate();
    assert!(server.wait().success());
    let restored = folder.json(&["restore-backup", "copy.db", "--force"]);
    assert_eq!((&restored["restored"], &restored["tenants"]), (&true.into(), &1.into()));
    assert_eq!(tenants(&folder), 1);

    let server = folder.serve(&[]);
    folder.json(&["call", "tags.list", "--url", &server.url, "--key", &key]);
    let leftovers: Vec<_> = std::fs::read_dir(folder.path(""))
        .expect("the folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("restoring") || name.contains("partial"))
        .collect();
    assert_eq!(leftovers, [""; 0]);
}

#[test]
fn a_file_that_is_not_a_backup_replaces_nothing() {
    let folder = Folder::new();
    folder.business();
    folder.write("text.db", &"this is no database at all ".repeat(100));
    folder.write("empty.db", "");
    for wrong in ["text.db", "empty.db", "missing.db"] {
        let answer = folder.zoop(&["restore-backup", wrong, "--force"]);
        assert!(answer.failure().contains(wrong), "{}", answer.stderr);
        assert_eq!(tenants(&folder), 1);
    }
}

#[test]
fn a_backup_can_be_restored_under_another_name() {
    let folder = Folder::new();
    let (tenant, ..) = folder.business();
    folder.json(&["backup", "copy.db"]);
    let other = ["--database", "sqlite://other.db"];
    folder.json(&[&["restore-backup", "copy.db"], &other[..]].concat());
    let list = folder.json(&[&["tenant", "list"], &other[..]].concat());
    assert_eq!(text(&list["rows"][0], "id"), tenant);
}

#[test]
fn the_doctor_finds_a_damaged_file_and_shows_no_password() {
    let folder = Folder::new();
    folder.business();
    assert_eq!(folder.zoop(&["doctor"]).code, 0);
    let path = folder.path("zoop.db");
    let mut bytes = std::fs::read(&path).expect("the database");
    let (from, to) = (bytes.len() / 2, bytes.len() * 9 / 10);
    bytes[from..to].fill(0xaa);
    std::fs::write(&path, bytes).expect("the damage is done");
    assert_eq!(folder.zoop(&["doctor"]).code, 1);
    let url = "postgres://zoop:secretpw@localhost/zoop";
    let answer = folder.zoop(&["tenant", "list", "--database", url]);
    assert!(!answer.failure().contains("secretpw"), "{}", answer.stderr);
}

/// A folder whose database has several names, a backup `copy.db` of it, and another database `other.db`.
fn folder_of_many_names() -> (Folder, [&'static str; 5]) {
    let folder = Folder::new();
    folder.business();
    folder.json(&["backup", "copy.db"]);
    folder.json(&["restore-backup", "copy.db", "--database", "sqlite://other.db"]);
    fs::create_dir(folder.path("current")).expect("a folder");
    symlink("../zoop.db", folder.path("current/x.db")).expect("a link");
    symlink(".", folder.path("here")).expect("a link to the folder");
    fs::hard_link(folder.path("zoop.db"), folder.path("hard.db")).expect("another name");
    (folder, ["zoop.db", "here/zoop.db", "./current/../zoop.db", "current/x.db", "hard.db"])
}

#[test]
fn a_database_in_use_is_noticed_under_every_name() {
    let (folder, names) = folder_of_many_names();
    let mut server = folder.serve(&["--database", "sqlite://current/x.db"]);
    for name in names {
        let url = format!("sqlite://{name}");
        for command in [
            &["restore-backup", "copy.db", "--force", "--database", &url][..],
            &["backup", name, "--force", "--database", "sqlite://other.db"],
            &["copy", "--from", "sqlite://other.db", "--to", &url],
            &["copy", "--from", &url, "--to", "sqlite://new.db"],
        ] {
            let answer = folder.zoop(command);
            assert!(answer.failure().contains("stop the server"), "{command:?}: {}", answer.stderr);
        }
        let answer = folder.zoop(&["tenant", "list", "--database", &url]);
        match name {
            "hard.db" => assert!(answer.failure().contains("another name"), "{}", answer.stderr),
            _ => assert_eq!(answer.code, 0, "{}", answer.stderr),
        }
    }
    server.terminate();
    assert!(server.wait().success());
    let restore = ["restore-backup", "copy.db", "--force", "--database", "sqlite://current/x.db"];
    folder.json(&restore);
    let link = fs::symlink_metadata(folder.path("current/x.db")).expect("a link");
    assert!(link.is_symlink(), "the link still leads to the database");
    assert_eq!(tenants(&folder), 1);
}

#[test]
fn a_backup_replaces_only_regular_files_and_none_of_a_database() {
    let (folder, _) = folder_of_many_names();
    let _server = folder.serve(&[]);
    symlink("zoop.db-wal", folder.path("log")).expect("a link");
    fs::hard_link(folder.path("zoop.db-wal"), folder.path("hard-log")).expect("another name");
    for name in [
        "zoop.db-wal",
        "zoop.db-shm",
        "zoop.db-lock",
        "zoop.db-journal",
        "here/zoop.db-wal",
        "current/x.db-wal",
        "log",
        "hard-log",
    ] {
        let answer = folder.zoop(&["backup", name, "--force"]);
        assert!(answer.failure().contains("belongs to the database"), "{name}: {}", answer.stderr);
    }
    for name in ["current/x.db", "here/zoop.db", "hard.db"] {
        let answer = folder.zoop(&["backup", name, "--force"]);
        assert!(answer.failure().contains("the database itself"), "{name}: {}", answer.stderr);
    }
    for name in ["/dev/null", "current"] {
        let answer = folder.zoop(&["backup", name, "--force"]);
        assert!(answer.failure().contains("not a regular file"), "{name}: {}", answer.stderr);
    }
    let answer = folder.zoop(&["tenant", "list", "--database", "sqlite:///dev/null"]);
    assert!(answer.failure().contains("not a regular file"), "{}", answer.stderr);
}

#[test]
fn a_database_path_is_never_taken_for_a_uri() {
    let folder = Folder::new();
    for name in ["file:z.db?mode=memory", "file:///z.db", ":memory:"] {
        let url = format!("sqlite://{name}");
        let run = |arguments: &[&str]| folder.zoop(&[arguments, &["--database", &url]].concat());
        if name.starts_with("file:///") {
            assert!(run(&["migrate"]).code == 1, "there is no folder `file:`");
            continue;
        }
        assert_eq!(run(&["migrate"]).code, 0);
        assert!(folder.path(name).is_file(), "{name}");
        assert_eq!(run(&["tenant", "list"]).code, 0, "the database was kept");
    }
}

#[test]
fn a_backup_with_a_log_is_restored_completely_and_left_unchanged() {
    let folder = Folder::new();
    folder.business();
    let mut server = folder.serve(&[]);
    let words = "tenant create --name Later --owner-name Later --owner-email later@example.com";
    folder.json(&words.split(' ').collect::<Vec<_>>());
    fs::create_dir(folder.path("kept")).expect("a folder");
    for name in ["zoop.db", "zoop.db-wal"] {
        fs::copy(folder.path(name), folder.path(&format!("kept/{name}"))).expect("a copy");
    }
    server.kill();
    let names = || {
        let entries = fs::read_dir(folder.path("kept")).expect("the folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    folder.json(&["restore-backup", "kept/zoop.db", "--database", "sqlite://new.db"]);
    assert_eq!(names(), before);
    let list = folder.json(&["tenant", "list", "--database", "sqlite://new.db"]);
    assert_eq!(list["rows"].as_array().map(Vec::len), Some(2), "{list}");
}

#[test]
fn a_stale_log_at_the_target_is_not_applied_to_a_backup() {
    let folder = Folder::new();
    folder.business();
    let create = |name: &str, email: &str| {
        let owner = ["--owner-name", name, "--owner-email", email];
        folder.json(&[&["tenant", "create", "--name", name][..], &owner].concat());
    };
    // While this process has the database open, a command leaves its rows in the log.
    let url = format!("sqlite://{}", folder.path("zoop.db").display());
    let open = Db::open(&url, &Options::default(), MIGRATIONS, Migrate::Refuse).expect("it opens");
    create("Second", "second@example.com");
    fs::copy(folder.path("zoop.db"), folder.path("b.db")).expect("a copy");
    let log = fs::copy(folder.path("zoop.db-wal"), folder.path("b.db-wal")).expect("its log");
    assert!(log > 0, "a log that could be replayed");
    drop(open);
    create("Third", "third@example.com");
    for ending in ["-shm", "-journal"] {
        folder.write(&format!("b.db{ending}"), "left by a process that is gone");
    }
    folder.json(&["backup", "b.db", "--force"]);
    for ending in ["-wal", "-shm", "-journal"] {
        assert!(!folder.path(&format!("b.db{ending}")).exists(), "{ending}");
    }
    folder.json(&["restore-backup", "b.db", "--database", "sqlite://new.db"]);
    let list = folder.json(&["tenant", "list", "--database", "sqlite://new.db"]);
    assert_eq!(list["rows"].as_array().map(Vec::len), Some(3), "{list}");

    // A log without its database is found too.
    folder.write("c.db-wal", "left");
    let answer = folder.zoop(&["backup", "c.db"]);
    assert!(answer.failure().contains("c.db-wal exists"), "{}", answer.stderr);
    assert!(folder.path("c.db-wal").exists() && !folder.path("c.db").exists());
    folder.json(&["backup", "c.db", "--force"]);
    assert!(!folder.path("c.db-wal").exists());
}
