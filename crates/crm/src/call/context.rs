//! What a tool is given: the transaction, the caller, the time. A [`ReadCtx`] has nothing to write
//! with; a [`WriteCtx`] also makes ids and gathers what changed for the history.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use zoop_db::{GlobalSql, ReadTx, Sql, Timestamp, Uuid, WriteTx, params};

use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::values::clock::{Environment, Moment};
use crate::values::id::{self, Id};

/// A query's surroundings.
pub struct ReadCtx<'a, 'c> {
    /// One snapshot, bound to the caller's tenant.
    pub tx: &'a mut ReadTx<'c>,
    /// The caller.
    pub access: &'a Access,
    /// The moment of the call.
    pub now: Timestamp,
}

/// A command's surroundings.
pub struct WriteCtx<'a, 'c> {
    /// The transaction, bound to the caller's tenant.
    pub tx: &'a mut WriteTx<'c>,
    /// The caller.
    pub access: &'a Access,
    /// The moment of the call.
    pub now: Timestamp,
    /// Clock, randomness and limits.
    pub environment: &'a Environment,
    /// What the call has changed so far.
    pub(crate) changes: Vec<Change>,
    /// Whether the history may not know of the call at all.
    pub(crate) is_private: bool,
}

/// One field of one record that a call changed.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The word for the kind of record.
    pub record_type: Cow<'static, str>,
    /// The record.
    #[schemars(with = "String")]
    pub record_id: Uuid,
    /// The field.
    pub field: String,
    /// What it was; `null` for a record that was not there.
    pub old: Value,
    /// What it is; `null` for a record that is no longer there.
    pub new: Value,
}

/// A stored record whose changes the history keeps: its serialised fields are what is compared.
pub trait Recorded: Serialize {
    /// The word for the kind of record.
    const TYPE: &'static str;

    /// The record's id.
    fn record_id(&self) -> Uuid;
}

impl<'a, 'c> WriteCtx<'a, 'c> {
    /// Begins a write of the caller, once the transaction is its tenant's only write.
    pub(crate) fn begin(
        tx: &'a mut WriteTx<'c>,
        access: &'a Access,
        environment: &'a Environment,
    ) -> Result<Self> {
        tx.take_turn()?;
        // After the wait, so that the time is not from before it.
        let now = environment.clock.now();
        Ok(Self { tx, access, now, environment, changes: Vec::new(), is_private: false })
    }
}

impl WriteCtx<'_, '_> {
    /// The moment of the call, as records keep it.
    pub const fn moment(&self) -> Moment {
        Moment(self.now)
    }

    /// The id of a record about to be added to the table whose greatest id below a bound `greatest` reads.
    /// Records that a wrong clock dated into the future are beyond the bound, so they lead nobody astray.
    pub fn next_id<K>(&mut self, greatest: Sql) -> Result<Id<K>> {
        let bound = id::wrong_from(self.now);
        let last = self.tx.first::<Uuid, Error>(greatest, params![bound], |row| Ok(row.take()?))?;
        let random = self.environment.entropy.bits();
        Ok(Id::new(id::following(last, self.now, random)))
    }

    /// [`Self::next_id`] in a table above tenants.
    pub(crate) fn next_global_id<K>(&mut self, greatest: GlobalSql) -> Result<Id<K>> {
        next_global_id(self.tx, self.environment, self.now, greatest)
    }

    /// Keeps the call out of the history: what it writes is its author's alone.
    pub const fn leave_no_history(&mut self) {
        self.is_private = true;
    }

    /// Tells the history that `new` was added.
    pub fn added<T: Recorded>(&mut self, new: &T) -> Result<()> {
        self.compare::<T>(new.record_id(), Map::new(), fields(new)?);
        Ok(())
    }

    /// Tells the history that `old` became `new`.
    pub fn updated<T: Recorded>(&mut self, old: &T, new: &T) -> Result<()> {
        self.compare::<T>(new.record_id(), fields(old)?, fields(new)?);
        Ok(())
    }

    /// Tells the history that `old` was removed for good.
    pub fn removed<T: Recorded>(&mut self, old: &T) -> Result<()> {
        self.compare::<T>(old.record_id(), fields(old)?, Map::new());
        Ok(())
    }

    /// Tells the history of one field's change.
    pub fn changed(
        &mut self,
        record_type: &'static str,
        id: Uuid,
        field: &str,
        old: Value,
        new: Value,
    ) {
        let field = field.to_owned();
        let record_type = record_type.into();
        self.changes.push(Change { record_type, record_id: id, field, old, new });
    }

    fn compare<T: Recorded>(
        &mut self,
        id: Uuid,
        mut old: Map<String, Value>,
        new: Map<String, Value>,
    ) {
        for (field, new) in new {
            let old = old.remove(&field).unwrap_or(Value::Null);
            if old != new {
                self.changed(T::TYPE, id, &field, old, new);
            }
        }
        for (field, old) in old {
            if !old.is_null() {
                self.changed(T::TYPE, id, &field, old, Value::Null);
            }
        }
    }
}

/// [`WriteCtx::next_id`] in a table above tenants, for writes that begin before a caller is known.
pub(crate) fn next_global_id<K>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    now: Timestamp,
    greatest: GlobalSql,
) -> Result<Id<K>> {
    let bound = id::wrong_from(now);
    let last = tx.global_first::<Uuid, Error>(greatest, params![bound], |row| Ok(row.take()?))?;
    Ok(Id::new(id::following(last, now, environment.entropy.bits())))
}

/// A record's fields as the history compares them.
fn fields<T: Recorded>(record: &T) -> Result<Map<String, Value>> {
    match serde_json::to_value(record)? {
        Value::Object(fields) => Ok(fields),
        other => Err(Error::internal(format!("a record serialised as {other}"))),
    }
}
