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
    news: Vec<News>,
}

/// A field that somebody else changed while the form was open.
pub(super) struct News {
    pub(super) field: &'static str,
    /// What is stored now, as the page writes it.
    pub(super) stored: String,
}

impl Problems {
    /// Of a form that was not sent yet.
    pub(super) const fn none() -> Self {
        Self { status: StatusCode::OK, text: String::new(), fields: Vec::new(), news: Vec::new() }
    }

    /// Why a tool refused. An error that the user can do nothing about is a page of its own.
    pub(super) fn of(error: Error) -> Result<Self, Response> {
        match error {
            Error::InvalidInput { fields, .. } if !fields.is_empty() => {
                let text = "Nothing was saved. Correct what is marked below.".to_owned();
                Ok(Self { status: StatusCode::BAD_REQUEST, text, fields, news: Vec::new() })
            }
            other => Fault::of(other).map(Self::from),
        }
    }

    /// What somebody else changed meanwhile, before it is overwritten.
    pub(super) fn of_news(news: Vec<News>) -> Self {
        let text = "Nothing was saved: what is marked below was changed elsewhere meanwhile. Save again to store \
                    what this form shows.";
        Self { status: StatusCode::CONFLICT, text: text.to_owned(), fields: Vec::new(), news }
    }

    /// What a field was changed to elsewhere.
    pub(super) fn news(&self, field: &str) -> Option<&str> {
        self.news.iter().find(|it| it.field == field).map(|it| it.stored.as_str())
    }

    /// The ids of the elements that describe a field.
    pub(super) fn described_by(&self, field: &str) -> String {
        let parts =
            [("problem", !self.about(field).is_empty()), ("news", self.news(field).is_some())];
        let ids = parts.iter().filter(|(_, is_there)| *is_there);
        ids.map(|(part, _)| format!("{field}-{part}")).collect::<Vec<_>>().join(" ")
    }

    /// What is wrong with a field; empty if nothing is.
    pub(super) fn about(&self, field: &str) -> &str {
        let found = self.fields.iter().find(|it| it.field == field);
        found.map_or("", |it| &it.problem)
    }
}

impl From<Fault> for Problems {
    fn from(Fault { status, text }: Fault) -> Self {
        Self { status, text, fields: Vec::new(), news: Vec::new() }
    }
}
