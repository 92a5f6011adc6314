//! Writes all that an account owns to files, from one snapshot, and brings it back into an empty account of any
//! database.
//!
//! | module | files |
//! | --- | --- |
//! | [`manifest`] | `manifest.json`: what the export is, and the rows, size and checksum of each file |
//! | `data` | `data/*.jsonl`: the rows of each table that is declared to be in a tenant's export |
//! | `people` | `data/*.jsonl`: the business, its people, and the credentials that do not come back |
//! | `tables` | `tables/*.csv`: the same records for people and their spreadsheets |
//! | `cards` | `contacts.vcf`: the contacts for address books |
//! | `columns` | `columns.csv`: what each column of each file is |
//! | `bring_back` | reads the files again |
//!
//! An export has no secret and no hash of one, so it opens nothing. It has no drafts, which only their authors may
//! read. Equal data gives equal bytes, so that two exports can be compared.
//!
//! What must never live here: files and folders. The caller opens them, and copies the content of the files on notes.

mod bring_back;
mod cards;
mod columns;
mod data;
mod json;
pub mod manifest;
mod people;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::io::{self, Write};

use zoop_db::{ReadTx, Timestamp, WriteTx};

use crate::business::files::{NoteFile, store as files};
use crate::call::access::{Access, Account};
use crate::call::error::Result;
use crate::call::history;
use crate::identity::tenants::store as tenants;
use crate::values::clock::{Environment, Moment};

pub(crate) use bring_back::GLOBAL_STATEMENTS as BRINGING_BACK;
pub use bring_back::{BroughtBack, OpenForReading, bring_back, check, check_target};
pub(crate) use cards::STATEMENTS as CARD_STATEMENTS;
pub(crate) use people::{GLOBAL_STATEMENTS, STATEMENTS};
pub(crate) use tables::STATEMENTS as TABLE_STATEMENTS;

use manifest::{Business, FORMAT, Manifest};
use writer::Writer;

/// Opens a file for writing, by its name in the export, such as `data/notes.jsonl`.
pub type OpenForWriting<'o> = dyn FnMut(&str) -> io::Result<Box<dyn Write>> + 'o;

/// Is called with the number of rows that are done, and the number of all rows.
pub type Progress<'p> = dyn FnMut(u64, u64) + 'p;

/// The number of rows that are read at once. Rows may be long.
const PAGE: usize = 100;

/// The name of the entry of the history that says who has exported the account.
const EVENT: &str = "account.export";

/// Records in the history that the caller has exported the account. Not before the rows were read: they are those of the
/// time before.
///
/// # Errors
/// If the database fails.
pub fn record(tx: &mut WriteTx<'_>, access: &Access, environment: &Environment) -> Result<()> {
    history::event(tx, access, environment, EVENT, |_| Ok(()))
}

/// The name of the content of a file on a note in an export.
pub fn content(file: &NoteFile) -> String {
    format!("files/{}/{}", file.id, file.name)
}

/// What [`write()`] has written, and what the caller has to add.
#[derive(Debug)]
pub struct Written {
    /// The manifest. The caller adds the content of [`Self::files`] and writes it last.
    pub manifest: Manifest,
    /// The files on notes.
    pub files: Vec<NoteFile>,
}

/// Writes everything that an account owns, except the content of files on notes and the manifest. `moment` is the time
/// of the snapshot, which the manifest says.
///
/// # Errors
/// [`Error::Conflict`](crate::call::error::Error::Conflict) if a file cannot be written. Also if the database fails.
pub fn write(
    tx: &mut ReadTx<'_>,
    account: Account,
    moment: Timestamp,
    open: &mut OpenForWriting<'_>,
    progress: &mut Progress<'_>,
) -> Result<Written> {
    tx.bind(account.number);
    let tenant = tenants::tenant(tx)?;
    let files = files::exported(tx)?;
    let all = data::count(tx)? + tables::count(tx)?;
    let mut writer = Writer::new(open, progress, all);
    writer.text("README.txt", &manifest::read_me(&tenant.name))?;
    columns::write(&mut writer)?;
    people::write(tx, &mut writer)?;
    data::write(tx, &mut writer, &files)?;
    tables::write(tx, &mut writer, tenant.time_zone)?;
    cards::write(tx, &mut writer)?;
    let manifest = Manifest {
        format: FORMAT,
        product: concat!("zoop ", env!("CARGO_PKG_VERSION")).to_owned(),
        taken_at: Moment(moment),
        business: Business {
            id: tenant.id,
            name: tenant.name,
            country: tenant.country.code().to_owned(),
            time_zone: tenant.time_zone.name().to_owned(),
            currency: tenant.currency.code().to_owned(),
        },
        files: writer.finish(),
    };
    Ok(Written { manifest, files })
}
