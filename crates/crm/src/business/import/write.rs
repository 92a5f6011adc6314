//! Adds customers of a file, each with all that belongs to it and one entry of the history.

use zoop_db::{ReadTx, Uuid, WriteTx};

use super::draft::Draft;
use super::matching::{self, Decision};
use super::store::{self as imports, Imported};
use super::{ARCHIVED, EVENT};
use crate::business::customers::tools::archive::{ArchiveCustomer, ArchiveCustomerInput};
use crate::business::customers::tools::create;
use crate::business::notes::{KnownWords, tools::create as notes};
use crate::business::tags::{self, DEFAULT_COLOR};
use crate::call::access::Access;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history;
use crate::call::storage;
use crate::call::tool::Command as _;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// A customer to add, with the words of its notes.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    draft: Draft,
    words: Vec<KnownWords>,
}

impl Ready {
    pub(super) fn new(draft: Draft) -> Self {
        let words = draft.notes.iter().map(|note| KnownWords::of(note)).collect();
        Self { draft, words }
    }

    /// How many records it will be.
    pub(super) fn records(&self) -> usize {
        self.draft.records()
    }

    /// Where its rows begin.
    pub(super) fn lines(&self) -> &[u32] {
        &self.draft.lines
    }
}

/// The latest change of the account that an import knows. Later ones are by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing was changed by others since the plan was made.
    UpTo(Option<Uuid>),
    /// Something was, so each customer is looked up again before it is added.
    Changed,
}

impl Known {
    /// What is known before a write.
    fn now(self, tx: &mut ReadTx<'_>) -> Result<Self> {
        match self {
            Self::UpTo(known) if history::store::latest(tx)? == known => Ok(self),
            _ => Ok(Self::Changed),
        }
    }

    /// What is known after a write of the import itself.
    fn after_own_write(self, tx: &mut ReadTx<'_>) -> Result<Self> {
        match self {
            Self::UpTo(_) => Ok(Self::UpTo(history::store::latest(tx)?)),
            Self::Changed => Ok(self),
        }
    }
}

/// Adds customers in one transaction.
///
/// # Errors
/// [`Error::Conflict`] if one of them was added to the account meanwhile.
pub(super) fn add(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    access: &Access,
    import: Id<kinds::Import>,
    customers: &[Ready],
    known: Known,
) -> Result<Known> {
    tx.take_turn()?;
    let known = known.now(tx)?;
    for ready in customers {
        if known == Known::Changed {
            require_absent(tx, import, ready)?;
        }
        add_one(tx, environment, access, import, ready)?;
    }
    imports::count_added(tx, import, customers.len())?;
    known.after_own_write(tx)
}

/// Others may have added the same customer since the plan was made.
fn require_absent(tx: &mut WriteTx<'_>, import: Id<kinds::Import>, ready: &Ready) -> Result<()> {
    let line = ready.draft.lines.first().copied().unwrap_or_default();
    match matching::decide(tx, &ready.draft, Some(import))? {
        Decision::Add { .. } => Ok(()),
        Decision::Here(found) => Err(Error::conflict(format!(
            "Line {line} is in the account meanwhile: {} ({}). Start the import again.",
            found.shown, found.why
        ))),
        Decision::IdOfAnother(found) => Err(Error::conflict(format!(
            "Line {line} has the id that {} got meanwhile. Start the import again.",
            found.shown
        ))),
    }
}

fn add_one(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    access: &Access,
    import: Id<kinds::Import>,
    Ready { draft, words }: &Ready,
) -> Result<()> {
    let (customer, added) = recorded(tx, environment, access, EVENT, |ctx| {
        let customer = create::add(ctx, &draft.customer, &draft.contacts, &draft.locations)?;
        for (note, words) in draft.notes.iter().zip(words) {
            notes::add_about(ctx, customer, note, words)?;
        }
        Ok(customer)
    })?;
    let entry = if draft.is_archived {
        let input = ArchiveCustomerInput { id: customer };
        recorded(tx, environment, access, ARCHIVED, |ctx| ArchiveCustomer::run(ctx, &input))?.1
    } else {
        added
    };
    let imported = Imported { entry, record: customer.uuid(), is_tag: false };
    imports::add(tx, import, imported, &draft.digest)
}

/// Adds the tags that the account lacks.
pub(super) fn add_tags(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    access: &Access,
    import: Id<kinds::Import>,
    names: &[String],
    known: Known,
) -> Result<Known> {
    tx.take_turn()?;
    let known = known.now(tx)?;
    for name in names {
        if tags::store::by_name(tx, name)?.is_some() {
            continue;
        }
        let add = |ctx: &mut WriteCtx<'_, '_>| tags::tools::add(ctx, name, DEFAULT_COLOR);
        let (tag, entry) = recorded(tx, environment, access, EVENT, add)?;
        imports::add(tx, import, Imported { entry, record: tag.id.uuid(), is_tag: true }, &[])?;
    }
    known.after_own_write(tx)
}

/// Does something with an entry of its own in the history.
fn recorded<T>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    access: &Access,
    name: &'static str,
    work: impl FnOnce(&mut WriteCtx<'_, '_>) -> Result<T>,
) -> Result<(T, Id<kinds::Entry>)> {
    let mut ctx = WriteCtx::begin(tx, access, environment)?;
    let done = work(&mut ctx)?;
    history::record(&mut ctx, name)?;
    storage::charge(&mut ctx, true)?;
    let entry = ctx.entry.ok_or_else(|| Error::internal("an import left no entry"))?;
    Ok((done, entry))
}
