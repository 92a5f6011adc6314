//! The context in which a tool runs: the transaction, the caller and the time. A [`ReadCtx`] cannot write.
//! A [`WriteCtx`] can, and also creates ids and collects the changes for the history.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use zoop_db::{GlobalSql, ReadTx, Sql, Timestamp, Uuid, WriteTx, params};

use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::history::change::{ChangeKind, FieldChange, RecordChange, Values};
use crate::call::storage::{self, Class, Stored};
use crate::values::clock::{Environment, Moment};
use crate::values::id::{self, Id, kinds};

/// The context of a query.
pub struct ReadCtx<'a, 'c> {
    /// One snapshot, bound to the caller's tenant.
    pub tx: &'a mut ReadTx<'c>,
    /// The caller.
    pub access: &'a Access,
    /// The time of the call.
    pub now: Timestamp,
    /// Clock, randomness and limits.
    pub environment: &'a Environment,
}

impl<'a, 'c> ReadCtx<'a, 'c> {
    /// The context of a read that begins now.
    pub(crate) fn new(
        tx: &'a mut ReadTx<'c>,
        access: &'a Access,
        environment: &'a Environment,
    ) -> Self {
        Self { tx, access, now: environment.clock.now(), environment }
    }
}

/// The context of a command.
pub struct WriteCtx<'a, 'c> {
    /// The transaction, bound to the caller's tenant.
    pub tx: &'a mut WriteTx<'c>,
    /// The caller.
    pub access: &'a Access,
    /// The time of the call.
    pub now: Timestamp,
    /// Clock, randomness and limits.
    pub environment: &'a Environment,
    /// The changes of the call so far.
    pub(crate) changes: Vec<RecordChange>,
    /// The bytes that the call has stored so far.
    pub(crate) stored: Stored,
    /// Whether the call must leave no history entry.
    pub(crate) is_private: bool,
    /// The history entry of the call, once it is written.
    pub(crate) entry: Option<Id<kinds::Entry>>,
}

/// One field of one record that a call changed.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The word for the kind of record.
    pub record_type: Cow<'static, str>,
    /// The record's id.
    #[schemars(with = "String")]
    pub record_id: Uuid,
    /// The name of the field.
    pub field: String,
    /// Its old value; `null` if the record is new.
    pub old: Value,
    /// Its new value; `null` if the record was deleted.
    pub new: Value,
}

/// A record whose changes the history stores. The changes are found by comparing the serialized fields.
pub trait Recorded: Serialize {
    /// The word for the kind of record.
    const TYPE: &'static str;
    /// The storage class in which the record is counted.
    const CLASS: Class = Class::Records;

    /// Whether the history stores the values of a new record only once they are replaced. Such a record has the
    /// fields `created_at` and `updated_at`, and `business/history/lasting.rs` reads it.
    const STORED_ONCE: bool = false;

    /// The record's id.
    fn record_id(&self) -> Uuid;
}

impl<'a, 'c> WriteCtx<'a, 'c> {
    /// Begins a write. Waits until the transaction is the tenant's only write.
    pub(crate) fn begin(
        tx: &'a mut WriteTx<'c>,
        access: &'a Access,
        environment: &'a Environment,
    ) -> Result<Self> {
        tx.take_turn()?;
        // Read the clock after the wait, so that times never go back within a tenant.
        let now = environment.clock.now();
        Ok(Self {
            tx,
            access,
            now,
            environment,
            changes: Vec::new(),
            stored: Stored::default(),
            is_private: false,
            entry: None,
        })
    }
}

impl WriteCtx<'_, '_> {
    /// The time of the call, as records store it.
    pub const fn moment(&self) -> Moment {
        Moment(self.now)
    }

    /// The id of a table's next record. `greatest_below` reads the table's greatest id below a bound. The
    /// bound excludes ids that a wrong clock dated into the future.
    pub fn next_id<K>(&mut self, greatest_below: Sql) -> Result<Id<K>> {
        let bound = id::first_from_wrong_clock(self.now);
        let last =
            self.tx.first::<Uuid, Error>(greatest_below, params![bound], |row| Ok(row.take()?))?;
        Ok(self.following(last))
    }

    /// The id of a table's next record after the last one.
    pub(crate) fn following<K>(&self, last: Option<Uuid>) -> Id<K> {
        Id::new(id::following(last, self.now, self.environment.entropy.bits()))
    }

    /// [`Self::next_id`] for a table shared by all tenants.
    pub(crate) fn next_global_id<K>(&mut self, greatest_below: GlobalSql) -> Result<Id<K>> {
        next_global_id(self.tx, self.environment, self.now, greatest_below)
    }

    /// Keeps the call out of the history: it changes nothing, or only the caller may see what it writes.
    pub const fn leave_no_history(&mut self) {
        self.is_private = true;
    }

    /// Records in the history that `new` was added.
    pub fn added<T: Recorded>(&mut self, new: &T) -> Result<()> {
        self.record::<T>(new.record_id(), None, Some(fields(new)?));
        Ok(())
    }

    /// Records the changes from `old` to `new` in the history.
    pub fn updated<T: Recorded>(&mut self, old: &T, new: &T) -> Result<()> {
        self.record::<T>(new.record_id(), Some(fields(old)?), Some(fields(new)?));
        Ok(())
    }

    /// Records in the history that `old` was deleted.
    pub fn removed<T: Recorded>(&mut self, old: &T) -> Result<()> {
        self.record::<T>(old.record_id(), Some(fields(old)?), None);
        Ok(())
    }

    /// Records the change of something beside a record's own fields in the history, such as a tag that it has.
    pub fn changed(
        &mut self,
        record_type: &'static str,
        record_id: Uuid,
        field: &str,
        old: Value,
        new: Value,
    ) {
        let fields = vec![FieldChange { field: field.to_owned(), old, new }];
        let kind = ChangeKind::Changed { first: None, fields };
        self.changes.push(RecordChange { record_type: record_type.into(), record_id, kind });
    }

    /// Counts a record that is erased, of whose values the history keeps nothing.
    pub(crate) fn erased<T: Recorded>(&mut self, old: &T) -> Result<()> {
        let size: i64 = fields(old)?.values().map(storage::field_size).sum();
        let copies = if matches!(T::CLASS, Class::Records) { 2 } else { 1 };
        self.stored.add(T::CLASS, -copies * size);
        Ok(())
    }

    /// Counts what stays of a record that was erased.
    pub(crate) fn left<T: Recorded>(&mut self, stub: &T) -> Result<()> {
        let size: i64 = fields(stub)?.values().map(storage::field_size).sum();
        let copies = if matches!(T::CLASS, Class::Records) { 2 } else { 1 };
        self.stored.add(T::CLASS, copies * size);
        Ok(())
    }

    fn record<T: Recorded>(&mut self, id: Uuid, old: Option<Values>, new: Option<Values>) {
        let size = |fields: &Option<Values>| {
            fields.iter().flat_map(Map::values).map(storage::field_size).sum::<i64>()
        };
        // The search index contains the values of records too, so they count twice. A note's indexed text is
        // its body, which is not among these fields: the notes module counts it.
        let copies = if matches!(T::CLASS, Class::Records) { 2 } else { 1 };
        self.stored.add(T::CLASS, copies * (size(&new) - size(&old)));
        self.changes.extend(RecordChange::between::<T>(id, old, new));
    }
}

/// [`WriteCtx::next_id`] for a table shared by all tenants, for writes that begin before the caller is known.
pub(crate) fn next_global_id<K>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    now: Timestamp,
    greatest_below: GlobalSql,
) -> Result<Id<K>> {
    let bound = id::first_from_wrong_clock(now);
    let last =
        tx.global_first::<Uuid, Error>(greatest_below, params![bound], |row| Ok(row.take()?))?;
    Ok(Id::new(id::following(last, now, environment.entropy.bits())))
}

/// A record's fields as the history compares them.
pub(crate) fn fields<T: Recorded>(record: &T) -> Result<Map<String, Value>> {
    match serde_json::to_value(record)? {
        Value::Object(fields) => Ok(fields),
        other => Err(Error::internal(format!("a record serialized as {other}"))),
    }
}
