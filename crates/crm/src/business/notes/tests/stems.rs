//! Searches for other forms of a word, and notes that an earlier version has indexed without them.

use serde_json::json;
use zoop_both::both;
use zoop_db::Tenant;

use super::{HOUR, bodies, create_notes, note, unlimited};
use crate::business::notes::reindex::{self, Step};
use crate::testing::{Business, TestEnv};

#[both]
fn a_search_finds_the_other_forms_of_its_words_wherever_it_looks() {
    let env = unlimited();
    let business = env.business("Ada");
    let wordy: Vec<_> = (0..5_000).map(|number| format!("w{number}")).collect();
    let texts = ["Two heaters leaking".to_owned(), format!("heater leaks {}", wordy.join(" "))];
    let (job, customer) = (business.id("job"), business.id("customer"));
    let on_job = |body: &String| json!({ "body": body, "subject_type": "job", "subject_id": job });
    create_notes(&env, &business.owner, texts.iter().map(on_job).collect());
    for place in [json!({}), json!({ "subject_id": job }), json!({ "customer_id": customer })] {
        for (q, count) in [
            ("heater", 2),
            ("heaters", 2),
            ("HEATER'S leak", 2),
            ("leaked", 2),
            ("leaks heaters", 2),
            ("two heater", 1),
            ("heating", 0),
            ("leakage", 0),
            ("eater", 0),
            ("w12 leaking", 1),
            ("w12s", 0),
        ] {
            let mut filters = place.clone();
            filters["q"] = json!(q);
            assert_eq!(bodies(&env, &business.tech, filters).len(), count, "{q} {place}");
        }
    }
    let page = env.call(&business.owner, "notes.list", json!({ "q": "two heaters" })).unwrap();
    let change = json!({ "id": page["rows"][0]["id"], "body": "Two boilers" });
    env.call(&business.owner, "notes.update", change).unwrap();
    assert_eq!(bodies(&env, &business.tech, json!({ "q": "boiler" })), ["Two boilers"]);
    assert_eq!(bodies(&env, &business.tech, json!({ "q": "heaters" })).len(), 1);
}

/// A business with a note whose entry in the index is as an earlier version wrote it.
fn fixture() -> (TestEnv, Business, String) {
    let env = unlimited();
    let business = env.empty_business("Ada");
    let id = note(&env, &business.owner, "Leaks");
    index_in_the_old_form(&env, "Leaks");
    (env, business, id)
}

/// Changes the index entry of the note with this word as its body to the form of an earlier version: without the stem.
fn index_in_the_old_form(env: &TestEnv, body: &str) {
    let word = body.to_lowercase();
    match env.server() {
        None => {
            let file = rusqlite::Connection::open(env.path()).expect("the file");
            let entry = format!(
                "UPDATE note_search SET tokens = '0001:{word} 0001=note 0001=standalone 0001=by:' || \
                 (SELECT u.n FROM users u JOIN notes x ON x.created_by = u.id WHERE x.body = '{body}') \
                 WHERE rowid = (SELECT n FROM notes WHERE body = '{body}')"
            );
            assert_eq!(file.execute(&entry, []).expect("a change"), 1);
        }
        Some(server) => {
            let entry = format!(
                "WITH changed AS (UPDATE note_search SET tokens = array_to_tsvector(ARRAY(\
                 SELECT token FROM unnest(tsvector_to_array(tokens)) AS token \
                 WHERE token LIKE '0001=%' OR token = '0001:{word}')) \
                 WHERE n = (SELECT n FROM notes WHERE body = '{body}') RETURNING 1) \
                 SELECT count(*) FROM changed"
            );
            assert_eq!(server.run_as_superuser(&entry).expect("a change").trim(), "1");
        }
    }
}

/// The next step, computed but not written.
fn next_step(env: &TestEnv, from: Tenant) -> Option<Step> {
    let now = env.environment.clock.now();
    env.read(move |tx| reindex::next(tx, from, now)).expect("a step")
}

fn write(env: &TestEnv, step: Step) {
    env.write(move |tx| reindex::write(tx, &step)).expect("the step is written");
}

/// Indexes all notes again that are due, and returns the number of steps.
fn reindex_all(env: &TestEnv) -> usize {
    let mut steps = 0;
    while let Some(step) = next_step(env, Tenant(0)) {
        write(env, step);
        steps += 1;
    }
    steps
}

#[both]
fn a_note_of_an_earlier_version_is_found_as_before_until_it_is_indexed_again() {
    let (env, business, _) = fixture();
    let found = |q: &str| bodies(&env, &business.owner, json!({ "q": q })).len();
    assert_eq!((found("leaks"), found("lea"), found("leak")), (1, 1, 1));
    assert_eq!((found("leaking"), found("leaked")), (0, 0));
    assert_eq!(reindex_all(&env), 1);
    assert_eq!((found("leaks"), found("lea"), found("leak")), (1, 1, 1));
    assert_eq!((found("leaking"), found("leaked")), (1, 1));
    assert_eq!(reindex_all(&env), 0);
}

#[both]
fn what_a_server_of_the_previous_version_indexes_meanwhile_is_indexed_again_a_day_later() {
    let (env, business, id) = fixture();
    let found = || bodies(&env, &business.owner, json!({ "q": "dripped" })).len();
    assert_eq!(reindex_all(&env), 1);
    env.clock.advance(HOUR);
    let changed = json!({ "id": id, "body": "Drips" });
    env.call(&business.owner, "notes.update", changed).unwrap();
    index_in_the_old_form(&env, "Drips");
    assert_eq!((reindex_all(&env), found()), (0, 0));
    env.clock.advance(23 * HOUR);
    assert_eq!((reindex_all(&env), found()), (1, 1));
    env.clock.advance(24 * HOUR);
    assert_eq!(reindex_all(&env), 0);
}

#[both]
fn a_step_leaves_notes_alone_that_have_changed_since_it_was_computed() {
    let (env, business, id) = fixture();
    note(&env, &business.owner, "Dripping");
    let archived = note(&env, &business.owner, "Dripped");
    let step = next_step(&env, Tenant(0)).expect("a step");
    env.clock.advance(1);
    let changed = json!({ "id": id, "body": "Sticks" });
    env.call(&business.owner, "notes.update", changed).unwrap();
    env.call(&business.owner, "notes.archive", json!({ "id": archived })).unwrap();
    write(&env, step);
    let found = |q: &str| bodies(&env, &business.owner, json!({ "q": q }));
    assert_eq!(found("sticking"), ["Sticks"]);
    assert_eq!(found("leaks"), [""; 0]);
    assert_eq!(found("drips"), ["Dripping"]);
}

#[both]
fn all_notes_of_all_tenants_are_indexed_again_step_by_step() {
    let (env, business, _) = fixture();
    let notes = |count: usize| (0..count).map(|number| json!({ "body": format!("Gate {number}") }));
    create_notes(&env, &business.owner, notes(420).collect());
    let other = env.empty_business("Ben");
    create_notes(&env, &other.owner, notes(3).collect());
    note(&env, &business.owner, "Drips");
    index_in_the_old_form(&env, "Drips");
    let first = next_step(&env, Tenant(0)).expect("a step");
    assert_eq!(first.tenant(), business.account.number);
    let later = next_step(&env, other.account.number).expect("a step");
    assert_eq!(later.tenant(), other.account.number);
    assert_eq!(reindex_all(&env), 4);
    for q in ["leaking", "dripping"] {
        assert_eq!(bodies(&env, &business.owner, json!({ "q": q })).len(), 1, "{q}");
    }
}
