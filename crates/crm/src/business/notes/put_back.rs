//! Earlier values of a note, put back from the history.

use serde::de::DeserializeOwned;
use serde_json::Value;
use zoop_db::Uuid;

use super::{KnownWords, Note, SubjectType, access, limit, save};
use crate::business::customers;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::Values;
use crate::values::id::Id;

/// Puts back values of a note, if the caller may change it. `known` may have the words of its body.
pub(in crate::business) fn note(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
    known: &KnownWords,
) -> Result<()> {
    let old = access::changeable(ctx, Id::new(id))?;
    let mut new = old.clone();
    for (field, value) in values {
        match field.as_str() {
            "body" => new.body = read(value)?,
            "pinned" => new.pinned = read(value)?,
            "subject_type" => new.subject_type = read(value)?,
            "subject_id" => new.subject_id = read(value)?,
            "archived_at" => new.archived_at = read(value)?,
            other => return Err(Error::internal(format!("a note has no {other} to put back"))),
        }
    }
    if new == old {
        return Ok(());
    }
    // A customer that was merged since has its notes at another one.
    if let (Some(SubjectType::Customer), Some(id)) = (new.subject_type, new.subject_id) {
        let customer = customers::store::resolved(ctx.tx, Id::new(id.uuid()))?;
        new.subject_id = Some(Id::new(customer.id.uuid()));
    }
    if let (Some(subject_type), Some(id)) = (new.subject_type, new.subject_id)
        && old.subject_id != new.subject_id
    {
        access::require_subject(ctx.tx, ctx.access, subject_type, id)?;
    }
    // Undoing what was undone stores the text once more.
    if new.body != old.body && ctx.access.actor.user().is_some() {
        limit::count(ctx)?;
    }
    save(ctx, &old, &Note { updated_at: ctx.moment(), ..new }, known)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(T::deserialize(value)?)
}
