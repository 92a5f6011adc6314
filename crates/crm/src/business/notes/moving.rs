//! Notes that get another subject because the records that they are about became one. Their text and their times stay:
//! nobody edited them. Drafts stay where they are, because only their authors know of them; committing one names the
//! record that it can be about.

use serde::Serialize;
use serde_json::json;
use zoop_db::{ReadTx, Uuid};

use super::{RecordedNote, store};
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::values::id::{Id, kinds};

/// The notes about one record, and the record of the same kind that they will be about.
#[derive(Debug, Serialize)]
pub(in crate::business) struct NotesAbout {
    pub(in crate::business) from: Uuid,
    pub(in crate::business) to: Uuid,
    pub(in crate::business) notes: Vec<Id<kinds::Note>>,
}

/// The notes about some records, each with the record that they will be about, up to about `count` notes.
pub(in crate::business) fn about(
    tx: &mut ReadTx<'_>,
    records: &[(Uuid, Uuid)],
    count: usize,
) -> Result<Vec<NotesAbout>> {
    let (mut all, mut left) = (Vec::new(), count);
    for (from, to) in records {
        let notes = store::about(tx, *from, left)?;
        left = left.saturating_sub(notes.len());
        if !notes.is_empty() {
            all.push(NotesAbout { from: *from, to: *to, notes });
        }
    }
    Ok(all)
}

/// Gives notes their new subject. The search index does not contain it.
pub(in crate::business) fn apply(ctx: &mut WriteCtx<'_, '_>, about: &NotesAbout) -> Result<()> {
    store::set_subjects(ctx.tx, about.from, about.to)?;
    record(ctx, about);
    Ok(())
}

/// Gives notes back to the record that they were about before a merge.
pub(in crate::business) fn back(ctx: &mut WriteCtx<'_, '_>, about: &NotesAbout) -> Result<()> {
    store::set_subject(ctx.tx, &about.notes, about.to)?;
    record(ctx, about);
    Ok(())
}

/// Records moves without a time: by that, undo tells them from edits.
fn record(ctx: &mut WriteCtx<'_, '_>, NotesAbout { from, to, notes }: &NotesAbout) {
    for note in notes {
        ctx.changed(RecordedNote::TYPE, note.uuid(), "subject_id", json!(from), json!(to));
    }
}
