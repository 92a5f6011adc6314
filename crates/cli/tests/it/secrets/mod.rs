//! Keys, passwords, codes, tokens, their hashes, and customers' data must never leak. The tests run the whole binary
//! with everything logged, and search all its output and every file that it created.

mod browser;
mod calls;
mod pages;

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;

use zoop_both::both;
use zoop_db::Dialect;

use crate::crash::source::Source;
use crate::env::{Folder, Server, database, text};

/// Customer data, as typed here, and as stored.
const CUSTOMER_DATA: &[&str] = &[
    "anthippe",
    "uillfeather",
    "555-0187",
    "5550187",
    "xq@example.com",
    "marmalade",
    "Quokka Crescent",
    "pomegranate",
];

/// The password in the URL of a PostgreSQL database. The server accepts any password, but this one must stay hidden.
const DATABASE_PASSWORD: &str = "wh1mbrel-and-dunl1n";

/// A run: a server that logs everything, and the keys of its callers.
struct Run {
    folder: Folder,
    server: Server,
    public: String,
    operations: String,
    /// A valid user key, a revoked tenant key, and a valid tenant key.
    keys: [String; 3],
    /// The server's output until it was ready, and commands' stderr.
    output: String,
}

impl Run {
    fn start(format: &str) -> Self {
        let folder = match zoop_crm::testing::engine() {
            Dialect::Sqlite => Folder::new(),
            Dialect::Postgres => Folder::over(database().with_password(DATABASE_PASSWORD)),
        };
        let settings = "[server]\ntrusted_proxies = ['127.0.0.1']\n[log]\nlevel = 'trace'\n";
        folder.write("zoop.toml", &format!("{settings}format = '{format}'\n"));
        let (_, _, good) = folder.business();
        let mut output = String::new();
        let mut make = || {
            let made = folder.zoop(&["key", "create", "--scope", "read:customers", "--json"]);
            output.push_str(&made.stderr);
            made.json()
        };
        let (revoked, account) = (make(), make());
        output.push_str(&folder.zoop(&["key", "revoke", &text(&revoked, "key_id")]).stderr);
        let mut command = folder.command(&["serve"]);
        command
            .env("ZOOP_SERVER_LISTEN", "127.0.0.1:0")
            .env("ZOOP_SERVER_OPS_LISTEN", "127.0.0.1:0");
        let server = Server::start(command);
        let ready = loop {
            let line = server.error_line();
            output.push_str(&line);
            output.push('\n');
            if line.contains("/api/mcp") {
                break line;
            }
        };
        let after = |word: &str| {
            let (_, rest) = ready.split_once(word).unwrap_or_else(|| panic!("{ready}"));
            rest.split([',', '"', ')', '/']).next().expect("an address").to_owned()
        };
        let word = if format == "json" { "operations\":\"" } else { "metrics on " };
        let (public, operations) = (after("http://"), after(word));
        let keys = [good, text(&revoked, "key"), text(&account, "key")];
        Self { folder, server, public, operations, keys, output }
    }

    fn url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// Changes the database without the product.
    fn alter(&self, script: &str) {
        match self.folder.server() {
            Some(server) => drop(server.run_as_superuser(script).expect("it runs")),
            None => rusqlite::Connection::open(self.folder.path("zoop.db"))
                .and_then(|file| file.execute_batch(script))
                .expect("it runs"),
        }
    }

    /// Runs operator commands, whose output must not contain secrets either.
    fn operate(&mut self) {
        for command in [&["doctor"][..], &["serve", "--print-config"], &["backup", "copy.db"]] {
            let answer = self.folder.zoop(command);
            self.output.push_str(&answer.stdout);
            self.output.push_str(&answer.stderr);
        }
        let mut metrics = TcpStream::connect(&self.operations).expect("the metrics");
        metrics.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("the server reads");
        metrics.read_to_string(&mut self.output).expect("the metrics");
    }

    /// Stops the server; returns all its output.
    fn end(&mut self) -> String {
        self.server.terminate();
        assert!(self.server.wait().success());
        self.output.push_str(&self.server.rest());
        std::mem::take(&mut self.output)
    }

    /// The number of stored hashes and second-factor secrets, and every form in which a log could show them.
    fn stored_forms(&self) -> (usize, Vec<String>) {
        let source = Source::of(&self.folder);
        let digits = |column: &str| match source {
            Source::File(_) => format!("lower(hex({column}))"),
            Source::Server(_) => format!("encode({column}, 'hex')"),
        };
        let mut stored = 0;
        let mut forms = Vec::new();
        for (table, column) in [
            ("api_keys", "hash"),
            ("sessions", "hash"),
            ("recovery_codes", "hash"),
            ("second_factors", "secret"),
            ("invitations", "hash"),
            ("oauth_tokens", "hash"),
        ] {
            let rows = source.rows(&format!("SELECT {} FROM {table}", digits(column)));
            assert!(!rows.is_empty(), "{table} has no rows");
            stored += rows.len();
            for hexadecimal in rows.iter().map(|row| &row[0][..16]) {
                let bytes = (0..10).step_by(2).fold(String::new(), |mut list, at| {
                    let byte = u8::from_str_radix(&hexadecimal[at..at + 2], 16).expect("a byte");
                    write!(list, "{byte}, ").expect("a string accepts it");
                    list
                });
                forms.extend([hexadecimal.to_uppercase(), hexadecimal.to_owned()]);
                forms.push(format!("[{}", bytes.trim_end_matches(", ")));
            }
        }
        for row in source.rows("SELECT hash FROM passwords") {
            stored += 1;
            // The last part is the hash; the one before it is the salt.
            let parts = row[0].rsplit('$').take(2);
            forms.extend(parts.map(|part| part.chars().take(16).collect()));
        }
        (stored, forms)
    }
}

#[both]
fn no_log_line_or_metric_of_a_full_run_contains_a_secret() {
    for format in ["text", "json"] {
        let mut run = Run::start(format);
        let people = run.people();
        run.good_calls();
        run.bad_calls();
        run.failures(&people);
        run.operate();
        let (stored, forms) = run.stored_forms();
        let output = run.end();

        // The output covers the whole run: requests, failures, and details at level trace.
        assert!(output.matches("request_id").count() > 60, "{output}");
        let failure = match run.folder.server() {
            Some(_) => "SQLSTATE 42P01",
            None => "no such table",
        };
        for part in
            ["ERROR", "DEBUG", "level = \"trace\"", failure, "oauth/token", "zoop_requests_total"]
        {
            assert!(output.contains(part), "{part} in {output}");
        }
        assert!(
            stored >= 3 + 9 + 6,
            "3 keys, 9 recovery codes, and at least one of each other kind: {stored}"
        );
        let mut secrets = people.secrets();
        secrets.extend(forms);
        for key in &run.keys {
            secrets.extend(parts_of(key));
        }
        secrets.extend(CUSTOMER_DATA.iter().map(|text| (*text).to_owned()));
        secrets.push(DATABASE_PASSWORD.to_owned());
        for secret in &secrets {
            assert!(secret.len() > 6, "long enough not to occur by chance: {secret}");
            assert!(!output.contains(secret), "{format}: {secret} in {output}");
        }
    }
}

/// The parts of a key or token that must not appear. Its first twelve characters may, because lists show them.
fn parts_of(token: &str) -> [String; 2] {
    [token[12..].to_owned(), token[12..24].to_owned()]
}

#[test]
fn no_file_contains_a_key() {
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
    let mut searched_bytes = 0;
    for entry in std::fs::read_dir(run.folder.path("")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        for key in run.keys.iter().chain(&rotated) {
            let tail = &key.as_bytes()[12..24];
            let is_there = bytes.windows(tail.len()).any(|window| window == tail);
            assert!(!is_there, "{} contains {key}", path.display());
        }
        searched_bytes += bytes.len();
    }
    assert!(searched_bytes > 100_000, "only {searched_bytes} bytes");
}
