//! Brings back the rows of a tenant's tables.

use std::collections::HashMap;

use zoop_db::{Param, Uuid, Value, WriteTx};

use super::OpenForReading;
use super::lines::{Lines, ReadRow};
use super::merges::Merges;
use super::people::People;
use crate::business::customers::erase::ERASURES;
use crate::call::error::Result;
use crate::call::history::store::{HISTORY_ORIGINS, Origin, bring_origin};
use crate::call::table::{Rows, Table};
use crate::export::{PAGE, data};
use crate::transfer::cell::Cell;

/// The columns that name people.
const PEOPLE: [&str; 2] = ["created_by", "user_id"];

/// How many bytes of lines are in memory before their rows are written, and one line more.
const PAGE_BYTES: usize = 4 << 20;

/// Brings back one table after another.
pub(super) struct Bringer<'b> {
    open: &'b OpenForReading,
    people: &'b People,
    /// The numbers of origins of the history, by those of the export. They differ if people have other ids.
    origins: HashMap<i64, i64>,
    progress: &'b mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

impl<'b> Bringer<'b> {
    /// Brings back tables with `all` rows together.
    pub(super) fn new(
        open: &'b OpenForReading,
        people: &'b People,
        progress: &'b mut dyn FnMut(u64, u64),
        all: u64,
    ) -> Self {
        Self { open, people, origins: HashMap::new(), progress, done: 0, all }
    }

    /// The number of rows so far.
    pub(super) const fn rows(&self) -> u64 {
        self.done
    }

    /// Brings back the rows of a table.
    pub(super) fn bring(&mut self, tx: &mut WriteTx<'_>, table: &Table) -> Result<()> {
        let mut lines = Lines::open(self.open, &data::file(table.name))?;
        let mut merges = Merges::default();
        let (mut page, mut bytes) = (Vec::new(), 0);
        loop {
            let row = lines.next()?;
            let is_last = row.is_none();
            if let Some(row) = row {
                bytes += row.length;
                page.push(row);
            }
            if page.len() >= PAGE || bytes >= PAGE_BYTES || is_last {
                bytes = 0;
                tx.ensure_time()?;
                self.done += page.len() as u64;
                if table.name == HISTORY_ORIGINS.name {
                    self.add_origins(tx, std::mem::take(&mut page))?;
                } else {
                    let cells = self.all_cells(table, std::mem::take(&mut page))?;
                    merges.add(table, &cells);
                    add(tx, table, &cells)?;
                }
                (self.progress)(self.done.min(self.all), self.all);
            }
            if is_last {
                return merges.check();
            }
        }
    }

    fn all_cells(&self, table: &Table, page: Vec<ReadRow>) -> Result<Vec<Vec<Cell>>> {
        page.into_iter().map(|row| self.cells(table, row)).collect()
    }

    /// The values of a row, as the target has them.
    fn cells(&self, table: &Table, mut row: ReadRow) -> Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for column in table.lasting() {
            cells.push(match row.take(column.name, column.kind)? {
                // The files of this database have nothing of what was erased elsewhere.
                _ if table.name == ERASURES.name && column.name == "due_at" => Cell::Null,
                Cell::Id(id) if PEOPLE.contains(&column.name) => Cell::Id(self.people.id(id)),
                Cell::Integer(number) if column.name == "origin" => {
                    Cell::Integer(self.origins.get(&number).copied().unwrap_or(number))
                }
                cell => cell,
            });
        }
        row.end()?;
        Ok(cells)
    }

    /// An account that is not new may have some of the origins.
    fn add_origins(&mut self, tx: &mut WriteTx<'_>, page: Vec<ReadRow>) -> Result<()> {
        for mut row in page {
            let number: i64 = row.value("number")?;
            let (tool, actor_kind): (String, String) =
                (row.value("tool")?, row.value("actor_kind")?);
            let user: Option<Uuid> = row.any("user_id")?;
            let credential = row.value("credential_id")?;
            let (client, address): (Option<String>, Option<String>) =
                (row.any("client")?, row.any("address")?);
            row.end()?;
            let origin = Origin {
                tool: &tool,
                actor_kind: &actor_kind,
                user: user.map(|user| self.people.id(user)),
                credential,
                client: client.as_deref(),
                address: address.as_deref(),
            };
            self.origins.insert(number, bring_origin(tx, &origin)?);
        }
        Ok(())
    }
}

fn add(tx: &mut WriteTx<'_>, table: &Table, cells: &[Vec<Cell>]) -> Result<()> {
    let Rows::PerTenant { bring, .. } = table.rows else { return Ok(()) };
    let rows: Vec<Vec<Value<'_>>> =
        cells.iter().map(|row| row.iter().map(Param::value).collect()).collect();
    Ok(tx.execute_each(bring, &rows)?)
}
