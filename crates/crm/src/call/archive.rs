//! Archiving and restoring: the same steps for every kind of record. What is special to a kind (its
//! search index, who may do it, what replaces it) is in its own files.

use crate::call::access::Access;
use crate::call::answer::{Archived, Restored};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::id::{Id, Kind};

/// A stored record that can be archived.
pub(crate) trait Archivable: Clone {
    /// The kind of its ids.
    type Kind: Kind;
    /// The scope that allows reading it. For callers without this scope an archived record is not
    /// found.
    const READ: Scope;

    /// Its id.
    fn id(&self) -> Id<Self::Kind>;

    /// When it was archived.
    fn archived_at(&self) -> Option<Moment>;

    /// Sets when it was archived (`None` when restored) and when it was last changed.
    fn mark(&mut self, archived_at: Option<Moment>, updated_at: Moment);

    /// Writes the change from `old` to `new`, and records it in the history.
    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()>;

    /// The record, or an error if it is archived: an archived record and its children cannot be
    /// changed.
    fn unless_archived(self, access: &Access) -> Result<Self> {
        match self.archived_at() {
            None => Ok(self),
            Some(_) => Err(Error::archived(Self::Kind::WORD).for_reader(access, Self::READ)),
        }
    }
}

/// Archives a record.
pub(crate) fn archive<R: Archivable>(
    ctx: &mut WriteCtx<'_, '_>,
    old: &R,
) -> Result<Archived<R::Kind>> {
    if old.archived_at().is_some() {
        let twice = Error::archived_already(R::Kind::WORD);
        return Err(twice.for_reader(ctx.access, R::READ));
    }
    let mut new = old.clone();
    new.mark(Some(ctx.moment()), ctx.moment());
    R::save(ctx, old, &new)?;
    Ok(Archived::of(old.id()))
}

/// Restores a record.
pub(crate) fn restore<R: Archivable>(
    ctx: &mut WriteCtx<'_, '_>,
    old: &R,
) -> Result<Restored<R::Kind>> {
    let new = restored(ctx, old)?;
    R::save(ctx, old, &new)?;
    Ok(Restored::of(old.id()))
}

/// The restored form of an archived record, for a kind that changes more of it before saving it.
pub(crate) fn restored<R: Archivable>(ctx: &WriteCtx<'_, '_>, old: &R) -> Result<R> {
    if old.archived_at().is_none() {
        return Err(Error::not_found(R::Kind::ARCHIVED));
    }
    let mut new = old.clone();
    new.mark(None, ctx.moment());
    Ok(new)
}
