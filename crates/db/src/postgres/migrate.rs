//! Migrates a database's schema to the program's, in one transaction.
//!
//! Running processes of an older version keep serving meanwhile: they check the schema only at startup, and
//! only the migrations themselves lock tables. A process takes an advisory lock before it reads the schema's
//! history, so if several start together, one migrates and the others wait.

use tokio_postgres::SimpleQueryRow;

use super::Connection;
use crate::error::{Error, Result};
use crate::migrate::{Applied, Migrate, Migration, missing};

/// The key of the advisory lock for reading and changing the schema's history.
const HISTORY_LOCK_KEY: i64 = 0x7a6f_6f70_0000_0000;

/// How long a migration waits for a table lock. Short, because later statements queue behind the migration.
const LOCK_TIMEOUT: &str = "5s";

/// Runs the missing migrations. Fails if `migrate` forbids that, or if [`missing`] rejects the database.
pub(super) fn run(
    connection: &mut Connection,
    migrations: &[Migration],
    migrate: Migrate,
) -> Result<()> {
    script(connection, &format!("SELECT pg_advisory_lock({HISTORY_LOCK_KEY})"))?;
    script(connection, "BEGIN READ WRITE")?;
    let outcome = advance(connection, migrations, migrate);
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    // If this fails, the server releases the advisory lock when the connection ends.
    let ended =
        script(connection, &format!("{end}; SELECT pg_advisory_unlock({HISTORY_LOCK_KEY})"));
    outcome.and(ended.map(drop))
}

fn advance(connection: &mut Connection, migrations: &[Migration], migrate: Migrate) -> Result<()> {
    let applied = applied(connection)?;
    let missing = missing(&applied, migrations, |migration| migration.postgres, migrate)?;
    if missing.is_empty() {
        return Ok(());
    }
    script(
        connection,
        &format!(
            "SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; \
         CREATE TABLE IF NOT EXISTS schema_steps \
         (position integer PRIMARY KEY, name text NOT NULL, script text NOT NULL)"
        ),
    )?;
    for (position, migration) in (applied.len()..).zip(missing) {
        script(connection, migration.postgres)?;
        let name = quote(migration.name);
        let text = quote(migration.postgres);
        let step = format!("INSERT INTO schema_steps VALUES ({position}, {name}, {text})");
        script(connection, &step)?;
    }
    Ok(())
}

/// The migrations that the database has run. Rejects a database that has run none but contains tables.
fn applied(connection: &mut Connection) -> Result<Vec<Applied>> {
    // Objects of extensions do not count.
    let tables = script(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
         AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (SELECT FROM pg_depend \
         WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')",
    )?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    if !tables.iter().any(|row| row.get(0) == Some("schema_steps")) {
        return Err(Error::Schema(
            "the database contains another program's tables: choose another database for zoop"
                .to_owned(),
        ));
    }
    let steps = script(connection, "SELECT name, script FROM schema_steps ORDER BY position")?;
    let step = |row: &SimpleQueryRow| Applied {
        name: row.get(0).unwrap_or_default().to_owned(),
        script: row.get(1).unwrap_or_default().to_owned(),
    };
    Ok(steps.iter().map(step).collect())
}

/// A string as an SQL literal. Only quotes are escaped, which is enough for the program's own strings.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Runs a script without a deadline, because a migration may rewrite a table.
fn script(connection: &mut Connection, sql: &str) -> Result<Vec<SimpleQueryRow>> {
    connection.script(sql, None).map_err(|failure| {
        if !failure.is_forbidden() {
            return failure.into();
        }
        Error::Schema(format!(
            "{failure}: the role must own the database and its tables; otherwise run `zoop migrate` with a role \
             that does, grant this role the rights to the tables, and run `zoop serve --no-migrate`"
        ))
    })
}
