//! Several servers on one database: a change in one of them applies to all.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::{Client, Reply};
use crate::crash::source::Source;
use crate::env::{Folder, Server, served, text, wait_until};

/// Servers on one database.
const SERVERS: usize = 3;
/// Concurrent calls in each server.
const EACH: usize = 12;

/// A business and its servers.
struct Site {
    folder: Folder,
    owner: String,
    key: String,
    servers: Vec<Server>,
}

impl Site {
    /// Servers with these variables set.
    fn new(variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let (_, owner, key) = folder.business();
        let start = || {
            let mut command = served(folder.command(&["serve"]));
            command.envs(variables.iter().copied());
            let mut server = Server::start(command);
            server.wait_until_ready();
            server
        };
        let servers = (0..SERVERS).map(|_| start()).collect();
        Self { folder, owner, key, servers }
    }

    /// A client for each server.
    fn clients(&self, key: &str) -> Vec<Client> {
        self.servers.iter().map(|server| Client::new(&server.url, key)).collect()
    }

    /// Creates a key of a user with every scope; returns the key's id and the key.
    fn key_of(&self, user: &str) -> (String, String) {
        let scopes = "read:customers,write:customers,read:notes,write:notes";
        let made = self.folder.json(&["key", "create", "--user", user, "--scope", scopes]);
        (text(&made, "key_id"), text(&made, "key"))
    }

    /// Makes the same call many times in every server concurrently; returns the answers.
    fn call_concurrently(&self, tool: &str, arguments: &Value) -> Vec<Reply> {
        let clients: Vec<_> = (0..EACH).flat_map(|_| self.clients(&self.key)).collect();
        std::thread::scope(|scope| {
            let calls: Vec<_> = clients
                .iter()
                .map(|client| scope.spawn(|| client.call(tool, arguments).expect("an answer")))
                .collect();
            calls.into_iter().map(|call| call.join().expect("no panic")).collect()
        })
    }
}

/// The reasons with which the servers reject a caller.
#[track_caller]
fn rejection_reasons(clients: &[Client]) -> Vec<Value> {
    let reason = |client: &Client| {
        let reply = client.call("tags.list", &json!({})).expect("an answer");
        assert_eq!(reply.status, 401, "{reply:?}");
        reply.body["error"]["data"]["reason"].clone()
    };
    clients.iter().map(reason).collect()
}

#[both]
fn revocations_and_changes_take_effect_on_the_next_request_in_every_process() {
    let site = Site::new(&[]);
    let folder = &site.folder;
    let (id, key) = site.key_of(&site.owner);
    let clients = site.clients(&key);
    for client in &clients {
        client.ask("tags.list", &json!({}));
    }
    folder.json(&["key", "revoke", &id]);
    assert_eq!(rejection_reasons(&clients), vec!["key_revoked"; SERVERS]);

    let create =
        ["user", "create", "--name", "Sam", "--email", "sam@example.com", "--role", "office"];
    let sam = text(&folder.json(&create), "user_id");
    let (_, key) = site.key_of(&sam);
    let clients = site.clients(&key);
    let company = json!({ "customer_type": "company", "company_name": "Acme" });
    for client in &clients {
        client.ask("customers.create", &company);
    }
    folder.json(&["user", "set-role", &sam, "tech"]);
    for client in &clients {
        let reply = client.call("customers.create", &company).expect("an answer");
        let message = reply.body["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(message.contains("insufficient_scope"), "{message}");
    }
    folder.json(&["user", "set-role", &sam, "office"]);
    for client in &clients {
        client.ask("customers.create", &company);
    }
    folder.json(&["user", "remove", &sam]);
    assert_eq!(rejection_reasons(&clients), vec!["key_revoked"; SERVERS]);
}

#[both]
fn one_idempotency_key_is_one_write_in_all_processes() {
    let site = Site::new(&[("ZOOP_LIMITS_CREDENTIAL", "0"), ("ZOOP_LIMITS_TENANT", "0")]);
    let company =
        json!({ "customer_type": "company", "company_name": "Once", "idempotency_key": "k" });
    let answers = site.call_concurrently("customers.create", &company);
    let ids: BTreeSet<_> = answers.iter().map(|reply| text(&reply.success(), "id")).collect();
    assert_eq!(ids.len(), 1);
    for client in site.clients(&site.key) {
        let found = client.ask("customers.search", &json!({ "q": "once" }));
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(1), "{found}");
    }
}

#[both]
fn the_limit_of_note_writes_is_exact_across_all_processes() {
    let site = Site::new(&[
        ("ZOOP_LIMITS_CREDENTIAL", "0"),
        ("ZOOP_LIMITS_TENANT", "0"),
        ("ZOOP_LIMITS_NOTE_WRITES", "10"),
    ]);
    let answers = site.call_concurrently("notes.create", &json!({ "body": "Gate sticks." }));
    let (written, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|reply| reply.body["result"]["isError"] != true);
    for reply in &refused {
        let message = reply.body["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(message.contains("10 note writes in the last minute"), "{message}");
    }
    assert_eq!((written.len(), refused.len()), (10, SERVERS * EACH - 10));
    let listed = site.clients(&site.key)[0].ask("notes.list", &json!({ "limit": 100 }));
    assert_eq!(listed["rows"].as_array().map(Vec::len), Some(10));
}

/// The excess is not counted, because it depends on the machine's speed. Instead the test watches the rounds in which
/// each process publishes and fetches counts. A round leaves a row if the process admitted a request. A process that
/// has completed a whole round since the first process published its counts must admit no more requests. The rounds
/// must also be about a second apart. On a slow machine some rounds are late, but not several in a row.
#[both]
fn a_request_limit_used_up_in_one_process_holds_in_the_others_after_one_round() {
    /// More requests than a process admits in two rounds at this pace, so that no process rejects by its own count.
    const LIMIT: usize = 200;
    const PACE: Duration = Duration::from_millis(50);
    /// In microseconds: twice the intended interval.
    const MAX_INTERVAL: i64 = 2_000_000;
    const ROUNDS: usize = 6;
    let site = Site::new(&[("ZOOP_LIMITS_CREDENTIAL", "0"), ("ZOOP_LIMITS_TENANT", "0")]);
    let limited = |limit: &str| {
        let user = ["--user", &site.owner, "--scope", "read:customers", "--limit", limit];
        let made = site.folder.json(&[&["key", "create"][..], &user].concat());
        (text(&made, "key_id"), text(&made, "key"))
    };
    let status = |client: &Client| client.call("tags.list", &json!({})).expect("an answer").status;
    let source = Source::of(&site.folder);

    let (id, key) = limited(&LIMIT.to_string());
    let clients = site.clients(&key);
    for _ in 0..LIMIT {
        assert_eq!(status(&clients[0]), 200);
    }
    assert_eq!(status(&clients[0]), 429, "the limit is exact in one process");
    wait_until("the process has published its counts", || {
        let published = rounds(&source, &id);
        published.iter().map(|(_, requests)| requests).sum::<usize>() == LIMIT
    });
    for (process, client) in clients.iter().enumerate().skip(1) {
        // Only this process is called with this key, so the key's rows show its rounds.
        let (id, key) = limited("1000000");
        let unlimited_client = Client::new(&site.servers[process].url, &key);
        let mut passed = 0;
        while status(client) == 200 {
            // The process fetches all counts in its first round, which has ended when the second begins. One
            // more round is allowed, in case the fetch timed out on a busy machine.
            assert!(passed < 3, "the process has fetched the counts but still admits calls");
            std::thread::sleep(PACE);
            assert_eq!(status(&unlimited_client), 200);
            passed = rounds(&source, &id).len();
        }
        let seconds_apart = || {
            let times: Vec<_> = rounds(&source, &id).into_iter().map(|(time, _)| time).collect();
            assert!(times.len() <= ROUNDS, "no two of its rounds were a second apart: {times:?}");
            times.windows(2).any(|pair| pair[1] - pair[0] < MAX_INTERVAL)
        };
        while !seconds_apart() {
            std::thread::sleep(PACE);
            assert_eq!(status(&unlimited_client), 200);
        }
    }
}

/// The times at which processes published admitted requests of a key, in microseconds, and the numbers of requests.
fn rounds(source: &Source<'_>, key: &str) -> Vec<(i64, usize)> {
    let time = match source {
        Source::File(_) => "admitted_at",
        Source::Server(_) => "(extract(epoch FROM admitted_at) * 1000000)::bigint",
    };
    let key = source.id(key);
    let sql = format!(
        "SELECT {time}, requests FROM request_counts WHERE credential_id = {key} ORDER BY admitted_at"
    );
    let rows = source.rows(&sql).into_iter();
    rows.map(|row| (row[0].parse().expect("a time"), row[1].parse().expect("a number"))).collect()
}

#[both]
fn servers_that_start_together_on_a_new_database_all_serve() {
    let folder = Folder::new();
    let mut starting: Vec<_> = (0..SERVERS).map(|_| folder.start_to_serve(&[])).collect();
    starting.iter_mut().for_each(Server::wait_until_ready);
    let (_, _, key) = folder.business();
    for server in &starting {
        Client::new(&server.url, &key).ask("tags.list", &json!({}));
    }
}
