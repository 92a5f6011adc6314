//! The schema's history: which migrations exist, which ones a database has run, and whether they are still
//! the same.

use crate::error::{Error, Result};
use crate::sql::GlobalSql;

/// One migration. Migrations are only ever appended; a released one never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without its ending, in order: `0001_init`.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
    /// The script for PostgreSQL.
    pub postgres: &'static str,
}

/// What to do about migrations that a database has not run.
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
    both("INSERT INTO schema_steps (position, name, script) VALUES (-1, 'unfinished copy', '')");
/// Marks the database as complete.
pub(crate) const END_COPY: GlobalSql = both("DELETE FROM schema_steps WHERE position = -1");

const fn both(text: &'static str) -> GlobalSql {
    GlobalSql::declare(text, text)
}

/// A migration that a database has run.
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) script: String,
}

/// The migrations to run, or why the database is refused: a copy into it was never finished, its schema is
/// older and may not be changed, a newer program has changed it, or its migrations are not this program's. `script`
/// gives the engine's text of a migration.
pub(crate) fn missing<'m>(
    taken: &[Taken],
    migrations: &'m [Migration],
    script: impl Fn(&Migration) -> &'static str,
    migrate: Migrate,
) -> Result<&'m [Migration]> {
    if taken.first().is_some_and(|step| step.name == UNFINISHED) {
        return Err(Error::Schema(
            "the copy into this database was never finished: remove it (the file, or on PostgreSQL \
             with DROP DATABASE and CREATE DATABASE), then run `zoop copy` again"
                .to_owned(),
        ));
    }
    let Some(missing) = migrations.get(taken.len()..) else {
        return Err(Error::Schema(format!(
            "the database has the schema of a newer zoop ({} schema steps, this program knows {}): \
             use that version or a newer one",
            taken.len(),
            migrations.len()
        )));
    };
    let is_refused = match migrate {
        Migrate::Run => false,
        Migrate::New => !taken.is_empty(),
        Migrate::Refuse => true,
    };
    if !missing.is_empty() && is_refused {
        return Err(Error::Schema(format!(
            "the database's schema is {} step(s) old: run `zoop migrate` first",
            missing.len()
        )));
    }
    for (position, (known, migration)) in taken.iter().zip(migrations).enumerate() {
        if known.name != migration.name || known.script != script(migration) {
            return Err(Error::Schema(format!(
                "schema step {position} of the database ({}) is not this program's \
                 ({}): the database belongs to another version of zoop",
                known.name, migration.name
            )));
        }
    }
    Ok(missing)
}
