//! Notes with more words than are indexed, and pages that end early.

use serde_json::{Value, json};
use zoop_both::both;

use super::{bodies, create_notes, note, unlimited};
use crate::testing::text;

/// A body of different words: `w` with each of these numbers.
fn wordy(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ")
}

#[both]
fn a_note_of_very_many_words_is_found_by_each_of_them_and_by_no_other() {
    let env = unlimited();
    let business = env.business("Ada");
    let owner = &business.owner;
    note(&env, owner, "w77 and little else");
    let id = note(&env, owner, &wordy(10_000..20_000));
    let han: String = (0x4e00..0x4e00 + 9_000).filter_map(char::from_u32).collect();
    note(&env, owner, &han);
    let found = |filters: Value| bodies(&env, owner, filters).len();
    for (q, notes) in [
        ("w10000", 1),
        ("w19999", 1),
        ("w1500", 1),
        ("w15000 w17000", 1),
        ("w2", 0),
        ("w15000 w77", 0),
        ("w77", 1),
        ("一丁", 1),
        ("丁一", 0),
        ("一", 1),
        ("一丁丂", 1),
    ] {
        assert_eq!(found(json!({ "q": q })), notes, "{q}");
    }
    assert_eq!(found(json!({ "q": "w15000", "pinned": true })), 0);
    env.call(owner, "notes.update", json!({ "id": id, "pinned": true })).unwrap();
    assert_eq!(found(json!({ "q": "w15000", "pinned": true })), 1);
    env.call(owner, "notes.update", json!({ "id": id, "body": wordy(0..5_000) })).unwrap();
    assert_eq!(found(json!({ "q": "w15000" })), 0);
    assert_eq!(found(json!({ "q": "w4999" })), 1);
    env.call(owner, "notes.update", json!({ "id": id, "body": "few words" })).unwrap();
    assert_eq!(found(json!({ "q": "w4999" })), 0);
    assert_eq!(found(json!({ "q": "few" })), 1);
    env.call(owner, "notes.archive", json!({ "id": id })).unwrap();
    assert_eq!(found(json!({ "q": "few" })), 0);
}

#[both]
fn an_update_without_a_body_keeps_the_note_searchable() {
    let env = unlimited();
    let business = env.business("Ada");
    let owner = &business.owner;
    let id = note(&env, owner, "the gate code");
    env.call(owner, "notes.update", json!({ "id": id, "pinned": true })).unwrap();
    assert_eq!(bodies(&env, owner, json!({ "q": "gat", "pinned": true })), ["the gate code"]);
    let draft = json!({ "body": "a latch", "draft": true });
    let draft = env.create(owner, "notes.create", draft);
    env.call(owner, "notes.update", json!({ "id": draft, "draft": false })).unwrap();
    assert_eq!(bodies(&env, owner, json!({ "q": "latch" })), ["a latch"]);
}

/// A page that has read a maximum of text ends, even without rows, and its cursor continues the list.
#[both]
fn a_page_that_reads_too_much_ends_early_and_the_next_one_goes_on() {
    // These notes are longer than sixteen mebibytes.
    assert_eq!(rows_of_each_page(&[(170, 100_000)]), [0, 1]);
}

#[both]
fn short_notes_count_more_than_their_text_for_the_end_of_a_page() {
    // Long notes come first, so that few short ones are needed.
    assert_eq!(rows_of_each_page(&[(800, 1), (160, 100_000)]), [0, 1]);
}

/// Puts a note that has a word on a job, then these numbers of notes of these lengths without the word. Searches the
/// job's notes for the word to the end.
fn rows_of_each_page(later: &[(usize, usize)]) -> Vec<usize> {
    let env = unlimited();
    let business = env.business("Ada");
    let job = business.id("job");
    let on_job = |body: &str| json!({ "body": body, "subject_type": "job", "subject_id": job });
    let mut notes = vec![on_job("the oldest one has the word")];
    for (count, length) in later {
        notes.extend((0..*count).map(|_| on_job(&"-".repeat(*length))));
    }
    create_notes(&env, &business.owner, notes);
    let page = |filters: Value| env.call(&business.owner, "notes.list", filters).unwrap();
    let (mut seen, mut pages) = (Vec::new(), Vec::new());
    let mut filters = json!({ "q": "word", "subject_id": job });
    loop {
        let page = page(filters);
        let rows = page["rows"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| text(row, "body").to_owned()));
        pages.push(rows.len());
        assert_eq!(page["hasMore"], !page["nextCursor"].is_null());
        if page["hasMore"] == false {
            break;
        }
        filters = json!({ "cursor": page["nextCursor"] });
    }
    assert_eq!(seen, ["the oldest one has the word"]);
    pages
}
