//! `tables/customers.csv`

use std::collections::BTreeMap;

use zoop_db::{ReadTx, Uuid, params};

use super::statements::{CUSTOMERS, TAGS_BETWEEN};
use super::{Clock, any, yes};
use crate::business::customers::Customer;
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/customers.csv";
pub(super) const COLUMNS: &[&str] = &[
    "Customer number",
    "Name",
    "Type",
    "Status",
    "First name",
    "Last name",
    "Company",
    "Phone",
    "Phone as typed",
    "E-mail",
    "Tags",
    "VIP",
    "Do not contact",
    "Why not to contact",
    "Source",
    "Internal notes",
    "External id",
    "Created",
    "Changed",
    "Archived",
    "Merged into",
    "Customer id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        each_page(tx, |tx, page| {
            let tags = tags(tx, page)?;
            for customer in page {
                let tags = tags.get(&customer.id.uuid()).map_or(&[][..], Vec::as_slice);
                let cells = cells(customer, tags, clock);
                sheet.row(cells.iter().map(String::as_str))?;
            }
            Ok(())
        })
    })
}

/// Passes all customers to `take`, page by page.
pub(in crate::export) fn each_page(
    tx: &mut ReadTx<'_>,
    mut take: impl FnMut(&mut ReadTx<'_>, &[Customer]) -> Result<()>,
) -> Result<()> {
    let (mut after, limit) = (Uuid::nil(), i64::try_from(PAGE).unwrap_or(i64::MAX));
    loop {
        let page = tx.all::<_, Error>(CUSTOMERS, params![after, limit], Customer::read)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.uuid();
        take(tx, &page)?;
    }
}

/// The names of the customers' tags, sorted.
fn tags(tx: &mut ReadTx<'_>, customers: &[Customer]) -> Result<BTreeMap<Uuid, Vec<String>>> {
    let (Some(first), Some(last)) = (customers.first(), customers.last()) else {
        return Ok(BTreeMap::new());
    };
    let mut tags: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    let read = |row: &mut zoop_db::Row<'_>| Ok((row.take()?, row.take()?));
    let found = tx.all::<_, Error>(TAGS_BETWEEN, params![first.id, last.id], read)?;
    for (customer, tag) in found {
        tags.entry(customer).or_default().push(tag);
    }
    for tags in tags.values_mut() {
        tags.sort_unstable();
    }
    Ok(tags)
}

fn cells(customer: &Customer, tags: &[String], clock: &Clock) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| any(text.as_ref()).to_owned();
    [
        customer.customer_number.to_string(),
        customer.display_name(),
        customer.customer_type.word().to_owned(),
        customer.visible_status().word().to_owned(),
        text(&customer.first_name),
        text(&customer.last_name),
        text(&customer.company_name),
        text(&customer.phone),
        text(&customer.phone_raw),
        text(&customer.email),
        tags.join("; "),
        yes(customer.is_vip).to_owned(),
        yes(customer.do_not_contact).to_owned(),
        text(&customer.do_not_contact_reason),
        text(&customer.source),
        text(&customer.notes_internal),
        text(&customer.external_id),
        clock.show(customer.created_at),
        clock.show(customer.updated_at),
        clock.show_any(customer.archived_at),
        customer.merged_into.map(|id| id.to_string()).unwrap_or_default(),
        customer.id.to_string(),
    ]
}
