//! The filter by author, of notes and of changes.

use serde_json::json;

use super::{Json, Parse, ParseContext, ParseError};
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::values::id::{Id, kinds};
use crate::values::text;

/// Whose records a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Those of the user who calls.
    Me,
    /// Those of this user.
    User(Id<kinds::User>),
}

impl Author {
    /// The word for the user who calls.
    const ME: &'static str = "me";

    /// The user.
    ///
    /// # Errors
    /// A problem with the filter's field, if it is `me` and the caller is not a user.
    pub(crate) fn user(self, access: &Access, field: &'static str) -> Result<Id<kinds::User>> {
        match self {
            Self::User(id) => Ok(id),
            Self::Me => access.actor.user().ok_or_else(|| {
                Error::field(field, "must be a user id, because you call without a person")
            }),
        }
    }

    fn is_me(text: &str) -> bool {
        text::trim(text).eq_ignore_ascii_case(Self::ME)
    }
}

impl Parse for Author {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        match &value {
            Json::Text(text) if Self::is_me(text) => Ok(Self::Me),
            _ => match <Id<kinds::User> as Parse>::parse(value, context) {
                Err(ParseError::Invalid(problem)) => {
                    Err(ParseError::Invalid(format!("{problem}, or me")))
                }
                other => other.map(Self::User),
            },
        }
    }

    fn canonical(value: &Json) -> Json {
        match value {
            Json::Text(text) if Self::is_me(text) => Json::Text(Self::ME.to_owned()),
            _ => <Id<kinds::User> as Parse>::canonical(value),
        }
    }
}
