//! Calls by programs with keys: valid ones, every kind of invalid one, and server failures.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use super::Run;
use super::pages::People;
use crate::env::wait_until;

/// Prevents new sessions of the application, and ends the existing ones.
const SHUT: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$; \
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
const OPEN: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT -1', current_database()); END $$";

impl Run {
    /// Sends raw bytes.
    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.public).expect("the server listens");
        stream.write_all(bytes).expect("the server reads");
        stream
    }

    /// Sends malformed or incomplete bytes, and waits until the server closes the connection.
    fn send_malformed(&self, bytes: &[u8]) {
        let mut stream = self.send(bytes);
        // The server may already have closed.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }

    fn post(&self, target: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: zoop\r\nconnection: close\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        );
        let mut answer = String::new();
        self.send(request.as_bytes()).read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Calls a method with the valid key.
    fn ask(&self, method: &str, params: Value) -> String {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let headers = format!("authorization: Bearer {}\r\n", self.keys[0]);
        self.post("/api/mcp", &headers, &body.to_string())
    }

    fn call(&self, tool: &str, arguments: Value) -> String {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    pub(super) fn good_calls(&self) {
        let customer = json!({
            "customer_type": "individual", "first_name": "Xanthippe", "last_name": "Quillfeather",
            "phone": "(510) 555-0187", "email": "xq@example.com",
            "location": { "address_line1": "77 Quokka Crescent", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" },
        });
        let made = self.call("customers.create", customer);
        assert!(made.contains("Quillfeather") && !made.contains("isError"), "{made}");
        let noted = self.call("notes.create", json!({ "body": "Alarm code: marmalade" }));
        assert!(noted.contains("marmalade") && !noted.contains("isError"), "{noted}");
        for filter in [
            json!({ "q": "Xanthippe" }),
            json!({ "q": "5550187" }),
            json!({ "email": "xq@example.com" }),
        ] {
            assert!(self.call("customers.search", filter).contains("Quillfeather"));
        }
        assert!(self.call("notes.list", json!({ "q": "marmalade" })).contains("Alarm"));
    }

    /// Sends every kind of invalid request, with secrets in every part.
    pub(super) fn bad_calls(&self) {
        let [good, revoked, account] = &self.keys;
        self.call("Xanthippe", json!({}));
        self.ask("tools/Quillfeather", json!({}));
        self.call("customers.search", json!({ "Xanthippe": 1, "q": { "555-0187": good } }));
        self.call("customers.create", json!({ "email": "xq@example.com@", "first_name": good }));
        self.call("customers.get", json!({ "id": good }));
        self.ask("prompts/get", json!({ "name": "Quillfeather", "arguments": { "q": good } }));
        self.ask("resources/read", json!({ "uri": format!("zoop://customers/{good}") }));
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let unknown = format!("{}x", &good[..good.len() - 1]);
        for authorization in [
            format!("Bearer {revoked}"),
            format!("Bearer {account}"),
            format!("Bearer {unknown}"),
            format!("Bearer {good} {account}"),
            format!("Basic {good}"),
            format!("Bearer{good}"),
            good.clone(),
            format!("Bearer {good}\r\nauthorization: Bearer {account}"),
            format!("Bearer {good}\r\norigin: https://{account}.example"),
            format!("Bearer {good}\r\nmcp-protocol-version: {account}"),
            format!("Bearer {good}\r\nidempotency-key: pomegranate"),
            format!("Bearer {good}\r\nuser-agent: {account}\r\ncookie: key={account}"),
        ] {
            let answer =
                self.post("/api/mcp", &format!("authorization: {authorization}\r\n"), ping);
            assert!(answer.starts_with("HTTP/1.1 "), "{authorization}: {answer}");
        }
        self.post(&format!("/api/mcp?key={good}&readonly={account}"), "", ping);
        self.post(&format!("/{good}"), "", "");
        for body in [
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{good}\",\"xq@example.com\""),
            format!("{{\"{good}\":1,\"{good}\":2}}"),
            format!("[\"{good}\", \"Xanthippe\"]"),
            format!("Authorization: Bearer {good}"),
        ] {
            for headers in [String::new(), format!("authorization: Bearer {good}\r\n")] {
                self.post("/api/mcp", &headers, &body);
            }
        }
        // Bytes that are not HTTP, a head that never ends properly, and a body that is cut off.
        self.send_malformed(format!("\x16\x03\x01{good}\r\n\r\n").as_bytes());
        self.send_malformed(format!("POST /api/mcp HTTP/1.1\r\n{good}\r\n\r\n").as_bytes());
        self.send_malformed(format!("POST /{good} HTTP/9.9\r\nhost: x\r\n\r\n").as_bytes());
        let head = "POST /api/mcp HTTP/1.1\r\nhost: zoop\r\ncontent-length: 900\r\n";
        self.send_malformed(
            format!("{head}authorization: Bearer {good}\r\n\r\n{{\"{account}").as_bytes(),
        );
    }

    /// Makes the server fail, with customer data in the arguments and users' secrets in the forms.
    pub(super) fn failures(&self, people: &People) {
        let customer = || {
            json!({ "customer_type": "individual", "first_name": "Xanthippe",
                    "last_name": "Quillfeather", "phone": "(510) 555-0187" })
        };
        self.alter("ALTER TABLE customers RENAME TO lost");
        for (tool, arguments) in
            [("customers.search", json!({ "q": "Xanthippe" })), ("customers.create", customer())]
        {
            let answer = self.call(tool, arguments);
            assert!(answer.contains("internal"), "{answer}");
        }
        self.alter("ALTER TABLE lost RENAME TO customers");

        for table in ["users", "attempts", "sessions", "oauth_tokens"] {
            self.alter(&format!("ALTER TABLE {table} RENAME TO lost"));
            assert!(people.send_secrets(&self.url()) > 0, "without {table}");
            self.alter(&format!("ALTER TABLE lost RENAME TO {table}"));
        }
        if self.folder.server().is_some() {
            // PostgreSQL quotes the row that violates a constraint: here a session's, with its hash.
            self.alter(
                "ALTER TABLE sessions ADD CONSTRAINT none CHECK (revoked_at IS NULL) NOT VALID",
            );
            assert_eq!(people.sign_out(&self.url()), 1, "one session is live");
            self.alter("ALTER TABLE sessions DROP CONSTRAINT none");
            self.alter(SHUT);
            wait_until("PostgreSQL rejects the server", || {
                self.call("customers.search", json!({})).starts_with("HTTP/1.1 503")
            });
            assert!(people.send_secrets(&self.url()) > 0, "without a server");
            self.alter(OPEN);
            wait_until("PostgreSQL accepts the server again", || {
                self.call("customers.search", json!({})).starts_with("HTTP/1.1 200")
            });
        }
    }
}
