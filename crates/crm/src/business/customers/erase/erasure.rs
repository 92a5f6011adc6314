//! What is stored about an erasure: how much was erased and when, and when the files of the database were written
//! again. It has no value of the customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Row, Tenant, Timestamp, Uuid, WriteTx, params, text};

use super::records::Found;
use crate::business::customers::{Customer, CustomerNumber};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::identity::tenants;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// The hour of the night at which files are written again: most businesses are closed.
pub(super) const HOUR: i8 = 3;
/// How much later than the clock of this process a run may seem to have begun: on a server whose clock is ahead. A
/// later one would stop all others for as long. In microseconds.
const AHEAD: i64 = 5 * 60 * 1_000_000;

crate::call::table::table! {
    /// Erasures of customers.
    pub(crate) const ERASURES = erasures {
        per_tenant,
        key: { id: Id },
        columns: {
            customer_number: Integer as fixed, began_at: Time as fixed, run_at: Time, entries_after: Id,
            erased_at: Time, due_at: Time, rewritten_at: Time, contents: Integer, customers: Integer,
            contacts: Integer, locations: Integer, subjects: Integer, tags: Integer, notes: Integer,
            files: Integer, entries: Integer,
        },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

const COLUMNS: &str = "id, customer_number, began_at, run_at, entries_after, erased_at, due_at, rewritten_at, \
    contents, customers, contacts, locations, subjects, tags, notes, files, entries";

zoop_db::statements! {
    GET = (text!("SELECT ", COLUMNS, " FROM erasures WHERE tenant_no = $1 AND id = $2"));
    LATEST = (text!("SELECT ", COLUMNS, " FROM erasures WHERE tenant_no = $1 \
              ORDER BY began_at DESC, id DESC LIMIT $2"));
    PUT = (text!("INSERT INTO erasures (tenant_no, ", COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, 0, \
           $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (tenant_no, id) DO UPDATE SET \
           run_at = excluded.run_at, entries_after = excluded.entries_after, erased_at = excluded.erased_at, \
           due_at = excluded.due_at, customers = excluded.customers, contacts = excluded.contacts, \
           locations = excluded.locations, subjects = excluded.subjects, tags = excluded.tags, \
           notes = excluded.notes, files = excluded.files, entries = excluded.entries"));
    FORGET = "DELETE FROM erasures WHERE tenant_no = $1 AND id = $2";
    ADD_CONTENTS = "UPDATE erasures SET contents = contents + $3 WHERE tenant_no = $1 AND id = $2";
    NEXT_DUE = "SELECT due_at FROM erasures WHERE tenant_no = $1 AND rewritten_at IS NULL AND due_at > $2 \
                ORDER BY due_at LIMIT 1";
    /// Those that are due in a span of time.
    DUE = "SELECT id FROM erasures WHERE tenant_no = $1 AND rewritten_at IS NULL AND due_at >= $2 AND due_at <= $3";
    POSTPONE = "UPDATE erasures SET due_at = $4 WHERE tenant_no = $1 AND id = $2 AND due_at <= $3";
    REWRITTEN = "UPDATE erasures SET rewritten_at = $3 WHERE tenant_no = $1 AND id = $2";
}

/// How much an erasure has erased, or would erase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Customers: this one, and those that were merged into it.
    pub customers: i64,
    /// Contacts, with archived ones.
    pub contacts: i64,
    /// Locations, with archived ones.
    pub locations: i64,
    /// Jobs, quotes, invoices and estimates, of which only the words are erased.
    pub subjects: i64,
    /// Assignments of tags.
    pub tags: i64,
    /// Notes, with drafts and archived ones.
    pub notes: i64,
    /// Files on these notes.
    pub files: i64,
    /// Entries of the history whose values are erased.
    pub entries: i64,
}

impl Counts {
    /// The sum of two counts.
    #[must_use]
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            customers: self.customers + other.customers,
            contacts: self.contacts + other.contacts,
            locations: self.locations + other.locations,
            subjects: self.subjects + other.subjects,
            tags: self.tags + other.tags,
            notes: self.notes + other.notes,
            files: self.files + other.files,
            entries: self.entries + other.entries,
        }
    }
}

/// An erasure of a customer, which may have been interrupted.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// The customer's id, which stays.
    pub customer_id: Id<kinds::Customer>,
    /// The customer's number, which stays.
    pub customer_number: CustomerNumber,
    /// When it began.
    pub began_at: Moment,
    /// The run that goes on, or has ended last.
    run_at: Timestamp,
    /// Up to which of the entries of its [`Found`] the run is.
    pub(super) entries_after: Option<Uuid>,
    /// When the last record was erased. `None` if that was interrupted.
    pub erased_at: Option<Moment>,
    /// When the files of the database are to be written again.
    pub due_at: Option<Moment>,
    /// When they were written again.
    pub rewritten_at: Option<Moment>,
    /// Files whose content was deleted from the file store.
    pub contents: i64,
    /// What was erased so far, in all runs.
    pub counts: Counts,
}

impl Erasure {
    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            customer_id: row.take()?,
            customer_number: row.take()?,
            began_at: row.take()?,
            run_at: row.take()?,
            entries_after: row.take()?,
            erased_at: row.take()?,
            due_at: row.take()?,
            rewritten_at: row.take()?,
            contents: row.take()?,
            counts: Counts {
                customers: row.take()?,
                contacts: row.take()?,
                locations: row.take()?,
                subjects: row.take()?,
                tags: row.take()?,
                notes: row.take()?,
                files: row.take()?,
                entries: row.take()?,
            },
        })
    }

    /// The erasure in this run, which begins it, or goes on where an earlier one was interrupted.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a later run goes on: the two would set each other back.
    pub(super) fn of_run(
        ctx: &mut WriteCtx<'_, '_>,
        customer: &Customer,
        found: &Found,
    ) -> Result<Self> {
        let run_at = found.at;
        let mut erasure = get(ctx.tx, customer.id)?.unwrap_or(Self {
            customer_id: customer.id,
            customer_number: customer.customer_number,
            began_at: ctx.moment(),
            run_at,
            entries_after: None,
            erased_at: None,
            due_at: None,
            rewritten_at: None,
            contents: 0,
            counts: Counts::default(),
        });
        if erasure.run_at > run_at && erasure.run_at.0 <= ctx.now.0 + AHEAD {
            return Err(Error::conflict(
                "Another call is erasing this customer: wait a minute, then look at the customer again.",
            ));
        }
        if erasure.run_at != run_at {
            erasure.run_at = run_at;
            erasure.entries_after = None;
        }
        Ok(erasure)
    }

    /// When the files of the database are to be written again, if they still are.
    #[must_use]
    pub fn rewrite_due_at(&self) -> Option<Moment> {
        self.due_at.filter(|_| self.rewritten_at.is_none())
    }

    /// Stores how far it is.
    pub(super) fn put(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        let Self { customer_id, customer_number, began_at, run_at, entries_after, .. } = self;
        let Self { erased_at, due_at, counts, .. } = self;
        let params = params![
            customer_id,
            customer_number,
            began_at,
            run_at,
            entries_after,
            erased_at,
            due_at,
            counts.customers,
            counts.contacts,
            counts.locations,
            counts.subjects,
            counts.tags,
            counts.notes,
            counts.files,
            counts.entries
        ];
        tx.execute(PUT, params)?;
        Ok(())
    }

    /// Takes over what an erasure of a customer had erased that was interrupted before the customer was merged into
    /// this one.
    pub(super) fn take_over(
        &mut self,
        tx: &mut WriteTx<'_>,
        merged: Id<kinds::Customer>,
    ) -> Result<()> {
        let Some(part) = get(tx, merged)? else { return Ok(()) };
        self.counts = self.counts.plus(part.counts);
        self.contents += part.contents;
        tx.execute(ADD_CONTENTS, params![self.customer_id, part.contents])?;
        tx.execute(FORGET, params![merged])?;
        Ok(())
    }

    /// Stores that the last record was erased.
    pub(super) fn finish(mut self, ctx: &mut WriteCtx<'_, '_>) -> Result<Self> {
        let now = ctx.now;
        let zone = tenants::tenant(ctx.tx)?.time_zone;
        self.erased_at = Some(Moment(now));
        self.due_at = Some(Moment(zone.next_hour(HOUR, now)));
        self.entries_after = None;
        self.put(ctx.tx)?;
        Ok(self)
    }
}

/// The erasure of a customer, if one has begun.
///
/// # Errors
/// If the database fails.
pub fn get(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Option<Erasure>> {
    tx.first(GET, params![customer], Erasure::read)
}

/// What interrupted erasures of these customers have erased. `None` if there is no such erasure.
pub(super) fn before(
    tx: &mut ReadTx<'_>,
    customers: impl Iterator<Item = Id<kinds::Customer>>,
) -> Result<Option<Counts>> {
    let mut before: Option<Counts> = None;
    for customer in customers {
        if let Some(Erasure { counts, .. }) = get(tx, customer)? {
            before = Some(before.unwrap_or_default().plus(counts));
        }
    }
    Ok(before)
}

/// The latest erasures of the bound tenant, the latest first.
///
/// # Errors
/// If the database fails.
pub fn latest(tx: &mut ReadTx<'_>, count: usize) -> Result<Vec<Erasure>> {
    tx.all(LATEST, params![i64::try_from(count).unwrap_or(i64::MAX)], Erasure::read)
}

/// Counts files of an erased customer whose content was deleted from the file store.
///
/// # Errors
/// If the database fails.
pub fn contents_deleted(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    customer: Id<kinds::Customer>,
    count: usize,
) -> Result<()> {
    tx.bind(tenant);
    tx.execute(ADD_CONTENTS, params![customer, i64::try_from(count).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// The time at which the files are to be written again for the bound tenant, if they are to be.
pub(super) fn next_due(tx: &mut ReadTx<'_>) -> Result<Option<Timestamp>> {
    tx.first::<_, Error>(NEXT_DUE, params![Timestamp(0)], |row| Ok(row.take()?))
}

/// Postpones the bound tenant's erasures that are due by a time. Returns whether there were any.
pub(super) fn postpone(tx: &mut WriteTx<'_>, due_by: Timestamp, to: Timestamp) -> Result<bool> {
    let mut is_any = false;
    for id in due(tx, Timestamp(0), due_by)? {
        // Another process may have been faster.
        is_any |= tx.execute(POSTPONE, params![id, due_by, to])? > 0;
    }
    Ok(is_any)
}

/// Stores that the files were written again for those of the bound tenant's erasures that were postponed to this time.
pub(super) fn rewritten(tx: &mut WriteTx<'_>, due_at: Timestamp, now: Timestamp) -> Result<()> {
    for id in due(tx, due_at, due_at)? {
        tx.execute(REWRITTEN, params![id, now])?;
    }
    Ok(())
}

fn due(tx: &mut ReadTx<'_>, from: Timestamp, to: Timestamp) -> Result<Vec<Id<kinds::Customer>>> {
    tx.all(DUE, params![from, to], |row| Ok(row.take()?))
}
