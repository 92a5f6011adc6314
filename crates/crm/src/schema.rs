//! The schema's steps, and the lists of statements that tests close.

use zoop_db::{GlobalSql, Migration, Sql};

/// Every step of the schema, oldest first.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_init",
    sqlite: include_str!("../../../migrations/sqlite/0001_init.sql"),
    postgres: include_str!("../../../migrations/postgres/0001_init.sql"),
}];

/// Every statement about one tenant's rows, by module.
pub const STATEMENTS: &[(&str, &[(&str, Sql)])] = &[
    ("idempotency", crate::idempotency::STATEMENTS),
    ("history", crate::history::STATEMENTS),
    ("users", crate::users::STATEMENTS),
    ("customers", crate::customers::STATEMENTS),
    ("contacts", crate::contacts::STATEMENTS),
    ("locations", crate::locations::STATEMENTS),
    ("tags", crate::tags::STATEMENTS),
    ("notes", crate::notes::STATEMENTS),
    ("subjects", crate::subjects::STATEMENTS),
];

/// Every statement about tables above tenants, by module. These, and no others, are run without a
/// tenant: credentials are looked up before the tenant is known, tenants and users stand above
/// tenants, processes tell one another what they admitted, and sweeps remove what is out of date.
pub const GLOBAL_STATEMENTS: &[(&str, &[(&str, GlobalSql)])] = &[
    ("idempotency", crate::idempotency::GLOBAL_STATEMENTS),
    ("notes", crate::notes::GLOBAL_STATEMENTS),
    ("tenants", crate::tenants::GLOBAL_STATEMENTS),
    ("users", crate::users::GLOBAL_STATEMENTS),
    ("keys", crate::keys::GLOBAL_STATEMENTS),
    ("request_counts", crate::request_counts::GLOBAL_STATEMENTS),
];
