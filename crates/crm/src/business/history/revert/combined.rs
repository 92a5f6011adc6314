//! The changes of an entry, each record's together.

use crate::call::history::change::{ChangeKind, RecordChange, SEVERAL};

/// The changes, with one change of each record's fields: an undo may write a field twice.
pub(super) fn combined(changes: &[RecordChange]) -> Vec<RecordChange> {
    let mut combined: Vec<RecordChange> = Vec::new();
    for change in changes {
        let is_same = |it: &&mut RecordChange| {
            it.record_id == change.record_id && matches!(it.kind, ChangeKind::Changed { .. })
        };
        let earlier = combined.iter_mut().find(is_same).map(|it| &mut it.kind);
        let (Some(ChangeKind::Changed { fields, .. }), ChangeKind::Changed { fields: later, .. }) =
            (earlier, &change.kind)
        else {
            combined.push(change.clone());
            continue;
        };
        for change in later {
            let is_one = !SEVERAL.contains(&&*change.field);
            match fields.iter_mut().find(|it| is_one && it.field == change.field) {
                Some(field) => field.new = change.new.clone(),
                None => fields.push(change.clone()),
            }
        }
    }
    combined
}
