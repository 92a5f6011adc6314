//! The largest database on PostgreSQL: single reads compared with the bare driver's, searches and lists,
//! creating records.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use zoop_db::{Tenant, Uuid};

use super::others::CALLERS;
use super::{Run, fairness};
use crate::cases;
use crate::opponents::postgres::{Moved, Reads};
use crate::opponents::server::Commits;
use crate::results::Key;

/// The server's name in the results.
pub(crate) const POSTGRES: &str = "zoop on PostgreSQL";
/// Reads per second.
pub(crate) const BARE: &str = "reads of the bare driver on PostgreSQL";
pub(crate) const BOUND: &str = "reads in a tenant's snapshot on PostgreSQL";
/// Calls per second, each with all its statements.
pub(crate) const BARE_CALLS: &str = "calls' statements of the bare driver on PostgreSQL";
pub(crate) const BOUND_CALLS: &str = "calls' statements in a tenant's snapshot on PostgreSQL";
/// Rows per second copied by `zoop copy`.
pub(crate) const MOVED: &str = "rows moved a second to PostgreSQL";
/// Every fact recorded here.
pub(crate) const FACTS: [&str; 5] = [BARE, BOUND, BARE_CALLS, BOUND_CALLS, MOVED];

/// How many times longer a page is measured than on SQLite: fewer calls are answered per second, and the slowest of
/// few are a matter of chance.
const PAGE_SPANS: u32 = 4;

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let path = run.largest().path.clone();
    let moved = Moved::of(&run.plan.zoop, &path)?;
    run.results.note(MOVED, run.largest().customers, moved.rows_per_second);
    reads(run, &moved, &path)?;
    pages(run, &moved)?;
    writes(run, &moved)?;
    neighbors(run, &moved)
}

/// Measures only one business next to another one.
pub(super) fn measure_neighbors(run: &mut Run) -> Result<()> {
    let moved = Moved::of(&run.plan.zoop, &run.largest().path.clone())?;
    neighbors(run, &moved)
}

fn neighbors(run: &mut Run, moved: &Moved) -> Result<()> {
    let copy = moved.copy()?;
    fairness::measure_on(run, POSTGRES, copy.url())
}

/// Single reads compared with the bare driver's.
fn reads(run: &mut Run, moved: &Moved, path: &Path) -> Result<()> {
    let (landmarks, customers) = (run.largest().largest().clone(), run.largest().customers);
    let tenant = tenant(path, &landmarks.tenant_id)?;
    let reads = Reads::new(moved, &landmarks.owner_key, tenant, &landmarks.customer_ids)?;
    let time = run.plan.span.counted;
    for _ in 0..run.plan.rounds {
        run.results.note(BARE, customers, reads.bare(time)?);
        run.results.note(BOUND, customers, reads.bound(time)?);
        run.results.note(BARE_CALLS, customers, reads.bare_calls(time)?);
        run.results.note(BOUND_CALLS, customers, reads.bound_calls(time)?);
    }
    Ok(())
}

/// Searches, lists and read calls on an unmodified database.
fn pages(run: &mut Run, moved: &Moved) -> Result<()> {
    let landmarks = run.largest().largest().clone();
    let server = run.plan.zoop.start_on(&moved.url, &landmarks.owner_key, Commits::Grouped)?;
    run.begin("PostgreSQL", run.plan.rounds * (CALLERS.len() + cases::PAGES.len()));
    let get = || cases::GET.requests(&server.target, &landmarks)?.context("customers");
    run.warm_up(&server, get()?)?;
    // A server that has just started has nothing in memory yet.
    for case in cases::PAGES {
        if let Some(requests) = case.requests(&server.target, &landmarks)? {
            run.warm_up(&server, requests)?;
        }
    }
    let span = run.plan.span;
    for round in 0..run.plan.rounds {
        run.plan.span.counted = span.counted * PAGE_SPANS;
        for case in cases::PAGES {
            if let Some(requests) = case.requests(&server.target, &landmarks)? {
                run.load(&server, requests, key(run, case.tool, case.name, 1), round)?;
            }
        }
        run.plan.span = span;
        for callers in CALLERS.iter().copied() {
            let key = key(run, cases::GET.tool, cases::GET.name, callers);
            run.load(&server, get()?, key, round)?;
        }
    }
    Ok(())
}

/// Creating records, in a copy.
fn writes(run: &mut Run, moved: &Moved) -> Result<()> {
    let landmarks = run.largest().largest().clone();
    let copy = moved.copy()?;
    let server = run.plan.zoop.start_on(copy.url(), &landmarks.owner_key, Commits::Grouped)?;
    run.begin("PostgreSQL, writes", run.plan.rounds * CALLERS.len() * 2);
    run.warm_up(&server, cases::GET.requests(&server.target, &landmarks)?.context("customers")?)?;
    for round in 0..run.plan.rounds {
        for callers in CALLERS.iter().copied() {
            let new = cases::new_customers(&server.target, run.next_series());
            run.load(&server, new, key(run, "customers.create", "new", callers), round)?;
            let new = cases::new_notes(&server.target, &landmarks, run.next_series());
            run.load(&server, new, key(run, "notes.create", "new", callers), round)?;
        }
    }
    Ok(())
}

fn key(run: &Run, tool: &str, case: &str, callers: usize) -> Key {
    Key {
        server: POSTGRES.to_owned(),
        tool: tool.to_owned(),
        case: case.to_owned(),
        callers,
        customers: run.largest().customers,
        business: run.largest().largest().place.clone(),
    }
}

/// A tenant's number, which a transfer does not change.
fn tenant(database: &Path, id: &str) -> Result<Tenant> {
    let file = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let id = Uuid::try_parse(id).context("a tenant's id")?.into_bytes();
    Ok(Tenant(file.query_row("SELECT no FROM tenants WHERE id = ?1", [id], |row| row.get(0))?))
}
