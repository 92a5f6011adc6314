//! A server to test against.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zoop_crm::call::scope::Scope;
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::testing::{Business, TestEnv};
use zoop_crm::values::clock::{Clock, Entropy, Environment};
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::{Db, Migrate, Options};
use zoop_server::{App, Settings};

use crate::http::{self, Reply};

pub(crate) const MODERN: &str = "2026-07-28";

/// A running server over a test environment with one business.
pub(crate) struct Server {
    pub(crate) env: TestEnv,
    pub(crate) business: Business,
    /// The server's database handle.
    pub(crate) db: Db,
    pub(crate) public: SocketAddr,
    pub(crate) operations: SocketAddr,
    pub(crate) log: Log,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<io::Result<()>>>,
    runtime: Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {}, None)
    }

    /// Starts a server with changed settings, and with database threads of its own if `options` are given.
    pub(crate) fn start_with(
        change: impl FnOnce(&mut Settings),
        options: Option<&Options>,
    ) -> Self {
        Self::start_in(TestEnv::new(), change, options)
    }

    /// Starts a server with changed limits and settings.
    pub(crate) fn start_with_environment(
        limits: impl FnOnce(&mut Environment),
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut env = TestEnv::new();
        limits(&mut env.environment);
        Self::start_in(env, change, None)
    }

    fn start_in(
        env: TestEnv,
        change: impl FnOnce(&mut Settings),
        options: Option<&Options>,
    ) -> Self {
        let business = env.empty_business("Acme");
        let url = env.url().to_owned();
        let db = options.map_or_else(
            || env.db.clone(),
            |options| Db::open(&url, options, MIGRATIONS, Migrate::Refuse).expect("a database"),
        );
        let log = Log::default();
        let runtime = log.runtime();
        let bind = || runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let (public, operations) = (bind(), bind());
        let addresses = (
            public.local_addr().expect("an address"),
            operations.local_addr().expect("an address"),
        );
        let public_url = format!("http://{}", addresses.0).parse().expect("an origin");
        let mut settings = Settings::new(public_url);
        change(&mut settings);
        let app = App::new(db.clone(), env.environment.clone(), settings);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let running = runtime.spawn(zoop_server::serve(app, public, Some(operations), shutdown));
        Self {
            env,
            business,
            db,
            public: addresses.0,
            operations: addresses.1,
            log,
            stop: Some(stop),
            running: Some(running),
            runtime,
        }
    }

    /// Sets the process's clock to the time of the database server, if there is a database server.
    pub(crate) fn set_clock(&self) {
        if let Some(server_time) = self.db.clock() {
            self.env.clock.advance((server_time.0 - self.env.clock.now().0) / 1_000);
        }
    }

    /// A new key with these scopes: a user key of the owner, or a tenant key.
    pub(crate) fn key(&self, scopes: &[Scope], is_owners: bool) -> String {
        let owner = Business::user(&self.business.owner).uuid().to_string();
        self.env.key(self.business.account, is_owners.then_some(owner.as_str()), scopes)
    }

    /// Sends a body to the endpoint with the owner's key and these headers.
    pub(crate) fn post(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let token = format!("Bearer {}", self.business.owner_key);
        let mut all = vec![("Authorization", token.as_str())];
        all.extend(headers);
        http::request(self.public, "POST", target, &all, body)
    }

    /// Sends a body to the endpoint with only these headers.
    pub(crate) fn post_bare(&self, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        http::request(self.public, "POST", "/api/mcp", headers, body)
    }

    /// Calls a legacy method with a key.
    pub(crate) fn ask(&self, key: &str, target: &str, method: &str, params: Value) -> Reply {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", authorization.as_str())];
        http::request(self.public, "POST", target, &headers, &message(method, params))
    }

    /// Calls a legacy method as the owner.
    pub(crate) fn owner(&self, method: &str, params: Value) -> Reply {
        self.ask(&self.business.owner_key, "/api/mcp", method, params)
    }

    /// Calls a tool as the owner.
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.owner("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a modern method as the owner, with these headers instead of the correct ones.
    pub(crate) fn modern(
        &self,
        method: &str,
        params: Value,
        other: &[(&str, Option<&str>)],
    ) -> Reply {
        let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
        let mut headers =
            vec![("MCP-Protocol-Version", Some(MODERN)), ("Mcp-Method", Some(method))];
        headers.push(("Mcp-Name", name.as_deref()));
        for (name, value) in other {
            headers.retain(|(known, _)| known != name);
            headers.push((name, *value));
        }
        let headers: Vec<_> =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.post("/api/mcp", &headers, &modern_message(method, params))
    }

    /// The text of the metrics.
    pub(crate) fn metrics(&self) -> String {
        http::get(self.operations, "/metrics").body
    }

    /// Tells the server to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has stopped.
    pub(crate) fn wait_until_stopped(&mut self) -> io::Result<()> {
        let running = self.running.take().expect("nobody has waited yet");
        self.runtime.block_on(running).expect("no panic")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if self.running.is_some() && !std::thread::panicking() {
            self.wait_until_stopped().expect("the server stops without a fault");
        }
    }
}

/// A token of the right form that no database knows. Each number gives another token.
pub(crate) fn unknown_token(number: u64) -> String {
    let entropy = Entropy::seeded(1_000_000 + number);
    Secret::generate(SecretKind::UserKey, &entropy).expose().to_owned()
}

/// A legacy request with id 7.
pub(crate) fn message(method: &str, params: Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string().into()
}

/// A modern request with id 7.
pub(crate) fn modern_message(method: &str, mut params: Value) -> Vec<u8> {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    message(method, params)
}

/// Waits until another thread has made a condition true.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        std::thread::yield_now();
    }
}

/// Everything that the server's threads log, as JSON.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// A runtime whose threads write to this log.
    fn runtime(&self) -> Runtime {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || log.clone())
            .finish();
        let dispatch = tracing::Dispatch::new(subscriber);
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(move || {
                // The logger stays set for the thread after this function returns.
                std::mem::forget(tracing::dispatcher::set_default(&dispatch));
            })
            .build()
            .expect("a runtime")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }

    /// The line of each request to the endpoint, in order.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.lines_with("request")
    }

    /// The line of each request for a page, in order.
    pub(crate) fn pages(&self) -> Vec<Value> {
        self.lines_with("page")
    }

    fn lines_with(&self, message: &str) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["fields"].clone())
            .filter(|fields| fields["message"] == message)
            .collect()
    }

    /// The number of lines of this level with this message.
    pub(crate) fn count(&self, level: &str, words: &str) -> usize {
        let level = format!("\"level\":\"{level}\"");
        let text = self.text();
        text.lines().filter(|line| line.contains(&level) && line.contains(words)).count()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
