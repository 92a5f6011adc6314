//! `docs/tools.md` is written from the catalogue; this test keeps it current, and holds the list of
//! the tests that show each tool. Write it anew with `ZOOP_WRITE_DOCS=1 cargo test -p zoop-crm reference`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::argument::Field;
use crate::catalog;
use crate::tool::{Action, ActorRule, Effect, ToolDef};

/// The tests that show what each tool does, beside those that hold for every tool
/// (`laws.rs`, `matrix.rs`, `history.rs`, `idempotency.rs`, `snapshots.rs` here, and beside `src` the
/// folder `tests/model`).
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
            "a_colour_is_kept_as_typed_and_has_a_default",
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

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_is_current() {
    let path = repository().join("docs/tools.md");
    let written = reference();
    if std::env::var_os("ZOOP_WRITE_DOCS").is_some() {
        std::fs::write(&path, &written).expect("the document is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == written, "docs/tools.md is out of date: run with ZOOP_WRITE_DOCS=1");
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

fn reference() -> String {
    let mut page = String::from(
        "# Tools\n\n\
         Written from the catalogue; do not edit by hand (`crates/crm/src/tests/reference.rs`).\n\
         Every write also takes `idempotency_key`: the same key, tool and arguments from the same\n\
         credential within 24 hours answer the first success again and write nothing.\n\
         Required arguments are bold; in the examples `{customer}` and the like stand for ids. The last\n\
         column names tests in `crates/crm/src` that show what the tool does.\n\n\
         | tool | scope | who | what | shown by |\n| --- | --- | --- | --- | --- |\n",
    );
    for (_, tool) in catalog::mcp_tools() {
        let tests = SHOWN_BY.iter().find(|(name, _)| *name == tool.name).map_or(&[][..], |s| s.1);
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let anchor = tool.name.replace('.', "");
        let _ = writeln!(
            page,
            "| [`{}`](#{anchor}) | `{}` | {} | {} | {} |",
            tool.name,
            tool.scope.name(),
            who(tool),
            effect(tool),
            tests.join(", ")
        );
    }
    for group in catalog::GROUPS {
        let tools: Vec<_> =
            catalog::mcp_tools().filter(|(of, _)| of.name == group.name).map(|(_, t)| t).collect();
        if !tools.is_empty() {
            let _ = write!(page, "\n## {}\n", group.about.trim_end_matches('.'));
            for tool in tools {
                describe(&mut page, tool);
            }
        }
    }
    page
}

const fn who(tool: &ToolDef) -> &'static str {
    match tool.actor {
        ActorRule::Anyone => "anyone",
        ActorRule::User => "a person",
    }
}

const fn effect(tool: &ToolDef) -> &'static str {
    match tool.action {
        Action::Query { .. } => "reads",
        Action::Command { effect: Effect::Create, .. } => "creates",
        Action::Command { effect: Effect::Update, .. } => "updates",
        Action::Command { effect: Effect::Archive, .. } => "archives",
        Action::Command { effect: Effect::Destroy, .. } => "deletes for good",
    }
}

fn describe(page: &mut String, tool: &ToolDef) {
    let _ = write!(page, "\n### {}\n\n{}\n", tool.name, tool.about);
    let fields = tool.fields();
    if fields.is_empty() {
        page.push_str("\nTakes no arguments.\n");
    } else {
        page.push_str("\n| argument | value | meaning |\n| --- | --- | --- |\n");
        for field in &fields {
            describe_field(page, field, "");
        }
    }
    let keys: Vec<_> = tool.output_schema()["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| format!("`{key}`"))
        .collect();
    let _ = write!(page, "\nReturns {}.\n\n```json\n{}\n```\n", keys.join(", "), tool.example);
}

fn describe_field(page: &mut String, field: &Field, path: &str) {
    let required = if field.required { "**" } else { "" };
    let name = format!("{path}{}", field.name);
    let about = field.about.replace('|', "\\|");
    let _ = writeln!(page, "| {required}`{name}`{required} | {} | {about} |", value(&field.schema));
    let members = field.schema["properties"].as_object().into_iter().flatten();
    for (member, schema) in members {
        let mut schema = schema.clone();
        let about = schema["description"].take().as_str().unwrap_or_default().to_owned();
        let required = field.schema["required"]
            .as_array()
            .is_some_and(|required| required.iter().any(|name| name == member));
        // The name lives as long as the page is written, which is the program's life here.
        let member = Field { name: member.clone().leak(), about, schema, required };
        describe_field(page, &member, &format!("{name}."));
    }
}

/// A value's type and limits, in words.
fn value(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return words.join(" · ");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        kind => kind.as_str().unwrap_or("any").to_owned(),
    };
    let mut text = schema["format"].as_str().map_or(kind, str::to_owned);
    if let (Some(least), Some(most)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        let _ = write!(text, " {least}…{most}");
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        let _ = write!(text, " ≤{most}");
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let _ = write!(text, " `{}`", pattern.replace('|', "\\|"));
    }
    text
}
