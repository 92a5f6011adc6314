//! Jobs that are made of quotes: one of each quote, with the quote's customer, title and lines.

use zoop_db::ReadTx;

use super::store;
use crate::business::lines::Lines;
use crate::business::quotes::{self, QuoteStatus};
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::id::{Id, kinds};

/// What a job takes over from its quote.
pub(super) struct Quoted {
    pub(super) title: String,
    pub(super) customer: Id<kinds::Customer>,
    /// Its lines, without the headings.
    pub(super) lines: Lines,
}

/// Reads a quote of which a job is to be made.
///
/// # Errors
/// [`Error::InsufficientScope`] if the caller may not read quotes, [`Error::Conflict`] if the quote is not accepted, is
/// archived or has a job already.
pub(super) fn read(
    tx: &mut ReadTx<'_>,
    access: &Access,
    id: Id<kinds::Quote>,
    sent_customer: Option<Id<kinds::Customer>>,
) -> Result<Quoted> {
    access.require(Scope::ReadQuotes)?;
    let quote = quotes::store::get(tx, id)?;
    if sent_customer.is_some_and(|customer| customer != quote.customer_id) {
        return Err(Error::field("customer_id", "is not the quote's customer: leave it out"));
    }
    let number = quote.quote_number;
    if quote.archived_at.is_some() {
        return Err(Error::conflict(format!("The quote {number} is archived.")));
    }
    if quote.status != QuoteStatus::Accepted {
        let status = quote.status.word();
        return Err(Error::conflict(format!(
            "The quote {number} is {status}: a job is made of an accepted quote."
        )));
    }
    require_free(tx, id)?;
    let lines = quote.line_items.without_sections()?;
    Ok(Quoted { title: quote.title, customer: quote.customer_id, lines })
}

/// Rejects a second job of a quote.
pub(super) fn require_free(tx: &mut ReadTx<'_>, quote: Id<kinds::Quote>) -> Result<()> {
    match store::of_quote(tx, quote)? {
        None => Ok(()),
        Some((_, number)) => Err(Error::conflict(format!(
            "The job {number} was made of this quote: change that one, or cancel it first."
        ))),
    }
}
