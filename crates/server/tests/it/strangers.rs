//! Strangers: how much of the server they may use, and that other callers are served meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::scope::Scope;
use zoop_db::Options;
use zoop_server::{ConnectionPolicy, Settings};

use crate::http::{Connection, Reply};
use crate::server::{Server, message, unknown_token};

#[both]
fn no_body_is_read_before_a_token_of_the_right_form() {
    let server = Server::start();
    for token in [None, Some("Basic x"), Some("Bearer zoop_uk_x")] {
        let began = Instant::now();
        for expect in [None, Some("100-continue")] {
            let headers: Vec<_> = [("Content-Length", Some("2000000")), ("Authorization", token)]
                .into_iter()
                .chain([("Expect", expect)])
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
            let mut connection = Connection::open(server.public);
            connection.send_head("POST", "/api/mcp", &headers);
            let reply = connection.receive();
            assert_eq!((reply.status, reply.code()), (401, Some(-32001)), "{reply:?}");
            assert_eq!(reply.json()["id"], Value::Null);
            assert_eq!(reply.header("connection"), Some("close"));
            assert!(connection.is_closed());
        }
        assert!(began.elapsed() < Duration::from_secs(5), "half of the deadline");
    }
}

#[both]
fn after_a_refusal_a_connection_whose_body_was_short_stays_open() {
    let server = Server::start();
    let body = message("ping", json!({}));
    let length = body.len().to_string();
    let token = format!("Bearer {}", server.business.owner_key);
    let mut connection = Connection::open(server.public);
    connection.send_head("POST", "/api/mcp", &[("Content-Length", &length)]);
    connection.send(&body);
    assert_eq!(connection.receive().status, 401);
    let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
    connection.send_head("POST", "/api/mcp", &headers);
    connection.send(&body);
    assert_eq!(connection.receive().status, 200);
}

#[both]
fn a_network_that_sends_unknown_tokens_waits_and_known_ones_do_not() {
    let trust = |settings: &mut Settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    };
    let one_reader = Options { readers: NonZeroUsize::new(1), ..Options::default() };
    let server = Server::start_with(trust, Some(&one_reader));
    let ping = |token: &str, address: &str| {
        let token = format!("Bearer {token}");
        let headers = [("Authorization", token.as_str()), ("X-Forwarded-For", address)];
        server.post_bare(&headers, &message("ping", json!({})))
    };
    let known = &server.business.owner_key;
    assert_eq!(ping(known, "203.0.113.1").status, 200);
    for n in 0..60 {
        assert_eq!(ping(&unknown_token(n), "203.0.113.2").status, 401, "{n}");
    }
    let limited = |reply: &Reply| {
        assert_eq!((reply.status, reply.code()), (429, Some(-32003)), "{reply:?}");
        assert_eq!(reply.header("retry-after"), Some("60"));
    };
    {
        // The database is not queried: its only reader is blocked.
        let _held = crate::overload::Blocker::reader(&server.db);
        limited(&ping(&unknown_token(60), "203.0.113.3"));
    }
    let new = server.key(&[Scope::ReadCustomers], true);
    limited(&ping(&new, "203.0.113.3"));
    assert_eq!(ping(&new, "203.0.114.1").status, 200, "another network");
    assert_eq!(ping(&new, "203.0.113.3").status, 200, "known by now");
    assert_eq!(ping(known, "203.0.113.3").status, 200);
    server.env.clock.advance(60_000);
    assert_eq!(ping(&unknown_token(61), "203.0.113.3").status, 401);
}

/// Number of connections from one /16 network. One third sends nothing, one third sends a part of a head, and one third
/// sends a head without a credential and a part of a body.
const CROWD: u16 = 10_000;
/// Maximum number of connections from a wide network: a quarter of the 7,168 that strangers may have.
const SHARE: usize = 1_792;

#[test]
fn ten_thousand_connections_of_one_network_leave_the_others_served() {
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("a limit");
    assert!(files >= 16_384, "this test opens {CROWD} connections: raise the limit of open files");
    let limit = |settings: &mut Settings| {
        let strangers = 7_168;
        settings.connections = ConnectionPolicy { strangers, limits_loopback: true };
    };
    let server = Server::start_with(limit, None);
    let median_time = |count: u8| {
        let mut times: Vec<_> = (0..count)
            .map(|n| {
                let mut connection =
                    Connection::open_from(Ipv4Addr::new(127, 2, 0, 1 + n), server.public);
                let began = Instant::now();
                connection.send(&ping_of(&server.business.owner_key));
                assert_eq!(connection.receive().status, 200);
                began.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    };
    let alone = median_time(50);
    let address = server.public;
    let crowd: Vec<_> = std::thread::scope(|scope| {
        let open = |n| {
            scope.spawn(move || {
                (n..CROWD).step_by(8).map(|n| open_crowd_connection(n, address)).collect::<Vec<_>>()
            })
        };
        let opening: Vec<_> = (0..8).map(open).collect();
        opening.into_iter().flat_map(|it| it.join().expect("connections")).collect()
    });
    let crowded = median_time(50);
    eprintln!("median time: {alone:?} alone, {crowded:?} with {CROWD} connections");
    assert!(crowded < alone * 5 + Duration::from_millis(20), "{crowded:?} and {alone:?}");
    let text = server.metrics();
    let count = |name: &str| -> usize {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.expect("the metric").trim().parse().expect("a number")
    };
    // The server may still count the last of the other connections, which are closed.
    assert!(count("zoop_connections ") <= SHARE + 100, "{text}");
    assert!(count("zoop_connections_refused_total ") > 0, "{text}");
    drop(crowd);
}

fn open_crowd_connection(n: u16, address: SocketAddr) -> Connection {
    let [site, host] = (n + 256).to_be_bytes();
    let source = Ipv4Addr::new(127, 1, site, host.max(1));
    let mut connection = Connection::open_from(source, address);
    match n % 3 {
        0 => {}
        1 => connection.send(b"POST /api/mcp HTTP/1.1\r\nhost: zo"),
        _ => connection
            .send(b"POST /api/mcp HTTP/1.1\r\nhost: zoop\r\ncontent-length: 2000000\r\n\r\n{"),
    }
    connection
}

/// The bytes of a ping.
fn ping_of(key: &str) -> Vec<u8> {
    let body = message("ping", json!({}));
    let head = format!(
        "POST /api/mcp HTTP/1.1\r\nhost: zoop\r\nauthorization: Bearer {key}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
