//! The schema's steps, every table, and the lists of statements; tests close each list.

use zoop_db::{GlobalSql, Migration, Sql};

use crate::moving;
use crate::table::{Record, Rows, Table};

/// Every step of the schema, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_init",
        sqlite: include_str!("../../../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../../../migrations/postgres/0001_init.sql"),
    },
    Migration {
        name: "0002_sign_in",
        sqlite: include_str!("../../../migrations/sqlite/0002_sign_in.sql"),
        postgres: include_str!("../../../migrations/postgres/0002_sign_in.sql"),
    },
    Migration {
        name: "0003_identity",
        sqlite: include_str!("../../../migrations/sqlite/0003_identity.sql"),
        postgres: include_str!("../../../migrations/postgres/0003_identity.sql"),
    },
    Migration {
        name: "0004_sweep_policy",
        sqlite: include_str!("../../../migrations/sqlite/0004_sweep_policy.sql"),
        postgres: include_str!("../../../migrations/postgres/0004_sweep_policy.sql"),
    },
    Migration {
        name: "0005_server_address",
        sqlite: include_str!("../../../migrations/sqlite/0005_server_address.sql"),
        postgres: include_str!("../../../migrations/postgres/0005_server_address.sql"),
    },
];

/// Every table whose rows are copied, exported and erased, in the order in which they are copied: what
/// others refer to first; the rows of tenants, one tenant after another; credentials last, so that nobody
/// can sign in before the copy is complete.
///
/// The tables of the search index are not among them, since an index holds what other tables hold and is
/// made again from them, nor is [`SCHEMA_STEPS`].
pub const TABLES: &[&Table] = &[
    &crate::tenants::store::TENANTS,
    &crate::users::store::USERS,
    &crate::users::store::MEMBERSHIPS,
    &crate::users::store::WAITING_MEMBERSHIPS,
    &crate::customers::Customer::TABLE,
    &crate::contacts::Contact::TABLE,
    &crate::locations::Location::TABLE,
    &crate::tags::Tag::TABLE,
    &crate::tags::store::CUSTOMER_TAGS,
    &crate::subjects::Subject::TABLE,
    &crate::notes::Note::TABLE,
    &crate::notes::store::NOTE_WRITES,
    &crate::idempotency::IDEMPOTENCY,
    &crate::history::store::HISTORY,
    &crate::history::store::HISTORY_RECORDS,
    &crate::request_counts::REQUEST_COUNTS,
    &crate::servers::SERVERS,
    &crate::sign_in::ATTEMPTS,
    &crate::oauth::OAUTH_CLIENTS,
    &crate::oauth::OAUTH_REQUESTS,
    &crate::oauth::OAUTH_GRANTS,
    &crate::oauth::OAUTH_CODES,
    &crate::oauth::OAUTH_TOKENS,
    &crate::oauth::OAUTH_SUCCESSORS,
    &crate::invitations::INVITATIONS,
    &crate::sign_in::identities::IDENTITIES,
    &crate::sign_in::PASSWORDS,
    &crate::sign_in::SECOND_FACTORS,
    &crate::sign_in::RECOVERY_CODES,
    &crate::sign_in::PENDING_SIGN_INS,
    &crate::sign_in::PASSWORD_LINKS,
    &crate::sign_in::DEVICES,
    &crate::sign_in::SESSIONS,
    &crate::keys::API_KEYS,
];

/// The table that tells which steps of the schema a database has taken. It stands above tenants, and each
/// database has its own.
pub const SCHEMA_STEPS: &str = "schema_steps";

/// The tables of the search index on PostgreSQL. They hold tokens and numbers alone and name the
/// tenant in every key, but have no row-level security: under a policy the index is not used, because
/// its operator might tell something of a row before the policy is asked. What is found in them is
/// joined to a protected table.
pub const SEARCH_TABLES: &[&str] = &["customer_search", "note_search"];

/// Statements by the module that declares them.
pub type Declared<S> = (&'static str, &'static [(&'static str, S)]);

/// Every statement about one tenant's rows, by module.
pub fn statements() -> impl Iterator<Item = Declared<Sql>> {
    let copying = TABLES.iter().filter_map(|table| match table.rows {
        Rows::OfTenant(statements) => Some((table.copied_by, statements.declared)),
        Rows::AboveTenants { .. } => None,
    });
    STATEMENTS.iter().copied().chain(copying)
}

/// Every statement about tables above tenants, by module. These, and no others, are run without a
/// tenant: credentials are looked up before the tenant is known, tenants and users stand above
/// tenants, processes tell one another what they admitted, sweeps remove what is out of date, and a
/// database is copied whole.
pub fn global_statements() -> impl Iterator<Item = Declared<GlobalSql>> {
    let copying = TABLES.iter().filter_map(|table| match table.rows {
        Rows::AboveTenants { statements, .. } => Some((table.copied_by, statements.declared)),
        Rows::OfTenant(_) => None,
    });
    GLOBAL_STATEMENTS.iter().chain(&crate::oauth::GLOBAL_STATEMENTS).copied().chain(copying)
}

const STATEMENTS: &[Declared<Sql>] = &[
    ("idempotency", crate::idempotency::STATEMENTS),
    ("history", crate::history::STATEMENTS),
    ("users", crate::users::STATEMENTS),
    ("customers", crate::customers::STATEMENTS),
    ("contacts", crate::contacts::STATEMENTS),
    ("locations", crate::locations::STATEMENTS),
    ("tags", crate::tags::STATEMENTS),
    ("notes", crate::notes::STATEMENTS),
    ("subjects", crate::subjects::STATEMENTS),
    ("moving search", moving::search::STATEMENTS),
];

const GLOBAL_STATEMENTS: &[Declared<GlobalSql>] = &[
    ("idempotency", crate::idempotency::GLOBAL_STATEMENTS),
    ("notes", crate::notes::GLOBAL_STATEMENTS),
    ("tenants", crate::tenants::GLOBAL_STATEMENTS),
    ("users", crate::users::GLOBAL_STATEMENTS),
    ("keys", crate::keys::GLOBAL_STATEMENTS),
    ("sign_in", crate::sign_in::GLOBAL_STATEMENTS),
    ("identities", crate::sign_in::identities::GLOBAL_STATEMENTS),
    ("sign_in attempts", crate::sign_in::ATTEMPT_STATEMENTS),
    ("sign_in factors", crate::sign_in::FACTOR_STATEMENTS),
    ("sign_in links", crate::sign_in::LINK_STATEMENTS),
    ("sign_in devices", crate::sign_in::DEVICE_STATEMENTS),
    ("invitations", crate::invitations::GLOBAL_STATEMENTS),
    ("request_counts", crate::request_counts::GLOBAL_STATEMENTS),
    ("servers", crate::servers::GLOBAL_STATEMENTS),
    ("moving", moving::GLOBAL_STATEMENTS),
    ("moving search", moving::search::GLOBAL_STATEMENTS),
];
