//! Runs an import: in batches, so that no other write waits for long.

use std::sync::Arc;

use zoop_db::WriteTx;

use super::plan::{Plan, Planned};
use super::source::{Source, Unusable};
use super::store::{self as imports, Import, State};
use super::undo::undo;
use super::write::{self, Known, Ready};
use super::{Importer, Progress};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// How many records are added in one transaction, if there is more than one customer.
const AT_ONCE: usize = 60;
/// How many customers are prepared at once.
const PREPARED: usize = 20;

crate::call::argument::choices! {
    /// What to do if a customer of the file cannot be added.
    pub enum WhenRejected {
        /// Add none.
        AddNone = "add_none",
        /// Add the others.
        AddOthers = "add_others",
    }
}

/// What an import did.
#[derive(Debug)]
pub struct Outcome {
    /// The import, which can be undone.
    pub import: Import,
    /// The customers that could not be added. None, unless the others were to be added.
    pub rejected: Vec<Unusable>,
}

/// Adds the customers that a plan says are added, batch by batch. If one of them cannot be added, what was added is taken
/// back, unless `when_rejected` says otherwise.
///
/// # Errors
/// If a customer cannot be added; then none is.
pub fn run(
    importer: &Importer,
    source: &Source,
    plan: &Plan,
    when_rejected: WhenRejected,
    progress: Progress<'_>,
) -> Result<Outcome> {
    require_usable(plan, when_rejected)?;
    let begun = begin(importer, source, plan, |_, _| Ok(()))?;
    go_on(importer, source, plan, begun, when_rejected, progress)
}

/// An import that was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) import: Id<kinds::Import>,
    pub(super) known: Known,
}

/// Adds the customers that a plan says are added, to an import that was begun.
///
/// # Errors
/// As [`run`]. After an error of `progress`, what was added stays, and another call with a plan of the rest goes on.
pub(super) fn go_on(
    importer: &Importer,
    source: &Source,
    plan: &Plan,
    Begun { import, known }: Begun,
    when_rejected: WhenRejected,
    progress: Progress<'_>,
) -> Result<Outcome> {
    let mut rejected: Vec<_> = plan.unusable().cloned().collect();
    let to_add = plan.added();
    let mut running = Running { importer, import, known };
    for (prepared, done) in to_add.chunks(PREPARED).zip((0..).step_by(PREPARED)) {
        progress(done, to_add.len())?;
        let ready = prepared.iter().flat_map(|at| source.draft(*at)).map(Ready::new);
        for batch in batches(ready) {
            let batch = Arc::new(batch);
            let Err(error) = running.add(Arc::clone(&batch)) else { continue };
            match (when_rejected, why(error)) {
                (WhenRejected::AddOthers, Ok(_)) => rejected.extend(running.add_each(&batch)?),
                (WhenRejected::AddNone, Ok(why)) => return Err(running.take_back(&why)),
                (_, Err(error)) => return Err(running.stopped(error)),
            }
        }
    }
    progress(to_add.len(), to_add.len())?;
    // All is added, so it is done, even if the member has left the business since.
    let import = importer.write_on(move |tx| {
        // It was undone while it ran, unless this counts.
        imports::count_added(tx, import, 0)?;
        imports::set_state(tx, import, State::Done)?;
        imports::get(tx, import)
    })?;
    Ok(Outcome { import, rejected })
}

/// Goes on with an import that was interrupted.
///
/// # Errors
/// [`Error::Conflict`] if it does not run any more, or the account has changed so that something else would be added than
/// was planned; then what was added is taken back. Otherwise as [`go_on`].
pub(super) fn resume(
    importer: &Importer,
    source: &Source,
    import: Id<kinds::Import>,
    when_rejected: WhenRejected,
    progress: Progress<'_>,
) -> Result<Outcome> {
    let begun = importer.read(move |tx, _| imports::get(tx, import))?;
    if begun.state != State::Running {
        return Err(Error::conflict("The import was interrupted, and nothing was imported."));
    }
    let plan = Plan::of_rest(importer, source, Some(import), progress)?;
    let left = i64::try_from(plan.added().len()).unwrap_or(i64::MAX);
    let known = Known::Changed;
    if begun.added + left != begun.customers {
        let why = "your customers changed while it was interrupted.";
        return Err(Running { importer, import, known }.take_back(why));
    }
    go_on(importer, source, &plan, Begun { import, known }, when_rejected, progress)
}

/// Customers in batches that do not hold the writer for long.
fn batches(customers: impl Iterator<Item = Ready>) -> Vec<Vec<Ready>> {
    let (mut batches, mut records) = (Vec::<Vec<Ready>>::new(), AT_ONCE);
    for customer in customers {
        if records + customer.records() > AT_ONCE {
            batches.push(Vec::new());
            records = 0;
        }
        records += customer.records();
        if let Some(batch) = batches.last_mut() {
            batch.push(customer);
        }
    }
    batches
}

/// An import that runs.
struct Running<'r> {
    importer: &'r Importer,
    import: Id<kinds::Import>,
    known: Known,
}

impl Running<'_> {
    fn add(&mut self, customers: Arc<Vec<Ready>>) -> Result<()> {
        let (import, known) = (self.import, self.known);
        let added = self.importer.write(move |tx, access, environment| {
            write::add(tx, environment, access, import, &customers, known)
        });
        // After an error it is not known what others changed.
        self.known = *added.as_ref().unwrap_or(&Known::Changed);
        added.map(drop)
    }

    /// Adds the customers of a batch one by one. Returns those that cannot be added.
    fn add_each(&mut self, customers: &[Ready]) -> Result<Vec<Unusable>> {
        let mut rejected = Vec::new();
        for one in customers {
            let Err(error) = self.add(Arc::new(vec![one.clone()])) else { continue };
            match why(error) {
                Ok(why) => rejected.push(Unusable { lines: one.lines().to_vec(), why }),
                Err(error) => return Err(self.stopped(error)),
            }
        }
        Ok(rejected)
    }

    /// Takes back what was added. Returns the error that says why.
    fn take_back(&self, why: &str) -> Error {
        if self.is_taken_back() {
            return Error::conflict(format!("Nothing was imported: {why}"));
        }
        Error::conflict(format!(
            "The import stopped, and not all that it had added could be taken back: {why} Undo the import {}.",
            self.import
        ))
    }

    /// Takes back what was added, because of an error that is not about a customer, such as a lost database. If that
    /// fails too, importing the file again goes on, and undoing takes it back.
    fn stopped(&self, error: Error) -> Error {
        if self.is_taken_back() {
            return error;
        }
        Error::conflict(format!(
            "The import {} was interrupted: import the file again to go on, or undo it.",
            self.import
        ))
    }

    /// Whether all that was added could be taken back.
    fn is_taken_back(&self) -> bool {
        let import = self.import;
        let undone = undo(self.importer, import, &|_, _| Ok(()));
        let stopped =
            self.importer.write_on(move |tx| imports::set_state(tx, import, State::Stopped));
        undone.is_ok_and(|undone| undone.kept.is_empty()) && stopped.is_ok()
    }
}

impl Plan {
    /// The customers that cannot be added.
    pub fn unusable(&self) -> impl Iterator<Item = &Unusable> {
        self.customers.iter().filter_map(|planned| match planned {
            Planned::Unusable(unusable) => Some(unusable),
            Planned::Add { .. } | Planned::Here(_) => None,
        })
    }

    /// Which customers are added.
    pub(super) fn added(&self) -> Vec<usize> {
        let planned = self.customers.iter().enumerate();
        let added = planned.filter(|(_, it)| matches!(it, Planned::Add { .. }));
        added.map(|(at, _)| at).collect()
    }
}

/// How many customers an error names.
const NAMED: usize = 3;

fn all_refused(rejected: &[Unusable]) -> Error {
    let named = rejected.iter().take(NAMED).map(|Unusable { lines, why }| {
        format!("line {} {why}", lines.first().copied().unwrap_or_default())
    });
    let named = named.collect::<Vec<_>>().join("; ");
    let more = rejected.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Error::invalid(format!(
        "Nothing was imported: {named}{more}. Correct the file, or import the others only."
    ))
}

/// Refuses a plan with customers that cannot be added, unless the others are to be added.
pub(super) fn require_usable(plan: &Plan, when_rejected: WhenRejected) -> Result<()> {
    let rejected: Vec<_> = plan.unusable().cloned().collect();
    if when_rejected == WhenRejected::AddNone && !rejected.is_empty() {
        return Err(all_refused(&rejected));
    }
    Ok(())
}

/// Records the import, with `also` in the same transaction, and adds its tags.
pub(super) fn begin(
    importer: &Importer,
    source: &Source,
    plan: &Plan,
    also: impl Fn(&mut WriteTx<'_>, Id<kinds::Import>) -> Result<()> + Send + 'static,
) -> Result<Begun> {
    let customers = i64::try_from(plan.added().len()).unwrap_or(i64::MAX);
    let file_name = source.file_name.clone();
    let (tags, known) = (plan.new_tags.clone(), Known::UpTo(plan.as_of));
    importer.write(move |tx, access, environment| {
        let user_id = access.actor.user().ok_or_else(|| Error::internal("no user imports"))?;
        let id = WriteCtx::begin(tx, access, environment)?.next_id(imports::GREATEST_ID_BELOW)?;
        let (file_name, state) = (file_name.clone(), State::Running);
        imports::insert(tx, &Import { id, user_id, file_name, state, customers, added: 0 })?;
        also(tx, id)?;
        let known = write::add_tags(tx, environment, access, id, &tags, known)?;
        Ok(Begun { import: id, known })
    })
}

/// Why a customer was refused.
///
/// # Errors
/// The error, if it is not about the customer.
pub(super) fn why(error: Error) -> Result<String> {
    match error {
        Error::InvalidInput { message, .. }
        | Error::Unusable { message, .. }
        | Error::Conflict { message, .. } => Ok(message),
        other => Err(other),
    }
}
