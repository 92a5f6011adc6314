//! Who has the tags that an entry attached or detached.

use std::collections::{BTreeMap, BTreeSet};

use zoop_db::{ReadTx, Uuid};

use super::plan::ids_where;
use crate::business::{customers, tags};
use crate::call::error::Result;
use crate::call::history::change::{ChangeKind, FieldChange};
use crate::call::history::store::StoredEntry;
use crate::values::id::{Id, kinds};

/// The tags that an entry attached or detached, and who of its customers has each now.
pub(super) struct Tagged {
    /// `None` if the tag is gone.
    attached: BTreeMap<Uuid, Option<BTreeSet<Uuid>>>,
    /// Customers whose tags others have since: those that were merged, other than by the entry.
    merged: BTreeMap<Uuid, Uuid>,
}

impl Tagged {
    pub(super) fn read(tx: &mut ReadTx<'_>, entry: &StoredEntry) -> Result<Self> {
        let merged = merged(tx, entry)?;
        Ok(Self { attached: attached(tx, entry, &merged)?, merged })
    }

    /// Whether a customer, or the one that has its records now, has a tag. `None` if the tag is gone.
    pub(super) fn has(&self, customer: Id<kinds::Customer>, tag: Id<kinds::Tag>) -> Option<bool> {
        let customers = self.attached.get(&tag.uuid())?.as_ref()?;
        Some(customers.contains(&holder(&self.merged, customer.uuid())))
    }
}

/// The customer that has the tags of this one.
fn holder(merged: &BTreeMap<Uuid, Uuid>, customer: Uuid) -> Uuid {
    merged.get(&customer).copied().unwrap_or(customer)
}

/// Customers whose tags an entry changed and that were merged into others, not by the entry, each with that one.
fn merged(tx: &mut ReadTx<'_>, entry: &StoredEntry) -> Result<BTreeMap<Uuid, Uuid>> {
    let by_entry = ids_where(entry, |kind| match kind {
        ChangeKind::Changed { fields, .. } => fields.iter().any(|it| it.field == "merged_into"),
        _ => false,
    });
    let tagged = entry.changes.iter().filter(|change| change.has_field("tag"));
    let tagged: BTreeSet<_> = tagged.map(|change| change.record_id).collect();
    if tagged.is_empty() {
        return Ok(BTreeMap::new());
    }
    customers::store::merged_among(tx, tagged.difference(&by_entry).copied())
}

/// For each tag that an entry attached or detached, which of its customers have it now.
fn attached(
    tx: &mut ReadTx<'_>,
    entry: &StoredEntry,
    merged: &BTreeMap<Uuid, Uuid>,
) -> Result<BTreeMap<Uuid, Option<BTreeSet<Uuid>>>> {
    let mut customers: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for change in &entry.changes {
        for FieldChange { old, new, .. } in change.fields().iter().filter(|it| it.field == "tag") {
            let tag = new.as_str().or(old.as_str()).and_then(Id::<kinds::Tag>::parse);
            if let Some(tag) = tag {
                let holder = holder(merged, change.record_id);
                customers.entry(tag.uuid()).or_default().push(holder);
            }
        }
    }
    let mut attached = BTreeMap::new();
    for (tag, customers) in customers {
        let has_it = match tags::store::number(tx, Id::new(tag))? {
            Some(_) => Some(tags::store::attached_among(tx, Id::new(tag), customers)?),
            None => None,
        };
        attached.insert(tag, has_it);
    }
    Ok(attached)
}
