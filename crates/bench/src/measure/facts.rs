//! Facts that no load measures: sizes on disk, zoop's startup time and idle memory.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::Run;
use crate::load;
use crate::opponents::server::Commits;

/// The number of measured starts.
const STARTS: usize = 10;
/// How long a server idles before its memory is measured.
const REST: Duration = Duration::from_secs(2);

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let binary = std::fs::metadata(&run.plan.zoop.binary)?.len();
    run.results.note("binary bytes", 0, count(binary));
    for index in 0..run.databases.len() {
        sizes(run, index)?;
    }
    let customers = run.largest().customers;
    for business in run.largest().landmarks.businesses.clone() {
        let name = format!("customers of {}", business.place);
        run.results.note(&name, customers, count(business.customers as u64));
    }
    starts(run)
}

/// Bytes on disk: of the file, per row, and of each table.
fn sizes(run: &mut Run, index: usize) -> Result<()> {
    let database = &run.databases[index];
    let customers = database.customers;
    let rows = f64::from(customers + database.landmarks.parameters.notes());
    let file = count(std::fs::metadata(&database.path)?.len());
    let tables = tables(&database.path)?;
    run.results.note("file bytes", customers, file);
    run.results.note("bytes a row", customers, file / rows);
    for (table, bytes) in tables {
        run.results.note(&format!("bytes of {table}"), customers, bytes);
    }
    Ok(())
}

/// The size of each table with its indexes and, for a search index, its shadow tables.
fn tables(path: &Path) -> Result<Vec<(String, f64)>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(
        "SELECT CASE WHEN s.tbl_name LIKE 'customer_search%' THEN 'customer_search'
                WHEN s.tbl_name LIKE 'note_search%' THEN 'note_search'
                WHEN s.tbl_name LIKE 'history%' THEN 'history'
                ELSE s.tbl_name END AS part, sum(d.pgsize)
         FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
         WHERE d.aggregate = TRUE GROUP BY part ORDER BY 2 DESC",
    )?;
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(tables.collect::<rusqlite::Result<_>>()?)
}

/// The time from the start of the process to its first answer, and its memory before any call.
fn starts(run: &mut Run) -> Result<()> {
    run.begin("starts", STARTS);
    for start in 0..STARTS {
        let database = run.largest();
        let (customers, of) = (database.customers, database.largest());
        let began = Instant::now();
        let server = run.plan.zoop.start(&database.path, &of.owner_key, Commits::Grouped)?;
        let get = server.target.call("customers.get", &json!({ "id": of.customer_ids[0] }));
        load::once(server.target.address, &get)?;
        let first_answer = began.elapsed().as_secs_f64() * 1e3;
        if start == 0 {
            std::thread::sleep(REST);
            let memory = load::memory(&server.process)?;
            run.results.note("idle own memory", customers, count(memory.own));
            run.results.note("idle memory", customers, count(memory.all));
        }
        run.results.note("first answer ms", customers, first_answer);
        run.bar.inc(1);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^52")]
const fn count(bytes: u64) -> f64 {
    bytes as f64
}
