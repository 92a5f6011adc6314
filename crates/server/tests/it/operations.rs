//! What an operator sees: health, readiness, metrics and the log.

use serde_json::{Value, json};
use zoop_both::both;

use crate::http;
use crate::server::{Server, message};

#[both]
fn health_and_readiness_are_served_on_the_public_port() {
    let server = Server::start();
    let health = http::get(server.public, "/healthz");
    assert_eq!((health.status, health.json()), (200, json!({ "status": "ok" })));
    server.set_clock();
    let ready = http::get(server.public, "/readyz");
    assert_eq!((ready.status, ready.json()), (200, json!({ "status": "ready" })));
}

#[test]
fn clock_skew_first_warns_and_then_fails_readiness() {
    zoop_crm::testing::on(zoop_db::Dialect::Postgres, || {
        let server = Server::start();
        let ready = || http::get(server.public, "/readyz");
        let warnings = || server.log.text().matches("off the database's").count();
        server.set_clock();
        ready();
        let before = warnings();
        server.env.clock.advance(2_500);
        assert_eq!((ready().status, ready().status), (200, 200));
        assert_eq!(warnings(), before + 1, "logged once");
        server.env.clock.advance(3_000);
        let late = ready();
        assert_eq!((late.status, late.header("retry-after")), (503, Some("1")), "{late:?}");
        assert!(late.json()["reason"].as_str().unwrap().contains("clock"), "{late:?}");
        server.env.clock.advance(-11_000);
        assert_eq!(ready().status, 503, "a clock that is behind is off too");
        server.env.clock.advance(5_500);
        assert_eq!(ready().status, 200);
        assert!(server.log.text().contains("agrees with the database's again"));
    });
}

#[both]
fn an_unknown_path_names_the_endpoint_and_metrics_stay_internal() {
    let server = Server::start();
    for path in ["/nothing", "/mcp", "/metrics", "/api/mcp/x"] {
        let reply = http::get(server.public, path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["message"].as_str().unwrap().contains("POST /api/mcp"), "{path}");
    }
    assert_eq!(http::get(server.operations, "/api/mcp").status, 404);
    assert_eq!(http::get(server.operations, "/metrics").status, 200);
}

#[both]
fn metrics_count_by_tool_and_outcome_with_a_fixed_set_of_labels() {
    let server = Server::start();
    server.call("customers.search", json!({}));
    server.call("customers_search", json!({}));
    server.call("customers.get", json!({ "id": "x" }));
    server.owner("tools/call", json!({ "name": "evil\"} 1\nfake" }));
    server.owner("evil/method", json!({}));
    server.post_bare(&[], b"{}");
    // The key's last use is recorded asynchronously. After this write, the queue is empty.
    server.env.write(|_| Ok(())).expect("the writer");
    let text = server.metrics();
    for line in [
        r#"zoop_requests_total{tool="customers.search",outcome="ok"} 2"#,
        r#"zoop_requests_total{tool="customers.get",outcome="invalid_input"} 1"#,
        r#"zoop_requests_total{tool="unknown",outcome="refused"} 1"#,
        r#"zoop_requests_total{tool="none",outcome="refused"} 1"#,
        r#"zoop_requests_total{tool="none",outcome="unauthorized"} 1"#,
        r#"zoop_request_seconds_count{tool="customers.search"} 2"#,
        "zoop_requests_in_flight 0",
        "zoop_reads_waiting 0",
        "zoop_writes_waiting 0",
        "zoop_client_artefacts_total 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    assert!(!text.contains("evil"), "{text}");
}

#[test]
fn every_metric_has_its_name_and_its_type() {
    let disk = |settings: &mut zoop_server::Settings| {
        settings.database_folder = Some(std::env::temp_dir());
    };
    let server = Server::start_with(disk, None);
    server.owner("ping", json!({}));
    http::request(server.public, "POST", "/sign-in", &[], b"");
    let text = server.metrics();
    let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(
        types,
        [
            "zoop_requests counter",
            "zoop_request_seconds histogram",
            "zoop_requests_in_flight gauge",
            "zoop_requests_waiting gauge",
            "zoop_request_bodies_bytes gauge",
            "zoop_answers_unread_bytes gauge",
            "zoop_pages counter",
            "zoop_page_seconds histogram",
            "zoop_sign_ins counter",
            "zoop_client_artefacts counter",
            "zoop_reads_waiting gauge",
            "zoop_writes_waiting gauge",
            "zoop_commits counter",
            "zoop_storage_takes_writes gauge",
            "zoop_build info",
            "process_start_time_seconds gauge",
            "process_cpu_seconds counter",
            "process_resident_memory_bytes gauge",
            "process_open_fds gauge",
            "process_max_fds gauge",
            "zoop_storage_free_bytes gauge",
            "zoop_connections gauge",
            "zoop_connections_refused counter",
        ]
    );
    // The operators' guide lists each metric, under the name that a query uses.
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md"))
            .expect("the page");
    let mut queried = Vec::new();
    for known in types {
        let (name, kind) = known.split_once(' ').expect("a type");
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        assert!(page.contains(&format!("| `{name}{suffix}`")), "{known} is not on the page");
        // Queries of a histogram add a suffix.
        let part = if kind == "histogram" { "_bucket" } else { suffix };
        queried.push(format!("{name}{part}"));
    }
    assert_alerts_match(&page, &queried);
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|number| number.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("{name}: {text}"))
    };
    for name in [
        "zoop_storage_free_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ] {
        assert!(number(name) > 1.0, "{name}: {text}");
    }
    assert!(number("process_cpu_seconds_total") >= 0.0 && number("zoop_commits_total") >= 0.0);
    assert!((number("zoop_storage_takes_writes") - 1.0).abs() < f64::EPSILON);
    let build = format!("zoop_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    assert!(text.lines().any(|line| line == build), "{text}");
    assert!(
        !Server::start().metrics().contains("zoop_storage_free"),
        "the free space on a database server is not known"
    );
}

/// Checks that the alert rules use only metrics that exist, and that the guide lists the same alerts in the same
/// order.
fn assert_alerts_match(page: &str, metrics: &[String]) {
    let rules = include_str!("../../../../packaging/prometheus/zoop.rules.yml");
    let expressions: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    for expression in &expressions {
        let words = expression
            .split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        for word in words {
            if word.starts_with("zoop_") || word.starts_with("process_") {
                assert!(metrics.iter().any(|metric| metric == word), "{word} is not a metric");
            }
        }
    }
    let alerts: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `Zoop"))
        .filter_map(|line| line.split('`').next())
        .collect();
    let named: Vec<&str> = alerts.iter().filter_map(|alert| alert.strip_prefix("Zoop")).collect();
    assert_eq!(listed, named, "the page's table of alerts");
    assert_eq!(alerts.len(), named.len(), "each alert's name starts with Zoop");
    assert_eq!(alerts.len(), expressions.len(), "each alert has one expression, on one line");
}

#[test]
fn a_header_from_an_untrusted_proxy_is_logged_once() {
    let words = "not in server.trusted_proxies";
    let server = Server::start();
    http::get(server.public, "/sign-in");
    assert_eq!(server.log.count("WARN", words), 0);
    for _ in 0..3 {
        let headers = [("X-Forwarded-For", "203.0.113.5:4711")];
        http::request(server.public, "GET", "/sign-in", &headers, b"");
    }
    assert_eq!(server.log.count("WARN", words), 1, "{}", server.log.text());
}

#[test]
fn a_public_url_without_sign_in_is_logged_at_startup() {
    let words = "browsers keep no session at an http address of another machine";
    for (address, warns) in [
        ("http://crm.office.lan:18141", 1),
        ("http://localhost:18141", 0),
        ("https://crm.office.lan", 0),
    ] {
        let set = |settings: &mut zoop_server::Settings| {
            settings.public_url = address.parse().expect("an origin");
        };
        let server = Server::start_with(set, None);
        http::get(server.public, "/healthz");
        assert_eq!(server.log.count("WARN", words), warns, "{address}");
    }
}

#[both]
fn each_request_leaves_one_line_that_names_its_caller() {
    let server = Server::start();
    let reply = server.call("customers.get", json!({ "id": "x" }));
    server.post_bare(&[], b"{}");
    let [known, unknown] = &server.log.requests()[..] else { panic!("{}", server.log.text()) };
    assert_eq!(known["request_id"], reply.header("x-request-id").unwrap());
    assert_eq!(known["tenant_id"], server.business.account.id.uuid().to_string());
    let credential = server.business.owner.credential.uuid().to_string();
    assert_eq!(known["credential_id"], credential);
    assert_eq!(known["tool"], "customers.get");
    assert_eq!(
        (&known["client_address"], &unknown["client_address"]),
        (&json!("127.0.0.1"), &json!("127.0.0.1"))
    );
    assert_eq!((&known["outcome"], &known["status"]), (&json!("invalid_input"), &json!(200)));
    assert!(known["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0));
    assert_eq!((&unknown["outcome"], &unknown["status"]), (&json!("unauthorized"), &json!(401)));
    assert_eq!(unknown.get("tenant_id"), None);
}

#[both]
fn the_log_holds_no_token_no_body_no_phone_and_no_e_mail() {
    let server = Server::start();
    let secret = "zoop_uk_presented_but_unknown";
    let arguments = json!({
        "customer_type": "individual", "first_name": "Xanthippe", "phone": "(510) 555-0123",
        "email": "xanthippe@example.com", "notes_internal": "the alarm code",
    });
    assert!(!server.call("customers.create", arguments.clone()).tool().0);
    assert!(!server.call("customers.search", json!({ "q": "Xanthippe" })).tool().0);
    let mut wrong = arguments;
    wrong["email"] = json!("xanthippe@nowhere");
    assert!(server.call("customers.create", wrong).tool().0);
    server.ask(secret, "/api/mcp", "ping", json!({}));
    server.post("/api/mcp", &[("Idempotency-Key", "retry-me")], &message("ping", json!({})));
    server.post("/api/mcp", &[], b"{\"xanthippe");
    let log = server.log.text();
    assert_eq!(server.log.requests().len(), 6, "{log}");
    for word in [
        server.business.owner_key.as_str(),
        secret,
        "anthippe",
        "555-0123",
        "5105550123",
        "alarm",
        "@",
        "retry-me",
    ] {
        assert!(!log.contains(word), "{word} in {log}");
    }
}

#[both]
fn an_internal_failure_shows_its_request_id_and_logs_its_cause() {
    let server = Server::start();
    // A missing table is a defect of the installation.
    break_schema(&server, "ALTER TABLE customers RENAME TO lost");
    let reply = server.call("customers.search", json!({}));
    let (is_error, answer) = reply.tool();
    assert!(is_error);
    let id = reply.header("x-request-id").expect("an id");
    assert_eq!((&answer["kind"], &answer["request_id"]), (&json!("internal"), &json!(id)));
    assert!(!answer.to_string().contains("lost") && !answer.to_string().contains("table"));
    let logged: Vec<_> = server
        .log
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|line| line["level"] == "ERROR")
        .collect();
    assert_eq!(logged.len(), 1, "logged once: {logged:?}");
    assert_eq!(logged[0]["fields"]["request_id"], id);
    assert!(logged[0]["fields"]["cause"].as_str().is_some_and(|cause| cause.contains("customers")));
}

/// Changes the schema under the running server.
fn break_schema(server: &Server, sql: &str) {
    if let Some(database) = server.env.server() {
        database.run(sql).expect("a change of the schema");
        return;
    }
    let file = rusqlite::Connection::open(server.env.path()).expect("the database's file");
    file.execute_batch(sql).expect("a change of the schema");
}
