//! Contacts and locations that a merge moved, given back to their customers. A merge can move a thousand, so those that
//! only get another customer are written together.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use zoop_db::Uuid;

use super::children::{Child, Children, Handover, MAX_ACTIVE};
use super::contacts::{Contact, Origin};
use super::locations::Location;
use super::{Customer, store};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::call::history::store::id_list;
use crate::values::id::{Id, Kind, kinds};

/// The ids of moved records, and the values that each gets back.
type Moves<'m> = [(Uuid, &'m Values)];

/// Gives contacts back to the customers that they were moved from. A company's placeholder that became a contact by its
/// move is the placeholder again. `settle` follows for the customers.
pub(in crate::business) fn contacts(ctx: &mut WriteCtx<'_, '_>, moves: &Moves<'_>) -> Result<()> {
    all::<Contact>(ctx, moves, |values, old, new, there| {
        // The move gave a placeholder the company's own phone or e-mail address, and now takes them away.
        let is_changed = ["phone", "email"].iter().any(|field| values.contains_key(*field));
        let says_nothing = new.last_name.is_none() && new.phone.is_none() && new.email.is_none();
        let has_its_name = Some(&new.first_name) == there.company_name.as_ref();
        let origin = match old.origin {
            _ if is_changed && says_nothing && has_its_name => Origin::Placeholder,
            Origin::Placeholder if is_changed => Origin::Own,
            origin => origin,
        };
        Contact { origin, ..new }
    })
}

/// Gives locations back to the customers that they were moved from. `settle` follows for the customers.
pub(in crate::business) fn locations(ctx: &mut WriteCtx<'_, '_>, moves: &Moves<'_>) -> Result<()> {
    all::<Location>(ctx, moves, |_, _, new, _| new)
}

fn all<C: Child + DeserializeOwned>(
    ctx: &mut WriteCtx<'_, '_>,
    mut moves: &Moves<'_>,
    complete: impl Fn(&Values, &C, C, &Customer) -> C,
) -> Result<()> {
    while let Some(((id, values), _)) = moves.split_first() {
        let together = handed_over::<C>(ctx, moves)?;
        if together == 0 {
            one(ctx, *id, values, |old, new, there| complete(values, old, new, there))?;
        }
        moves = &moves[together.max(1)..];
    }
    Ok(())
}

/// Gives back the first records, as long as they only get another customer, the same one, and no rule is about them.
/// Returns how many.
fn handed_over<C: Child>(ctx: &mut WriteCtx<'_, '_>, moves: &Moves<'_>) -> Result<usize> {
    let plain = moves.iter().map_while(|(id, values)| Some((*id, customer_only(values)?)));
    let plain: Vec<_> = plain.collect();
    let Some((_, to)) = plain.first().copied() else { return Ok(0) };
    let plain = plain.into_iter().take_while(|(_, customer)| *customer == to);
    let ids: Vec<_> = plain.map(|(id, _)| id).collect();
    let now = C::by_ids(ctx.tx, &id_list(ids.iter().copied()))?;
    let now: BTreeMap<_, _> = now.into_iter().map(|it| (it.record_id(), it)).collect();
    let Some(from) = now.get(&ids[0]).map(C::customer_id) else { return Ok(0) };
    let there = store::get(ctx.tx, to)?.unless_merged(ctx.access)?;
    let is_kept = store::get(ctx.tx, from)?.merged_into.is_none();
    let left = Children::<C>::read(ctx.tx, from)?.active().len();
    let come = Children::<C>::read(ctx.tx, there.id)?.active().len();
    let mut handover = Handover::new(from, to);
    let mut active = 0;
    for id in &ids {
        let Some(old) = now.get(id).filter(|it| it.customer_id() == from) else { break };
        active += usize::from(old.archived_at().is_none());
        // The last active one, and one more than there is room for, are refused one by one, and a primary one has a
        // rival.
        let is_free = !is_kept || (active < left && !old.is_primary());
        if !is_free || come + active > MAX_ACTIVE {
            break;
        }
        ctx.updated(old, &handover.result(old, ctx.moment()))?;
        handover.ids.push(*id);
    }
    let count = handover.ids.len();
    handover.write::<C>(ctx)?;
    Ok(count)
}

/// The customer, if a record gets only that back, and is not primary then.
fn customer_only(values: &Values) -> Option<Id<kinds::Customer>> {
    let is_plain = |(field, value): (&String, &Value)| match field.as_str() {
        "customer_id" => true,
        "is_primary" => *value == Value::Bool(false),
        _ => false,
    };
    let is_primary_known = values.contains_key("is_primary");
    let customer = values.get("customer_id").and_then(Value::as_str).and_then(Id::parse);
    customer.filter(|_| is_primary_known && values.iter().all(is_plain))
}

/// Moves a contact or location between two customers.
fn one<C: Child + DeserializeOwned>(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
    complete: impl Fn(&C, C, &Customer) -> C,
) -> Result<()> {
    let id = Id::new(id);
    let here = C::customer_of(ctx.tx, id)?.ok_or_else(|| Error::not_found(C::Kind::WORD))?;
    let old = C::get(ctx.tx, here, id)?;
    let new: C = with_values(&old, values)?;
    let here = store::get(ctx.tx, here)?;
    let there = store::get(ctx.tx, new.customer_id())?.unless_merged(ctx.access)?;
    let new = complete(&old, new, &there);
    let rest = Children::<C>::read(ctx.tx, here.id)?;
    // A merged customer keeps none.
    let is_kept = here.merged_into.is_none();
    if is_kept && old.archived_at().is_none() {
        rest.require_another(&old)?;
    }
    Children::<C>::read(ctx.tx, there.id)?.receive(ctx, &old, new)?;
    if is_kept && old.is_primary() { rest.promote_oldest_rival(ctx, &old) } else { Ok(()) }
}
