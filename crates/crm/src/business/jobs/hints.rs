//! What to use instead of fields that the tools for jobs do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for jobs but the list.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["job_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["name", "summary", "subject"], &[Fields(&["title"])]),
    Hint::new(&["details", "notes", "instructions", "body"], &[Fields(&["description"])]),
    Hint::new(&["customer", "client_id"], &[Fields(&["customer_id"])]),
    Hint::new(&["location", "address", "address_id", "site_id"], &[Fields(&["location_id"])]),
    Hint::new(
        &["start", "start_time", "starts_at", "scheduled_at", "scheduled_for", "date", "when"],
        &[Fields(&["scheduled_start"])],
    ),
    Hint::new(&["end", "end_time", "ends_at", "duration_minutes"], &[Fields(&["scheduled_end"])]),
    Hint::new(
        &["assignees", "assignee_id", "assigned_to", "crew", "tech_id", "user_ids", "technicians"],
        &[Fields(&["assignee_ids"])],
    ),
    Hint::new(&["lines", "items", "line"], &[Fields(&["line_items"])]),
    Hint::new(&["price", "amount", "fixed_price"], &[Fields(&["flat_price"])]),
    Hint::new(&["total"], &[Advice("it is the flat_price or the sum of the line_items")]),
    Hint::new(&["job_number", "number"], &[Advice("it is given when the job is created")]),
    Hint::new(&["reason_code", "cancel_reason", "note"], &[Fields(&["reason"])]),
];

/// For `jobs.list`.
pub(crate) const LIST: &[Hint] = &[
    Hint::new(&["customer", "client_id"], &[Fields(&["customerId"])]),
    Hint::new(&["query", "search", "text", "title", "name"], &[Fields(&["q"])]),
    Hint::new(
        &["date_from", "start", "start_date", "scheduled_start", "after", "since"],
        &[Fields(&["from"])],
    ),
    Hint::new(&["date_to", "end", "end_date", "before", "until"], &[Fields(&["to"])]),
    Hint::new(&["cursor", "next_cursor", "offset", "page_number"], &[Fields(&["page"])]),
    Hint::new(&["limit", "page_size", "per_page"], &[Advice("a page has 20 rows")]),
    Hint::new(&["state"], &[Fields(&["status"])]),
];
