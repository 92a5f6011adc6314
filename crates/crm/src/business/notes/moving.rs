//! Notes that get another subject because the records that they are about became one. Their text and their times stay:
//! nobody edited them.

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
    from: Uuid,
    to: Uuid,
    /// Those that are not drafts.
    notes: Vec<Id<kinds::Note>>,
    /// How many drafts there are. Nobody but their author knows of them.
    #[serde(skip)]
    drafts: usize,
}

impl NotesAbout {
    /// How many notes that others can know of.
    pub(in crate::business) const fn shown(&self) -> usize {
        self.notes.len()
    }

    /// How many notes, with drafts.
    pub(in crate::business) const fn count(&self) -> usize {
        self.notes.len() + self.drafts
    }
}

/// The notes about some records, each with the record that they will be about, up to about `count` notes.
pub(in crate::business) fn about(
    tx: &mut ReadTx<'_>,
    records: &[(Uuid, Uuid)],
    count: usize,
) -> Result<Vec<NotesAbout>> {
    let (mut all, mut left) = (Vec::new(), count);
    for (from, to) in records {
        let mut about = NotesAbout { from: *from, to: *to, notes: Vec::new(), drafts: 0 };
        for (id, is_draft) in store::about(tx, *from, left)? {
            if is_draft {
                about.drafts += 1;
            } else {
                about.notes.push(id);
            }
        }
        left = left.saturating_sub(about.count());
        if about.count() > 0 {
            all.push(about);
        }
    }
    Ok(all)
}

/// Gives notes their new subject. The search index does not contain it.
pub(in crate::business) fn apply(ctx: &mut WriteCtx<'_, '_>, about: &NotesAbout) -> Result<()> {
    store::set_subject(ctx.tx, about.from, about.to)?;
    for note in &about.notes {
        let (old, new) = (json!(about.from), json!(about.to));
        ctx.changed(RecordedNote::TYPE, note.uuid(), "subject_id", old, new);
    }
    Ok(())
}
