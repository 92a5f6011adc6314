//! What never leaves: keys, their hashes, and what customers told. A whole run of the binary, with
//! everything logged that can be, and a look into every file that it made.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use crate::world::{Folder, Server, text};

/// Things that a customer told, as they are typed here, and as they are stored.
const TOLD: &[&str] = &[
    "anthippe",
    "uillfeather",
    "555-0187",
    "5550187",
    "xq@example.com",
    "marmalade",
    "Quokka Crescent",
    "pomegranate",
];

/// A run: a server that logs everything, and the keys of its callers.
struct Run {
    folder: Folder,
    server: Server,
    public: String,
    operations: String,
    /// A good key, a revoked one, and one of the account.
    keys: [String; 3],
    /// What commands said on stderr.
    said: String,
}

impl Run {
    fn start(format: &str) -> Self {
        let folder = Folder::new();
        let (_, _, good) = folder.business();
        let mut said = String::new();
        let mut make = || {
            let made = folder.zoop(&["key", "create", "--scope", "read:customers", "--json"]);
            said.push_str(&made.stderr);
            made.json()
        };
        let (revoked, account) = (make(), make());
        said.push_str(&folder.zoop(&["key", "revoke", &text(&revoked, "key_id")]).stderr);
        let mut command = folder.command(&["serve"]);
        command
            .env("ZOOP_SERVER_LISTEN", "127.0.0.1:0")
            .env("ZOOP_SERVER_OPS_LISTEN", "127.0.0.1:0")
            .env("ZOOP_LOG_LEVEL", "trace")
            .env("ZOOP_LOG_FORMAT", format);
        let server = Server::start(command);
        let ready = server.error_line();
        let after = |word: &str| {
            let (_, rest) = ready.split_once(word).unwrap_or_else(|| panic!("{ready}"));
            rest.split([',', '"', ')', '/']).next().expect("an address").to_owned()
        };
        let word = if format == "json" { "operations\":\"" } else { "metrics on " };
        let (public, operations) = (after("http://"), after(word));
        let keys = [good, text(&revoked, "key"), text(&account, "key")];
        Self { folder, server, public, operations, keys, said }
    }

    /// Sends bytes as they are.
    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.public).expect("the server listens");
        stream.write_all(bytes).expect("the server reads");
        stream
    }

    /// Sends bytes that the server answers with closing, or that break off.
    fn send_nonsense(&self, bytes: &[u8]) {
        let mut stream = self.send(bytes);
        // The server may have closed already.
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

    /// Calls a method with the good key.
    fn ask(&self, method: &str, params: Value) -> String {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let headers = format!("authorization: Bearer {}\r\n", self.keys[0]);
        self.post("/api/mcp", &headers, &body.to_string())
    }

    fn call(&self, tool: &str, arguments: Value) -> String {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    fn good_calls(&self) {
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

    /// Everything that can be said wrongly, with secrets in every place.
    fn bad_calls(&self) {
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
        // What is no HTTP at all, a head that never ends well, and a body that breaks off.
        self.send_nonsense(format!("\x16\x03\x01{good}\r\n\r\n").as_bytes());
        self.send_nonsense(format!("POST /api/mcp HTTP/1.1\r\n{good}\r\n\r\n").as_bytes());
        self.send_nonsense(format!("POST /{good} HTTP/9.9\r\nhost: x\r\n\r\n").as_bytes());
        let head = "POST /api/mcp HTTP/1.1\r\nhost: zoop\r\ncontent-length: 900\r\n";
        self.send_nonsense(
            format!("{head}authorization: Bearer {good}\r\n\r\n{{\"{account}").as_bytes(),
        );
    }

    /// Calls that fail inside, with the customer's words in their arguments.
    fn failures(&self) {
        let file = self.database();
        file.execute_batch("ALTER TABLE customers RENAME TO lost").expect("the schema breaks");
        let answer = self.call("customers.search", json!({ "q": "Xanthippe" }));
        assert!(answer.contains("internal"), "{answer}");
        let answer = self.call(
            "customers.create",
            json!({ "customer_type": "individual",
            "first_name": "Xanthippe", "last_name": "Quillfeather", "phone": "(510) 555-0187" }),
        );
        assert!(answer.contains("internal"), "{answer}");
        file.execute_batch("ALTER TABLE lost RENAME TO customers").expect("the schema is whole");
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path("zoop.db")).expect("the database")
    }

    /// Every form in which a key's hash could be written.
    fn hashes(&self) -> Vec<String> {
        let file = self.database();
        let mut statement = file.prepare("SELECT hash FROM api_keys").expect("the keys");
        let hashes = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("their hashes");
        let mut forms = Vec::new();
        for hash in hashes.map(|hash| hash.expect("a hash")) {
            let hexadecimal = hash.iter().take(8).fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes it");
                text
            });
            forms.extend([hexadecimal.to_uppercase(), hexadecimal]);
            forms.push(format!("{:?}", &hash[..5]).trim_end_matches(']').to_owned());
        }
        forms
    }
}

#[test]
fn no_log_line_and_no_metric_of_a_whole_run_tells_a_secret() {
    for format in ["text", "json"] {
        let mut run = Run::start(format);
        run.good_calls();
        run.bad_calls();
        run.failures();
        let mut said = std::mem::take(&mut run.said);
        said.push_str(&run.folder.zoop(&["doctor"]).stdout);
        said.push_str(&run.folder.zoop(&["backup", "copy.db"]).stderr);
        said.push_str(&run.folder.zoop(&["serve", "--print-config"]).stdout);
        let mut metrics = TcpStream::connect(&run.operations).expect("the metrics");
        metrics.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("the server reads");
        metrics.read_to_string(&mut said).expect("the metrics");
        run.server.terminate();
        assert!(run.server.wait().success());
        said.push_str(&run.server.rest());

        // What is looked through is the whole run: its requests, its failures, the inner workings.
        assert!(said.matches("request_id").count() > 30, "{said}");
        for part in ["ERROR", "DEBUG", "no such table", "zoop_requests_total"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        let mut secrets = run.hashes();
        assert_eq!(secrets.len(), 3 * 3, "three forms of three keys");
        for key in &run.keys {
            // What lists show of a key, to know it by, is its first twelve characters.
            secrets.extend([key[12..].to_owned(), key[12..24].to_owned()]);
        }
        secrets.extend(TOLD.iter().map(|told| (*told).to_owned()));
        for secret in &secrets {
            assert!(!said.contains(secret), "{format}: {secret} in {said}");
        }
    }
}

#[test]
fn no_file_holds_a_key() {
    let run = Run::start("json");
    run.good_calls();
    let mut rotated = Vec::new();
    let list = run.folder.json(&["key", "list"]);
    for row in
        list["rows"].as_array().expect("keys").iter().filter(|row| row["revoked_at"].is_null())
    {
        let new = run.folder.json(&["key", "rotate", &text(row, "id"), "--overlap", "1h"]);
        rotated.push(text(&new, "key"));
    }
    run.folder.json(&["backup", "copy.db"]);
    let mut looked_through = 0;
    for entry in std::fs::read_dir(run.folder.path("")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        for key in run.keys.iter().chain(&rotated) {
            let tail = &key.as_bytes()[12..24];
            let is_there = bytes.windows(tail.len()).any(|window| window == tail);
            assert!(!is_there, "{} holds {key}", path.display());
        }
        looked_through += bytes.len();
    }
    assert!(looked_through > 100_000, "only {looked_through} bytes");
}
