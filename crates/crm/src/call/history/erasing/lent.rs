//! Values of a customer that other records had for a while: a merge gives them to the customer that is kept, and undoing it
//! takes them back. Meanwhile each change of that customer can have stored them.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Uuid};

use super::{MERGED_INTO, entries, mark};
use crate::call::error::Result;
use crate::call::history::change::{ChangeKind, FieldChange, RecordChange};
use crate::call::history::store;

/// How many entries are read at once.
const ENTRIES: usize = 100;

/// Fields that a merge and its undoing change in other records, and that have no value of the merged customer.
const OWN: &[&str] = &["merged_from", "updated_at"];

/// What a record had of another customer's values between a merge and its undoing.
#[derive(Debug, Clone)]
pub(crate) struct Lent {
    /// The customer whose values they are.
    of: Uuid,
    pub(crate) record: Uuid,
    is_customer: bool,
    fields: BTreeSet<String>,
    /// The entry of the merge.
    from: Uuid,
    /// The entry that undid it.
    to: Uuid,
}

/// Finds what other records had of the values of these customers.
pub(crate) fn lent(tx: &mut ReadTx<'_>, customers: &BTreeSet<Uuid>) -> Result<Vec<Lent>> {
    let whole = |customer: &Uuid| (*customer, *customer, Uuid::nil(), Uuid::max());
    let mut all: Vec<Lent> = Vec::new();
    let mut holders: Vec<_> = customers.iter().map(whole).collect();
    while let Some((of, holder, from, to)) = holders.pop() {
        let found = of_holder(tx, of, holder, from, to)?;
        let others = found.into_iter().filter(|it| !customers.contains(&it.record));
        let others: Vec<_> = others.collect();
        // The values may have gone on with a further merge.
        let customers = others.iter().filter(|it| it.is_customer);
        holders.extend(customers.map(|it| (it.of, it.record, it.from, it.to)));
        all.extend(others);
    }
    Ok(all)
}

/// What the merges of one customer gave to other records, between two entries.
fn of_holder(
    tx: &mut ReadTx<'_>,
    of: Uuid,
    holder: Uuid,
    from: Uuid,
    to: Uuid,
) -> Result<Vec<Lent>> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut ids = entries(tx, holder, from)?;
    ids.retain(|id| *id < to);
    for few in ids.chunks(ENTRIES) {
        tx.ensure_time()?;
        for stored in store::by_ids(tx, few)? {
            let own = stored.changes.iter().filter(|change| change.record_id == holder);
            let merged = own.flat_map(RecordChange::fields).find(|it| it.field == MERGED_INTO);
            let Some(merged) = merged else { continue };
            let at = stored.entry.id.uuid();
            if merged.new.is_null() {
                found.extend(open.drain(..).map(|it: Lent| Lent { to: at, ..it }));
            } else {
                let others = stored.changes.iter().filter(|change| change.record_id != holder);
                open.extend(others.map(|change| Lent {
                    of,
                    record: change.record_id,
                    is_customer: change.record_type == "customer",
                    fields: given(change),
                    from: at,
                    to,
                }));
            }
        }
    }
    found.append(&mut open);
    Ok(found)
}

/// The fields of a record that got texts.
fn given(change: &RecordChange) -> BTreeSet<String> {
    let has_text = |it: &&FieldChange| it.new.is_string() && !OWN.contains(&&*it.field);
    change.fields().iter().filter(has_text).map(|it| it.field.clone()).collect()
}

impl Lent {
    /// The entries that have some of it.
    pub(crate) fn entries(&self, tx: &mut ReadTx<'_>) -> Result<Vec<Uuid>> {
        let mut ids = entries(tx, self.record, self.from)?;
        ids.retain(|id| *id < self.to);
        let mut found = Vec::new();
        for few in ids.chunks(ENTRIES) {
            tx.ensure_time()?;
            let stored = store::by_ids(tx, few)?.into_iter();
            let has_some = stored.filter(|it| it.changes.iter().any(|change| self.is_in(change)));
            found.extend(has_some.map(|it| it.entry.id.uuid()));
        }
        Ok(found)
    }

    /// Whether a change of an entry between the two has some of it, or gives it on.
    fn is_in(&self, change: &RecordChange) -> bool {
        let has_some =
            |it: &FieldChange| self.fields.contains(&it.field) || it.field == MERGED_INTO;
        change.record_id == self.record && change.fields().iter().any(has_some)
    }
}

/// The changes of an entry without what other records had of a customer's values.
pub(super) fn without(
    mut changes: Vec<RecordChange>,
    entry: Uuid,
    lent: &[Lent],
) -> Vec<RecordChange> {
    let is_between = |it: &&Lent| it.from < entry && entry < it.to;
    for lent in lent.iter().filter(is_between) {
        let Some(at) = changes.iter().position(|change| lent.is_in(change)) else { continue };
        let gives_on = changes[at].has_field(MERGED_INTO);
        for change in &mut changes {
            if change.record_id != lent.record {
                if gives_on {
                    take_back(change);
                }
            } else if let ChangeKind::Changed { fields, .. } = &mut change.kind {
                fields.retain(|it| !lent.fields.contains(&it.field));
            }
        }
        if !changes.iter().any(|change| change.record_id == lent.of) {
            changes.push(mark("customer".into(), lent.of));
        }
    }
    changes.retain(
        |it| !matches!(&it.kind, ChangeKind::Changed { first: None, fields } if fields.is_empty()),
    );
    changes
}

/// Takes what a merge gave to another record, or its undoing took back, out of a change of it.
pub(super) fn take_back(change: &mut RecordChange) {
    if let ChangeKind::Changed { fields, .. } = &mut change.kind {
        fields.retain(|it| OWN.contains(&&*it.field));
    }
}
