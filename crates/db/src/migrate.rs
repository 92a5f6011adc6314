//! The schema's history: which migrations exist, which of them a database has run, and whether those are
//! unchanged.

use crate::error::{Error, Result};
use crate::sql::GlobalSql;

/// One migration. Migrations are only ever appended; a released one never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without its extension, such as `0001_init`. Migrations run in the order of their names.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
    /// The script for PostgreSQL.
    pub postgres: &'static str,
}

/// What to do about migrations that a database has not run yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Run them.
    Run,
    /// Run them on a new database; refuse to open a database with an older schema.
    New,
    /// Refuse to open the database.
    Refuse,
}

/// The first entry in the history of a database that is the target of an unfinished copy. Such a database is
/// incomplete, so it cannot be opened.
const UNFINISHED: &str = "unfinished copy";

/// Marks the database as incomplete.
pub(crate) const BEGIN_COPY: GlobalSql =
    common("INSERT INTO schema_steps (position, name, script) VALUES (-1, 'unfinished copy', '')");
/// Marks the database as complete.
pub(crate) const END_COPY: GlobalSql = common("DELETE FROM schema_steps WHERE position = -1");

/// A statement with the same text for both engines.
const fn common(text: &'static str) -> GlobalSql {
    GlobalSql::declare(text, text)
}

/// A migration that a database has run.
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) script: String,
}

/// The migrations to run. Rejects a database if a copy into it was never finished, if a newer program has changed
/// its schema, if its schema is older and `migrate` forbids changing it, or if its migrations differ from this
/// program's. `script` returns a migration's text for the engine.
pub(crate) fn missing<'m>(
    applied: &[Applied],
    migrations: &'m [Migration],
    script: impl Fn(&Migration) -> &'static str,
    migrate: Migrate,
) -> Result<&'m [Migration]> {
    if applied.first().is_some_and(|step| step.name == UNFINISHED) {
        return Err(Error::Schema(
            "the copy into this database was never finished: remove it (the file, or on PostgreSQL \
             with DROP DATABASE and CREATE DATABASE), then run `zoop copy` again"
                .to_owned(),
        ));
    }
    let Some(missing) = migrations.get(applied.len()..) else {
        return Err(Error::Schema(format!(
            "the database has the schema of a newer zoop (it has {} migrations, this program knows {}): \
             use that version or a newer one",
            applied.len(),
            migrations.len()
        )));
    };
    let is_refused = match migrate {
        Migrate::Run => false,
        Migrate::New => !applied.is_empty(),
        Migrate::Refuse => true,
    };
    if !missing.is_empty() && is_refused {
        return Err(Error::Schema(format!(
            "the database's schema is out of date: {} migration(s) have not been run; run `zoop migrate` first",
            missing.len()
        )));
    }
    for (known, migration) in applied.iter().zip(migrations) {
        if known.name != migration.name || known.script != script(migration) {
            return Err(Error::Schema(format!(
                "the database's migration {} differs from this program's {}: the database belongs to \
                 another version of zoop",
                known.name, migration.name
            )));
        }
    }
    Ok(missing)
}
