//! Children of a customer: its contacts and locations, some of which are primary. A customer has at
//! most [`MAX_ACTIVE`] active ones of each. A call reads them once. The rules that both share are here;
//! what only contacts or only locations do is in their own files.

use zoop_db::{ReadTx, WriteTx};

use super::store;
use crate::call::answer::{Archived, Restored};
use crate::call::archive::{self, Archivable};
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::values::id::{Id, Kind, kinds};

/// Maximum active contacts of one customer, and maximum active locations.
pub(crate) const MAX_ACTIVE: usize = 200;

/// A contact or a location. It belongs to one customer. At most one of a group of rivals is primary.
pub(crate) trait Child: Archivable + Recorded {
    /// The plural of its word.
    const PLURAL: &'static str;
    /// What rivals have in common.
    type Group: PartialEq;

    /// A customer's child, archived ones too.
    fn get(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>, id: Id<Self::Kind>) -> Result<Self>;

    /// A customer's active children, in creation order.
    fn siblings(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Sibling<Self>>>;

    /// The customer that a child belongs to, if there is such a child.
    fn customer_of(tx: &mut ReadTx<'_>, id: Id<Self::Kind>) -> Result<Option<Id<kinds::Customer>>>;

    /// Adds a child to the table.
    fn insert(&self, tx: &mut WriteTx<'_>) -> Result<()>;

    /// Whether it is primary.
    fn is_primary(&self) -> bool;

    /// The same child, primary or not.
    #[must_use]
    fn with_primary(self, is_primary: bool) -> Self;

    /// Of two children of one group, only one can be primary.
    fn group(&self) -> Self::Group;
}

/// What the rules need to know of a customer's child. All its fields would be too much to read in a write:
/// the texts of two hundred locations are many megabytes.
pub(crate) struct Sibling<C: Child> {
    pub(crate) id: Id<C::Kind>,
    pub(crate) is_primary: bool,
    pub(crate) group: C::Group,
}

/// The active children of one customer.
pub(crate) struct Children<C: Child> {
    customer: Id<kinds::Customer>,
    active: Vec<Sibling<C>>,
}

impl<C: Child> Children<C> {
    /// Reads them.
    pub(crate) fn of(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Self> {
        Ok(Self { customer, active: C::siblings(tx, customer)? })
    }

    /// All of them, in creation order.
    pub(crate) fn active(&self) -> &[Sibling<C>] {
        &self.active
    }

    /// The child with this id, archived ones too.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the customer has no such child.
    pub(crate) fn find(&self, tx: &mut ReadTx<'_>, id: Id<C::Kind>) -> Result<C> {
        C::get(tx, self.customer, id)
    }

    /// The other children that cannot be primary at the same time as `child`.
    pub(crate) fn rivals(&self, child: &C) -> impl Iterator<Item = &Sibling<C>> {
        let (id, group) = (child.id(), child.group());
        self.active.iter().filter(move |other| other.id != id && other.group == group)
    }

    /// The rival that is primary, if there is one.
    pub(crate) fn primary_rival(&self, child: &C) -> Option<&Sibling<C>> {
        self.rivals(child).find(|other| other.is_primary)
    }

    /// Adds a child. The first one is always primary, and a new primary one demotes the previous one.
    pub(crate) fn add(&self, ctx: &mut WriteCtx<'_, '_>, child: C) -> Result<C> {
        self.require_room()?;
        let is_primary = child.is_primary() || self.rivals(&child).next().is_none();
        let child = child.with_primary(is_primary);
        self.demote_rival(ctx, &child)?;
        child.insert(ctx.tx)?;
        ctx.added(&child)?;
        Ok(child)
    }

    /// Writes the change from `old` to `new`. A new primary one demotes the previous one. If a primary
    /// one is no longer a rival of its former rivals, the oldest of them becomes primary.
    pub(crate) fn update(&self, ctx: &mut WriteCtx<'_, '_>, old: &C, new: &C) -> Result<()> {
        self.demote_rival(ctx, new)?;
        C::save(ctx, old, new)?;
        if old.is_primary() && old.group() != new.group() {
            self.promote_oldest_rival(ctx, old)?;
        }
        Ok(())
    }

    /// Archives a child. If it was primary, the oldest of its rivals becomes primary.
    pub(crate) fn archive(
        &self,
        ctx: &mut WriteCtx<'_, '_>,
        child: &C,
    ) -> Result<Archived<C::Kind>> {
        let answer = archive::archive(ctx, child)?;
        if child.is_primary() {
            self.promote_oldest_rival(ctx, child)?;
        }
        Ok(answer)
    }

    /// Rejects one more child than a customer can have active.
    fn require_room(&self) -> Result<()> {
        if self.active.len() < MAX_ACTIVE {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "This customer has {MAX_ACTIVE} active {}, which is the most: archive one first.",
            C::PLURAL
        )))
    }

    fn demote_rival(&self, ctx: &mut WriteCtx<'_, '_>, child: &C) -> Result<()> {
        match self.primary_rival(child).filter(|_| child.is_primary()) {
            Some(rival) => self.set_primary(ctx, rival.id, false),
            None => Ok(()),
        }
    }

    fn promote_oldest_rival(&self, ctx: &mut WriteCtx<'_, '_>, child: &C) -> Result<()> {
        match self.rivals(child).min_by_key(|rival| rival.id.uuid()) {
            Some(oldest) => self.set_primary(ctx, oldest.id, true),
            None => Ok(()),
        }
    }

    /// Promotes or demotes a child.
    fn set_primary(
        &self,
        ctx: &mut WriteCtx<'_, '_>,
        id: Id<C::Kind>,
        is_primary: bool,
    ) -> Result<()> {
        let old = self.find(ctx.tx, id)?;
        let mut new = old.clone().with_primary(is_primary);
        new.mark(None, ctx.moment());
        C::save(ctx, &old, &new)
    }
}

/// Restores a child of a customer that is not archived. It becomes primary only if it has no rivals.
/// Returns the customer.
pub(crate) fn restore<C: Child>(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<C::Kind>,
) -> Result<(Restored<C::Kind>, super::Customer)> {
    let gone = || Error::not_found(C::Kind::ARCHIVED);
    let customer = C::customer_of(ctx.tx, id)?.ok_or_else(gone)?;
    let customer = store::get(ctx.tx, customer)?;
    if customer.archived_at.is_some() {
        return Err(Error::conflict("Its customer is archived: restore the customer first."));
    }
    let children = Children::<C>::of(ctx.tx, customer.id)?;
    let old = children.find(ctx.tx, id)?;
    let new = archive::restored(ctx, &old)?;
    children.require_room()?;
    let is_primary = children.rivals(&new).next().is_none();
    C::save(ctx, &old, &new.with_primary(is_primary))?;
    Ok((Restored::of(id), customer))
}
