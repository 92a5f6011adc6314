//! The error type of the crate. The message for the caller and the internal cause are separate fields. The
//! interface that received the call (MCP, a page, the command line) renders the error, as its last step.

use serde::Serialize;

use crate::call::access::Access;
use crate::call::scope::Scope;
use crate::values::id::{Id, Kind as _, kinds};

/// The result of a fallible function in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Maximum number of problems that a message spells out. The list `fields` contains all problems.
const PROBLEMS_IN_MESSAGE: usize = 3;
/// Maximum number of further fields that a message names, without their problems.
const FIELDS_IN_MESSAGE: usize = 20;

/// Why a call failed.
#[derive(Debug)]
pub enum Error {
    /// The caller sent invalid input.
    InvalidInput {
        /// What to do about it, in one sentence.
        message: String,
        /// Every invalid field, not only the first.
        fields: Vec<FieldProblem>,
    },
    /// The tenant has no such record. The message is the same whether or not another tenant has it.
    NotFound {
        /// The word for the kind of record.
        record: &'static str,
    },
    /// The record exists, but the call cannot use it: it is archived or merged, or it belongs to another customer. The
    /// error's kind is `not_found`, as for a record that does not exist. Only a caller who may read the record
    /// learns more.
    Unusable {
        /// The word for the kind of record.
        record: &'static str,
        /// What to do about it, in one sentence.
        message: String,
    },
    /// The request conflicts with stored data.
    Conflict {
        /// What to do about it, in one sentence.
        message: String,
        /// Seconds until a retry can succeed, if waiting helps.
        retry_after_s: Option<u64>,
    },
    /// The credential lacks a scope.
    InsufficientScope {
        /// The scopes that the call requires.
        required: Vec<Scope>,
        /// Whether the client could get them by asking the user.
        attainable: bool,
    },
    /// The server cannot carry out the call now; a retry can help. Nothing was changed, unless the cause
    /// says that the outcome is unknown.
    Unavailable {
        /// Why, for the log.
        cause: zoop_db::Error,
    },
    /// A bug or a broken installation. The caller learns only that something failed.
    Internal {
        /// Why, for the log.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field's path: `location.city`, `line_items[2].quantity`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Error {
    /// Invalid input that cannot be attributed to one field.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput { message: message.into(), fields: Vec::new() }
    }

    /// Invalid input in one field.
    pub fn field(field: &str, problem: impl Into<String>) -> Self {
        Self::fields(vec![FieldProblem { field: field.to_owned(), problem: problem.into() }])
    }

    /// Invalid input in these fields, with a message built from them. If a field has several problems,
    /// only the first is reported.
    pub fn fields(problems: Vec<FieldProblem>) -> Self {
        let mut fields: Vec<FieldProblem> = Vec::new();
        for problem in problems {
            if !fields.iter().any(|known| known.field == problem.field) {
                fields.push(problem);
            }
        }
        let first = fields.iter().take(PROBLEMS_IN_MESSAGE);
        let first: Vec<_> = first.map(|it| format!("{} {}", it.field, it.problem)).collect();
        // Some clients show only the message, not the list of fields.
        let others: Vec<_> = fields.iter().skip(PROBLEMS_IN_MESSAGE).map(|it| &*it.field).collect();
        let named = others.get(..FIELDS_IN_MESSAGE).unwrap_or(&others);
        let more = match others.len() {
            0 => String::new(),
            all if all > named.len() => {
                let unnamed = all - named.len();
                format!("; also invalid: {} and {unnamed} more, see fields", named.join(", "))
            }
            _ => format!("; also invalid: {}", named.join(", ")),
        };
        let message = format!("Correct these fields and call again: {}{more}.", first.join("; "));
        Self::InvalidInput { message, fields }
    }

    /// A conflict that waiting does not resolve.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), retry_after_s: None }
    }

    /// The tenant has no such record of this kind.
    pub const fn not_found(record: &'static str) -> Self {
        Self::NotFound { record }
    }

    /// The record is archived, so it cannot be changed. `way_back` is the tool that restores it.
    pub fn archived(record: &'static str, way_back: &str) -> Self {
        let message = format!("This {record} is archived; restore it first ({way_back}).");
        Self::Unusable { record, message }
    }

    /// The record is already archived, so it cannot be archived again. `way_back` is the tool that restores it.
    pub fn already_archived(record: &'static str, way_back: &str) -> Self {
        let message = format!("This {record} is already archived; {way_back} brings it back.");
        Self::Unusable { record, message }
    }

    /// The customer was merged into another one, so it cannot be changed.
    pub fn merged(kept: Id<kinds::Customer>) -> Self {
        let message = format!("This customer was merged into another one: send the id {kept}.");
        Self::Unusable { record: kinds::Customer::WORD, message }
    }

    /// The record belongs to another customer of the tenant than the call says.
    pub fn of_another_customer(record: &'static str, customer: Id<kinds::Customer>) -> Self {
        let message = format!(
            "This {record} belongs to another customer: send customer_id {customer}, or another id."
        );
        Self::Unusable { record, message }
    }

    /// The error as this caller may see it. `scope` allows reading the record: to a caller without it, a record
    /// that the call cannot use does not exist.
    #[must_use]
    pub fn for_reader(self, access: &Access, scope: Scope) -> Self {
        match self {
            Self::Unusable { record, .. } if !access.scopes.has(scope) => Self::not_found(record),
            other => other,
        }
    }

    /// A bug, with its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { cause: cause.into() }
    }

    /// The name of the kind on the wire. `Unavailable` has no kind of its own, because the interface that
    /// received the call reports it in its own way.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid_input",
            Self::NotFound { .. } | Self::Unusable { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::Unavailable { .. } | Self::Internal { .. } => "internal",
        }
    }

    /// What the caller may see of the error, as the JSON of a tool's error result. An error of the kind
    /// `internal` contains `request_id`, which identifies the log entry.
    pub fn public_json(&self, request_id: &str) -> String {
        let body = Public {
            kind: self.kind(),
            message: self.message(request_id),
            fields: match self {
                Self::InvalidInput { fields, .. } => fields,
                _ => &[],
            },
            required: match self {
                Self::InsufficientScope { required, .. } => required,
                _ => &[],
            },
            retry_after_s: match self {
                Self::Conflict { retry_after_s, .. } => *retry_after_s,
                _ => None,
            },
            request_id: matches!(self, Self::Unavailable { .. } | Self::Internal { .. })
                .then_some(request_id),
        };
        serde_json::to_string(&body).unwrap_or_else(|_| r#"{"kind":"internal"}"#.to_owned())
    }

    fn message(&self, request_id: &str) -> String {
        match self {
            Self::InvalidInput { message, .. }
            | Self::Unusable { message, .. }
            | Self::Conflict { message, .. } => message.clone(),
            Self::NotFound { record } => {
                format!("There is no such {record} in this account: check the ids that you sent.")
            }
            Self::InsufficientScope { required, .. } => {
                let names: Vec<_> = required.iter().map(|scope| scope.name()).collect();
                let noun = if names.len() == 1 { "scope" } else { "scopes" };
                format!("Use a credential that has the {noun} {}.", names.join(" and "))
            }
            Self::Unavailable { .. } | Self::Internal { .. } => format!(
                "Something failed on the server: try again. If the problem persists, report request {request_id}."
            ),
        }
    }
}

#[derive(Serialize)]
struct Public<'a> {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldProblem],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    required: &'a [Scope],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl From<zoop_db::Error> for Error {
    fn from(cause: zoop_db::Error) -> Self {
        use zoop_db::Error as Cause;
        match cause {
            Cause::Busy
            | Cause::Deadline
            | Cause::Closed
            | Cause::Locked
            | Cause::Unavailable(_)
            | Cause::Unknown(_) => Self::Unavailable { cause },
            other => Self::internal(other),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Self::internal(cause)
    }
}
