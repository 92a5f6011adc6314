//! Lines, taxes and totals, as the contract's tables have them.

use serde_json::{Value, json};
use zoop_both::both;

use super::Desk;

#[both]
fn a_line_is_computed_from_its_quantity_and_price() {
    let desk = Desk::new();
    for (quantity, unit_price, shown, amount) in [
        (json!(2.5), json!("85"), "85.00", "212.50"),
        (json!("2.5"), json!(85), "85.00", "212.50"),
        (json!(2.5), json!("0.33"), "0.33", "0.83"),
        (json!(1), json!("0.005"), "0.005", "0.01"),
        (json!(12_000), json!("0.0825"), "0.0825", "990.00"),
    ] {
        let line = json!({ "description": "Work", "quantity": quantity, "unit_price": unit_price });
        let quote = desk.lines(json!([line])).expect("lines");
        let line = &quote["line_items"][0];
        assert_eq!(
            (&line["unit_price"], &line["amount"]),
            (&json!(shown), &json!(amount)),
            "{quote}"
        );
        assert_eq!((&quote["total"], &quote["currency"]), (&json!(amount), &json!("USD")));
    }
}

#[both]
fn every_wrong_field_is_named_with_its_line() {
    let desk = Desk::new();
    let priced = |unit_price: Value| json!({ "description": "Work", "unit_price": unit_price });
    let sent = json!([
        priced(json!("85.12345")),
        priced(json!("$85")),
        priced(json!("1,000.00")),
        priced(json!("1e3")),
        { "description": "Work", "quantity": 0, "unit_price": 1 },
        { "description": "Work", "quantity": 1.2345, "unit_price": 1 },
        { "unit_price": 1 },
        { "description": "Work" },
        { "description": "Less", "discount_percent": 10, "quantity": 2 },
        { "description": "Less", "discount_percent": 10, "taxable": true },
        { "description": "Less", "unit_price": -5, "tax_rate_id": desk.quote },
        { "description": "Work", "unit_price": 5, "taxable": false, "tax_rate_id": desk.quote },
        { "description": "Work", "unit_price": 5, "amount": "5.00" },
    ]);
    let found: Vec<_> = desk.problems(sent).into_iter().map(|(field, _)| field).collect();
    let expected = [
        "line_items[0].unit_price",
        "line_items[1].unit_price",
        "line_items[2].unit_price",
        "line_items[3].unit_price",
        "line_items[4].quantity",
        "line_items[5].quantity",
        "line_items[6].description",
        "line_items[7].unit_price",
        "line_items[8].quantity",
        "line_items[9].taxable",
        "line_items[10].tax_rate_id",
        "line_items[11].tax_rate_id",
        "line_items[12].amount",
    ];
    assert_eq!(found, expected);
}

#[both]
fn amounts_out_of_range_and_too_great_discounts_are_refused() {
    let desk = Desk::new();
    let huge =
        json!({ "description": "All", "quantity": 999_999.999, "unit_price": "9999999.9999" });
    let (field, problem) = desk.problems(json!([huge])).remove(0);
    assert_eq!(field, "line_items[0]");
    assert!(problem.contains("99999999.99"), "{problem}");
    let less = json!([
        { "description": "Work", "unit_price": 20 },
        { "description": "Less", "unit_price": "-20.01" },
    ]);
    assert_eq!(desk.problems(less).remove(0).0, "line_items");
    let free = json!([
        { "description": "Work", "unit_price": 100 },
        { "description": "Less", "discount_percent": 100 },
    ]);
    assert_eq!(desk.lines(free).expect("lines")["total"], "0.00");
    let many: Vec<_> = (0..101).map(|_| json!({ "description": "x", "unit_price": 1 })).collect();
    assert_eq!(desk.problems(json!(many)).remove(0).0, "line_items");
}

/// The rates and totals of a quote: what each taxes and the tax, then subtotal, taxes and total.
fn sums(quote: &Value) -> (Vec<(String, String)>, [String; 3]) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let taxes = quote["taxes"].as_array().expect("taxes").iter();
    let taxes = taxes.map(|tax| (text(&tax["taxable_amount"]), text(&tax["tax"]))).collect();
    (taxes, ["subtotal", "tax_total", "total"].map(|key| text(&quote[key])))
}

#[both]
fn taxes_are_computed_for_each_rate_whatever_the_order_of_the_lines() {
    let desk = Desk::new();
    let (county, city) = (desk.rate("County", 8.25), desk.rate("City", 4.5));
    let mut lines = vec![
        json!({ "description": "a", "unit_price": 100, "tax_rate_id": county }),
        json!({ "description": "b", "unit_price": 50, "tax_rate_id": city }),
        json!({ "description": "c", "unit_price": 20, "taxable": false }),
    ];
    let tax = |of: &str, tax: &str| (of.to_owned(), tax.to_owned());
    let totals = |texts: [&str; 3]| texts.map(str::to_owned);
    let found = sums(&desk.lines(json!(lines)).expect("lines"));
    let expected = vec![tax("100.00", "8.25"), tax("50.00", "2.25")];
    assert_eq!(found, (expected, totals(["170.00", "10.50", "180.50"])));
    lines.push(json!({ "description": "d", "discount_percent": 10 }));
    for _ in 0..lines.len() {
        lines.rotate_left(1);
        let (mut taxes, sums) = sums(&desk.lines(json!(lines)).expect("lines"));
        taxes.sort();
        assert_eq!(taxes, [tax("45.00", "2.03"), tax("90.00", "7.43")]);
        assert_eq!(sums, totals(["153.00", "9.46", "162.46"]));
    }
}

#[both]
fn a_quote_has_the_default_rate_of_its_creation_until_lines_are_set_again() {
    let desk = Desk::new();
    let county = desk.rate("County", 8.25);
    desk.call("tax_rates.update", json!({ "id": county, "is_default": true }));
    let quote = json!({ "title": "Fence", "customer_id": desk.customer });
    let quote = desk.call("quotes.create", quote);
    assert_eq!(quote["tax_rate_id"], json!(county));
    let set = |more: Value| {
        let mut arguments = json!({ "id": quote["id"], "line_items": [{ "description": "Fence", "unit_price": 100 }] });
        arguments
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        let answer = desk.env.call(&desk.operator, "quotes.set_lines", arguments);
        answer.expect("lines")["total"].clone()
    };
    assert_eq!(set(json!({})), "108.25");
    desk.call("tax_rates.update", json!({ "id": county, "rate_percentage": 9, "name": "Town" }));
    let kept = desk.call("quotes.get", json!({ "id": quote["id"] }));
    assert_eq!((&kept["total"], &kept["taxes"][0]["name"]), (&json!("108.25"), &json!("County")));
    assert_eq!(set(json!({})), "109.00", "it is looked up again");
    desk.call("tax_rates.archive", json!({ "id": county }));
    assert_eq!(set(json!({})), "109.00", "what it has stays, though archived");
    assert_eq!(set(json!({ "tax_rate_id": "none" })), "100.00");
    let again = json!({ "id": quote["id"], "line_items": [], "tax_rate_id": county });
    let refused = desk.env.call(&desk.operator, "quotes.set_lines", again).expect_err("archived");
    assert_eq!(refused.kind(), "not_found");
}

#[both]
fn lines_are_sent_back_as_they_were_read() {
    let desk = Desk::new();
    let county = desk.rate("County", 8.25);
    let lines = json!([
        { "section": "Kitchen", "description": "Sink", "quantity": 1.5, "unit_price": "80.10", "tax_rate_id": county },
        { "description": "Waste", "unit_price": 10, "taxable": false },
        { "section": "All", "description": "Less", "unit_price": "-2.50" },
        { "description": "Friends", "discount_percent": 7.5 },
    ]);
    let first = desk.lines(lines).expect("lines");
    let mut again = first["line_items"].clone();
    for line in again.as_array_mut().expect("lines") {
        line.as_object_mut().expect("a line").remove("amount");
    }
    let second = desk.lines(again).expect("lines");
    assert_eq!(second["line_items"], first["line_items"]);
    assert_eq!(first["line_items"][0]["section"], "Kitchen");
    let discount = &first["line_items"][3];
    assert_eq!(
        (&discount["quantity"], &discount["unit_price"], &discount["taxable"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[both]
fn a_sent_quote_keeps_its_lines() {
    let desk = Desk::new();
    desk.call("quotes.update", json!({ "id": desk.quote, "status": "sent" }));
    let refused = desk.lines(json!([{ "description": "x", "unit_price": 1 }])).expect_err("sent");
    assert_eq!(refused["kind"], "conflict");
}

#[both]
fn amounts_have_the_decimals_of_the_currency() {
    let desk = Desk::new();
    desk.env.call(&desk.operator, "tenants.update", json!({ "currency": "JPY" })).expect("yen");
    let quote = desk.lines(json!([{ "description": "x", "quantity": 2.5, "unit_price": "333" }]));
    let quote = quote.expect("lines");
    assert_eq!((&quote["total"], &quote["currency"]), (&json!("833"), &json!("JPY")));
}

#[both]
fn an_item_fills_what_is_not_sent_and_later_changes_of_it_do_not_count() {
    let desk = Desk::new();
    let item = |item: Value| desk.env.create(&desk.acme.owner, "catalog_items.create", item);
    let pipe = item(json!({ "kind": "product", "name": "Copper pipe", "price": "8.50" }));
    let permit = item(json!({ "kind": "fee", "name": "Permit", "price": 40, "taxable": false }));
    let friends = item(json!({ "kind": "discount", "name": "Friends", "discount_percent": 10 }));
    let coupon = item(json!({ "kind": "discount", "name": "Coupon", "price": 5 }));
    let lines = json!([
        { "catalog_item_id": pipe, "quantity": 2 },
        { "catalog_item_id": pipe, "description": "Wide pipe", "unit_price": "9" },
        { "catalog_item_id": permit },
        { "catalog_item_id": friends },
        { "catalog_item_id": coupon, "quantity": 2 },
    ]);
    let quote = desk.lines(lines.clone()).expect("lines");
    let line =
        |place: usize, keys: [&str; 4]| keys.map(|key| quote["line_items"][place][key].clone());
    let keys = ["description", "unit_price", "amount", "taxable"];
    assert_eq!(line(0, keys), [json!("Copper pipe"), json!("8.50"), json!("17.00"), json!(true)]);
    assert_eq!(line(1, keys), [json!("Wide pipe"), json!("9.00"), json!("9.00"), json!(true)]);
    assert_eq!(line(2, keys), [json!("Permit"), json!("40.00"), json!("40.00"), json!(false)]);
    assert_eq!(line(3, keys), [json!("Friends"), Value::Null, json!("-6.60"), Value::Null]);
    assert_eq!(quote["line_items"][3]["discount_percent"], 10);
    assert_eq!(line(4, keys), [json!("Coupon"), json!("-5.00"), json!("-10.00"), Value::Null]);
    desk.call("catalog_items.update", json!({ "id": pipe, "price": 99, "name": "Steel pipe" }));
    desk.call("catalog_items.archive", json!({ "id": friends }));
    let now = desk.call("quotes.get", json!({ "id": desk.quote }));
    assert_eq!(now["line_items"], quote["line_items"]);
    // An archived item may stay where it is, and is not found where it is new.
    assert_eq!(desk.lines(lines).expect("lines")["line_items"][0]["unit_price"], "99.00");
    desk.lines(json!([])).expect("no lines");
    let refused = desk.lines(json!([{ "catalog_item_id": friends }])).expect_err("archived");
    assert_eq!(refused["kind"], "not_found");
}

#[both]
fn an_item_and_what_is_sent_make_one_legal_line() {
    let desk = Desk::new();
    let item = |item: Value| desk.env.create(&desk.acme.owner, "catalog_items.create", item);
    let pipe =
        item(json!({ "kind": "product", "name": "Pipe", "price": "8.50", "taxable": false }));
    let friends = item(json!({ "kind": "discount", "name": "Friends", "discount_percent": 10 }));
    let coupon = item(json!({ "kind": "discount", "name": "Coupon", "price": 5 }));
    let county = desk.rate("County", 8.25);
    let wrong = json!([
        { "catalog_item_id": pipe, "discount_percent": 5 },
        { "catalog_item_id": pipe, "unit_price": -1 },
        { "catalog_item_id": pipe, "tax_rate_id": county },
        { "catalog_item_id": friends, "quantity": 2 },
        { "catalog_item_id": coupon, "unit_price": 5 },
        { "catalog_item_id": coupon, "taxable": true },
    ]);
    let fields: Vec<_> = desk.problems(wrong).into_iter().map(|(field, _)| field).collect();
    let expected = [
        "line_items[0].discount_percent",
        "line_items[1].unit_price",
        "line_items[2].tax_rate_id",
        "line_items[3].quantity",
        "line_items[4].unit_price",
        "line_items[5].taxable",
    ];
    assert_eq!(fields, expected);
    let line = json!([{ "catalog_item_id": pipe, "taxable": true, "tax_rate_id": county }]);
    assert_eq!(desk.lines(line).expect("lines")["total"], "9.20");
    let free = json!([
        { "catalog_item_id": pipe },
        { "catalog_item_id": friends, "unit_price": -1 },
        { "catalog_item_id": coupon, "discount_percent": 50 },
    ]);
    assert_eq!(desk.lines(free).expect("lines")["total"], "3.25");
    let beta = desk.env.business("Beta");
    for foreign in [
        json!([{ "catalog_item_id": beta.id("catalog_item") }]),
        json!([{ "description": "x", "unit_price": 1, "tax_rate_id": beta.id("tax_rate") }]),
    ] {
        assert_eq!(desk.lines(foreign).expect_err("foreign")["kind"], "not_found");
    }
}
