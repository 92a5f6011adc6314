//! Which customers of an export were merged into which, so that no file brings customers that lead to each other in a
//! circle: what reads a merged customer follows them to the end.

use std::collections::{HashMap, HashSet};

use zoop_db::Uuid;

use crate::call::error::{Error, Result};
use crate::call::table::Table;
use crate::transfer::cell::Cell;

const COLUMN: &str = "merged_into";

/// The merged customers, each with the one that it was merged into.
#[derive(Default)]
pub(super) struct Merges(HashMap<Uuid, Uuid>);

impl Merges {
    /// Adds what rows of a table say.
    pub(super) fn add(&mut self, table: &Table, rows: &[Vec<Cell>]) {
        let position = |name| table.lasting().position(|column| column.name == name);
        let (Some(id), Some(into)) = (position("id"), position(COLUMN)) else { return };
        self.0.extend(rows.iter().filter_map(|row| match (row.get(id)?, row.get(into)?) {
            (Cell::Id(id), Cell::Id(into)) => Some((*id, *into)),
            _ => None,
        }));
    }

    /// Refuses circles.
    pub(super) fn check(&self) -> Result<()> {
        let mut ends = HashSet::new();
        for first in self.0.keys() {
            let (mut way, mut at) = (HashSet::new(), *first);
            while let Some(next) = self.0.get(&at).filter(|_| !ends.contains(&at)) {
                if !way.insert(at) {
                    return Err(Error::conflict(format!(
                        "the customer {at} was merged into itself, by way of others: export the account again"
                    )));
                }
                at = *next;
            }
            ends.extend(way);
        }
        Ok(())
    }
}
