//! The floor: an HTTP server on the same runtime that reads the request's body and sends a fixed answer.
//! No server built on the same HTTP stack can be faster.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::serve::ListenerExt;

use super::server::{Server, free_port};

/// Starts the floor with an answer of this many bytes.
pub(crate) fn start(answer: usize) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor", "--port", &port.to_string(), "--answer", &answer.to_string()]);
    Server::start(command, port, "/api/mcp", "")
}

/// Runs the floor.
pub(crate) fn serve(port: u16, answer: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let app = Router::new().route("/api/mcp", post(answer_with(fixed_body(answer))));
        Ok(axum::serve(listener, app).await?)
    })
}

type Answer = ([(axum::http::HeaderName, &'static str); 1], Bytes);

fn answer_with(
    body: Bytes,
) -> impl Fn(Bytes) -> std::future::Ready<Answer> + Clone + Send + Sync + 'static {
    move |_: Bytes| std::future::ready(([(CONTENT_TYPE, "application/json")], body.clone()))
}

/// A body that the load driver accepts as a result.
fn fixed_body(length: usize) -> Bytes {
    let start = r#"{"jsonrpc":"2.0","id":1,"result":""#;
    let padding = length.saturating_sub(start.len() + 2);
    format!("{start}{}\"}}", "x".repeat(padding)).into()
}
