//! Undoes an import: every record that no one touched since goes, the others stay and are named.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid, WriteTx};

use super::jobs::holding::Held;
use super::run::why;
use super::store::{self as imports, Import, Imported, State};
use super::{DEADLINE, Importer, Progress};
use crate::business::customers::{self, history};
use crate::business::history::revert::{RevertChanges, latest_about};
use crate::business::tags;
use crate::call::access::Access;
use crate::call::argument::Arguments;
use crate::call::error::{Error, Result};
use crate::call::proof::{Proof, enter_read, enter_write};
use crate::call::run::{self, Runner};
use crate::identity::authenticate::Operator;
use crate::identity::sign_in::ActingMember;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::size::Size;

/// How many customers are taken back in one transaction.
const AT_ONCE: usize = 10;

/// What undoing an import did.
#[derive(Debug, Default)]
pub struct Undone {
    /// How many customers and tags were taken back, now or before.
    pub taken_back: usize,
    /// What stays.
    pub kept: Vec<Kept>,
}

/// A customer or a tag that an import added and that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
pub fn undo_as_member(
    importer: &Importer,
    id: Id<kinds::Import>,
    progress: Progress<'_>,
) -> Result<Undone> {
    importer.read(move |tx, _| imports::get(tx, id).map(drop))?;
    Undo { importer, import: id, held: None, progress, becomes: State::Undone }.run()
}

/// How an import is undone, whatever the member may do.
pub(super) struct Undo<'u> {
    pub(super) importer: &'u Importer,
    pub(super) import: Id<kinds::Import>,
    /// The job of which it is a step. If that is lost, another server goes on.
    pub(super) held: Option<&'u Held<'u>>,
    pub(super) progress: Progress<'u>,
    /// What the import is once nothing of it is left.
    pub(super) becomes: State,
}

impl Undo<'_> {
    pub(super) fn run(&self) -> Result<Undone> {
        let Self { importer, import: id, progress, .. } = *self;
        progress(0, 0)?;
        // An import that still runs must not add more.
        let import = self.set_state(State::Undoing)?;
        let all = usize::try_from(import.added).unwrap_or_default();
        let (mut undone, mut before) = (Undone::default(), Id::new(Uuid::max()));
        let mut tags = Vec::new();
        loop {
            let page =
                importer.read_on(move |tx| imports::added_before(tx, id, before, AT_ONCE))?;
            let Some(last) = page.last() else { break };
            before = last.entry;
            let (of_tags, customers): (Vec<_>, Vec<_>) = page.into_iter().partition(|it| it.is_tag);
            tags.extend(of_tags);
            take_back(importer, id, Arc::new(customers), &mut undone)?;
            progress(undone.done(), all + tags.len())?;
        }
        let all = all + tags.len();
        for tag in tags {
            match delete_tag(importer, id, tag)? {
                None => undone.taken_back += 1,
                Some(kept) => undone.kept.push(kept),
            }
            progress(undone.done(), all)?;
        }
        // What stays may be taken back later.
        if undone.kept.is_empty() {
            self.set_state(self.becomes)?;
        }
        Ok(undone)
    }

    fn set_state(&self, state: State) -> Result<Import> {
        let (id, token) = (self.import, self.held.map(Held::token));
        self.importer.write_on(move |tx| {
            tx.take_turn()?;
            if let Some(token) = &token {
                token.check(tx)?;
            }
            imports::set_state(tx, id, state)?;
            imports::get(tx, id)
        })
    }
}

impl Undone {
    /// How many customers and tags were looked at.
    fn done(&self) -> usize {
        self.taken_back + self.kept.len()
    }
}

/// Takes customers back: all in one transaction, or one by one if that is refused.
fn take_back(
    importer: &Importer,
    import: Id<kinds::Import>,
    customers: Arc<Vec<Imported>>,
    undone: &mut Undone,
) -> Result<()> {
    let add = |undone: &mut Undone, results: Vec<Option<Kept>>| {
        undone.taken_back += results.iter().filter(|it| it.is_none()).count();
        undone.kept.extend(results.into_iter().flatten());
    };
    match in_one(importer, import, Arc::clone(&customers)) {
        Ok(results) => add(undone, results),
        Err(error) => {
            why(error)?;
            for one in customers.iter() {
                let result = match in_one(importer, import, Arc::new(vec![*one])) {
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
    importer.read_on(move |tx| {
        let name = customers::store::get(tx, Id::new(customer.record))?.display_name();
        Ok(Kept { id: customer.record, name, why: why.clone() })
    })
}

/// Takes customers back in one transaction. Returns for each why it stays, if it does.
fn in_one(
    importer: &Importer,
    import: Id<kinds::Import>,
    customers: Arc<Vec<Imported>>,
) -> Result<Vec<Option<Kept>>> {
    let (proof, environment) = (importer.taking_back(), importer.without_limit());
    importer.write_on(move |tx| {
        let mut results = Vec::new();
        for imported in customers.iter() {
            let kept = take_one_back(tx, &environment, &proof, *imported)?;
            if kept.is_none() {
                imports::take_back(tx, import, imported.entry)?;
            }
            results.push(kept);
        }
        Ok(results)
    })
}

fn take_one_back(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &TakingBack,
    imported: Imported,
) -> Result<Option<Kept>> {
    let customer = customers::store::get(tx, Id::new(imported.record))?;
    let entries = history::entries(tx, customer.id, Uuid::max(), 2)?;
    let is_latest = entries.first() == Some(&imported.entry.uuid());
    let is_archived = customer.archived_at.is_some() && customer.merged_into.is_none();
    if !is_latest {
        let why = "was changed since".to_owned();
        let kept = Kept { id: imported.record, name: customer.display_name(), why };
        return Ok((!is_archived).then_some(kept));
    }
    // One that the file had archived has two entries.
    for entry in entries.into_iter().take(if is_archived { 2 } else { 1 }) {
        let arguments =
            Arguments::<RevertChanges>::none().with("id", Id::<kinds::Entry>::new(entry));
        run::command(tx, environment, proof, arguments)?;
    }
    Ok(None)
}

/// Deletes a tag, unless another customer has it, or it was changed since.
fn delete_tag(
    importer: &Importer,
    import: Id<kinds::Import>,
    tag: Imported,
) -> Result<Option<Kept>> {
    let id = Id::new(tag.record);
    let Some((name, is_used, is_changed)) =
        importer.read_on(move |tx| state_of(tx, import, id, tag))?
    else {
        return Ok(None);
    };
    let kept =
        |why: &str| Ok(Some(Kept { id: id.uuid(), name: name.clone(), why: why.to_owned() }));
    if is_used {
        return kept("is a tag that other customers have");
    }
    if is_changed {
        return kept("was changed since");
    }
    let environment = importer.without_limit();
    let runner =
        Runner { db: &importer.db, environment: &environment, deadline: Instant::now() + DEADLINE };
    let arguments = Arguments::<RevertChanges>::none().with("id", tag.entry);
    match runner.command(importer.taking_back(), arguments).wait() {
        Ok(_) => Ok(None),
        Err(error) => kept(&why(error)?),
    }
}

/// A tag's name, whether customers have it that stay, and whether it was changed since it was imported. `None` if it is
/// not there any more.
fn state_of(
    tx: &mut ReadTx<'_>,
    import: Id<kinds::Import>,
    id: Id<kinds::Tag>,
    imported: Imported,
) -> Result<Option<(String, bool, bool)>> {
    if tags::store::number(tx, id)?.is_none() {
        return Ok(None);
    }
    let name = tags::store::get(tx, id)?.name;
    let is_used = imports::is_tag_used(tx, id, import)?;
    let latest = latest_about(tx, id.uuid())?;
    Ok(Some((name, is_used, latest != Some(imported.entry.uuid()))))
}

/// The member who takes an import back, with all that this needs: notes of the import may have another author. Without
/// the member, it is the operator: an import that ends with a membership is taken back too.
struct TakingBack(ActingMember);

impl Proof for TakingBack {
    type Refusal = Error;

    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access> {
        match self.0.access(tx, environment) {
            Ok(access) => Ok(access.into_owner()),
            Err(Error::NotFound { .. }) => Operator::of(self.0.tenant).access(tx, environment),
            Err(error) => Err(error),
        }
    }
}

impl Importer {
    fn taking_back(&self) -> TakingBack {
        TakingBack(self.member.clone())
    }

    /// Taking back must not fail for want of space.
    fn without_limit(&self) -> Environment {
        Environment { storage_limit: Size(0), ..self.environment.clone() }
    }

    /// Reads something of the account without asking whether the member may import.
    pub(super) fn read_on<T: Send + 'static>(
        &self,
        work: impl Fn(&mut ReadTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (proof, environment) = (self.taking_back(), self.environment.clone());
        let read = self.db.read(Instant::now() + DEADLINE, move |tx| {
            enter_read(tx, &environment, &proof)?;
            work(tx)
        });
        read.wait()
    }

    /// Writes something of the account without asking whether the member may import.
    pub(super) fn write_on<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (proof, environment) = (self.taking_back(), self.environment.clone());
        let write = self.db.write(Instant::now() + DEADLINE, move |tx| {
            enter_write(tx, &environment, &proof)?;
            work(tx)
        });
        write.wait()
    }
}
