//! A folder to run `zoop` in, and running servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use zoop_db::Dialect;
use zoop_postgres_cluster::Database;

/// The time limit for a wait, so that a hanging test fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A new folder without settings, in which `zoop` runs. In tests on PostgreSQL, a variable names the database.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
    /// The program and arguments that run `zoop`, if it is not run directly.
    launcher: Vec<String>,
    /// The database, if it is not a file in the folder.
    server: Option<Database>,
}

/// A command's output.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// The single JSON object on stdout of a successful command.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        let value: Value = serde_json::from_str(&self.stdout).expect("JSON on stdout");
        assert!(value.is_object(), "{value}");
        value
    }

    /// The error message of a failed command, which must print nothing on stdout.
    #[track_caller]
    pub(crate) fn failure(&self) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (1, ""), "{}", self.stderr);
        self.stderr.trim_end().strip_prefix("error: ").expect("an error on stderr")
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        let server = match zoop_crm::testing::engine() {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(database()),
        };
        Self { directory: tempfile::tempdir().expect("a folder"), server, launcher: Vec::new() }
    }

    /// A folder whose `zoop` uses a database on a PostgreSQL server.
    pub(crate) fn over(server: Database) -> Self {
        Self { server: Some(server), ..Self::new() }
    }

    /// The PostgreSQL database, if the folder uses one.
    pub(crate) fn server(&self) -> Option<&Database> {
        self.server.as_ref()
    }

    /// From now on, `zoop` is run by this program with these arguments.
    pub(crate) fn launch_with(&mut self, launcher: Vec<String>) {
        self.launcher = launcher;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// The URL of the database that `zoop` uses here.
    pub(crate) fn database(&self) -> &str {
        self.server.as_ref().map_or("sqlite://zoop.db", Database::url)
    }

    /// `zoop` with these arguments, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let launcher = self.launcher.iter().map(String::as_str);
        let mut words =
            launcher.chain([env!("CARGO_BIN_EXE_zoop")]).chain(arguments.iter().copied());
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).current_dir(self.directory.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        if let Some(server) = &self.server {
            command.env("ZOOP_DATABASE", server.url());
        }
        command
    }

    /// Runs `zoop` to its end.
    pub(crate) fn zoop(&self, arguments: &[&str]) -> Answer {
        self.command(arguments).output().expect("zoop runs").into()
    }

    /// Runs `zoop … --json`; returns its object.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.zoop(&[arguments, &["--json"]].concat()).json()
    }

    /// Runs `zoop` with text on stdin.
    pub(crate) fn zoop_reading(&self, arguments: &[&str], stdin: &str) -> Answer {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("zoop runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(stdin.as_bytes()).expect("zoop reads");
        drop(pipe);
        child.wait_with_output().expect("zoop ends").into()
    }

    /// Creates a business and a key of its owner with all scopes: (tenant id, owner id, key).
    pub(crate) fn business(&self) -> (String, String, String) {
        if self.server.is_some() {
            self.json(&["migrate"]);
        }
        let made = self.json(&[
            "tenant",
            "create",
            "--name",
            "Copper Creek",
            "--owner-name",
            "Dana Whitfield",
            "--owner-email",
            "dana@example.com",
        ]);
        let (tenant, owner) = (text(&made, "tenant_id"), text(&made, "owner_id"));
        let scopes = "read:customers,write:customers read:notes,write:notes read:tax_rates,write:tax_rates \
                      read:catalog,write:catalog read:jobs,write:jobs read:quotes,write:quotes";
        let key = self.json(&["key", "create", "--user", &owner, "--scope", scopes]);
        (tenant, owner, text(&key, "key"))
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let mut server = self.start_to_serve(arguments);
        server.wait_until_ready();
        server
    }

    /// Starts a server, which listens on free ports and logs JSON, without waiting for it.
    pub(crate) fn start_to_serve(&self, arguments: &[&str]) -> Server {
        Server::start(served(self.command(&[&["serve"], arguments].concat())))
    }
}

/// An empty database of a PostgreSQL server.
pub(crate) fn database() -> Database {
    zoop_postgres_cluster::database().expect("a database")
}

/// Waits until another thread or process has done something.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < give_up, "it never happened that {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the long tests are on: `./test --long`.
pub(crate) fn is_long() -> bool {
    std::env::var_os("ZOOP_TEST_LONG").is_some()
}

/// Makes a server command listen on free ports and log JSON.
pub(crate) fn served(mut command: Command) -> Command {
    command
        .env("ZOOP_SERVER_LISTEN", "127.0.0.1:0")
        .env("ZOOP_SERVER_OPS_LISTEN", "127.0.0.1:0")
        .env("ZOOP_LOG_FORMAT", "json");
    command
}

/// The string at this key of an object.
#[track_caller]
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}

/// A running `zoop`, which is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// The server's base address, empty until the server is ready.
    pub(crate) url: String,
    /// The address of the metrics, if they are served.
    pub(crate) operations: Option<String>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("zoop runs");
        let stdout = lines(child.stdout.take().expect("a pipe"));
        let stderr = lines(child.stderr.take().expect("a pipe"));
        Self { child, stdout, stderr, url: String::new(), operations: None }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server answers requests, and reads its addresses.
    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        let ready = self.log_line("ready");
        let endpoint = ready["endpoint"].as_str().expect("an endpoint");
        endpoint.trim_end_matches("/api/mcp").clone_into(&mut self.url);
        self.operations = ready["operations"].as_str().map(str::to_owned);
    }

    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let line = self.stdout.recv_timeout(TIMEOUT);
        line.unwrap_or_else(|_| {
            panic!("no line on stdout, but on stderr:\n{}", self.stderr_so_far())
        })
    }

    /// The unread stderr, all of it if the process has ended.
    fn stderr_so_far(&self) -> String {
        let next = || self.stderr.recv_timeout(Duration::from_secs(1)).ok();
        std::iter::from_fn(next).map(|line| line + "\n").collect()
    }

    /// Whether all of stdout has been read; for a process that has ended.
    pub(crate) fn has_no_more_output(&self) -> bool {
        self.stdout.recv_timeout(TIMEOUT).is_err()
    }

    /// The next log line with this message.
    #[track_caller]
    pub(crate) fn log_line(&self, message: &str) -> Value {
        let is_it = |line: &Value| line["message"].as_str().is_some_and(|it| it.contains(message));
        self.log_lines_until(is_it).pop().expect("the line itself")
    }

    /// The unread log lines, up to and including the first for which `last` is true.
    #[track_caller]
    pub(crate) fn log_lines_until(&self, last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut lines: Vec<Value> = Vec::new();
        while !lines.last().is_some_and(&last) {
            let line = self.error_line();
            lines.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}")));
        }
        lines
    }

    /// The next line on stderr, whatever it is.
    #[track_caller]
    pub(crate) fn error_line(&self) -> String {
        self.stderr.recv_timeout(TIMEOUT).expect("a line on stderr")
    }

    /// All unread lines on stdout and stderr, once the process has ended.
    pub(crate) fn rest(&self) -> String {
        self.stdout.iter().chain(self.stderr.iter()).map(|line| line + "\n").collect()
    }

    /// Asks the process to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -TERM $0", &id]).status();
        let status = status.expect("sh runs");
        assert!(status.success());
    }

    /// Kills the process: none of its code runs after this, as in a power failure.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it was not yet waited for");
        self.wait();
    }

    /// Waits for the process to end; returns its exit status.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, read as they arrive so that the pipe never fills.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
