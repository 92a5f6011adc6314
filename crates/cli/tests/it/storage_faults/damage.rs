//! A damaged file: intact parts are served, damage is reported, and a backup restores everything.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use super::{SETTINGS, create, customers, id};
use crate::client::Client;
use crate::env::{Folder, wait_until};

#[test]
fn the_refusal_of_an_unreadable_file_says_how_to_restore_it() {
    let folder = Folder::new();
    let (_, _, key) = folder.business();
    folder.json(&["backup", "copy.db"]);
    let good = fs::read(folder.path("zoop.db")).expect("the database");
    let damages: [(&str, Vec<u8>); 4] = [
        ("a header of another kind", [&[0xff; 100], &good[100..]].concat()),
        ("no page behind the first", [&good[..4096], &vec![0xa5; good.len() - 4096][..]].concat()),
        ("a file cut in half", good[..good.len() / 2].to_vec()),
        ("a file cut within its first page", good[..1000].to_vec()),
    ];
    for (damage, bytes) in damages {
        fs::write(folder.path("zoop.db"), bytes).expect("the damage is done");
        let answer = folder.zoop(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"]);
        let failure = answer.failure();
        assert!(failure.contains("zoop restore-backup"), "{damage}: {failure}");
        assert_eq!(failure.lines().count(), 1, "{damage}: {failure}");
        assert_eq!(folder.zoop(&["doctor"]).code, 1, "{damage}");
        folder.json(&["restore-backup", "copy.db", "--force"]);
        let server = folder.serve(&[]);
        create(&Client::new(&server.url, &key), "Acme").success();
    }
}

#[test]
fn damage_in_one_table_fails_only_its_calls() {
    let folder = Folder::new();
    let (_, _, key) = folder.business();
    let server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let customer = id(&create(&client, "Acme").success());
    client.ask("notes.create", &json!({ "body": "Gate code 4711" }));
    drop(server);
    let path = folder.path("zoop.db");
    overwrite_table(&path, "notes");

    let server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    for (tool, arguments) in
        [("notes.list", json!({})), ("notes.create", json!({ "body": "Another" }))]
    {
        let reply = client.call(tool, &arguments).expect("an answer");
        let result = &reply.body["result"];
        assert_eq!((reply.status, &result["isError"]), (200, &json!(true)), "{reply:?}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        assert!(text.contains(r#""kind":"internal""#) && text.contains("request_id"), "{text}");
        let line = server.log_line("a request failed");
        let says = |key: &str, what| line[key].as_str().is_some_and(|said| said.contains(what));
        assert!(says("cause", "damaged") && says("advice", "zoop doctor"), "{line}");
    }
    assert_eq!(customers(&client), [customer.as_str()]);
    let other = id(&create(&client, "Undamaged").success());
    assert_eq!(customers(&client), [other, customer]);
    drop(server);
    let doctor = folder.zoop(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("zoop restore-backup"), "{}", doctor.stdout);
}

#[test]
fn a_truncated_log_recovers_the_writes_before_the_cut() {
    let folder = Folder::new();
    folder.write("zoop.toml", SETTINGS);
    let (_, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let log = folder.path("zoop.db-wal");
    let size = || fs::metadata(&log).map_or(0, |file| file.len());
    let mut ids = Vec::new();
    let mut sizes = Vec::new();
    wait_until("the log contains writes that no checkpoint has moved", || {
        let before = size();
        ids.push(id(&create(&client, "Acme").success()));
        if size() <= before {
            sizes.clear();
        }
        sizes.push(size());
        sizes.len() == 20
    });
    server.kill();
    let kept = ids.len() - 10;
    let cut = sizes[9] + 1000;
    fs::OpenOptions::new().write(true).open(&log).expect("the log").set_len(cut).expect("a cut");

    let server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    ids.truncate(kept);
    ids.reverse();
    assert_eq!(customers(&client), ids);
    let after = id(&create(&client, "After").success());
    assert_eq!(customers(&client)[0], after);
    assert_eq!(folder.zoop(&["doctor"]).code, 0);
}

/// Overwrites the page of one small table.
fn overwrite_table(path: &Path, table: &str) {
    let file = Connection::open(path).expect("the database");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let root: usize =
        file.query_row(sql, [table], |row| row.get::<_, u32>(0)).expect("a table") as usize;
    drop(file);
    let mut bytes = fs::read(path).expect("the database");
    // A table this small has one page.
    bytes[(root - 1) * 4096..root * 4096].fill(0xa5);
    fs::write(path, bytes).expect("the damage is done");
}
