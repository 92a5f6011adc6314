//! `tables/tax_rates.csv`

use zoop_db::{ReadTx, Uuid};

use super::{Clock, yes};
use crate::business::tax_rates::store;
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/tax_rates.csv";
pub(super) const COLUMNS: &[&str] =
    &["Name", "Percent", "Default", "Created", "Changed", "Archived", "Tax rate id"];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::after(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.uuid();
            for rate in &page {
                let cells = [
                    rate.name.clone(),
                    rate.rate_percentage.text(),
                    yes(rate.is_default).to_owned(),
                    clock.show(rate.created_at),
                    clock.show(rate.updated_at),
                    clock.show_any(rate.archived_at),
                    rate.id.to_string(),
                ];
                sheet.row(cells.iter().map(String::as_str))?;
            }
        }
    })
}
