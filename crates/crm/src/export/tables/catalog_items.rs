//! `tables/catalog_items.csv`

use zoop_db::{ReadTx, Uuid};

use super::{Clock, yes};
use crate::business::catalog_items::{CatalogItem, store};
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;
use crate::values::money::UnitPrice;

pub(super) const FILE: &str = "tables/catalog_items.csv";
pub(super) const COLUMNS: &[&str] = &[
    "Kind",
    "Name",
    "SKU",
    "Description",
    "Unit",
    "Price",
    "Percent off",
    "Cost",
    "Currency",
    "Taxable",
    "Parts",
    "Created",
    "Changed",
    "Archived",
    "Category id",
    "Catalog item id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::after(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.uuid();
            for item in page {
                sheet.row(cells(&item, clock).iter().map(String::as_str))?;
            }
        }
    })
}

fn cells(item: &CatalogItem, clock: &Clock) -> [String; 16] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let amount =
        |price: Option<UnitPrice>| price.map(|it| it.text(item.currency)).unwrap_or_default();
    let parts = item.components.list().iter();
    let parts = parts.map(|part| format!("{} x {}", part.quantity.text(), part.catalog_item_id));
    [
        item.kind.word().to_owned(),
        item.name.clone(),
        text(&item.sku),
        text(&item.description),
        text(&item.unit_label),
        amount(item.price),
        item.discount_percent.map(|percent| percent.text()).unwrap_or_default(),
        amount(item.cost),
        item.currency.code().to_owned(),
        item.taxable.map(yes).unwrap_or_default().to_owned(),
        parts.collect::<Vec<_>>().join(", "),
        clock.show(item.id.created_at()),
        clock.show(item.updated_at),
        clock.show_any(item.archived_at),
        item.category_id.map(|id| id.to_string()).unwrap_or_default(),
        item.id.to_string(),
    ]
}
