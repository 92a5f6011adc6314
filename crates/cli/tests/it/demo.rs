//! `zoop demo`: creates a sample business and serves it.

use std::process::Command;

use serde_json::Value;
use zoop_both::both;

use crate::env::{Folder, Server, text};

const DEMO: &[&str] = &["demo", "--listen", "127.0.0.1:0"];

fn start(folder: &Folder) -> (Server, Value) {
    let server = Server::start(folder.command(&[DEMO, &["--json"]].concat()));
    let welcome = serde_json::from_str(&server.line()).expect("a JSON object");
    (server, welcome)
}

/// A URL without its password, which is its last option.
fn without_password(url: &str) -> String {
    match url.split_once("password=") {
        Some((before, _)) => format!("{before}password=…"),
        None => url.to_owned(),
    }
}

#[both]
fn the_demo_creates_a_business_that_tools_and_commands_use() {
    let folder = Folder::new();
    let (mut server, welcome) = start(&folder);
    let (url, user_key) = (text(&welcome, "url"), text(&welcome, "user_key"));
    assert_eq!(welcome["mcp_url"], format!("{url}/api/mcp"));
    assert_eq!(text(&welcome, "database"), without_password(folder.database()));
    assert!(user_key.starts_with("zoop_uk_"));
    assert!(text(&welcome, "tenant_key").starts_with("zoop_tk_"));
    let (email, password) = (text(&welcome, "owner_email"), text(&welcome, "owner_password"));
    let entered = crate::people::sign_in(&url, &email, &password);
    assert_eq!(entered, (303, "/".to_owned()));
    let tenants = folder.json(&["tenant", "list"]);
    assert_eq!(tenants["rows"][0]["id"], welcome["tenant_id"]);
    assert_eq!(folder.json(&["user", "list"])["rows"][0]["id"], welcome["owner_id"]);

    let key = folder.json(&["key", "create", "--scope", "read:customers,read:notes"]);
    let key = text(&key, "key");
    let call = |tool: &str, arguments: &str| {
        folder.json(&["call", tool, arguments, "--url", &url, "--key", &key])
    };
    let found = call("customers.search", r#"{"q":"nguyen","limit":1}"#);
    assert!(text(&found["rows"][0], "id").len() == 36, "{found}");
    assert_eq!(call("customers.search", r#"{"limit":100}"#)["hasMore"], true);
    for (filter, tool) in [
        (r#"{"type":"company"}"#, "customers.search"),
        (r#"{"status":"archived"}"#, "customers.search"),
        (r#"{"status":"inactive"}"#, "customers.search"),
        (r#"{"pinned":true}"#, "notes.list"),
        (r#"{"subject_type":"customer"}"#, "notes.list"),
        (r#"{"subject_type":"customer_contact"}"#, "notes.list"),
        (r#"{"subject_type":"customer_location"}"#, "notes.list"),
        (r#"{"subject_type":"job"}"#, "notes.list"),
        (r#"{"subject_type":"invoice"}"#, "notes.list"),
        (r#"{"subject_type":"quote"}"#, "notes.list"),
        (r#"{"subject_type":"lawn_estimate"}"#, "notes.list"),
        (r#"{"subject_type":"standalone"}"#, "notes.list"),
    ] {
        assert!(!call(tool, filter)["rows"].as_array().unwrap().is_empty(), "{tool} {filter}");
    }
    let tags = call("tags.list", "{}");
    let tags = tags["rows"].as_array().expect("tags");
    assert_eq!(tags.len(), 10);
    for tag in tags {
        let tagged = call("customers.search", &format!(r#"{{"tag":{}}}"#, tag["id"]));
        assert!(!tagged["rows"].as_array().unwrap().is_empty(), "{tag}");
    }

    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.has_no_more_output(), "one object and nothing else");

    let (mut second, again) = start(&folder);
    assert_eq!(again["tenant_id"], welcome["tenant_id"], "the same business");
    for made in ["user_key", "tenant_key", "owner_password"] {
        assert_eq!(again[made], Value::Null, "a second run creates no new {made}");
    }
    let url = text(&again, "url");
    folder.json(&["call", "tags.list", "--url", &url, "--key", &user_key]);
    assert_eq!(crate::people::sign_in(&url, &email, &password).0, 303);
    second.terminate();
    second.wait();

    let renew = Server::start(folder.command(&[DEMO, &["--renew", "--json"]].concat()));
    let renewed: Value = serde_json::from_str(&renew.line()).expect("a JSON object");
    let (url, new) = (text(&renewed, "url"), text(&renewed, "user_key"));
    folder.json(&["call", "tags.list", "--url", &url, "--key", &new]);
    let old = folder.zoop(&["call", "tags.list", "--url", &url, "--key", &user_key]);
    assert!(old.failure().contains("key_revoked"), "{}", old.stderr);
    assert_eq!(crate::people::sign_in(&url, &email, &password).0, 403);
    let password = text(&renewed, "owner_password");
    assert_eq!(crate::people::sign_in(&url, &email, &password).0, 303);
}

#[test]
fn the_welcome_text_fits_one_screen_and_says_what_to_use() {
    let folder = Folder::new();
    let shown = |arguments: &[&str], last: &str| {
        let mut server = Server::start(folder.command(&[DEMO, arguments].concat()));
        let mut lines = vec![server.line()];
        while !lines.last().is_some_and(|line| line.contains(last)) {
            lines.push(server.line());
        }
        server.terminate();
        server.wait();
        assert!(lines.len() < 24, "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        lines.join("\n")
    };
    let first = shown(&[], "Stop with Ctrl-C");
    assert!(first.contains("with the password ") && first.contains("zoop_uk_"), "{first}");
    let again = shown(&[], "Stop with Ctrl-C");
    assert!(again.contains("an earlier run printed still work"), "{again}");
    assert!(again.contains("--renew") && !again.contains("zoop_uk_"), "{again}");
    assert!(shown(&["--renew"], "Stop with Ctrl-C").contains("zoop_uk_"));
}

#[both]
fn the_printed_curl_command_works() {
    let folder = Folder::new();
    let server = Server::start(folder.command(DEMO));
    let mut curl = String::new();
    loop {
        let line = server.line();
        let continues = line.ends_with('\\');
        if line.starts_with("curl ") || !curl.is_empty() {
            curl.push_str(&line);
            curl.push('\n');
            if !continues {
                break;
            }
        }
    }
    let output = Command::new("sh").args(["-c", &curl]).output().expect("sh runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(found.contains("Nguyễn"), "{answer}");
}

#[both]
fn a_database_with_other_businesses_is_left_alone() {
    let folder = Folder::new();
    folder.business();
    let answer = folder.zoop(DEMO);
    assert!(answer.failure().contains("zoop-demo.db"), "{}", answer.stderr);
    assert_eq!(folder.json(&["tenant", "list"])["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(folder.json(&["key", "list"])["rows"].as_array().map(Vec::len), Some(1));
}
