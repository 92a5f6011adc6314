//! The steps of archiving and restoring that all kinds of record share. Each kind's own files do the rest:
//! permissions, the search index, and choosing another primary contact or location.

use crate::call::access::Access;
use crate::call::answer::{Archived, Restored};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::id::{Id, Kind};

/// A stored record that can be archived.
pub(crate) trait Archivable: Clone {
    /// The kind of the record's id.
    type Kind: Kind;
    /// The scope that allows reading the record. To a caller without it, an archived record does not
    /// exist.
    const READ: Scope;

    /// The tool with which a caller brings a record back.
    const WAY_BACK: &'static str;

    /// The record's id.
    fn id(&self) -> Id<Self::Kind>;

    /// When the record was archived.
    fn archived_at(&self) -> Option<Moment>;

    /// Sets when the record was archived (`None` if it was restored) and when it was last changed.
    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment);

    /// Writes the change from `old` to `new`, and records it in the history.
    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()>;

    /// Returns the record, or an error if it is archived: an archived record and its children cannot be
    /// changed.
    fn unless_archived(self, access: &Access) -> Result<Self> {
        match self.archived_at() {
            None => Ok(self),
            Some(_) => {
                Err(Error::archived(Self::Kind::WORD, Self::WAY_BACK)
                    .for_reader(access, Self::READ))
            }
        }
    }
}

/// Archives a record.
pub(crate) fn archive<R: Archivable>(
    ctx: &mut WriteCtx<'_, '_>,
    old: &R,
) -> Result<Archived<R::Kind>> {
    if old.archived_at().is_some() {
        let error = Error::already_archived(R::Kind::WORD, R::WAY_BACK);
        return Err(error.for_reader(ctx.access, R::READ));
    }
    let mut new = old.clone();
    new.set_archived(Some(ctx.moment()), ctx.moment());
    R::save(ctx, old, &new)?;
    Ok(Archived::of(old.id()))
}

/// Restores a record.
pub(crate) fn restore<R: Archivable>(
    ctx: &mut WriteCtx<'_, '_>,
    old: &R,
) -> Result<Restored<R::Kind>> {
    let new = restored_record(ctx, old)?;
    R::save(ctx, old, &new)?;
    Ok(Restored::of(old.id()))
}

/// Returns the archived record `old` as it is after restoring, without saving it, so that the caller can change other
/// fields too. The error is "not found" if the record is not archived.
pub(crate) fn restored_record<R: Archivable>(ctx: &WriteCtx<'_, '_>, old: &R) -> Result<R> {
    if old.archived_at().is_none() {
        return Err(Error::not_found(R::Kind::ARCHIVED));
    }
    let mut new = old.clone();
    new.set_archived(None, ctx.moment());
    Ok(new)
}
