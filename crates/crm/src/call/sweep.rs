//! Sweeps: expired rows are removed a few at a time, oldest first, so that one step is a short write
//! whatever has piled up. The modules that own the rows declare their sweeps here; `maintenance.rs` lists
//! them all.

use zoop_db::{Timestamp, WriteTx};

use super::error::Result;

/// The most rows that one step changes: the limit of `few!`.
pub const STEP: usize = 200;

/// One kind of expired rows.
#[derive(Debug)]
pub struct Sweep {
    /// What is swept, for the log.
    pub rows: &'static str,
    /// Runs one statement made with [`few!`], for rows that have expired at this time, and returns the
    /// number of rows that it changed.
    pub(crate) step: fn(&mut WriteTx<'_>, Timestamp) -> Result<usize>,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// The number of rows, at most [`STEP`].
    pub rows: usize,
    /// Whether nothing is left.
    pub is_done: bool,
}

impl Sweep {
    /// Sweeps up to [`STEP`] rows that have expired at `now`, oldest first. All steps of one round are given
    /// the same time: a row must not expire between the sweep of what refers to it and its own.
    ///
    /// # Errors
    /// If the database fails.
    pub fn step(&self, tx: &mut WriteTx<'_>, now: Timestamp) -> Result<Swept> {
        let rows = (self.step)(tx, now)?;
        Ok(Swept { rows, is_done: rows < STEP })
    }
}

/// The end of a statement that changes only the first [`STEP`] rows that match, in the order of an index.
/// The limit is part of the text: PostgreSQL would plan for a tenth of the table if it were a parameter.
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
