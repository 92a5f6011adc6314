//! What a merge moved, as far as it matters to undo: where contacts, locations and notes go back to, and whether a merge
//! that was undone can be done again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::obstacle::Obstacle;
use super::plan::{Planning, id_in};
use super::reverted;
use super::steps::{Kind, Opposite};
use crate::business::customers::merge::again;
use crate::business::history::original;
use crate::call::error::Result;
use crate::call::history::change::{FieldChange, RecordChange, Values};
use crate::call::history::store::StoredEntry;
use crate::values::id::Id;

impl Planning<'_> {
    /// Completes the values of a contact or location that goes back to the customer from which a merge took it: it has the
    /// place there that it had, unless it got another place or was archived since.
    pub(super) fn add_place(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: Kind,
        id: Uuid,
        now: &Values,
        values: &mut Values,
    ) -> Result<()> {
        let wanted = ["is_primary", "archived_at"];
        let wanted = wanted.into_iter().filter(|field| !values.contains_key(*field));
        let wanted: Vec<_> = wanted.filter(|field| now.contains_key(*field)).collect();
        let after = if self.touched_since.contains(&id) {
            original::values_after(tx, id, self.entry, &wanted)?
        } else {
            BTreeMap::new()
        };
        for field in wanted {
            let current = &now[field];
            if after.get(field).is_some_and(|after| after != current) {
                self.block(kind, id, field, Some(current.clone()));
            } else if field == "is_primary" {
                values.insert(field.to_owned(), current.clone());
            }
        }
        Ok(())
    }

    /// A merge took a note from the record that it was about.
    pub(super) fn move_note(
        &mut self,
        id: Uuid,
        now: &Values,
        moved: &FieldChange,
    ) -> Option<Obstacle> {
        let current = now.get("subject_id").unwrap_or(&Value::Null);
        if *current == moved.old {
            return None;
        }
        let (from, to) = (id_in(now, "subject_id"), moved.old.as_str());
        match (from, to.and_then(|to| Uuid::try_parse(to).ok())) {
            (Some(from), Some(to)) if *current == moved.new => {
                self.steps.push(Opposite::MoveNote { note: Id::new(id), from, to });
            }
            _ => self.block(Kind::Note, id, "subject_id", Some(current.clone())),
        }
        None
    }

    /// Whether merging a customer again would have to move more than it did: what the customer got since.
    pub(super) fn more_to_merge(
        &self,
        tx: &mut ReadTx<'_>,
        id: Uuid,
        fields: &[FieldChange],
    ) -> Result<Option<Obstacle>> {
        let separated =
            |change: &FieldChange| change.field == "merged_into" && change.new.is_null();
        if !fields.iter().any(separated) {
            return Ok(None);
        }
        let has_more = again::has_more(tx, Id::new(id), self.entry, &self.of_entry)?;
        Ok(has_more.then_some(Obstacle::GotMore))
    }
}

/// The records that an entry changed, and the tags that it attached.
pub(super) fn of_entry(entry: &StoredEntry) -> BTreeSet<Uuid> {
    let records = entry.changes.iter().map(|change| change.record_id);
    let tags = entry.changes.iter().flat_map(RecordChange::fields).filter(|it| it.field == "tag");
    records.chain(tags.filter_map(|it| Uuid::try_parse(it.new.as_str()?).ok())).collect()
}

/// Those of the contacts and locations that an entry moved that later entries are about.
pub(super) fn touched_since(tx: &mut ReadTx<'_>, entry: &StoredEntry) -> Result<BTreeSet<Uuid>> {
    let moved = entry.changes.iter().filter(|change| change.has_field("customer_id"));
    let moved: Vec<_> = moved.map(|change| change.record_id).collect();
    if moved.is_empty() {
        return Ok(BTreeSet::new());
    }
    let latest = reverted::latest_about_each(tx, moved)?;
    Ok(latest.into_iter().filter(|(_, by)| *by != entry.entry.id.uuid()).map(|it| it.0).collect())
}

/// Whether a merge gave the record to another customer, or a note to another record: nothing else of the note changed, not
/// even its time.
pub(super) fn is_moved(fields: &[FieldChange]) -> bool {
    fields.iter().any(|change| change.field == "customer_id")
        || matches!(fields, [only] if only.field == "subject_id")
}

/// Whether a customer was merged into another one.
pub(super) fn is_merged(values: &Values) -> bool {
    values.get("merged_into").is_some_and(|kept| !kept.is_null())
}
