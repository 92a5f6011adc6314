//! Earlier values of a customer, its contacts and locations, put back from the history. The values are written as they
//! were, with the rules that hold whatever changed since: one primary of each kind, unique external ids, room.

use serde::de::DeserializeOwned;
use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::children::{Child, Children};
use super::contacts::{Contact, Origin};
use super::locations::Location;
use super::{Customer, CustomerType, external_id, store};
use crate::call::archive::{Archivable, archive};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::{Id, Kind, kinds};

/// Puts back values of a customer.
pub(in crate::business) fn customer(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new = Customer { n: old.n, ..with_values(&old, values)? };
    if new == old {
        return Ok(());
    }
    // A merged customer gave its external id up to the kept one, and may get it back.
    let is_other_change = Customer { external_id: new.external_id.clone(), ..old.clone() } != new;
    if old.merged_into == new.merged_into && is_other_change {
        old.clone().unless_merged(ctx.access)?;
    }
    if let Some(external_id) = &new.external_id {
        external_id::claim(ctx, external_id, Some(new.id))?;
    }
    let new = Customer { updated_at: ctx.moment(), ..new };
    if is_settled_later(values) {
        store::update(ctx.tx, &new)?;
        return ctx.updated(&old, &new);
    }
    Customer::save(ctx, &old, &new)
}

/// Whether the values are of a merge. What it moved comes after them, and then [`settle`], which indexes the customer.
pub(in crate::business) fn is_settled_later(values: &Values) -> bool {
    ["merged_into", "merged_from"].iter().any(|field| values.contains_key(*field))
}

/// Takes a customer's external id away, before another one gets it.
pub(in crate::business) fn without_external_id(ctx: &mut WriteCtx<'_, '_>, id: Uuid) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new = Customer { external_id: None, updated_at: ctx.moment(), ..old.clone() };
    store::update(ctx.tx, &new)?;
    ctx.updated(&old, &new)
}

/// Ends putting back what a merge changed in a customer, as [`is_settled_later`] says: a placeholder that came back
/// beside other contacts gives way to them again, and searches find what the customer has now.
pub(in crate::business) fn settle(ctx: &mut WriteCtx<'_, '_>, id: Uuid) -> Result<()> {
    let customer = store::get(ctx.tx, Id::new(id))?;
    let contacts = super::contacts::store::active(ctx.tx, customer.id)?;
    let placeholder = contacts.iter().find(|contact| contact.origin == Origin::Placeholder);
    if let Some(placeholder) = placeholder.filter(|_| contacts.len() > 1) {
        Children::read(ctx.tx, customer.id)?.archive(ctx, placeholder)?;
    }
    store::reindex(ctx.tx, &customer)
}

/// Puts back values of a contact. A company's only contact that has no family name again is the placeholder again, and
/// has the company's present name: callers must send a family name.
pub(in crate::business) fn contact(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let loses_name = values.get("last_name").is_some_and(Value::is_null);
    child::<Contact>(ctx, id, values, |children, old, new, customer| {
        let mut new = Contact { origin: old.origin, ..new };
        let is_only = matches!(children.active(), [only] if only.id == new.id);
        if loses_name && is_only && customer.customer_type == CustomerType::Company {
            new.follow(customer);
        }
        new
    })
}

/// Puts back values of a location.
pub(in crate::business) fn location(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    child::<Location>(ctx, id, values, |_, _, new, _| new)
}

/// Archives a location that was added. None takes its place, as none lost it to the location.
pub(in crate::business) fn added_location(ctx: &mut WriteCtx<'_, '_>, id: Uuid) -> Result<()> {
    let not_found = || Error::not_found(kinds::Location::WORD);
    let customer = Location::customer_of(ctx.tx, Id::new(id))?.ok_or_else(not_found)?;
    let customer = store::get(ctx.tx, customer)?.unless_archived(ctx.access)?;
    let location = Location::get(ctx.tx, customer.id, Id::new(id))?;
    archive(ctx, &location)?;
    store::reindex(ctx.tx, &customer)
}

/// The contact that is primary now, and would no longer be after these values are put back.
pub(in crate::business) fn displaced_contact(
    tx: &mut ReadTx<'_>,
    id: Uuid,
    values: &Values,
) -> Result<Option<Uuid>> {
    displaced::<Contact>(tx, id, values)
}

/// The location that is primary now, and would no longer be after these values are put back.
pub(in crate::business) fn displaced_location(
    tx: &mut ReadTx<'_>,
    id: Uuid,
    values: &Values,
) -> Result<Option<Uuid>> {
    displaced::<Location>(tx, id, values)
}

fn displaced<C: Child + DeserializeOwned>(
    tx: &mut ReadTx<'_>,
    id: Uuid,
    values: &Values,
) -> Result<Option<Uuid>> {
    let id = Id::new(id);
    let Some(customer) = C::customer_of(tx, id)? else { return Ok(None) };
    let old = C::get(tx, customer, id)?;
    // What cannot be put back is refused when it is tried.
    let Ok(new) = with_values(&old, values) else { return Ok(None) };
    if !new.is_primary() || new.archived_at().is_some() {
        return Ok(None);
    }
    let children = Children::<C>::read(tx, new.customer_id())?;
    Ok(children.primary_rival(&new).map(|rival| rival.id.uuid()))
}

fn child<C: Child + DeserializeOwned + PartialEq>(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
    complete: impl Fn(&Children<C>, &C, C, &Customer) -> C,
) -> Result<()> {
    let id = Id::new(id);
    let not_found = || Error::not_found(C::Kind::WORD);
    let customer = C::customer_of(ctx.tx, id)?.ok_or_else(not_found)?;
    let customer = store::get(ctx.tx, customer)?.unless_archived(ctx.access)?;
    let children = Children::<C>::read(ctx.tx, customer.id)?;
    let old = children.find(ctx.tx, id)?;
    let new = complete(&children, &old, with_values(&old, values)?, &customer);
    if new != old {
        children.put_back(ctx, &old, new)?;
        store::reindex(ctx.tx, &customer)?;
    }
    Ok(())
}
