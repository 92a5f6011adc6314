//! Runs an import: in batches, so that no other write waits for long.

use std::cmp::Reverse;
use std::sync::Arc;

use zoop_db::{ReadTx, Uuid, WriteTx};

use super::jobs::holding::{Held, Token};
use super::jobs::reason;
use super::plan::{Plan, Planned};
use super::source::{Source, Unusable};
use super::store::{self as imports, Import, State};
use super::undo::Undo;
use super::write::{self, Known, Ready};
use super::{Found, Importer, Progress};
use crate::business::customers::history;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// How many records are added in one transaction, if there is more than one customer.
const AT_ONCE: usize = 60;
/// How many customers are prepared at once.
const PREPARED: usize = 20;
/// How many customers of the account are looked at in one read.
const LOOKED_AT: usize = 50;

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
    let run = Run { importer, source, when_rejected, held: None, progress };
    let begun = run.begin(plan, |_, _| Ok(()))?;
    let rejected = run.add(plan, begun)?;
    let import = run.end(begun.import, |_, _| Ok(()))?;
    Ok(Outcome { import, rejected })
}

/// An import that was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) import: Id<kinds::Import>,
    known: Known,
}

/// How a file is imported: first [`Run::begin`], then [`Run::add`], which [`Run::resume`] can finish, then [`Run::end`].
pub(super) struct Run<'r> {
    pub(super) importer: &'r Importer,
    pub(super) source: &'r Source,
    pub(super) when_rejected: WhenRejected,
    /// The job of which it is a step. If the database is not available, what a job has added stays, and [`Run::resume`]
    /// goes on; otherwise it is taken back, as far as that is possible.
    pub(super) held: Option<&'r Held<'r>>,
    pub(super) progress: Progress<'r>,
}

impl Run<'_> {
    /// Records the import, with `also` in the same transaction, and adds its tags.
    ///
    /// # Errors
    /// If a customer cannot be added, unless the others are to be added.
    pub(super) fn begin(
        &self,
        plan: &Plan,
        also: impl Fn(&mut WriteTx<'_>, Id<kinds::Import>) -> Result<()> + Send + 'static,
    ) -> Result<Begun> {
        let rejected: Vec<_> = plan.unusable().cloned().collect();
        if self.when_rejected == WhenRejected::AddNone && !rejected.is_empty() {
            return Err(all_refused(&rejected));
        }
        let customers = i64::try_from(plan.added().len()).unwrap_or(i64::MAX);
        let file_name = self.source.file_name.clone();
        let (tags, known) = (plan.new_tags.clone(), Known::UpTo(plan.as_of));
        self.importer.write(move |tx, access, environment| {
            let user_id = access.actor.user().ok_or_else(|| Error::internal("no user imports"))?;
            let id =
                WriteCtx::begin(tx, access, environment)?.next_id(imports::GREATEST_ID_BELOW)?;
            let (file_name, state) = (file_name.clone(), State::Running);
            imports::insert(tx, &Import { id, user_id, file_name, state, customers, added: 0 })?;
            also(tx, id)?;
            let known = write::add_tags(tx, environment, access, id, &tags, known)?;
            Ok(Begun { import: id, known })
        })
    }

    /// Adds the customers that a plan says are added. Returns those that could not be added. After an error of
    /// `progress`, what was added stays.
    ///
    /// # Errors
    /// If a customer cannot be added, unless the others are to be added; or if the import was undone meanwhile.
    pub(super) fn add(&self, plan: &Plan, begun: Begun) -> Result<Vec<Unusable>> {
        let mut rejected: Vec<_> = plan.unusable().cloned().collect();
        let to_add = plan.added();
        let mut running = Running { run: self, import: begun.import, known: begun.known };
        for (prepared, done) in to_add.chunks(PREPARED).zip((0..).step_by(PREPARED)) {
            (self.progress)(done, to_add.len())?;
            let ready = prepared.iter().flat_map(|at| self.source.draft(*at)).map(Ready::new);
            for batch in batches(ready) {
                let batch = Arc::new(batch);
                let Err(error) = running.add(Arc::clone(&batch)) else { continue };
                match (self.when_rejected, why(error)) {
                    (WhenRejected::AddOthers, Ok(why)) => {
                        running.require_running(&why)?;
                        rejected.extend(running.add_each(&batch)?);
                    }
                    (WhenRejected::AddNone, Ok(why)) => return Err(running.take_back(&why)),
                    (_, Err(error)) => return Err(running.stopped(error)),
                }
            }
        }
        (self.progress)(to_add.len(), to_add.len())?;
        Ok(rejected)
    }

    /// Goes on with an import that was interrupted while it added customers.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the account has changed so that something else would be added than was planned; then what
    /// was added is taken back. Otherwise as [`Run::add`].
    pub(super) fn resume(&self, import: &Import) -> Result<Vec<Unusable>> {
        let plan = Plan::of_rest(self.importer, self.source, Some(import.id), self.progress)?;
        let all = import.added + i64::try_from(plan.added().len()).unwrap_or(i64::MAX);
        let begun = Begun { import: import.id, known: Known::Changed };
        let is_as_planned = match self.when_rejected {
            WhenRejected::AddNone => all == import.customers,
            // Those that could not be added then may be there now.
            WhenRejected::AddOthers => all <= import.customers,
        };
        if !is_as_planned {
            let running = Running { run: self, import: import.id, known: begun.known };
            return Err(running.take_back("your customers changed while it was interrupted."));
        }
        let missing = usize::try_from(import.customers - all).unwrap_or_default();
        let here = if missing > 0 { self.here_now(&plan, import.id, missing)? } else { Vec::new() };
        let mut rejected = self.add(&plan, begun)?;
        rejected.extend(here);
        Ok(rejected)
    }

    /// Of the customers that are in the account, and that the import did not add, those that were changed last: that
    /// many were to be added when it began.
    fn here_now(
        &self,
        plan: &Plan,
        import: Id<kinds::Import>,
        missing: usize,
    ) -> Result<Vec<Unusable>> {
        let here = plan.customers.iter().enumerate().filter_map(|(at, planned)| match planned {
            Planned::Here(found) => Some((at, found)),
            Planned::Add { .. } | Planned::Unusable(_) => None,
        });
        let here: Vec<_> = here.collect();
        let mut by_change = Vec::new();
        for (chunk, done) in here.chunks(LOOKED_AT).zip((0..).step_by(LOOKED_AT)) {
            (self.progress)(done, here.len())?;
            let ids: Vec<_> = chunk.iter().map(|(_, found)| found.id).collect();
            let latest = self.importer.read_on(move |tx| {
                let of = |id: &Id<kinds::Customer>| changed_by_others(tx, import, *id);
                ids.iter().map(of).collect::<Result<Vec<_>>>()
            })?;
            let changed = latest.into_iter().zip(chunk);
            by_change.extend(changed.filter_map(|(latest, here)| Some((latest?, here))));
        }
        by_change.sort_by_key(|(latest, _)| Reverse(*latest));
        by_change.truncate(missing);
        let unusable = by_change.into_iter().map(|(_, (at, Found { shown, why, .. }))| Unusable {
            lines: self.source.lines(*at),
            why: format!("is in the account already: {shown} ({why})"),
        });
        Ok(unusable.collect())
    }

    /// Records that an import is done, with `also` in the same transaction, even if the member has left the business since.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was undone meanwhile.
    pub(super) fn end(
        &self,
        import: Id<kinds::Import>,
        also: impl Fn(&mut WriteTx<'_>, &Import) -> Result<()> + Send + 'static,
    ) -> Result<Import> {
        self.importer.write_on(move |tx| {
            imports::count_added(tx, import, 0)?;
            imports::set_state(tx, import, State::Done)?;
            let import = imports::get(tx, import)?;
            also(tx, &import)?;
            Ok(import)
        })
    }
}

/// The latest change of a customer of the account. `None` if an import has added it.
fn changed_by_others(
    tx: &mut ReadTx<'_>,
    import: Id<kinds::Import>,
    customer: Id<kinds::Customer>,
) -> Result<Option<Uuid>> {
    if imports::has_added(tx, import, customer)? {
        return Ok(None);
    }
    Ok(history::entries(tx, customer, Uuid::max(), 1)?.first().copied())
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

/// An import that adds customers.
struct Running<'r> {
    run: &'r Run<'r>,
    import: Id<kinds::Import>,
    known: Known,
}

impl Running<'_> {
    fn add(&mut self, customers: Arc<Vec<Ready>>) -> Result<()> {
        let (import, known, token) = (self.import, self.known, self.token());
        let added = self.run.importer.write(move |tx, access, environment| {
            tx.take_turn()?;
            if let Some(token) = &token {
                token.check(tx)?;
            }
            write::add(tx, environment, access, import, &customers, known)
        });
        // After an error it is not known what others changed.
        self.known = *added.as_ref().unwrap_or(&Known::Changed);
        added.map(drop)
    }

    fn token(&self) -> Option<Token> {
        self.run.held.map(Held::token)
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

    /// Refuses to go on with an import that was undone meanwhile: then no customer can be added.
    fn require_running(&self, why: &str) -> Result<()> {
        let import = self.import;
        let import = self.run.importer.read_on(move |tx| imports::get(tx, import))?;
        if import.state == State::Running { Ok(()) } else { Err(Error::conflict(why)) }
    }

    /// Takes back what was added. Returns the error that says why.
    fn take_back(&self, why: &str) -> Error {
        match self.taken_back(format!("The import stopped: {why}")) {
            Ok(true) => Error::conflict(format!("Nothing was imported: {why}")),
            Ok(false) => Error::conflict(format!(
                "The import stopped, and what others have changed since could not be taken back: {why}"
            )),
            Err(error) => self.left(error),
        }
    }

    /// Takes back what was added, because of an error that is not about a customer, such as a full disk.
    fn stopped(&self, error: Error) -> Error {
        let is_lost = matches!(error, Error::Unavailable { .. });
        if is_lost && self.run.held.is_some() {
            return error;
        }
        match self.taken_back(reason(&error).to_owned()) {
            Ok(true) => error,
            Ok(false) => self.left(error),
            Err(also) => {
                drop(error);
                self.left(also)
            }
        }
    }

    /// What is said if something of the import is left.
    fn left(&self, error: Error) -> Error {
        if self.run.held.is_some() {
            return error;
        }
        Error::conflict(format!(
            "The import {} was interrupted: import the file again to go on, or undo it.",
            self.import
        ))
    }

    /// Takes back what was added, because of a problem. Returns whether that was all of it.
    fn taken_back(&self, problem: String) -> Result<bool> {
        let Run { importer, held, progress, .. } = self.run;
        let import = self.import;
        if let Some(token) = self.token() {
            importer.write_on(move |tx| {
                tx.take_turn()?;
                token.say(tx, &problem)?;
                imports::set_state(tx, import, State::Undoing)
            })?;
        }
        let (held, progress, becomes) = (*held, *progress, State::Stopped);
        let undo = Undo { importer, import, held, progress, becomes };
        Ok(undo.run()?.kept.is_empty())
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
