//! The schema's history: which steps there are, which a database has taken, and whether they are
//! still the same steps.

use crate::error::{Error, Result};

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
    /// Refuse to open the database.
    Refuse,
}

/// A step that a database has taken.
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) script: String,
}

/// The steps to take, or why the database is refused: it is older and may not be changed, a newer
/// program has changed it, or its steps are not this program's. `script` gives the engine's text of
/// a step.
pub(crate) fn missing<'m>(
    taken: &[Taken],
    migrations: &'m [Migration],
    script: impl Fn(&Migration) -> &'static str,
    migrate: Migrate,
) -> Result<&'m [Migration]> {
    let Some(missing) = migrations.get(taken.len()..) else {
        return Err(Error::Schema(format!(
            "the database was made by a newer zoop ({} schema steps, this program knows {}): \
             use that version or a newer one",
            taken.len(),
            migrations.len()
        )));
    };
    if !missing.is_empty() && migrate == Migrate::Refuse {
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
