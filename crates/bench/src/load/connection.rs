//! A persistent HTTP/1.1 connection: sends prepared requests, reads each answer to its end and checks it.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Expected;

const MAX_HEADERS: usize = 32;
const BUFFER_BYTES: usize = 64 * 1_024;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// The head of an answer.
struct Head {
    status: u16,
    /// The length of the head. The body starts there.
    length: usize,
    /// The length of the body; `None` if it is chunked.
    body: Option<usize>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0 })
    }

    /// Sends a request and reads its answer. Returns the body if the answer is as expected.
    pub(crate) async fn call(&mut self, request: &[u8], expected: Expected) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let head = loop {
            self.fill().await?;
            if let Some(head) = parse_head(&self.buffer[..self.filled])? {
                break head;
            }
        };
        loop {
            let body = &self.buffer[head.length..self.filled];
            let is_whole = match head.body {
                Some(length) => body.len() >= length,
                None => body.ends_with(b"0\r\n\r\n"),
            };
            if is_whole {
                break;
            }
            self.fill().await?;
        }
        let body = &self.buffer[head.length..self.filled];
        check(head.status, body, expected)?;
        Ok(body)
    }

    async fn fill(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        self.filled += read;
        Ok(())
    }
}

/// Parses the head of an answer. Returns `None` if the head is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.context("an answer without a status")?;
    let find = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| header.value)
    };
    let body = match (find("content-length"), find("transfer-encoding")) {
        (Some(length), _) => Some(std::str::from_utf8(length)?.parse()?),
        (None, Some(b"chunked")) => None,
        _ => bail!("an answer that does not say where it ends"),
    };
    Ok(Some(Head { status, length, body }))
}

/// Rejects an answer other than the expected one.
fn check(status: u16, body: &[u8], expected: Expected) -> Result<()> {
    let contains = |text: &str| memmem::find(body, text.as_bytes()).is_some();
    let is_right = match expected {
        Expected::Success => {
            status == 200 && contains("\"result\":") && !contains("\"isError\":true")
        }
        Expected::Status(expected) => status == expected,
    };
    ensure!(is_right, "a wrong answer: {status} {}", String::from_utf8_lossy(body));
    Ok(())
}
