//! `zoop copy`: from one engine to the other and back, and what an interrupted copy leaves behind.

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::Client;
use crate::env::{Folder, Server, database, text, wait_until};

/// A folder with the sample business in `zoop.db`, and its owner's key.
fn sample() -> (Folder, String) {
    let folder = Folder::new();
    let mut server = Server::start(folder.command(&["demo", "--listen", "127.0.0.1:0", "--json"]));
    let welcome: Value = serde_json::from_str(&server.line()).expect("a JSON object");
    server.terminate();
    assert!(server.wait().success());
    (folder, text(&welcome, "user_key"))
}

/// Copies a database; returns the copied tables.
#[track_caller]
fn copy_tables(folder: &Folder, from: &str, to: &str) -> Value {
    folder.json(&["copy", "--from", from, "--to", to])["tables"].clone()
}

/// A server's answers to searches and lists.
fn answers(folder: &Folder, url: &str, key: &str) -> Vec<Value> {
    let server = folder.serve(&["--database", url]);
    let client = Client::new(&server.url, key);
    let ask = |(tool, arguments): (&str, Value)| client.ask(tool, &arguments);
    [
        ("customers.search", json!({ "q": "nguyen" })),
        ("customers.search", json!({ "q": "a", "limit": 100 })),
        ("customers.search", json!({ "q": "555" })),
        ("notes.list", json!({ "q": "gate", "limit": 100 })),
        ("notes.list", json!({ "pinned": true, "limit": 100 })),
        ("tags.list", json!({})),
    ]
    .map(ask)
    .into()
}

#[test]
fn a_database_moves_to_the_other_engine_and_back() {
    let (folder, key) = sample();
    let (one, two) = (database(), database());
    let there = copy_tables(&folder, "sqlite://zoop.db", one.url());
    let rows = |name: &str| {
        let table = there.as_array().expect("tables").iter().find(|table| table["table"] == name);
        table.expect("the table")["rows"].as_u64().expect("a number")
    };
    assert!(rows("customers") > 100 && rows("notes") > 100 && rows("api_keys") > 1, "{there}");
    for (from, to) in [
        (one.url(), two.url()),
        (two.url(), "sqlite://back.db"),
        ("sqlite://back.db", "sqlite://again.db"),
    ] {
        assert_eq!(copy_tables(&folder, from, to), there, "rows and checksums of {from} and {to}");
    }
    let expected = answers(&folder, "sqlite://zoop.db", &key);
    for url in [one.url(), two.url(), "sqlite://back.db", "sqlite://again.db"] {
        assert_eq!(answers(&folder, url, &key), expected, "{url}");
    }
    let shown = folder.zoop(&["copy", "--to", "sqlite://third.db"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("customer_tags") && shown.stdout.contains("CHECKSUM"));
}

#[test]
fn a_refused_copy_says_what_to_do() {
    let folder = Folder::new();
    folder.business();
    let (empty, old) = (database(), database());
    let assert_refused = |from: &str, to: &str, hint: &str| {
        let answer = folder.zoop(&["copy", "--from", from, "--to", to]);
        assert!(answer.failure().contains(hint), "{hint}: {}", answer.stderr);
    };
    assert_refused("sqlite://nothing.db", empty.url(), "there is no database nothing.db");
    assert_refused(empty.url(), "sqlite://new.db", "zoop migrate");
    assert_refused("sqlite://zoop.db", "sqlite://zoop.db", "the source itself");
    folder.json(&["copy", "--to", empty.url()]);
    assert_refused("sqlite://zoop.db", empty.url(), "is not empty");
    folder.write("other.db", "");
    folder.json(&["migrate", "--database", "sqlite://other.db"]);
    folder.json(&["copy", "--to", "sqlite://other.db"]);
    assert_refused(empty.url(), "sqlite://other.db", "is not empty");
    old.run("CREATE TABLE theirs (n integer)").expect("a table");
    assert_refused("sqlite://zoop.db", old.url(), "another program's tables");
    let server = folder.serve(&[]);
    assert_refused(empty.url(), "sqlite://zoop.db", "stop the server");
    drop(server);
    assert!(!folder.path("nothing.db").exists());
}

/// Starts a copy that will not end, kills it as soon as `has_begun` is true, and checks that the result cannot be
/// opened as a database.
fn kill_copy(folder: &Folder, target: &str, has_begun: impl FnMut() -> bool) {
    let mut copying = Server::start(folder.command(&["copy", "--to", target]));
    wait_until("the copy has begun", has_begun);
    copying.kill();
    for command in [
        &["tenant", "list"][..],
        &["migrate"],
        &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"],
    ] {
        let answer = folder.zoop(&[command, &["--database", target]].concat());
        assert!(answer.failure().contains("never finished"), "{command:?}: {}", answer.stderr);
    }
    let answer = folder.zoop(&["copy", "--from", "sqlite://zoop.db", "--to", target]);
    assert!(answer.failure().contains("`zoop copy` again"), "{}", answer.stderr);
}

#[test]
fn a_killed_copy_on_postgresql_is_marked_incomplete() {
    let folder = Folder::new();
    folder.business();
    let target = database();
    folder.json(&["migrate", "--database", target.url()]);
    let hold = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
                CREATE TRIGGER hold BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION hold()";
    target.run(hold).expect("a trigger");
    let asleep = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    kill_copy(&folder, target.url(), || target.run(asleep).expect("a count").trim() == "1");
    let keys = target.run("SELECT count(*) FROM api_keys").expect("a count");
    assert_eq!(keys.trim(), "0", "no key was copied");
    let tenants = target.run("SELECT count(*) FROM tenants").expect("a count");
    assert_eq!(tenants.trim(), "1", "the copy was interrupted in the middle");
}

#[test]
fn a_killed_copy_on_sqlite_is_marked_incomplete() {
    let folder = Folder::new();
    folder.business();
    folder.json(&["migrate", "--database", "sqlite://copy.db"]);
    let file = rusqlite::Connection::open(folder.path("copy.db")).expect("the target");
    file.execute_batch(
        "CREATE VIEW endless AS
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT i FROM n;
         CREATE TRIGGER hold BEFORE INSERT ON api_keys BEGIN SELECT count(*) FROM endless; END;",
    )
    .expect("a trigger");
    let tenants = || {
        let count = file.query_row("SELECT count(*) FROM tenants", [], |row| row.get::<_, i64>(0));
        count.expect("a count") == 1
    };
    kill_copy(&folder, "sqlite://copy.db", tenants);
}

#[both]
fn a_source_in_use_is_copied_only_on_request() {
    let folder = Folder::new();
    folder.business();
    let server = folder.serve(&[]);
    let copy = ["copy", "--to", "sqlite://new.db"];
    let answer = folder.zoop(&copy);
    let failure = answer.failure();
    assert!(
        failure.contains("stop the server") && failure.contains("--while-running"),
        "{failure}"
    );
    assert!(!folder.path("new.db").exists());
    let answer = folder.zoop(&[&copy[..], &["--while-running"]].concat());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("were not copied"), "{}", answer.stdout);
    drop(server);
    let url = ["copy", "--to", "sqlite://later.db"];
    wait_until("the database is free", || folder.zoop(&url).code == 0);
}
