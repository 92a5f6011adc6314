//! A raw connection to a server. A test can be slow or silent with it, and can open many, because it costs less than
//! a full client.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than any answer takes. A test that hangs fails after this time.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Connection(BufReader<TcpStream>);

/// An answer's head; the body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) has_retry_after: bool,
}

impl Connection {
    pub(super) fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        stream.set_nodelay(true).expect("an option");
        Self(BufReader::new(stream))
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream().write_all(bytes)
    }

    /// Reads one answer, and returns its head.
    pub(super) fn receive(&mut self) -> io::Result<Head> {
        let (mut length, mut has_retry_after) = (0, false);
        let status = self.line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("retry-after", _)) => has_retry_after = true,
                Some(_) => {}
                None => break,
            }
        }
        io::copy(&mut self.0.by_ref().take(length), &mut io::sink())?;
        Ok(Head { status, has_retry_after })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

/// The bytes of a tool call.
pub(super) fn request(key: &str, tool: &str, arguments: &Value) -> Vec<u8> {
    let params = json!({ "name": tool, "arguments": arguments });
    let frame = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let body = frame.to_string();
    [head(key, body.len()), body.into_bytes()].concat()
}

/// The head of a tool call with a body of this many bytes.
pub(super) fn head(key: &str, length: usize) -> Vec<u8> {
    format!(
        "POST /api/mcp HTTP/1.1\r\nhost: zoop\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes()
}
