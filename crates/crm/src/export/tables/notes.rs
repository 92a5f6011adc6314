//! `tables/notes.csv`

use zoop_db::{ReadTx, Uuid};

use super::{Clock, any, yes};
use crate::business::notes::{ShownNote, store};
use crate::call::error::Result;
use crate::export::PAGE;
use crate::export::writer::Writer;

pub(super) const FILE: &str = "tables/notes.csv";
pub(super) const COLUMNS: &[&str] = &[
    "Created",
    "Author",
    "Note",
    "Pinned",
    "About",
    "Customer name",
    "Files",
    "Changed",
    "Archived",
    "Note id",
    "Author id",
    "About id",
    "Customer id",
];

pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>, clock: &Clock) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        let mut after = Uuid::nil();
        loop {
            let page = store::committed(tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.note.id.uuid();
            for shown in &page {
                sheet.row(cells(shown, clock).iter().map(String::as_str))?;
            }
        }
    })
}

fn cells(ShownNote { note, names }: &ShownNote, clock: &Clock) -> [String; COLUMNS.len()] {
    let files: Vec<_> = note.attachments.iter().map(|file| file.name.as_str()).collect();
    [
        clock.show(note.created_at),
        any(names.created_by_name.as_ref()).to_owned(),
        note.body.clone(),
        yes(note.pinned).to_owned(),
        note.subject_type.map(|subject| subject.word().to_owned()).unwrap_or_default(),
        any(names.customer_name.as_ref()).to_owned(),
        files.join("; "),
        clock.show(note.updated_at),
        clock.show_any(note.archived_at),
        note.id.to_string(),
        note.created_by.to_string(),
        note.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        names.customer_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}
