//! A process's connections to a PostgreSQL server that goes away and comes back several times.

use std::thread;

use serde_json::json;
use zoop_postgres_cluster::{Cluster, Durability};

use super::SETTINGS;
use crate::client::Client;
use crate::crash::source::Source;
use crate::env::{Folder, Server, wait_until};

const OUTAGES: usize = 3;
/// The number of reader connections, and of writer connections.
const EACH: usize = 4;

#[test]
fn repeated_outages_leak_no_sessions_or_sockets() {
    let mut cluster = Cluster::start_with(Durability::On).expect("a cluster");
    let folder = Folder::over(cluster.fresh_database().expect("a database"));
    let connections = format!("[storage]\nreaders = {EACH}\nwriters = {EACH}\n");
    folder.write("zoop.toml", &format!("{SETTINGS}{connections}"));
    let (_, _, key) = folder.business();
    let server = folder.serve(&[]);
    let source = Source::of(&folder);
    wait_until("its connections are open", || source.sessions().len() == 2 * EACH);
    let sockets = sockets(&server);

    for outage in 0..OUTAGES {
        cluster.stop_immediately().expect("stopped");
        wait_until("every call is rejected", || {
            call_concurrently(&server.url, &key).iter().all(|it| *it == 503)
        });
        cluster.restart().expect("started");
        // Connections are opened on demand, so it takes many concurrent calls to open all.
        wait_until("its connections are open again", || {
            let answers = call_concurrently(&server.url, &key);
            answers.iter().all(|it| *it == 200) && source.sessions().len() >= 2 * EACH
        });
        for _ in 0..OUTAGES {
            assert_eq!(call_concurrently(&server.url, &key), [200; 4 * EACH], "outage {outage}");
        }
        assert_eq!(source.sessions().len(), 2 * EACH, "outage {outage}");
        // zoop closes the callers' sockets a little later than the callers. Leaked sockets would remain open.
        wait_until("the process has as many sockets as before", || {
            self::sockets(&server) == sockets
        });
    }
}

/// Calls a process many times concurrently, for reading and for writing; returns the statuses.
fn call_concurrently(url: &str, key: &str) -> Vec<u16> {
    let company = json!({ "customer_type": "company", "company_name": "Acme" });
    let calls = [("customers.search", json!({})), ("customers.create", company)];
    thread::scope(|scope| {
        let callers: Vec<_> = (0..2 * EACH)
            .flat_map(|_| &calls)
            .map(|(tool, arguments)| {
                let call = || Client::new(url, key).call(tool, arguments);
                scope.spawn(move || call().expect("an answer").status)
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no panic")).collect()
    })
}

/// The number of a process's open sockets.
fn sockets(server: &Server) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.id())).expect("it runs");
    let targets = files.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}
