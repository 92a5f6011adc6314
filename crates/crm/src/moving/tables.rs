//! Every table as a copy sees it: its columns, what they hold, and the statements made of that.
//!
//! The list is closed by tests, which compare it with the tables of both engines. The tables of the
//! search index are not in it: an index holds what other tables hold, and is made anew.

use zoop_db::{GlobalSql, Sql};

use super::cell::Kind;

/// A table whose rows are copied.
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns in the order of the statements, the key's first; without a tenant's number that the
    /// transaction is bound to.
    pub(crate) columns: &'static [Column],
    /// How many of them are the key, by which the rows are read in order.
    pub(crate) key: usize,
    /// What is asked of it.
    pub(crate) statements: Statements,
}

/// One column.
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
}

/// What is asked of a table: how many rows it has, the next rows after a key, and to take rows.
#[derive(Clone, Copy)]
pub(crate) enum Statements {
    /// Of a table above tenants.
    Above { count: GlobalSql, page: GlobalSql, add: GlobalSql },
    /// Of one tenant's rows.
    OfTenant { count: Sql, page: Sql, add: Sql },
}

/// Names in a row, parted by commas.
macro_rules! list {
    ($first:ident $($rest:ident)*) => { concat!(stringify!($first) $(, ", ", stringify!($rest))*) };
}

/// As many placeholders as there are names, taken from the second list.
macro_rules! places {
    (@ [$first:literal $($rest:literal)*] [] [$($left:literal)*]) => {
        concat!($first $(, ", ", $rest)*)
    };
    (@ [$($taken:literal)*] [$name:ident $($names:ident)*] [$next:literal $($left:literal)*]) => {
        places!(@ [$($taken)* $next] [$($names)*] [$($left)*])
    };
    (from 2: $($name:ident)*) => {
        places!(@ [] [$($name)*]
            ["$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
             "$18" "$19" "$20" "$21" "$22" "$23" "$24"])
    };
    (from 3: $($name:ident)*) => { places!(@ [] [$($name)*] ["$3" "$4" "$5"]) };
    (from 1: $($name:ident)*) => {
        places!(@ [] [$($name)*]
            ["$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16"])
    };
}

/// The placeholders of the columns that hold these, each an array of the values of all rows.
macro_rules! arrays {
    (@ [($first:literal $kind:ident) $(($rest:literal $kinds:ident))*] [] [$($left:literal)*]) => {
        concat!($first, array!($kind) $(, ", ", $rest, array!($kinds))*)
    };
    (@ [$($taken:tt)*] [$kind:ident $($kinds:ident)*] [$next:literal $($left:literal)*]) => {
        arrays!(@ [$($taken)* ($next $kind)] [$($kinds)*] [$($left)*])
    };
    (from 2: $($kind:ident)*) => {
        arrays!(@ [] [$($kind)*]
            ["$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16" "$17"
             "$18" "$19" "$20" "$21" "$22" "$23" "$24"])
    };
    (from 1: $($kind:ident)*) => {
        arrays!(@ [] [$($kind)*]
            ["$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" "$10" "$11" "$12" "$13" "$14" "$15" "$16"])
    };
}

/// What PostgreSQL calls an array of these.
macro_rules! array {
    (Integer) => {
        "::bigint[]"
    };
    (Boolean) => {
        "::boolean[]"
    };
    (Real) => {
        "::double precision[]"
    };
    (Text) => {
        "::text[]"
    };
    (Bytes) => {
        "::bytea[]"
    };
    (Id) => {
        "::uuid[]"
    };
    (Time) => {
        "::timestamptz[]"
    };
}

macro_rules! columns {
    ($($column:ident $kind:ident)*) => {
        &[$(Column { name: stringify!($column), kind: Kind::$kind }),*]
    };
}

/// Tables above tenants, by module.
macro_rules! above_tenants {
    ($($name:ident ($($key:ident $key_kind:ident),+) { $($column:ident $kind:ident),* })+) => { $(
        pub(crate) mod $name {
            use super::{Column, Kind, Statements, Table};

            zoop_db::global_statements! {
                COUNT = (concat!("SELECT count(*) FROM ", stringify!($name)));
                PAGE = (concat!(
                    "SELECT ", list!($($key)+ $($column)*), " FROM ", stringify!($name),
                    " WHERE (", list!($($key)+), ") > (", places!(from 2: $($key)+), ") ORDER BY ",
                    list!($($key)+), " LIMIT $1"
                ));
                ADD = {
                    sqlite: concat!(
                        "INSERT INTO ", stringify!($name), " (", list!($($key)+ $($column)*),
                        ") VALUES (", places!(from 1: $($key)+ $($column)*), ")"
                    ),
                    postgres: concat!(
                        "INSERT INTO ", stringify!($name), " (", list!($($key)+ $($column)*),
                        ") SELECT * FROM unnest(", arrays!(from 1: $($key_kind)+ $($kind)*), ")"
                    ),
                };
            }

            pub(crate) const TABLE: Table = Table {
                name: stringify!($name),
                columns: columns!($($key $key_kind)+ $($column $kind)*),
                key: [$(stringify!($key)),+].len(),
                statements: Statements::Above { count: COUNT, page: PAGE, add: ADD },
            };
        }
    )+
        /// Their statements, by table.
        pub(crate) const GLOBAL_STATEMENTS: &[(&str, &[(&str, GlobalSql)])] =
            &[$((concat!("moving ", stringify!($name)), $name::GLOBAL_STATEMENTS)),+];
    };
}

/// Tables of tenants, by module.
macro_rules! of_tenants {
    ($($name:ident ($($key:ident $key_kind:ident),+) { $($column:ident $kind:ident),* })+) => { $(
        pub(crate) mod $name {
            use super::{Column, Kind, Statements, Table};

            zoop_db::statements! {
                COUNT = (concat!(
                    "SELECT count(*) FROM ", stringify!($name), " WHERE tenant_no = $1"
                ));
                PAGE = (concat!(
                    "SELECT ", list!($($key)+ $($column)*), " FROM ", stringify!($name),
                    " WHERE tenant_no = $1 AND (", list!($($key)+), ") > (",
                    places!(from 3: $($key)+), ") ORDER BY ", list!($($key)+), " LIMIT $2"
                ));
                ADD = {
                    sqlite: concat!(
                        "INSERT INTO ", stringify!($name), " (tenant_no, ", list!($($key)+ $($column)*),
                        ") VALUES ($1, ", places!(from 2: $($key)+ $($column)*), ")"
                    ),
                    postgres: concat!(
                        "INSERT INTO ", stringify!($name), " (tenant_no, ", list!($($key)+ $($column)*),
                        ") SELECT $1::integer, * FROM unnest(",
                        arrays!(from 2: $($key_kind)+ $($kind)*), ")"
                    ),
                };
            }

            pub(crate) const TABLE: Table = Table {
                name: stringify!($name),
                columns: columns!($($key $key_kind)+ $($column $kind)*),
                key: [$(stringify!($key)),+].len(),
                statements: Statements::OfTenant { count: COUNT, page: PAGE, add: ADD },
            };
        }
    )+
        /// Their statements, by table.
        pub(crate) const STATEMENTS: &[(&str, &[(&str, Sql)])] =
            &[$((concat!("moving ", stringify!($name)), $name::STATEMENTS)),+];
    };
}

above_tenants! {
    tenants (no Integer) { id Id, name Text, country Text, last_customer_number Integer,
        notes_out_of_order Boolean }
    users (n Integer) { id Id, name Text, email Text, email_key Text, proved_at Time }
    memberships (tenant_no Integer, user_id Id) {
        role Text, updated_at Time, removed_at Time, name Text
    }
    waiting_memberships (tenant_no Integer, user_id Id) { role Text, name Text, since Time }
    request_counts (n Integer) {
        process_id Id, credential_id Id, tenant_no Integer, admitted_at Time, requests Integer
    }
    servers (process_id Id) { url Text, started_at Time }
    api_keys (hash Bytes) {
        id Id, tenant_no Integer, user_id Id, actor_kind Text, scopes Text, name Text, hint Text,
        request_limit Integer, expires_at Time, revoked_at Time, last_used_at Time
    }
    passwords (user_id Id) { hash Text, changed_at Time }
    second_factors (user_id Id) { secret Bytes, confirmed_at Time, last_step Integer }
    recovery_codes (hash Bytes) { user_id Id, used_at Time }
    identities (issuer Text, subject Text) { user_id Id, linked_at Time }
    sessions (hash Bytes) {
        id Id, user_id Id, method Text, address Text, browser Text, last_used_at Time,
        expires_at Time, revoked_at Time
    }
    pending_sign_ins (hash Bytes) { user_id Id, failures Integer, expires_at Time }
    password_links (hash Bytes) {
        user_id Id, origin Text, made_by Id, ends_factor Boolean, expires_at Time
    }
    devices (hash Bytes) { user_id Id, expires_at Time }
    attempts (action Text, subject Text, window_start Time) { count Integer }
    invitations (hash Bytes) {
        id Id, tenant_no Integer, name Text, email Text, role Text, invited_by Id, expires_at Time,
        accepted_at Time, revoked_at Time, mailed_at Time
    }
    oauth_clients (id Text) {
        kind Text, name Text, redirect_uris Text, created_at Time, stale_at Time, last_used_at Time,
        connected_at Time
    }
    oauth_requests (hash Bytes) {
        session_id Id, client_id Text, redirect_uri Text, state Text, challenge Text, scopes Text,
        expires_at Time
    }
    oauth_grants (id Id) {
        tenant_no Integer, user_id Id, client_id Text, scopes Text, declined Text, connected_at Time,
        last_used_at Time, revoked_at Time, ends_at Time
    }
    oauth_codes (hash Bytes) {
        grant_id Id, redirect_uri Text, challenge Text, expires_at Time, used_at Time
    }
    oauth_tokens (hash Bytes) {
        grant_id Id, kind Text, scopes Text, expires_at Time, rotated_at Time, revoked_at Time
    }
    oauth_successors (hash Bytes) { salt Bytes, expires_at Time }
}

of_tenants! {
    customers (id Id) {
        n Integer, customer_number Integer, customer_type Text, first_name Text, last_name Text,
        company_name Text, status Text, phone Text, phone_raw Text, email Text, notes_internal Text,
        is_vip Boolean, do_not_contact Boolean, do_not_contact_reason Text, source Text,
        updated_at Time, archived_at Time
    }
    contacts (customer_id Id, id Id) {
        first_name Text, last_name Text, phone Text, phone_raw Text, email Text, is_primary Boolean,
        phone_can_sms Boolean, role Text, title Text, origin Text, updated_at Time, archived_at Time
    }
    locations (customer_id Id, id Id) {
        location_type Text, label Text, address_line1 Text, address_line2 Text, city Text, state Text,
        postal_code Text, country Text, is_primary Boolean, access_notes Text, parking_notes Text,
        service_notes Text, latitude Real, longitude Real, place_id Text, updated_at Time,
        archived_at Time
    }
    tags (id Id) { n Integer, name Text, name_key Text, color Text, created_by Id, updated_at Time }
    customer_tags (customer_id Id, tag_id Id) {}
    subjects (id Id) {
        subject_type Text, customer_id Id, title Text, status Text, updated_at Time
    }
    notes (id Id) {
        n Integer, pinned Boolean, draft Boolean, created_by Id, subject_type Text, subject_id Id,
        updated_at Time, archived_at Time, body Text
    }
    note_writes (user_id Id, id Id) {}
    idempotency (credential_id Id, idempotency_key Text) {
        tool Text, fingerprint Bytes, answer Text, answered_at Time
    }
    history (id Id) {
        actor_kind Text, user_id Id, credential_id Id, client Text, address Text, tool Text, changes Text
    }
    history_records (record_id Id, entry_id Id) {}
}

/// What the rows of tenants refer to.
pub(crate) const BEFORE: &[Table] =
    &[tenants::TABLE, users::TABLE, memberships::TABLE, waiting_memberships::TABLE];

/// The rows of tenants, those that others refer to first.
pub(crate) const OF_TENANTS: &[Table] = &[
    customers::TABLE,
    contacts::TABLE,
    locations::TABLE,
    tags::TABLE,
    customer_tags::TABLE,
    subjects::TABLE,
    notes::TABLE,
    note_writes::TABLE,
    idempotency::TABLE,
    history::TABLE,
    history_records::TABLE,
];

/// Credentials last: whoever has the database open already lets nobody in before all is there.
pub(crate) const AFTER: &[Table] = &[
    request_counts::TABLE,
    servers::TABLE,
    attempts::TABLE,
    oauth_clients::TABLE,
    oauth_requests::TABLE,
    oauth_grants::TABLE,
    oauth_codes::TABLE,
    oauth_tokens::TABLE,
    oauth_successors::TABLE,
    invitations::TABLE,
    identities::TABLE,
    passwords::TABLE,
    second_factors::TABLE,
    recovery_codes::TABLE,
    pending_sign_ins::TABLE,
    password_links::TABLE,
    devices::TABLE,
    sessions::TABLE,
    api_keys::TABLE,
];

/// Every table, in the order in which it is copied.
pub(crate) fn all() -> impl Iterator<Item = &'static Table> {
    BEFORE.iter().chain(OF_TENANTS).chain(AFTER)
}

/// Columns whose numbers the engine counts on by itself.
pub(crate) const NUMBERED: &[(&str, &str)] = &[
    ("tenants", "no"),
    ("users", "n"),
    ("request_counts", "n"),
    ("customers", "n"),
    ("tags", "n"),
    ("notes", "n"),
];
