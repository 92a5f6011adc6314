//! `zoop call`, and commands whose effect is checked by a call.

use serde_json::{Value, json};
use zoop_both::both;

use crate::env::{Answer, Folder, Server, text};

/// A folder with a business, a server on it, and its owner's key.
struct Site {
    folder: Folder,
    server: Server,
    key: String,
}

impl Site {
    fn new() -> Self {
        let folder = Folder::new();
        let (_, _, key) = folder.business();
        let server = folder.serve(&[]);
        Self { folder, server, key }
    }

    fn try_call(&self, tool: &str, arguments: &Value) -> Answer {
        let arguments = arguments.to_string();
        let url = self.server.url.as_str();
        self.folder.zoop(&["call", tool, &arguments, "--url", url, "--key", &self.key])
    }

    #[track_caller]
    fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.try_call(tool, arguments).json()
    }

    fn customer(&self) -> String {
        let reyes = json!({ "customer_type": "individual", "first_name": "Marco",
            "last_name": "Reyes", "location": { "address_line1": "482 Oak Street",
            "city": "Oakland", "state": "CA", "postal_code": "94607" } });
        text(&self.call("customers.create", &reyes), "id")
    }
}

#[both]
fn a_call_prints_the_answer_and_a_refusal_fails() {
    let site = Site::new();
    let id = site.customer();
    let found = site.call("customers.search", &json!({ "q": "reyes" }));
    assert_eq!(found["rows"][0]["id"], id.as_str());

    let refused = site.try_call("customers.get", &json!({ "id": "reyes" }));
    assert!(refused.failure().starts_with("invalid_input: "), "{}", refused.stderr);
    let url = site.server.url.as_str();
    let whole = ["call", "customers.get", "{}", "--json", "--url", url, "--key", &site.key];
    let refused = site.folder.zoop(&whole);
    assert_eq!(refused.code, 1);
    let message: Value = serde_json::from_str(&refused.stdout).expect("the refusal for programs");
    assert_eq!(message["fields"][0]["field"], "id");
    let unknown = site.try_call("customers.explode", &json!({}));
    assert!(unknown.failure().contains("-32602"), "{}", unknown.stderr);

    let mut command = site.folder.command(&["call", "customers.search", "--json"]);
    command.env("ZOOP_URL", &site.server.url).env("ZOOP_API_KEY", &site.key);
    let found = Answer::from(command.output().expect("zoop runs")).json();
    assert_eq!(found["rows"][0]["id"], id.as_str(), "address and key from variables");
    let pasted = format!(" {}\r\n", site.key);
    let mut command = site.folder.command(&["call", "customers.search", "--json"]);
    command.env("ZOOP_URL", &site.server.url).env("ZOOP_API_KEY", pasted);
    Answer::from(command.output().expect("zoop runs")).json();

    let url = site.server.url.as_str();
    let stdin = ["call", "customers.search", "-", "--url", url, "--key", &site.key];
    let found = site.folder.zoop_reading(&stdin, r#"{"q":"oak"}"#).json();
    assert_eq!(found["rows"][0]["id"], id.as_str(), "arguments from the standard input");
}

#[both]
fn a_call_that_cannot_be_sent_says_why() {
    let site = Site::new();
    let url = site.server.url.as_str();
    let failure = |arguments: &[&str]| site.folder.zoop(arguments).failure().to_owned();
    assert!(failure(&["call", "tags.list", "--url", url]).contains("ZOOP_API_KEY"));
    assert!(
        failure(&["call", "tags.list", "{", "--url", url, "--key", "x"]).contains("not valid JSON")
    );
    assert!(failure(&["call", "tags.list", "--url", url, "--key", "x"]).contains("invalid_token"));
    let health = format!("{url}/healthz?");
    assert!(
        failure(&["call", "tags.list", "--url", &health, "--key", "x"])
            .contains("not a zoop server's answer")
    );
    for key in ["zoop_uk_a b", "zoop_uk_a\nb", "schlüssel"] {
        let message = failure(&["call", "tags.list", "--url", url, "--key", key]);
        assert!(message.contains("invalid characters") && !message.contains(key), "{message}");
    }
    let message =
        failure(&["call", "tags.list", "--url", "http://u:s3cret@127.0.0.1:9", "--key", "x"]);
    assert!(message.contains("without user") && !message.contains("s3cret"), "{message}");
    let nobody = "http://127.0.0.1:9";
    assert!(failure(&["call", "tags.list", "--url", nobody, "--key", "x"]).contains("no server"));
}

#[both]
fn archived_records_are_restored() {
    let site = Site::new();
    let customer = site.customer();
    let record = site.call("customers.get", &json!({ "id": customer }));
    let location = text(&record["locations"][0], "id");
    let person = json!({ "customer_id": customer, "first_name": "Ana", "last_name": "Reyes" });
    let contact = text(&site.call("contacts.create", &person), "id");
    let note = text(&site.call("notes.create", &json!({ "body": "Gate sticks." })), "id");
    let rate = json!({ "name": "County", "rate_percentage": 8.25 });
    let rate = text(&site.call("tax_rates.create", &rate), "id");
    let item = json!({ "kind": "service", "name": "Drain cleaning", "price": "120" });
    let item = text(&site.call("catalog_items.create", &item), "id");
    for (kind, id) in [
        ("contact", &contact),
        ("location", &location),
        ("note", &note),
        ("tax_rate", &rate),
        ("catalog_item", &item),
        ("customer", &customer),
    ] {
        let mut which = json!({ "id": id });
        if kind == "contact" || kind == "location" {
            which["customer_id"] = json!(customer);
        }
        site.call(&format!("{kind}s.archive"), &which);
        site.folder.json(&["restore", kind, id]);
        let got = site.call(&format!("{kind}s.get"), &which);
        assert_eq!(got["archived_at"], Value::Null, "{kind}");
    }
    let answer = site.folder.zoop(&["restore", "customer", &customer]);
    assert_eq!(answer.code, 1, "not archived: {}", answer.stdout);
    for name in ["c-0001", "marco reyes"] {
        let message = site.folder.zoop(&["restore", "customer", name]).failure().to_owned();
        assert!(message.contains("no archived customer called"), "{message}");
        site.call("customers.archive", &json!({ "id": customer }));
        let restored = site.folder.zoop(&["restore", "customer", name]);
        assert_eq!(restored.stdout, "restored the customer Marco Reyes\n", "{}", restored.stderr);
    }
}

#[test]
fn a_change_is_undone_by_its_id_in_the_history() {
    let site = Site::new();
    let customer = site.customer();
    site.call("customers.update", &json!({ "id": customer, "is_vip": true }));
    let newest = || site.folder.json(&["history", "--limit", "1"])["rows"][0].clone();
    let id = text(&newest(), "id");
    let shown = site.folder.zoop(&["history", "--limit", "1"]).stdout;
    assert!(shown.contains(&format!("\n  undo: {id}\n")), "{shown}");
    let dry = site.folder.zoop(&["undo", &id, "--dry-run"]).stdout;
    assert_eq!(dry, format!("this would be done:\n  put back is_vip of customer {customer}\n"));
    assert_eq!(text(&newest(), "id"), id, "a dry run writes nothing");
    assert_eq!(site.folder.json(&["undo", &id])["reverted"], true);
    let now = site.call("customers.get", &json!({ "id": customer }));
    assert_eq!(now["is_vip"], false);
    let again = site.folder.zoop(&["undo", &id]).failure().to_owned();
    assert!(again.contains("It was undone already."), "{again}");
}

#[both]
fn tags_are_attached_and_detached() {
    let site = Site::new();
    let customer = site.customer();
    let tag = text(&site.call("tags.create", &json!({ "name": "HOA" })), "id");
    let tagged = || site.call("customers.search", &json!({ "tag": tag }))["rows"].clone();
    assert_eq!(tagged(), json!([]));
    let attached = site.folder.json(&["tag", "attach", &tag, &customer]);
    assert_eq!(attached["attached"], true);
    assert_eq!(tagged()[0]["id"], customer.as_str());
    let detached = site.folder.json(&["tag", "detach", &tag, &customer]);
    assert_eq!(detached["detached"], true);
    assert_eq!(tagged(), json!([]));
    let attached = site.folder.zoop(&["tag", "attach", "hoa", "Marco Reyes"]);
    assert_eq!(attached.stdout, "Marco Reyes now has the tag HOA\n", "{}", attached.stderr);
    assert_eq!(tagged()[0]["id"], customer.as_str());
    let history = site.folder.zoop(&["history", "--record", "C-0001"]).stdout;
    assert!(
        history.contains("C-0001 Marco Reyes") && history.contains("from 127.0.0.1"),
        "{history}"
    );
    site.folder.json(&["tag", "detach", "HOA", "C-0001"]);
    site.customer();
    let message = site.folder.zoop(&["tag", "attach", "HOA", "marco reyes"]).failure().to_owned();
    assert!(
        message.contains("2 customers are called marco reyes") && message.contains(&customer),
        "{message}"
    );
}

#[both]
fn a_revocation_on_the_command_line_takes_effect_on_the_next_request() {
    let site = Site::new();
    site.call("tags.list", &json!({}));
    let list = site.folder.json(&["key", "list"]);
    let id = text(&list["rows"][0], "id");

    let url = site.server.url.as_str();
    let rotated = site.folder.json(&["key", "rotate", &id]);
    let refused = site.try_call("tags.list", &json!({}));
    assert!(refused.failure().contains("key_revoked"), "{}", refused.stderr);
    let new = text(&rotated, "key");
    let with_new = ["call", "tags.list", "--url", url, "--key", &new];
    site.folder.json(&with_new);

    site.folder.json(&["key", "revoke", &text(&rotated, "key_id")]);
    let refused = site.folder.zoop(&with_new);
    assert!(refused.failure().contains("key_revoked"), "{}", refused.stderr);
}
