//! A server that accepts no writes: a standby, which is promoted when the primary is gone.

use serde_json::json;
use zoop_postgres_cluster::{Cluster, Durability};

use super::SETTINGS;
use crate::client::Client;
use crate::env::{Folder, text, wait_until};

#[test]
fn a_standby_answers_reads_and_rejects_writes_until_it_is_promoted() {
    let mut cluster = Cluster::start_with(Durability::On).expect("a cluster");
    let folder = Folder::over(cluster.fresh_database().expect("a database"));
    folder.write("zoop.toml", SETTINGS);
    let (_, _, key) = folder.business();
    let server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    let company = |name: &str| json!({ "customer_type": "company", "company_name": name, "idempotency_key": name });
    let first = client.ask("customers.create", &company("Acme"));

    cluster.stop_immediately().expect("stopped");
    cluster.restart_as_standby().expect("started");
    let status = |tool, arguments| client.call(tool, &arguments).expect("an answer").status;
    let get = || json!({ "id": text(&first, "id") });
    wait_until("the standby answers reads", || status("customers.get", get()) == 200);
    let reply = client.call("customers.create", &company("Bolt")).expect("an answer");
    assert_eq!((reply.status, reply.retry_after), (503, Some(5)), "{reply:?}");
    server.log_line("the storage refuses writes");

    let postgres = folder.server().expect("a server");
    postgres.run_as_superuser("SELECT pg_promote()").expect("promoted");
    wait_until("writes are accepted", || status("customers.create", company("Bolt")) == 200);
    let page = client.ask("customers.search", &json!({}));
    assert_eq!(page["rows"].as_array().expect("rows").len(), 2);
}
