//! Copies a database into an empty one, of the same engine or the other.
//!
//! The source is read in one snapshot, so the copy is consistent even if other processes write during it. Rows
//! keep their numbers, and the search index is built again from the rows, so a search finds the same rows in
//! the same order. The target is marked as incomplete until everything has been copied and
//! compared, and no process opens it before that.

pub(crate) mod cell;
pub(crate) mod rows;
pub(crate) mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zoop_db::{Db, GlobalSql, Reply, Tenant, Uuid, WriteTx, params};

use crate::business::customers;
use crate::business::notes;
use crate::call::error::{Error, Result};
use crate::call::table::{Role, Table};
use crate::schema::TABLES;

use self::cell::{Cell, Sum};

/// The time limit for reading all rows of a database, and for building or checking its search index.
const LONG_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The time limit for writing one page of rows. The source's transaction is idle during that time, and a
/// PostgreSQL server ends a transaction that is idle for a minute.
const TIMEOUT: Duration = Duration::from_secs(50);
/// Number of records that are indexed in one transaction.
const INDEX_BATCH: usize = 200;

/// A statement that does nothing, for an engine that does not need the statement.
macro_rules! nothing {
    () => {
        "DELETE FROM request_counts WHERE FALSE"
    };
}

zoop_db::global_statements! {
    /// On PostgreSQL the index on tokens is dropped before the rows are indexed, and created afterwards: adding
    /// rows to it one by one takes ten times as long. SQLite has no such index.
    DROP_CUSTOMER_TOKENS = {
        sqlite: nothing!(),
        postgres: "DROP INDEX customer_search_tokens",
    };
    DROP_NOTE_TOKENS = { sqlite: nothing!(), postgres: "DROP INDEX note_search_tokens" };
    INDEX_CUSTOMER_TOKENS = {
        sqlite: nothing!(),
        postgres: "CREATE INDEX customer_search_tokens ON customer_search USING gin (tokens) \
                   WITH (fastupdate = off)",
    };
    INDEX_NOTE_TOKENS = {
        sqlite: nothing!(),
        postgres: "CREATE INDEX note_search_tokens ON note_search USING gin (tokens) \
                   WITH (fastupdate = off)",
    };
    /// Makes the sequence of a column continue after the number `$3`.
    CONTINUE_SEQUENCE = {
        sqlite: "UPDATE sqlite_sequence SET seq = max(seq, $3) WHERE name = $1 AND $2 <> ''",
        postgres: "SELECT setval(pg_get_serial_sequence($1, $2)::regclass, $3)",
    };
}

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Copying rows.
    Rows,
    /// Filling the search index.
    Index,
    /// Creating PostgreSQL's index on the tokens of all records. It reports only its start and end.
    Tokens,
    /// Comparing the target's rows with the source's.
    Comparison,
}

/// Is called with the phase, the number of rows that are done, and the number of all rows.
pub type Progress = Arc<dyn Fn(Phase, u64, u64) + Send + Sync>;

/// A table that was copied: its rows are the same in both databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The table's name.
    pub table: &'static str,
    /// The number of its rows.
    pub rows: u64,
    /// The sum of the rows' digests.
    pub checksum: u128,
}

/// Copies all rows of a database into another, which must be empty.
///
/// # Errors
/// [`Error::Conflict`] if the target is not empty, which leaves it unchanged, or if another process wrote to it
/// during the copy. Also if a database fails. Once rows are being copied, an error leaves the target marked as
/// incomplete.
pub fn copy(from: &Db, to: &Db, progress: &Progress) -> Result<Vec<Copied>> {
    begin(to)?;
    let sent = copy_rows(from, to, progress)?;
    index(to, &sent, progress)?;
    let arrived = read_again(to, sent.rows(), progress)?;
    if let Some(table) = TABLES.iter().find(|table| sent.sum_of(table) != arrived.sum_of(table)) {
        return Err(Error::conflict(format!(
            "the {} of the copy differ from the source: another process has written to the copy, \
             which is incomplete",
            table.name
        )));
    }
    search::check(to, &sent)?;
    end(to, &sent)?;
    let copied = TABLES.iter().map(|table| {
        let Sum { rows, checksum } = sent.sum_of(table);
        Copied { table: table.name, rows, checksum }
    });
    Ok(copied.collect())
}

/// Checks that the target is empty, and marks it as incomplete.
fn begin(to: &Db) -> Result<()> {
    let begun = write(to, |tx| {
        for table in TABLES.iter().filter(|table| !table.is_per_tenant()) {
            if rows::count(tx, table)? > 0 {
                return Err(Error::conflict(format!(
                    "the target is not empty: it has {}. Name a new database",
                    table.name
                )));
            }
        }
        Ok(tx.begin_copy()?)
    });
    begun.wait()
}

/// Removes the mark from a complete copy, and makes its sequences continue after the copied numbers.
fn end(to: &Db, sent: &Tally) -> Result<()> {
    let numbers = sent.numbers.clone();
    let ended = write(to, move |tx| {
        for ((table, column), greatest) in &numbers {
            tx.global_execute(CONTINUE_SEQUENCE, params![*table, *column, *greatest])?;
        }
        Ok(tx.end_copy()?)
    });
    ended.wait()
}

/// Counts and checksums of the rows that were read from a database.
#[derive(Default)]
struct Tally {
    sums: BTreeMap<&'static str, Sum>,
    /// The greatest number of each sequence, by table and column.
    numbers: BTreeMap<(&'static str, &'static str), i64>,
    /// The number of customers and notes of each tenant.
    tenants: BTreeMap<u32, u64>,
}

impl Tally {
    fn sum_of(&self, table: &Table) -> Sum {
        self.sums.get(table.name).copied().unwrap_or_default()
    }

    fn rows(&self) -> u64 {
        self.sums.values().map(|sum| sum.rows).sum()
    }

    fn add(&mut self, table: &'static Table, tenant: Option<Tenant>, page: &[Vec<Cell>]) {
        let sum = self.sums.entry(table.name).or_default();
        for row in page {
            sum.add(tenant, row);
        }
        for (index, column) in table.columns.iter().enumerate() {
            if column.role != Role::Numbered {
                continue;
            }
            let greatest = self.numbers.entry((table.name, column.name)).or_default();
            for row in page {
                if let Cell::Integer(number) = row[index] {
                    *greatest = number.max(*greatest);
                }
            }
        }
        if let (Some(Tenant(number)), "customers" | "notes") = (tenant, table.name) {
            *self.tenants.entry(number).or_default() += page.len() as u64;
        }
    }
}

/// Copies all rows, in one snapshot of the source, and returns their tally.
fn copy_rows(from: &Db, to: &Db, progress: &Progress) -> Result<Tally> {
    let (to, progress) = (to.clone(), progress.clone());
    let copied = from.read(Instant::now() + LONG_TIMEOUT, move |tx| {
        let all = rows::count_all(tx)?;
        let mut tally = Tally::default();
        // The next page is read while the previous one is written.
        let mut writing: Option<Reply<(), Error>> = None;
        rows::each_page(tx, |table, tenant, page| {
            tally.add(table, tenant, &page);
            writing.take().map_or(Ok(()), Reply::wait)?;
            progress(Phase::Rows, tally.rows(), all);
            writing = Some(write(&to, move |tx| rows::add(tx, table, tenant, &page)));
            Ok(())
        })?;
        writing.map_or(Ok(()), Reply::wait)?;
        if tally.rows() == all {
            return Ok(tally);
        }
        Err(Error::internal(format!("only {} of {all} rows were read", tally.rows())))
    });
    copied.wait()
}

/// Builds the search index of the copied records.
fn index(to: &Db, copied: &Tally, progress: &Progress) -> Result<()> {
    run_slow_statements(to, [DROP_CUSTOMER_TOKENS, DROP_NOTE_TOKENS])?;
    let all = copied.tenants.values().sum();
    let mut done = 0;
    for tenant in copied.tenants.keys() {
        for index in [customers::store::index_page, notes::index_page] {
            let mut after = Uuid::nil();
            loop {
                let tenant = Tenant(*tenant);
                let page = write(to, move |tx| {
                    tx.bind(tenant);
                    index(tx, after, INDEX_BATCH)
                });
                let ids = page.wait()?;
                let Some(last) = ids.last() else { break };
                after = *last;
                done += ids.len() as u64;
                progress(Phase::Index, done, all);
            }
        }
    }
    progress(Phase::Tokens, 0, 1);
    run_slow_statements(to, [INDEX_CUSTOMER_TOKENS, INDEX_NOTE_TOKENS])?;
    progress(Phase::Tokens, 1, 1);
    Ok(())
}

/// Runs statements that may take very long.
fn run_slow_statements(to: &Db, statements: [GlobalSql; 2]) -> Result<()> {
    let run = to.write(Instant::now() + LONG_TIMEOUT, move |tx| {
        for statement in statements {
            tx.global_execute(statement, &[])?;
        }
        Ok(())
    });
    run.wait()
}

/// Reads all rows of a database and returns their tally.
fn read_again(db: &Db, all: u64, progress: &Progress) -> Result<Tally> {
    let progress = progress.clone();
    let read = db.read(Instant::now() + LONG_TIMEOUT, move |tx| {
        let mut tally = Tally::default();
        rows::each_page(tx, |table, tenant, page| {
            tally.add(table, tenant, &page);
            progress(Phase::Comparison, tally.rows(), all);
            Ok(())
        })?;
        Ok(tally)
    });
    read.wait()
}

fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnMut(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
) -> Reply<T, Error> {
    db.write(Instant::now() + TIMEOUT, work)
}
