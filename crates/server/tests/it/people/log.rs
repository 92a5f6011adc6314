//! The log lines and the metrics of page requests.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{Browser, OWNER, PASSWORD, code, start};
use crate::server::Server;

/// The newest log line of a page request.
fn last_line(server: &Server) -> Value {
    server.log.pages().pop().unwrap_or_else(|| panic!("{}", server.log.text()))
}

/// The method, route, outcome and status in a line.
fn summary(line: &Value) -> (&str, &str, &str, &Value) {
    let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{name} in {line}"));
    (text("method"), text("route"), text("outcome"), &line["status"])
}

/// The value of a metric's series.
fn metric(server: &Server, series: &str) -> u64 {
    let text = server.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |number| number.trim().parse().unwrap_or_else(|_| panic!("{number}")))
}

#[both]
fn every_sign_in_leaves_a_line_with_its_outcome_its_address_and_its_user() {
    let server = start();
    let owner = Business::user(&server.business.owner).to_string();
    let mut browser = Browser::at(&server, "203.0.113.7:4711");
    let shown = browser.get("/sign-in");
    let line = last_line(&server);
    assert_eq!(summary(&line), ("GET", "/sign-in", "ok", &json!(200)));
    assert_eq!(line["client_address"], "203.0.113.7");
    assert_eq!(line["request_id"], shown.header("x-request-id").expect("an id"));
    assert_eq!(line.get("user_id"), None);

    browser.sign_in(OWNER, "wrong");
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-in", "refused", &json!(403)));
    browser.sign_in("nobody@elsewhere.example", "wrong");
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-in", "refused", &json!(403)));
    browser.send("POST", "/sign-in", &[("Origin", "https://evil.test")], "email=a&password=b");
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-in", "foreign_form", &json!(403)));
    browser.sign_in(OWNER, PASSWORD);
    let line = last_line(&server);
    assert_eq!(summary(&line), ("POST", "/sign-in", "signed_in", &json!(303)));
    assert_eq!((&line["user_id"], &line["client_address"]), (&json!(owner), &json!("203.0.113.7")));
    browser.get("/account");
    let line = last_line(&server);
    assert_eq!(summary(&line), ("GET", "/account", "ok", &json!(200)));
    assert_eq!(line["user_id"], owner);
    browser.post("/sign-out", &[]);
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-out", "ok", &json!(303)));

    let password = |outcome: &str| {
        metric(&server, &format!("zoop_sign_ins_total{{way=\"password\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((password("refused"), password("foreign_form"), password("signed_in")), (2, 1, 1));
    assert_eq!(metric(&server, r#"zoop_pages_total{route="/account",outcome="ok"}"#), 1);
    assert_eq!(metric(&server, r#"zoop_page_seconds_count{route="/sign-in"}"#), 5);

    let log = server.log.text();
    for secret in [OWNER, "acme.example", "elsewhere.example", "@", PASSWORD, "evil.test"] {
        assert!(!log.contains(secret) && !server.metrics().contains(secret), "{secret} in {log}");
    }
}

#[both]
fn lock_outs_and_second_factors_are_logged() {
    let server = start();
    let mut browser = Browser::at(&server, "203.0.113.9");
    for _ in 0..10 {
        browser.sign_in(OWNER, "wrong");
    }
    browser.sign_in(OWNER, PASSWORD);
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-in", "rate_limited", &json!(429)));
    let locked = r#"zoop_sign_ins_total{way="password",outcome="rate_limited"}"#;
    assert_eq!(metric(&server, locked), 1);

    server.env.clock.advance(16 * 60 * 1_000);
    let mut browser = Browser::owner(&server);
    browser.post("/account/second-factor", &[("current", PASSWORD)]);
    let shown = code(&server, &server.business.owner);
    browser.post("/account/second-factor/confirm", &[("code", &shown)]);
    let mut browser = Browser::at(&server, "203.0.113.10");
    browser.sign_in(OWNER, PASSWORD);
    assert_eq!(summary(&last_line(&server)), ("POST", "/sign-in", "code_needed", &json!(303)));
    browser.post("/sign-in/second-factor", &[("code", "000000")]);
    let line = last_line(&server);
    assert_eq!(summary(&line), ("POST", "/sign-in/second-factor", "refused", &json!(403)));
    server.env.clock.advance(60_000);
    let shown = code(&server, &server.business.owner);
    browser.post("/sign-in/second-factor", &[("code", &shown)]);
    let line = last_line(&server);
    assert_eq!(summary(&line), ("POST", "/sign-in/second-factor", "signed_in", &json!(303)));
    assert_eq!(line["user_id"], Business::user(&server.business.owner).to_string());
}

#[test]
fn a_page_is_logged_by_route_without_secrets_in_its_address() {
    let server = start();
    let mut browser = Browser::new(&server);
    browser.get("/invitations/zoop_in_secretlink");
    assert_eq!(
        summary(&last_line(&server)),
        ("GET", "/invitations/{token}", "not_found", &json!(404))
    );
    assert!(!server.log.text().contains("secretlink"), "{}", server.log.text());
    browser.get("/account?secretquery=1");
    assert!(!server.log.text().contains("secretquery"));
}

#[test]
fn the_documented_filter_of_fail2ban_finds_refused_sign_ins_and_nothing_else() {
    let page = include_str!("../../../../../docs/operating.md");
    let (_, rest) = page.split_once("failregex = ").expect("the filter");
    let expression =
        rest.lines().next().expect("a line").replace("<HOST>", r"(?P<host>[0-9a-fA-F:.]+)");
    let expression = regex::Regex::new(&expression).expect("an expression");
    let server = start();
    let mut browser = Browser::at(&server, "203.0.113.7");
    browser.get("/sign-in");
    browser.sign_in(OWNER, PASSWORD);
    let lines = |server: &Server| {
        // The binary writes the fields at the top of each line.
        server.log.pages().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(lines(&server).iter().all(|line| !expression.is_match(line)), "{}", server.log.text());
    browser.sign_in(OWNER, "wrong");
    let refused = lines(&server).pop().expect("a line");
    let found = expression.captures(&refused).unwrap_or_else(|| panic!("{expression} {refused}"));
    assert_eq!(&found["host"], "203.0.113.7");
}
