//! A full disk, and a read-only one.

use std::fs::{self, OpenOptions};
use std::thread;

use serde_json::{Value, json};

use super::volume::Volume;
use super::{
    SETTINGS, assert_unavailable, create, customers, id, logged_problems, skip_logged_problems,
};
use crate::client::{Client, get};

/// The number of writes attempted while the disk is full.
const REFUSED: usize = 200;

#[test]
fn a_full_disk_refuses_writes_and_serves_reads_until_there_is_space_again() {
    let volume = Volume::new(16);
    volume.write("zoop.toml", SETTINGS);
    let (_, _, key) = volume.folder.business();
    let server = volume.folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let mut answered: Vec<_> =
        (0..20).map(|number| id(&create(&client, &format!("Before {number}")).success())).collect();
    volume.fill();
    // Writes that fit into the existing log are still accepted.
    let refusal = loop {
        let reply = create(&client, "Squeezed in");
        if reply.status != 200 {
            break reply;
        }
        answered.push(id(&reply.success()));
    };
    assert_unavailable(&refusal);
    skip_logged_problems(&server, &client);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = Client::new(&server.url, &key);
                for _ in 0..REFUSED / 8 {
                    assert_unavailable(&create(&client, "Refused"));
                }
            });
        }
    });
    answered.reverse();
    assert_eq!(customers(&client), answered, "reads continue");
    assert_eq!(
        logged_problems(&server, &client),
        [Value::Null; 0],
        "the incident was logged when it began"
    );
    let (status, ready) = get(&server.url, "/readyz");
    assert_eq!((status, ready.contains("storage")), (200, true), "{ready}");

    volume.free();
    let after = id(&create(&client, "After").success());
    answered.insert(0, after);
    assert_eq!(customers(&client), answered);
    let end = logged_problems(&server, &client);
    assert_eq!(end.len(), 1, "{end:?}");
    assert_eq!(end[0]["message"], "the storage accepts writes again");
    assert_eq!(get(&server.url, "/readyz"), (200, r#"{"status":"ready"}"#.to_owned()));
    // Killing the server loses no answered write.
    drop(server);
    let server = volume.folder.serve(&[]);
    assert_eq!(customers(&Client::new(&server.url, &key)), answered);
}

#[test]
fn a_database_that_has_filled_its_disk_recovers_when_the_disk_grows() {
    let volume = Volume::new(24);
    volume.write("zoop.toml", SETTINGS);
    let (_, _, key) = volume.folder.business();
    let server = volume.folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let customer = id(&create(&client, "Acme").success());
    let note = json!({ "body": "filler ".repeat(14_000) });
    let write = || client.call("notes.create", &note).expect("an answer");
    // A checkpoint may still make room after a refused write, so the disk counts as full only after this many
    // refusals in a row.
    let (mut notes, mut recoveries, mut refused) = (0, 0, 0);
    while refused <= REFUSED / 5 {
        let reply = write();
        if reply.status == 200 {
            reply.success();
            notes += 1;
            recoveries += usize::from(refused > 0);
            refused = 0;
        } else {
            assert_unavailable(&reply);
            refused += 1;
        }
    }
    assert_eq!(customers(&client), [customer]);
    let problems = logged_problems(&server, &client);
    // A small write that still fits, such as a key's last use, ends the outage for a moment.
    let changes = 6 + 2 * recoveries;
    assert!(
        problems.len() <= changes,
        "one line for each change, not for each refusal: {problems:?}"
    );

    volume.remount("size=64m");
    write().success();
    let page = client.ask("notes.list", &json!({ "limit": 100, "q": "filler" }));
    let mut listed = page["rows"].as_array().expect("rows").len();
    let mut cursor = page["nextCursor"].clone();
    while cursor.is_string() {
        let page = client.ask("notes.list", &json!({ "limit": 100, "cursor": cursor }));
        listed += page["rows"].as_array().expect("rows").len();
        cursor = page["nextCursor"].clone();
    }
    assert_eq!(listed, notes + 1);
    assert_eq!(volume.folder.zoop(&["doctor"]).code, 1, "the doctor reports too little free space");
}

#[test]
fn a_start_on_a_full_disk_says_so_and_works_when_there_is_space() {
    let volume = Volume::new(2);
    volume.fill();
    let answer = volume.folder.zoop(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"]);
    assert!(answer.failure().contains("full"), "{}", answer.stderr);
    volume.free();
    drop(volume.folder.serve(&["--ops-listen", "none"]));
}

#[test]
fn a_read_only_folder_is_reported_and_works_once_it_is_writable() {
    let volume = Volume::new(4);
    let (_, _, key) = volume.folder.business();
    volume.remount("ro");
    for command in
        [&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"][..], &["tenant", "list"]]
    {
        let answer = volume.folder.zoop(command);
        let failure = answer.failure();
        assert!(failure.contains("Read-only") && failure.contains("zoop doctor"), "{failure}");
    }
    let doctor = volume.folder.zoop(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("is not writable"), "{}", doctor.stdout);
    volume.remount("rw");
    let server = volume.folder.serve(&[]);
    create(&Client::new(&server.url, &key), "Acme").success();
}

#[test]
fn a_backup_that_does_not_fit_leaves_nothing_behind_and_writes_continue() {
    let volume = Volume::new(16);
    volume.write("zoop.toml", SETTINGS);
    let (_, _, key) = volume.folder.business();
    let server = volume.folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let note = json!({ "body": "filler ".repeat(14_000) });
    for _ in 0..20 {
        client.ask("notes.create", &note);
    }
    volume.fill();
    let ballast = OpenOptions::new().write(true).open(volume.path("ballast")).expect("the ballast");
    let left = ballast.metadata().expect("its size").len() - (512 << 10);
    ballast.set_len(left).expect("some space");
    let names = || {
        let folder = volume.path("zoop.db").parent().expect("its folder").to_owned();
        let entries = fs::read_dir(folder).expect("the folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let answer = volume.folder.zoop(&["backup", "copy.db"]);
    assert!(answer.failure().contains("full"), "{}", answer.stderr);
    assert_eq!(names(), before, "no partial backup and no journal is left");
    create(&client, "After").success();
}

#[test]
fn a_backup_is_restored_from_a_read_only_folder() {
    let volume = Volume::new(8);
    volume.folder.business();
    volume.folder.json(&["backup", "copy.db"]);
    volume.remount("ro");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite://{}", elsewhere.path().join("zoop.db").display());
    volume.folder.json(&["restore-backup", "copy.db", "--database", &database]);
    let list = volume.folder.json(&["tenant", "list", "--database", &database]);
    assert_eq!(list["rows"].as_array().map(Vec::len), Some(1), "{list}");
    let answer = volume.folder.zoop(&["restore-backup", "copy.db", "--force"]);
    assert!(answer.failure().contains("Read-only"), "{}", answer.stderr);
}
