//! [`Written`]: a part of an answer that is already JSON.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::call::error::Result;

/// A value as JSON: serialized once, then measured and sent.
#[derive(Debug)]
pub struct Written<T>(Box<RawValue>, PhantomData<fn() -> T>);

impl<T: Serialize> Written<T> {
    /// Serializes a value.
    ///
    /// # Errors
    /// The value cannot be represented as JSON.
    pub(crate) fn of(value: &T) -> Result<Self> {
        Ok(Self(serde_json::value::to_raw_value(value)?, PhantomData))
    }

    /// The length of the JSON in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.get().len()
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Written<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
