//! `jobs.list`

use serde_json::{Value, json};
use zoop_both::both;

use super::Board;

fn titles(answer: &Value) -> Vec<&str> {
    let rows = answer["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["title"].as_str().expect("a title")).collect()
}

impl Board {
    fn listed(&self, filters: Value) -> Vec<String> {
        titles(&self.call("jobs.list", filters)).into_iter().map(str::to_owned).collect()
    }
}

#[both]
fn jobs_are_listed_by_start_and_those_without_one_last() {
    let board = Board::new();
    let mut calls = Vec::new();
    for number in 0..45 {
        let start = format!("2026-03-{:02}T14:00:00Z", 1 + number / 2);
        let job = json!({ "title": format!("{number:02}"), "scheduled_start": start });
        calls.push(("jobs.create".to_owned(), job));
    }
    for title in ["first", "second", "third"] {
        calls.push(("jobs.create".to_owned(), json!({ "title": title })));
    }
    board.env.write_all(&board.acme.owner, calls);
    // Of two at the same time, the newer one comes first.
    let mut expected: Vec<_> = (0..44).map(|at| format!("{:02}", at ^ 1)).collect();
    expected.push("44".to_owned());
    expected.extend(["third", "second", "first"].map(str::to_owned));
    let page = |number: u32| board.call("jobs.list", json!({ "page": number }));
    for (number, count, has_more) in [(1, 20, true), (2, 20, true), (3, 8, false), (4, 0, false)] {
        let answer = page(number);
        let first = 20 * (number as usize - 1);
        let rows: Vec<_> = expected.iter().skip(first).take(20).map(String::as_str).collect();
        assert_eq!((titles(&answer).len(), &answer["hasMore"]), (count, &json!(has_more)));
        assert_eq!(titles(&answer), rows);
        assert_eq!(
            (&answer["page"], &answer["time_zone"]),
            (&json!(number), &json!("America/New_York"))
        );
    }
    assert_eq!(page(1)["rows"][0]["scheduled_start_local"], "2026-03-01T09:00");
    for page in [0, 5_001] {
        let refused = board.refused("jobs.list", json!({ "page": page }));
        assert_eq!(refused, ("invalid_input".to_owned(), "page".to_owned()));
    }
    board.call("jobs.list", json!({ "page": 5_000 }));
}

#[both]
fn a_period_includes_both_ends_in_the_accounts_clocks() {
    let board = Board::new();
    // The clocks are put forward on the 8th, which has 23 hours.
    for start in [
        "2026-03-08T04:59:59.999Z",
        "2026-03-08T05:00:00Z",
        "2026-03-09T03:59:59.999Z",
        "2026-03-09T04:00:00Z",
    ] {
        board.job(json!({ "title": start, "scheduled_start": start }));
    }
    board.job(json!({ "title": "unscheduled" }));
    let day = json!({ "from": "2026-03-08", "to": "2026-03-08" });
    assert_eq!(board.listed(day), ["2026-03-08T05:00:00Z", "2026-03-09T03:59:59.999Z"]);
    assert_eq!(board.listed(json!({ "from": "2026-03-09T00:00" })), ["2026-03-09T04:00:00Z"]);
    let to = json!({ "to": "2026-03-08T05:00:00Z" });
    assert_eq!(board.listed(to), ["2026-03-08T04:59:59.999Z", "2026-03-08T05:00:00Z"]);
    assert_eq!(board.listed(json!({})).len(), 5);
    let wrong = json!({ "from": "2026-03-09", "to": "2026-03-08" });
    assert_eq!(board.refused("jobs.list", wrong), ("invalid_input".to_owned(), "from".to_owned()));
    let wrong = json!({ "from": "soon", "to": "2026-02-30" });
    assert_eq!(board.refused("jobs.list", wrong).1, "from to");
}

#[both]
fn jobs_are_found_by_status_customer_and_a_part_of_the_title() {
    let board = Board::new();
    let heater = board.job(json!({ "customer_id": board.customer }));
    board.job(json!({ "title": "Cañón: 2nd visit", "scheduled_start": "2026-03-05T09:00" }));
    let drain = board.job(json!({ "title": "Drain", "customer_id": board.customer }));
    board.call("jobs.cancel", json!({ "id": drain["id"] }));
    let all = ["Cañón: 2nd visit", "Replace water heater"];
    assert_eq!(board.listed(json!({})), all);
    for (filter, expected) in [
        (json!({ "status": "cancelled" }), vec!["Drain"]),
        (json!({ "status": "unscheduled" }), vec!["Replace water heater"]),
        (json!({ "customerId": board.customer }), vec!["Replace water heater"]),
        (json!({ "customerId": board.customer, "status": "cancelled" }), vec!["Drain"]),
        (json!({ "customerId": heater["id"] }), vec![]),
        (json!({ "q": "place wat" }), vec!["Replace water heater"]),
        (json!({ "q": "PLACE" }), vec!["Replace water heater"]),
        (json!({ "q": "water replace" }), vec![]),
        (json!({ "q": "canon 2nd" }), vec!["Cañón: 2nd visit"]),
        (json!({ "q": "%" }), vec![]),
    ] {
        if filter["q"] == "%" {
            assert_eq!(board.refused("jobs.list", filter).1, "q");
            continue;
        }
        assert_eq!(board.listed(filter.clone()), expected, "{filter}");
    }
    let error =
        board.refused_to(&board.acme.office, "jobs.list", json!({ "customer_id": board.customer }));
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("customerId"), "{message}");
    let other = board.update(&heater, json!({ "title": "Boiler", "customer_id": null }));
    assert_eq!(other["customer_name"], Value::Null);
    assert_eq!(board.listed(json!({ "q": "boiler" })), ["Boiler"]);
    assert!(board.listed(json!({ "customerId": board.customer })).is_empty());
}
