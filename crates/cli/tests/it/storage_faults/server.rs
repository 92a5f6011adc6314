//! A PostgreSQL server that refuses requests: it is read-only, has no connections left, has revoked a right, or
//! is gone.

use serde_json::json;
use zoop_postgres_cluster::{Cluster, Database};

use super::{
    SETTINGS, assert_unavailable, create, customers, id, logged_problems, skip_logged_problems,
};
use crate::client::{Client, get};
use crate::env::{Folder, Server, wait_until};

const READY: &str = r#"{"status":"ready"}"#;

/// A server on a database with one customer.
struct Site {
    folder: Folder,
    server: Server,
    client: Client,
    before: String,
}

impl Site {
    fn new(database: Database) -> Self {
        let folder = Folder::over(database);
        folder.write("zoop.toml", SETTINGS);
        let (_, _, key) = folder.business();
        let server = folder.serve(&[]);
        let client = Client::new(&server.url, &key);
        let before = id(&create(&client, "Before").success());
        skip_logged_problems(&server, &client);
        Self { folder, server, client, before }
    }

    fn run(&self, script: &str) {
        let database = self.folder.server().expect("a server");
        database.run_as_superuser(script).expect("the script runs");
    }

    /// The name of the database.
    fn name(&self) -> String {
        let database = self.folder.server().expect("a server");
        database.run("SELECT current_database()").expect("a name").trim().to_owned()
    }

    /// The messages of the warnings and errors logged since the last check.
    fn problem_messages(&self) -> Vec<String> {
        let lines = logged_problems(&self.server, &self.client);
        lines.iter().map(|line| line["message"].as_str().expect("a text").to_owned()).collect()
    }

    /// Fails unless writes are rejected and reads continue until `mend`, and both changes are logged once.
    fn assert_degraded_until(&self, reason: &str, mend: impl FnOnce()) {
        for _ in 0..20 {
            assert_unavailable(&create(&self.client, "Refused"));
            assert_eq!(customers(&self.client), [self.before.as_str()], "reads continue");
        }
        let lines = logged_problems(&self.server, &self.client);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let failure = lines[0]["failure"].as_str().expect("a cause");
        assert!(failure.contains(reason), "{failure}");
        let (status, ready) = get(&self.server.url, "/readyz");
        assert_eq!((status, ready.contains("storage")), (200, true), "{ready}");
        mend();
        self.assert_recovered(&["the storage accepts writes again"]);
    }

    /// Fails unless every call is rejected until `mend`, and both changes are logged once.
    fn assert_out_of_reach_until(&self, reason: &str, mend: impl FnOnce()) {
        for _ in 0..5 {
            let search = self.client.call("customers.search", &json!({})).expect("an answer");
            assert_unavailable(&search);
            assert_unavailable(&create(&self.client, "Refused"));
        }
        assert_eq!(get(&self.server.url, "/readyz").0, 503);
        let logged = self.server.log_line("the storage refuses writes");
        assert!(logged["failure"].as_str().is_some_and(|it| it.contains(reason)), "{logged}");
        mend();
        self.assert_recovered(&[
            "connected to PostgreSQL again",
            "the storage accepts writes again",
        ]);
    }

    fn assert_recovered(&self, messages: &[&str]) {
        let after = id(&create(&self.client, "After").success());
        assert_eq!(
            customers(&self.client),
            [after, self.before.clone()],
            "no refused write is stored"
        );
        let mut problems = self.problem_messages();
        problems.sort();
        assert_eq!(problems, messages);
        assert_eq!(get(&self.server.url, "/readyz"), (200, READY.to_owned()));
    }
}

#[test]
fn a_server_that_is_made_read_only_serves_reads_until_it_takes_writes_again() {
    let cluster = Cluster::start().expect("a cluster");
    let site = Site::new(cluster.fresh_database().expect("a database"));
    let set = |value: &str| {
        site.run(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        site.run("SELECT pg_reload_conf()");
        let database = site.folder.server().expect("a server");
        wait_until("the server is set", || {
            database.run("SHOW default_transaction_read_only").expect("a value").trim() == value
        });
    };
    set("on");
    site.assert_degraded_until("read-only", || set("off"));
}

#[test]
fn a_role_without_the_right_to_write_serves_reads_until_it_is_granted() {
    let site = Site::new(zoop_postgres_cluster::database().expect("a database"));
    site.run("REVOKE INSERT ON customers FROM zoop_application");
    site.assert_degraded_until("permission denied", || {
        site.run("GRANT INSERT ON customers TO zoop_application");
    });
}

#[test]
fn a_server_out_of_connections_is_retried() {
    let site = Site::new(zoop_postgres_cluster::database().expect("a database"));
    let name = site.name();
    site.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT 0"));
    site.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    site.assert_out_of_reach_until("too many connections", || {
        site.run(&format!("ALTER DATABASE {name} CONNECTION LIMIT -1"));
    });
}

#[test]
fn an_unreachable_server_is_retried() {
    let mut cluster = Cluster::start().expect("a cluster");
    let site = Site::new(cluster.fresh_database().expect("a database"));
    cluster.stop_immediately().expect("stopped");
    site.assert_out_of_reach_until("connect", || cluster.restart().expect("started"));
}

#[test]
fn a_missing_read_right_is_logged_once_and_reads_resume_when_it_is_granted() {
    let site = Site::new(zoop_postgres_cluster::database().expect("a database"));
    site.run("REVOKE SELECT ON customers FROM zoop_application");
    for _ in 0..10 {
        let search = site.client.call("customers.search", &json!({})).expect("an answer");
        assert_unavailable(&search);
        site.client.ask("tags.list", &json!({}));
    }
    assert_eq!(site.problem_messages(), ["the storage refuses reads"]);
    site.run("GRANT SELECT ON customers TO zoop_application");
    assert_eq!(customers(&site.client), [site.before.as_str()]);
}
