//! The rows of each table that is declared to be in a tenant's export, as JSON lines in the order of their keys. A new
//! table is exported as soon as it is declared.

use serde_json::Map;
use zoop_db::{ReadTx, Uuid};

use super::manifest::Purpose;
use super::writer::Writer;
use super::{PAGE, json};
use crate::business::files::NoteFile;
use crate::call::error::Result;
use crate::call::table::{Export, Role, Table};
use crate::schema::TABLES;
use crate::transfer::cell::Cell;
use crate::transfer::rows;

/// The tables of a tenant's own rows that are exported. Rows come after those that they refer to.
pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
    let of_tenant = TABLES.iter().filter(|table| table.is_per_tenant());
    of_tenant.filter(|table| table.exported == Export::WithTenant).copied()
}

/// The tables that exports of the first format may not have, each with the first format that has it.
const ADDED: &[(&str, u32)] = &[
    ("erasures", 2),
    ("tax_rates", 2),
    ("catalog_categories", 3),
    ("catalog_items", 3),
    ("document_numbers", 3),
    ("quotes", 3),
    ("jobs", 3),
    ("job_assignees", 3),
];

/// The tables that every export of a format has.
pub(super) fn tables_of(format: u32) -> impl Iterator<Item = &'static Table> {
    let since = |table: &Table| ADDED.iter().find(|(name, _)| *name == table.name);
    tables().filter(move |table| since(table).is_none_or(|(_, since)| *since <= format))
}

/// The name of a table's file.
pub(super) fn file(table: &str) -> String {
    format!("data/{table}.jsonl")
}

/// The number of rows, including those that are left out.
pub(super) fn count(tx: &mut ReadTx<'_>) -> Result<u64> {
    tables().map(|table| rows::count(tx, table)).sum()
}

/// Writes all tables. Of `files`, the rows of the table are exported, in the same order.
pub(super) fn write(
    tx: &mut ReadTx<'_>,
    writer: &mut Writer<'_>,
    files: &[NoteFile],
) -> Result<()> {
    for table in tables() {
        let left_out = LeftOut::of(table, files);
        writer.json_lines(&file(table.name), Purpose::Data, |lines| {
            rows::pages(tx, table, PAGE, |page| {
                for row in page.into_iter().filter(|row| !left_out.has(row)) {
                    let mut object = Map::new();
                    for (column, cell) in table.columns.iter().zip(row) {
                        if column.role != Role::Numbered {
                            object.insert(column.name.to_owned(), json::of_cell(cell)?);
                        }
                    }
                    lines.row(&object)?;
                }
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// Which rows of a table are not in an export.
enum LeftOut<'f> {
    /// None.
    Nothing,
    /// Those with true in this column: only their authors may read drafts.
    Drafts(usize),
    /// Those that are not among these files: their notes are gone or drafts, or they were removed.
    AllBut(&'f [NoteFile]),
}

impl<'f> LeftOut<'f> {
    fn of(table: &Table, files: &'f [NoteFile]) -> Self {
        if table.name == "files" {
            return Self::AllBut(files);
        }
        let draft = table.columns.iter().position(|column| column.name == "draft");
        draft.map_or(Self::Nothing, Self::Drafts)
    }

    fn has(&self, row: &[Cell]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Drafts(column) => row.get(*column) == Some(&Cell::Boolean(true)),
            Self::AllBut(files) => match row.first() {
                Some(Cell::Id(id)) => is_missing(files, *id),
                _ => true,
            },
        }
    }
}

fn is_missing(files: &[NoteFile], id: Uuid) -> bool {
    files.binary_search_by_key(&id, |file| file.id.uuid()).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::manifest::FORMAT;

    /// A new table has a new format, so that what was exported before comes back.
    #[test]
    fn a_new_table_is_in_the_list_of_those_that_were_added() {
        const FIRST: &[&str] = &[
            "customers",
            "contacts",
            "locations",
            "different_customers",
            "tags",
            "customer_tags",
            "subjects",
            "notes",
            "files",
            "imports",
            "imported",
            "history_origins",
            "history_entries",
            "history_records",
            "history",
        ];
        let first: Vec<_> = tables_of(1).map(|table| table.name).collect();
        assert_eq!(first, FIRST, "add a new table to ADDED, with the next FORMAT");
        assert_eq!(tables_of(FORMAT).count(), tables().count());
        assert_eq!(ADDED.iter().map(|(_, since)| *since).max(), Some(FORMAT));
    }
}
