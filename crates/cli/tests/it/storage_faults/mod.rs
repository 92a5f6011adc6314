//! Storage failures: a full disk, a read-only folder, another program's lock, a database server that is
//! read-only or gone. The error is clear, nothing that was answered is lost, and the service recovers
//! when the cause is gone.

mod damage;
mod lock;
mod server;
mod space;
mod volume;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::env::Server;

/// No request limits; other tests cover them.
const SETTINGS: &str = "[limits]\ncredential = 0\ntenant = 0\nnote_writes = 0\n";

/// Creates a company.
fn create(client: &Client, name: &str) -> Reply {
    let company = json!({ "customer_type": "company", "company_name": name });
    client.call("customers.create", &company).expect("an answer")
}

/// The ids of all customers, newest first.
fn customers(client: &Client) -> Vec<String> {
    let mut arguments = json!({ "limit": 100 });
    let mut ids = Vec::new();
    loop {
        let page = client.ask("customers.search", &arguments);
        ids.extend(page["rows"].as_array().expect("rows").iter().map(id));
        if page["hasMore"] != true {
            return ids;
        }
        arguments["cursor"] = page["nextCursor"].clone();
    }
}

fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_owned()
}

/// Fails unless a write was rejected with a clear error.
#[track_caller]
fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.retry_after), (503, Some(5)), "{reply:?}");
    let error = &reply.body["error"];
    assert_eq!((&error["code"], &error["data"]["retry_after_s"]), (&json!(-32004), &json!(5)));
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("storage") && message.contains("try again"), "{message}");
}

/// Reads past what was logged so far, so that the next check sees only later problems.
fn skip_logged_problems(server: &Server, client: &Client) {
    logged_problems(server, client);
}

/// Warnings and errors logged since the last check.
fn logged_problems(server: &Server, client: &Client) -> Vec<Value> {
    // The log is ordered, so all earlier lines come before the line of this call.
    let marker = client.call("no.such.tool", &json!({})).expect("an answer");
    assert_eq!(marker.body["error"]["code"], json!(-32602), "{marker:?}");
    let lines = server.log_lines_until(|line| line["tool"] == "unknown").into_iter();
    lines.filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect()
}
