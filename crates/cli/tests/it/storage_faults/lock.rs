//! Another program that holds the database's write lock.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use super::{
    SETTINGS, assert_unavailable, create, customers, id, logged_problems, skip_logged_problems,
};
use crate::client::Client;
use crate::env::Folder;

/// Twice the server's `request_deadline`, because the machine may be busy.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

#[test]
fn while_another_program_holds_the_lock_reads_work_and_writes_are_rejected() {
    let folder = Folder::new();
    folder.write("zoop.toml", SETTINGS);
    let (_, _, key) = folder.business();
    let server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let before = id(&create(&client, "Before").success());
    skip_logged_problems(&server, &client);

    let other = Connection::open(folder.path("zoop.db")).expect("the database");
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let began = Instant::now();
    thread::scope(|scope| {
        let write = || {
            let client = Client::new(&server.url, &key);
            assert_unavailable(&create(&client, "Refused"));
        };
        let writes: Vec<_> = (0..8).map(|_| scope.spawn(write)).collect();
        let mut reads = 0;
        while writes.iter().any(|write| !write.is_finished()) {
            assert_eq!(customers(&client), [before.as_str()], "reads continue");
            reads += 1;
        }
        assert!(reads > 1, "{reads}");
    });
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
    let problems = logged_problems(&server, &client);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0]["failure"].as_str().is_some_and(|it| it.contains("lock")), "{problems:?}");

    other.execute_batch("ROLLBACK").expect("the lock is released");
    let after = id(&create(&client, "After").success());
    assert_eq!(customers(&client), [after, before], "no refused write is stored");
    let end = logged_problems(&server, &client);
    let messages: Vec<_> = end.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, [&Value::from("the storage accepts writes again")]);
}
