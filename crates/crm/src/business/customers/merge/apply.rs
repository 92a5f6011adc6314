//! Writes a merge.

use serde_json::{Value, json};

use super::plan::Plan;
use crate::business::customers::contacts::{self, Contact};
use crate::business::customers::duplicates::different;
use crate::business::customers::locations;
use crate::business::customers::{Customer, store};
use crate::business::notes::moving;
use crate::business::{subjects, tags};
use crate::call::archive::Archivable;
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
    for change in &plan.contacts.changes {
        if change.old.customer_id == change.new.customer_id {
            Contact::save(ctx, &change.old, &change.new)?;
        } else {
            contacts::store::move_to(ctx.tx, &change.old, &change.new)?;
            ctx.updated(&change.old, &change.new)?;
        }
    }
    for change in &plan.locations.changes {
        locations::store::move_to(ctx.tx, &change.old, &change.new)?;
        ctx.updated(&change.old, &change.new)?;
    }
    for notes in &plan.notes {
        moving::apply(ctx, notes)?;
    }
    for subject in &plan.subjects {
        subjects::move_to(ctx, subject, kept.id)?;
    }
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
