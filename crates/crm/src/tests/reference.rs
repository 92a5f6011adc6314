//! `docs/tools.md` and `docs/tests.md` are generated from the catalog; these tests keep them current.
//! `./accept` generates them again.

mod answers;
mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::catalog;

/// The tests that show what each tool does, listed by hand, because the catalog does not know what a tool is for.
/// A tool without such a test fails. Tests that hold for every tool are not listed (`catalog_rules.rs`, `matrix.rs`,
/// `history.rs`, `idempotency.rs`, `snapshots.rs` here, and beside `src` the folder `tests/model`).
const SHOWN_BY: &[(&str, &[&str])] = &[
    (
        "customers.search",
        &[
            "search_finds_by_parts_of_names_and_phones_whole_matches_first",
            "search_filters_by_facets_alone_and_together",
            "pages_neither_repeat_nor_skip_and_carry_their_filters",
            "a_cursor_is_good_for_its_own_list_and_tenant_only",
        ],
    ),
    ("customers.get", &["the_documents_example_answers_as_printed"]),
    (
        "customers.create",
        &[
            "the_documents_example_answers_as_printed",
            "everything_wrong_is_told_at_once",
            "a_company_has_a_contact_and_the_placeholder_follows_its_name",
            "possible_duplicates_are_named_never_refused_and_only_for_readers",
            "one_customer_has_a_number",
        ],
    ),
    (
        "customers.update",
        &[
            "updates_change_what_was_sent_and_refuse_what_cannot_change",
            "an_individuals_contact_follows_until_it_is_edited_by_itself",
            "a_receipt_shows_nothing_that_was_stored_before",
        ],
    ),
    ("customers.archive", &["archiving_hides_keeps_and_can_be_undone_by_the_operator"]),
    ("contacts.list", &["the_primary_one_comes_first_then_creation_order"]),
    ("contacts.get", &["a_contact_belongs_to_its_customer_alone"]),
    (
        "contacts.create",
        &[
            "the_primary_one_comes_first_then_creation_order",
            "a_customer_has_at_most_two_hundred_active_contacts",
            "one_contact_is_primary",
        ],
    ),
    (
        "contacts.update",
        &[
            "there_is_always_a_primary_contact",
            "a_changed_phone_is_found_at_once_and_the_old_one_no_more",
        ],
    ),
    ("contacts.archive", &["there_is_always_a_primary_contact"]),
    ("locations.list", &["the_first_of_a_type_is_primary_and_a_second_primary_is_a_conflict"]),
    ("locations.get", &["promoting_takes_two_steps"]),
    (
        "locations.create",
        &[
            "the_first_of_a_type_is_primary_and_a_second_primary_is_a_conflict",
            "coordinates_come_together_and_countries_are_real",
            "one_location_of_a_type_is_primary",
        ],
    ),
    (
        "locations.update",
        &[
            "promoting_takes_two_steps",
            "a_new_type_leaves_a_primary_behind_and_takes_one_only_where_it_is_free",
        ],
    ),
    ("locations.archive", &["archiving_a_primary_hands_over_and_restoring_takes_nothing_away"]),
    ("tags.list", &["names_are_unique_whatever_the_case_and_listed_without_case"]),
    ("tags.get", &["every_example_succeeds_and_answers_what_its_schema_says"]),
    (
        "tags.create",
        &[
            "names_are_unique_whatever_the_case_and_listed_without_case",
            "a_color_is_kept_as_typed_and_has_a_default",
            "one_tag_has_a_name",
        ],
    ),
    ("tags.update", &["names_are_unique_whatever_the_case_and_listed_without_case"]),
    ("tags.delete", &["deleting_takes_the_assignments_along_and_the_history_knows_them"]),
    (
        "notes.list",
        &[
            "every_combination_of_filters_agrees_with_a_plain_reading",
            "pages_repeat_and_skip_nothing",
            "dates_bound_the_list_whatever_their_offset",
            "words_are_found_whole_or_begun_in_any_script",
            "a_page_is_filled_from_candidates_that_must_be_verified",
            "unknown_ids_find_nothing_and_wrong_filters_are_told",
        ],
    ),
    (
        "notes.get",
        &[
            "a_record_has_its_keys_in_order",
            "an_archived_note_is_shown_to_nobody_until_it_is_restored",
            "a_draft_is_gone_after_a_day_though_nothing_swept_it",
        ],
    ),
    (
        "notes.create",
        &[
            "everything_wrong_with_a_new_note_is_told_at_once",
            "a_note_hangs_on_any_record_of_its_tenant_and_moves",
            "a_draft_may_be_empty_and_a_committed_note_may_not",
            "the_window_rolls_to_the_millisecond",
        ],
    ),
    (
        "notes.update",
        &[
            "only_the_author_and_an_owner_change_a_note",
            "a_subjects_type_and_id_are_sent_together",
            "committing_keeps_the_creation_time_and_the_place_in_lists",
            "a_draft_is_its_authors_alone",
        ],
    ),
    (
        "notes.archive",
        &[
            "an_archived_note_is_shown_to_nobody_until_it_is_restored",
            "only_the_author_and_an_owner_change_a_note",
        ],
    ),
];

/// The tests that hold for every tool, by their file beside this one.
const CATALOG_RULES: &[(&str, &str)] = &[
    (
        "catalog_rules.rs",
        "every tool is described whole, its example succeeds, and every answer fits its schema",
    ),
    ("bad_input.rs", "malformed arguments are refused by every tool, and nothing is written"),
    ("arguments.rs", "every fault of the arguments is told at once, whatever the tool"),
    ("matrix.rs", "which scope, role and kind of caller may call which tool"),
    ("receipts.rs", "a caller with the write scope only is told nothing but the tool's receipt"),
    ("tenancy.rs", "no tool and no statement sees another business"),
    (
        "history.rs",
        "every write leaves one entry, and entries applied backwards give each earlier state",
    ),
    ("idempotency.rs", "a repeated write writes once"),
    ("races.rs", "rules hold under concurrent calls"),
    ("plans.rs", "no statement walks a whole table"),
    ("snapshots.rs", "a change of a tool's schema or text is a change of a file"),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_is_current() {
    assert_current("docs/tools.md", &page::tools());
}

#[test]
fn the_list_of_tests_is_current() {
    assert_current("docs/tests.md", &tests_page());
}

pub(super) fn assert_current(document: &str, written: &str) {
    let path = repository().join(document);
    if std::env::var_os("ZOOP_WRITE_DOCS").is_some() {
        std::fs::write(&path, written).expect("the document is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == written, "{document} is out of date: ./accept writes it again");
}

#[test]
fn every_tool_has_tests_that_are_there() {
    let sources = sources(&repository().join("crates/crm/src"));
    let named: Vec<_> = SHOWN_BY.iter().map(|(tool, _)| *tool).collect();
    let offered: Vec<_> = catalog::mcp_tools().map(|(_, tool)| tool.name).collect();
    assert_eq!(named, offered);
    for (tool, tests) in SHOWN_BY {
        assert!(!tests.is_empty(), "{tool} is shown by no test");
        for test in *tests {
            assert!(sources.contains(&format!("fn {test}(")), "{tool}: there is no test {test}");
        }
    }
    for (file, _) in CATALOG_RULES {
        let path = repository().join("crates/crm/src/tests").join(file);
        assert!(path.exists(), "there is no {file}");
    }
}

/// Every Rust source below a folder, in one text.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"))
    {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
    all
}

/// `docs/tests.md`: for each tool, the tests that show what it does.
fn tests_page() -> String {
    let mut page = String::from(
        "# Which tests show what\n\n\
         For developers; written from the catalog, do not edit by hand\n\
         (`crates/crm/src/tests/reference.rs`). A tool without a test fails the build's tests.\n\n\
         What holds for every tool is tested for all of them at once, in `crates/crm/src/tests`:\n\n\
         | file | shows |\n| --- | --- |\n",
    );
    for (file, shows) in CATALOG_RULES {
        let _ = writeln!(page, "| `{file}` | {shows} |");
    }
    page.push_str(
        "\n\
         `crates/crm/tests/model` compares random sequences of calls with a model.\n\n\
         | tool | tests in `crates/crm/src` |\n| --- | --- |\n",
    );
    for (tool, tests) in SHOWN_BY {
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let anchor = tool.replace('.', "");
        let _ = writeln!(page, "| [`{tool}`](tools.md#{anchor}) | {} |", tests.join(", "));
    }
    page
}
