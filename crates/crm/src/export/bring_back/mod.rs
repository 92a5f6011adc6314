//! Brings an exported account back into an empty account of any database, in one transaction.
//!
//! Records keep their ids, and the search index is built from them. An export is not a credential: people come back as
//! pending members, who have no rights until they have proved their mailbox, and API keys come back revoked. So the
//! history and the notes name their authors, and no one gains access by a file.

mod lines;
mod merges;
mod people;
mod rows;

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};
use zoop_db::{ReadTx, Tenant, Uuid, WriteTx, params};

use super::data;
use super::manifest::{FORMAT, Manifest, Purpose};
use super::people::BUSINESS_FILE;
use crate::business::{customers, jobs, notes, quotes};
use crate::call::access::Account;
use crate::call::error::{Error, Result};
use crate::call::storage;
use crate::call::table::Table;
use crate::identity::tenants;
use crate::maintenance;
use crate::search::TenantMark;
use crate::transfer::rows::count;
use crate::values::clock::Environment;
use crate::values::country::Country;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::zone::Zone;

use self::lines::Lines;
use self::rows::Bringer;

/// Opens a file of the export for reading, by its name there.
pub type OpenForReading = dyn Fn(&str) -> io::Result<Box<dyn BufRead>> + Send + Sync;

/// How many records are indexed at once.
const INDEX_BATCH: usize = 200;
/// How many bytes of a file are read at once.
const CHUNK: usize = 64 * 1024;

zoop_db::global_statements! {
    SET_BUSINESS = "UPDATE tenants SET name = $2, country = $3, time_zone = $4, currency = $5, \
                    last_customer_number = $6, notes_out_of_order = $7 WHERE no = $1";
    TENANT_NUMBER = "SELECT no FROM tenants WHERE id = $1";
    USER = "SELECT email FROM users WHERE id = $1";
    BRING_KEY = "INSERT INTO api_keys (hash, id, tenant_no, user_id, actor_kind, scopes, name, hint, request_limit, \
                 expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    BRING_FORMER_MEMBER = "INSERT INTO memberships (tenant_no, user_id, role, updated_at, name, removed_at) \
                           VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (tenant_no, user_id) DO NOTHING";
}

/// What was brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroughtBack {
    /// The account that has the records now.
    pub account: Account,
    /// The number of rows.
    pub rows: u64,
    /// The number of people who are pending members now.
    pub pending: u64,
}

/// Checks that this version reads the export, and that all files that are read have the size and checksum that the
/// manifest says. `progress` is called with the number of bytes that are done.
///
/// # Errors
/// [`Error::Conflict`] names the first file that is missing or is another one.
pub fn check(
    manifest: &Manifest,
    open: &OpenForReading,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    if manifest.format > FORMAT {
        return Err(Error::conflict(format!(
            "{} wrote this export in format {}, and this version reads only formats up to {FORMAT}: use a newer version",
            manifest.product, manifest.format
        )));
    }
    let needed = data::tables_of(manifest.format).map(|table| data::file(table.name));
    for name in needed.chain([BUSINESS_FILE.to_owned()]) {
        if !manifest.has(&name) {
            return Err(Error::conflict(format!(
                "the manifest has no {name}: export the account again"
            )));
        }
    }
    let mut done = 0;
    for file in manifest.files.iter().filter(|file| file.purpose == Purpose::Data) {
        let failed = |error: io::Error| cannot_read(&file.name, &error);
        let (mut content, mut hash, mut size) =
            (open(&file.name).map_err(failed)?, Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = content.read(&mut chunk).map_err(failed)?;
            if count == 0 {
                break;
            }
            hash.update(&chunk[..count]);
            size += count as u64;
            done += count as u64;
            progress(done);
        }
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        if (size, sha256.as_str()) != (file.bytes, file.sha256.as_str()) {
            return Err(Error::conflict(format!(
                "{} is not the file that was exported: bring back an unchanged copy of the export",
                file.name
            )));
        }
    }
    Ok(())
}

/// Brings an account back: into the account with the id `into`, which must be empty. If there is no such account and
/// the export is of it, it is created. Check the files first ([`check`]).
///
/// # Errors
/// [`Error::Conflict`] if the account is not empty, or if a file is not as an export writes it;
/// [`Error::NotFound`] if there is no such account.
pub fn bring_back(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    manifest: &Manifest,
    into: Id<kinds::Tenant>,
    open: &OpenForReading,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BroughtBack> {
    let business = Business::read(open)?;
    let number = account(tx, manifest, into, &business)?;
    tx.bind(number);
    tx.take_turn()?;
    check_target(tx, manifest, into)?;
    business.set(tx, number)?;
    let all = manifest.files.iter().filter(|file| file.purpose == Purpose::Data);
    let all = all.filter_map(|file| file.rows).sum();
    let people = people::bring(tx, environment, open)?;
    let mut bringer = Bringer::new(open, &people, progress, all);
    for table in data::tables().filter(|table| manifest.has(&data::file(table.name))) {
        bringer.bring(tx, table)?;
    }
    let rows = bringer.rows();
    quotes::former::bring(tx)?;
    jobs::former::bring(tx)?;
    index(tx)?;
    let (_, drift) = maintenance::measure(tx)?;
    storage::add(tx, number, &drift)?;
    let account = tenants::account(tx, into)?;
    Ok(BroughtBack { account, rows, pending: people.pending })
}

/// The number of the account, which is created if the export is of it.
fn account(
    tx: &mut WriteTx<'_>,
    manifest: &Manifest,
    into: Id<kinds::Tenant>,
    business: &Business,
) -> Result<Tenant> {
    if let Some(number) = known(tx, manifest, into)? {
        return Ok(number);
    }
    let Business { name, country, time_zone, currency, .. } = business;
    let number = tenants::store::insert(tx, into, name, *country, *time_zone, *currency)?;
    TenantMark::new(i64::from(number.0)).map(|_| number).ok_or_else(|| {
        Error::conflict("this database can have no further business: use another one")
    })
}

/// Whether a table's rows make an account one that is in use. Its history begins when it is created.
fn is_of_use(table: &Table) -> bool {
    !table.name.starts_with("history")
}

/// The number of the account. `None` if it is not there, but can be created.
fn known(
    tx: &mut ReadTx<'_>,
    manifest: &Manifest,
    into: Id<kinds::Tenant>,
) -> Result<Option<Tenant>> {
    let read = |row: &mut zoop_db::Row<'_>| Ok(Tenant(row.take()?));
    let number = tx.global_first::<_, Error>(TENANT_NUMBER, params![into], read)?;
    if number.is_none() && into != manifest.business.id {
        return Err(Error::not_found("tenant"));
    }
    Ok(number)
}

/// Checks that the account with the id `into` can get the records: it is empty, or the export is of it and it is not there.
///
/// # Errors
/// [`Error::Conflict`] if it has records; [`Error::NotFound`] if there is no such account.
pub fn check_target(
    tx: &mut ReadTx<'_>,
    manifest: &Manifest,
    into: Id<kinds::Tenant>,
) -> Result<()> {
    let Some(number) = known(tx, manifest, into)? else { return Ok(()) };
    tx.bind(number);
    for table in data::tables().filter(|table| is_of_use(table)) {
        if count(tx, table)? > 0 {
            return Err(Error::conflict(format!(
                "the account is not empty, it has {}: create an account for what is brought back",
                table.name.replace('_', " ")
            )));
        }
    }
    Ok(())
}

/// Builds the search index of the bound tenant's records.
fn index(tx: &mut WriteTx<'_>) -> Result<()> {
    for index in [customers::store::index_page, notes::index_page] {
        let mut after = Uuid::nil();
        while let Some(last) = index(tx, after, INDEX_BATCH)?.last() {
            after = *last;
        }
    }
    Ok(())
}

/// The business, as its file says it.
struct Business {
    name: String,
    country: Country,
    time_zone: Option<Zone>,
    currency: Option<Currency>,
    last_customer_number: i64,
    notes_out_of_order: bool,
}

impl Business {
    fn read(open: &OpenForReading) -> Result<Self> {
        let mut lines = Lines::open(open, BUSINESS_FILE)?;
        let Some(mut row) = lines.next()? else { return Err(lines.invalid("has no line")) };
        Ok(Self {
            name: row.value("name")?,
            country: row.value("country")?,
            time_zone: row.any("time_zone")?,
            currency: row.any("currency")?,
            last_customer_number: row.value("last_customer_number")?,
            notes_out_of_order: row.value("notes_out_of_order")?,
        })
    }

    fn set(&self, tx: &mut WriteTx<'_>, Tenant(number): Tenant) -> Result<()> {
        let Self { name, country, time_zone, currency, last_customer_number, notes_out_of_order } =
            self;
        let params = params![
            number,
            name,
            *country,
            *time_zone,
            *currency,
            *last_customer_number,
            *notes_out_of_order
        ];
        tx.global_execute(SET_BUSINESS, params)?;
        Ok(())
    }
}

/// A file of the export could not be read.
fn cannot_read(name: &str, error: &io::Error) -> Error {
    Error::conflict(format!("{name} cannot be read: {error}"))
}
