//! Answers that callers do not read: they are counted, and those of one business are bounded.

use std::time::{Duration, Instant};

use serde_json::json;
use zoop_crm::testing::Business;
use zoop_server::{Limits, Settings};

use crate::http::{Connection, Reply};
use crate::server::{Server, message, wait_until};

/// Maximum number of bytes that the callers of one business may leave unread.
const SHARE: u64 = 4 * 1024 * 1024;
/// Number of connections that read nothing, and of calls on each: far more than the system's buffers can hold.
const CONNECTIONS: usize = 10;
const CALLS: usize = 30;

fn server() -> Server {
    let change = |settings: &mut Settings| {
        settings.limits = Limits { credential: 0, tenant: 0 };
        settings.request_deadline = Duration::from_secs(2);
    };
    Server::start_with(change, None)
}

/// Writes three notes. A page of them is about 600 KiB over HTTP.
fn write_notes(server: &Server, business: &Business) {
    for _ in 0..3 {
        let note = json!({ "body": "filler ".repeat(14_000) });
        server.env.call(&business.owner, "notes.create", note).expect("a note");
    }
}

/// The number of bytes of answers that are now counted as unread.
fn unread_bytes(server: &Server) -> u64 {
    let metrics = server.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix("zoop_answers_unread_bytes "));
    line.expect("the metric").parse().expect("a number")
}

fn list(server: &Server, key: &str, tool: &str) -> Reply {
    server.ask(key, "/api/mcp", "tools/call", json!({ "name": tool, "arguments": {} }))
}

#[test]
fn unread_answers_of_one_business_are_bounded_and_hold_up_no_other() {
    let server = server();
    let key = server.business.owner_key.as_str();
    let other = server.env.empty_business("Other");
    write_notes(&server, &server.business);
    write_notes(&server, &other);
    assert_eq!(list(&server, key, "notes.list").status, 200);

    let body = message("tools/call", json!({ "name": "notes.list", "arguments": {} }));
    let call = format!(
        "POST /api/mcp HTTP/1.1\r\nhost: zoop.test\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        body.len(),
        String::from_utf8(body).expect("UTF-8")
    );
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut connection = Connection::open(server.public);
            connection.send(call.repeat(CALLS).as_bytes());
            connection
        })
        .collect();
    wait_until("the business has no room left", || {
        let now = unread_bytes(&server);
        assert!(now <= SHARE, "{now} bytes are unread");
        now > SHARE - 700 * 1024
    });

    let began = Instant::now();
    let refused = list(&server, key, "notes.list");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(began.elapsed() >= Duration::from_secs(1), "the call waits before it is refused");
    assert_eq!(list(&server, key, "tags.list").status, 200, "short answers are not counted");
    assert_eq!(list(&server, &other.owner_key, "notes.list").status, 200);
    // The other business's answer counts until the server knows that it was read.
    wait_until("only the first business has unread answers", || unread_bytes(&server) <= SHARE);

    drop(connections);
    wait_until("nothing is unread", || unread_bytes(&server) == 0);
    assert_eq!(list(&server, key, "notes.list").status, 200);
}
