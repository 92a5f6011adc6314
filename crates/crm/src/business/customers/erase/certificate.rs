//! What is known about an erasure, for the person who asked for it.

use std::fmt;

use serde::Serialize;

use super::{Counts, ErasedCustomer, Erasure};
use crate::values::clock::{Moment, rfc3339};
use crate::values::id::{Id, kinds};

/// What was erased, what stays, and why.
#[derive(Debug, Serialize)]
pub struct Certificate {
    /// The business.
    pub tenant_id: Id<kinds::Tenant>,
    /// When the last record was erased.
    pub at: Moment,
    /// What was erased, in numbers.
    #[serde(flatten)]
    pub erased: ErasedCustomer,
    /// Files whose content was deleted from the file store at once.
    pub contents: i64,
    /// Whether the files of the database were written again, so that they have nothing of what was erased.
    pub is_rewritten: bool,
    /// When they were written again.
    pub rewritten_at: Option<Moment>,
    /// When a server is to write them again, if they were not. Those of a database that the business was brought back
    /// to never had any of it.
    pub rewrite_due_at: Option<Moment>,
    /// What stays.
    pub stays: &'static [Stays],
}

impl Certificate {
    /// Of how many files the content was deleted, and whether a server still has to delete some.
    #[must_use]
    pub fn contents_in_words(&self) -> String {
        let deleted = self.contents;
        match self.erased.counts.files - deleted {
            ..=0 => deleted.to_string(),
            left => format!("{deleted}, and a server deletes {left} more within days"),
        }
    }

    /// The certificate of an erasure of the business. `None` if it was interrupted and is not done.
    #[must_use]
    pub fn of(tenant_id: Id<kinds::Tenant>, erasure: &Erasure) -> Option<Self> {
        Some(Self {
            tenant_id,
            at: erasure.erased_at?,
            erased: ErasedCustomer {
                erased: true,
                id: erasure.customer_id,
                customer_number: erasure.customer_number,
                counts: erasure.counts,
            },
            contents: erasure.contents,
            is_rewritten: erasure.rewritten_at.is_some(),
            rewritten_at: erasure.rewritten_at,
            rewrite_due_at: erasure.rewrite_due_at(),
            stays: STAYS,
        })
    }
}

/// The certificate for people.
impl fmt::Display for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Erased on {}, for good:", rfc3339(self.at.0))?;
        writeln!(out, "  Customer {}", self.erased.customer_number)?;
        for (what, count) in self.erased.counts.named() {
            writeln!(out, "  {what}: {count}")?;
        }
        writeln!(out, "  Contents of files: {}", self.contents_in_words())?;
        match (self.rewritten_at, self.rewrite_due_at) {
            (Some(at), _) => {
                writeln!(
                    out,
                    "The files of the database were written again on {}.",
                    rfc3339(at.0)
                )?;
            }
            (None, Some(due)) => writeln!(
                out,
                "The files of the database may still have some of it, until a server writes them again: it is to begin on {}.",
                rfc3339(due.0)
            )?,
            (None, None) => {}
        }
        writeln!(out, "\nThis stays:")?;
        for it in self.stays {
            writeln!(out, "  {}:\n    {}", it.what, it.why)?;
        }
        Ok(())
    }
}

impl Counts {
    /// Each count, with what it counts.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, i64); 8] {
        [
            ("Customers, with those merged into it", self.customers),
            ("Contacts", self.contacts),
            ("Locations", self.locations),
            ("Jobs, quotes, invoices and estimates (their titles)", self.subjects),
            ("Assignments of tags", self.tags),
            ("Notes", self.notes),
            ("Files", self.files),
            ("Entries of the history (their values)", self.entries),
        ]
    }
}

/// Something that an erasure leaves.
#[derive(Debug, Serialize)]
pub struct Stays {
    /// What it is.
    pub what: &'static str,
    /// Why it stays.
    pub why: &'static str,
    /// Where it is.
    #[serde(skip)]
    pub place: Place,
}

/// Where something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the business's records and copies of them.
    Records,
    /// In what the server has beside them, which only its operator can look at.
    Server,
}

/// What every erasure leaves.
pub const STAYS: &[Stays] = &[
    Stays {
        what: "The customer's id, number and type, and when it was added",
        why: "numbers are not used again, and what was counted stays counted",
        place: Place::Records,
    },
    Stays {
        what: "The ids, types and times of its jobs, quotes, invoices and estimates",
        why: "counts and amounts stay; their titles and states are erased",
        place: Place::Records,
    },
    Stays {
        what: "Who changed its records when, with which tool and program",
        why: "the history shows what the team and its programs did; the values are erased",
        place: Place::Records,
    },
    Stays {
        what: "Notes on other customers and standalone notes that mention the person",
        why: "they are about others: search for the name and change them by hand",
        place: Place::Records,
    },
    Stays {
        what: "Words that the team chose: names of tags, of imported files, and idempotency keys",
        why: "they belong to other records too; a key is forgotten after a day",
        place: Place::Records,
    },
    Stays {
        what: "Backups, copies and exports made before, and old versions in a bucket that keeps them",
        why: "they are not changed: they hold the data until they expire or are deleted",
        place: Place::Records,
    },
    Stays {
        what: "On PostgreSQL, the write-ahead log with its archives, and standby servers' copies of it",
        why: "the server needs them, and recycles or deletes them as its settings say",
        place: Place::Server,
    },
    Stays {
        what: "On PostgreSQL, samples of values in pg_statistic, of tables that are empty now, and of all tables if the \
               role does not own the database",
        why: "only its owner may write them again (VACUUM FULL pg_statistic), and those of an empty table stay until it \
              has rows",
        place: Place::Server,
    },
    Stays {
        what: "Logs of PostgreSQL and of proxies, and pages and files that browsers have saved",
        why: "zoop cannot reach them",
        place: Place::Server,
    },
];
