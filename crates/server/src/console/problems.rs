//! What is wrong with a form, in the tool's own words: about the whole form, or about a field.

use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::error::{Error, FieldProblem};

use super::Fault;

/// What a page shows beside a form that was not accepted.
pub(super) struct Problems {
    pub(super) status: StatusCode,
    /// What is wrong with the whole form.
    pub(super) text: String,
    fields: Vec<FieldProblem>,
}

impl Problems {
    /// Of a form that was not sent yet.
    pub(super) const fn none() -> Self {
        Self { status: StatusCode::OK, text: String::new(), fields: Vec::new() }
    }

    /// Why a tool refused. An error that the user can do nothing about is a page of its own.
    pub(super) fn of(error: Error) -> Result<Self, Response> {
        match error {
            Error::InvalidInput { fields, .. } if !fields.is_empty() => {
                let text = "Nothing was saved. Correct what is marked below.".to_owned();
                Ok(Self { status: StatusCode::BAD_REQUEST, text, fields })
            }
            other => Fault::of(other).map(Self::from),
        }
    }

    /// What is wrong with a field; empty if nothing is.
    pub(super) fn about(&self, field: &str) -> &str {
        let found = self.fields.iter().find(|it| it.field == field);
        found.map_or("", |it| &it.problem)
    }
}

impl From<Fault> for Problems {
    fn from(Fault { status, text }: Fault) -> Self {
        Self { status, text, fields: Vec::new() }
    }
}
