//! What a write changes, record by record, before it is packed and after it is unpacked.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zoop_db::Uuid;

use crate::call::context::{Change, Recorded, fields};
use crate::call::error::{Error, Result};

/// The fields of a record that are not null, in their order.
pub(crate) type Values = Map<String, Value>;

/// Names in changes of a record that are not fields of it: what it has, a note's text, and what happened to a tag.
pub(crate) const NOT_FIELDS: &[&str] =
    &["tag", "attachments", "body", DETACHED, REVIVED, DIFFERENT_FROM, ERASED];

/// Of what a customer has several, each a change of its own.
pub(crate) const SEVERAL: &[&str] = &["tag", DIFFERENT_FROM];

/// In a change of a customer: another one that a person said is not the same.
pub(crate) const DIFFERENT_FROM: &str = "different_from";

/// In a change of a record: that its values were erased, and so what this change was.
pub(crate) const ERASED: &str = "erased";

/// In a change of a tag: how many customers lost it, when it is taken from too many for one transaction.
pub(crate) const DETACHED: &str = "detached";

/// In a change of a tag that comes back in several transactions: that this is the last one.
pub(crate) const REVIVED: &str = "revived";

/// What a write changed in one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordChange {
    /// The word for the kind of record.
    pub(crate) record_type: Cow<'static, str>,
    pub(crate) record_id: Uuid,
    pub(crate) kind: ChangeKind,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChangeKind {
    /// It was added, with these values.
    Added(Values),
    /// It was added. Its values are those that its first change replaced, or those that it has now.
    AddedAsItWas,
    /// Some of its fields changed.
    Changed {
        /// If this is its first change: all values before, which the entry of its addition does not have.
        first: Option<Values>,
        /// The fields that changed.
        fields: Vec<FieldChange>,
    },
    /// It was deleted, and had these values.
    Removed(Values),
}

/// One field that changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldChange {
    pub(crate) field: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
}

impl RecordChange {
    /// The changes of a record that was added, changed or deleted, by its fields before and after; none of them is
    /// there without the record. `None` if nothing changed.
    pub(crate) fn between<T: Recorded>(
        record_id: Uuid,
        old: Option<Values>,
        new: Option<Values>,
    ) -> Option<Self> {
        let kind = match (old, new) {
            (None, None) => return None,
            (None, Some(new)) if is_untouched::<T>(&new) => ChangeKind::AddedAsItWas,
            (None, Some(new)) => ChangeKind::Added(without_nulls(new)),
            (Some(old), None) => ChangeKind::Removed(without_nulls(old)),
            (Some(old), Some(new)) => {
                let fields = differences(&old, new);
                if fields.is_empty() {
                    return None;
                }
                let first = is_untouched::<T>(&old).then(|| without_nulls(old));
                ChangeKind::Changed { first, fields }
            }
        };
        Some(Self { record_type: T::TYPE.into(), record_id, kind })
    }

    /// Whether each field of the record is listed, so that [`Self::listed`] can be called.
    pub(crate) const fn is_complete(&self) -> bool {
        !matches!(self.kind, ChangeKind::AddedAsItWas)
    }

    /// The fields that changed, if the record was there before and is there afterwards.
    pub(crate) fn fields(&self) -> &[FieldChange] {
        match &self.kind {
            ChangeKind::Changed { fields, .. } => fields,
            _ => &[],
        }
    }

    /// Whether it changes a field of a record that was there before and is there afterwards.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.fields().iter().any(|change| change.field == name)
    }

    /// The changes as the history shows them, field by field.
    pub(crate) fn listed(self) -> Vec<Change> {
        let Self { record_type, record_id, kind } = self;
        let change = |field, old, new| {
            let record_type = record_type.clone();
            Change { record_type, record_id, field, old, new }
        };
        match kind {
            ChangeKind::AddedAsItWas => Vec::new(),
            ChangeKind::Added(values) => {
                values.into_iter().map(|(field, new)| change(field, Value::Null, new)).collect()
            }
            ChangeKind::Removed(values) => {
                values.into_iter().map(|(field, old)| change(field, old, Value::Null)).collect()
            }
            ChangeKind::Changed { fields, .. } => fields
                .into_iter()
                .map(|FieldChange { field, old, new }| change(field, old, new))
                .collect(),
        }
    }
}

/// The record with these values of its fields, as the history has them.
///
/// # Errors
/// [`Error::Conflict`] if the record cannot have one of them: an older version of the program wrote it.
pub(crate) fn with_values<T: Recorded + DeserializeOwned>(
    record: &T,
    values: &Values,
) -> Result<T> {
    let cannot = || {
        Error::conflict(
            "An older version of the program wrote this change: change the fields by hand.",
        )
    };
    let mut all = fields(record)?;
    all.extend(values.iter().map(|(field, value)| (field.clone(), value.clone())));
    let record: T = serde_json::from_value(Value::Object(all)).map_err(|_| cannot())?;
    let now = fields(&record)?;
    let is_same =
        |(field, value): (&String, &Value)| now.get(field).unwrap_or(&Value::Null) == value;
    if values.iter().all(is_same) { Ok(record) } else { Err(cannot()) }
}

/// Whether a record of a kind whose values are stored once is as it was added.
fn is_untouched<T: Recorded>(fields: &Values) -> bool {
    T::STORED_ONCE && has_times_of_addition(fields)
}

/// Whether a record is as it was added, as far as its times tell: they have milliseconds.
pub(crate) fn has_times_of_addition(fields: &Values) -> bool {
    let time = |field| fields.get(field).and_then(Value::as_str);
    time("created_at").is_some_and(|created| time("updated_at") == Some(created))
}

pub(crate) fn without_nulls(mut fields: Values) -> Values {
    fields.retain(|_, value| !value.is_null());
    fields
}

/// The fields that differ. Both have every field, null included, or leave out nulls.
fn differences(old: &Values, new: Values) -> Vec<FieldChange> {
    let lost = old.iter().filter(|(field, value)| !value.is_null() && !new.contains_key(*field));
    let lost: Vec<_> = lost
        .map(|(field, old)| FieldChange {
            field: field.clone(),
            old: old.clone(),
            new: Value::Null,
        })
        .collect();
    let changed = new.into_iter().filter_map(|(field, new)| {
        let old = old.get(&field).unwrap_or(&Value::Null);
        (*old != new).then(|| FieldChange { field, old: old.clone(), new })
    });
    changed.chain(lost).collect()
}
