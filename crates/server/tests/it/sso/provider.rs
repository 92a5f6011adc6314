//! An identity provider whose answers a test prescribes, including answers that an honest provider never gives. The
//! tests with third-party software show that sign-in works with an honest provider.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(super) const CLIENT: &str = "zoop";
pub(super) const SECRET: &str = "provider-secret";
/// The access token for the user information.
const ACCESS: &str = "access-for-user-information";

/// The provider. It runs until the process ends.
pub(super) struct Provider {
    pub(super) issuer: String,
    answers: Arc<Mutex<Answers>>,
}

/// The provider's configured answers.
pub(super) struct Answers {
    key: EcdsaKeyPair,
    kid: u32,
    /// The members of the next ID token.
    pub(super) claims: Value,
    /// The header of the next ID token.
    pub(super) header: Value,
    /// The user information for the access token, or `None` if the provider has no such endpoint.
    pub(super) user: Option<Value>,
    /// The challenge of the current sign-in.
    pub(super) challenge: String,
    /// Whether the provider answers at all.
    pub(super) is_up: bool,
    /// The number of times that the metadata was fetched.
    pub(super) discoveries: u32,
}

impl Provider {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let answers = Answers {
            key: new_key(),
            kid: 1,
            claims: Value::Null,
            header: Value::Null,
            user: None,
            challenge: String::new(),
            is_up: true,
            discoveries: 0,
        };
        let answers = Arc::new(Mutex::new(answers));
        let (served, own) = (answers.clone(), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &own, &mut served.lock().expect("no panic"));
            }
        });
        Self { issuer, answers }
    }

    pub(super) fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().expect("no panic")
    }
}

impl Answers {
    /// Changes the signing key, and publishes the new key.
    pub(super) fn change_key(&mut self) {
        self.key = new_key();
        self.kid += 1;
        self.header = json!({ "alg": "ES256", "kid": self.kid.to_string() });
    }

    /// The header of an honest token.
    pub(super) fn honest_header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.kid.to_string() })
    }

    fn token(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = match self.header["alg"].as_str() {
            Some("none") => Vec::new(),
            Some("HS256") => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
                ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => {
                let random = SystemRandom::new();
                self.key.sign(&random, signed.as_bytes()).expect("a signature").as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn keys(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let point = self.key.public_key().as_ref();
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid.to_string(),
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        }] })
    }

    /// Accepts a code only from the client, and only with the verifier of the challenge.
    fn tokens(&self, authorization: &str, body: &str) -> (u16, Value) {
        let client = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
        let verifier = body.split('&').find_map(|pair| pair.strip_prefix("code_verifier="));
        let challenge = verifier.map(|it| URL_SAFE_NO_PAD.encode(Sha256::digest(it)));
        let is_right = authorization == client
            && challenge.as_deref() == Some(&self.challenge)
            && body.contains("grant_type=authorization_code")
            && body.contains("code=good-code");
        if !is_right {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let tokens = json!({
            "access_token": ACCESS, "token_type": "Bearer", "id_token": self.token(),
        });
        (200, tokens)
    }
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).expect("the key")
}

/// Answers the one request of a connection.
fn serve(mut stream: TcpStream, issuer: &str, answers: &mut Answers) {
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).expect("a line");
        text.trim_end().to_owned()
    };
    let target = line().split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().expect("a length"),
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let body = String::from_utf8(body).expect("UTF-8");
    let at = |path: &str| format!("{issuer}{path}");
    let (status, answer) = match target.as_str() {
        _ if !answers.is_up => (503, Value::Null),
        "/.well-known/openid-configuration" => {
            answers.discoveries += 1;
            let mut metadata = json!({
                "issuer": issuer,
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "jwks_uri": at("/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
            });
            if answers.user.is_some() {
                metadata["userinfo_endpoint"] = json!(at("/user"));
            }
            (200, metadata)
        }
        "/keys" => (200, answers.keys()),
        "/token" => answers.tokens(&authorization, &body),
        "/user" if authorization == format!("Bearer {ACCESS}") => {
            (200, answers.user.clone().unwrap_or_default())
        }
        _ => (404, Value::Null),
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        answer.len()
    );
    // The caller may have left.
    let _ = stream.write_all((head + &answer).as_bytes());
}
