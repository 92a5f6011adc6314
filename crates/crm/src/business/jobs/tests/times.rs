//! When jobs are, and which others they overlap.

use serde_json::{Value, json};
use zoop_both::both;

use super::{Board, of};

const TIMES: [&str; 3] = ["scheduled_start", "scheduled_start_local", "scheduled_end"];

#[both]
fn times_without_an_offset_are_those_of_the_accounts_clocks() {
    let board = Board::new();
    for (sent, utc, local) in [
        ("2026-07-04T09:00", "2026-07-04T13:00:00.000Z", "2026-07-04T09:00"),
        ("2026-07-04T09:00:30+02:00", "2026-07-04T07:00:30.000Z", "2026-07-04T03:00"),
        // A time that the clocks skip, and one that they show twice.
        ("2026-03-08T02:30", "2026-03-08T07:30:00.000Z", "2026-03-08T03:30"),
        ("2026-11-01T01:30", "2026-11-01T05:30:00.000Z", "2026-11-01T01:30"),
    ] {
        let job = board.job(json!({ "scheduled_start": sent }));
        assert_eq!(of(&job, TIMES), [json!(utc), json!(local), Value::Null], "{sent}");
        let shown = of(&board.get(&job), ["status", "time_zone", "scheduled_end_local"]);
        assert_eq!(shown, [json!("scheduled"), json!("America/New_York"), Value::Null]);
    }
    let wrong =
        json!({ "title": "x", "scheduled_start": "tomorrow", "scheduled_end": "2026-02-30T09:00" });
    let fields = "scheduled_start scheduled_end".to_owned();
    assert_eq!(board.refused("jobs.create", wrong), ("invalid_input".to_owned(), fields));
    let early = json!({ "title": "x", "scheduled_start": "2000-01-01T00:00:00Z" });
    assert_eq!(board.refused("jobs.create", early).1, "scheduled_start", "it is 1999 in New York");
}

#[both]
fn a_job_ends_after_its_start_and_within_thirty_days() {
    let board = Board::new();
    let start = "2026-03-05T14:00:00Z";
    for end in ["2026-03-05T14:00:00Z", "2026-03-05T13:00:00Z", "2026-04-04T14:00:00.001Z"] {
        let job = json!({ "title": "x", "scheduled_start": start, "scheduled_end": end });
        let refused = board.refused("jobs.create", job);
        assert_eq!(refused, ("invalid_input".to_owned(), "scheduled_end".to_owned()), "{end}");
    }
    let without = json!({ "title": "x", "scheduled_end": start });
    assert_eq!(board.refused("jobs.create", without).1, "scheduled_end");
    let longest = json!({ "scheduled_start": start, "scheduled_end": "2026-04-04T14:00:00Z" });
    let longest = board.job(longest);
    let unscheduled = board.job(json!({}));
    let end = json!({ "scheduled_end": "2026-03-05T15:00:00Z" });
    assert_eq!(board.refused_update(&unscheduled, end).1, "scheduled_end");
    let earlier =
        json!({ "scheduled_start": "2026-03-06T14:00Z", "scheduled_end": "2026-03-05T15:00:00Z" });
    assert_eq!(board.refused_update(&longest, earlier).0, "invalid_input");
}

#[both]
fn a_new_start_moves_the_end_along_and_no_start_clears_it() {
    let board = Board::new();
    let times = json!({ "scheduled_start": "2026-03-05T14:00:00Z", "scheduled_end": "2026-03-05T16:00:00Z" });
    let job = board.job(times);
    let moved = board.update(&job, json!({ "scheduled_start": "2026-03-05T15:00:00Z" }));
    assert_eq!(moved["scheduled_end"], "2026-03-05T17:00:00.000Z");
    let shortened = json!({ "scheduled_start": "2026-03-05T16:30:00Z", "scheduled_end": "2026-03-05T16:45:00Z" });
    assert_eq!(board.update(&job, shortened)["scheduled_end"], "2026-03-05T16:45:00.000Z");
    let open = board.update(&job, json!({ "scheduled_end": null }));
    assert_eq!(of(&open, TIMES)[2], Value::Null);
    board.update(&job, json!({ "scheduled_end": "2026-03-05T18:00:00Z" }));
    let cleared = board.update(&job, json!({ "scheduled_start": null }));
    assert_eq!(of(&cleared, TIMES), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(cleared["status"], "unscheduled");
}

#[both]
fn an_overlap_is_a_warning() {
    let board = Board::new();
    let (tessa, oscar) = (Board::user(&board.acme.tech), Board::user(&board.acme.office));
    let at = |start: &str, people: Value| {
        board.job(json!({ "scheduled_start": start, "assignee_ids": people }))
    };
    let numbers = |job: &Value| -> Vec<(Value, Value)> {
        let overlaps = job["overlaps"].as_array().expect("overlaps").iter();
        overlaps.map(|it| (it["job_number"].clone(), it["user_id"].clone())).collect()
    };
    let times = json!({ "scheduled_start": "2026-03-05T14:00:00Z", "scheduled_end": "2026-03-05T15:00:00Z",
        "assignee_ids": [tessa, oscar] });
    let first = board.job(times);
    assert_eq!(first["overlaps"], json!([]));
    let second = at("2026-03-05T14:30:00Z", json!([tessa]));
    assert_eq!(numbers(&second), [(json!("J-0001"), tessa.clone())]);
    let keys = second["overlaps"][0].as_object().expect("an overlap").keys().cloned();
    let expected = ["user_id", "job_id", "job_number", "title", "scheduled_start", "scheduled_end"];
    assert_eq!(keys.collect::<Vec<_>>(), expected);
    // The second one has no end and counts as an hour.
    assert_eq!(numbers(&at("2026-03-05T15:30:00Z", json!([tessa]))), []);
    let both = at("2026-03-05T14:59:59.999Z", json!([oscar, tessa]));
    let (one, other) = ((json!("J-0001"), oscar), (json!("J-0001"), tessa.clone()));
    let third = (json!("J-0003"), tessa.clone());
    assert_eq!(numbers(&both), [one, other, (json!("J-0002"), tessa.clone()), third]);
    // Only what was sent can overlap, and only scheduled jobs do.
    assert_eq!(board.update(&first, json!({ "title": "Other" })).get("overlaps"), None);
    board.update(&second, json!({ "status": "done" }));
    let again = board.update(&first, json!({ "assignee_ids": [tessa] }));
    assert_eq!(numbers(&again), [(json!("J-0004"), tessa)]);
    assert_eq!(board.update(&first, json!({ "assignee_ids": null }))["overlaps"], json!([]));
}
