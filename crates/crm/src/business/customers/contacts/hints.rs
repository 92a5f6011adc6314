//! What to use instead of fields that the tools for contacts do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for contacts, and for the first contact of a company.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["contact_id", "contact", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["customer"], &[Fields(&["customer_id"])]),
    Hint::new(
        &["name", "full_name", "display_name", "contact_name"],
        &[
            Fields(&["first_name", "last_name"]),
            Advice("use customers.search to find a person by name"),
        ],
    ),
    Hint::new(&["given_name", "forename"], &[Fields(&["first_name"])]),
    Hint::new(&["surname", "family_name"], &[Fields(&["last_name"])]),
    Hint::new(&["phone_number", "telephone", "tel", "mobile", "cell"], &[Fields(&["phone"])]),
    Hint::new(&["email_address", "mail"], &[Fields(&["email"])]),
    Hint::new(&["primary"], &[Fields(&["is_primary"])]),
    Hint::new(&["sms", "can_sms", "sms_ok", "text_messages"], &[Fields(&["phone_can_sms"])]),
    Hint::new(&["type", "contact_type", "contact_role", "kind"], &[Fields(&["role"])]),
    Hint::new(&["job_title", "position", "job"], &[Fields(&["title"])]),
    Hint::new(
        &["note", "notes", "comment", "comments", "remark", "remarks"],
        &[Advice("use notes.create to add a note")],
    ),
    Hint::new(
        &["address", "location", "street", "city", "zip", "zip_code", "postal_code"],
        &[Advice("use locations.create for an address")],
    ),
    Hint::new(&["q", "query"], &[Advice("use customers.search, which also searches contacts")]),
];
