//! Pages as a browser sees them, with cookies and forms.

mod account;
pub(crate) mod buttons;
mod invitations;
mod log;
mod lost_password;
mod names;
mod navigation;
mod odd_values;
mod own_email;
mod page_laws;
mod pages;
mod second_factor;
mod sign_in;
mod team;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zoop_crm::identity::sign_in::password::Password;
use zoop_crm::identity::sign_in::user::{self, Initiator};
use zoop_crm::identity::sign_in::{passwords, second_factor as factor};
use zoop_crm::testing::{Business, Caller};
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_server::Settings;

use crate::http::{self, Reply};
use crate::server::Server;

pub(crate) const OWNER: &str = "owner@acme.example";
pub(crate) const OFFICE: &str = "office@acme.example";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server whose owner has a password, and which trusts forwarded addresses.
pub(crate) fn start() -> Server {
    start_with(|_| {})
}

/// [`start`], with other changes to the settings.
pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Server {
    let server = Server::start_with(
        |settings: &mut Settings| {
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
            change(settings);
        },
        None,
    );
    set_password(&server, OWNER, PASSWORD);
    server
}

/// Sets a user's password as the command line does.
pub(crate) fn set_password(server: &Server, email: &'static str, password: &str) {
    let environment = server.env.environment.clone();
    let hash = Password::choose(password, email).and_then(|it| it.hash(&environment.entropy));
    let hash = hash.expect("a hash");
    let write = move |tx: &mut zoop_db::WriteTx<'_>| {
        let user = user::find(tx, email)?;
        passwords::set(tx, &environment, user.id, &hash, Initiator::Operator)
    };
    server.env.write(write).expect("a password");
}

/// The code that a user's authenticator shows now.
pub(crate) fn code(server: &Server, access: &Caller) -> String {
    let (user, clock) = (Business::user(access), server.env.clock.clone());
    let now = zoop_crm::values::clock::Clock::now(&*clock);
    server.env.read(move |tx| factor::shown_code(tx, user, now)).expect("a code")
}

/// The entries of the history, newest first.
pub(crate) fn history(server: &Server) -> Vec<Value> {
    let answer = server.env.call_as_operator(
        Some(server.business.account),
        "changes.list",
        json!({ "limit": 100 }),
    );
    answer["rows"].as_array().expect("rows").clone()
}

/// The number of entries with this name in the history.
pub(crate) fn event_count(server: &Server, name: &str) -> usize {
    history(server).iter().filter(|entry| entry["tool"] == name).count()
}

/// A browser: its cookies and its address.
pub(crate) struct Browser<'s> {
    pub(crate) server: &'s Server,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: String,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(server: &'s Server) -> Self {
        Self { server, cookies: BTreeMap::new(), address: "203.0.113.1".to_owned() }
    }

    /// A browser at another address.
    pub(crate) fn at(server: &'s Server, address: &str) -> Self {
        Self { address: address.to_owned(), ..Self::new(server) }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.server.public)
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    /// Sends a form as if from the server's own page.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let origin = self.origin();
        self.send("POST", path, &[("Origin", &origin)], &form(fields))
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all =
            vec![("X-Forwarded-For", self.address.as_str()), ("User-Agent", "Test Browser 1.0")];
        if !headers.iter().any(|(name, _)| *name == "Content-Type") {
            all.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        all.extend(headers);
        let reply = http::request(self.server.public, method, path, &all, body.as_bytes());
        for cookie in set_cookies(&reply) {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    pub(crate) fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        self.post("/sign-in", &[("email", email), ("password", password)])
    }

    /// The owner's browser, signed in.
    pub(crate) fn owner(server: &'s Server) -> Self {
        let mut browser = Self::new(server);
        let reply = browser.sign_in(OWNER, PASSWORD);
        assert_eq!(location(&reply), "/", "{reply:?}");
        browser
    }

    /// This browser's session.
    pub(crate) fn session(&self) -> Secret {
        let mut secrets = self.cookies.values().filter_map(|cookie| Secret::parse(cookie));
        secrets.find(|secret| secret.kind() == SecretKind::Session).expect("a session")
    }

    /// Whether this browser is signed in.
    pub(crate) fn is_signed_in(&mut self) -> bool {
        let reply = self.get("/account");
        match reply.status {
            200 => true,
            303 => {
                assert_eq!(location(&reply), "/sign-in?next=%2Faccount");
                false
            }
            _ => panic!("{reply:?}"),
        }
    }
}

/// Form-encodes fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

pub(crate) fn set_cookies(reply: &Reply) -> Vec<&str> {
    let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    cookies.map(|(_, value)| value.as_str()).collect()
}

/// A page without the scripts that every page loads from this server. Nothing else of a page may be a script.
pub(crate) fn without_scripts(page: &str) -> String {
    let (first, rest) = page.split_once("<script src=\"/assets/").unwrap_or((page, ""));
    let mut without = first.to_owned();
    for part in rest.split("<script src=\"/assets/") {
        let (file, after) = part.split_once("\" defer></script>").unwrap_or(("", part));
        assert!(file.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'.'), "{file}");
        without.push_str(after);
    }
    without
}

/// The redirect target of a reply.
pub(crate) fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{reply:?}");
    reply.header("location").expect("a location")
}

/// The text between two strings in a page.
pub(crate) fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before}: {page}"));
    rest.split_once(after).expect("its end").0
}
