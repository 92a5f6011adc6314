//! Tests loads on a server with a fixed answer.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use procfs::process::Process;
use serde_json::json;

use super::{Expected, Measured, Requests, Span, Target};

/// Starts a server that gives every caller the same answer.
fn server(status: StatusCode, body: &'static str) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = Router::new().route("/mcp", post(async move || (status, body)));
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await.unwrap();
        });
    });
    address
}

fn load(status: u16, body: &'static str, expected: Expected) -> anyhow::Result<Measured> {
    let address = server(StatusCode::from_u16(status).unwrap(), body);
    let target = Target { address, path: "/mcp", token: "token".to_owned() };
    let requests = Requests::Repeated(vec![target.call("customers.get", &json!({}))], expected);
    let (warm_up, counted) = (Duration::ZERO, Duration::from_millis(100));
    let span = Span { warm_up, counted, interval: Duration::ZERO };
    super::run(&target, requests, 3, span, &Process::myself().unwrap())
}

#[test]
fn successes_are_counted() {
    let measured = load(200, r#"{"result":{}}"#, Expected::Success).unwrap();
    assert!(measured.calls > 0 && measured.p50 > 0.0 && measured.p50 <= measured.p999);
    assert!(load(401, "{}", Expected::Status(401)).unwrap().calls > 0);
}

#[test]
fn a_failed_call_ends_the_load() {
    for (status, body, expected) in [
        (200, r#"{"result":{"isError":true}}"#, Expected::Success),
        (200, r#"{"error":{"code":-32602}}"#, Expected::Success),
        (429, r#"{"result":{}}"#, Expected::Success),
        (200, r#"{"result":{}}"#, Expected::Status(401)),
    ] {
        let error = load(status, body, expected).unwrap_err();
        assert!(error.to_string().contains("a wrong answer"), "{error}");
    }
}
