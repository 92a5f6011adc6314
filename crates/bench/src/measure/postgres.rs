//! The largest database on PostgreSQL: single reads beside the bare driver's, searches and lists,
//! creating.

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use zoop_db::{Tenant, Uuid};

use super::Run;
use super::others::CALLERS;
use crate::cases::{self, Case};
use crate::opponents::postgres::{Moved, Reads};
use crate::opponents::server::{Commits, Server};
use crate::results::Key;

/// The server's name in the results.
pub(crate) const POSTGRES: &str = "zoop on PostgreSQL";
/// Numbers of reads a second.
pub(crate) const BARE: &str = "reads of the bare driver on PostgreSQL";
pub(crate) const BOUND: &str = "reads in a tenant's snapshot on PostgreSQL";

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let (path, landmarks) = (run.largest().path.clone(), run.largest().largest().clone());
    let customers = run.largest().customers;
    let moved = Moved::of(&run.plan.zoop, &path)?;
    let tenant = tenant(&path, &landmarks.tenant_id)?;
    let reads = Reads::new(&moved.url, tenant, &landmarks.customer_ids)?;
    let key = |case: &Case, callers| Key {
        server: POSTGRES.to_owned(),
        tool: case.tool.to_owned(),
        case: case.name.to_owned(),
        callers,
        customers,
        business: landmarks.place.clone(),
    };
    let server = run.plan.zoop.start_on(&moved.url, &landmarks.owner_key, Commits::Grouped)?;
    let pages = cases::PAGES.len();
    run.begin("PostgreSQL", run.plan.rounds * (CALLERS.len() * 3 + pages));
    let get =
        |server: &Server| cases::GET.requests(&server.target, &landmarks)?.context("customers");
    run.warm_up(&server, get(&server)?)?;
    // A server that has just been started has nothing in memory yet.
    for case in cases::PAGES {
        if let Some(requests) = case.requests(&server.target, &landmarks)? {
            run.warm_up(&server, requests)?;
        }
    }
    for round in 0..run.plan.rounds {
        let time = run.plan.span.counted;
        run.results.note(BARE, customers, reads.bare(time)?);
        run.results.note(BOUND, customers, reads.bound(time)?);
        for case in cases::PAGES {
            if let Some(requests) = case.requests(&server.target, &landmarks)? {
                run.load(&server, requests, key(case, 1), round)?;
            }
        }
        for callers in CALLERS.iter().copied() {
            run.load(&server, get(&server)?, key(&cases::GET, callers), round)?;
            let new = cases::new_customers(&server.target, run.next_series());
            let of = |tool: &str| Key {
                tool: tool.to_owned(),
                case: "new".to_owned(),
                ..key(&cases::GET, callers)
            };
            run.load(&server, new, of("customers.create"), round)?;
            let new = cases::new_notes(&server.target, &landmarks, run.next_series());
            run.load(&server, new, of("notes.create"), round)?;
        }
    }
    Ok(())
}

/// A tenant's number, which is the same wherever its rows are moved.
fn tenant(database: &std::path::Path, id: &str) -> Result<Tenant> {
    let file = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let id = Uuid::try_parse(id).context("a tenant's id")?.into_bytes();
    Ok(Tenant(file.query_row("SELECT no FROM tenants WHERE id = ?1", [id], |row| row.get(0))?))
}
