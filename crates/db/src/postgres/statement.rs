//! Statements to send to the server: their text, and their parameters.

use std::fmt;

use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::error::Failure;
use super::value::Bound;
use super::work::Planning;
use crate::row::Value;
use crate::tx::Tenant;

/// A statement's text, and what this engine adds before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) before: &'static str,
    pub(super) sql: &'static str,
    pub(super) after: &'static str,
}

impl Text {
    /// A statement exactly as declared.
    pub(super) fn plain(sql: &'static str) -> Self {
        Self { before: "", sql, after: "" }
    }

    /// Whether the statement may write: all but a plain SELECT may.
    pub(super) fn is_writing(self) -> bool {
        let word = self.sql.trim_start().get(..6);
        !word.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
    }

    /// Searches are planned each time: a generic plan reads the whole search index even for a word with few
    /// matches. All other statements find rows by their keys, whatever the values are, and planning such a
    /// statement takes as long as running it.
    pub(super) fn planning(self) -> Planning {
        if self.sql.contains(" @@ ") { Planning::Custom } else { Planning::Auto }
    }

    /// Identifies the text. Statements are `'static`, so an address always belongs to the same text.
    pub(super) fn key(self) -> Key {
        (self.before, self.sql.as_ptr().addr(), self.after)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.before, self.sql, self.after)
    }
}

/// Identifies a [`Text`].
pub(super) type Key = (&'static str, usize, &'static str);

/// A job's statement with its parameters.
pub(super) struct BoundStatement<'p> {
    pub(super) text: Text,
    bound: Vec<Parameter<'p>>,
}

/// The value of one placeholder.
enum Parameter<'p> {
    One(Bound<'p>),
    /// One column's values of several rows, as an array.
    Column(Vec<Bound<'p>>),
}

impl Parameter<'_> {
    fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::One(value) => value,
            Self::Column(values) => values,
        }
    }
}

impl<'p> BoundStatement<'p> {
    /// A statement with its parameters. The tenant, if there is one, is the first.
    pub(super) fn new(text: Text, tenant: Option<Tenant>, params: &[Value<'p>]) -> Self {
        let params = params.iter().map(|value| Parameter::One(Bound(*value)));
        Self { text, bound: tenant_parameter(tenant).into_iter().chain(params).collect() }
    }

    /// A statement for many rows at once, each with as many values as the first.
    pub(super) fn for_rows(text: Text, tenant: Option<Tenant>, rows: &[Vec<Value<'p>>]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let columns = (0..width).map(|index| {
            let values =
                rows.iter().map(|row| Bound(row.get(index).copied().unwrap_or(Value::Null)));
            Parameter::Column(values.collect())
        });
        Self { text, bound: tenant_parameter(tenant).into_iter().chain(columns).collect() }
    }

    /// The statement and its parameters, ready to be sent. Fails if the number of parameters is wrong.
    pub(super) fn ready(&self, statement: Statement) -> Result<Ready<'_>, Failure> {
        let (expected, given) = (statement.params().len(), self.bound.len());
        if expected != given {
            return Err(Failure::Misused(format!(
                "a statement with {expected} parameters was given {given}"
            )));
        }
        let params = self.bound.iter().map(Parameter::as_sql).collect();
        Ok(Ready { statement, params })
    }
}

/// The tenant as a parameter.
fn tenant_parameter<'p>(tenant: Option<Tenant>) -> Option<Parameter<'p>> {
    tenant.map(|Tenant(number)| Parameter::One(Bound(Value::Integer(number.into()))))
}

/// A statement that can be sent.
pub(super) struct Ready<'a> {
    pub(super) statement: Statement,
    pub(super) params: Vec<&'a (dyn ToSql + Sync)>,
}
