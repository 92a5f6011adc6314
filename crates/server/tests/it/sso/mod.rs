//! Sign-in at the company's identity provider: who can sign in, and what is rejected.

mod provider;

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::identity::sign_in::user::Initiator;
use zoop_crm::identity::sign_in::{SignedIn, passwords, sessions};
use zoop_crm::testing::Business;
use zoop_crm::values::clock::Clock;
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_server::SsoProvider;

use self::provider::{CLIENT, Provider, SECRET};
use crate::http::{self, Reply};
use crate::server::Server;

const COOKIE: &str = "__Host-zoop-company";
const SESSION: &str = "__Host-zoop-session";
/// The owner of every environment's business.
const OWNER: &str = "owner@acme.example";

/// A change to the provider's claims.
type Change = fn(&mut Value);

/// A server with company sign-in.
struct SsoServer {
    server: Server,
    provider: Provider,
}

/// A browser that was sent to the provider.
#[derive(Clone)]
struct Visitor {
    cookie: String,
    address: String,
}

impl Visitor {
    /// A parameter of the URL to the provider. No parameter needs decoding.
    fn parameter(&self, name: &str) -> &str {
        let (_, query) = self.address.split_once('?').expect("a query");
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).expect("the parameter").1
    }
}

impl SsoServer {
    fn build() -> Self {
        let provider = Provider::start();
        let company = SsoProvider {
            issuer: provider.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            name: "Acme".to_owned(),
        };
        let server = Server::start_with(|settings| settings.company = Some(company), None);
        Self { server, provider }
    }

    /// Starts a sign-in, and makes the provider answer honestly for the owner.
    fn go_to_provider(&self, query: &str) -> Visitor {
        let reply = http::get(self.server.public, &format!("/sign-in/company{query}"));
        assert_eq!(reply.status, 303, "{reply:?}");
        let visitor = Visitor {
            cookie: cookie(&reply, COOKIE).expect("a cookie").to_owned(),
            address: reply.header("location").expect("an address").to_owned(),
        };
        let now = self.server.env.clock.now().0 / 1_000_000;
        let mut answers = self.provider.answers();
        visitor.parameter("code_challenge").clone_into(&mut answers.challenge);
        answers.header = answers.honest_header();
        answers.claims = json!({
            "iss": self.provider.issuer, "sub": "person-1", "aud": CLIENT, "iat": now,
            "exp": now + 300, "nonce": visitor.parameter("nonce"), "email": OWNER,
            "email_verified": true,
        });
        visitor
    }

    /// Returns from the provider with this query, in which `STATE` is replaced by the visitor's state.
    fn return_with(&self, visitor: &Visitor, query: &str) -> Reply {
        let query = query.replace("STATE", visitor.parameter("state"));
        let cookie = format!("{COOKIE}={}", visitor.cookie);
        let target = format!("/sign-in/company/callback?{query}");
        let headers = [("Cookie", cookie.as_str()), ("User-Agent", "Browser")];
        http::request(self.server.public, "GET", &target, &headers, b"")
    }

    /// Signs in, after changing the provider's claims.
    fn sign_in(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let visitor = self.go_to_provider("");
        change(&mut self.provider.answers().claims);
        self.return_with(&visitor, "code=good-code&state=STATE")
    }

    /// The user that an answer signs in.
    #[track_caller]
    fn signed_in_user(&self, reply: &Reply) -> SignedIn {
        assert_eq!(reply.status, 303, "{reply:?}");
        self.find(cookie(reply, SESSION).expect("a session")).expect("a session")
    }

    /// The user of a session cookie, if it is valid.
    fn find(&self, cookie: &str) -> Option<SignedIn> {
        let secret = Secret::parse_as(SecretKind::Session, cookie).expect("a secret");
        let now = self.server.env.clock.now();
        let found = self.server.env.read(move |tx| sessions::find(tx, &secret, now));
        found.expect("the database answers")
    }

    /// The events of the history, oldest first.
    fn events(&self) -> Vec<Value> {
        let account = Some(self.server.business.account);
        let list = self.server.env.call_as_operator(account, "changes.list", json!({}));
        let mut rows = list["rows"].as_array().expect("rows").clone();
        rows.reverse();
        rows.retain(|row| !row["tool"].as_str().expect("a name").contains('.'));
        rows
    }

    fn event_names(&self) -> Vec<String> {
        let name = |row: &Value| row["tool"].as_str().expect("a name").to_owned();
        self.events().iter().map(name).collect()
    }
}

/// The value that an answer sets a cookie to.
fn cookie<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let set = reply.headers.iter().filter(|(header, _)| header == "set-cookie");
    let mut pairs = set.filter_map(|(_, value)| value.split(';').next()?.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(reply.body.contains(words), "{reply:?}");
    assert_eq!(cookie(reply, SESSION), None, "{reply:?}");
}

#[both]
fn a_user_with_a_verified_email_is_then_matched_by_issuer_and_subject() {
    let sso = SsoServer::build();
    let id = sso.server.business.account.id.uuid();
    let visitor = sso.go_to_provider(&format!("?next=%2Fteam%3Fbusiness%3D{id}"));
    assert!(visitor.address.starts_with(&format!("{}/authorize?", sso.provider.issuer)));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("code_challenge_method", "S256"),
        ("scope", "openid+email+profile"),
    ] {
        assert_eq!(visitor.parameter(name), value);
    }
    let reply = sso.return_with(&visitor, "code=good-code&state=STATE");
    let signed_in = sso.signed_in_user(&reply);
    assert_eq!(signed_in.email, OWNER);
    assert_eq!(reply.header("location"), Some(format!("/team?business={id}").as_str()));
    assert_eq!(cookie(&reply, COOKIE), Some(""), "this sign-in is over");
    let set: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
    for (_, value) in set {
        assert!(value.contains("; Path=/; "), "{value}");
        assert!(value.ends_with("; Secure; HttpOnly; SameSite=Lax"), "{value}");
    }

    let reply = sso.sign_in(|claims| claims["email"] = json!("renamed@elsewhere.example"));
    assert_eq!(sso.signed_in_user(&reply).user, signed_in.user, "by the subject alone");
    assert_eq!(reply.header("location"), Some("/"));
    let reply = sso.sign_in(|claims| claims["email_verified"] = json!(false));
    assert_eq!(sso.signed_in_user(&reply).user, signed_in.user, "the address no longer matters");

    assert_eq!(sso.event_names(), ["sign_in", "identity_linked", "sign_in", "sign_in"]);
    let linked = &sso.events()[1];
    assert_eq!(linked["address"], "127.0.0.1");
    let subject = json!("person-1");
    let changes = linked["changes"].as_array().expect("changes");
    assert!(changes.iter().any(|it| it["field"] == "subject" && it["new"] == subject), "{linked}");
}

#[both]
fn the_sign_in_page_leads_to_the_provider_and_the_old_session_ends() {
    let sso = SsoServer::build();
    let page = http::get(sso.server.public, "/sign-in?next=%2Fteam").body;
    let button = "href=\"/sign-in/company?next=%2Fteam\">Sign in with Acme account</a>";
    assert!(page.contains(button), "{page}");
    let plain = http::get(Server::start().public, "/sign-in").body;
    assert!(!plain.contains("/sign-in/company"), "{plain}");

    let first = sso.sign_in(|_| {});
    let session = cookie(&first, SESSION).expect("a session").to_owned();
    let mut visitor = sso.go_to_provider("");
    visitor.cookie = format!("{}; {SESSION}={session}", visitor.cookie);
    let second = sso.return_with(&visitor, "code=good-code&state=STATE");
    sso.signed_in_user(&second);
    assert!(sso.find(&session).is_none(), "the session before has ended");
}

#[both]
fn an_unverified_or_unknown_address_matches_no_user() {
    let sso = SsoServer::build();
    let unknown = |claims: &mut Value| claims["email"] = json!("stranger@acme.example");
    let unverified = |claims: &mut Value| claims["email_verified"] = json!(false);
    let unstated = |claims: &mut Value| {
        claims.as_object_mut().expect("claims").remove("email_verified");
    };
    let nameless = |claims: &mut Value| claims["sub"] = json!("");
    for reply in [
        sso.sign_in(unknown),
        sso.sign_in(unverified),
        sso.sign_in(unstated),
        sso.sign_in(nameless),
    ] {
        assert_refused(&reply, 403, "Ask an owner of the business to invite");
    }
    assert_eq!(sso.event_names(), Vec::<String>::new());
}

#[both]
fn an_address_from_user_info_must_be_of_the_same_subject() {
    let sso = SsoServer::build();
    sso.provider.answers().user =
        Some(json!({ "sub": "person-1", "email": OWNER, "email_verified": true }));
    let bare = |claims: &mut Value| {
        let claims = claims.as_object_mut().expect("claims");
        claims.remove("email");
        claims.remove("email_verified");
    };
    let other = |claims: &mut Value| {
        bare(claims);
        claims["sub"] = json!("person-2");
    };
    assert_refused(&sso.sign_in(other), 502, "cannot be reached");
    assert_eq!(sso.signed_in_user(&sso.sign_in(bare)).email, OWNER);
}

#[both]
fn a_token_for_another_sign_in_is_rejected() {
    let sso = SsoServer::build();
    let cases: [(&str, Change); 7] = [
        ("another sign-in", |claims| claims["nonce"] = json!("another")),
        ("another sign-in", |claims| {
            claims.as_object_mut().expect("claims").remove("nonce");
        }),
        ("another client", |claims| claims["aud"] = json!("another")),
        ("another client", |claims| claims["aud"] = json!([CLIENT, "another"])),
        ("another client", |claims| claims["azp"] = json!("another")),
        ("another issuer", |claims| claims["iss"] = json!("https://another.example")),
        ("has expired", |claims| {
            claims["exp"] = json!(claims["iat"].as_i64().expect("a time") - 61);
        }),
    ];
    for (cause, change) in cases {
        let reply = sso.sign_in(change);
        assert_refused(&reply, 502, "could not be trusted");
        assert!(sso.server.log.text().contains(cause), "{cause}");
    }
    for alg in ["none", "HS256", "RS256", "ES384"] {
        let visitor = sso.go_to_provider("");
        sso.provider.answers().header["alg"] = json!(alg);
        let reply = sso.return_with(&visitor, "code=good-code&state=STATE");
        assert_refused(&reply, 502, "could not be trusted");
    }
    let visitor = sso.go_to_provider("");
    let reply = sso.return_with(&visitor, "code=another-code&state=STATE");
    assert_refused(&reply, 502, "could not be trusted");
    let log = sso.server.log.text();
    for secret in [SECRET, "good-code", "eyJ", "zoop_co_", OWNER, "person-1"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[both]
fn a_browser_can_finish_only_the_sign_in_that_it_started() {
    let sso = SsoServer::build();
    let own = sso.go_to_provider("");
    let other = sso.go_to_provider("");
    let (secret, rest) = own.cookie.split_once('.').expect("a secret");
    let (_, next) = rest.split_once('.').expect("a page");
    let with = |cookie: String| Visitor { cookie, ..own.clone() };
    let query = "code=good-code&state=STATE";
    let twice = sso.return_with(&own, "code=good-code&state=STATE&state=STATE");
    assert_refused(&twice, 400, "duplicate or invalid parameter");
    for (visitor, query) in [
        (&own, "code=good-code"),
        (&own, "code=good-code&state=another"),
        (&own, "code=good-code&state=STATE&iss=https%3A%2F%2Fanother.example"),
        (&with(other.cookie.clone()), query),
        (&with(String::new()), query),
        (&with(format!("{secret}.1.{next}")), query),
        (&with(format!("{}x", own.cookie)), query),
    ] {
        let reply = sso.return_with(visitor, query);
        assert_refused(&reply, 400, "did not start here");
        assert_eq!(cookie(&reply, COOKIE), Some(""));
    }
    let declined = sso.return_with(&own, "error=access_denied&state=STATE");
    assert_refused(&declined, 403, "canceled or refused there");

    let slow = sso.go_to_provider("");
    sso.server.env.clock.advance(10 * 60 * 1_000);
    assert_refused(&sso.return_with(&slow, query), 400, "ten minutes");
    let iss = form_urlencoded::byte_serialize(sso.provider.issuer.as_bytes()).collect::<String>();
    let reply = sso.return_with(&sso.go_to_provider(""), &format!("{query}&iss={iss}"));
    assert_eq!(sso.signed_in_user(&reply).email, OWNER);
}

#[both]
fn provider_metadata_is_cached_and_survives_a_failure() {
    let sso = SsoServer::build();
    sso.provider.answers().is_up = false;
    let start = || http::get(sso.server.public, "/sign-in/company");
    assert_refused(&start(), 502, "Try again in a minute");
    sso.provider.answers().is_up = true;
    assert_refused(&start(), 502, "Try again in a minute");
    assert_eq!(
        sso.provider.answers().discoveries,
        0,
        "the provider is not asked again for a while"
    );
    sso.server.env.clock.advance(30_000);
    for _ in 0..3 {
        sso.signed_in_user(&sso.sign_in(|_| {}));
    }
    assert_eq!(sso.provider.answers().discoveries, 1);

    sso.server.env.clock.advance(30_000);
    let visitor = sso.go_to_provider("");
    sso.provider.answers().change_key();
    sso.signed_in_user(&sso.return_with(&visitor, "code=good-code&state=STATE"));
    assert_eq!(sso.provider.answers().discoveries, 2, "fetched again for the unknown key");
    let visitor = sso.go_to_provider("");
    sso.provider.answers().change_key();
    let reply = sso.return_with(&visitor, "code=good-code&state=STATE");
    assert_refused(&reply, 502, "could not be trusted");
    assert_eq!(sso.provider.answers().discoveries, 2, "not fetched twice in half a minute");

    sso.server.env.clock.advance(2 * 60 * 60 * 1_000);
    sso.provider.answers().is_up = false;
    assert_eq!(start().status, 303, "the provider's earlier metadata is still used");
}

#[both]
fn a_former_member_cannot_sign_in() {
    let sso = SsoServer::build();
    let env = &sso.server.env;
    let account = Some(sso.server.business.account);
    let office = json!({ "name": "O", "email": "leaving@acme.example", "role": "office" });
    let made = env.call_as_operator(account, "users.create", office);
    let leaving = |claims: &mut Value| claims["email"] = json!("leaving@acme.example");
    sso.signed_in_user(&sso.sign_in(leaving));
    env.call_as_operator(account, "users.remove", json!({ "id": made["user_id"] }));
    assert_refused(&sso.sign_in(leaving), 403, "Ask an owner");
}

#[both]
fn without_a_provider_its_pages_do_not_exist() {
    let server = Server::start();
    for path in ["/sign-in/company", "/sign-in/company/callback?code=a&state=b"] {
        assert_eq!(http::get(server.public, path).status, 404);
    }
}

#[both]
fn a_reassigned_address_does_not_match_its_former_user() {
    let sso = SsoServer::build();
    sso.signed_in_user(&sso.sign_in(|_| {}));
    let successor = sso.sign_in(|claims| claims["sub"] = json!("person-2"));
    assert_refused(&successor, 403, "not known here");
    sso.signed_in_user(&sso.sign_in(|_| {}));
    assert_eq!(sso.event_names().iter().filter(|it| *it == "identity_linked").count(), 1);
}

#[both]
fn a_user_with_a_password_connects_the_account_in_their_own_session() {
    let sso = SsoServer::build();
    // The operator has set a password.
    let user = Business::user(&sso.server.business.owner);
    let environment = sso.server.env.environment.clone();
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "a hash", Initiator::Operator)
    };
    sso.server.env.write(set).expect("a password");
    assert_refused(&sso.sign_in(|_| {}), 403, "Sign in with your password once");
    assert_eq!(sso.event_names().last().map(String::as_str), Some("sign_in_refused"));
    let (of_another, _) = sso.server.env.sign_in(Business::user(&sso.server.business.tech));
    let (own, _) = sso.server.env.sign_in(user);
    let come_with = |session: &Secret| {
        let mut visitor = sso.go_to_provider("");
        visitor.cookie = format!("{}; {SESSION}={}", visitor.cookie, session.expose());
        sso.return_with(&visitor, "code=good-code&state=STATE")
    };
    assert_refused(&come_with(&of_another), 403, "Sign in with your password once");
    let cookie = format!("{SESSION}={}", own.expose());
    let account = || {
        let headers = [("Cookie", cookie.as_str())];
        http::request(sso.server.public, "GET", "/account", &headers, b"").body
    };
    let button = "href=\"/sign-in/company?next=%2Faccount\">Connect your Acme account</a>";
    assert!(account().contains(button), "{}", account());
    assert_eq!(sso.signed_in_user(&come_with(&own)).user, user);
    assert_eq!(
        sso.signed_in_user(&sso.sign_in(|_| {})).user,
        user,
        "the account is connected from then on"
    );
}

#[both]
fn a_verified_mailbox_wins_over_an_unproved_password() {
    let sso = SsoServer::build();
    // A holder of an invitation's link chose a password for the owner's address.
    let user = Business::user(&sso.server.business.owner);
    let environment = sso.server.env.environment.clone();
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "a hash", Initiator::Unproved(None))
    };
    sso.server.env.write(set).expect("a password");
    let (claimer, _) = sso.server.env.sign_in(user);
    let signed_in = sso.signed_in_user(&sso.sign_in(|_| {}));
    assert_eq!((signed_in.user, signed_in.is_proved), (user, true));
    assert!(sso.find(claimer.expose()).is_none(), "the claimer's session has ended");
    let stored = sso.server.env.read(move |tx| passwords::stored_hash(tx, user));
    assert_eq!(stored.expect("an answer"), None, "the password is removed");
    assert!(sso.event_names().iter().any(|name| name == "password_removed"));
}

#[both]
fn an_address_of_another_domain_matches_no_user() {
    let sso = SsoServer::build();
    let look_alike = |claims: &mut Value| claims["email"] = json!("owner@acm\u{435}.example");
    assert_refused(&sso.sign_in(look_alike), 403, "not known here");
    let folded = |claims: &mut Value| claims["email"] = json!("owner@acme.e\u{17f}ample");
    assert_refused(&sso.sign_in(folded), 403, "not known here");
    let dotless = |claims: &mut Value| claims["email"] = json!("o\u{17f}ner@acme.example");
    assert_refused(&sso.sign_in(dotless), 403, "not known here");
    let cased = |claims: &mut Value| claims["email"] = json!("Owner@ACME.example");
    assert_eq!(sso.signed_in_user(&sso.sign_in(cased)).email, OWNER);
}
