//! What is common to the records that a customer's work leaves behind, whatever their kind: a merge gives them to another
//! customer, and an erasure removes what they say of the customer.
//!
//! Each kind implements [`Document`] in its own folder and is listed in [`Documents`].

use serde::Serialize;
use zoop_db::{ReadTx, Uuid, WriteTx};

use crate::business::jobs::Job;
use crate::business::quotes::Quote;
use crate::business::subjects::Subject;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// What stays of an erased text.
pub(in crate::business) const ERASED_TEXT: &str = "Erased";

/// A record that belongs to a customer.
pub(in crate::business) trait Document: Recorded + Clone {
    /// Up to `count` of a customer's, in creation order.
    fn of_customer(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        count: usize,
    ) -> Result<Vec<Self>>;

    /// Gives some to a customer, at a time.
    fn hand_over(
        tx: &mut WriteTx<'_>,
        ids: &[Uuid],
        customer: Id<kinds::Customer>,
        at: Moment,
    ) -> Result<()>;

    /// The record as [`Self::hand_over`] leaves it.
    #[must_use]
    fn handed_over(&self, customer: Id<kinds::Customer>, at: Moment) -> Self;

    /// What stays of it when its customer is erased.
    fn erased(&self, at: Moment) -> Result<Self>;

    /// Writes all fields that can change.
    fn update(&self, tx: &mut WriteTx<'_>) -> Result<()>;
}

/// A customer's documents of all kinds.
#[derive(Debug, Default, Serialize)]
pub(in crate::business) struct Documents {
    subjects: Vec<Subject>,
    quotes: Vec<Quote>,
    jobs: Vec<Job>,
}

impl Documents {
    /// A customer's, up to `count` of each kind.
    pub(in crate::business) fn of_customer(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        count: usize,
    ) -> Result<Self> {
        Ok(Self {
            subjects: Document::of_customer(tx, customer, count)?,
            quotes: Document::of_customer(tx, customer, count)?,
            jobs: Document::of_customer(tx, customer, count)?,
        })
    }

    /// Adds those of another customer.
    pub(in crate::business) fn extend(&mut self, other: Self) {
        let Self { subjects, quotes, jobs } = other;
        self.subjects.extend(subjects);
        self.quotes.extend(quotes);
        self.jobs.extend(jobs);
    }

    /// Their ids.
    pub(in crate::business) fn ids(&self) -> impl Iterator<Item = Uuid> {
        let subjects = self.subjects.iter().map(Recorded::record_id);
        let quotes = self.quotes.iter().map(Recorded::record_id);
        subjects.chain(quotes).chain(self.jobs.iter().map(Recorded::record_id))
    }

    /// How many they are.
    pub(in crate::business) fn len(&self) -> usize {
        self.ids().count()
    }

    /// Gives them to another customer.
    pub(in crate::business) fn hand_over(
        &self,
        ctx: &mut WriteCtx<'_, '_>,
        customer: Id<kinds::Customer>,
    ) -> Result<()> {
        hand_over(ctx, &self.subjects, customer)?;
        hand_over(ctx, &self.quotes, customer)?;
        hand_over(ctx, &self.jobs, customer)
    }

    /// Writes that jobs which a customer got are at other locations: each location with the one that is the same place.
    pub(in crate::business) fn relocate(
        &self,
        ctx: &mut WriteCtx<'_, '_>,
        customer: Id<kinds::Customer>,
        places: &[(Id<kinds::Location>, Id<kinds::Location>)],
    ) -> Result<()> {
        let at = ctx.moment();
        for job in &self.jobs {
            if let Some((_, same)) = places.iter().find(|(old, _)| job.location_id == Some(*old)) {
                let old = job.handed_over(customer, at);
                let new = Job { location_id: Some(*same), ..old.clone() };
                new.update(ctx.tx)?;
                ctx.updated(&old, &new)?;
            }
        }
        Ok(())
    }

    /// Removes what they say of a customer that is erased.
    pub(in crate::business) fn erase(&self, ctx: &mut WriteCtx<'_, '_>) -> Result<()> {
        erase(ctx, &self.subjects)?;
        erase(ctx, &self.quotes)?;
        erase(ctx, &self.jobs)
    }
}

/// Writes that documents of one kind belong to another customer.
pub(in crate::business) fn hand_over<D: Document>(
    ctx: &mut WriteCtx<'_, '_>,
    documents: &[D],
    customer: Id<kinds::Customer>,
) -> Result<()> {
    let at = ctx.moment();
    let ids: Vec<_> = documents.iter().map(Recorded::record_id).collect();
    if !ids.is_empty() {
        D::hand_over(ctx.tx, &ids, customer, at)?;
    }
    for old in documents {
        ctx.updated(old, &old.handed_over(customer, at))?;
    }
    Ok(())
}

fn erase<D: Document>(ctx: &mut WriteCtx<'_, '_>, documents: &[D]) -> Result<()> {
    for document in documents {
        let stub = document.erased(ctx.moment())?;
        stub.update(ctx.tx)?;
        ctx.erased(document)?;
        ctx.left(&stub)?;
    }
    Ok(())
}
