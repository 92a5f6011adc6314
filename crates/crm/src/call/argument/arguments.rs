//! Arguments that this process builds from a form or the command line. The tool's input parses and checks
//! them like any others.

use std::marker::PhantomData;

use super::{Json, Object};
use crate::values::id::Id;

/// The unparsed arguments of a call of `T`. [`arguments!`](crate::arguments) builds them and ensures at
/// compile time that the tool has these fields. The tool's input checks the values and reports every
/// invalid field.
#[derive(Debug)]
pub struct Arguments<T> {
    object: Object,
    tool: PhantomData<fn() -> T>,
}

impl<T> Arguments<T> {
    /// No arguments.
    pub const fn none() -> Self {
        Self { object: Vec::new(), tool: PhantomData }
    }

    /// The members of a JSON object, for sample data. The compiler does not check their names.
    pub fn from_json(object: serde_json::Map<String, serde_json::Value>) -> Self {
        let members = object.into_iter().map(|(name, value)| (name, value.into()));
        Self { object: members.collect(), tool: PhantomData }
    }

    /// Adds an argument, unless `value` is absent.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Value) -> Self {
        if let Some(value) = value.json() {
            self.object.push((name.to_owned(), value));
        }
        self
    }

    /// For a list: requests the page after the cursor.
    #[must_use]
    pub fn after(self, cursor: Option<String>) -> Self {
        self.with("cursor", cursor)
    }

    /// For a list: requests at most `limit` rows, after the cursor if there is one.
    #[must_use]
    pub fn page(self, cursor: Option<String>, limit: u32) -> Self {
        self.after(cursor).with("limit", limit)
    }

    pub(crate) fn into_object(self) -> Object {
        self.object
    }
}

impl<T> Clone for Arguments<T> {
    fn clone(&self) -> Self {
        Self { object: self.object.clone(), tool: PhantomData }
    }
}

/// A type whose values can be arguments.
pub trait Value {
    /// The value as JSON; `None` to leave the argument out.
    fn json(self) -> Option<Json>;
}

impl<V: Value> Value for Option<V> {
    fn json(self) -> Option<Json> {
        self.and_then(V::json)
    }
}

impl Value for &str {
    fn json(self) -> Option<Json> {
        Some(Json::Text(self.to_owned()))
    }
}

impl Value for &String {
    fn json(self) -> Option<Json> {
        self.as_str().json()
    }
}

impl Value for String {
    fn json(self) -> Option<Json> {
        Some(Json::Text(self))
    }
}

impl Value for u64 {
    fn json(self) -> Option<Json> {
        Some(Json::Number(self.into()))
    }
}

impl Value for u32 {
    fn json(self) -> Option<Json> {
        u64::from(self).json()
    }
}

impl Value for bool {
    fn json(self) -> Option<Json> {
        Some(Json::Boolean(self))
    }
}

impl<V: Value> Value for Vec<V> {
    fn json(self) -> Option<Json> {
        Some(Json::List(self.into_iter().filter_map(V::json).collect()))
    }
}

impl Value for Json {
    fn json(self) -> Option<Json> {
        Some(self)
    }
}

impl<K> Value for Id<K> {
    fn json(self) -> Option<Json> {
        self.to_string().json()
    }
}

/// The [`Arguments`] of a tool: `arguments!(SetRole { id: form.text("user"), role: form.text("role") })`. A
/// field that the tool's input does not have is a compile error.
#[macro_export]
macro_rules! arguments {
    ($tool:ty { $($field:ident : $value:expr),* $(,)? }) => {{
        let _ = |input: &<$tool as $crate::call::tool::Tool>::Input| { $( let _ = &input.$field; )* };
        $crate::call::argument::Arguments::<$tool>::none() $( .with(stringify!($field), $value) )*
    }};
}
