//! `tables/jobs.csv`

use zoop_db::{ReadTx, Uuid};

use super::{Clock, any};
use crate::business::jobs::store;
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;
use crate::values::id::Id;

pub(super) const FILE: &str = "tables/jobs.csv";
pub(super) const COLUMNS: &[&str] = &[
    "Number",
    "Title",
    "Status",
    "Description",
    "Start",
    "End",
    "Total",
    "Currency",
    "Done",
    "Cancelled",
    "Reason",
    "Created",
    "Changed",
    "Job id",
    "Customer id",
    "Location id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::after(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.uuid();
            for job in &page {
                let cells = [
                    job.job_number.to_string(),
                    job.title.clone(),
                    job.status.word().to_owned(),
                    any(job.description.as_ref()).to_owned(),
                    clock.show_any(job.scheduled_start),
                    clock.show_any(job.scheduled_end),
                    job.total.text(job.currency),
                    job.currency.code().to_owned(),
                    clock.show_any(job.done_at),
                    clock.show_any(job.cancelled_at),
                    any(job.cancel_reason.as_ref()).to_owned(),
                    clock.show(job.created_at),
                    clock.show(job.updated_at),
                    job.id.to_string(),
                    job.customer_id.as_ref().map(Id::to_string).unwrap_or_default(),
                    job.location_id.as_ref().map(Id::to_string).unwrap_or_default(),
                ];
                sheet.row(cells.iter().map(String::as_str))?;
            }
        }
    })
}
