//! A mail server that keeps the mails it receives.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use mailin::{Action, Handler, Response, SessionBuilder, response};

/// The mail server.
pub(crate) struct MailServer {
    address: SocketAddr,
    received: Receiver<String>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mails, received) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mails = mails.clone();
                std::thread::spawn(move || talk(stream, mails));
            }
        });
        Self { address, received }
    }

    /// The value of `mail.url`.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The next mail, as it was sent, without soft line breaks.
    pub(crate) fn next(&self) -> String {
        let mail = self.received.recv_timeout(Duration::from_secs(60)).expect("a mail");
        mail.replace("=\r\n", "").replace("=3D", "=")
    }
}

fn talk(mut stream: TcpStream, mails: Sender<String>) {
    let from = stream.peer_addr().expect("an address");
    let post = Post { mails, mail: Vec::new() };
    let mut session = SessionBuilder::new("mail.test").build(from.ip(), post);
    session.greeting().write_to(&mut stream).expect("a greeting");
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let answer = session.process(&line);
        line.clear();
        if answer.action != Action::NoReply {
            answer.write_to(&mut stream).expect("an answer");
        }
        if answer.action == Action::Close {
            return;
        }
    }
}

struct Post {
    mails: Sender<String>,
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
        let _ = self.mails.send(String::from_utf8_lossy(&self.mail).into_owned());
        response::OK
    }
}
