//! Writes a merge.

use serde_json::{Value, json};

use super::plan::{Plan, Replaced};
use crate::business::customers::children::{Child, Handover};
use crate::business::customers::duplicates::different;
use crate::business::customers::{Customer, store};
use crate::business::notes::moving;
use crate::business::tags;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;

/// Writes all changes of the plan, as one entry of the history.
pub(super) fn apply(ctx: &mut WriteCtx<'_, '_>, plan: &Plan) -> Result<()> {
    let (kept, merged) = (&plan.kept.new, &plan.merged.new);
    // The merged customer first: it gives up an external id that the kept one gets.
    store::update(ctx.tx, merged)?;
    store::update(ctx.tx, kept)?;
    ctx.updated(&plan.kept.old, kept)?;
    ctx.updated(&plan.merged.old, merged)?;
    write_children(ctx, plan, &plan.contacts.changes)?;
    write_children(ctx, plan, &plan.locations.changes)?;
    for notes in &plan.notes {
        moving::apply(ctx, notes)?;
    }
    plan.documents.hand_over(ctx, kept.id)?;
    let places: Vec<_> = plan.locations.dropped.iter().map(|it| (it.id, it.same_as)).collect();
    plan.documents.relocate(ctx, kept.id, &places)?;
    for tag in &plan.tags {
        tags::store::detach(ctx.tx, merged.id, tag.id)?;
        ctx.changed(Customer::TYPE, merged.id.uuid(), "tag", json!(tag.id), Value::Null);
    }
    for tag in plan.new_tags() {
        tags::store::attach(ctx.tx, kept.id, tag.id)?;
        ctx.changed(Customer::TYPE, kept.id.uuid(), "tag", Value::Null, json!(tag.id));
    }
    different::inherit(ctx, merged.id, kept.id)?;
    store::reindex(ctx.tx, merged)?;
    store::reindex(ctx.tx, kept)
}

/// Writes the changes of contacts or locations. Those that only get another customer are written last, together: they
/// are not primary, so no other change needs them.
fn write_children<C: Child>(
    ctx: &mut WriteCtx<'_, '_>,
    plan: &Plan,
    changes: &[Replaced<C>],
) -> Result<()> {
    let mut handover = Handover::new(plan.merged.new.id, plan.kept.new.id);
    for Replaced { old, new } in changes {
        if old.customer_id() == new.customer_id() {
            C::save(ctx, old, new)?;
            continue;
        }
        if handover.result(old, ctx.moment()) == *new {
            handover.ids.push(old.record_id());
        } else {
            C::move_to(ctx.tx, old, new)?;
        }
        ctx.updated(old, new)?;
    }
    handover.write::<C>(ctx)
}
