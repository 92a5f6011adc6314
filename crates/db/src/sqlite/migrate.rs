//! Migrates a file's schema to the program's, in one transaction.

use super::Connection;
use crate::error::{Error, Result};
use crate::migrate::{Applied, Migrate, Migration, missing};

/// Runs the missing migrations. Fails if `migrate` forbids that, or if [`missing`] rejects the database.
pub(super) fn run(
    connection: &Connection,
    migrations: &[Migration],
    migrate: Migrate,
) -> Result<()> {
    connection.control("BEGIN IMMEDIATE")?;
    let outcome = advance(connection, migrations, migrate);
    connection.control(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome
}

fn advance(connection: &Connection, migrations: &[Migration], migrate: Migrate) -> Result<()> {
    let (tables, is_ours): (i64, bool) = connection.raw().query_row(
        "SELECT count(*), coalesce(max(name = 'schema_steps'), 0) FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if tables > 0 && !is_ours {
        return Err(Error::Schema(
            "the file contains another program's tables: choose another file for zoop".to_owned(),
        ));
    }
    connection.script(
        "CREATE TABLE IF NOT EXISTS schema_steps \
         (position INTEGER PRIMARY KEY, name TEXT NOT NULL, script TEXT NOT NULL) STRICT",
    )?;
    let applied = applied(connection)?;
    let missing = missing(&applied, migrations, |migration| migration.sqlite, migrate)?;
    for (position, migration) in (0_i64..).skip(applied.len()).zip(missing) {
        connection.script(migration.sqlite)?;
        connection.raw().execute(
            "INSERT INTO schema_steps (position, name, script) VALUES (?1, ?2, ?3)",
            (position, migration.name, migration.sqlite),
        )?;
    }
    Ok(())
}

fn applied(connection: &Connection) -> Result<Vec<Applied>> {
    let mut steps =
        connection.raw().prepare("SELECT name, script FROM schema_steps ORDER BY position")?;
    let applied =
        steps.query_map([], |row| Ok(Applied { name: row.get(0)?, script: row.get(1)? }))?;
    Ok(applied.collect::<rusqlite::Result<_>>()?)
}
