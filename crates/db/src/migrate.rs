//! The schema's history: which steps there are, which a database has taken, and whether they are
//! still the same steps.

use crate::error::{Error, Result};
use crate::sql::GlobalSql;

/// One step of the schema. Steps are only ever appended; a released one never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without its ending, in order: `0001_init`.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
    /// The script for PostgreSQL.
    pub postgres: &'static str,
}

/// What to do about steps that a database has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Take them.
    Run,
    /// Take them in a database that has taken none; refuse to open an older one.
    New,
    /// Refuse to open the database.
    Refuse,
}

/// The step that stands before all others in a database into which another is being copied. What has
/// it is not whole, so nobody opens it.
const UNFINISHED: &str = "unfinished copy";

/// Says that the database is not whole.
pub(crate) const BEGIN_COPY: GlobalSql =
    both("INSERT INTO schema_steps (position, name, script) VALUES (-1, 'unfinished copy', '')");
/// Says that the database is whole.
pub(crate) const END_COPY: GlobalSql = both("DELETE FROM schema_steps WHERE position = -1");

const fn both(text: &'static str) -> GlobalSql {
    GlobalSql::declare(text, text)
}

/// A step that a database has taken.
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) script: String,
}

/// The steps to take, or why the database is refused: a copy into it was never finished, it is older and
/// may not be changed, a newer program has changed it, or its steps are not this program's. `script` gives the engine's text of
/// a step.
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
            "the database was made by a newer zoop ({} schema steps, this program knows {}): \
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
