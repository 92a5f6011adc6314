//! API keys: their storage, their tools, and the authentication of a caller by a key.

mod caller;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use tools::GROUP;

pub(crate) use caller::caller;
pub(crate) use store::{API_KEYS, GLOBAL_STATEMENTS, touch};
pub(crate) use tools::revoke_for_former_member;

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::call::scope::ScopeNames;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::secret::SecretKind;

crate::call::argument::choices! {
    /// Whom a key acts for.
    pub enum ActorKind {
        /// A member of the team.
        User = "user",
        /// The account as a whole.
        Tenant = "tenant",
    }
}

impl ActorKind {
    /// The kind of secret for a key of this kind.
    pub(crate) const fn secret(self) -> SecretKind {
        match self {
            Self::User => SecretKind::UserKey,
            Self::Tenant => SecretKind::TenantKey,
        }
    }
}

/// A key as lists and the history show it, without anything secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KeyRecord {
    /// The key's id.
    pub id: Id<kinds::Key>,
    /// Its name.
    pub name: String,
    /// Whom it acts for.
    pub actor_kind: ActorKind,
    /// The team member it acts for.
    pub user_id: Option<Id<kinds::User>>,
    /// Its first characters, to recognize it.
    pub hint: String,
    /// The scopes that it was granted.
    #[schemars(with = "Vec<String>")]
    pub scopes: ScopeNames,
    /// Maximum number of requests in a rolling minute, if it has its own limit.
    pub limit: Option<u32>,
    /// When it was created.
    pub created_at: Moment,
    /// When it expires.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
    /// When it was last used, recorded at most once a minute.
    pub last_used_at: Option<Moment>,
}

impl Recorded for KeyRecord {
    const TYPE: &'static str = "key";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
