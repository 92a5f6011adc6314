//! Runs an import: in batches, so that no other write waits for long.

use std::sync::Arc;

use super::matching::Decision;
use super::plan::{Plan, Planned};
use super::source::{Source, Unusable};
use super::store::{self as imports, Import, State};
use super::undo::undo;
use super::write::{self, Known, Ready};
use super::{Importer, Progress};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};

/// How many customers are added in one transaction.
const AT_ONCE: usize = 20;

/// What to do if a customer of the file cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenRejected {
    /// Add none.
    AddNone,
    /// Add the others.
    AddOthers,
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
    let mut rejected: Vec<_> = plan.unusable().cloned().collect();
    if when_rejected == WhenRejected::AddNone && !rejected.is_empty() {
        return Err(all_refused(&rejected));
    }
    let to_add = plan.added();
    let (import, mut known) = begin(importer, source, plan, to_add.len())?;
    for (batch, done) in to_add.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
        progress(done, to_add.len());
        let ready: Vec<_> = batch.iter().flat_map(|at| source.draft(*at)).map(Ready::new).collect();
        let ready = Arc::new(ready);
        let error = match add(importer, import, Arc::clone(&ready), known) {
            Ok(now) => {
                known = now;
                continue;
            }
            Err(error) => error,
        };
        // Part of the batch may be added again, one by one.
        known = Known::Changed;
        match when_rejected {
            WhenRejected::AddNone => {
                undo(importer, import, &|_, _| {})?;
                end(importer, import, State::Stopped)?;
                return Err(error);
            }
            WhenRejected::AddOthers => {
                why(error)?;
                rejected.extend(add_each(importer, import, &ready)?);
            }
        }
    }
    progress(to_add.len(), to_add.len());
    let import = end(importer, import, State::Done)?;
    Ok(Outcome { import, rejected })
}

impl Plan {
    /// The customers that cannot be added.
    pub fn unusable(&self) -> impl Iterator<Item = &Unusable> {
        self.customers.iter().filter_map(|planned| match planned {
            Planned::Unusable(unusable) => Some(unusable),
            Planned::Valid(_) => None,
        })
    }

    /// Which customers are added.
    fn added(&self) -> Vec<usize> {
        let planned = self.customers.iter().enumerate();
        let added = planned.filter(|(_, it)| matches!(it, Planned::Valid(Decision::Add { .. })));
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

/// Records the import and adds its tags.
fn begin(
    importer: &Importer,
    source: &Source,
    plan: &Plan,
    customers: usize,
) -> Result<(Id<kinds::Import>, Known)> {
    let file_name = source.file_name.clone();
    let (tags, known) = (plan.new_tags.clone(), Known::UpTo(plan.as_of));
    importer.write(move |tx, access, environment| {
        let user_id = access.actor.user().ok_or_else(|| Error::internal("no user imports"))?;
        let customers = i64::try_from(customers).unwrap_or(i64::MAX);
        let id = WriteCtx::begin(tx, access, environment)?.next_id(imports::GREATEST_ID_BELOW)?;
        let (file_name, state) = (file_name.clone(), State::Running);
        imports::insert(tx, &Import { id, user_id, file_name, state, customers, added: 0 })?;
        Ok((id, write::add_tags(tx, environment, access, id, &tags, known)?))
    })
}

fn end(importer: &Importer, id: Id<kinds::Import>, state: State) -> Result<Import> {
    importer.write(move |tx, _, _| {
        imports::set_state(tx, id, state)?;
        imports::get(tx, id)
    })
}

fn add(
    importer: &Importer,
    import: Id<kinds::Import>,
    customers: Arc<Vec<Ready>>,
    known: Known,
) -> Result<Known> {
    importer.write(move |tx, access, environment| {
        write::add(tx, environment, access, import, &customers, known)
    })
}

/// Adds the customers of a batch one by one. Returns those that cannot be added.
fn add_each(
    importer: &Importer,
    import: Id<kinds::Import>,
    customers: &[Ready],
) -> Result<Vec<Unusable>> {
    let mut rejected = Vec::new();
    for one in customers {
        if let Err(error) = add(importer, import, Arc::new(vec![one.clone()]), Known::Changed) {
            rejected.push(Unusable { lines: one.lines().to_vec(), why: why(error)? });
        }
    }
    Ok(rejected)
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
