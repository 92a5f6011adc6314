//! Jobs, invoices, quotes and lawn estimates, kept only so that notes can be about them.
//!
//! This module makes such a record exist in a tenant. What notes do with it is in
//! [`crate::business::notes`]. What must never live here: what a job, invoice, quote or lawn estimate does.

pub(crate) mod store;
pub mod tools;

#[cfg(test)]
mod tests;

pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use serde::Serialize;
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// What kind of work a subject is.
    pub enum SubjectKind {
        /// A job.
        Job = "job",
        /// An invoice.
        Invoice = "invoice",
        /// A quote.
        Quote = "quote",
        /// A lawn estimate.
        LawnEstimate = "lawn_estimate",
    }
}

crate::call::table::record! {
    /// A subject as stored: the history compares these fields.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Subject {
        /// The subject's id.
        pub id: Id<kinds::Subject>,
        /// What kind of work it is.
        pub subject_type: SubjectKind as fixed,
        /// The customer it is for.
        pub customer_id: Id<kinds::Customer> as fixed,
        /// What it is called.
        pub title: String,
        /// How far it has come, in the tenant's own words.
        pub status: String,
        /// When it was made.
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

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
