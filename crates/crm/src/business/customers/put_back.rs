//! Earlier values of a customer, its contacts and locations, put back from the history. The values are written as they
//! were, with the rules that hold whatever changed since: one primary of each kind, unique external ids, room.

use serde::de::DeserializeOwned;
use zoop_db::Uuid;

use super::children::{Child, Children};
use super::contacts::{Contact, Origin};
use super::locations::Location;
use super::{Customer, external_id, store};
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::{Id, Kind};

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
    if let Some(external_id) = &new.external_id {
        external_id::require_free(ctx.tx, ctx.access, external_id, Some(new.id))?;
    }
    Customer::save(ctx, &old, &Customer { updated_at: ctx.moment(), ..new })
}

/// Archives a customer that was added. Its external id is free again, as if it had never been added, so that the
/// customer can be imported once more.
pub(in crate::business) fn added(ctx: &mut WriteCtx<'_, '_>, id: Uuid) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let mut new = Customer { external_id: None, ..old.clone() };
    new.set_archived(Some(ctx.moment()), ctx.moment());
    Customer::save(ctx, &old, &new)
}

/// Puts back values of a contact. One that is again what a company's placeholder is becomes the placeholder again.
pub(in crate::business) fn contact(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    child::<Contact>(ctx, id, values, |old, new, customer| {
        let is_placeholder = new.is_like_placeholder(customer);
        let origin = if is_placeholder { Origin::Placeholder } else { old.origin };
        Contact { origin, ..new }
    })
}

/// Puts back values of a location.
pub(in crate::business) fn location(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    child::<Location>(ctx, id, values, |_, new, _| new)
}

fn child<C: Child + DeserializeOwned + PartialEq>(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
    complete: fn(&C, C, &Customer) -> C,
) -> Result<()> {
    let id = Id::new(id);
    let not_found = || Error::not_found(C::Kind::WORD);
    let customer = C::customer_of(ctx.tx, id)?.ok_or_else(not_found)?;
    let customer = store::get(ctx.tx, customer)?.unless_archived(ctx.access)?;
    let children = Children::<C>::read(ctx.tx, customer.id)?;
    let old = children.find(ctx.tx, id)?;
    let new = complete(&old, with_values(&old, values)?, &customer);
    if new != old {
        children.put_back(ctx, &old, new)?;
        store::reindex(ctx.tx, &customer)?;
    }
    Ok(())
}
