//! [`Proxy`]: forwards connections to a server, and breaks them at a COMMIT.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The name of a server's socket.
const SOCKET: &str = ".s.PGSQL.5432";
/// The statement as it is sent. The zero byte distinguishes it from READ COMMITTED.
const COMMIT: &[u8] = b"COMMIT\0";

/// What is lost at the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server never receives the COMMIT, and the connection breaks.
    Commit,
    /// The server receives the COMMIT, and the connection breaks before the answer arrives.
    Answer,
    /// The server never receives the COMMIT, and cannot be reached until [`Proxy::heal`].
    Server,
    /// The server receives the COMMIT, but its answer is lost, and the server cannot be reached until
    /// [`Proxy::heal`].
    AnswerAndServer,
}

/// A proxy with a socket in a folder of its own. It forwards connections to the server's socket.
pub struct Proxy {
    state: Arc<State>,
    _folder: tempfile::TempDir,
}

/// A fault, and text that a connection must have sent before the fault applies to its COMMIT.
struct Plan {
    fault: Fault,
    text: &'static str,
}

/// The state that the proxy's threads share.
#[derive(Default)]
struct State {
    next: Mutex<Option<Plan>>,
    is_down: AtomicBool,
}

impl Proxy {
    /// Starts a proxy for the server of a [`Cluster`](crate::Cluster). `url` must name the folder of the server's
    /// socket. Returns the proxy, and the URL that leads through it.
    ///
    /// # Panics
    /// If the URL is not from this crate, or a socket cannot be created.
    pub fn before(url: &str) -> (Self, String) {
        let (start, rest) = url.split_once("host=").expect("a socket's folder");
        let (server, rest) = rest.split_once('&').expect("a user");
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let url = format!("{start}host={}&{rest}", folder.path().display());
        let server = PathBuf::from(server).join(SOCKET);
        let state = Arc::<State>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if !shared.is_down.load(Ordering::SeqCst) {
                    join(&client, &server, &shared);
                }
            }
        });
        (Self { state, _folder: folder }, url)
    }

    /// Applies a fault to the next COMMIT.
    ///
    /// # Panics
    /// If a thread of the proxy has panicked.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_next_of("", fault);
    }

    /// Applies a fault to the next COMMIT of a connection that has sent this text.
    ///
    /// # Panics
    /// If a thread of the proxy has panicked.
    pub fn fail_next_of(&self, text: &'static str, fault: Fault) {
        *self.state.next.lock().expect("no panic") = Some(Plan { fault, text });
    }

    /// Whether the proxy rejects connections, as if the server could not be reached.
    pub fn is_down(&self) -> bool {
        self.state.is_down.load(Ordering::SeqCst)
    }

    /// Lets connections through again.
    pub fn heal(&self) {
        self.state.is_down.store(false, Ordering::SeqCst);
    }
}

/// Connects a client to the server until either closes the connection or a fault breaks it.
fn join(client: &UnixStream, server: &Path, state: &Arc<State>) {
    // If the server is not running, the client's connection is closed too.
    let Ok(server) = UnixStream::connect(server) else { return };
    let (mut from_server, mut to_client) = clone_both(&server, client);
    let (mut from_client, mut to_server) = clone_both(client, &server);
    let is_answer_lost = Arc::new(AtomicBool::new(false));
    let is_lost = is_answer_lost.clone();
    std::thread::spawn(move || {
        forward(&mut from_server, &mut to_client, |_| !is_lost.load(Ordering::SeqCst));
    });
    let state = state.clone();
    std::thread::spawn(move || {
        let mut has_sent_text = false;
        forward(&mut from_client, &mut to_server, |bytes| {
            let mut next = state.next.lock().expect("no panic");
            let Some(plan) = &*next else { return true };
            has_sent_text |= contains(bytes, plan.text.as_bytes());
            if !has_sent_text || !contains(bytes, COMMIT) {
                return true;
            }
            let fault = plan.fault;
            *next = None;
            let reaches_server = matches!(fault, Fault::Answer | Fault::AnswerAndServer);
            is_answer_lost.store(reaches_server, Ordering::SeqCst);
            if matches!(fault, Fault::Server | Fault::AnswerAndServer) {
                state.is_down.store(true, Ordering::SeqCst);
            }
            reaches_server
        });
    });
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

fn clone_both(from: &UnixStream, to: &UnixStream) -> (UnixStream, UnixStream) {
    (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"))
}

/// Forwards bytes until the input ends or `may_pass` returns false for them; then closes both sides.
fn forward(from: &mut UnixStream, to: &mut UnixStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 8_192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if !may_pass(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
