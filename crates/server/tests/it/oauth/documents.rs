//! Clients whose metadata is a document. In these tests, a real server with a certificate serves it.

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
    Browser, EVERY_SCOPE, Program, REDIRECT, assert_refused, check_token, consent_request,
    redirect_target, register, tokens, value,
};
use crate::http::Reply;
use crate::server::Server;

/// How the document server answers.
#[derive(Clone)]
enum Behavior {
    /// Answer with this status, these headers and this body.
    Answer(&'static str, &'static str, String),
    /// Accepts the request and never answers.
    Silent,
}

/// A document server on this machine. It runs until the test's process ends.
struct Documents {
    port: u16,
    certificate: Vec<u8>,
    behavior: Arc<Mutex<Behavior>>,
    fetches: Arc<AtomicUsize>,
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
        let port = listener.local_addr().expect("an address").port();
        let behavior = Arc::new(Mutex::new(Behavior::Silent));
        let fetches = Arc::new(AtomicUsize::new(0));
        let config = Arc::new(config);
        let (current, counter) = (behavior.clone(), fetches.clone());
        std::thread::spawn(move || {
            // These connections are kept open, so that the client does not see them end.
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let connection = ServerConnection::new(config.clone()).expect("a connection");
                let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                match current.lock().expect("no panic").clone() {
                    Behavior::Answer(status, headers, body) => {
                        let length = body.len();
                        let head =
                            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}");
                        // The client may have closed the connection.
                        let _ = write!(stream.get_mut(), "{head}\r\n\r\n{body}");
                    }
                    Behavior::Silent => silent.push(stream),
                }
            }
        });
        Self { port, certificate: certificate.to_vec(), behavior, fetches }
    }

    /// The client's id, which is the address of its document.
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

    fn serve(&self, headers: &'static str, document: &Value) {
        self.set_behavior(Behavior::Answer("200 OK", headers, document.to_string()));
    }

    fn set_behavior(&self, behavior: Behavior) {
        *self.behavior.lock().expect("no panic") = behavior;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
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
    documents.serve(
        "Content-Type: application/json; charset=utf-8\r\nCache-Control: max-age=1200\r\n",
        &documents.document(),
    );
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::signed_in(&server, &server.business.owner);
    let page = browser.ask(&program.query(&[]));
    assert!(page.body.contains("Connect <bdi>Documented</bdi>?"), "{page:?}");
    assert!(
        page.body.contains("<strong>localhost</strong>"),
        "the page names the host of the document: {page:?}"
    );
    let reply = browser.allow(&consent_request(&page), &server.business, EVERY_SCOPE);
    let (_, pairs) = redirect_target(&reply);
    let first = tokens(&program.exchange(value(&pairs, "code").expect("a code"), &[]));
    assert_eq!(check_token(&server, &first.access), Ok(()));
    server.env.clock.advance(1_200_000 - 1);
    browser.ask(&program.query(&[]));
    assert_eq!(documents.fetches(), 1, "the document was cached");

    // The document has changed: once it is fetched again, the new one is used.
    let mut moved = documents.document();
    moved["redirect_uris"] = json!(["https://program.example/moved"]);
    documents.serve(JSON, &moved);
    server.env.clock.advance(1);
    let stopped = browser.ask(&program.query(&[]));
    assert_eq!(stopped.status, 400, "{stopped:?}");
    assert_eq!(documents.fetches(), 2);
    let query = program.query(&[("redirect_uri", "https://program.example/moved")]);
    assert_eq!(browser.ask(&query).status, 200);

    // The document is gone: existing grants continue, new ones cannot be made.
    documents.set_behavior(Behavior::Answer("404 Not Found", "", String::new()));
    server.env.clock.advance(600_000);
    assert_not_read(&browser.ask(&query));
    let second = tokens(&program.refresh(&first.refresh, &[]));
    assert_eq!(check_token(&server, &second.access), Ok(()));
}

#[test]
fn an_invalid_document_is_rejected_without_saying_why() {
    let documents = Documents::start();
    let server = server(&documents, true);
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::signed_in(&server, &server.business.owner);
    let valid = documents.document();
    let changed = |name: &str, value: Value| {
        let mut document = valid.clone();
        document[name] = value;
        Behavior::Answer("200 OK", JSON, document.to_string())
    };
    let whole = valid.to_string();
    let long = format!("{whole}{}", " ".repeat(10 * 1024));
    for (why, behavior) in [
        ("another's id", changed("client_id", json!("https://localhost/other.json"))),
        ("no address of its own", changed("redirect_uris", json!(["javascript:alert(1)"]))),
        ("a secret", changed("token_endpoint_auth_method", json!("client_secret_basic"))),
        ("too long", Behavior::Answer("200 OK", JSON, long)),
        ("a page", Behavior::Answer("200 OK", "Content-Type: text/html\r\n", whole.clone())),
        ("no type", Behavior::Answer("200 OK", "", whole.clone())),
        ("no JSON", Behavior::Answer("200 OK", JSON, "secret of the inside".to_owned())),
        (
            "elsewhere",
            Behavior::Answer(
                "302 Found",
                "Location: https://localhost/other.json\r\nContent-Type: application/json\r\n",
                whole.clone(),
            ),
        ),
        ("failing", Behavior::Answer("500 Internal Server Error", JSON, whole.clone())),
        ("silent", Behavior::Silent),
    ] {
        documents.set_behavior(behavior);
        let reply = browser.ask(&program.query(&[]));
        assert_not_read(&reply);
        assert!(!reply.body.contains("secret of the inside"), "{why}");
    }
    assert_eq!(documents.fetches(), 10, "each was fetched once, and nothing else was fetched");
    documents.serve(JSON, &valid);
    assert_eq!(browser.ask(&program.query(&[])).status, 200);
}

#[test]
fn a_name_that_resolves_to_this_machine_is_not_connected_to() {
    let documents = Documents::start();
    let server = server(&documents, false);
    documents.serve(JSON, &documents.document());
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::signed_in(&server, &server.business.owner);
    assert_not_read(&browser.ask(&program.query(&[])));
    assert_eq!(documents.fetches(), 0);
}

#[test]
fn untrusted_certificates_are_rejected() {
    let documents = Documents::start();
    documents.serve(JSON, &documents.document());
    let other = Documents::start();
    let server = Server::start_with(
        |settings| {
            settings.documents.roots = vec![other.certificate.clone()];
            settings.documents.local_names = true;
            settings.documents.local_addresses = true;
        },
        None,
    );
    let program = Program { server: &server, id: documents.address() };
    assert_not_read(&Browser::signed_in(&server, &server.business.owner).ask(&program.query(&[])));
}

#[test]
fn a_client_id_cannot_be_an_internal_address() {
    let documents = Documents::start();
    let server = Server::start();
    let browser = Browser::signed_in(&server, &server.business.owner);
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
    assert_eq!(documents.fetches(), 0);
}

#[test]
fn documents_are_fetched_only_for_signed_in_users_and_never_for_token_requests() {
    let documents = Documents::start();
    let server = server(&documents, true);
    documents.serve(JSON, &documents.document());
    let program = Program { server: &server, id: documents.address() };
    let nobody = Browser { server: &server, cookie: "x=y".to_owned() };
    assert_eq!(nobody.ask(&program.query(&[])).status, 303);
    assert_refused(&program.exchange("zoop_ac_nonsense", &[]), 401, "invalid_client");
    let reply = register(&server, &json!({ "client_id": program.id, "redirect_uris": [REDIRECT] }));
    assert_ne!(reply.json()["client_id"], program.id, "no one registers as another client");
    assert_eq!(documents.fetches(), 0);
}

#[test]
fn document_fetches_are_limited_by_address() {
    let documents = Documents::start();
    let server = server(&documents, true);
    documents.set_behavior(Behavior::Answer("404 Not Found", "", String::new()));
    let program = Program { server: &server, id: documents.address() };
    let browser = Browser::signed_in(&server, &server.business.owner);
    for _ in 0..20 {
        assert_not_read(&browser.ask(&program.query(&[])));
    }
    assert_eq!(browser.ask(&program.query(&[])).status, 429);
    assert_eq!(documents.fetches(), 20);
}
