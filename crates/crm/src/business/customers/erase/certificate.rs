//! What is known about an erasure, for the person who asked for it.

use serde::Serialize;

use super::ErasedCustomer;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// What was erased, what stays, and why.
#[derive(Debug, Serialize)]
pub struct Certificate {
    /// The business.
    pub tenant_id: Id<kinds::Tenant>,
    /// When the records were erased.
    pub at: Moment,
    /// What was erased, in numbers.
    #[serde(flatten)]
    pub erased: ErasedCustomer,
    /// Files whose content was deleted from the file store.
    pub contents: usize,
    /// Whether the files of the database were written again, so that they have nothing of what was erased.
    pub is_rewritten: bool,
    /// What stays.
    pub stays: &'static [Stays],
}

/// Something that an erasure leaves.
#[derive(Debug, Serialize)]
pub struct Stays {
    /// What it is.
    pub what: &'static str,
    /// Why it stays.
    pub why: &'static str,
}

/// What every erasure leaves.
pub const STAYS: &[Stays] = &[
    Stays {
        what: "The customer's id, number and type, and when it was added",
        why: "numbers are not used again, and what was counted stays counted",
    },
    Stays {
        what: "The ids, types and times of its jobs, quotes, invoices and estimates",
        why: "counts and amounts stay; their titles and states are erased",
    },
    Stays {
        what: "Who changed its records when, with which tool and program",
        why: "the history shows what the team and its programs did; the values are erased",
    },
    Stays {
        what: "Notes on other customers and standalone notes that mention the person",
        why: "they are about others: search for the name and change them by hand",
    },
    Stays {
        what: "Values that came to another customer by a merge that was undone, in that customer's history",
        why: "they were that customer's own meanwhile",
    },
    Stays {
        what: "Words that the team chose: names of tags, of imported files, and idempotency keys",
        why: "they belong to other records too; a key is forgotten after a day",
    },
    Stays {
        what: "Backups, copies and exports made before, and old versions in a bucket that keeps them",
        why: "they are not changed: they hold the data until they expire or are deleted",
    },
    Stays {
        what: "On PostgreSQL, the write-ahead log with its archives, and standby servers' copies of it",
        why: "the server needs them, and recycles or deletes them as its settings say",
    },
    Stays {
        what: "On PostgreSQL, samples of values in pg_statistic, of tables that are empty now, and of all tables if the \
               role does not own the database",
        why: "only its owner may write them again (VACUUM FULL pg_statistic), and those of an empty table stay until it \
              has rows",
    },
    Stays {
        what: "Logs of PostgreSQL and of proxies, and pages and files that browsers have saved",
        why: "zoop cannot reach them",
    },
];
