//! The server under a service manager: notifications and signals.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::client::get;
use crate::env::{Folder, Server, served, wait_until};

/// The time limit for a notification, longer than any machine needs.
const TIMEOUT: Duration = Duration::from_secs(60);

fn send(signal: &str, server: &Server) {
    let id = server.id().to_string();
    let status = Command::new("sh").args(["-c", "kill -$0 $1", signal, &id]).status();
    assert!(status.expect("sh runs").success());
}

#[test]
fn the_service_manager_is_notified_of_readiness_liveness_and_stopping() {
    let folder = Folder::new();
    folder.business();
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(TIMEOUT)).expect("a limit");
    let next = || {
        let mut bytes = [0; 1_024];
        let count = socket.recv(&mut bytes).expect("a notification");
        String::from_utf8(bytes[..count].to_vec()).expect("UTF-8")
    };
    let mut command = served(folder.command(&["serve"]));
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut server = Server::start(command);
    let ready = next();
    assert!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    assert!(ready.contains("STATUS=listening on 127.0.0.1:"), "{ready}");
    server.wait_until_ready();
    assert_eq!(get(&server.url, "/healthz").0, 200);
    for _ in 0..3 {
        assert_eq!(next().trim(), "WATCHDOG=1");
    }
    server.terminate();
    let stopping = std::iter::repeat_with(next).find(|it| it.trim() != "WATCHDOG=1");
    let stopping = stopping.expect("a notification of stopping");
    assert!(stopping.lines().any(|line| line == "STOPPING=1"), "{stopping}");
    assert!(server.wait().success());
}

#[test]
fn a_hangup_is_logged_and_ignored() {
    let folder = Folder::new();
    folder.business();
    let mut server = folder.serve(&[]);
    for _ in 0..2 {
        send("HUP", &server);
        server.log_line("SIGHUP ignored");
        assert_eq!(get(&server.url, "/readyz").0, 200);
    }
    for signal in ["TERM", "INT"] {
        send(signal, &server);
        assert!(server.wait().success(), "{signal}");
        assert!(!folder.path("zoop.db-wal").exists(), "the server stopped gracefully");
        server = folder.serve(&[]);
    }
}

#[test]
fn closing_the_terminal_stops_the_server_gracefully() {
    let folder = Folder::new();
    folder.business();
    let serve = folder.command(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"]);
    let words: Vec<_> = std::iter::once(serve.get_program())
        .chain(serve.get_args())
        .filter_map(|it| it.to_str())
        .collect();
    // `script` (util-linux) runs a command in a terminal of its own.
    let mut terminal = Command::new("script")
        .args(["-qec", &format!("exec {}", words.join(" ")), "/dev/null"])
        .current_dir(folder.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script (util-linux) runs");
    let shown = BufReader::new(terminal.stdout.take().expect("a pipe"));
    let mut lines = shown.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("zoop is ready")), "it starts");
    assert!(folder.path("zoop.db-wal").exists(), "it has the database open");
    terminal.kill().expect("it runs");
    terminal.wait().expect("it ends");
    wait_until("the server stopped gracefully", || !folder.path("zoop.db-wal").exists());
}

#[test]
fn the_doctor_and_the_log_report_records_dated_in_the_future() {
    let folder = Folder::new();
    folder.business();
    let doctor = || folder.json(&["doctor"]);
    let future = |answer: &Value| {
        let checks = answer["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["name"] == "future").expect("the check").clone()
    };
    assert_eq!(future(&doctor())["warning"], Value::Null);
    // Simulates a clock that was ahead: an id begins with the time of its creation.
    let database = rusqlite::Connection::open(folder.path("zoop.db")).expect("the database");
    let change = "UPDATE history_entries SET id = x'02000000000070008000000000000000' \
                  WHERE id = (SELECT max(id) FROM history_entries)";
    assert_eq!(database.execute(change, []).expect("it changes"), 1);
    drop(database);
    let answer = doctor();
    assert_eq!((&answer["ok"], &future(&answer)["warning"]), (&true.into(), &true.into()));
    assert!(future(&answer)["detail"].to_string().contains("2039-09-07"), "{answer}");
    let server = folder.serve(&[]);
    let line = server.log_line("dated in the future");
    assert_eq!((&line["level"], &line["businesses"]), (&"WARN".into(), &1.into()), "{line}");
}
