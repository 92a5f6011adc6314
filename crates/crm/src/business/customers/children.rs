//! The children of a customer: its contacts and locations, some of which are primary. This file contains the rules
//! for both kinds of children. The rules for only one kind are in `contacts` and `locations`.

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid, WriteTx};

use super::store;
use crate::call::access::Access;
use crate::call::answer::{Archived, Restored};
use crate::call::archive::{self, Archivable};
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::tool::Found;
use crate::values::clock::Moment;
use crate::values::id::{Id, Kind, kinds};

/// Maximum number of active contacts, and of active locations, of one customer.
pub(crate) const MAX_ACTIVE: usize = 200;
/// Maximum number of rows on a page of a customer's contacts or locations: enough for all active ones.
pub(crate) const MAX_ROWS: u32 = 200;

/// A contact or a location of a customer. Children in the same group are rivals: at most one of them is primary.
pub(crate) trait Child: Archivable + Recorded + PartialEq {
    /// The plural of the word for this kind of child.
    const PLURAL: &'static str;
    /// Whether a customer keeps at least one active child of this kind, and one of them is always primary.
    const IS_KEPT: bool;
    /// What rivals have in common, such as the type of a location.
    type Group: PartialEq;

    /// A child of a customer, which may be archived.
    fn get(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>, id: Id<Self::Kind>) -> Result<Self>;

    /// A customer's active children, in creation order.
    fn siblings(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Sibling<Self>>>;

    /// Up to `count` of a customer's children in one part of the list, after the id `after`, in creation order.
    fn part(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        part: Part,
        after: Uuid,
        count: usize,
    ) -> Result<Vec<Self>>;

    /// The customer that a child belongs to, if there is such a child.
    fn customer_of(tx: &mut ReadTx<'_>, id: Id<Self::Kind>) -> Result<Option<Id<kinds::Customer>>>;

    /// The customer that the child belongs to.
    fn customer_id(&self) -> Id<kinds::Customer>;

    /// The children with the ids in a parameter that `id_list` writes.
    fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Self>>;

    /// Writes a child that belongs to another customer now.
    fn move_to(tx: &mut WriteTx<'_>, old: &Self, new: &Self) -> Result<()>;

    /// Writes children that belong to another customer now, as one statement.
    fn hand_over(tx: &mut WriteTx<'_>, handover: &Handover, at: Moment) -> Result<()>;

    /// The same child, of this customer.
    #[must_use]
    fn of_customer(self, customer: Id<kinds::Customer>) -> Self;

    /// Returns an error if the child stood in for children that have come since.
    fn require_restorable(&self) -> Result<()> {
        Ok(())
    }

    /// Adds a child to the table.
    fn insert(&self, tx: &mut WriteTx<'_>) -> Result<()>;

    /// Whether the child is primary.
    fn is_primary(&self) -> bool;

    /// The same child, with this value of `is_primary`.
    #[must_use]
    fn with_primary(self, is_primary: bool) -> Self;

    /// The child's group, in which at most one child is primary.
    fn group(&self) -> Self::Group;
}

/// The fields of a child that the rules need. A write does not read all fields, because the texts of two hundred
/// locations can be many megabytes.
pub(crate) struct Sibling<C: Child> {
    pub(crate) id: Id<C::Kind>,
    pub(crate) is_primary: bool,
    pub(crate) group: C::Group,
}

/// Children that go from one customer to another. They are not primary there, and nothing else of them changes. A
/// customer can have a thousand, so they are written together.
pub(crate) struct Handover {
    pub(crate) from: Id<kinds::Customer>,
    pub(crate) to: Id<kinds::Customer>,
    pub(crate) ids: Vec<Uuid>,
}

impl Handover {
    /// A handover of no children yet.
    pub(crate) const fn new(from: Id<kinds::Customer>, to: Id<kinds::Customer>) -> Self {
        Self { from, to, ids: Vec::new() }
    }

    /// The child after the handover.
    pub(crate) fn result<C: Child>(&self, old: &C, at: Moment) -> C {
        let mut new = old.clone().of_customer(self.to).with_primary(false);
        new.set_archived(old.archived_at(), at);
        new
    }

    /// Writes the handover, which [`WriteCtx::updated`] has recorded.
    pub(crate) fn write<C: Child>(self, ctx: &mut WriteCtx<'_, '_>) -> Result<()> {
        let at = ctx.moment();
        if self.ids.is_empty() { Ok(()) } else { C::hand_over(ctx.tx, &self, at) }
    }
}

/// A part of a customer's list of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// `true` for the archived children, none of which is primary, and `false` for the active children.
    pub(crate) archived: bool,
    /// `true` for the primary children, and `false` for the others.
    pub(crate) primary: bool,
}

/// The sort key of a child in a list: primary children come first, then the others, both in creation order.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Position {
    /// Whether the child is not primary.
    other: bool,
    /// The child's id.
    id: Uuid,
}

/// Up to `count` of a customer's archived or active children after the position `after`, in list order.
pub(crate) fn page<C: Child>(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    archived: bool,
    after: Option<Position>,
    count: usize,
) -> Result<Found<C, Position>> {
    let mut rows = Vec::new();
    let begins_with_others = archived || after.is_some_and(|after| after.other);
    for other in if begins_with_others { &[true][..] } else { &[false, true] } {
        let other = *other;
        if rows.len() == count {
            break;
        }
        let after = after.filter(|after| after.other == other).map_or(Uuid::nil(), |it| it.id);
        let part = Part { archived, primary: !other };
        let found = C::part(tx, customer, part, after, count - rows.len())?;
        rows.extend(found.into_iter().map(|child| {
            let id = child.id().uuid();
            (child, Position { other, id })
        }));
    }
    Ok(Found::all(rows))
}

/// A child, which may be archived. If the call names its customer too, it must be that customer's.
///
/// # Errors
/// [`Error::NotFound`] if there is no such child. [`Error::Unusable`] if it belongs to another customer, which only
/// a caller who may read it learns.
pub(crate) fn get<C: Child>(
    tx: &mut ReadTx<'_>,
    access: &Access,
    customer: Option<Id<kinds::Customer>>,
    id: Id<C::Kind>,
) -> Result<C> {
    let not_found = || Error::not_found(C::Kind::WORD);
    let Some(customer) = customer else {
        let owner = C::customer_of(tx, id)?.ok_or_else(not_found)?;
        return C::get(tx, owner, id);
    };
    match C::get(tx, customer, id) {
        Err(Error::NotFound { .. }) => Err(match C::customer_of(tx, id)? {
            Some(owner) => {
                Error::of_another_customer(C::Kind::WORD, owner).for_reader(access, C::READ)
            }
            None => not_found(),
        }),
        found => found,
    }
}

/// The active children of one customer.
pub(crate) struct Children<C: Child> {
    customer: Id<kinds::Customer>,
    active: Vec<Sibling<C>>,
}

impl<C: Child> Children<C> {
    /// Reads the active children of a customer.
    pub(crate) fn read(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Self> {
        Ok(Self { customer, active: C::siblings(tx, customer)? })
    }

    /// All active children, in creation order.
    pub(crate) fn active(&self) -> &[Sibling<C>] {
        &self.active
    }

    /// The child with the id that a call sent. The child may be archived.
    ///
    /// # Errors
    /// Those of [`get`].
    pub(crate) fn named(&self, ctx: &mut WriteCtx<'_, '_>, id: Id<C::Kind>) -> Result<C> {
        get(ctx.tx, ctx.access, Some(self.customer), id)
    }

    /// The child with this id, which may be archived.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the customer has no such child.
    pub(crate) fn find(&self, tx: &mut ReadTx<'_>, id: Id<C::Kind>) -> Result<C> {
        C::get(tx, self.customer, id)
    }

    /// The other active children that cannot be primary at the same time as `child`.
    pub(crate) fn rivals(&self, child: &C) -> impl Iterator<Item = &Sibling<C>> {
        let (id, group) = (child.id(), child.group());
        self.active.iter().filter(move |other| other.id != id && other.group == group)
    }

    /// The rival of `child` that is primary, if there is one.
    pub(crate) fn primary_rival(&self, child: &C) -> Option<&Sibling<C>> {
        self.rivals(child).find(|other| other.is_primary)
    }

    /// Adds a child. A child without rivals is always primary. A new primary child demotes its primary rival.
    pub(crate) fn add(&self, ctx: &mut WriteCtx<'_, '_>, child: C) -> Result<C> {
        self.require_room()?;
        let is_primary = child.is_primary() || self.rivals(&child).next().is_none();
        let child = child.with_primary(is_primary);
        self.demote_rival(ctx, &child)?;
        child.insert(ctx.tx)?;
        ctx.added(&child)?;
        Ok(child)
    }

    /// Writes the change from `old` to `new`. If `new` is primary, its primary rival is demoted. If `old` was
    /// primary and `new` is in another group, the oldest remaining child of the old group becomes primary.
    pub(crate) fn update(&self, ctx: &mut WriteCtx<'_, '_>, old: &C, new: &C) -> Result<()> {
        self.demote_rival(ctx, new)?;
        C::save(ctx, old, new)?;
        if old.is_primary() && old.group() != new.group() {
            self.promote_oldest_rival(ctx, old)?;
        }
        Ok(())
    }

    /// Archives a child. If it was primary, its oldest rival becomes primary.
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

    /// Writes earlier values `new` of the child `old`, which may be archived or restored by them.
    pub(crate) fn put_back(&self, ctx: &mut WriteCtx<'_, '_>, old: &C, new: C) -> Result<()> {
        let is_restored = old.archived_at().is_some() && new.archived_at().is_none();
        if is_restored {
            self.require_room()?;
        }
        if new.archived_at().is_some() {
            self.require_another(&new)?;
        }
        let is_only = C::IS_KEPT && is_restored && self.rivals(&new).next().is_none();
        let is_primary = new.is_primary() || is_only;
        let archived_at = new.archived_at();
        let mut new = new.with_primary(is_primary);
        new.set_archived(archived_at, ctx.moment());
        self.demote_rival(ctx, &new)?;
        C::save(ctx, old, &new)?;
        let is_left = C::IS_KEPT && old.is_primary() && !new.is_primary();
        if is_left && self.primary_rival(old).is_none() {
            self.promote_oldest_rival(ctx, old)?;
        }
        Ok(())
    }

    /// Writes that `old`, a child of another customer, becomes `new`, one of these children.
    pub(crate) fn receive(&self, ctx: &mut WriteCtx<'_, '_>, old: &C, mut new: C) -> Result<()> {
        if new.archived_at().is_none() {
            self.require_room()?;
            self.demote_rival(ctx, &new)?;
        }
        new.set_archived(new.archived_at(), ctx.moment());
        C::move_to(ctx.tx, old, &new)?;
        ctx.updated(old, &new)
    }

    /// Returns an error if this is the last child of a kind of which a customer keeps one.
    pub(crate) fn require_another(&self, child: &C) -> Result<()> {
        let is_last = matches!(&self.active[..], [only] if only.id == child.id());
        if !C::IS_KEPT || !is_last {
            return Ok(());
        }
        Err(Error::conflict("A customer keeps at least one contact: add another contact first."))
    }

    /// Returns an error if the customer already has the maximum number of active children.
    fn require_room(&self) -> Result<()> {
        if self.active.len() < MAX_ACTIVE {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "This customer already has {MAX_ACTIVE} active {}, the maximum: archive one first.",
            C::PLURAL
        )))
    }

    fn demote_rival(&self, ctx: &mut WriteCtx<'_, '_>, child: &C) -> Result<()> {
        match self.primary_rival(child).filter(|_| child.is_primary()) {
            Some(rival) => self.set_primary(ctx, rival.id, false),
            None => Ok(()),
        }
    }

    /// The oldest rival of a child becomes primary.
    pub(crate) fn promote_oldest_rival(&self, ctx: &mut WriteCtx<'_, '_>, child: &C) -> Result<()> {
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
        new.set_archived(None, ctx.moment());
        C::save(ctx, &old, &new)
    }
}

/// Restores a child. Its customer must not be archived. The child becomes primary only if it has no rivals. Also
/// returns the customer.
pub(crate) fn restore<C: Child>(
    ctx: &mut WriteCtx<'_, '_>,
    id: Id<C::Kind>,
) -> Result<(Restored<C::Kind>, super::Customer)> {
    let not_found = || Error::not_found(C::Kind::ARCHIVED);
    let customer = C::customer_of(ctx.tx, id)?.ok_or_else(not_found)?;
    let customer = store::get(ctx.tx, customer)?.unless_archived(ctx.access)?;
    let children = Children::<C>::read(ctx.tx, customer.id)?;
    let old = children.find(ctx.tx, id)?;
    let new = archive::restored_record(ctx, &old)?;
    old.require_restorable()?;
    children.require_room()?;
    let is_primary = children.rivals(&new).next().is_none();
    C::save(ctx, &old, &new.with_primary(is_primary))?;
    Ok((Restored::of(id), customer))
}
