//! Imports that a page prepares and a server runs, whether or not the page stays open.
//!
//! A [`Job`] begins with a file. A server looks its customers up, the page shows the [`Preview`], and a person says what
//! columns mean until it is right. Then a server adds the customers, or takes an import back. `work`, `holding`
//! and `steps` are what servers do, and `store` has the SQL. Each job has a time at which something is to be done for it: work, or its removal. A server
//! that works on a job moves this time on, so that another one goes on if it does not any more.

mod actions;
pub(super) mod holding;
mod steps;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod work;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use super::may_import;
use super::preview::{Preview, Remarks, ShownColumn};
use super::run::WhenRejected;
use super::source::Reading;
use super::undo::Kept;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::proof::{Proof, enter_read, enter_write};
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

pub(crate) use actions::erase_some;
pub use actions::{add_bytes, arrived, begin, cancel, read_as, remove, start, undo};
pub(super) use steps::reason;
pub use work::Worker;

/// How many bytes of a file a row has.
const PART_BYTES: usize = 32 * 1024;
/// How many bytes of a file are stored in one transaction: whole rows.
pub const SENT_BYTES: usize = 8 * PART_BYTES;
/// How many of the latest jobs are read.
const LISTED: usize = 50;
/// How many parts of a file one transaction deletes.
const DELETED_AT_ONCE: i64 = 32;
/// How long a job is kept after its last step, in microseconds.
const RETENTION: i64 = 7 * 86_400 * 1_000_000;

crate::call::argument::choices! {
    /// How far a job is.
    pub enum Stage {
        /// Its file is arriving.
        Arriving = "arriving",
        /// A server looks up what its file would add.
        LookingUp = "looking_up",
        /// A person decides.
        Ready = "ready",
        /// A server adds the customers.
        Adding = "adding",
        /// A server takes back what was added.
        Undoing = "undoing",
        /// It was done.
        Ended = "ended",
        /// A server removes it.
        Removed = "removed",
    }
}

crate::call::argument::choices! {
    /// A file of a job.
    pub enum StoredFile {
        /// The file to import.
        Source = "source",
        /// What becomes of each of its rows.
        Report = "report",
        /// The rows that were not added.
        Rejected = "rejected",
    }
}

/// A job as pages show it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: Id<kinds::ImportJob>,
    /// The file's name.
    pub file_name: String,
    /// How far it is.
    pub stage: Stage,
    /// How the file is read.
    pub reading: Reading,
    /// Its columns. None if it cannot be read at all.
    pub columns: Vec<ShownColumn>,
    /// What it would add, if that is known.
    pub preview: Option<Preview>,
    /// The token of this plan.
    pub plan: String,
    /// The import that it became.
    pub import: Option<Id<kinds::Import>>,
    /// What was done.
    pub result: Outcome,
    /// Why the last step was not done. Empty if it was.
    pub problem: String,
    /// How many customers of the current step are done.
    pub done: i64,
    /// How many there are. 0 until it is known.
    pub total: i64,
}

/// A job in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: Id<kinds::ImportJob>,
    /// The file's name.
    pub file_name: String,
    /// How far it is.
    pub stage: Stage,
    /// The import that it became.
    pub import: Option<Id<kinds::Import>>,
}

/// What a job has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many customers were added.
    pub added: i64,
    /// Customers that could not be added.
    pub rejected: Remarks,
    /// How many customers and tags were taken back.
    pub taken_back: usize,
    /// The first of those that stay.
    pub kept: Vec<Kept>,
    /// How many stay.
    pub kept_count: usize,
}

/// A job for which something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The tenant's number.
    pub number: Tenant,
    /// The tenant.
    pub tenant: Id<kinds::Tenant>,
    /// The job.
    pub job: Id<kinds::ImportJob>,
    /// Since when.
    pub due_at: Timestamp,
}

impl Stage {
    /// Whether a server works on it.
    #[must_use]
    pub const fn is_work(self) -> bool {
        matches!(self, Self::LookingUp | Self::Adding | Self::Undoing)
    }
}

/// Reads something about imports, if the caller may import.
///
/// # Errors
/// The credential is invalid, the caller may not import, or `work` fails.
pub fn read<P: Proof, T>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    work: impl FnOnce(&mut ReadTx<'_>) -> Result<T>,
) -> Result<T, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    may_import(&access)?;
    Ok(work(tx)?)
}

/// Writes something about imports, if the caller may import.
///
/// # Errors
/// As [`read`].
pub fn write<P: Proof, T>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &P,
    work: impl FnOnce(&mut WriteCtx<'_, '_>) -> Result<T>,
) -> Result<T, P::Refusal> {
    let access = enter_write(tx, environment, proof)?;
    may_import(&access)?;
    Ok(work(&mut WriteCtx::begin(tx, &access, environment)?)?)
}

/// A job.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job.
pub fn get(tx: &mut ReadTx<'_>, id: Id<kinds::ImportJob>) -> Result<Job> {
    let row = store::get(tx, id)?;
    if row.stage == Stage::Removed {
        return Err(Error::not_found("import"));
    }
    row.shown()
}

/// The latest jobs, the latest first.
///
/// # Errors
/// If the database fails.
pub fn latest(tx: &mut ReadTx<'_>) -> Result<Vec<Listed>> {
    store::latest(tx, LISTED)
}

/// A part of a file, or `None` after its last one.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such job.
pub fn part(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::ImportJob>,
    file: StoredFile,
    part: i64,
) -> Result<Option<Vec<u8>>> {
    get(tx, id)?;
    store::part(tx, id, file, part)
}
