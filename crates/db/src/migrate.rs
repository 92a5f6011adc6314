//! The schema's history: which steps there are, which a database has taken, and whether they are
//! still the same steps.

use rusqlite::OptionalExtension;

use crate::error::{Error, Result};
use crate::sqlite::Connection;

/// One step of the schema. Steps are only ever appended; a released one never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without its ending, in order: `0001_init`.
    pub name: &'static str,
    /// The script for SQLite.
    pub sqlite: &'static str,
}

/// What to do about steps that a database has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Take them.
    Run,
    /// Refuse to open the database.
    Refuse,
}

/// Takes the missing steps or refuses, and refuses a database that a newer program has changed.
pub(crate) fn run(
    connection: &mut Connection,
    migrations: &[Migration],
    migrate: Migrate,
) -> Result<()> {
    connection.control("BEGIN IMMEDIATE")?;
    let outcome = advance(connection, migrations, migrate);
    connection.control(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome
}

fn advance(connection: &Connection, migrations: &[Migration], migrate: Migrate) -> Result<()> {
    let (tables, ours): (i64, bool) = connection.raw().query_row(
        "SELECT count(*), coalesce(max(name = 'schema_steps'), 0) FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if tables > 0 && !ours {
        return Err(Error::Schema(
            "the file holds another program's tables: name another file for zoop's".to_owned(),
        ));
    }
    connection.script(
        "CREATE TABLE IF NOT EXISTS schema_steps \
         (position INTEGER PRIMARY KEY, name TEXT NOT NULL, script TEXT NOT NULL) STRICT",
    )?;
    let taken: i64 =
        connection.raw().query_row("SELECT count(*) FROM schema_steps", [], |row| row.get(0))?;
    let taken = usize::try_from(taken).unwrap_or(usize::MAX);
    if taken > migrations.len() {
        return Err(Error::Schema(format!(
            "the database was made by a newer zoop ({taken} schema steps, this program knows {}): \
             use that version or a newer one",
            migrations.len()
        )));
    }
    if taken < migrations.len() && migrate == Migrate::Refuse {
        return Err(Error::Schema(format!(
            "the database's schema is {} step(s) old: run `zoop migrate` first",
            migrations.len() - taken
        )));
    }
    for (position, migration) in migrations.iter().enumerate() {
        take(connection, position, migration)?;
    }
    Ok(())
}

fn take(connection: &Connection, position: usize, migration: &Migration) -> Result<()> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let known: Option<(String, String)> = connection
        .raw()
        .query_row("SELECT name, script FROM schema_steps WHERE position = ?1", [position], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match known {
        Some((name, script)) if name == migration.name && script == migration.sqlite => Ok(()),
        Some((name, _)) => Err(Error::Schema(format!(
            "schema step {position} of the database ({name}) is not this program's \
             ({}): the database belongs to another version of zoop",
            migration.name
        ))),
        None => {
            connection.script(migration.sqlite)?;
            connection.raw().execute(
                "INSERT INTO schema_steps (position, name, script) VALUES (?1, ?2, ?3)",
                (position, migration.name, migration.sqlite),
            )?;
            Ok(())
        }
    }
}
