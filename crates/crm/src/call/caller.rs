//! The result of checking a credential: a caller with rights, or a reason to reject it.
//!
//! Credentials are looked up elsewhere: in [`crate::identity::authenticate`] and the sessions module.

use zoop_db::Timestamp;

use crate::call::access::Rights;
use crate::call::error::Error;
use crate::values::clock::SLACK;
use crate::values::id::{Id, kinds};

/// The resolution of a credential's time of last use, in microseconds.
const LAST_USE_RESOLUTION: i64 = 60 * 1_000_000;

/// A caller whose credential is valid.
#[derive(Debug)]
pub struct Caller {
    /// The caller's tenant, actor and scopes.
    pub rights: Rights,
    /// The name of the connected client, as the user consented to it. It takes precedence over the name
    /// that the client sends.
    pub client: Option<String>,
    /// Maximum number of requests with this credential in a rolling minute, if it has its own limit.
    pub request_limit: Option<u32>,
    /// The credential whose use must be recorded; `None` if a use in this minute is already recorded.
    pub used: Option<Used>,
}

/// A credential whose last use must be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Used {
    /// The API key with this hash.
    Key([u8; 32]),
    /// The grant of a client.
    Grant(Id<kinds::Grant>),
    /// A browser's session.
    Session(Id<kinds::Session>),
}

/// Why a credential was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Unknown or damaged.
    Invalid,
    /// Revoked, or (for a key or a token) its user was removed.
    Revoked,
    /// Expired. A session that was ended also counts as expired.
    Expired,
}

impl Denied {
    /// The wire name of the reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_token",
            Self::Revoked => "key_revoked",
            Self::Expired => "expired",
        }
    }
}

/// Why a call was rejected or failed.
#[derive(Debug)]
pub enum Refusal {
    /// The credential was rejected.
    Denied(Denied),
    /// The call itself failed.
    Failed(Error),
}

impl Refusal {
    /// The error of a call whose credential this process created itself: rejecting that credential is a bug.
    pub fn of_own_credential(self) -> Error {
        match self {
            Self::Denied(denied) => Error::internal(denied.reason()),
            Self::Failed(error) => error,
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<zoop_db::Error> for Refusal {
    fn from(error: zoop_db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Whether a use at `now` should replace the last recorded use, with a resolution of one minute.
pub(crate) fn should_record_use(last: Option<Timestamp>, now: Timestamp) -> bool {
    // A last use in the future was recorded by a clock that ran ahead.
    last.is_none_or(|last| to_the_minute(last) < to_the_minute(now) || last.0 > now.0 + SLACK)
}

const fn to_the_minute(time: Timestamp) -> i64 {
    time.0.div_euclid(LAST_USE_RESOLUTION)
}
