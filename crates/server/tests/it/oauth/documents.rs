//! Clients whose metadata is a document, which a real server with a certificate serves in these tests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use zoop_both::both;

use super::{
    Browser, EVERY_SCOPE, Program, REDIRECT, assert_refused, register, request_of, returned,
    standing, tokens, value,
};
use crate::http::Reply;
use crate::server::Server;

/// The behavior of the document's server.
#[derive(Clone)]
enum Manner {
    /// Answers with this status, these headers and this body.
    Answers(&'static str, &'static str, String),
    /// Accepts the request and never answers.
    KeepsSilent,
}

/// A document server on this machine; it ends with the test's process.
struct Documents {
    port: u16,
    certificate: Vec<u8>,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicUsize>,
}

impl Documents {
    fn start() -> Self {
        let key =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate = key.cert.der().clone();
        let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], secret)
            })
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it").port();
        let manner = Arc::new(Mutex::new(Manner::KeepsSilent));
        let asked = Arc::new(AtomicUsize::new(0));
        let config = Arc::new(config);
        let (behaves, counts) = (manner.clone(), asked.clone());
        std::thread::spawn(move || {
            // Kept open, so that the client does not see the connection end.
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                counts.fetch_add(1, Ordering::SeqCst);
                let connection = ServerConnection::new(config.clone()).expect("a connection");
                let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                match behaves.lock().expect("no panic").clone() {
                    Manner::Answers(status, headers, body) => {
                        let length = body.len();
                        let head =
                            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}");
                        // The other side may have closed.
                        let _ = write!(stream.get_mut(), "{head}\r\n\r\n{body}");
                    }
                    Manner::KeepsSilent => silent.push(stream),
                }
            }
        });
        Self { port, certificate: certificate.to_vec(), manner, asked }
    }

    /// The client's id.
    fn address(&self) -> String {
        format!("https://localhost:{}/client.json", self.port)
    }

    fn document(&self) -> Value {
        json!({
            "client_id": self.address(),
            "client_name": "Documented",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
        })
    }

    fn answers(&self, headers: &'static str, document: &Value) {
        self.behaves(Manner::Answers("200 OK", headers, document.to_string()));
    }

    fn behaves(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

/// A server that fetches documents from this machine.
fn server(documents: &Documents, local_addresses: bool) -> Server {
    let root = documents.certificate.clone();
    Server::start_with(
        |settings| {
            settings.documents.roots = vec![root];
            settings.documents.local_names = true;
            settings.documents.local_addresses = local_addresses;
            settings.documents.timeout = Duration::from_secs(2);
        },
        None,
    )
}

#[track_caller]
fn assert_not_read(reply: &Reply) {
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.body.contains("Its description could not be read"), "{reply:?}");
}

#[both]
fn a_client_is_connected_by_its_document_which_is_cached() {
    let documents = Documents::start();
    let server = server(&documents, true);
    documents.answers(
        "Content-Type: application/json; charset=utf-8\r\nCache-Control: max-age=1200\r\n",
        &documents.document(),
    );
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::of(&server, &server.business.owner);
    let page = browser.ask(&program.query(&[]));
    assert!(page.body.contains("Connect <bdi>Documented</bdi>?"), "{page:?}");
    assert!(page.body.contains("<strong>localhost</strong>"), "whose the document is: {page:?}");
    let reply = browser.allow(&request_of(&page), &server.business, EVERY_SCOPE);
    let (_, pairs) = returned(&reply);
    let first = tokens(&program.exchange(value(&pairs, "code").expect("a code"), &[]));
    assert_eq!(standing(&server, &first.access), Ok(()));
    server.env.clock.advance(1_200_000 - 1);
    browser.ask(&program.query(&[]));
    assert_eq!(documents.asked(), 1, "it was kept");

    // The document has changed: once it is fetched again, the new one is used.
    let mut moved = documents.document();
    moved["redirect_uris"] = json!(["https://program.example/moved"]);
    documents.answers(JSON, &moved);
    server.env.clock.advance(1);
    let stopped = browser.ask(&program.query(&[]));
    assert_eq!(stopped.status, 400, "{stopped:?}");
    assert_eq!(documents.asked(), 2);
    let query = program.query(&[("redirect_uri", "https://program.example/moved")]);
    assert_eq!(browser.ask(&query).status, 200);

    // The document is gone: existing grants continue, new ones cannot be made.
    documents.behaves(Manner::Answers("404 Not Found", "", String::new()));
    server.env.clock.advance(600_000);
    assert_not_read(&browser.ask(&query));
    let second = tokens(&program.refresh(&first.refresh, &[]));
    assert_eq!(standing(&server, &second.access), Ok(()));
}

#[test]
fn an_invalid_document_is_rejected_without_saying_why() {
    let documents = Documents::start();
    let server = server(&documents, true);
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::of(&server, &server.business.owner);
    let sound = documents.document();
    let changed = |name: &str, value: Value| {
        let mut document = sound.clone();
        document[name] = value;
        Manner::Answers("200 OK", JSON, document.to_string())
    };
    let whole = sound.to_string();
    let long = format!("{whole}{}", " ".repeat(10 * 1024));
    for (why, manner) in [
        ("another's id", changed("client_id", json!("https://localhost/other.json"))),
        ("no address of its own", changed("redirect_uris", json!(["javascript:alert(1)"]))),
        ("a secret", changed("token_endpoint_auth_method", json!("client_secret_basic"))),
        ("too long", Manner::Answers("200 OK", JSON, long)),
        ("a page", Manner::Answers("200 OK", "Content-Type: text/html\r\n", whole.clone())),
        ("no type", Manner::Answers("200 OK", "", whole.clone())),
        ("no JSON", Manner::Answers("200 OK", JSON, "secret of the inside".to_owned())),
        (
            "elsewhere",
            Manner::Answers(
                "302 Found",
                "Location: https://localhost/other.json\r\nContent-Type: application/json\r\n",
                whole.clone(),
            ),
        ),
        ("failing", Manner::Answers("500 Internal Server Error", JSON, whole.clone())),
        ("silent", Manner::KeepsSilent),
    ] {
        documents.behaves(manner);
        let reply = browser.ask(&program.query(&[]));
        assert_not_read(&reply);
        assert!(!reply.body.contains("secret of the inside"), "{why}");
    }
    assert_eq!(documents.asked(), 10, "each was fetched once, and nothing else was");
    documents.answers(JSON, &sound);
    assert_eq!(browser.ask(&program.query(&[])).status, 200);
}

#[test]
fn a_name_that_resolves_to_this_machine_is_not_connected_to() {
    let documents = Documents::start();
    let server = server(&documents, false);
    documents.answers(JSON, &documents.document());
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::of(&server, &server.business.owner);
    assert_not_read(&browser.ask(&program.query(&[])));
    assert_eq!(documents.asked(), 0);
}

#[test]
fn untrusted_certificates_are_rejected() {
    let documents = Documents::start();
    documents.answers(JSON, &documents.document());
    let stranger = Documents::start();
    let server = Server::start_with(
        |settings| {
            settings.documents.roots = vec![stranger.certificate.clone()];
            settings.documents.local_names = true;
            settings.documents.local_addresses = true;
        },
        None,
    );
    let program = Program { server: &server, id: documents.address() };
    assert_not_read(&Browser::of(&server, &server.business.owner).ask(&program.query(&[])));
}

#[test]
fn a_client_id_cannot_be_an_internal_address() {
    let documents = Documents::start();
    let server = Server::start();
    let browser = Browser::of(&server, &server.business.owner);
    for id in [
        documents.address(),
        format!("https://127.0.0.1:{}/client.json", documents.port),
        "https://10.0.0.1/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/client.json".to_owned(),
        "https://[::ffff:10.0.0.1]/client.json".to_owned(),
        "https://[64:ff9b::a00:1]/client.json".to_owned(),
        "https://printer.local/client.json".to_owned(),
        "https://user@program.example/client.json".to_owned(),
    ] {
        assert_not_read(&browser.ask(&Program { server: &server, id }.query(&[])));
    }
    assert_eq!(documents.asked(), 0);
}

#[test]
fn documents_are_fetched_only_for_signed_in_users_and_never_for_token_requests() {
    let documents = Documents::start();
    let server = server(&documents, true);
    documents.answers(JSON, &documents.document());
    let program = Program { server: &server, id: documents.address() };
    let nobody = Browser { server: &server, cookie: "x=y".to_owned() };
    assert_eq!(nobody.ask(&program.query(&[])).status, 303);
    assert_refused(&program.exchange("zoop_ac_nonsense", &[]), 401, "invalid_client");
    let reply = register(&server, &json!({ "client_id": program.id, "redirect_uris": [REDIRECT] }));
    assert_ne!(reply.json()["client_id"], program.id, "no one registers as another client");
    assert_eq!(documents.asked(), 0);
}

#[test]
fn document_fetches_are_limited_by_address() {
    let documents = Documents::start();
    let server = server(&documents, true);
    documents.behaves(Manner::Answers("404 Not Found", "", String::new()));
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::of(&server, &server.business.owner);
    for _ in 0..20 {
        assert_not_read(&browser.ask(&program.query(&[])));
    }
    assert_eq!(browser.ask(&program.query(&[])).status, 429);
    assert_eq!(documents.asked(), 20);
}
