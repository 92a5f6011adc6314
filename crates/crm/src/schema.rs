//! The schema's steps, and the lists of statements that tests close.

use zoop_db::{GlobalSql, Migration, Sql};

use crate::moving;

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

/// The tables that stand above tenants, each with the reason: no row-level security holds for them,
/// since nobody is bound to a tenant yet when they are read. All others belong to tenants.
pub const TABLES_ABOVE_TENANTS: &[(&str, &str)] = &[
    ("tenants", "tells which tenants there are"),
    ("users", "a person may be a member of several tenants"),
    ("memberships", "is read with the key, to know what its person may do in the key's tenant"),
    ("api_keys", "is read by the key's hash, which tells the tenant"),
    ("waiting_memberships", "become memberships once their person has shown who they are"),
    ("passwords", "are a person's, in whatever tenant they work"),
    ("second_factors", "likewise"),
    ("recovery_codes", "likewise"),
    ("identities", "tell which person somebody is"),
    ("sessions", "are looked up by their hash, and are a person's"),
    ("pending_sign_ins", "likewise"),
    ("password_links", "likewise"),
    ("devices", "likewise"),
    ("attempts", "are counted before anybody is known"),
    ("invitations", "are looked up by their hash, which tells the tenant"),
    ("oauth_clients", "serve people of every tenant"),
    ("oauth_requests", "are made before the person has said for which tenant"),
    ("oauth_grants", "are read with the token, which tells the tenant"),
    ("oauth_codes", "are looked up by their hash"),
    ("oauth_tokens", "likewise"),
    ("oauth_successors", "likewise"),
    ("request_counts", "processes tell one another what they admitted, of all tenants"),
    ("servers", "tell where they answer, for all tenants"),
    ("schema_steps", "the schema's own history"),
];

/// The tables of the search index on PostgreSQL. They hold tokens and numbers alone and name the
/// tenant in every key, but have no row-level security: under a policy the index is not used, because
/// its operator might tell something of a row before the policy is asked. What is found in them is
/// joined to a protected table.
pub const SEARCH_TABLES: &[&str] = &["customer_search", "note_search"];

/// Statements by the module that declares them.
pub type Declared<S> = (&'static str, &'static [(&'static str, S)]);

/// Every statement about one tenant's rows, by module.
pub fn statements() -> impl Iterator<Item = Declared<Sql>> {
    STATEMENTS.iter().chain(moving::tables::STATEMENTS).copied()
}

/// Every statement about tables above tenants, by module. These, and no others, are run without a
/// tenant: credentials are looked up before the tenant is known, tenants and users stand above
/// tenants, processes tell one another what they admitted, sweeps remove what is out of date, and a
/// database is copied whole.
pub fn global_statements() -> impl Iterator<Item = Declared<GlobalSql>> {
    let groups =
        [GLOBAL_STATEMENTS, &crate::oauth::GLOBAL_STATEMENTS, moving::tables::GLOBAL_STATEMENTS];
    groups.into_iter().flatten().copied()
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
