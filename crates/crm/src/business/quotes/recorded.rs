//! A quote as the history records it: with texts for amounts, as callers know them.

use serde::{Deserialize, Serialize};

use super::{Quote, QuoteStatus};
use crate::business::lines::{KeptRate, Lines, ShownQuoteLine};
use crate::values::clock::Moment;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::money::Money;
use crate::values::number::QuoteNumber;

/// The form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordedQuote {
    id: Id<kinds::Quote>,
    quote_number: QuoteNumber,
    title: String,
    status: QuoteStatus,
    customer_id: Id<kinds::Customer>,
    #[serde(default)]
    line_items: Vec<ShownQuoteLine>,
    tax_rate_id: Option<Id<kinds::TaxRate>>,
    /// The names and percentages that the quote keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_rates: Vec<KeptRate>,
    total: String,
    currency: Currency,
    sent_at: Option<Moment>,
    decided_at: Option<Moment>,
    created_by: Option<Id<kinds::User>>,
    updated_by: Option<Id<kinds::User>>,
    created_at: Moment,
    updated_at: Moment,
    archived_at: Option<Moment>,
}

impl From<Quote> for RecordedQuote {
    fn from(quote: Quote) -> Self {
        let (rate, currency) = (quote.tax_rate(), quote.currency);
        let rate = rate.as_ref();
        // Lines that are stored have amounts, because only such lines are.
        let totals = quote.line_items.totals(rate, currency);
        let line_items = totals.map(|totals| quote.line_items.shown(&totals, currency));
        let mut tax_rates: Vec<KeptRate> = Vec::new();
        for rate in rate.into_iter().chain(quote.line_items.rates()) {
            if tax_rates.iter().all(|known| known.id != rate.id) {
                tax_rates.push(rate.clone());
            }
        }
        Self {
            id: quote.id,
            quote_number: quote.quote_number,
            line_items: line_items.unwrap_or_default(),
            tax_rate_id: rate.map(|rate| rate.id),
            tax_rates,
            total: quote.total.text(currency),
            title: quote.title,
            status: quote.status,
            customer_id: quote.customer_id,
            currency,
            sent_at: quote.sent_at,
            decided_at: quote.decided_at,
            created_by: quote.created_by,
            updated_by: quote.updated_by,
            created_at: quote.created_at,
            updated_at: quote.updated_at,
            archived_at: quote.archived_at,
        }
    }
}

impl TryFrom<RecordedQuote> for Quote {
    type Error = &'static str;

    fn try_from(recorded: RecordedQuote) -> Result<Self, &'static str> {
        let rates = &recorded.tax_rates;
        let lines = recorded.line_items.iter().map(|line| line.stored(rates));
        let lines = lines.collect::<Option<_>>().ok_or("not the lines of a quote")?;
        let kept = |id| rates.iter().find(|rate| rate.id == id).cloned().ok_or("not a rate");
        let tax_rate = recorded.tax_rate_id.map(kept).transpose()?;
        let line_items = Lines::new(lines).map_err(|_| "not the lines of a quote")?;
        let total =
            Money::parse(&recorded.total, recorded.currency).map_err(|_| "not an amount")?;
        let quote = Self {
            id: recorded.id,
            quote_number: recorded.quote_number,
            title: recorded.title,
            status: recorded.status,
            customer_id: recorded.customer_id,
            total: Money::ZERO,
            currency: recorded.currency,
            sent_at: recorded.sent_at,
            decided_at: recorded.decided_at,
            created_by: recorded.created_by,
            updated_by: recorded.updated_by,
            created_at: recorded.created_at,
            updated_at: recorded.updated_at,
            archived_at: recorded.archived_at,
            tax_rate_id: None,
            tax_rate_name: None,
            tax_rate_percentage: None,
            line_items: Lines::default(),
        };
        Ok(quote.with_lines(line_items, tax_rate, total))
    }
}
