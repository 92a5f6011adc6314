//! A minimal HTTP client, so that tests can send what a proper client refuses to send.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// A time limit that no answer reaches, so that a test that hangs fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The text of the answer; empty if it is a picture or compressed.
    pub(crate) body: String,
    /// The picture or ZIP of the answer, or what is compressed.
    pub(crate) picture: Vec<u8>,
}

impl Reply {
    /// The value of the header with this name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} was sent twice: {self:?}");
        value
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The JSON-RPC error code.
    pub(crate) fn code(&self) -> Option<i64> {
        self.json()["error"]["code"].as_i64()
    }

    /// A tool's answer: whether it is an error, and its JSON.
    pub(crate) fn tool(&self) -> (bool, Value) {
        assert_eq!(self.status, 200, "{self:?}");
        let result = &self.json()["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{self:?}"));
        (result["isError"] == true, serde_json::from_str(text).expect("JSON in the text"))
    }
}

/// One connection.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        Self(stream)
    }

    /// A connection from another address of this machine.
    pub(crate) fn open_from(source: Ipv4Addr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((source, 0)).into()).expect("an address of this machine");
        socket.connect(&address.into()).expect("a connection");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        Self(stream)
    }

    /// Sends raw bytes. Ignores failures, because the server may have stopped reading.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Sends the head of a request.
    pub(crate) fn send_head(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) {
        self.send(Self::head(method, target, headers).as_bytes());
    }

    /// The head of a request, with a host unless the headers have one.
    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str("Host: zoop.test\r\n");
        }
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head
    }

    /// Reads one answer, which may be an interim answer (100 Continue).
    pub(crate) fn receive(&mut self) -> Reply {
        let head = self.read_head();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|status| status.parse().ok()).expect("a status");
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole body");
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            body = self.read_chunks();
        }
        let is_picture = |(name, value): &(String, String)| {
            let binary = ["application/zip", "image/jpeg", "image/png", "image/webp"];
            let is_image = binary.contains(&&**value);
            (name == "content-type" && is_image) || name == "content-encoding"
        };
        let is_picture = headers.iter().any(is_picture);
        let (body, picture) = if is_picture { (Vec::new(), body) } else { (body, Vec::new()) };
        Reply { status, headers, body: String::from_utf8(body).expect("UTF-8"), picture }
    }

    /// Reads a body in chunks.
    fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                let mut byte = [0];
                self.0.read_exact(&mut byte).expect("the length of a chunk");
                line.push(byte[0]);
            }
            let length = std::str::from_utf8(&line).expect("UTF-8").trim_end();
            let length = usize::from_str_radix(length, 16).expect("a length");
            let mut chunk = vec![0; length + 2];
            self.0.read_exact(&mut chunk).expect("a chunk");
            if length == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let read = self.0.read(&mut byte).expect("the head of an answer");
            assert_eq!(read, 1, "closed after {:?}", String::from_utf8_lossy(&head));
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("UTF-8")
    }

    /// Whether the server has closed the connection without sending anything.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut connection = Connection::open(address);
    let length = body.len().to_string();
    let mut all = vec![("Content-Length", length.as_str())];
    all.extend(headers);
    // The request is sent in one piece, as most clients do.
    let head = Connection::head(method, target, &all);
    connection.send(&[head.as_bytes(), body].concat());
    connection.receive()
}

/// Gets a path.
pub(crate) fn get(address: SocketAddr, path: &str) -> Reply {
    request(address, "GET", path, &[], b"")
}
