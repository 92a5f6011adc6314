//! Several servers on one database: what one of them is told holds for all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::{Client, Reply};
use crate::world::{Folder, Server, served, text};

/// Servers on one database.
const SERVERS: usize = 3;
/// Calls that are made at once in each.
const EACH: usize = 12;

/// A business and the servers that serve it.
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

    /// A caller of each server.
    fn clients(&self, key: &str) -> Vec<Client> {
        self.servers.iter().map(|server| Client::new(&server.url, key)).collect()
    }

    /// A key of a person, with every scope.
    fn key_of(&self, user: &str) -> (String, String) {
        let scopes = "read:customers,write:customers,read:notes,write:notes";
        let made = self.folder.json(&["key", "create", "--user", user, "--scope", scopes]);
        (text(&made, "key_id"), text(&made, "key"))
    }

    /// Makes the same call many times in every server at once; the answers.
    fn rush(&self, tool: &str, arguments: &Value) -> Vec<Reply> {
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

/// The reason for which a caller is let in nowhere.
#[track_caller]
fn barred(clients: &[Client]) -> Vec<Value> {
    let reason = |client: &Client| {
        let reply = client.call("tags.list", &json!({})).expect("an answer");
        assert_eq!(reply.status, 401, "{reply:?}");
        reply.body["error"]["data"]["reason"].clone()
    };
    clients.iter().map(reason).collect()
}

#[both]
fn what_is_revoked_changed_or_removed_acts_on_the_next_request_in_every_process() {
    let site = Site::new(&[]);
    let folder = &site.folder;
    let (id, key) = site.key_of(&site.owner);
    let clients = site.clients(&key);
    for client in &clients {
        client.ask("tags.list", &json!({}));
    }
    folder.json(&["key", "revoke", &id]);
    assert_eq!(barred(&clients), vec!["key_revoked"; SERVERS]);

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
        let told = reply.body["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(told.contains("insufficient_scope"), "{told}");
    }
    folder.json(&["user", "set-role", &sam, "office"]);
    for client in &clients {
        client.ask("customers.create", &company);
    }
    folder.json(&["user", "remove", &sam]);
    assert_eq!(barred(&clients), vec!["key_revoked"; SERVERS]);
}

#[both]
fn one_idempotency_key_is_one_write_in_all_processes() {
    let site = Site::new(&[("ZOOP_LIMITS_CREDENTIAL", "0"), ("ZOOP_LIMITS_TENANT", "0")]);
    let company =
        json!({ "customer_type": "company", "company_name": "Once", "idempotency_key": "k" });
    let answers = site.rush("customers.create", &company);
    let ids: BTreeSet<_> = answers.iter().map(|reply| text(&reply.success(), "id")).collect();
    assert_eq!(ids.len(), 1);
    for client in site.clients(&site.key) {
        let found = client.ask("customers.search", &json!({ "q": "once" }));
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(1), "{found}");
    }
}

#[both]
fn the_limit_of_note_writes_is_exact_over_all_processes() {
    let site = Site::new(&[
        ("ZOOP_LIMITS_CREDENTIAL", "0"),
        ("ZOOP_LIMITS_TENANT", "0"),
        ("ZOOP_LIMITS_NOTE_WRITES", "10"),
    ]);
    let answers = site.rush("notes.create", &json!({ "body": "Gate sticks." }));
    let (written, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|reply| reply.body["result"]["isError"] != true);
    for reply in &refused {
        let told = reply.body["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(told.contains("10 note writes in the last minute"), "{told}");
    }
    assert_eq!((written.len(), refused.len()), (10, SERVERS * EACH - 10));
    let listed = site.clients(&site.key)[0].ask("notes.list", &json!({ "limit": 100 }));
    assert_eq!(listed["rows"].as_array().map(Vec::len), Some(10));
}

#[both]
fn a_limit_of_requests_that_one_process_used_up_holds_in_the_others_soon() {
    /// Far more than are made at this pace until the others have told, once a second.
    const LIMIT: usize = 200;
    const PACE: Duration = Duration::from_millis(100);
    const MOST: usize = LIMIT / 4;
    let limit = LIMIT.to_string();
    let site = Site::new(&[("ZOOP_LIMITS_CREDENTIAL", &limit), ("ZOOP_LIMITS_TENANT", "0")]);
    let status = |client: &Client| client.call("tags.list", &json!({})).expect("an answer").status;
    let clients = site.clients(&site.key);
    for _ in 0..LIMIT {
        assert_eq!(status(&clients[0]), 200);
    }
    assert_eq!(status(&clients[0]), 429, "exact in one process");
    for client in &clients[1..] {
        let mut admitted = 0;
        while status(client) == 200 {
            admitted += 1;
            assert!(admitted < MOST, "the other processes do not hear of it");
            std::thread::sleep(PACE);
        }
    }
}

#[both]
fn servers_that_start_at_once_on_a_new_database_all_serve() {
    let folder = Folder::new();
    let mut starting: Vec<_> = (0..SERVERS).map(|_| folder.start_to_serve(&[])).collect();
    starting.iter_mut().for_each(Server::wait_until_ready);
    let (_, _, key) = folder.business();
    for server in &starting {
        Client::new(&server.url, &key).ask("tags.list", &json!({}));
    }
}
