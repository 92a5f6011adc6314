//! Undoes an import: every record that no one touched since goes, the others stay and are named.

use std::sync::Arc;
use std::time::Instant;

use zoop_db::{ReadTx, Uuid, WriteTx};

use super::run::why;
use super::store::{self as imports, Imported, State};
use super::{DEADLINE, Importer, Progress};
use crate::business::customers::{self, history};
use crate::business::history::revert::RevertChanges;
use crate::business::tags;
use crate::call::argument::Arguments;
use crate::call::error::{Error, Result};
use crate::call::run::{self, Runner};
use crate::identity::sign_in::ActingMember;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// How many customers are taken back in one transaction.
const AT_ONCE: usize = 10;

/// What undoing an import did.
#[derive(Debug, Default)]
pub struct Undone {
    /// How many customers and tags were taken back.
    pub taken_back: usize,
    /// What stays.
    pub kept: Vec<Kept>,
}

/// A customer or a tag that an import added and that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Why it stays.
    pub why: String,
}

/// Archives the customers that an import added and that no one changed since, and then deletes the tags that no other
/// customer has. It can be called again, to take back what was in use before.
///
/// # Errors
/// If there is no such import, the member may not import, or the database fails.
pub fn undo(importer: &Importer, id: Id<kinds::Import>, progress: Progress<'_>) -> Result<Undone> {
    let import = importer.read(move |tx, _| imports::get(tx, id))?;
    let all = usize::try_from(import.added).unwrap_or_default();
    let (mut undone, mut before, mut tags) = (Undone::default(), Id::new(Uuid::max()), Vec::new());
    loop {
        let page = importer.read(move |tx, _| imports::added_before(tx, id, before, AT_ONCE))?;
        let Some(last) = page.last() else { break };
        before = last.entry;
        let (of_tags, customers): (Vec<_>, Vec<_>) = page.into_iter().partition(|it| it.is_tag);
        tags.extend(of_tags);
        take_back(importer, Arc::new(customers), &mut undone)?;
        progress(undone.taken_back + undone.kept.len(), all);
    }
    for tag in tags {
        match delete_tag(importer, tag)? {
            None => undone.taken_back += 1,
            Some(kept) => undone.kept.push(kept),
        }
    }
    importer.write(move |tx, _, _| imports::set_state(tx, id, State::Undone))?;
    Ok(undone)
}

/// Takes customers back: all in one transaction, or one by one if that is refused.
fn take_back(
    importer: &Importer,
    customers: Arc<Vec<Imported>>,
    undone: &mut Undone,
) -> Result<()> {
    let add = |undone: &mut Undone, results: Vec<Option<Kept>>| {
        undone.taken_back += results.iter().filter(|it| it.is_none()).count();
        undone.kept.extend(results.into_iter().flatten());
    };
    match in_one(importer, Arc::clone(&customers)) {
        Ok(results) => add(undone, results),
        Err(error) => {
            why(error)?;
            for one in customers.iter() {
                let result = match in_one(importer, Arc::new(vec![*one])) {
                    Ok(results) => results,
                    Err(error) => vec![Some(kept(importer, *one, why(error)?)?)],
                };
                add(undone, result);
            }
        }
    }
    Ok(())
}

fn kept(importer: &Importer, customer: Imported, why: String) -> Result<Kept> {
    importer.read(move |tx, _| {
        let name = customers::store::get(tx, Id::new(customer.record))?.display_name();
        Ok(Kept { id: customer.record, name, why: why.clone() })
    })
}

/// Takes customers back in one transaction. Returns for each why it stays, if it does.
fn in_one(importer: &Importer, customers: Arc<Vec<Imported>>) -> Result<Vec<Option<Kept>>> {
    let member = importer.member.clone();
    importer.write(move |tx, _, environment| {
        customers.iter().map(|it| take_one_back(tx, environment, &member, *it)).collect()
    })
}

fn take_one_back(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    member: &ActingMember,
    imported: Imported,
) -> Result<Option<Kept>> {
    let customer = customers::store::get(tx, Id::new(imported.record))?;
    if customer.archived_at.is_some() && customer.merged_into.is_none() {
        return Ok(None);
    }
    let latest = history::entries(tx, customer.id, Uuid::max(), 1)?;
    if latest.first().is_some_and(|latest| *latest > imported.entry.uuid()) {
        let name = customer.display_name();
        let why = "was changed since".to_owned();
        return Ok(Some(Kept { id: imported.record, name, why }));
    }
    let arguments = Arguments::<RevertChanges>::none().with("id", imported.entry);
    run::command(tx, environment, member, arguments)?;
    Ok(None)
}

/// Deletes a tag, unless a customer has it.
fn delete_tag(importer: &Importer, tag: Imported) -> Result<Option<Kept>> {
    let id = Id::new(tag.record);
    let stays = importer.read(move |tx, _| in_use(tx, id))?;
    if stays.is_some() {
        return Ok(stays);
    }
    let Importer { db, environment, member } = importer;
    let runner = Runner { db, environment, deadline: Instant::now() + DEADLINE };
    let arguments = Arguments::<RevertChanges>::none().with("id", tag.entry);
    match runner.command(member.clone(), arguments).wait() {
        Ok(_) => Ok(None),
        // It was deleted by hand.
        Err(Error::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_use(tx: &mut ReadTx<'_>, id: Id<kinds::Tag>) -> Result<Option<Kept>> {
    let Some(name) = tags::store::name_if_in_use(tx, id)? else { return Ok(None) };
    Ok(Some(Kept { id: id.uuid(), name, why: "is a tag that other customers have".to_owned() }))
}
