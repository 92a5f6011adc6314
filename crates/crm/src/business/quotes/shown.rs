//! Quotes as callers see them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Quote, QuoteStatus};
use crate::business::lines::{ShownQuoteLine, ShownTax};
use crate::call::error::Result;
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::number::QuoteNumber;

/// A quote with its lines and amounts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShownQuote {
    /// The quote's id.
    pub id: Id<kinds::Quote>,
    /// What the work is.
    pub title: String,
    /// How far it has come.
    pub status: QuoteStatus,
    /// Its number, such as Q-0042.
    pub quote_number: QuoteNumber,
    /// The customer.
    pub customer_id: Id<kinds::Customer>,
    /// The customer's name.
    pub customer_name: String,
    /// Its lines.
    pub line_items: Vec<ShownQuoteLine>,
    /// The rate of lines that have none of their own.
    pub tax_rate_id: Option<Id<kinds::TaxRate>>,
    /// The sum of all amounts.
    pub subtotal: String,
    /// What each rate comes to.
    pub taxes: Vec<ShownTax>,
    /// The sum of all taxes.
    pub tax_total: String,
    /// Subtotal and taxes.
    pub total: String,
    /// The ISO 4217 currency of the amounts.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// The job that was made of it, unless it is cancelled.
    pub job_id: Option<Id<kinds::Job>>,
    /// Its invoice, unless that is void.
    pub invoice_id: Option<Id<kinds::Record>>,
    /// When it was sent.
    pub sent_at: Option<Moment>,
    /// When it was accepted or declined.
    pub decided_at: Option<Moment>,
    /// The person who created it.
    pub created_by: Option<Id<kinds::User>>,
    /// The person who last changed it.
    pub updated_by: Option<Id<kinds::User>>,
    /// When it was created.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When it was archived.
    pub archived_at: Option<Moment>,
}

/// A quote in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuoteRow {
    /// The quote's id.
    pub id: Id<kinds::Quote>,
    /// What the work is.
    pub title: String,
    /// How far it has come.
    pub status: QuoteStatus,
    /// Its number, such as Q-0042.
    pub quote_number: QuoteNumber,
    /// The customer.
    pub customer_id: Id<kinds::Customer>,
    /// The customer's name.
    pub customer_name: String,
    /// What it comes to, with taxes.
    pub total: String,
    /// The ISO 4217 currency of the amount.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// When it was created.
    pub created_at: Moment,
    /// When it was archived.
    pub archived_at: Option<Moment>,
}

impl ShownQuote {
    /// The quote, whose customer has this name.
    pub(super) fn new(
        quote: Quote,
        customer_name: String,
        job_id: Option<Id<kinds::Job>>,
    ) -> Result<Self> {
        let (rate, currency) = (quote.tax_rate(), quote.currency);
        let rate = rate.as_ref();
        let totals = quote.line_items.stored_totals(rate, currency)?;
        Ok(Self {
            id: quote.id,
            status: quote.status,
            quote_number: quote.quote_number,
            customer_id: quote.customer_id,
            customer_name,
            line_items: quote.line_items.shown(&totals, currency),
            tax_rate_id: rate.map(|rate| rate.id),
            subtotal: totals.subtotal.text(currency),
            taxes: quote.line_items.taxes(rate, &totals, currency),
            tax_total: totals.tax_total.text(currency),
            total: totals.total.text(currency),
            currency,
            job_id,
            invoice_id: None,
            sent_at: quote.sent_at,
            decided_at: quote.decided_at,
            created_by: quote.created_by,
            updated_by: quote.updated_by,
            created_at: quote.created_at,
            updated_at: quote.updated_at,
            archived_at: quote.archived_at,
            title: quote.title,
        })
    }
}
