//! `zoop backup` and `zoop restore-backup`.

use crate::world::{Folder, text};

/// The number of businesses in the database.
fn tenants(folder: &Folder) -> usize {
    folder.json(&["tenant", "list"])["rows"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_live_database_is_copied_and_put_back() {
    let folder = Folder::new();
    let (_, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let made = folder.json(&["backup", "copy.db"]);
    assert_eq!(made["path"], "copy.db");
    let size = std::fs::metadata(folder.path("copy.db")).expect("the copy").len();
    assert_eq!(made["bytes"], size);
    let answer = folder.zoop(&["backup", "copy.db"]);
    assert!(answer.failure().contains("--force"), "{}", answer.stderr);
    folder.json(&["backup", "copy.db", "--force"]);
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
fn what_is_no_backup_replaces_nothing() {
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
fn a_backup_can_become_a_database_of_another_name() {
    let folder = Folder::new();
    let (tenant, ..) = folder.business();
    folder.json(&["backup", "copy.db"]);
    let other = ["--database", "sqlite://other.db"];
    folder.json(&[&["restore-backup", "copy.db"], &other[..]].concat());
    let list = folder.json(&[&["tenant", "list"], &other[..]].concat());
    assert_eq!(text(&list["rows"][0], "id"), tenant);
}

#[test]
fn a_damaged_file_is_found_by_the_doctor_and_a_password_is_told_to_nobody() {
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
