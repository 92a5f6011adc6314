//! The stored form of an entry's changes: bytes in which a value takes little more than itself.
//!
//! What follows from the rest is left out: the ids of the entry's own records, times relative to the entry's, and the
//! names of fields and kinds, which are numbers in [`NAMES`]. The first byte is the number of the form. A form never
//! changes: entries are kept for as long as the tenant.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zoop_db::{Timestamp, Uuid};

use super::change::{ChangeKind, FieldChange, RecordChange, Values};
use crate::call::error::{Error, Result};
use crate::values::clock::{parse_rfc3339, rfc3339};

/// The number of the form, before the records.
const FORM: u8 = 1;

/// The kinds of records and names of fields that are stored as their position here; others are stored as text. Names may
/// only be added, at the end.
pub(crate) const NAMES: &[&str] = &[
    "customer",
    "contact",
    "location",
    "note",
    "subject",
    "tag",
    "file",
    "user",
    "key",
    "tenant",
    "session",
    "grant",
    "identity",
    "invitation",
    "id",
    "customer_id",
    "created_at",
    "updated_at",
    "archived_at",
    "created_by",
    "customer_number",
    "customer_type",
    "first_name",
    "last_name",
    "company_name",
    "status",
    "phone",
    "phone_raw",
    "email",
    "notes_internal",
    "is_vip",
    "do_not_contact",
    "do_not_contact_reason",
    "source",
    "external_id",
    "tag_id",
    "is_primary",
    "phone_can_sms",
    "role",
    "title",
    "origin",
    "label",
    "location_type",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "latitude",
    "longitude",
    "place_id",
    "access_notes",
    "parking_notes",
    "service_notes",
    "pinned",
    "subject_type",
    "subject_id",
    "body",
    "attachments",
    "name",
    "color",
    "media_type",
    "size",
    "width",
    "height",
    "note_id",
    "user_id",
    "actor_kind",
    "hint",
    "scopes",
    "limit",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "method",
    "address",
    "browser",
    "issuer",
    "subject",
    "linked_at",
    "invited_by",
    "accepted_at",
    "time_zone",
    "currency",
    "client_id",
    "client_name",
    "redirect_host",
    "declined",
    "access_token_revoked_at",
    "waiting_role",
    "password_link",
    "password",
    "code",
    "merged_into",
    "merged_from",
    "different_from",
    "erased",
    "tax_rate",
    "rate_percentage",
    "rate_decimal",
    "is_default",
    "catalog_item",
    "kind",
    "sku",
    "description",
    "category_id",
    "unit_label",
    "price",
    "discount_percent",
    "taxable",
    "components",
    "cost",
    "quote",
    "quote_number",
    "line_items",
    "tax_rate_id",
    "tax_rates",
    "total",
    "sent_at",
    "decided_at",
    "updated_by",
    "job",
    "job_number",
    "location_id",
    "scheduled_start",
    "scheduled_end",
    "assignee_ids",
    "flat_price",
    "quote_id",
    "cancel_reason",
    "done_at",
    "cancelled_at",
    "catalog_category",
    "parent_id",
    "sort_order",
];

/// How many records of an entry values can refer to by position. An entry about more records has them in full, since
/// each id is compared with these.
const REFERENCES: usize = 64;

#[derive(Serialize, Deserialize)]
enum Name<'a> {
    Known(u16),
    Other(&'a str),
}

/// One value.
#[derive(Serialize, Deserialize)]
enum Cell<'a> {
    Null,
    False,
    True,
    Integer(i64),
    /// The id of one of the entry's records, by its position.
    Record(u32),
    Id([u8; 16]),
    /// A time, in milliseconds after the entry's.
    Time(i64),
    Text(#[serde(borrow)] &'a str),
    /// Any other value, as JSON.
    Json(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    kind: Name<'a>,
    id: [u8; 16],
    #[serde(borrow)]
    change: Stored<'a>,
}

#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    AddedAsItWas,
    Added(#[serde(borrow)] Cells<'a>),
    Changed(#[serde(borrow)] Vec<(Name<'a>, Cell<'a>, Cell<'a>)>),
    FirstChanged(#[serde(borrow)] Cells<'a>, Vec<(Name<'a>, Cell<'a>, Cell<'a>)>),
    Removed(#[serde(borrow)] Cells<'a>),
}

type Cells<'a> = Vec<(Name<'a>, Cell<'a>)>;

/// The stored form of the changes of an entry of this time.
///
/// # Errors
/// [`Error::Internal`] if a value cannot be serialized.
pub(super) fn pack(changes: &[RecordChange], at: Timestamp) -> Result<Vec<u8>> {
    let packing = Entry::of(changes.iter().map(|it| it.record_id), at);
    let records = changes.iter().map(|change| packing.record(change));
    let records = records.collect::<Result<Vec<_>>>()?;
    postcard::to_extend(&records, vec![FORM]).map_err(Error::internal)
}

/// The changes of an entry of this time.
///
/// # Errors
/// [`Error::Internal`] if the bytes are damaged, or of a form that a newer version of the program stores.
pub(super) fn unpack(stored: &[u8], at: Timestamp) -> Result<Vec<RecordChange>> {
    let Some((&FORM, stored)) = stored.split_first() else {
        return Err(Error::internal("an entry of the history has an unknown form"));
    };
    let records: Vec<Record<'_>> = postcard::from_bytes(stored).map_err(Error::internal)?;
    let entry = Entry::of(records.iter().map(|it| Uuid::from_bytes(it.id)), at);
    records.into_iter().map(|record| entry.change(record)).collect()
}

/// What the values of an entry refer to.
struct Entry {
    records: Vec<Uuid>,
    /// Its time, in milliseconds.
    at: i64,
}

impl Entry {
    fn of(records: impl Iterator<Item = Uuid>, at: Timestamp) -> Self {
        Self { records: records.collect(), at: at.0.div_euclid(1_000) }
    }

    fn record<'a>(&self, change: &'a RecordChange) -> Result<Record<'a>> {
        let stored = match &change.kind {
            ChangeKind::AddedAsItWas => Stored::AddedAsItWas,
            ChangeKind::Added(values) => Stored::Added(self.cells(values)?),
            ChangeKind::Removed(values) => Stored::Removed(self.cells(values)?),
            ChangeKind::Changed { first: None, fields } => Stored::Changed(self.fields(fields)?),
            ChangeKind::Changed { first: Some(values), fields } => {
                Stored::FirstChanged(self.cells(values)?, self.fields(fields)?)
            }
        };
        Ok(Record {
            kind: name(&change.record_type),
            id: change.record_id.into_bytes(),
            change: stored,
        })
    }

    fn cells<'a>(&self, values: &'a Values) -> Result<Cells<'a>> {
        values.iter().map(|(field, value)| Ok((name(field), self.cell(value)?))).collect()
    }

    fn fields<'a>(&self, fields: &'a [FieldChange]) -> Result<Vec<(Name<'a>, Cell<'a>, Cell<'a>)>> {
        let packed =
            |it: &'a FieldChange| Ok((name(&it.field), self.cell(&it.old)?, self.cell(&it.new)?));
        fields.iter().map(packed).collect()
    }

    fn cell<'a>(&self, value: &'a Value) -> Result<Cell<'a>> {
        Ok(match value {
            Value::Null => Cell::Null,
            Value::Bool(false) => Cell::False,
            Value::Bool(true) => Cell::True,
            Value::Number(number) if number.is_i64() => Cell::Integer(number.as_i64().unwrap_or(0)),
            Value::String(text) => self.text(text),
            other => Cell::Json(serde_json::to_string(other)?.into()),
        })
    }

    /// A text, or what it says if that is exactly this text again.
    fn text<'a>(&self, text: &'a str) -> Cell<'a> {
        match text.len() {
            36 => self.id(text).unwrap_or(Cell::Text(text)),
            24 if text.ends_with('Z') => self.time(text).unwrap_or(Cell::Text(text)),
            _ => Cell::Text(text),
        }
    }

    fn id(&self, text: &str) -> Option<Cell<'static>> {
        let id = Uuid::try_parse(text).ok()?;
        if id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) != text {
            return None;
        }
        let position = self.records.iter().take(REFERENCES).position(|record| *record == id);
        let position = position.and_then(|position| u32::try_from(position).ok());
        Some(position.map_or(Cell::Id(id.into_bytes()), Cell::Record))
    }

    fn time(&self, text: &str) -> Option<Cell<'static>> {
        let time = parse_rfc3339(text)?;
        (rfc3339(time) == text).then(|| Cell::Time(time.0.div_euclid(1_000) - self.at))
    }

    fn change(&self, record: Record<'_>) -> Result<RecordChange> {
        let kind = match record.change {
            Stored::AddedAsItWas => ChangeKind::AddedAsItWas,
            Stored::Added(cells) => ChangeKind::Added(self.values(cells)?),
            Stored::Removed(cells) => ChangeKind::Removed(self.values(cells)?),
            Stored::Changed(fields) => {
                ChangeKind::Changed { first: None, fields: self.changed(fields)? }
            }
            Stored::FirstChanged(cells, fields) => ChangeKind::Changed {
                first: Some(self.values(cells)?),
                fields: self.changed(fields)?,
            },
        };
        let record_type = record.kind.text()?;
        Ok(RecordChange { record_type, record_id: Uuid::from_bytes(record.id), kind })
    }

    fn values(&self, cells: Cells<'_>) -> Result<Values> {
        let value =
            |(field, cell): (Name<'_>, _)| Ok((field.text()?.into_owned(), self.value(cell)?));
        cells.into_iter().map(value).collect()
    }

    fn changed(&self, fields: Vec<(Name<'_>, Cell<'_>, Cell<'_>)>) -> Result<Vec<FieldChange>> {
        let field = |(field, old, new): (Name<'_>, _, _)| {
            let field = field.text()?.into_owned();
            Ok(FieldChange { field, old: self.value(old)?, new: self.value(new)? })
        };
        fields.into_iter().map(field).collect()
    }

    fn value(&self, cell: Cell<'_>) -> Result<Value> {
        Ok(match cell {
            Cell::Null => Value::Null,
            Cell::False => Value::Bool(false),
            Cell::True => Value::Bool(true),
            Cell::Integer(number) => number.into(),
            Cell::Record(position) => {
                let record = usize::try_from(position).ok().and_then(|at| self.records.get(at));
                record
                    .ok_or_else(|| {
                        Error::internal("an entry names a record that it does not have")
                    })?
                    .to_string()
                    .into()
            }
            Cell::Id(id) => Uuid::from_bytes(id).to_string().into(),
            Cell::Time(after) => {
                rfc3339(Timestamp(self.at.saturating_add(after).saturating_mul(1_000))).into()
            }
            Cell::Text(text) => text.into(),
            Cell::Json(json) => serde_json::from_str(&json)?,
        })
    }
}

fn name(text: &str) -> Name<'_> {
    let position = NAMES.iter().position(|name| *name == text);
    position
        .and_then(|position| u16::try_from(position).ok())
        .map_or(Name::Other(text), Name::Known)
}

impl Name<'_> {
    fn text(self) -> Result<Cow<'static, str>> {
        match self {
            Self::Other(text) => Ok(text.to_owned().into()),
            Self::Known(position) => NAMES
                .get(usize::from(position))
                .map(|name| (*name).into())
                .ok_or_else(|| Error::internal("an entry of the history has a newer name")),
        }
    }
}
