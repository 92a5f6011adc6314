//! Earlier values of a tag and its assignments, put back from the history.

use serde_json::json;
use zoop_db::Uuid;

use super::tools::{require_room, require_unique_name};
use super::{MAX_TAGS, Tag, store};
use crate::business::customers::{self, Customer};
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::{Id, kinds};

/// Puts back values of a tag.
pub(in crate::business) fn tag(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: Tag = with_values(&old, values)?;
    if new == old {
        return Ok(());
    }
    let new = Tag { updated_at: ctx.moment(), ..new };
    require_unique_name(ctx, &new.name, Some(new.id))?;
    store::update(ctx.tx, &new)?;
    ctx.updated(&old, &new)
}

/// Adds a deleted tag again, with the id that it had.
pub(in crate::business) fn deleted(ctx: &mut WriteCtx<'_, '_>, values: &Values) -> Result<()> {
    // Fields that were null are not stored.
    let mut values = values.clone();
    values.entry("created_by").or_insert(serde_json::Value::Null);
    let old: Tag = serde_json::from_value(serde_json::Value::Object(values))?;
    let new = Tag { updated_at: ctx.moment(), ..old };
    require_unique_name(ctx, &new.name, None)?;
    store::insert(ctx.tx, &new)?;
    ctx.added(&new)
}

/// Attaches tags again, also to an archived customer, which had them when it was archived.
pub(in crate::business) fn attached(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    tags: impl Iterator<Item = Id<kinds::Tag>>,
) -> Result<()> {
    // A merge moved the other tags of the customer too.
    let customer = customers::store::resolved(ctx.tx, customer)?;
    let before = ctx.changes.len();
    for tag in tags {
        if store::attach(ctx.tx, customer.id, tag)? {
            ctx.changed(Customer::TYPE, customer.id.uuid(), "tag", json!(null), json!(tag));
        }
    }
    if ctx.changes.len() == before {
        return Ok(());
    }
    require_room(ctx, customer.id).map_err(|_| {
        let number = customer.customer_number;
        Error::conflict(format!(
            "{number} already has {MAX_TAGS} tags, the maximum: detach one first."
        ))
    })?;
    customers::store::reindex(ctx.tx, &customer)
}

/// Detaches tags.
pub(in crate::business) fn detached(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    tags: impl Iterator<Item = Id<kinds::Tag>>,
) -> Result<()> {
    let customer = customers::store::get(ctx.tx, customer)?;
    let before = ctx.changes.len();
    for tag in tags {
        if store::detach(ctx.tx, customer.id, tag)? {
            ctx.changed(Customer::TYPE, customer.id.uuid(), "tag", json!(tag), json!(null));
        }
    }
    if ctx.changes.len() == before { Ok(()) } else { customers::store::reindex(ctx.tx, &customer) }
}
