//! Quotes: what work would cost, as a customer is offered it. A quote goes from draft to sent, and from there to accepted or
//! declined. Its lines are made in the console or on the command line, not by programs.

pub(crate) mod former;
mod hints;
pub(in crate::business) mod put_back;
mod recorded;
mod shown;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use shown::{QuoteRow, ShownQuote};
pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid, WriteTx};

use crate::business::documents::{Document, ERASED_TEXT};
use crate::business::lines::{KeptRate, Lines};
use crate::call::archive::Archivable;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::{Money, TaxPercent};
use crate::values::number::QuoteNumber;
use recorded::RecordedQuote;

crate::call::argument::choices! {
    /// How far a quote has come.
    pub enum QuoteStatus {
        /// It is being written.
        Draft = "draft",
        /// The customer has it.
        Sent = "sent",
        /// The customer wants the work.
        Accepted = "accepted",
        /// The customer does not want it.
        Declined = "declined",
    }
}

crate::call::table::record! {
    /// A quote as stored. The history has it in another form (`recorded.rs`).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(into = "RecordedQuote", try_from = "RecordedQuote")]
    pub struct Quote {
        /// The quote's id.
        pub id: Id<kinds::Quote>,
        /// Its number.
        pub quote_number: QuoteNumber as fixed,
        /// What the work is.
        pub title: String,
        /// How far it has come.
        pub status: QuoteStatus,
        /// The customer.
        pub customer_id: Id<kinds::Customer>,
        /// What it comes to, with taxes.
        pub total: Money,
        /// The currency of its amounts.
        pub currency: Currency,
        /// When it was sent.
        pub sent_at: Option<Moment>,
        /// When it was accepted or declined.
        pub decided_at: Option<Moment>,
        /// The person who created it.
        pub created_by: Option<Id<kinds::User>> as fixed,
        /// The person who last changed it.
        pub updated_by: Option<Id<kinds::User>>,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
        /// The rate of lines that have none of their own.
        pub tax_rate_id: Option<Id<kinds::TaxRate>>,
        /// Its name, as the quote keeps it.
        pub(in crate::business) tax_rate_name: Option<String>,
        /// Its percentage, as the quote keeps it.
        pub(in crate::business) tax_rate_percentage: Option<TaxPercent>,
        /// Its lines.
        pub(in crate::business) line_items: Lines,
    }

    table quotes {
        key: [id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Quote {
    /// The rate of lines that have none of their own.
    pub(in crate::business) fn tax_rate(&self) -> Option<KeptRate> {
        let (id, rate_percentage) = (self.tax_rate_id?, self.tax_rate_percentage?);
        Some(KeptRate { id, name: self.tax_rate_name.clone()?, rate_percentage })
    }

    /// The quote with these lines, this rate, and what they come to.
    pub(in crate::business) fn with_lines(
        self,
        line_items: Lines,
        tax_rate: Option<KeptRate>,
        total: Money,
    ) -> Self {
        let tax_rate_id = tax_rate.as_ref().map(|rate| rate.id);
        let tax_rate_percentage = tax_rate.as_ref().map(|rate| rate.rate_percentage);
        let tax_rate_name = tax_rate.map(|rate| rate.name);
        Self { total, tax_rate_id, tax_rate_name, tax_rate_percentage, line_items, ..self }
    }
}

impl Recorded for Quote {
    const TYPE: &'static str = "quote";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Archivable for Quote {
    type Kind = kinds::Quote;
    const READ: Scope = Scope::ReadQuotes;
    const WAY_BACK: &'static str = "changes.revert";

    fn id(&self) -> Id<kinds::Quote> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        (self.archived_at, self.updated_at) = (archived_at, updated_at);
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        let new = Self { updated_by: ctx.access.actor.user(), ..new.clone() };
        store::update(ctx.tx, &new)?;
        ctx.updated(old, &new)
    }
}

impl Document for Quote {
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

    /// Numbers and amounts stay, for the books.
    fn erased(&self, at: Moment) -> Result<Self> {
        let (title, line_items) = (ERASED_TEXT.to_owned(), self.line_items.erased()?);
        Ok(Self { title, line_items, updated_at: at, ..self.clone() })
    }

    fn update(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        store::update(tx, self)
    }
}
