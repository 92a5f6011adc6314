//! Keeps `docs/tools.md`, which is generated from the catalog, and `docs/tests.md`, which is generated from the lists
//! below, up to date. `./accept` generates them again.

mod answers;
mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::catalog;

/// The tests that show what each tool does, listed by hand, because the catalog does not know what a tool is for. A
/// tool without such a test fails. Tests of all tools at once are not listed here: see [`CATALOG_RULES`] and the
/// folder `tests/model` of this crate.
const SHOWN_BY: &[(&str, &[&str])] = &[
    (
        "customers.search",
        &[
            "search_finds_parts_of_names_and_phones_with_whole_matches_first",
            "search_filters_by_facets_alone_and_together",
            "pages_neither_repeat_nor_skip_customers_and_keep_their_filters",
            "a_cursor_is_valid_only_for_its_own_list_and_tenant",
        ],
    ),
    ("customers.get", &["the_documented_example_returns_the_documented_answer"]),
    (
        "customers.find_duplicates",
        &[
            "duplicates_of_a_customer_come_with_their_evidence",
            "duplicates_are_found_before_a_customer_is_there",
            "likely_pairs_of_the_account_come_once_in_pages",
            "a_common_street_and_name_hide_no_duplicate",
        ],
    ),
    (
        "customers.create",
        &[
            "the_documented_example_returns_the_documented_answer",
            "all_problems_are_reported_at_once",
            "a_companys_placeholder_contact_follows_its_name",
            "possible_duplicates_are_listed_only_for_readers_and_never_rejected",
            "a_new_customer_is_answered_with_those_likely_the_same",
            "a_customer_that_may_exist_is_refused_if_the_caller_asks_for_it",
            "no_two_customers_share_a_number",
            "a_new_customer_can_have_flags_and_tags",
            "a_taken_external_id_is_a_conflict_that_names_its_customer",
            "a_tag_that_does_not_exist_is_named_and_nothing_is_written",
        ],
    ),
    (
        "customers.update",
        &[
            "updates_change_only_what_was_sent_and_reject_immutable_fields",
            "a_change_of_the_customer_or_its_own_contact_reaches_the_other",
            "a_receipt_shows_nothing_that_was_stored_before",
        ],
    ),
    ("customers.archive", &["archiving_hides_a_customer_until_it_is_restored"]),
    ("customers.restore", &["archiving_hides_a_customer_until_it_is_restored"]),
    (
        "customers.merge",
        &[
            "the_kept_customer_gets_everything_and_the_old_id_and_number_lead_to_it",
            "a_merge_is_undone_with_what_came_since",
        ],
    ),
    ("customers.mark_different", &["customers_marked_as_different_are_no_candidates"]),
    ("contacts.list", &["contacts_are_listed_primary_first_then_in_creation_order"]),
    (
        "contacts.get",
        &[
            "a_contact_and_a_location_are_found_by_their_id_alone",
            "a_record_of_another_customer_is_told_with_its_customer",
        ],
    ),
    (
        "contacts.create",
        &[
            "contacts_are_listed_primary_first_then_in_creation_order",
            "a_customer_has_at_most_two_hundred_active_contacts",
            "exactly_one_contact_is_primary",
        ],
    ),
    (
        "contacts.update",
        &[
            "there_is_always_a_primary_contact",
            "a_change_of_the_customer_or_its_own_contact_reaches_the_other",
            "search_finds_a_new_phone_at_once_and_no_longer_the_old_one",
        ],
    ),
    ("contacts.archive", &["there_is_always_a_primary_contact"]),
    ("contacts.restore", &["there_is_always_a_primary_contact"]),
    (
        "locations.list",
        &["the_first_location_of_a_type_is_primary_and_a_second_primary_is_a_conflict"],
    ),
    ("locations.get", &["a_contact_and_a_location_are_found_by_their_id_alone"]),
    (
        "locations.create",
        &[
            "the_first_location_of_a_type_is_primary_and_a_second_primary_is_a_conflict",
            "coordinates_are_sent_in_pairs_and_countries_must_exist",
            "exactly_one_location_of_a_type_is_primary",
        ],
    ),
    (
        "locations.update",
        &[
            "promoting_another_location_takes_two_steps",
            "a_location_that_changes_type_is_replaced_as_primary_and_is_primary_again_only_if_alone",
        ],
    ),
    (
        "locations.archive",
        &["archiving_a_primary_promotes_another_and_restoring_does_not_demote_it"],
    ),
    (
        "locations.restore",
        &["archiving_a_primary_promotes_another_and_restoring_does_not_demote_it"],
    ),
    ("tags.list", &["tag_names_are_unique_and_sorted_ignoring_case"]),
    ("tags.get", &["every_example_succeeds_and_its_answer_fits_the_schema"]),
    (
        "tags.create",
        &[
            "tag_names_are_unique_and_sorted_ignoring_case",
            "a_color_has_a_default_and_must_be_valid",
            "no_two_tags_share_a_name",
        ],
    ),
    ("tags.update", &["tag_names_are_unique_and_sorted_ignoring_case"]),
    ("tags.delete", &["deleting_a_tag_removes_its_assignments_and_records_them_in_the_history"]),
    ("tags.attach", &["any_caller_who_may_write_attaches_and_detaches_tags"]),
    ("tags.detach", &["any_caller_who_may_write_attaches_and_detaches_tags"]),
    (
        "notes.list",
        &[
            "every_combination_of_filters_agrees_with_a_simple_implementation",
            "pages_neither_repeat_nor_skip_rows",
            "date_filters_work_with_any_offset",
            "dates_and_local_times_are_in_the_time_zone_of_the_business",
            "me_is_the_person_who_calls",
            "whole_words_and_prefixes_are_found_in_any_script",
            "pages_are_full_although_candidates_must_be_verified",
            "unknown_ids_find_nothing_and_invalid_filters_are_reported",
            "one_list_has_the_notes_on_the_customer_and_on_all_that_belongs_to_it",
            "every_tool_shows_the_author_and_the_customer_whatever_the_note_is_about",
            "a_search_finds_the_other_forms_of_its_words_wherever_it_looks",
        ],
    ),
    (
        "notes.get",
        &[
            "the_fields_of_a_note_have_a_fixed_order",
            "an_archived_note_is_hidden_until_it_is_restored",
            "a_draft_expires_after_a_day_even_if_it_is_not_swept",
        ],
    ),
    (
        "notes.create",
        &[
            "all_problems_with_a_new_note_are_reported_at_once",
            "a_note_can_be_attached_to_any_record_of_its_tenant_and_moved",
            "a_draft_may_be_empty_and_a_committed_note_may_not",
            "the_rate_limit_window_is_exact_to_the_millisecond",
        ],
    ),
    (
        "notes.update",
        &[
            "only_its_author_and_owners_can_change_a_note",
            "a_subjects_type_and_id_must_be_sent_together",
            "committing_keeps_the_creation_time_and_the_position_in_lists",
            "only_its_author_can_see_a_draft",
        ],
    ),
    (
        "notes.archive",
        &[
            "an_archived_note_is_hidden_until_it_is_restored",
            "only_its_author_and_owners_can_change_a_note",
        ],
    ),
    ("notes.restore", &["an_archived_note_is_hidden_until_it_is_restored"]),
    ("notes.remove_file", &["only_the_author_or_an_owner_adds_and_removes_files"]),
    (
        "jobs.list",
        &[
            "jobs_are_listed_by_start_and_those_without_one_last",
            "a_period_includes_both_ends_in_the_accounts_clocks",
            "jobs_are_found_by_status_customer_and_a_part_of_the_title",
            "a_tech_sees_own_jobs_only_and_says_that_they_are_done",
        ],
    ),
    ("jobs.get", &["a_tech_sees_own_jobs_only_and_says_that_they_are_done"]),
    (
        "jobs.create",
        &[
            "a_job_needs_only_a_title",
            "times_without_an_offset_are_those_of_the_accounts_clocks",
            "an_overlap_is_a_warning",
            "a_job_is_at_the_customers_primary_service_location_unless_told",
        ],
    ),
    (
        "jobs.update",
        &[
            "done_needs_a_start",
            "a_status_must_fit_the_start",
            "a_new_start_moves_the_end_along_and_no_start_clears_it",
            "a_flat_price_stands_for_the_sum_of_the_lines",
        ],
    ),
    ("jobs.cancel", &["a_cancelled_job_keeps_everything_and_only_the_operator_restores_it"]),
    ("quotes.list", &["an_archived_quote_keeps_its_status_and_is_listed_on_its_own"]),
    ("quotes.get", &["only_an_owner_writes_quotes", "estimates_are_another_name_for_quotes"]),
    (
        "quotes.create",
        &[
            "only_an_owner_writes_quotes",
            "a_quote_is_for_a_customer_of_the_account_that_is_there",
            "a_quote_has_the_default_rate_of_its_creation_until_lines_are_set_again",
        ],
    ),
    ("quotes.update", &["a_quote_goes_forward_only", "the_title_and_the_customer_are_of_a_draft"]),
    ("quotes.archive", &["an_archived_quote_keeps_its_status_and_is_listed_on_its_own"]),
    ("tax_rates.list", &["one_rate_is_the_default_or_none", "a_list_has_room_for_all_rates"]),
    ("tax_rates.get", &["an_archived_rate_is_found_by_its_id_only"]),
    (
        "tax_rates.create",
        &[
            "a_percentage_is_shown_as_a_number_and_as_a_part_of_one",
            "a_list_has_room_for_all_rates",
        ],
    ),
    (
        "tax_rates.update",
        &["one_rate_is_the_default_or_none", "changes_of_the_default_are_undone_together"],
    ),
    ("tax_rates.archive", &["an_archived_rate_is_found_by_its_id_only"]),
    ("catalog_categories.list", &["categories_are_listed_by_order_and_name"]),
    (
        "catalog_categories.get",
        &["a_deleted_category_is_gone_and_comes_back_with_all_that_was_in_it"],
    ),
    (
        "catalog_categories.create",
        &[
            "a_name_is_unique_in_its_place_without_case",
            "the_tree_has_five_levels_and_no_circle",
            "an_account_has_room_for_500_categories",
        ],
    ),
    (
        "catalog_categories.update",
        &["a_name_is_unique_in_its_place_without_case", "the_tree_has_five_levels_and_no_circle"],
    ),
    (
        "catalog_categories.delete",
        &[
            "what_is_in_a_deleted_category_moves_to_its_parent",
            "a_deleted_category_is_gone_and_comes_back_with_all_that_was_in_it",
        ],
    ),
    (
        "catalog_items.list",
        &[
            "items_are_sorted_by_folded_name_with_its_spaces_then_id",
            "every_word_occurs_in_name_or_sku_also_inside_a_word",
            "a_kind_and_archived_items_are_listed_by_themselves",
        ],
    ),
    (
        "catalog_items.get",
        &[
            "only_owners_are_shown_the_cost_and_the_markup",
            "a_bundle_costs_what_its_parts_cost_now",
        ],
    ),
    (
        "catalog_items.create",
        &[
            "each_kind_has_its_own_fields",
            "a_bundle_has_active_parts_of_other_kinds_each_once",
            "a_sku_is_unique_among_active_items_without_case",
            "only_owners_set_the_cost",
        ],
    ),
    (
        "catalog_items.update",
        &["an_update_follows_the_kind_of_the_item", "only_owners_set_the_cost"],
    ),
    (
        "catalog_items.archive",
        &[
            "an_update_follows_the_kind_of_the_item",
            "a_sku_is_unique_among_active_items_without_case",
        ],
    ),
    (
        "account.get",
        &[
            "the_account_is_shown_with_the_time_in_its_zone",
            "a_caller_learns_for_whom_it_acts_and_what_it_may_do",
            "the_limits_show_what_is_left_of_them",
        ],
    ),
    (
        "team.list",
        &[
            "the_team_is_listed_and_only_owners_and_the_office_see_e_mail_addresses",
            "a_pending_membership_is_not_in_the_team",
            "a_tool_for_every_reader_rejects_a_caller_who_only_writes",
        ],
    ),
    (
        "changes.list",
        &[
            "the_office_sees_who_changed_a_record_and_nothing_about_people_keys_and_programs",
            "a_key_sees_the_changes_of_records_that_it_may_read",
            "the_filters_agree_with_a_simple_implementation",
            "the_history_of_some_time_is_listed_by_instants_dates_and_local_times",
            "the_filter_by_tool_is_not_what_clients_add",
        ],
    ),
    (
        "changes.revert",
        &[
            "every_command_is_undone_redone_and_undone_again",
            "what_was_changed_since_is_named_with_its_value_and_who_set_it",
            "only_those_who_may_change_the_records_can_undo",
            "changes_of_people_keys_and_programs_cannot_be_undone",
            "a_deleted_tag_comes_back_with_its_id_and_all_its_customers",
            "a_promotion_gives_the_place_back",
            "a_place_that_somebody_else_got_since_is_not_taken_away",
            "undoing_a_locations_promotion_promotes_no_other",
            "an_undone_customer_gives_back_only_the_external_id_that_it_was_added_with",
            "a_text_that_a_set_back_clock_hid_is_not_overwritten",
            "two_hundred_changes_of_an_assistant_are_undone_by_its_filter",
        ],
    ),
];

/// The files in this folder that test all tools at once, each with what it shows.
const CATALOG_RULES: &[(&str, &str)] = &[
    (
        "catalog_rules.rs",
        "every tool is fully described, its example succeeds, and every answer fits its schema",
    ),
    ("bad_input.rs", "every tool rejects malformed arguments, and nothing is written"),
    ("arguments.rs", "every tool reports all problems with its arguments at once"),
    ("matrix.rs", "which scope, role and kind of caller may call which tool"),
    ("receipts.rs", "a caller with only the write scope gets only the tool's receipt"),
    ("tenancy.rs", "no tool and no statement sees another business"),
    ("history.rs", "every write adds one entry, and undoing entries gives each earlier state"),
    ("idempotency.rs", "a repeated write happens once"),
    ("races.rs", "rules hold under concurrent calls"),
    ("plans.rs", "no statement scans a whole table"),
    ("snapshots.rs", "a change to a tool's schema or text changes a file"),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_is_current() {
    assert_current("docs/tools.md", &page::tools());
}

#[test]
fn the_readme_counts_the_tools() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let counted = format!("- **{} tools** for", catalog::mcp_tools().count());
    assert!(readme.contains(&counted), "README.md does not say: {counted}");
}

#[test]
fn the_list_of_tests_is_current() {
    assert_current("docs/tests.md", &tests_page());
}

pub(super) fn assert_current(document: &str, generated: &str) {
    let path = repository().join(document);
    if std::env::var_os("ZOOP_WRITE_DOCS").is_some() {
        std::fs::write(&path, generated).expect("the document is written");
    }
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(on_disk == generated, "{document} is out of date: run ./accept");
}

#[test]
fn every_tool_has_tests_that_exist() {
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

/// All Rust sources below a folder, in one string.
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
         For developers; generated from the lists in `crates/crm/src/tests/reference.rs`, do not edit by hand.\n\
         A tool without a test fails the build's tests.\n\n\
         These files in `crates/crm/src/tests` test all tools at once:\n\n\
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
