//! Sweeps remove expired rows a few at a time, oldest first, so that each step is a short write, however many
//! rows have expired. The modules that own the rows declare their sweeps, and `maintenance.rs` lists them all.

use zoop_db::{Timestamp, WriteTx};

use super::error::Result;

/// Maximum number of rows that one step changes. `few!` contains the same number.
pub const STEP: usize = 200;

/// The sweep of one kind of expired row.
#[derive(Debug)]
pub struct Sweep {
    /// The name of the rows, for the log.
    pub rows: &'static str,
    /// Runs one statement made with [`few!`], for rows that have expired at the given time. Returns the
    /// number of rows that it changed.
    pub(crate) step: fn(&mut WriteTx<'_>, Timestamp) -> Result<usize>,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// The number of rows, at most [`STEP`].
    pub rows: usize,
    /// Whether no expired rows are left.
    pub is_done: bool,
}

impl Sweep {
    /// Sweeps up to [`STEP`] rows that have expired at `now`, oldest first. All steps of one round get the same
    /// time, so that no row expires between the sweep of the rows that refer to it and its own sweep.
    ///
    /// # Errors
    /// If the database fails.
    pub fn step(&self, tx: &mut WriteTx<'_>, now: Timestamp) -> Result<Swept> {
        let rows = (self.step)(tx, now)?;
        Ok(Swept { rows, is_done: rows < STEP })
    }
}

/// The end of a statement that changes only the first [`STEP`] rows that match, in the order of an index.
/// The limit is a literal: for a limit in a parameter, PostgreSQL would plan for a tenth of the table.
macro_rules! few {
    ($table:literal, $key:literal, $condition:literal, $order:literal) => {
        concat!(
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $condition,
            " ORDER BY ",
            $order,
            " LIMIT 200)"
        )
    };
}
pub(crate) use few;
