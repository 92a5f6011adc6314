//! A user in a browser, and a client that acts for them: an invitation, a password, a second factor,
//! the whole OAuth flow, and the same with errors.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zoop_crm::identity::sign_in::second_factor;
use zoop_crm::values::clock::{Clock, SystemClock};
use zoop_db::Timestamp;

use super::browser::Browser;
use super::{Run, parts_of};
use crate::client::Client;
use crate::env::text;

const EMAIL: &str = "nadia@example.com";
const PASSWORD: &str = "g0dwit over the estuary";
const WRONG_PASSWORD: &str = "curlew on the mudflat5";
/// The time step of codes, in microseconds (RFC 6238, 5.2).
const STEP: i64 = 30_000_000;
const REDIRECT: &str = "https://program.example/callback";
// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Every secret that users and their client received or chose.
#[derive(Default)]
pub(super) struct People {
    /// Passwords, the second factor's secret and recovery codes, in every form in which they are
    /// written.
    words: Vec<String>,
    /// Secrets that begin with `zoop_`: invitations, cookies, codes and tokens.
    tokens: Vec<String>,
    /// The client that acts for them, which is not secret.
    program: String,
}

impl People {
    /// Everything that must not appear anywhere.
    pub(super) fn secrets(&self) -> Vec<String> {
        let tokens = self.tokens.iter().flat_map(|token| parts_of(token));
        self.words.iter().cloned().chain(tokens).collect()
    }

    /// Sends every secret to every route; returns how many requests failed on the server.
    pub(super) fn send_secrets(&self, url: &str) -> usize {
        let mut browser = Browser::new(url);
        for password in [PASSWORD, WRONG_PASSWORD] {
            browser.sign_in(EMAIL, password);
            browser.sign_in(password, EMAIL);
        }
        for token in &self.tokens {
            for name in ["__Host-zoop-session", "__Host-zoop-sign-in"] {
                browser.cookies = BTreeMap::from([(name.to_owned(), token.clone())]);
                browser.get(&format!("/account?done={token}"));
                browser.post("/sign-in/second-factor", &[("code", &self.words[0])]);
            }
            browser.get(&format!("/invitations/{token}"));
            browser.get(&format!("/oauth/authorize?request={token}&client_id={token}"));
            browser.post("/oauth/authorize", &[("request", token), ("decision", "allow")]);
            for (grant, field) in
                [("authorization_code", "code"), ("refresh_token", "refresh_token")]
            {
                let form = [
                    ("grant_type", grant),
                    (field, token),
                    ("client_id", &self.program),
                    ("redirect_uri", REDIRECT),
                    ("code_verifier", VERIFIER),
                    ("client_secret", token),
                ];
                browser.post("/oauth/token", &form);
                browser.post(&format!("/oauth/token?{field}={token}"), &form);
            }
            browser.post("/oauth/revoke", &[("token", token)]);
            let _ = Client::new(url, token).call("tags.list", &json!({}));
        }
        browser.failures
    }

    /// Signs out every session; returns how many requests failed on the server.
    pub(super) fn sign_out(&self, url: &str) -> usize {
        let mut browser = Browser::new(url);
        for token in &self.tokens {
            browser.cookies = BTreeMap::from([("__Host-zoop-session".to_owned(), token.clone())]);
            browser.post("/sign-out", &[]);
        }
        browser.failures
    }
}

impl Run {
    /// Takes a user from the invitation to a connected client, with and without errors.
    pub(super) fn people(&mut self) -> People {
        let mut people = People {
            words: vec![PASSWORD.to_owned(), WRONG_PASSWORD.to_owned(), VERIFIER.to_owned()],
            ..People::default()
        };
        let mut browser = Browser::new(&self.url());
        self.accept_invitation(&mut browser, &mut people);
        use_second_factor(&mut browser, &mut people);
        connect_program(&mut browser, &mut people);
        people.tokens.append(&mut browser.received);
        assert_eq!(
            people.send_secrets(&self.url()),
            0,
            "invalid requests do not fail on the server"
        );
        people
    }

    fn accept_invitation(&mut self, browser: &mut Browser, people: &mut People) {
        let invited = self.folder.zoop(&[
            "user",
            "invite",
            "--name",
            "Nadia New",
            "--email",
            EMAIL,
            "--role",
            "office",
            "--json",
        ]);
        self.output.push_str(&invited.stderr);
        let link = text(&invited.json(), "link");
        let token = link.rsplit('/').next().expect("a token").to_owned();
        let path = format!("/invitations/{token}");
        people.tokens.push(token);
        assert_eq!(browser.get(&path).status, 200);
        let accepted = browser.post(&path, &[("password", PASSWORD), ("repeated", PASSWORD)]);
        let businesses = self.folder.json(&["tenant", "list"]);
        let business = text(&businesses["rows"][0], "id");
        accepted.assert_leads_to(&format!("/?done=joined&business={business}"));
        let set = self.folder.zoop_reading(&["user", "set-password", EMAIL], PASSWORD);
        assert_eq!(set.code, 0, "{}", set.stderr);
        self.output.push_str(&set.stderr);
    }
}

/// Turns the second factor on, and signs in with its code and then with a recovery code.
fn use_second_factor(browser: &mut Browser, people: &mut People) {
    assert_eq!(browser.sign_in(EMAIL, WRONG_PASSWORD).status, 403);
    browser.sign_in(EMAIL, PASSWORD).assert_leads_to("/");
    let begun = browser.post("/account/second-factor", &[("current", PASSWORD)]);
    let letters = begun.between("id=\"secret\">", "<");
    let code = |at| second_factor::code_from_base32(&letters, at).expect("a code");
    let now = SystemClock.now();
    let confirmed = browser.post("/account/second-factor/confirm", &[("code", &code(now))]);
    let recovery: Vec<_> = confirmed.body.split("<code>").skip(1).collect();
    let recovery: Vec<_> =
        recovery.iter().map(|it| it.split('<').next().expect("a code")).collect();
    assert_eq!(recovery.len(), 10, "{}", confirmed.body);

    // A code is accepted only once. The next code is accepted even before its time step begins.
    let next = code(SystemClock.now().max(Timestamp(now.0 + STEP)));
    for typed in [next.as_str(), recovery[0]] {
        browser.post("/sign-out", &[]).assert_leads_to("/sign-in?done=signed-out");
        browser.sign_in(EMAIL, PASSWORD).assert_leads_to("/sign-in/second-factor");
        let wrong = browser.post("/sign-in/second-factor", &[("code", WRONG_PASSWORD)]);
        assert_eq!(wrong.status, 403);
        browser.post("/sign-in/second-factor", &[("code", typed)]).assert_leads_to("/");
    }
    for word in recovery.iter().copied().chain([letters.as_str()]) {
        let plain = word.replace(['-', ' '], "");
        people.words.extend([plain.to_uppercase(), plain.to_lowercase(), word.to_owned()]);
    }
}

/// A client registers, is allowed everything, calls a tool, refreshes its token and revokes it.
fn connect_program(browser: &mut Browser, people: &mut People) {
    let url = browser.url.clone();
    let metadata = json!({ "client_name": "Program", "redirect_uris": [REDIRECT] }).to_string();
    let registered = browser.agent.post(format!("{url}/oauth/register"));
    let registered = registered.content_type("application/json").send(metadata).expect("an answer");
    let registered = browser.page(registered).json();
    assert_eq!(registered["client_secret"], Value::Null, "programs are given no secret");
    let client = text(&registered, "client_id");

    let asked = browser.get(&format!(
        "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={REDIRECT}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    ));
    let (request, business) = (
        asked.between("name=\"request\" value=\"", "\""),
        asked.between("name=\"business\" value=\"", "\""),
    );
    let allow = [
        ("request", request.as_str()),
        ("business", &business),
        ("decision", "allow"),
        ("read:customers", "yes"),
    ];
    let code = browser.post("/oauth/authorize", &allow).between("code=", "&");
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", &client),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let first = browser.post("/oauth/token", &exchange).json();
    let call = |tokens: &Value| {
        Client::new(&url, &text(tokens, "access_token")).ask("customers.search", &json!({}))
    };
    call(&first);
    let refresh = text(&first, "refresh_token");
    let renew =
        [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &refresh)];
    let second = browser.post("/oauth/token", &renew).json();
    call(&second);
    let last = text(&second, "refresh_token");
    assert_eq!(browser.post("/oauth/revoke", &[("token", &last)]).status, 200);

    people.program = client;
    people.tokens.extend([request, code]);
    for tokens in [&first, &second] {
        people.tokens.extend([text(tokens, "access_token"), text(tokens, "refresh_token")]);
    }
}
