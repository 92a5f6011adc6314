//! `tables/tags.csv`

use zoop_db::ReadTx;

use super::Clock;
use crate::business::tags::store;
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/tags.csv";
pub(super) const COLUMNS: &[&str] =
    &["Name", "Color", "Created", "Changed", "Tag id", "Creator id"];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = String::new();
        loop {
            let page = store::list(tx, &after, PAGE)?;
            let Some((_, last)) = page.last() else { return Ok(()) };
            after.clone_from(last);
            for (tag, _) in page {
                let cells = [
                    tag.name,
                    tag.color,
                    clock.show(tag.created_at),
                    clock.show(tag.updated_at),
                    tag.id.to_string(),
                    tag.created_by.map(|id| id.to_string()).unwrap_or_default(),
                ];
                sheet.row(cells.iter().map(String::as_str))?;
            }
        }
    })
}
