//! `tables/quotes.csv`

use zoop_db::{ReadTx, Uuid};

use super::Clock;
use crate::business::quotes::store;
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/quotes.csv";
pub(super) const COLUMNS: &[&str] = &[
    "Number",
    "Title",
    "Status",
    "Total",
    "Currency",
    "Sent",
    "Decided",
    "Created",
    "Changed",
    "Archived",
    "Quote id",
    "Customer id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::after(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.uuid();
            for quote in &page {
                let cells = [
                    quote.quote_number.to_string(),
                    quote.title.clone(),
                    quote.status.word().to_owned(),
                    quote.total.text(quote.currency),
                    quote.currency.code().to_owned(),
                    clock.show_any(quote.sent_at),
                    clock.show_any(quote.decided_at),
                    clock.show(quote.created_at),
                    clock.show(quote.updated_at),
                    clock.show_any(quote.archived_at),
                    quote.id.to_string(),
                    quote.customer_id.to_string(),
                ];
                sheet.row(cells.iter().map(String::as_str))?;
            }
        }
    })
}
