//! Invoices and lawn estimates. So far they exist only as the subjects of notes
//! ([`crate::business::notes`]), and this module only stores them.
//!
//! What must never live here: the behavior of invoices or lawn estimates.

pub(in crate::business) mod put_back;
pub(crate) mod store;
pub mod tools;

#[cfg(test)]
mod tests;

pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid, WriteTx};

use crate::business::documents::{Document, ERASED_TEXT};
use crate::call::context::Recorded;
use crate::call::error::Result;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// The kind of a subject.
    pub enum SubjectKind {
        /// An invoice.
        Invoice = "invoice",
        /// A lawn estimate.
        LawnEstimate = "lawn_estimate",
    }
}

crate::call::table::record! {
    /// A subject as stored: the history compares these fields.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Subject {
        /// The subject's id.
        pub id: Id<kinds::Subject>,
        /// The kind of the subject.
        pub subject_type: SubjectKind as fixed,
        /// The customer that the subject belongs to.
        pub customer_id: Id<kinds::Customer>,
        /// The subject's title.
        pub title: String,
        /// The subject's status, in the tenant's own words.
        pub status: String,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
    }

    table subjects {
        key: [id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Recorded for Subject {
    const TYPE: &'static str = "subject";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Document for Subject {
    fn of_customer(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        count: usize,
    ) -> Result<Vec<Self>> {
        store::of_customer(tx, customer, count)
    }

    fn hand_over(
        tx: &mut WriteTx<'_>,
        ids: &[Uuid],
        customer: Id<kinds::Customer>,
        at: Moment,
    ) -> Result<()> {
        store::hand_over(tx, ids.iter().copied(), customer, at)
    }

    fn handed_over(&self, customer: Id<kinds::Customer>, at: Moment) -> Self {
        Self { customer_id: customer, updated_at: at, ..self.clone() }
    }

    fn erased(&self, at: Moment) -> Result<Self> {
        let (title, status) = (ERASED_TEXT.to_owned(), ERASED_TEXT.to_owned());
        Ok(Self { title, status, updated_at: at, ..self.clone() })
    }

    fn update(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        store::update(tx, self)
    }
}
