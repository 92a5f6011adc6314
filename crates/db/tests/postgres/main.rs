//! Behavior of an engine with a server: connections that break, other processes that write, and answers
//! that never come.

mod commits;
mod connections;
mod transactions;

use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Migrate, Migration, Options, params};
use zoop_postgres_cluster::Database;

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_init",
    sqlite: "",
    postgres: "CREATE TABLE numbers (
                   n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_no integer NOT NULL,
                   number bigint NOT NULL, UNIQUE (tenant_no, number));
               ALTER TABLE numbers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
               CREATE POLICY tenant ON numbers USING
                   (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
               CREATE POLICY sweep ON numbers USING (current_setting('app.sweep', true) = 'on');
               CREATE TABLE counters (name text PRIMARY KEY, number bigint NOT NULL);
               INSERT INTO counters VALUES ('x', 0), ('y', 0);",
}];

zoop_db::statements! {
    ADD = "INSERT INTO numbers (tenant_no, number) VALUES ($1, $2)";
    GREATEST = "SELECT max(number) FROM numbers WHERE tenant_no = $1";
    COUNT = "SELECT count(*) FROM numbers WHERE tenant_no = $1";
    NUMBERS = "SELECT number FROM numbers WHERE tenant_no = $1 ORDER BY n";
}

zoop_db::global_statements! {
    SWEEP = "DELETE FROM numbers RETURNING 1";
    RAISE = "UPDATE counters SET number = number + 1 WHERE name = $1";
    COUNTED = "SELECT number FROM counters WHERE name = $1";
    END_OWN_CONNECTION = "SELECT pg_terminate_backend(pg_backend_pid())";
    END_OTHER_CONNECTIONS = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                             WHERE datname = current_database() AND pid <> pg_backend_pid()";
    FAIL = "SELECT fail($1, $2)";
    NUMBER = "SELECT pg_current_xact_id()::text::bigint";
    ASLEEP = "SELECT count(*) FROM pg_stat_activity \
              WHERE datname = current_database() AND wait_event = 'PgSleep'";
    SLEEP = "SELECT 1 FROM pg_sleep(60)";
}

/// A deadline that a passing test never reaches.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A database for one test.
fn database() -> Database {
    zoop_postgres_cluster::database().expect("a database")
}

fn open(url: &str) -> Db {
    Db::open(url, &Options::default(), MIGRATIONS, Migrate::Run).expect("opens")
}

/// Adds a number for tenant 1.
fn add(db: &Db, number: i64) -> Result<i64, Error> {
    let added = db.write::<_, Error>(far(), move |tx| {
        tx.bind(zoop_db::Tenant(1));
        tx.insert(ADD, params![number])
    });
    added.wait()
}

/// The number of rows of tenant 1.
fn count(db: &Db) -> Result<i64, Error> {
    let counted = db.read::<i64, Error>(far(), |tx| {
        tx.bind(zoop_db::Tenant(1));
        tx.first(COUNT, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    counted.wait()
}
