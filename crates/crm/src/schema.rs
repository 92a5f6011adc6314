//! The migrations, every table, and every statement. Tests check that each list is complete.

use zoop_db::{Declared, GlobalSql, Migration, Sql};

use crate::call::table::{Record, Rows, Table};
use crate::export;
use crate::transfer;

/// Every migration, in the order in which they run.
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
    Migration {
        name: "0006_storage",
        sqlite: include_str!("../../../migrations/sqlite/0006_storage.sql"),
        postgres: include_str!("../../../migrations/postgres/0006_storage.sql"),
    },
    Migration {
        name: "0007_program_count",
        sqlite: include_str!("../../../migrations/sqlite/0007_program_count.sql"),
        postgres: include_str!("../../../migrations/postgres/0007_program_count.sql"),
    },
    Migration {
        name: "0008_zone",
        sqlite: include_str!("../../../migrations/sqlite/0008_zone.sql"),
        postgres: include_str!("../../../migrations/postgres/0008_zone.sql"),
    },
    Migration {
        name: "0009_external_id",
        sqlite: include_str!("../../../migrations/sqlite/0009_external_id.sql"),
        postgres: include_str!("../../../migrations/postgres/0009_external_id.sql"),
    },
    Migration {
        name: "0010_locations",
        sqlite: include_str!("../../../migrations/sqlite/0010_locations.sql"),
        postgres: include_str!("../../../migrations/postgres/0010_locations.sql"),
    },
    Migration {
        name: "0011_notes",
        sqlite: include_str!("../../../migrations/sqlite/0011_notes.sql"),
        postgres: include_str!("../../../migrations/postgres/0011_notes.sql"),
    },
    Migration {
        name: "0012_merging",
        sqlite: include_str!("../../../migrations/sqlite/0012_merging.sql"),
        postgres: include_str!("../../../migrations/postgres/0012_merging.sql"),
    },
    Migration {
        name: "0013_files",
        sqlite: include_str!("../../../migrations/sqlite/0013_files.sql"),
        postgres: include_str!("../../../migrations/postgres/0013_files.sql"),
    },
    Migration {
        name: "0014_database_identity",
        sqlite: include_str!("../../../migrations/sqlite/0014_database_identity.sql"),
        postgres: include_str!("../../../migrations/postgres/0014_database_identity.sql"),
    },
    Migration {
        name: "0015_history",
        sqlite: include_str!("../../../migrations/sqlite/0015_history.sql"),
        postgres: include_str!("../../../migrations/postgres/0015_history.sql"),
    },
    Migration {
        name: "0016_merged_customers",
        sqlite: include_str!("../../../migrations/sqlite/0016_merged_customers.sql"),
        postgres: include_str!("../../../migrations/postgres/0016_merged_customers.sql"),
    },
    Migration {
        name: "0017_different_customers",
        sqlite: include_str!("../../../migrations/sqlite/0017_different_customers.sql"),
        postgres: include_str!("../../../migrations/postgres/0017_different_customers.sql"),
    },
    Migration {
        name: "0018_email_links",
        sqlite: include_str!("../../../migrations/sqlite/0018_email_links.sql"),
        postgres: include_str!("../../../migrations/postgres/0018_email_links.sql"),
    },
    Migration {
        name: "0019_imports",
        sqlite: include_str!("../../../migrations/sqlite/0019_imports.sql"),
        postgres: include_str!("../../../migrations/postgres/0019_imports.sql"),
    },
    Migration {
        name: "0020_erasure",
        sqlite: include_str!("../../../migrations/sqlite/0020_erasure.sql"),
        postgres: include_str!("../../../migrations/postgres/0020_erasure.sql"),
    },
    Migration {
        name: "0021_import_jobs",
        sqlite: include_str!("../../../migrations/sqlite/0021_import_jobs.sql"),
        postgres: include_str!("../../../migrations/postgres/0021_import_jobs.sql"),
    },
    Migration {
        name: "0022_erasures",
        sqlite: include_str!("../../../migrations/sqlite/0022_erasures.sql"),
        postgres: include_str!("../../../migrations/postgres/0022_erasures.sql"),
    },
    Migration {
        name: "0023_tax_rates",
        sqlite: include_str!("../../../migrations/sqlite/0023_tax_rates.sql"),
        postgres: include_str!("../../../migrations/postgres/0023_tax_rates.sql"),
    },
    Migration {
        name: "0024_catalog_categories",
        sqlite: include_str!("../../../migrations/sqlite/0024_catalog_categories.sql"),
        postgres: include_str!("../../../migrations/postgres/0024_catalog_categories.sql"),
    },
    Migration {
        name: "0025_catalog_items",
        sqlite: include_str!("../../../migrations/sqlite/0025_catalog_items.sql"),
        postgres: include_str!("../../../migrations/postgres/0025_catalog_items.sql"),
    },
    Migration {
        name: "0026_quotes",
        sqlite: include_str!("../../../migrations/sqlite/0026_quotes.sql"),
        postgres: include_str!("../../../migrations/postgres/0026_quotes.sql"),
    },
    Migration {
        name: "0027_jobs",
        sqlite: include_str!("../../../migrations/sqlite/0027_jobs.sql"),
        postgres: include_str!("../../../migrations/postgres/0027_jobs.sql"),
    },
];

/// Every table except [`OWN_TABLES`] and the tables of the search index, which a copy builds again. The order
/// is that of copying: first the tables that others refer to, then the rows of one tenant after another, and
/// credentials last, so that no one can sign in before the copy is complete.
pub const TABLES: &[&Table] = &[
    &crate::identity::tenants::store::TENANTS,
    &crate::call::storage::TENANT_STORAGE,
    &crate::business::notes::reindex::NOTE_REINDEXING,
    &crate::identity::users::store::USERS,
    &crate::identity::users::store::MEMBERSHIPS,
    &crate::identity::users::store::WAITING_MEMBERSHIPS,
    &crate::business::customers::Customer::TABLE,
    &crate::business::customers::contacts::Contact::TABLE,
    &crate::business::customers::locations::Location::TABLE,
    &crate::business::customers::duplicates::different::DIFFERENT_CUSTOMERS,
    &crate::business::customers::erase::ERASURES,
    &crate::business::tags::Tag::TABLE,
    &crate::business::tags::store::CUSTOMER_TAGS,
    &crate::business::subjects::Subject::TABLE,
    &crate::business::tax_rates::TaxRate::TABLE,
    &crate::business::catalog_categories::CatalogCategory::TABLE,
    &crate::business::catalog_items::CatalogItem::TABLE,
    &crate::business::numbers::DOCUMENT_NUMBERS,
    &crate::business::quotes::Quote::TABLE,
    &crate::business::jobs::Job::TABLE,
    &crate::business::jobs::store::JOB_ASSIGNEES,
    &crate::business::notes::Note::TABLE,
    &crate::business::files::File::TABLE,
    &crate::business::import::store::IMPORTS,
    &crate::business::import::store::IMPORTED,
    &crate::business::import::jobs::store::IMPORT_JOBS,
    &crate::business::import::jobs::store::IMPORT_PARTS,
    &crate::business::import::jobs::store::IMPORT_QUEUE,
    &crate::business::notes::store::NOTE_WRITES,
    &crate::business::notes::store::DRAFT_BYTES_SAVED,
    &crate::call::idempotency::IDEMPOTENCY,
    &crate::call::history::store::HISTORY_ORIGINS,
    &crate::call::history::store::HISTORY_ENTRIES,
    &crate::call::history::store::HISTORY_RECORDS,
    &crate::call::history::former::HISTORY,
    &crate::request_counts::REQUEST_COUNTS,
    &crate::servers::SERVERS,
    &crate::identity::sign_in::ATTEMPTS,
    &crate::identity::oauth::OAUTH_CLIENTS,
    &crate::identity::oauth::OAUTH_CLIENT_COUNTS,
    &crate::identity::oauth::OAUTH_REQUESTS,
    &crate::identity::oauth::OAUTH_GRANTS,
    &crate::identity::oauth::OAUTH_CODES,
    &crate::identity::oauth::OAUTH_TOKENS,
    &crate::identity::oauth::OAUTH_SUCCESSORS,
    &crate::identity::invitations::INVITATIONS,
    &crate::identity::sign_in::identities::IDENTITIES,
    &crate::identity::sign_in::PASSWORDS,
    &crate::identity::sign_in::SECOND_FACTORS,
    &crate::identity::sign_in::RECOVERY_CODES,
    &crate::identity::sign_in::PENDING_SIGN_INS,
    &crate::identity::sign_in::PASSWORD_LINKS,
    &crate::identity::sign_in::EMAIL_LINKS,
    &crate::identity::sign_in::DEVICES,
    &crate::identity::sign_in::SESSIONS,
    &crate::identity::keys::API_KEYS,
];

/// The tables that are not copied, because each database has its own: the migrations that it has run, and its id.
pub const OWN_TABLES: &[&str] = &["schema_steps", "database_identity"];

/// The tables of the search index on PostgreSQL. They contain only tokens and numbers, and every key includes
/// the tenant. They have no row-level security: with a policy PostgreSQL would not use the index, because the
/// search operator is not leakproof and so would run after the policy. Searches join the rows to a protected
/// table.
pub const SEARCH_TABLES: &[&str] = &["customer_search", "note_search"];

/// Every statement about one tenant's rows, by module.
pub fn statements() -> impl Iterator<Item = Declared<Sql>> {
    let copying = TABLES.iter().filter_map(|table| match table.rows {
        Rows::PerTenant { statements, .. } => Some((table.copied_by, statements.declared)),
        Rows::Shared { .. } => None,
    });
    STATEMENTS.iter().copied().chain(copying)
}

/// Every statement about tables shared by all tenants, by module. Only these run without a tenant: credentials
/// are looked up before the tenant is known, users may belong to several tenants, processes share their request
/// counts, sweeps remove expired rows, and a copy reads the whole database.
pub fn global_statements() -> impl Iterator<Item = Declared<GlobalSql>> {
    let copying = TABLES.iter().filter_map(|table| match table.rows {
        Rows::Shared { statements, .. } => Some((table.copied_by, statements.declared)),
        Rows::PerTenant { .. } => None,
    });
    GLOBAL_STATEMENTS
        .iter()
        .chain(&crate::identity::oauth::GLOBAL_STATEMENTS)
        .copied()
        .chain(copying)
}

const STATEMENTS: &[Declared<Sql>] = &[
    ("idempotency", crate::call::idempotency::STATEMENTS),
    ("history", crate::call::history::STATEMENTS),
    ("former history", crate::call::history::former::STATEMENTS),
    ("erased history", crate::call::history::erasing::STATEMENTS),
    ("history lists", crate::business::history::store::STATEMENTS),
    ("names in the history", crate::business::history::names::STATEMENTS),
    ("reverted changes", crate::business::history::revert::STATEMENTS),
    ("original values", crate::business::history::original::STATEMENTS),
    ("lasting records", crate::business::history::stored_once::STATEMENTS),
    ("tenants", crate::identity::tenants::STATEMENTS),
    ("users", crate::identity::users::STATEMENTS),
    ("customers", crate::business::customers::STATEMENTS),
    ("erasing customers", crate::business::customers::erase::STATEMENTS),
    ("erasures", crate::business::customers::erase::ERASURE_STATEMENTS),
    ("merging again", crate::business::customers::merge::again::STATEMENTS),
    ("customer history", crate::business::customers::history::STATEMENTS),
    ("named records", crate::business::customers::named::STATEMENTS),
    ("duplicates", crate::business::customers::duplicates::STATEMENTS),
    ("different customers", crate::business::customers::duplicates::different::STATEMENTS),
    ("contacts", crate::business::customers::contacts::STATEMENTS),
    ("locations", crate::business::customers::locations::STATEMENTS),
    ("tags", crate::business::tags::STATEMENTS),
    ("notes", crate::business::notes::STATEMENTS),
    ("files", crate::business::files::STATEMENTS),
    ("notes reindexing", crate::business::notes::reindex::STATEMENTS),
    ("subjects", crate::business::subjects::STATEMENTS),
    ("tax_rates", crate::business::tax_rates::STATEMENTS),
    ("catalog_categories", crate::business::catalog_categories::STATEMENTS),
    ("catalog_items", crate::business::catalog_items::STATEMENTS),
    ("document numbers", crate::business::numbers::STATEMENTS),
    ("quotes", crate::business::quotes::STATEMENTS),
    ("jobs", crate::business::jobs::STATEMENTS),
    ("former quotes", crate::business::quotes::former::STATEMENTS),
    ("former jobs", crate::business::jobs::former::STATEMENTS),
    ("imports", crate::business::import::STATEMENTS),
    ("prepared imports", crate::business::import::jobs::store::STATEMENTS),
    ("export", export::STATEMENTS),
    ("export cards", export::CARD_STATEMENTS),
    ("export tables", export::TABLE_STATEMENTS),
    ("transfer search", transfer::search::STATEMENTS),
];

const GLOBAL_STATEMENTS: &[Declared<GlobalSql>] = &[
    ("idempotency", crate::call::idempotency::GLOBAL_STATEMENTS),
    ("storage", crate::call::storage::GLOBAL_STATEMENTS),
    ("former history", crate::call::history::former::GLOBAL_STATEMENTS),
    ("notes", crate::business::notes::GLOBAL_STATEMENTS),
    ("notes reindexing", crate::business::notes::reindex::GLOBAL_STATEMENTS),
    ("prepared imports", crate::business::import::jobs::store::GLOBAL_STATEMENTS),
    ("tenants", crate::identity::tenants::GLOBAL_STATEMENTS),
    ("users", crate::identity::users::GLOBAL_STATEMENTS),
    ("keys", crate::identity::keys::GLOBAL_STATEMENTS),
    ("sign_in", crate::identity::sign_in::GLOBAL_STATEMENTS),
    ("identities", crate::identity::sign_in::identities::GLOBAL_STATEMENTS),
    ("sign_in attempts", crate::identity::sign_in::ATTEMPT_STATEMENTS),
    ("sign_in factors", crate::identity::sign_in::FACTOR_STATEMENTS),
    ("sign_in links", crate::identity::sign_in::LINK_STATEMENTS),
    ("sign_in e-mail", crate::identity::sign_in::OWN_EMAIL_STATEMENTS),
    ("sign_in devices", crate::identity::sign_in::DEVICE_STATEMENTS),
    ("invitations", crate::identity::invitations::GLOBAL_STATEMENTS),
    ("request_counts", crate::request_counts::GLOBAL_STATEMENTS),
    ("servers", crate::servers::GLOBAL_STATEMENTS),
    ("database identity", crate::database_identity::GLOBAL_STATEMENTS),
    ("export", export::GLOBAL_STATEMENTS),
    ("bringing back", export::BRINGING_BACK),
    ("transfer", transfer::GLOBAL_STATEMENTS),
    ("transfer search", transfer::search::GLOBAL_STATEMENTS),
];
