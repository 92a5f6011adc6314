//! `notes.list`: filters, order and pages.

use serde_json::{Value, json};
use zoop_both::both;

use super::{HOUR, bodies, create_notes, invalid_fields, note, text_of, unlimited};
use crate::testing::{Business, Caller, TestEnv};

/// The `key` of every row, page by page, and the number of pages.
fn walk(env: &TestEnv, access: &Caller, mut filters: Value, key: &str) -> (Vec<String>, usize) {
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = env.call(access, "notes.list", filters.clone()).expect("a page");
        seen.extend(page["rows"].as_array().expect("rows").iter().map(|row| text_of(row, key)));
        pages += 1;
        assert!(pages < 200, "the list does not end");
        if page["hasMore"] == false {
            assert_eq!(page["nextCursor"], Value::Null);
            return (seen, pages);
        }
        filters = json!({ "cursor": page["nextCursor"], "limit": filters["limit"] });
    }
}

#[both]
fn pages_neither_repeat_nor_skip_rows() {
    let env = unlimited();
    let business = env.business("Ada");
    let job = business.id("job");
    let name = |number: usize| format!("Visit {number:03}");
    for half in 0..2 {
        let notes = (half * 40..half * 40 + 40).map(
            |number| json!({ "body": name(number), "subject_type": "job", "subject_id": job }),
        );
        create_notes(&env, &business.office, notes.collect());
        env.clock.advance(1);
    }
    let newest_first: Vec<_> = (0..80).rev().map(name).collect();
    for filters in [
        json!({ "limit": 7, "subject_type": "job" }),
        json!({ "limit": 7, "subject_id": job }),
        json!({ "limit": 7, "q": "visit" }),
        json!({ "limit": 7, "q": "visit", "subject_id": job }),
    ] {
        let (seen, pages) = walk(&env, &business.tech, filters.clone(), "body");
        assert_eq!(seen, newest_first, "{filters}");
        assert_eq!(pages, 12, "{filters}");
    }
    // A page that ends with the last row says that there are no more rows.
    assert_eq!(walk(&env, &business.tech, json!({ "limit": 40, "q": "visit" }), "body").1, 2);

    let first = json!({ "limit": 30, "q": "visit" });
    let first = env.call(&business.tech, "notes.list", first).unwrap();
    note(&env, &business.office, "Visit of late");
    let archived = &first["rows"][29]["id"];
    env.call(&business.owner, "notes.archive", json!({ "id": archived })).unwrap();
    let rest = json!({ "cursor": first["nextCursor"], "limit": 100 });
    assert_eq!(bodies(&env, &business.tech, rest), newest_first[30..]);
}

/// Whether a row matches the filters, by a simple implementation of the rules.
fn matches(row: &Value, filters: &Value) -> bool {
    let is_standalone = filters["subject_type"] == "standalone";
    let word = filters["q"].as_str().unwrap_or_default();
    let body = text_of(row, "body").to_lowercase();
    (filters["pinned"] != true || row["pinned"] == true)
        && (filters["created_by"].is_null() || filters["created_by"] == row["created_by"])
        && (filters["subject_id"].is_null() || filters["subject_id"] == row["subject_id"])
        && if is_standalone {
            row["subject_type"].is_null()
        } else {
            filters["subject_type"].is_null() || filters["subject_type"] == row["subject_type"]
        }
        && (word.is_empty() || body.split(' ').any(|other| other.starts_with(word)))
}

#[both]
fn every_combination_of_filters_agrees_with_a_simple_implementation() {
    let env = unlimited();
    let (business, stranger) = (env.business("Ada"), env.business("Ben"));
    let (job, customer) = (business.id("job"), business.id("customer"));
    note(&env, &stranger.office, "Gate of strangers");
    for author in [&business.owner, &business.tech] {
        for (kind, subject) in [
            (json!(null), json!(null)),
            (json!("job"), json!(job)),
            (json!("customer"), json!(customer)),
        ] {
            for pinned in [true, false] {
                let notes = ["Gate code", "Dog in yard"].map(|body| {
                    json!({ "body": body, "pinned": pinned, "subject_type": kind, "subject_id": subject })
                });
                create_notes(&env, author, notes.to_vec());
            }
        }
    }
    let all = env.call(&business.owner, "notes.list", json!({ "limit": 100 })).unwrap();
    let all = all["rows"].as_array().unwrap().clone();
    assert_eq!(all.len(), 25);
    let author = json!(Business::user(&business.tech));
    let mut with_rows = 0;
    for pinned in [json!(null), json!(true), json!(false)] {
        for created_by in [json!(null), author.clone()] {
            for kind in
                [json!(null), json!("job"), json!("customer"), json!("standalone"), json!("quote")]
            {
                for subject in [json!(null), json!(job)] {
                    for q in [json!(null), json!("gat"), json!("yard")] {
                        if kind == "standalone" && !(subject.is_null() && q.is_null()) {
                            continue;
                        }
                        let filters = json!({
                            "pinned": pinned, "created_by": created_by, "subject_type": kind,
                            "subject_id": subject, "q": q, "limit": 100,
                        });
                        let page =
                            env.call(&business.owner, "notes.list", filters.clone()).unwrap();
                        let expected: Vec<_> =
                            all.iter().filter(|row| matches(row, &filters)).cloned().collect();
                        assert_eq!(page["rows"], json!(expected), "{filters}");
                        with_rows += usize::from(!expected.is_empty());
                    }
                }
            }
        }
    }
    assert!(with_rows > 50, "{with_rows}");
}

#[both]
fn date_filters_work_with_any_offset() {
    let env = unlimited();
    let business = env.business("Ada");
    let job = business.id("job");
    env.clock.advance(1);
    for hour in ["1 am", "2 am", "3 am"] {
        let created = json!({ "body": hour, "subject_type": "job", "subject_id": job });
        env.call(&business.owner, "notes.create", created).unwrap();
        env.clock.advance(HOUR);
    }
    let second = "2026-06-13T19:00:00.001Z";
    for subject in [json!(null), json!(job)] {
        let found = |after: Value, before: Value| {
            let filters = json!({
                "created_after": after, "created_before": before, "subject_type": "job",
                "subject_id": subject,
            });
            bodies(&env, &business.owner, filters)
        };
        assert_eq!(found(json!(second), json!(null)), ["3 am", "2 am"]);
        assert_eq!(found(json!("2026-06-13T21:00:00.001+02:00"), json!(null)), ["3 am", "2 am"]);
        assert_eq!(found(json!("2026-06-13T19:00:00.001001Z"), json!(null)), ["3 am"]);
        assert_eq!(found(json!(null), json!(second)), ["1 am"]);
        assert_eq!(found(json!(null), json!("2026-06-13T14:00:00.001-05:00")), ["1 am"]);
        assert_eq!(found(json!(null), json!("2026-06-13T19:00:00.002Z")), ["2 am", "1 am"]);
        assert_eq!(found(json!(second), json!("2026-06-13T20:00:00.001Z")), ["2 am"]);
        assert_eq!(found(json!(second), json!(second)), [""; 0]);
        assert_eq!(found(json!("2030-01-01T00:00:00Z"), json!(null)), [""; 0]);
        assert_eq!(found(json!(null), json!("1960-01-01T00:00:00Z")), [""; 0]);
        let wide = (json!("0001-01-01T00:00:00Z"), json!("9999-12-01T00:00:00Z"));
        assert_eq!(found(wide.0, wide.1), ["3 am", "2 am", "1 am"]);
    }
    let wrong = json!({ "created_after": "yesterday", "created_before": "2026-02-30" });
    let wrong = env.call(&business.owner, "notes.list", wrong);
    assert_eq!(invalid_fields(wrong), ["created_after", "created_before"]);
}

#[both]
fn dates_and_local_times_are_in_the_time_zone_of_the_business() {
    let env = unlimited();
    let business = env.business("Ada");
    let zone = json!({ "time_zone": "America/New_York" });
    env.call_as_operator(Some(business.account), "tenants.update", zone);
    // From 14:00 on the 13th in New York.
    let job = json!({ "subject_type": "job", "subject_id": business.id("job") });
    for body in ["14:00", "17:00", "20:00", "23:00", "02:00", "05:00"] {
        let mut created = job.clone();
        created["body"] = json!(body);
        env.call(&business.owner, "notes.create", created).unwrap();
        env.clock.advance(3 * HOUR);
    }
    for subject in [json!(null), job["subject_id"].clone()] {
        let found = |after: &str, before: &str| {
            let [after, before] =
                [after, before].map(|it| if it.is_empty() { Value::Null } else { json!(it) });
            let filters = json!({
                "created_after": after, "created_before": before, "subject_type": "job",
                "subject_id": subject,
            });
            bodies(&env, &business.owner, filters)
        };
        assert_eq!(found("2026-06-14", ""), ["05:00", "02:00"]);
        assert_eq!(found("", "2026-06-14"), ["23:00", "20:00", "17:00", "14:00"]);
        assert_eq!(found("2026-06-13", "2026-06-14").len(), 4);
        assert_eq!(found("2026-06-14", "2026-06-14"), [""; 0]);
        assert_eq!(found("2026-06-13T20:00", "2026-06-14T02:00:00"), ["23:00", "20:00"]);
        assert_eq!(found("2026-06-13T20:00", "2026-06-14T05:00:00Z"), ["23:00", "20:00"]);
        assert_eq!(found("1999-12-31", "9999-12-31").len(), 6);
    }
    // The zone at the time of the call counts.
    let zone = json!({ "time_zone": "Asia/Tokyo" });
    env.call_as_operator(Some(business.account), "tenants.update", zone);
    let today = json!({ "created_after": "2026-06-14", "subject_type": "job" });
    assert_eq!(bodies(&env, &business.owner, today).len(), 6);
}

#[both]
fn a_date_filter_goes_with_its_cursor_however_it_is_spelled() {
    let env = unlimited();
    let business = env.business("Ada");
    create_notes(&env, &business.owner, vec![json!({ "body": "One" }), json!({ "body": "Two" })]);
    let first = json!({ "created_after": "2026-06-13", "limit": 1, "created_by": "me" });
    let first = env.call(&business.owner, "notes.list", first).unwrap();
    assert_eq!(first["rows"][0]["body"], "Two");
    for same in ["2026-06-13", "2026-06-13T00:00", " 2026-06-13T00:00:00"] {
        let rest = json!({ "cursor": first["nextCursor"], "created_after": same, "created_by": "ME",
                           "limit": 1 });
        let rest = env.call(&business.owner, "notes.list", rest).unwrap();
        assert_eq!(rest["rows"][0]["body"], "One", "{same}");
    }
    let other = json!({ "cursor": first["nextCursor"], "created_after": "2026-06-13T00:00:00Z",
                        "created_by": Business::user(&business.owner) });
    let other = env.call(&business.owner, "notes.list", other);
    assert_eq!(invalid_fields(other), ["created_after", "created_by"]);
}

#[both]
fn me_is_the_person_who_calls() {
    let env = unlimited();
    let business = env.business("Ada");
    let job = business.id("job");
    for caller in [&business.owner, &business.office] {
        for subject in [json!(null), json!(job)] {
            let kind = if subject.is_null() { Value::Null } else { json!("job") };
            let body = json!(Business::user(caller));
            let note = json!({ "body": body, "subject_type": kind, "subject_id": subject });
            env.call(caller, "notes.create", note).unwrap();
        }
    }
    for subject in [json!(null), json!(job)] {
        for caller in [&business.owner, &business.office] {
            let mine = json!({ "created_by": "me", "subject_id": subject });
            let mut shown = bodies(&env, caller, mine);
            shown.retain(|body| body != "Gate sticks.");
            let expected = Business::user(caller).to_string();
            assert_eq!(shown.len(), if subject.is_null() { 2 } else { 1 });
            assert!(shown.iter().all(|body| *body == expected), "{shown:?}");
        }
        let mine = json!({ "created_by": "me", "subject_id": subject });
        assert_eq!(bodies(&env, &business.tech, mine.clone()), [""; 0]);
        let refused = env.call(&business.tenant, "notes.list", mine);
        assert_eq!(invalid_fields(refused), ["created_by"]);
    }
}

#[both]
fn pages_are_full_although_candidates_must_be_verified() {
    let env = unlimited();
    let business = env.business("Ada");
    let job = business.id("job");
    // Every body has the pairs 東京 and 京都, but only some contain 東京都.
    let body = |number: usize| {
        if number.is_multiple_of(301) {
            format!("{number} 東京都")
        } else {
            format!("{number} 京都の東京")
        }
    };
    let notes = |subject: Option<&str>| {
        let kind = subject.map(|_| "job");
        (0..1_200)
            .map(|number| json!({ "body": body(number), "subject_type": kind, "subject_id": subject }))
            .collect()
    };
    create_notes(&env, &business.office, notes(Some(job)));
    let expected: Vec<_> = [903, 602, 301, 0].map(body).to_vec();
    for subject in [json!(null), json!(job)] {
        let filters = json!({ "q": "東京都", "limit": 1, "subject_id": subject });
        let (seen, pages) = walk(&env, &business.office, filters, "body");
        assert_eq!((seen, pages), (expected.clone(), 4));
        let filters = json!({ "q": "東京都", "limit": 3, "subject_id": subject });
        assert_eq!(walk(&env, &business.office, filters, "body").0, expected);
        // No candidate matches, but the list still ends.
        let filters = json!({ "q": "都京東", "subject_id": subject });
        assert_eq!(bodies(&env, &business.office, filters), [""; 0]);
    }
}

#[both]
fn whole_words_and_prefixes_are_found_in_any_script() {
    let env = unlimited();
    let business = env.business("Ada");
    create_notes(
        &env,
        &business.owner,
        ["O’Neill’s gate-code: 4711", "Nguyễn called \"twice\" (AND OR *)", "강남 job"]
            .map(|body| json!({ "body": body, "subject_type": "job", "subject_id": business.id("job") }))
            .to_vec(),
    );
    for subject in [json!(null), json!(business.id("job"))] {
        for (q, count) in [
            ("oneill", 1),
            ("CODE gate", 1),
            ("code called", 0),
            ("ode", 0),
            ("47", 1),
            ("nguyen", 1),
            ("\"twice", 1),
            ("and or", 1),
            ("NOT twice", 0),
            ("가", 1),
        ] {
            let filters = json!({ "q": q, "subject_id": subject });
            assert_eq!(bodies(&env, &business.owner, filters).len(), count, "{q}");
        }
        let no_word = json!({ "q": "*", "subject_id": subject });
        assert_eq!(invalid_fields(env.call(&business.owner, "notes.list", no_word)), ["q"]);
    }
}

#[both]
fn unknown_ids_find_nothing_and_invalid_filters_are_reported() {
    let env = unlimited();
    let (business, other) = (env.business("Ada"), env.business("Ben"));
    let nobody = "00000000-0000-7000-8000-000000000000";
    let list = |filters| env.call(&business.owner, "notes.list", filters);
    let empty = json!({ "rows": [], "nextCursor": null, "hasMore": false });
    for filters in [
        json!({ "created_by": nobody }),
        json!({ "created_by": Business::user(&other.owner) }),
        json!({ "created_by": nobody, "subject_id": business.id("job") }),
        json!({ "subject_id": nobody }),
        json!({ "subject_id": other.id("job") }),
        json!({ "subject_type": "quote", "subject_id": business.id("job") }),
    ] {
        assert_eq!(list(filters.clone()).unwrap(), empty, "{filters}");
    }
    let standalone = json!({ "subject_type": "standalone", "subject_id": nobody, "q": "x" });
    assert_eq!(invalid_fields(list(standalone)), ["subject_id", "q"]);
    assert_eq!(invalid_fields(list(json!({ "subject_type": "tag" }))), ["subject_type"]);
    assert_eq!(
        invalid_fields(list(json!({ "subject_id": "x", "created_by": 7 }))),
        ["subject_id", "created_by"]
    );
    for q in ["x".repeat(257), "…!".to_owned(), "a\u{0}b".to_owned(), "  ".to_owned()] {
        assert_eq!(invalid_fields(list(json!({ "q": q }))), ["q"]);
    }
    assert!(list(json!({ "q": "x".repeat(256), "pinned": null, "subject_type": null })).is_ok());
}

#[both]
fn no_tenant_sees_another_tenants_notes() {
    let env = unlimited();
    let (ada, ben) = (env.business("Ada"), env.business("Ben"));
    let id = note(&env, &ada.owner, "Adas gate");
    note(&env, &ben.owner, "Bens gate");
    for (business, own) in [(&ada, "Adas gate"), (&ben, "Bens gate")] {
        let shown = bodies(&env, &business.owner, json!({ "q": "gate", "subject_type": null }));
        assert!(shown.contains(&own.to_owned()));
        assert_eq!(shown.len(), 2, "{shown:?}");
    }
    assert!(env.call(&ben.owner, "notes.get", json!({ "id": id })).is_err());
}
