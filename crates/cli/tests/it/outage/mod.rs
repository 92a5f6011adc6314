//! A PostgreSQL server that goes away under load and comes back, and processes that die meanwhile. An answered write
//! is stored, an unanswered write is stored completely or not at all, and an error says whether its write may be
//! stored.

mod caller;
mod commit;
mod sessions;
mod standby;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zoop_postgres_cluster::{Cluster, Durability};

use crate::client::{Client, get};
use crate::crash::source::Source;
use crate::env::{Folder, Server, wait_until};
use caller::{Caller, Fate, Progress};

/// No request limits; other tests cover them.
const SETTINGS: &str = "[limits]\ncredential = 0\ntenant = 0\nnote_writes = 0\n";
/// Connections of a process: eight readers and eight writers.
const CONNECTIONS: usize = 16;
const CALLERS: usize = 6;
/// The minimum number of calls by each caller between two events.
const CALLS: usize = 5;
/// `server.request_deadline`.
const DEADLINE: Duration = Duration::from_secs(3);

#[test]
fn three_processes_lose_nothing_when_one_is_killed_and_the_server_crashes() {
    let mut cluster = Cluster::start_with(Durability::On).expect("a cluster");
    let folder = Folder::over(cluster.fresh_database().expect("a database"));
    let deadline = format!("[server]\nrequest_deadline = '{}s'\n", DEADLINE.as_secs());
    folder.write("zoop.toml", &format!("{SETTINGS}{deadline}"));
    let (_, _, key) = folder.business();
    let mut servers = [0, 1, 2].map(|_| folder.serve(&[]));
    let source = Source::of(&folder);
    wait_until("each process has its connections", || source.sessions().len() == 3 * CONNECTIONS);

    let urls = servers.each_ref().map(|server| server.url.clone());
    let progress: Vec<_> = (0..CALLERS).map(|_| Progress::default()).collect();
    let is_over = AtomicBool::new(false);
    let callers: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = progress
            .iter()
            .enumerate()
            .map(|(number, progress)| {
                let (urls, key, is_over) = (&urls, &key, &is_over);
                scope.spawn(move || {
                    let mut caller = Caller::new(number, urls, key);
                    while !is_over.load(Ordering::SeqCst) {
                        caller.create(progress);
                    }
                    caller
                })
            })
            .collect();
        let wait_for_all = |what: &str, count: fn(&Progress) -> usize| {
            let before: Vec<_> = progress.iter().map(count).collect();
            wait_until(what, || {
                progress.iter().zip(&before).all(|(now, before)| count(now) >= before + CALLS)
            });
        };
        wait_for_all("each caller was answered", Progress::answered);
        servers[0].kill();
        wait_for_all("each caller was answered by the other processes", Progress::answered);
        cluster.stop_immediately().expect("stopped");
        wait_for_all("each caller was rejected", Progress::rejected);
        cluster.restart().expect("started");
        wait_for_all("each caller is answered again", Progress::answered);
        is_over.store(true, Ordering::SeqCst);
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
    });

    servers[1].log_line("reads and writes are refused until it can be reached");
    assert_recovered(&servers[1..], &source);
    let client = Client::new(&servers[1].url, &key);
    let mut fates: Vec<_> = callers.into_iter().flat_map(|caller| caller.fates).collect();
    for (word, fate) in &mut fates {
        if matches!(fate, Fate::Unknown { has_key: true }) {
            *fate = Fate::Answered(caller::ask(&client, word));
        }
    }
    assert_answers_are_true(&source, &fates);
    source.assert_sound();
}

/// Fails unless the processes work as before, with no more connections than before.
fn assert_recovered(servers: &[Server], source: &Source<'_>) {
    for server in servers {
        assert_eq!(get(&server.url, "/readyz"), (200, r#"{"status":"ready"}"#.to_owned()));
    }
    let busy = "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() \
                AND pid <> pg_backend_pid() AND state <> 'idle'";
    wait_until("no transaction is left open", || source.rows(busy).is_empty());
    let sessions = source.sessions().len();
    assert!((1..=servers.len() * CONNECTIONS).contains(&sessions), "{sessions} connections");
    let locks = "SELECT locktype FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(source.rows(locks), [[""; 0]; 0]);
}

/// Fails unless the tables match the callers' answers, with each customer complete or absent.
fn assert_answers_are_true(source: &Source<'_>, fates: &[(String, Fate)]) {
    let sql = format!(
        "SELECT c.source, {}, \
         (SELECT count(*) FROM contacts p WHERE p.customer_id = c.id), \
         (SELECT count(*) FROM locations l WHERE l.customer_id = c.id), \
         (SELECT count(*) FROM history_records r WHERE r.record_id = c.id) FROM customers c",
        source.digits("c.id")
    );
    let rows = source.rows(&sql);
    let (mut applied, mut absent) = (0, 0);
    for (word, fate) in fates {
        let stored: Vec<_> = rows.iter().filter(|row| row[0] == *word).collect();
        assert!(stored.len() <= 1, "{word} is stored {} times", stored.len());
        for row in &stored {
            assert_eq!(row[2..], ["1", "1", "1"], "{word} has one contact, location and entry");
        }
        match fate {
            Fate::Answered(id) => {
                assert_eq!(stored.first().map(|row| &row[1]), Some(&id.replace('-', "")), "{word}");
            }
            Fate::Refused => assert_eq!(stored.len(), 0, "{word} was refused"),
            Fate::Unknown { .. } if stored.is_empty() => absent += 1,
            Fate::Unknown { .. } => applied += 1,
        }
    }
    let count = |is: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| is(fate)).count();
    let (answered, refused) =
        (count(|it| matches!(it, Fate::Answered(_))), count(|it| *it == Fate::Refused));
    eprintln!(
        "{answered} answered, {refused} refused; of the unanswered {applied} applied, {absent} not"
    );
    assert_eq!(rows.len(), answered + applied, "no other customer is stored");
}
