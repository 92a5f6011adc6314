//! What to use instead of fields that the tools for notes do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for notes.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["note_id", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["note"], &[Fields(&["body"]), Fields(&["id"])]),
    Hint::new(&["text", "content", "message", "notes", "comment"], &[Fields(&["body"])]),
    Hint::new(
        &["query", "search", "text", "term", "keyword", "keywords", "body"],
        &[Fields(&["q"])],
    ),
    Hint::new(&["subject", "about", "record_id"], &[Fields(&["subject_id"])]),
    Hint::new(&["record_type"], &[Fields(&["subject_type"])]),
    Hint::new(
        &["customer_id", "customer", "contact_id", "location_id"],
        &[Advice(
            "use subject_type (customer, customer_contact or customer_location) with subject_id",
        )],
    ),
    Hint::new(&["is_pinned", "pin"], &[Fields(&["pinned"])]),
    Hint::new(&["is_draft"], &[Fields(&["draft"])]),
    Hint::new(&["author", "author_id", "user", "user_id"], &[Fields(&["created_by"])]),
    Hint::new(&["since", "after", "from", "start_date"], &[Fields(&["created_after"])]),
    Hint::new(&["until", "before", "to", "end_date"], &[Fields(&["created_before"])]),
];
