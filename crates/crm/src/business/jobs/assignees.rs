//! The people who work on a job.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zoop_db::{Column, Kind, Param, Value};

use crate::call::argument::{Json, List, Parse, ParseContext, ParseError};
use crate::values::id::{Id, kinds};

/// Maximum number of people on one job.
const MAX_PEOPLE: usize = 20;
/// Maximum number of ids that a call may send, with doubles.
const MAX_SENT: usize = 100;

/// The users who work on a job, in order. Stored as text, which is read and written with the job:
/// `0190b6c5-…, 0190b6c6-…`. The table `job_assignees` finds a user's jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignees(String);

impl Assignees {
    /// The users.
    pub fn all(&self) -> Vec<Id<kinds::User>> {
        self.0.split(", ").filter_map(Id::parse).collect()
    }

    /// Whether a user is one of them.
    pub fn has(&self, user: Id<kinds::User>) -> bool {
        self.all().contains(&user)
    }
}

impl FromIterator<Id<kinds::User>> for Assignees {
    fn from_iter<T: IntoIterator<Item = Id<kinds::User>>>(users: T) -> Self {
        let mut text = String::new();
        for user in users {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{user}");
        }
        Self(text)
    }
}

impl Param for Assignees {
    fn value(&self) -> Value<'_> {
        Value::Text(&self.0)
    }
}

impl Column for Assignees {
    const NAME: &'static str = "Assignees";
    const KIND: Kind = Kind::Text;
    fn read(value: Value<'_>) -> Option<Self> {
        String::read(value).map(Self)
    }
}

impl Serialize for Assignees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all())
    }
}

impl<'de> Deserialize<'de> for Assignees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// The ids of users that a call sends: doubles are dropped, and the rest are at most 20.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crew(pub Vec<Id<kinds::User>>);

impl Parse for Crew {
    fn schema() -> serde_json::Value {
        List::<Id<kinds::User>, 0, MAX_SENT>::schema()
    }

    fn parse(value: Json, context: ParseContext) -> Result<Self, ParseError> {
        let List(sent) = List::<Id<kinds::User>, 0, MAX_SENT>::parse(value, context)?;
        let mut people = Vec::new();
        for user in sent {
            if !people.contains(&user) {
                people.push(user);
            }
        }
        match people.len() {
            0..=MAX_PEOPLE => Ok(Self(people)),
            count => Err(ParseError::Invalid(format!(
                "must have at most {MAX_PEOPLE} people, not {count}"
            ))),
        }
    }
}
