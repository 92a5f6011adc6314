//! The authorization server as clients and browsers see it.

mod authorize;
mod consent;
mod documents;
mod flow;
mod grants;
mod metadata;
mod races;
mod register;
mod token;

use serde_json::{Value, json};
use zoop_crm::testing::{Business, Caller};

use crate::http::{self, Reply};
use crate::server::Server;

pub(crate) const REDIRECT: &str = "https://program.example/callback";
// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const EVERY_SCOPE: &str = "read:customers write:customers read:notes write:notes \
    read:jobs write:jobs read:quotes write:quotes read:tax_rates write:tax_rates read:catalog_categories \
    write:catalog_categories read:catalog_items write:catalog_items read:history";
/// The scopes that a tech can have.
pub(crate) const TECH_SCOPES: &str = "read:customers read:notes write:notes read:jobs write:jobs read:quotes \
    write:quotes read:tax_rates read:catalog_categories read:catalog_items";

/// Form-encodes pairs.
pub(crate) fn encode_form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Replaces pairs by name. An empty value removes the pair.
pub(crate) fn with_changes<'a>(
    pairs: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<_> = pairs.to_vec();
    for change in changes {
        all.retain(|(name, _)| *name != change.0);
        if !change.1.is_empty() {
            all.push(*change);
        }
    }
    all
}

/// A client that has registered itself.
pub(crate) struct Program<'a> {
    pub(crate) server: &'a Server,
    pub(crate) id: String,
}

/// A user's browser.
pub(crate) struct Browser<'a> {
    pub(crate) server: &'a Server,
    pub(crate) cookie: String,
}

/// A client's tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) scope: String,
    /// The lifetime of the access token.
    pub(crate) seconds: i64,
}

/// Registers a client with this metadata.
pub(crate) fn register(server: &Server, metadata: &Value) -> Reply {
    let headers = [("Content-Type", "application/json")];
    http::request(
        server.public,
        "POST",
        "/oauth/register",
        &headers,
        metadata.to_string().as_bytes(),
    )
}

/// Sends a form without a cookie.
pub(crate) fn send(server: &Server, target: &str, pairs: &[(&str, &str)]) -> Reply {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    http::request(server.public, "POST", target, &headers, encode_form(pairs).as_bytes())
}

/// The address that an answer sends the browser to: without its query, and the query's pairs.
pub(crate) fn redirect_target(reply: &Reply) -> (String, Vec<(String, String)>) {
    let (_, rest) = reply.body.split_once("0;url=").unwrap_or_else(|| panic!("{reply:?}"));
    let (address, _) = rest.split_once('"').expect("the end of the attribute");
    let link = format!("<a class=\"btn primary wide\" href=\"{address}\"");
    assert!(reply.body.contains(&link), "{reply:?}");
    primary_link(reply)
}

/// The same for an answer that only links to the address, so that the user has to follow the link.
pub(crate) fn link_target(reply: &Reply) -> (String, Vec<(String, String)>) {
    assert!(!reply.body.contains("http-equiv"), "the page redirects: {reply:?}");
    primary_link(reply)
}

/// The target of the page's main link.
fn primary_link(reply: &Reply) -> (String, Vec<(String, String)>) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("location"), None);
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let link = "<a class=\"btn primary wide\" href=\"";
    let (_, rest) = reply.body.split_once(link).unwrap_or_else(|| panic!("{reply:?}"));
    let (address, _) = rest.split_once('"').expect("the end of the attribute");
    let address = address.replace("&#38;", "&");
    let (base, query) = address.split_once('?').expect("a query");
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    (base.to_owned(), pairs)
}

/// A pair's value.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = pairs.iter().filter(|(known, _)| known == name);
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} twice in {pairs:?}");
    first
}

/// The hidden field of a consent page that names the request.
pub(crate) fn consent_request(reply: &Reply) -> String {
    let (_, rest) =
        reply.body.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("{reply:?}"));
    rest.split_once('"').expect("the end of the attribute").0.to_owned()
}

impl<'a> Program<'a> {
    pub(crate) fn register(server: &'a Server) -> Self {
        let metadata = json!({ "client_name": "Program", "redirect_uris": [REDIRECT] });
        let reply = register(server, &metadata);
        assert_eq!(reply.status, 201, "{reply:?}");
        let id = reply.json()["client_id"].as_str().expect("an id").to_owned();
        Self { server, id }
    }

    /// The query of the client's authorization request for all scopes, with changes.
    pub(crate) fn query(&self, changes: &[(&str, &str)]) -> String {
        let pairs = [
            ("response_type", "code"),
            ("client_id", self.id.as_str()),
            ("redirect_uri", REDIRECT),
            ("state", "s&t=a te"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", EVERY_SCOPE),
        ];
        encode_form(&with_changes(&pairs, changes))
    }

    /// Exchanges a code, with changes to the correct request.
    pub(crate) fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("client_id", self.id.as_str()),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        send(self.server, "/oauth/token", &with_changes(&pairs, changes))
    }

    /// Exchanges a refresh token, with changes to the correct request.
    pub(crate) fn refresh(&self, token: &str, changes: &[(&str, &str)]) -> Reply {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", self.id.as_str()),
            ("refresh_token", token),
        ];
        send(self.server, "/oauth/token", &with_changes(&pairs, changes))
    }

    /// Runs the whole flow with a user who ticks these scopes.
    pub(crate) fn connect(
        &self,
        browser: &Browser<'_>,
        business: &Business,
        ticked: &str,
    ) -> Tokens {
        let code = self.code(browser, business, ticked);
        tokens(&self.exchange(&code, &[]))
    }

    /// Asks a user who ticks these scopes, and returns the code.
    pub(crate) fn code(&self, browser: &Browser<'_>, business: &Business, ticked: &str) -> String {
        let request = consent_request(&browser.ask(&self.query(&[])));
        let (_, pairs) = redirect_target(&browser.allow(&request, business, ticked));
        value(&pairs, "code").expect("a code").to_owned()
    }
}

impl<'a> Browser<'a> {
    /// A browser with a signed-in user.
    pub(crate) fn signed_in(server: &'a Server, person: &Caller) -> Self {
        let (session, _) = server.env.sign_in(Business::user(person));
        Self { server, cookie: format!("__Host-zoop-session={}", session.expose()) }
    }

    /// Opens the consent page.
    pub(crate) fn ask(&self, query: &str) -> Reply {
        let target = format!("/oauth/authorize?{query}");
        http::request(self.server.public, "GET", &target, &[("Cookie", &self.cookie)], b"")
    }

    /// Sends the form of the consent page.
    pub(crate) fn answer(&self, pairs: &[(&str, &str)]) -> Reply {
        let origin = format!("http://{}", self.server.public);
        self.answer_from(&[("Origin", &origin)], pairs)
    }

    /// Sends the form with these headers instead of the page's origin.
    pub(crate) fn answer_from(&self, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Reply {
        let mut all = vec![
            ("Cookie", self.cookie.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        all.extend(headers);
        let body = encode_form(pairs);
        http::request(self.server.public, "POST", "/oauth/authorize", &all, body.as_bytes())
    }

    /// Allows the scopes that are ticked.
    pub(crate) fn allow(&self, request: &str, business: &Business, ticked: &str) -> Reply {
        let tenant = business.account.id.to_string();
        let mut pairs = vec![("request", request), ("business", &tenant), ("decision", "allow")];
        pairs.extend(ticked.split(' ').map(|scope| (scope, "yes")));
        self.answer(&pairs)
    }
}

/// The tokens of an answer.
pub(crate) fn tokens(reply: &Reply) -> Tokens {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    let seconds = body["expires_in"].as_i64().expect("seconds");
    assert!((1..=3_600).contains(&seconds), "{body}");
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    Tokens {
        access: text("access_token"),
        refresh: text("refresh_token"),
        scope: text("scope"),
        seconds,
    }
}

/// Checks the status and the error of a rejected token request.
#[track_caller]
pub(crate) fn assert_refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!((reply.status, reply.json()["error"].as_str()), (status, Some(error)), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}

/// Checks that the endpoint accepts a token. The error is the reason why not.
pub(crate) fn check_token(server: &Server, token: &str) -> Result<(), String> {
    let reply = server.ask(token, "/api/mcp", "ping", json!({}));
    match reply.status {
        200 => Ok(()),
        401 => Err(reply.json()["error"]["data"]["reason"].as_str().expect("a reason").to_owned()),
        _ => panic!("{reply:?}"),
    }
}

/// The newest entries of a business's history, newest first.
pub(crate) fn history(server: &Server, business: &Business) -> Vec<Value> {
    let listed = server.env.call_as_operator(Some(business.account), "changes.list", json!({}));
    listed["rows"].as_array().expect("rows").clone()
}

/// The number of entries with this name in the history of a business.
pub(crate) fn event_count(server: &Server, business: &Business, name: &str) -> usize {
    history(server, business).iter().filter(|entry| entry["tool"] == name).count()
}
