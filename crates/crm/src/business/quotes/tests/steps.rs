//! What a quote goes through, and who may change it.

use serde_json::{Value, json};
use zoop_both::both;

use super::Desk;
use crate::call::scope::Scope;
use crate::testing::{Business, error_json};

#[both]
fn only_an_owner_writes_quotes() {
    let desk = Desk::new();
    let quote = json!({ "title": "Fence", "customer_id": desk.customer });
    for caller in [&desk.acme.office, &desk.acme.tech, &desk.acme.tenant] {
        for (tool, arguments) in [
            ("quotes.create", quote.clone()),
            ("quotes.update", json!({ "id": desk.quote, "status": "sent" })),
            ("quotes.archive", json!({ "id": desk.quote })),
        ] {
            let refused = error_json(&desk.env.call(caller, tool, arguments).expect_err(tool));
            assert_eq!(refused["kind"], "invalid_input", "{refused}");
        }
        let read = desk.env.call(caller, "quotes.get", json!({ "id": desk.quote }));
        assert_eq!(read.expect("everyone reads")["title"], "Repipe");
    }
    assert_eq!(desk.call("quotes.create", quote)["quote_number"], "Q-0002");
}

#[both]
fn estimates_are_another_name_for_quotes() {
    let desk = Desk::new();
    let owner = Business::user(&desk.acme.owner).to_string();
    let by_alias = desk.env.call_as_operator(
        Some(desk.acme.account),
        "keys.create",
        json!({ "scopes": "read:estimates", "user": owner }),
    );
    let caller = desk.env.access(by_alias["key"].as_str().expect("the secret"));
    let listed = desk.env.call(&caller, "quotes.list", json!({})).expect("a list");
    assert_eq!(listed["rows"][0]["id"], json!(desk.quote));
    let other = desk.env.key(desk.acme.account, Some(&owner), &[Scope::ReadNotes]);
    let refused = desk.env.call(&desk.env.access(&other), "quotes.list", json!({}));
    assert_eq!(error_json(&refused.expect_err("no scope"))["required"], json!(["read:quotes"]));
}

#[both]
fn a_quote_goes_forward_only() {
    let desk = Desk::new();
    let step = |status: &str| json!({ "id": desk.quote, "status": status });
    let refused = desk.refused("quotes.update", step("accepted"));
    assert_eq!(refused["kind"], "conflict");
    assert!(refused.to_string().contains("only be sent now"), "{refused}");
    let sent = desk.call("quotes.update", step("sent"));
    assert!(sent["sent_at"].is_string() && sent["decided_at"].is_null(), "{sent}");
    assert_eq!(desk.call("quotes.update", step("sent"))["sent_at"], sent["sent_at"]);
    let declined = desk.call("quotes.update", step("declined"));
    assert_eq!(declined["decided_at"], declined["updated_at"]);
    assert_eq!(desk.refused("quotes.update", step("accepted"))["kind"], "conflict");
    assert_eq!(desk.refused("quotes.update", step("draft"))["kind"], "invalid_input");
}

#[both]
fn the_title_and_the_customer_are_of_a_draft() {
    let desk = Desk::new();
    let other = json!({ "customer_type": "company", "company_name": "Beta" });
    let other = desk.env.create(&desk.acme.owner, "customers.create", other);
    let change = json!({ "id": desk.quote, "title": "Repipe all", "customer_id": other });
    let changed = desk.call("quotes.update", change);
    assert_eq!(changed["customer_name"], "Beta");
    desk.call("quotes.update", json!({ "id": desk.quote, "status": "sent" }));
    for change in [json!({ "title": "Less" }), json!({ "customer_id": desk.customer })] {
        let mut change = change;
        change["id"] = json!(desk.quote);
        assert_eq!(desk.refused("quotes.update", change)["kind"], "conflict");
    }
    let same = json!({ "id": desk.quote, "title": "Repipe all", "customer_id": other });
    assert_eq!(desk.call("quotes.update", same)["status"], "sent", "nothing was changed");
    let lines = json!({ "id": desk.quote, "line_items": [] });
    let refused = desk.refused("quotes.update", lines);
    assert_eq!(refused["kind"], "invalid_input");
    assert!(refused.to_string().contains("the quote's page"), "{refused}");
}

#[both]
fn an_archived_quote_keeps_its_status_and_is_listed_on_its_own() {
    let desk = Desk::new();
    desk.call("quotes.update", json!({ "id": desk.quote, "status": "sent" }));
    desk.call("quotes.update", json!({ "id": desk.quote, "status": "accepted" }));
    desk.call("quotes.archive", json!({ "id": desk.quote }));
    let found = desk.call("quotes.get", json!({ "id": desk.quote }));
    assert_eq!(found["status"], "accepted");
    assert!(found["archived_at"].is_string(), "{found}");
    let ids = |filters: Value| {
        let listed = desk.call("quotes.list", filters);
        let rows = listed["rows"].as_array().expect("rows").clone();
        rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    let one = vec![json!(desk.quote)];
    assert_eq!(ids(json!({})), Vec::<Value>::new());
    assert_eq!(ids(json!({ "status": "accepted" })), Vec::<Value>::new());
    assert_eq!(ids(json!({ "archived": true })), one);
    assert_eq!(ids(json!({ "archived": true, "status": "accepted" })), one);
    assert_eq!(ids(json!({ "archived": true, "status": "sent" })), Vec::<Value>::new());
    assert_eq!(ids(json!({ "archived": true, "customer_id": desk.customer })), one);
    for (tool, arguments) in [
        ("quotes.update", json!({ "id": desk.quote, "title": "x" })),
        ("quotes.archive", json!({ "id": desk.quote })),
    ] {
        assert_eq!(desk.refused(tool, arguments)["kind"], "not_found");
    }
    desk.env.call(&desk.operator, "quotes.restore", json!({ "id": desk.quote })).expect("restored");
    assert_eq!(ids(json!({ "status": "accepted", "customer_id": desk.customer })), one);
}

#[both]
fn a_quote_is_for_a_customer_of_the_account_that_is_there() {
    let desk = Desk::new();
    let beta = desk.env.business("Beta");
    for customer in [beta.id("customer"), beta.id("quote")] {
        let quote = json!({ "title": "Fence", "customer_id": customer });
        assert_eq!(desk.refused("quotes.create", quote)["kind"], "not_found");
    }
    desk.call("customers.archive", json!({ "id": desk.customer }));
    let quote = json!({ "title": "Fence", "customer_id": desk.customer });
    assert_eq!(desk.refused("quotes.create", quote)["kind"], "not_found");
    let same = json!({ "id": desk.quote, "customer_id": desk.customer, "title": "Repipe all" });
    assert_eq!(desk.call("quotes.update", same)["title"], "Repipe all", "it stays where it is");
}

#[both]
fn changes_of_a_quote_are_undone() {
    let desk = Desk::new();
    let undo = || {
        let newest = json!({ "record_id": desk.quote, "limit": 1 });
        let entry = desk.call("changes.list", newest)["rows"][0]["id"].clone();
        desk.call("changes.revert", json!({ "id": entry }));
        desk.call("quotes.get", json!({ "id": desk.quote }))
    };
    let rate = desk.rate("County", 8.25);
    let lines = json!([{ "description": "Pipe", "unit_price": 100, "tax_rate_id": rate }]);
    assert_eq!(desk.lines(lines).expect("lines")["total"], "108.25");
    desk.call("tax_rates.update", json!({ "id": rate, "rate_percentage": 9 }));
    let other = json!([{ "description": "Pipe", "unit_price": 100, "tax_rate_id": rate }]);
    assert_eq!(desk.lines(other).expect("lines")["total"], "109.00");
    let back = undo();
    assert_eq!(
        (&back["total"], &back["taxes"][0]["rate_percentage"]),
        (&json!("108.25"), &json!(8.25))
    );
    desk.call("quotes.update", json!({ "id": desk.quote, "status": "sent" }));
    let back = undo();
    assert_eq!((&back["status"], &back["sent_at"]), (&json!("draft"), &Value::Null));
    desk.call("quotes.archive", json!({ "id": desk.quote }));
    assert_eq!(undo()["archived_at"], Value::Null);
}
