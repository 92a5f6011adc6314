//! A real browser, controlled by its `WebDriver`: Debian's headless Chromium, with a profile of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// The time limit for a wait, so that a hanging test fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The browser's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) is_dark: bool,
    pub(super) width: u32,
    pub(super) has_scripts: bool,
}

pub(super) const DESKTOP: Look = Look { is_dark: false, width: 1280, has_scripts: true };
pub(super) const NO_SCRIPTS: Look = Look { has_scripts: false, ..DESKTOP };

/// The process that starts and controls the browser. It is killed at the end of the test, even without a browser.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // The process may already have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The browser, which is closed at the end of the test.
pub(super) struct Browser {
    pub(super) client: Client,
    _driver: Driver,
    address: String,
    session: String,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session closes the browser, which would otherwise outlive its driver. The browser may
        // already be closed.
        let session = format!("{}/session/{}", self.address, self.session);
        let _ = ureq::delete(session).config().timeout_global(Some(TIMEOUT)).build().call();
    }
}

impl Browser {
    pub(super) async fn open(look: Look) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = Driver(driver.expect("chromedriver runs: ./test installs it"));
        let mut lines = BufReader::new(driver.0.stdout.take().expect("a pipe")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // The rest of the output is read, so that the pipe never fills.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = format!("http://127.0.0.1:{}", port.expect("its port"));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(look, profile.path()))
            .connect(&address)
            .await
            .expect("a browser");
        let session = client.session_id().await.expect("a session").expect("its id");
        Self { client, _driver: driver, address, session, _profile: profile }
    }

    /// Waits for an element.
    pub(super) async fn find(&self, css: &str) -> Element {
        let found = self.wait_for(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Waits for an element. If the browser moves to another page meanwhile, chromedriver answers with an error that
    /// `WebDriver` does not define, and the wait continues on that page.
    async fn wait_for(&self, locator: Locator<'_>) -> Result<Element, CmdError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.client.wait().at_most(left).for_element(locator).await {
                Err(CmdError::NotW3C(answer))
                    if answer == "aborted by navigation" && !left.is_zero() => {}
                found => return found,
            }
        }
    }

    /// Waits for an element that has exactly this text.
    pub(super) async fn find_text(&self, text: &str) {
        let path = format!("//*[text()='{text}']");
        let found = self.wait_for(Locator::XPath(&path)).await;
        found.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    pub(super) async fn click(&self, css: &str) {
        self.click_on(Locator::Css(css)).await;
    }

    /// Clicks an element. If the page replaces it between the search and the click, nothing was clicked, and the one
    /// that took its place is.
    async fn click_on(&self, locator: Locator<'_>) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let found = self.wait_for(locator).await;
            let found = found.unwrap_or_else(|error| panic!("{locator:?}: {error}"));
            match found.click().await {
                Err(error) if is_replaced(&error) && Instant::now() < deadline => {}
                clicked => return clicked.expect("a click"),
            }
        }
    }

    /// Waits for an element of an `XPath`.
    pub(super) async fn find_path(&self, path: &str) {
        let found = self.wait_for(Locator::XPath(path)).await;
        found.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Clicks the first element of an `XPath`.
    pub(super) async fn click_path(&self, path: &str) {
        self.click_on(Locator::XPath(path)).await;
    }

    /// Replaces the text of a field.
    pub(super) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("a typed text");
    }

    /// Chooses a file in the first field for files within an element.
    pub(super) async fn choose_file(&self, within: &str, file: &Path) {
        // Scripts hide some of these fields behind a button.
        let field = self.find(&format!("{within} input[type=file]")).await;
        field.send_keys(file.to_str().expect("a path")).await.expect("a chosen file");
    }

    /// Opens a page and waits for its heading.
    pub(super) async fn goto(&self, address: &str) {
        self.client.goto(address).await.expect("a page");
        self.find("h1").await;
    }

    /// Waits for the page with this path.
    pub(super) async fn arrive(&self, path: &str) {
        let here = self.client.current_url().await.expect("an address");
        let there = here.join(path).expect("an address");
        let arrived = self.client.wait().at_most(TIMEOUT).for_url(&there).await;
        arrived.unwrap_or_else(|error| panic!("{path}: {error}"));
        self.find("h1").await;
    }

    pub(super) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("a text")
    }

    /// An attribute as written in the page.
    pub(super) async fn attribute(&self, css: &str, name: &str) -> String {
        let value = self.find(css).await.attr(name).await.expect("a page");
        value.unwrap_or_else(|| panic!("{css} has no {name}"))
    }

    /// The violations that axe-core finds on the page; no rule is excluded.
    pub(super) async fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(axe()).expect("axe-core: ./test installs it");
        self.client.execute(&axe, Vec::new()).await.expect("axe-core is there");
        let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] })\
                   .then(({ violations }) => done(violations), (error) => done([{ id: String(error) }]));";
        let found = self.client.execute_async(run, Vec::new()).await.expect("a report");
        let found = found.as_array().expect("violations").iter();
        found.map(|it| format!("{}: {}", it["id"], it["nodes"])).collect()
    }

    /// Sets the size of the viewport.
    pub(super) fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.emulate("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Shows pages as for somebody whose system is dark, or light.
    pub(super) fn prefer_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        // Colors that still fade from one scheme to the other would be neither's.
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.emulate("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Sends a command of the Chrome `DevTools` protocol.
    pub(super) fn emulate(&self, command: &str, parameters: &Value) {
        let command = json!({ "cmd": command, "params": parameters });
        ureq::post(format!("{}/session/{}/goog/cdp/execute", self.address, self.session))
            .send(command.to_string())
            .expect("an answer of the browser");
    }

    /// The result of a script on the page.
    pub(super) async fn run_script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("an answer")
    }

    /// Errors on the console, such as violations of the content security policy.
    pub(super) fn console_errors(&self) -> Vec<Value> {
        let mut answer = ureq::post(format!("{}/session/{}/se/log", self.address, self.session))
            .send(json!({ "type": "browser" }).to_string())
            .expect("the console");
        let text = answer.body_mut().read_to_string().expect("the log");
        let log: Value = serde_json::from_str(&text).expect("JSON");
        let mut lines = log["value"].as_array().expect("lines").clone();
        lines.retain(|line| line["level"] == "SEVERE");
        lines
    }
}

fn capabilities(look: Look, profile: &Path) -> serde_json::Map<String, Value> {
    let scheme = if look.is_dark { "0" } else { "1" };
    // A desktop window cannot be as narrow as a phone, so the viewport is emulated.
    let metrics = json!({ "width": look.width, "height": 900, "pixelRatio": 1.0, "touch": false });
    let scripts = if look.has_scripts { 1 } else { 2 };
    let options = json!({
        "args": [
            "--headless=new",
            // As root, Chromium runs only without its sandbox.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            format!("--user-data-dir={}", profile.display()),
            format!("--blink-settings=preferredColorScheme={scheme}"),
        ],
        "mobileEmulation": { "deviceMetrics": metrics },
        "prefs": { "profile.managed_default_content_settings.javascript": scripts },
    });
    let all = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
    all.as_object().expect("an object").clone()
}

/// The path of the axe-core script, which `./test` installs.
fn axe() -> PathBuf {
    let debug = Path::new(env!("CARGO_BIN_EXE_zoop")).parent().expect("a folder");
    debug.with_file_name("tests").join("node_modules/axe-core/axe.min.js")
}

/// An OAuth client on this machine. It waits for browsers that are redirected to its callback.
pub(super) struct Program {
    answers: Receiver<String>,
    pub(super) callback: String,
}

/// The reply of a program that shows a page.
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
                    <!doctype html><title>Done</title><h1>Done</h1>";
/// The reply of a program without a page. The browser stays on the current page (RFC 9110, 15.3.5).
const STAY: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

impl Program {
    pub(super) fn start() -> Self {
        Self::start_with_reply(DONE)
    }

    /// Starts a program without a page, so that browsers stay on the page that redirects to it.
    pub(super) fn without_a_page() -> Self {
        Self::start_with_reply(STAY)
    }

    fn start_with_reply(reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            // Browsers open spare connections, so each connection gets a thread.
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    let query = receive(stream, reply).ok().flatten();
                    // Sending fails if the test has ended.
                    query.map(|query| sender.send(query))
                });
            }
        });
        Self { answers, callback: format!("http://{address}/callback") }
    }

    /// Waits for a redirected browser; returns the query of its URL.
    pub(super) fn answer(&self) -> String {
        self.answers.recv_timeout(TIMEOUT).expect("a browser is sent back")
    }
}

/// Answers one request; returns its query, if it is for the callback and not for an icon.
fn receive(mut stream: TcpStream, reply: &str) -> std::io::Result<Option<String>> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?).take(64 * 1024);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    stream.write_all(reply.as_bytes())?;
    let target = line.split(' ').nth(1).unwrap_or_default();
    Ok(target.strip_prefix("/callback?").map(str::to_owned))
}

/// Whether an element was replaced, with its page, before it could be clicked. If that happens while chromedriver looks where
/// the element is, it answers with what the browser's inspector says instead of the error that `WebDriver` defines.
fn is_replaced(error: &CmdError) -> bool {
    error.is_stale_element_reference()
        || error.to_string().contains("Node with given id does not belong to the document")
}
