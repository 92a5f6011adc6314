//! Statements on their way to the server: their text, and what is bound to them.

use std::fmt;
use std::future::{Future, poll_fn};
use std::task::Poll;

use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::error::Failure;
use super::value::Bound;
use crate::row::Value;
use crate::tx::Tenant;

/// A statement's text, and what this engine puts around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) before: &'static str,
    pub(super) sql: &'static str,
    pub(super) after: &'static str,
}

impl Text {
    /// A statement as it was declared.
    pub(super) fn plain(sql: &'static str) -> Self {
        Self { before: "", sql, after: "" }
    }

    /// Whether it may write: every statement but a plain SELECT.
    pub(super) fn is_writing(self) -> bool {
        let word = self.sql.trim_start().get(..6);
        !word.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
    }

    /// Whether its plan must be made for the values at hand: one for any value reads a whole search index
    /// where the word at hand has few matches. Every other statement is found by its keys, whatever they
    /// are, and planning it takes as long as running it.
    pub(super) fn is_search(self) -> bool {
        self.sql.contains(" @@ ")
    }

    /// Statements are `'static`, so an address names one text for good.
    pub(super) fn key(self) -> Key {
        (self.before, self.sql.as_ptr().addr(), self.after)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.before, self.sql, self.after)
    }
}

/// What tells one text from another.
pub(super) type Key = (&'static str, usize, &'static str);

/// A statement that a job asks, with what is bound to it.
pub(super) struct Asked<'p> {
    pub(super) text: Text,
    bound: Vec<Bound<'p>>,
}

impl<'p> Asked<'p> {
    /// The tenant, if there is one, is the first parameter.
    pub(super) fn new(text: Text, tenant: Option<Tenant>, params: &[Value<'p>]) -> Self {
        let tenant = tenant.map(|Tenant(number)| Value::Integer(number.into()));
        let bound = tenant.into_iter().chain(params.iter().copied()).map(Bound).collect();
        Self { text, bound }
    }

    /// The same, prepared.
    pub(super) fn ready(&self, statement: Statement) -> Result<Ready<'_>, Failure> {
        let (taken, given) = (statement.params().len(), self.bound.len());
        if taken != given {
            return Err(Failure::Misused(format!(
                "a statement of {taken} parameters was given {given}"
            )));
        }
        let params = self.bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        Ok(Ready { statement, params })
    }
}

/// A statement that can be sent.
pub(super) struct Ready<'a> {
    pub(super) statement: Statement,
    pub(super) params: Vec<&'a (dyn ToSql + Sync)>,
}

/// Sends all of these in one flight, and waits for their answers or the first failure.
pub(super) async fn all<F>(statements: impl Iterator<Item = F>) -> Result<(), tokio_postgres::Error>
where
    F: Future<Output = Result<u64, tokio_postgres::Error>>,
{
    let mut waiting: Vec<_> = statements.map(Box::pin).collect();
    poll_fn(|context| {
        let mut failure = None;
        waiting.retain_mut(|statement| match statement.as_mut().poll(context) {
            Poll::Ready(answer) => {
                failure = failure.take().or(answer.err());
                false
            }
            Poll::Pending => true,
        });
        match failure {
            Some(failure) => Poll::Ready(Err(failure)),
            None if waiting.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}
