//! [`Proxy`]: sits in front of a server and breaks a connection at its COMMIT.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The name of a server's socket.
const SOCKET: &str = ".s.PGSQL.5432";
/// The statement as it is sent; READ COMMITTED is a different one.
const COMMIT: &[u8] = b"COMMIT\0";

/// What the next COMMIT loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server never receives it, and the connection breaks.
    Commit,
    /// The server receives it, and the connection breaks before its answer arrives.
    Answer,
    /// The server never receives it, and cannot be reached until [`Proxy::heal`].
    Server,
    /// The server receives it, but its answer is lost, and it cannot be reached until [`Proxy::heal`].
    AnswerAndServer,
}

/// A socket in a folder of its own, forwarded to the server's.
pub struct Proxy {
    state: Arc<State>,
    _folder: tempfile::TempDir,
}

/// A fault, and a text in the transaction whose COMMIT it is for.
struct Plan {
    fault: Fault,
    of: &'static str,
}

/// The faults to apply.
#[derive(Default)]
struct State {
    next: Mutex<Option<Plan>>,
    is_down: AtomicBool,
}

impl Proxy {
    /// Starts a proxy for the server of a [`Cluster`](crate::Cluster), which `url` names by its socket's folder;
    /// returns it with its own URL.
    ///
    /// # Panics
    /// When the URL was not made by this crate, or there is no room for a socket.
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
    /// When a thread of the proxy has panicked.
    pub fn fail_next(&self, fault: Fault) {
        self.fail_next_of("", fault);
    }

    /// Applies a fault to the next COMMIT of a connection that has sent this text.
    ///
    /// # Panics
    /// When a thread of the proxy has panicked.
    pub fn fail_next_of(&self, text: &'static str, fault: Fault) {
        *self.state.next.lock().expect("no panic") = Some(Plan { fault, of: text });
    }

    /// Whether the server cannot be reached.
    pub fn is_down(&self) -> bool {
        self.state.is_down.load(Ordering::SeqCst)
    }

    /// Lets connections through again.
    pub fn heal(&self) {
        self.state.is_down.store(false, Ordering::SeqCst);
    }
}

/// Connects a client to the server, until either ends or a fault is due.
fn join(client: &UnixStream, server: &Path, state: &Arc<State>) {
    // A missing server is one that the client cannot reach.
    let Ok(server) = UnixStream::connect(server) else { return };
    let (mut from_server, mut to_client) = twins(&server, client);
    let (mut from_client, mut to_server) = twins(client, &server);
    let is_answer_lost = Arc::new(AtomicBool::new(false));
    let is_lost = is_answer_lost.clone();
    std::thread::spawn(move || {
        pass(&mut from_server, &mut to_client, |_| !is_lost.load(Ordering::SeqCst));
    });
    let state = state.clone();
    std::thread::spawn(move || {
        let mut is_meant = false;
        pass(&mut from_client, &mut to_server, |bytes| {
            let mut next = state.next.lock().expect("no panic");
            let Some(plan) = &*next else { return true };
            is_meant |= holds(bytes, plan.of.as_bytes());
            if !is_meant || !holds(bytes, COMMIT) {
                return true;
            }
            let fault = plan.fault;
            *next = None;
            let is_heard = matches!(fault, Fault::Answer | Fault::AnswerAndServer);
            is_answer_lost.store(is_heard, Ordering::SeqCst);
            if matches!(fault, Fault::Server | Fault::AnswerAndServer) {
                state.is_down.store(true, Ordering::SeqCst);
            }
            is_heard
        });
    });
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

fn twins(from: &UnixStream, to: &UnixStream) -> (UnixStream, UnixStream) {
    (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"))
}

/// Forwards bytes until there are none or `goes` returns false; then both sides are closed.
fn pass(from: &mut UnixStream, to: &mut UnixStream, mut goes: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 8_192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if !goes(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
