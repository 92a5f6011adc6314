//! A process that has the database open: another run of this program. It reads requests from a pipe, one per line,
//! and answers each. The process's state outside the database is lost when the process ends.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The argument that starts this program as a worker process.
pub(super) const WORKER: &str = "--work-on";

/// A request to a process, and the time that its clock must show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    /// Milliseconds since 1970.
    pub(super) now: i64,
    pub(super) task: Task,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    Call { credential: Credential, tool: String, arguments: String },
    Sweep,
}

/// Who is calling, and the proof of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Credential {
    /// The secret of an API key.
    Key(String),
    /// The operator, in the tenant with this id.
    Operator(String),
}

/// The result of a task: a tool's answer or the number of swept rows, or an error.
pub(super) type Answer = Result<Value, Value>;

/// How a process ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// It stops gracefully and closes the database.
    Stopped,
    /// It is killed, so it cannot close the database.
    Killed,
}

pub(super) struct Process {
    child: Child,
    /// Closing it asks the process to stop.
    requests: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a process on a database, with its own random seed.
    pub(super) fn start(database: &str, seed: u64) -> Self {
        let program = std::env::current_exe().expect("this program's file");
        let mut child = Command::new(program)
            .arg(WORKER)
            .arg(database)
            .arg(seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, requests, answers }
    }

    /// Sends a request without waiting for its answer.
    pub(super) fn send(&mut self, request: &Request) {
        let mut line = serde_json::to_string(request).expect("a request in JSON");
        line.push('\n');
        let pipe = self.requests.as_mut().expect("a process that runs");
        pipe.write_all(line.as_bytes()).expect("the process should take the request");
    }

    /// Waits for the answer to the oldest open request.
    pub(super) fn receive(&mut self) -> Answer {
        let line = self.answers.next().expect("the process should be running").expect("an answer");
        serde_json::from_str(&line).expect("an answer in JSON")
    }

    pub(super) fn end(&mut self, end: End) {
        self.requests = None;
        if matches!(end, End::Killed) {
            self.child.kill().expect("the process should be killed");
        }
        let status = self.child.wait().expect("the process should end");
        assert!(status.success() || matches!(end, End::Killed), "a process stopped with {status}");
    }
}

impl Drop for Process {
    /// Kills the process if the test has failed before it ended the process.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
