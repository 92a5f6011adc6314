//! `tables/catalog_categories.csv`

use zoop_db::{ReadTx, Uuid};

use super::Clock;
use crate::business::catalog_categories::store;
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/catalog_categories.csv";
pub(super) const COLUMNS: &[&str] =
    &["Name", "In category id", "Order", "Created", "Changed", "Category id"];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::after(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.uuid();
            for category in &page {
                let cells = [
                    category.name.clone(),
                    category.parent_id.map(|id| id.to_string()).unwrap_or_default(),
                    category.sort_order.to_string(),
                    clock.show(category.created_at),
                    clock.show(category.updated_at),
                    category.id.to_string(),
                ];
                sheet.row(cells.iter().map(String::as_str))?;
            }
        }
    })
}
