//! The changes of an entry, each record's together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use zoop_db::Uuid;

use crate::call::history::change::{ChangeKind, RecordChange, SEVERAL};

/// The changes, with one change of each record's fields: an undo may write a field twice.
pub(super) fn combined(changes: &[RecordChange]) -> Vec<Cow<'_, RecordChange>> {
    let mut combined: Vec<Cow<'_, RecordChange>> = Vec::new();
    // Where each record's changed fields are in the list.
    let mut positions: BTreeMap<Uuid, usize> = BTreeMap::new();
    for change in changes {
        let ChangeKind::Changed { fields: later, .. } = &change.kind else {
            combined.push(Cow::Borrowed(change));
            continue;
        };
        let position = *positions.entry(change.record_id).or_insert(combined.len());
        let earlier = combined.get_mut(position).map(|it| &mut it.to_mut().kind);
        let Some(ChangeKind::Changed { fields, .. }) = earlier else {
            combined.push(Cow::Borrowed(change));
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
