//! The contract's tables: what each tool takes and who may call it.

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    Id,
    Text(usize),
    Search,
    Phone,
    Email,
    Truth,
    Word(&'static [&'static str]),
    Color,
    Country,
    Degrees(f64),
    Time,
    /// The rows of a page.
    Limit {
        most: u64,
    },
    Nested(&'static [Field]),
}

/// What leaving a field out, or sending nothing in it, means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It must be sent.
    Required,
    /// Nothing in it is the same as not sending it.
    Optional,
    /// Nothing in it clears what is stored.
    Clearable,
    /// It can be left out, but not cleared.
    Kept,
}

pub(super) type Field = (&'static str, Holds, Use);

use Holds::{
    Color, Country, Degrees, Email, Id, Limit, Nested, Phone, Search, Text, Time, Truth, Word,
};
use Use::{Clearable, Kept, Optional, Required};

const TYPES: &[&str] = &["individual", "company"];
pub(super) const STATUSES: &[&str] = &["active", "inactive", "archived"];
const ROLES: &[&str] = &["general", "billing", "service", "decision_maker"];
pub(super) const LOCATION_TYPES: &[&str] = &["service", "billing", "mailing", "other"];
pub(super) const SUBJECT_TYPES: &[&str] = &[
    "customer",
    "customer_contact",
    "customer_location",
    "job",
    "invoice",
    "quote",
    "lawn_estimate",
];
const SUBJECT_FILTERS: &[&str] = &[
    "customer",
    "customer_contact",
    "customer_location",
    "job",
    "invoice",
    "quote",
    "lawn_estimate",
    "standalone",
];
const PEOPLE: &[&str] = &["owner", "office", "tech"];
const WORK: &[&str] = &["job", "invoice", "quote", "lawn_estimate"];

const CUSTOMER_ID: Field = ("customer_id", Id, Required);
const ONE: &[Field] = &[("id", Id, Required)];
const ONE_OF_CUSTOMER: &[Field] = &[("id", Id, Required), CUSTOMER_ID];
const OF_CUSTOMER: &[Field] =
    &[CUSTOMER_ID, ("archived", Truth, Optional), ("limit", Limit { most: 200 }, Optional)];
const OF_TENANT: &[Field] = &[("limit", Limit { most: 1_000 }, Optional)];

const PERSON: &[Field] = &[
    ("first_name", Text(128), Required),
    ("last_name", Text(128), Required),
    ("phone", Phone, Optional),
    ("email", Email, Optional),
    ("phone_can_sms", Truth, Optional),
    ("role", Word(ROLES), Optional),
    ("title", Text(128), Optional),
];
const NEW_CONTACT: &[Field] = &[
    CUSTOMER_ID,
    PERSON[0],
    PERSON[1],
    PERSON[2],
    PERSON[3],
    PERSON[4],
    PERSON[5],
    PERSON[6],
    ("is_primary", Truth, Optional),
];
const CHANGED_CONTACT: &[Field] = &[
    ("id", Id, Required),
    CUSTOMER_ID,
    ("first_name", Text(128), Kept),
    ("last_name", Text(128), Kept),
    ("phone", Phone, Clearable),
    ("email", Email, Clearable),
    ("is_primary", Truth, Kept),
    ("phone_can_sms", Truth, Kept),
    ("role", Word(ROLES), Kept),
    ("title", Text(128), Clearable),
];
const ADDRESS: &[Field] = &[
    ("address_line1", Text(256), Required),
    ("address_line2", Text(256), Optional),
    ("city", Text(128), Required),
    ("state", Text(128), Required),
    ("postal_code", Text(16), Required),
    ("country", Country, Optional),
    ("location_type", Word(LOCATION_TYPES), Optional),
    ("label", Text(128), Optional),
    ("is_primary", Truth, Optional),
    ("access_notes", Text(10_000), Optional),
    ("parking_notes", Text(10_000), Optional),
    ("service_notes", Text(10_000), Optional),
    ("latitude", Degrees(90.0), Optional),
    ("longitude", Degrees(180.0), Optional),
    ("place_id", Text(512), Optional),
];
const CHANGED_LOCATION: &[Field] = &[
    ("id", Id, Required),
    CUSTOMER_ID,
    ("address_line1", Text(256), Kept),
    ("address_line2", Text(256), Clearable),
    ("city", Text(128), Kept),
    ("state", Text(128), Kept),
    ("postal_code", Text(16), Kept),
    ("country", Country, Kept),
    ("location_type", Word(LOCATION_TYPES), Kept),
    ("label", Text(128), Clearable),
    ("is_primary", Truth, Kept),
    ("access_notes", Text(10_000), Clearable),
    ("parking_notes", Text(10_000), Clearable),
    ("service_notes", Text(10_000), Clearable),
    ("latitude", Degrees(90.0), Clearable),
    ("longitude", Degrees(180.0), Clearable),
    ("place_id", Text(512), Clearable),
];
const NEW_CUSTOMER: &[Field] = &[
    ("customer_type", Word(TYPES), Required),
    ("first_name", Text(128), Optional),
    ("last_name", Text(128), Optional),
    ("company_name", Text(256), Optional),
    ("phone", Phone, Optional),
    ("email", Email, Optional),
    ("notes_internal", Text(10_000), Optional),
    ("source", Text(64), Optional),
    ("primary_contact", Nested(PERSON), Optional),
    ("location", Nested(ADDRESS), Optional),
];
const CHANGED_CUSTOMER: &[Field] = &[
    ("id", Id, Required),
    ("first_name", Text(128), Kept),
    ("last_name", Text(128), Clearable),
    ("company_name", Text(256), Kept),
    ("phone", Phone, Clearable),
    ("email", Email, Clearable),
    ("notes_internal", Text(10_000), Clearable),
    ("is_vip", Truth, Kept),
    ("do_not_contact", Truth, Kept),
    ("do_not_contact_reason", Text(500), Clearable),
    ("source", Text(64), Clearable),
    ("status", Word(&["active", "inactive"]), Kept),
];
const CUSTOMER_FILTERS: &[Field] = &[
    ("q", Search, Optional),
    ("status", Word(STATUSES), Optional),
    ("type", Word(TYPES), Optional),
    ("tag", Id, Optional),
    ("email", Email, Optional),
    ("customer_number", Text(32), Optional),
    ("limit", Limit { most: 100 }, Optional),
];
const NOTE_FILTERS: &[Field] = &[
    ("pinned", Truth, Optional),
    ("subject_type", Word(SUBJECT_FILTERS), Optional),
    ("subject_id", Id, Optional),
    ("q", Search, Optional),
    ("created_after", Time, Optional),
    ("created_before", Time, Optional),
    ("created_by", Id, Optional),
    ("limit", Limit { most: 100 }, Optional),
];
const NEW_NOTE: &[Field] = &[
    ("body", Text(100_000), Optional),
    ("subject_type", Word(SUBJECT_TYPES), Optional),
    ("subject_id", Id, Optional),
    ("pinned", Truth, Optional),
    ("draft", Truth, Optional),
];
const CHANGED_NOTE: &[Field] = &[
    ("id", Id, Required),
    ("body", Text(100_000), Kept),
    ("pinned", Truth, Kept),
    ("subject_type", Word(SUBJECT_TYPES), Clearable),
    ("subject_id", Id, Clearable),
    ("draft", Truth, Kept),
];

/// A tool as the contract describes it.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) scope: &'static str,
    /// Whether only a person may call it.
    pub(super) person: bool,
    pub(super) fields: &'static [Field],
    /// How often sequences call it, beside the others.
    pub(super) weight: usize,
}

const fn tool(
    name: &'static str,
    scope: &'static str,
    fields: &'static [Field],
    weight: usize,
) -> Tool {
    Tool { name, scope, person: false, fields, weight }
}

const fn of_person(tool: Tool) -> Tool {
    Tool { person: true, ..tool }
}

const RC: &str = "read:customers";
const WC: &str = "write:customers";
const RN: &str = "read:notes";
const WN: &str = "write:notes";
/// What the command line alone has.
pub(super) const OPERATE: &str = "operate";
/// What no key has either.
pub(super) const ADMINISTER: &str = "administer";

/// Each scope, and the one that shows its records.
const READS: &[(&str, &str)] =
    &[(RC, RC), (WC, RC), (RN, RN), (WN, RN), (OPERATE, OPERATE), (ADMINISTER, ADMINISTER)];

pub(super) const TOOLS: &[Tool] = &[
    tool("customers.search", RC, CUSTOMER_FILTERS, 6),
    tool("customers.get", RC, ONE, 2),
    tool("customers.create", WC, NEW_CUSTOMER, 5),
    tool("customers.update", WC, CHANGED_CUSTOMER, 7),
    tool("customers.archive", WC, ONE, 2),
    tool("customers.restore", OPERATE, ONE, 2),
    tool("contacts.list", RC, OF_CUSTOMER, 2),
    tool("contacts.get", RC, ONE_OF_CUSTOMER, 2),
    tool("contacts.create", WC, NEW_CONTACT, 7),
    tool("contacts.update", WC, CHANGED_CONTACT, 7),
    tool("contacts.archive", WC, ONE_OF_CUSTOMER, 5),
    tool("contacts.restore", OPERATE, ONE, 4),
    tool("locations.list", RC, OF_CUSTOMER, 2),
    tool("locations.get", RC, ONE_OF_CUSTOMER, 2),
    tool("locations.create", WC, const { &NEW_LOCATION }, 6),
    tool("locations.update", WC, CHANGED_LOCATION, 7),
    tool("locations.archive", WC, ONE_OF_CUSTOMER, 4),
    tool("locations.restore", OPERATE, ONE, 3),
    tool("tags.list", RC, OF_TENANT, 1),
    tool("tags.get", RC, ONE, 1),
    of_person(tool(
        "tags.create",
        WC,
        &[("name", Text(64), Required), ("color", Color, Optional)],
        5,
    )),
    tool(
        "tags.update",
        WC,
        &[("id", Id, Required), ("name", Text(64), Kept), ("color", Color, Kept)],
        3,
    ),
    tool("tags.delete", WC, ONE, 2),
    tool("tags.attach", OPERATE, ONE_OF_CUSTOMER, 5),
    tool("tags.detach", OPERATE, ONE_OF_CUSTOMER, 2),
    tool("notes.list", RN, NOTE_FILTERS, 6),
    tool("notes.get", RN, ONE, 3),
    of_person(tool("notes.create", WN, NEW_NOTE, 10)),
    of_person(tool("notes.update", WN, CHANGED_NOTE, 8)),
    of_person(tool("notes.archive", WN, ONE, 3)),
    tool("notes.restore", OPERATE, ONE, 2),
    tool(
        "subjects.create",
        OPERATE,
        &[
            CUSTOMER_ID,
            ("subject_type", Word(WORK), Required),
            ("title", Text(128), Required),
            ("status", Text(64), Required),
        ],
        2,
    ),
    tool(
        "users.set_role",
        ADMINISTER,
        &[("id", Id, Required), ("role", Word(PEOPLE), Required)],
        2,
    ),
];

const NEW_LOCATION: [Field; 16] = {
    let mut fields = [CUSTOMER_ID; 16];
    let mut at = 0;
    while at < ADDRESS.len() {
        fields[at + 1] = ADDRESS[at];
        at += 1;
    }
    fields
};

pub(super) fn find(name: &str) -> &'static Tool {
    TOOLS.iter().find(|tool| tool.name == name).expect("a tool of the contract")
}

impl Tool {
    pub(super) fn group(&self) -> &'static str {
        self.name.split_once('.').expect("a group").0
    }

    pub(super) fn verb(&self) -> &'static str {
        self.name.split_once('.').expect("a verb").1
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.verb(), "search" | "list" | "get")
    }

    pub(super) fn is_paged(&self) -> bool {
        self.rows_of_a_page().is_some()
    }

    /// The rows of a list's page if no limit is sent.
    pub(super) fn rows_of_a_page(&self) -> Option<u64> {
        match self.name {
            "customers.search" | "notes.list" => Some(25),
            "contacts.list" | "locations.list" => Some(200),
            "tags.list" => Some(1_000),
            _ => None,
        }
    }

    /// The scope that shows what this tool writes.
    pub(super) fn read_scope(&self) -> &'static str {
        let (_, read) = READS.iter().find(|(scope, _)| *scope == self.scope).expect("a scope");
        read
    }
}
