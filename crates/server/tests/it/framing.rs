//! Request heads that a proxy in front could parse differently, sent byte by byte.

use serde_json::json;

use crate::http::Connection;
use crate::server::{Server, message};

/// The head of a request with these lines. Each line includes its line end.
fn head(server: &Server, version: &str, lines: &str) -> String {
    let key = &server.business.owner_key;
    format!("POST /api/mcp HTTP/{version}\r\nauthorization: Bearer {key}\r\n{lines}\r\n")
}

#[test]
fn an_ambiguous_request_head_is_rejected_and_its_connection_closed() {
    let server = Server::start();
    let body = String::from_utf8(message("ping", json!({}))).expect("UTF-8");
    let length = format!("content-length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let hidden = head(&server, "1.1", "host: x\r\ncontent-length: 0\r\n");
    for (version, lines, body) in [
        ("1.1", length.clone(), &body),
        ("1.1", format!("host: a\r\nhost: a\r\n{length}"), &body),
        ("1.1", format!("host: a\r\nHost: b\r\n{length}"), &body),
        ("1.0", format!("host: a\r\nhost: b\r\n{length}"), &body),
        ("1.1", format!("host:\r\n{length}"), &body),
        ("1.1", format!("host: a b\r\n{length}"), &body),
        ("1.1", format!("host: a@b\r\n{length}"), &body),
        ("1.1", format!("host: a/b\r\n{length}"), &body),
        ("1.1", "host: x\r\ntransfer-encoding: chunked, chunked\r\n".to_owned(), &chunked),
        ("1.1", "host: x\r\ntransfer-encoding: gzip, chunked\r\n".to_owned(), &chunked),
        (
            "1.1",
            "host: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
            &chunked,
        ),
    ] {
        let mut connection = Connection::open(server.public);
        let request = head(&server, version, &lines);
        connection.send(format!("{request}{body}{hidden}").as_bytes());
        let reply = connection.receive();
        assert_eq!((reply.status, reply.header("connection")), (400, Some("close")), "{lines}");
        assert_eq!(reply.json()["error"], "bad_request", "{lines}");
        assert!(connection.is_closed(), "{lines}: the rest is not read");
    }
    assert_eq!(server.log.requests().len(), 0, "no request reached the endpoint");
    // The operator's port is as strict.
    let mut connection = Connection::open(server.operations);
    connection.send(b"GET /metrics HTTP/1.1\r\n\r\n");
    assert_eq!(connection.receive().status, 400);
}

#[test]
fn requests_from_old_and_common_clients_are_accepted() {
    let server = Server::start();
    let body = String::from_utf8(message("ping", json!({}))).expect("UTF-8");
    let length = format!("content-length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for (version, lines, body) in [
        ("1.0", length.clone(), &body),
        ("1.1", format!("host: [::1]:8080\r\n{length}"), &body),
        ("1.1", format!("host: crm.example.com\r\n{length}"), &body),
        ("1.1", "host: x\r\nTransfer-Encoding: Chunked\r\n".to_owned(), &chunked),
    ] {
        let mut connection = Connection::open(server.public);
        connection.send(format!("{}{body}", head(&server, version, &lines)).as_bytes());
        assert_eq!(connection.receive().status, 200, "{version} {lines}");
    }
}

#[test]
fn lines_that_end_with_a_bare_lf_hide_no_second_request() {
    let server = Server::start();
    let key = &server.business.owner_key;
    let body = String::from_utf8(message("ping", json!({}))).expect("UTF-8");
    let length = body.len();
    // hyper accepts such lines, which RFC 9112, 2.2 allows. The next request is then parsed exactly as it was sent.
    let mut connection = Connection::open(server.public);
    let request = format!(
        "POST /api/mcp HTTP/1.1\nhost: x\nauthorization: Bearer {key}\ncontent-length: {length}\n\n{body}"
    );
    connection.send(request.as_bytes());
    assert_eq!(connection.receive().status, 200);
    connection.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(connection.receive().json()["status"], "ok");
    // A bare LF among lines that end with CR LF also ends a line, so it cannot hide a header in another header's value.
    let mut connection = Connection::open(server.public);
    let lines = format!("x-a: 1\nhost: y\r\nhost: x\r\ncontent-length: {length}\r\n");
    connection.send(format!("{}{body}", head(&server, "1.1", &lines)).as_bytes());
    assert_eq!(connection.receive().status, 400, "two hosts were sent");
}
