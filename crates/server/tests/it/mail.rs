//! A mail server that stores the mails it receives.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, RwLock, RwLockWriteGuard};
use std::time::Duration;

use mailin::{Action, Handler, Response, SessionBuilder, response};
use zoop_server::Mailer;

/// The mail server.
pub(crate) struct MailServer {
    address: SocketAddr,
    received: Receiver<String>,
    /// While it is locked for writing, no connection is greeted.
    silence: Arc<RwLock<()>>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, received) = channel();
        let silence = Arc::<RwLock<()>>::default();
        let known = silence.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, silence) = (sender.clone(), known.clone());
                std::thread::spawn(move || {
                    drop(silence.read());
                    talk(stream, sender);
                });
            }
        });
        Self { address, received, silence }
    }

    /// Until this is dropped, the server accepts connections and says nothing.
    pub(crate) fn silence(&self) -> RwLockWriteGuard<'_, ()> {
        self.silence.write().expect("no panic")
    }

    /// A mailer for this server.
    pub(crate) fn mailer(&self) -> Mailer {
        let url = format!("smtp://{}", self.address);
        Mailer::new(&url, "Zoop <zoop@example.com>").expect("a mail server")
    }

    /// The next mail, as it was sent, without soft line breaks.
    pub(crate) fn next(&self) -> String {
        let mail = self.received.recv_timeout(Duration::from_secs(60)).expect("a mail");
        mail.replace("=\r\n", "").replace("=3D", "=")
    }

    /// Whether there are no unread mails.
    pub(crate) fn is_empty(&self) -> bool {
        self.received.try_recv().is_err()
    }
}

fn talk(mut stream: TcpStream, sender: Sender<String>) {
    let from = stream.peer_addr().expect("an address");
    let mut session =
        SessionBuilder::new("mail.test").build(from.ip(), Post { sender, mail: Vec::new() });
    if session.greeting().write_to(&mut stream).is_err() {
        return;
    }
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let answer = session.process(&line);
        line.clear();
        if answer.action != Action::NoReply && answer.write_to(&mut stream).is_err() {
            return;
        }
        if answer.action == Action::Close {
            return;
        }
    }
}

struct Post {
    sender: Sender<String>,
    mail: Vec<u8>,
}

impl Handler for Post {
    fn data_start(&mut self, _: &str, _: &str, _: bool, _: &[String]) -> Response {
        self.mail.clear();
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.mail.extend(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let _ = self.sender.send(String::from_utf8_lossy(&self.mail).into_owned());
        response::OK
    }
}
