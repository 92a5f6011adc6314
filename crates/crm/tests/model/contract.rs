//! The contract's tables: which fields each tool has, and who may call it.

/// The type of a field's value.
#[derive(Clone, Copy)]
pub(super) enum FieldType {
    Id,
    Text(usize),
    Search,
    Phone,
    Email,
    Boolean,
    Word(&'static [&'static str]),
    Color,
    Country,
    Degrees(f64),
    Time,
    /// A list of tags, by id or name.
    Tags,
    /// A list of words.
    Words(&'static [&'static str]),
    /// The number of rows on a page.
    Limit {
        max: u64,
    },
    Nested(&'static [Field]),
}

/// What it means to leave a field out, or to send `null` or a blank value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// The field must be sent.
    Required,
    /// A blank value is the same as leaving the field out.
    Optional,
    /// A blank value clears the stored value.
    Clearable,
    /// The field can be left out, but not cleared.
    NotNull,
}

pub(super) type Field = (&'static str, FieldType, Presence);

use FieldType::{
    Boolean, Color, Country, Degrees, Email, Id, Limit, Nested, Phone, Search, Tags, Text, Time,
    Word, Words,
};
use Presence::{Clearable, NotNull, Optional, Required};

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
const WORK: &[&str] = &["invoice", "lawn_estimate"];

const CUSTOMER_ID: Field = ("customer_id", Id, Required);
const ONE: &[Field] = &[("id", Id, Required)];
const ONE_OF_CUSTOMER: &[Field] = &[("id", Id, Required), CUSTOMER_ID];
const ONE_BY_ID: &[Field] = &[("id", Id, Required), ("customer_id", Id, Optional)];
const OF_CUSTOMER: &[Field] =
    &[CUSTOMER_ID, ("archived", Boolean, Optional), ("limit", Limit { max: 200 }, Optional)];
const OF_TENANT: &[Field] = &[("limit", Limit { max: 1_000 }, Optional)];

const PERSON: &[Field] = &[
    ("first_name", Text(128), Required),
    ("last_name", Text(128), Required),
    ("phone", Phone, Optional),
    ("email", Email, Optional),
    ("phone_can_sms", Boolean, Optional),
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
    ("is_primary", Boolean, Optional),
];
const CHANGED_CONTACT: &[Field] = &[
    ("id", Id, Required),
    CUSTOMER_ID,
    ("first_name", Text(128), NotNull),
    ("last_name", Text(128), NotNull),
    ("phone", Phone, Clearable),
    ("email", Email, Clearable),
    ("is_primary", Boolean, NotNull),
    ("phone_can_sms", Boolean, NotNull),
    ("role", Word(ROLES), NotNull),
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
    ("is_primary", Boolean, Optional),
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
    ("address_line1", Text(256), NotNull),
    ("address_line2", Text(256), Clearable),
    ("city", Text(128), NotNull),
    ("state", Text(128), NotNull),
    ("postal_code", Text(16), NotNull),
    ("country", Country, NotNull),
    ("location_type", Word(LOCATION_TYPES), NotNull),
    ("label", Text(128), Clearable),
    ("is_primary", Boolean, NotNull),
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
    ("is_vip", Boolean, Optional),
    ("do_not_contact", Boolean, Optional),
    ("do_not_contact_reason", Text(500), Optional),
    ("source", Text(64), Optional),
    ("external_id", Text(128), Optional),
    ("tags", Tags, Optional),
    ("primary_contact", Nested(PERSON), Optional),
    ("location", Nested(ADDRESS), Optional),
    ("if_duplicate", Word(&["add", "refuse"]), Optional),
];
const CHANGED_CUSTOMER: &[Field] = &[
    ("id", Id, Required),
    ("first_name", Text(128), NotNull),
    ("last_name", Text(128), Clearable),
    ("company_name", Text(256), NotNull),
    ("phone", Phone, Clearable),
    ("email", Email, Clearable),
    ("notes_internal", Text(10_000), Clearable),
    ("is_vip", Boolean, NotNull),
    ("do_not_contact", Boolean, NotNull),
    ("do_not_contact_reason", Text(500), Clearable),
    ("source", Text(64), Clearable),
    ("external_id", Text(128), Clearable),
    ("status", Word(&["active", "inactive"]), NotNull),
];
const CUSTOMER_FILTERS: &[Field] = &[
    ("q", Search, Optional),
    ("status", Word(STATUSES), Optional),
    ("type", Word(TYPES), Optional),
    ("tag", Id, Optional),
    ("email", Email, Optional),
    ("customer_number", Text(32), Optional),
    ("is_vip", Boolean, Optional),
    ("do_not_contact", Boolean, Optional),
    ("city", Text(128), Optional),
    ("postal_code", Text(16), Optional),
    ("has_phone", Boolean, Optional),
    ("external_id", Text(128), Optional),
    ("limit", Limit { max: 100 }, Optional),
];
/// Of one customer, or fields of a customer who may not be there yet.
const POSSIBLE_DUPLICATE: &[Field] = &[
    ("customer_id", Id, Optional),
    ("first_name", Text(128), Optional),
    ("last_name", Text(128), Optional),
    ("company_name", Text(256), Optional),
    ("phone", Phone, Optional),
    ("email", Email, Optional),
    ("address_line1", Text(256), Optional),
    ("address_line2", Text(256), Optional),
    ("city", Text(128), Optional),
    ("postal_code", Text(16), Optional),
    ("limit", Limit { max: 100 }, Optional),
];
const PAIR: &[Field] = &[CUSTOMER_ID, ("other_id", Id, Required), ("different", Boolean, Optional)];
/// The fields that a merge can take from the other customer.
const TAKEN: &[&str] = &[
    "first_name",
    "last_name",
    "company_name",
    "status",
    "phone",
    "email",
    "notes_internal",
    "is_vip",
    "do_not_contact",
    "do_not_contact_reason",
    "source",
    "external_id",
];
const MERGED: &[Field] = &[
    ("keep_id", Id, Required),
    ("merge_id", Id, Required),
    ("take", Words(TAKEN), Optional),
    ("dry_run", Boolean, NotNull),
    ("plan", Text(64), Optional),
];
const NOTE_FILTERS: &[Field] = &[
    ("pinned", Boolean, Optional),
    ("subject_type", Word(SUBJECT_FILTERS), Optional),
    ("subject_id", Id, Optional),
    ("customer_id", Id, Optional),
    ("q", Search, Optional),
    ("created_after", Time, Optional),
    ("created_before", Time, Optional),
    ("created_by", Id, Optional),
    ("limit", Limit { max: 100 }, Optional),
];
const NEW_NOTE: &[Field] = &[
    ("body", Text(100_000), Optional),
    ("subject_type", Word(SUBJECT_TYPES), Optional),
    ("subject_id", Id, Optional),
    ("pinned", Boolean, Optional),
    ("draft", Boolean, Optional),
];
const CHANGED_NOTE: &[Field] = &[
    ("id", Id, Required),
    ("body", Text(100_000), NotNull),
    ("pinned", Boolean, NotNull),
    ("subject_type", Word(SUBJECT_TYPES), Clearable),
    ("subject_id", Id, Clearable),
    ("draft", Boolean, NotNull),
];

/// A tool as the contract describes it.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) scope: &'static str,
    pub(super) callers: Callers,
    pub(super) fields: &'static [Field],
    /// How often sequences call it, relative to the others.
    pub(super) weight: usize,
}

/// Who may call a tool, besides having its scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    Anyone,
    Users,
    UsersAndOperator,
}

const fn tool(
    name: &'static str,
    scope: &'static str,
    fields: &'static [Field],
    weight: usize,
) -> Tool {
    Tool { name, scope, callers: Callers::Anyone, fields, weight }
}

const fn for_users(tool: Tool) -> Tool {
    Tool { callers: Callers::Users, ..tool }
}

const fn for_users_and_operator(tool: Tool) -> Tool {
    Tool { callers: Callers::UsersAndOperator, ..tool }
}

const RC: &str = "read:customers";
const WC: &str = "write:customers";
const RN: &str = "read:notes";
const WN: &str = "write:notes";
/// The scope that only the command line has.
pub(super) const OPERATE: &str = "operate";
/// A scope that no key has.
pub(super) const ADMINISTER: &str = "administer";

/// Each scope, and the scope that shows its records.
const READS: &[(&str, &str)] =
    &[(RC, RC), (WC, RC), (RN, RN), (WN, RN), (OPERATE, OPERATE), (ADMINISTER, ADMINISTER)];

pub(super) const TOOLS: &[Tool] = &[
    tool("customers.search", RC, CUSTOMER_FILTERS, 6),
    tool("customers.get", RC, ONE, 2),
    tool("customers.create", WC, NEW_CUSTOMER, 5),
    tool("customers.update", WC, CHANGED_CUSTOMER, 7),
    tool("customers.archive", WC, ONE, 2),
    for_users_and_operator(tool("customers.restore", WC, ONE, 2)),
    tool("customers.find_duplicates", RC, POSSIBLE_DUPLICATE, 4),
    for_users(tool("customers.mark_different", WC, PAIR, 4)),
    for_users_and_operator(tool("customers.merge", WC, MERGED, 5)),
    tool("contacts.list", RC, OF_CUSTOMER, 2),
    tool("contacts.get", RC, ONE_BY_ID, 2),
    tool("contacts.create", WC, NEW_CONTACT, 7),
    tool("contacts.update", WC, CHANGED_CONTACT, 7),
    tool("contacts.archive", WC, ONE_OF_CUSTOMER, 5),
    for_users_and_operator(tool("contacts.restore", WC, ONE, 4)),
    tool("locations.list", RC, OF_CUSTOMER, 2),
    tool("locations.get", RC, ONE_BY_ID, 2),
    tool("locations.create", WC, const { &NEW_LOCATION }, 6),
    tool("locations.update", WC, CHANGED_LOCATION, 7),
    tool("locations.archive", WC, ONE_OF_CUSTOMER, 4),
    for_users_and_operator(tool("locations.restore", WC, ONE, 3)),
    tool("tags.list", RC, OF_TENANT, 1),
    tool("tags.get", RC, ONE, 1),
    for_users(tool(
        "tags.create",
        WC,
        &[("name", Text(64), Required), ("color", Color, Optional)],
        5,
    )),
    tool(
        "tags.update",
        WC,
        &[("id", Id, Required), ("name", Text(64), NotNull), ("color", Color, NotNull)],
        3,
    ),
    tool("tags.delete", WC, ONE, 2),
    tool("tags.attach", WC, ONE_OF_CUSTOMER, 5),
    tool("tags.detach", WC, ONE_OF_CUSTOMER, 2),
    tool("notes.list", RN, NOTE_FILTERS, 6),
    tool("notes.get", RN, ONE, 3),
    for_users(tool("notes.create", WN, NEW_NOTE, 10)),
    for_users(tool("notes.update", WN, CHANGED_NOTE, 8)),
    for_users(tool("notes.archive", WN, ONE, 3)),
    for_users_and_operator(tool("notes.restore", WN, ONE, 2)),
    for_users(tool("notes.remove_file", WN, ONE, 2)),
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
    let mut index = 0;
    while index < ADDRESS.len() {
        fields[index + 1] = ADDRESS[index];
        index += 1;
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
        matches!(self.verb(), "search" | "list" | "get" | "find_duplicates")
    }

    pub(super) fn is_paged(&self) -> bool {
        self.default_page_size().is_some()
    }

    /// The number of rows on a list's page if no limit is sent.
    pub(super) fn default_page_size(&self) -> Option<u64> {
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
