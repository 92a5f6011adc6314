//! Removes expired rows, measures what each tenant stores, and finds records that a wrong clock dated.
//!
//! Sweeps only keep the database small. No answer may depend on a sweep: expired rows are already invisible
//! before it removes them. Records dated in the future cannot be repaired, only reported.

use std::time::Duration;

use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use crate::business::customers::store as customers;
use crate::business::notes;
use crate::call::error::{Error, Result};
use crate::call::history::store as history;
use crate::call::idempotency;
use crate::call::storage::{self, Class, Stored};
use crate::call::sweep::Sweep;
use crate::call::table::{Erasure, Rows, Table};
use crate::identity::invitations;
use crate::identity::oauth;
use crate::identity::sign_in;
use crate::identity::tenants::store as tenants;
use crate::request_counts;
use crate::schema::{SEARCH_TABLES, TABLES};
use crate::servers;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// Records dated in the future: a clock was wrong when they were created, or is wrong now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// The number of tenants with such records.
    pub tenants: usize,
    /// The latest creation time among them.
    pub latest: Moment,
}

/// Finds records dated in the future, by the history entries of their changes.
///
/// # Errors
/// If the database fails.
pub fn ahead(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Option<Ahead>> {
    let mut ahead: Option<Ahead> = None;
    for tenant in tenants::numbers(tx)? {
        tx.bind(tenant);
        if let Some(latest) = history::latest_from_wrong_clock(tx, now)? {
            let known = ahead.unwrap_or(Ahead { tenants: 0, latest });
            ahead = Some(Ahead { tenants: known.tenants + 1, latest: known.latest.max(latest) });
        }
    }
    Ok(ahead)
}

/// Measures what the bound tenant stores, by reading all of its rows. Also returns the drift: what must be
/// added to the tenant's counted bytes to correct them.
///
/// # Errors
/// If the database fails.
pub fn measure(tx: &mut ReadTx<'_>) -> Result<(Stored, Stored)> {
    let mut measured = Stored::default();
    for table in TABLES {
        let Rows::PerTenant { size, .. } = table.rows else { continue };
        let (class, copies) = match table.name {
            "history" | "history_entries" | "history_origins" | "history_records" => {
                (Class::History, 1)
            }
            "idempotency" => (Class::Answers, 1),
            "notes" => (Class::Notes, 2),
            // Each user has only a few of these rows, and no write counts them. A tenant has only a few files that wait
            // to be imported, and they are removed after a week.
            "note_writes" | "draft_bytes" | "import_jobs" | "import_parts" => continue,
            _ => (Class::Records, 2),
        };
        let size = tx.first::<_, Error>(size, &[], |row| Ok((row.take()?, row.take()?)))?;
        let (rows, texts): (i64, i64) = size.unwrap_or_default();
        let fixed = if class == Class::Notes { 1 } else { copies };
        measured.add(class, fixed * rows * table.row_size() + copies * texts);
    }
    let drafts = notes::size_of_drafts(tx)?;
    measured.add(Class::Notes, -2 * drafts);
    measured.add(Class::Drafts, drafts);
    let drift = measured.since(&storage::counted(tx)?);
    Ok((measured, drift))
}

/// Maximum number of customers that [`outdated`] returns.
const MAX_OUTDATED: usize = 2_000;

/// Customers of one tenant that an older version of this program wrote to the search index, with fewer tokens than
/// this one would. They are found by all that the older version knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outdated {
    /// The tenant.
    pub tenant: Tenant,
    /// The customers, the oldest first.
    pub customers: Vec<Id<kinds::Customer>>,
}

/// Finds some customers whose entries in the search index are of an older form. An older version
/// that still runs beside this one may write more of them at any time.
///
/// # Errors
/// If the database fails.
pub fn outdated(tx: &mut ReadTx<'_>) -> Result<Vec<Outdated>> {
    let (mut outdated, mut room) = (Vec::new(), MAX_OUTDATED);
    for tenant in tenants::numbers(tx)? {
        tx.bind(tenant);
        let customers = customers::outdated(tx, room)?;
        room -= customers.len();
        if !customers.is_empty() {
            outdated.push(Outdated { tenant, customers });
        }
        if room == 0 {
            break;
        }
    }
    Ok(outdated)
}

/// Writes customers of a tenant to the search index again.
///
/// # Errors
/// If the database fails.
pub fn reindex(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    customers: &[Id<kinds::Customer>],
) -> Result<()> {
    tx.bind(tenant);
    for id in customers {
        match customers::get(tx, *id) {
            Ok(customer) => customers::reindex(tx, &customer)?,
            // Erased since it was found.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Does a little of the merging that keeps searches fast after many writes. Returns whether there was anything to merge.
///
/// Every write adds a small part to a search index, and SQLite merges them only in part. A search looks into all of
/// them, once for each word and each other form of it.
///
/// # Errors
/// If the database fails.
pub fn merge_search_indexes(tx: &mut WriteTx<'_>) -> Result<bool> {
    for index in SEARCH_TABLES {
        if tx.merge_index(index)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How long [`rewrite`] is to try a step that other connections prevent: long reads end by then.
pub const REWRITE_PATIENCE: Duration = Duration::from_secs(300);

/// Writes the database at a URL again after an erasure, so that its files have nothing of what was erased.
///
/// # Errors
/// See [`zoop_db::engine::rewrite`].
pub fn rewrite(url: &str, patience: Duration) -> zoop_db::error::Result<()> {
    zoop_db::engine::rewrite(url, &rewritten_tables(), SEARCH_TABLES, patience)
}

/// Checks that [`rewrite`] can be done, before anything is erased.
///
/// # Errors
/// See [`zoop_db::engine::check_rewrite`].
pub fn check_rewrite(url: &str) -> zoop_db::error::Result<()> {
    zoop_db::engine::check_rewrite(url, &rewritten_tables(), SEARCH_TABLES)
}

/// The tables that may have something of what was erased.
fn rewritten_tables() -> Vec<&'static str> {
    let may_have_some = |table: &&&Table| {
        let erasure = |it: &Erasure| matches!(it, Erasure::WithCustomer | Erasure::OnExpiry);
        table.is_per_tenant() && table.erased.iter().any(erasure)
    };
    TABLES.iter().filter(may_have_some).map(|table| table.name).collect()
}

/// Every sweep, in the order in which they run: a row is removed after all rows that refer to it.
pub fn sweeps() -> impl Iterator<Item = &'static Sweep> {
    [idempotency::SWEEPS, notes::SWEEPS]
        .into_iter()
        .chain(sign_in::SWEEPS)
        .chain([invitations::SWEEPS])
        .chain(oauth::SWEEPS)
        .chain([request_counts::SWEEPS, servers::SWEEPS])
        .flatten()
}
