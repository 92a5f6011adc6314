//! What to use instead of fields that the tools for customers do not have.

use crate::call::argument::Instead::{Advice, Fields, OneOf};
use crate::call::argument::{Hint, Instead};

/// Other names that `customers.search` accepts for its filters: those under which a customer's record shows them.
pub(super) const SEARCH_ALIASES: &[(&str, &str)] = &[("customer_type", "type")];

/// For `customers.search`.
pub(crate) const SEARCH: &[Hint] = &[
    Hint::new(&["customer_type", "kind"], &[Fields(&["type"])]),
    Hint::new(
        &[
            "query",
            "search",
            "text",
            "term",
            "keyword",
            "keywords",
            "name",
            "first_name",
            "last_name",
            "company_name",
            "display_name",
            "customer_name",
            "full_name",
            "phone",
            "phone_number",
            "telephone",
            "mobile",
            "primary_phone",
        ],
        &[Fields(&["q"])],
    ),
    Hint::new(&["email_address", "mail", "primary_email"], &[Fields(&["email"])]),
    Hint::new(&["tags", "tag_id", "tag_ids", "tag_name", "label", "labels"], &[Fields(&["tag"])]),
    Hint::new(
        &["external_reference", "foreign_id", "import_id", "legacy_id", "ref", "reference"],
        &[Fields(&["external_id"])],
    ),
    Hint::new(&["number", "customer_no"], &[Fields(&["customer_number"])]),
    Hint::new(&["zip", "zip_code", "postcode"], &[Fields(&["postal_code"])]),
    Hint::new(&["town"], &[Fields(&["city"])]),
    Hint::new(&["address", "street", "street_address", "address_line1"], &[Fields(&["q"])]),
    Hint::new(&["vip"], &[Fields(&["is_vip"])]),
    Hint::new(&["archived", "is_archived", "is_active", "state"], &[Fields(&["status"])]),
    Hint::new(&["id", "customer_id"], &[Advice("use customers.get for the customer with an id")]),
    Hint::new(&["note", "notes"], &[Advice("use notes.list to search in notes")]),
];

/// For `customers.find_duplicates`.
pub(crate) const DUPLICATES: &[Hint] = &[
    Hint::new(&["id", "customer"], &[Fields(&["customer_id"])]),
    Hint::new(
        &["q", "name", "full_name", "display_name", "customer_name"],
        &[OneOf(&["first_name", "company_name"])],
    ),
    Hint::new(&["phone_number", "telephone", "mobile", "primary_phone"], &[Fields(&["phone"])]),
    Hint::new(&["email_address", "mail", "primary_email"], &[Fields(&["email"])]),
    Hint::new(&["address", "street", "street_address", "location"], &[Fields(&["address_line1"])]),
    Hint::new(&["zip", "zip_code", "postcode"], &[Fields(&["postal_code"])]),
    Hint::new(&["town"], &[Fields(&["city"])]),
];

/// For `customers.mark_different`.
pub(crate) const PAIR: &[Hint] = &[
    Hint::new(&["id", "customer", "keep_id", "id1"], &[Fields(&["customer_id"])]),
    Hint::new(&["other", "other_customer_id", "merge_id", "id2"], &[Fields(&["other_id"])]),
];

/// For the tools that read, create or change one customer.
pub(crate) const ONE: &[Hint] = &[
    Hint::new(&["customer_id", "customer", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["type", "kind"], &[Fields(&["customer_type"])]),
    Hint::new(
        &["name", "full_name", "display_name", "customer_name", "client_name"],
        &[OneOf(&["first_name", "company_name"])],
    ),
    Hint::new(&["given_name", "forename"], &[Fields(&["first_name"])]),
    Hint::new(&["surname", "family_name"], &[Fields(&["last_name"])]),
    Hint::new(
        &["company", "business", "business_name", "organization", "organisation"],
        &[Fields(&["company_name"])],
    ),
    Hint::new(
        &["phone_number", "telephone", "tel", "mobile", "cell", "primary_phone"],
        &[Fields(&["phone"])],
    ),
    Hint::new(&["email_address", "mail", "primary_email"], &[Fields(&["email"])]),
    Hint::new(
        &["note", "notes", "comment", "comments", "remark", "remarks"],
        &[Advice("use notes.create to add a note")],
    ),
    Hint::new(
        &["address", "addresses", "locations", "service_address", "billing_address"],
        &[Fields(&["location"]), CHANGE_ADDRESS],
    ),
    Hint::new(
        &["street", "street_address", "address_line1", "address1"],
        &[Fields(&["location.address_line1"]), CHANGE_ADDRESS],
    ),
    Hint::new(
        &["zip", "zip_code", "postcode", "postal_code"],
        &[Fields(&["location.postal_code"]), CHANGE_ADDRESS],
    ),
    Hint::new(&["city", "town"], &[Fields(&["location.city"]), CHANGE_ADDRESS]),
    Hint::new(&["state", "province", "region"], &[Fields(&["location.state"]), CHANGE_ADDRESS]),
    Hint::new(
        &["contact", "contacts"],
        &[
            Fields(&["primary_contact"]),
            Advice("use contacts.update or contacts.create for a contact"),
        ],
    ),
    Hint::new(
        &["tags", "tag", "labels", "tag_id", "tag_ids"],
        &[Fields(&["tags"]), Advice("use tags.attach to tag a customer")],
    ),
    Hint::new(&["vip"], &[Fields(&["is_vip"])]),
    Hint::new(&["dnc", "do_not_call", "no_contact", "opt_out"], &[Fields(&["do_not_contact"])]),
    Hint::new(&["reason"], &[Fields(&["do_not_contact_reason"])]),
    Hint::new(
        &["lead_source", "referral", "referred_by", "referral_source"],
        &[Fields(&["source"])],
    ),
    Hint::new(
        &["external_reference", "foreign_id", "import_id", "legacy_id", "ref", "reference"],
        &[Fields(&["external_id"])],
    ),
    Hint::new(&["is_active", "active"], &[Fields(&["status"])]),
    Hint::new(
        &["archived", "is_archived"],
        &[Advice("use customers.archive to archive a customer")],
    ),
];

const CHANGE_ADDRESS: Instead = Advice("use locations.update or locations.create for an address");
