//! `zoop serve`: where it listens, and how it stops.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use zoop_both::both;

use crate::env::Folder;

#[test]
fn listening_beyond_this_machine_requires_a_public_url() {
    let folder = Folder::new();
    for command in ["serve", "demo"] {
        let answer = folder.zoop(&[command, "--listen", "0.0.0.0:0"]);
        assert!(answer.failure().contains("--public-url"), "{}", answer.stderr);
    }
    assert!(!folder.path("zoop.db").exists(), "no database was created");
    let open = ["--listen", "0.0.0.0:0", "--public-url", "https://crm.example.com/"];
    let config = folder.json(&[&["serve", "--print-config"], &open[..]].concat());
    assert_eq!(config["server"]["public_url"], "https://crm.example.com");
}

#[test]
fn a_port_in_use_says_what_to_change() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for command in ["serve", "demo"] {
        let answer = folder.zoop(&[command, "--listen", &address]);
        assert!(answer.failure().contains("--listen"), "{}", answer.stderr);
    }
    let answer = folder.zoop(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", &address]);
    assert!(answer.failure().contains("--ops-listen"), "{}", answer.stderr);
}

#[both]
fn the_server_creates_the_database_and_serves_metrics_on_a_separate_port() {
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let is_file = folder.database().starts_with("sqlite");
    assert_eq!(folder.path("zoop.db").exists(), is_file);
    let public = server.url.as_str();
    let operations = server.operations.as_deref().expect("an address");
    assert!(get(public, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(operations, "/metrics").starts_with("HTTP/1.1 200"));
    assert!(get(public, "/metrics").starts_with("HTTP/1.1 404"), "the public port has no metrics");
    let without = folder.serve(&["--ops-listen", "none"]);
    assert_eq!(without.operations, None);
}

#[both]
fn a_stopping_server_finishes_the_requests_in_flight() {
    let folder = Folder::new();
    let (_, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tags.list","arguments":{}}}"#;
    let (first, rest) = body.split_at(20);
    let mut stream = connect(&server.url);
    write!(
        stream,
        "POST /api/mcp HTTP/1.1\r\nhost: zoop\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n{first}",
        body.len()
    )
    .expect("the server reads");
    // The server asks for the body once it processes the request.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).expect("an interim answer");
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"), "{interim:?}");
    server.terminate();
    server.log_line("stopping");
    stream.write_all(rest.as_bytes()).expect("the server still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("rows"), "{answer}");
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.has_no_more_output(), "nothing on stdout");
    assert!(!folder.path("zoop.db-wal").exists(), "the database was closed");
}

/// The complete answer to a GET.
fn get(url: &str, path: &str) -> String {
    let mut stream = connect(url);
    let request = format!("GET {path} HTTP/1.1\r\nhost: zoop\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("http://")).expect("the server listens")
}
