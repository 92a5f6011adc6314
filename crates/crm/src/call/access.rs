//! Who is calling and what they may do.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{Tenant, Uuid};

use crate::call::error::{Error, Result};
use crate::call::scope::{ROLE_SCOPES, Scope, Scopes};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// What a team member may do.
    pub enum Role {
        /// All grantable scopes. An owner may also change other users' notes and manage the tenant.
        Owner = "owner",
        /// All grantable scopes.
        Office = "office",
        /// The crew in the field: reads customers, and reads and writes notes.
        Tech = "tech",
    }
}

impl Role {
    /// The scopes that a user with this role can have.
    pub const fn scopes(self) -> Scopes {
        match self {
            Self::Owner => ROLE_SCOPES.owner,
            Self::Office => ROLE_SCOPES.office,
            Self::Tech => ROLE_SCOPES.tech,
        }
    }

    /// The scopes that a user with this role has in a browser session.
    pub const fn session_scopes(self) -> Scopes {
        match self {
            Self::Owner => self.scopes().or(Scopes::of(&[Scope::Administer])),
            Self::Office | Self::Tech => self.scopes(),
        }
    }
}

/// The author of a change, as the history records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A user, with their current role.
    User {
        /// The user.
        id: Id<kinds::User>,
        /// Their current role in the tenant.
        role: Role,
    },
    /// The tenant itself.
    Tenant,
    /// The operator, through the command line.
    Operator,
}

impl Actor {
    /// The name of the kind of actor.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Tenant => "tenant",
            Self::Operator => "operator",
        }
    }

    /// Whether the actor is a user who is an owner now.
    pub const fn is_owner(self) -> bool {
        matches!(self, Self::User { role: Role::Owner, .. })
    }

    /// The user, if the actor is one.
    pub const fn user(self) -> Option<Id<kinds::User>> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::Tenant | Self::Operator => None,
        }
    }
}

/// The credential that proves who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An API key.
    Key(Id<kinds::Key>),
    /// A grant: a client that a user connected.
    Grant(Id<kinds::Grant>),
    /// A browser's session.
    Session(Id<kinds::Session>),
    /// Direct access to the database, through the command line.
    CommandLine,
    /// No credential, as in a rejected sign-in.
    Nothing,
}

impl Credential {
    /// The credential's id, or nil if it has none. Idempotency keys and request limits belong to this id.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Key(id) => id.uuid(),
            Self::Grant(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
            Self::CommandLine | Self::Nothing => Uuid::nil(),
        }
    }
}

/// The tenant of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The tenant's number in the database.
    pub number: Tenant,
    /// The tenant's public id.
    pub id: Id<kinds::Tenant>,
    /// The default country of telephone numbers without a country code.
    pub country: Country,
}

/// The rights of a valid credential: the tenant, the actor and the scopes.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// The tenant; `None` if the operator acts outside any tenant.
    pub account: Option<Account>,
    /// The actor.
    pub actor: Actor,
    /// The granted scopes that the user's role still includes.
    pub scopes: Scopes,
    /// The scopes that the credential does not have but could get if the client asked the user for them.
    pub attainable: Scopes,
    /// The credential.
    pub credential: Credential,
}

impl Rights {
    /// The operator's rights, in one tenant or outside any tenant.
    pub fn operator(account: Option<Account>) -> Self {
        Self {
            account,
            actor: Actor::Operator,
            scopes: Scopes::ALL,
            attainable: Scopes::NONE,
            credential: Credential::CommandLine,
        }
    }
}

/// Where a call comes from. This is for the history: no check relies on it.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The client's name for itself, if it sends one.
    pub client: Option<String>,
    /// The client's IP address, as the server sees it.
    pub address: Option<IpAddr>,
}

/// A limit on what a caller may do in a rolling minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RateLimit {
    /// The limit.
    pub limit: u32,
    /// What is left of it now.
    pub left: u32,
}

/// The limits on a caller's calls, without those that are not set. Only a server counts calls, so the command line
/// and pages have none.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLimits {
    /// The credential's own limit.
    pub credential: Option<RateLimit>,
    /// The tenant's limit, and what is left of it for this credential.
    pub tenant: Option<RateLimit>,
}

/// A caller whose rights were read in this transaction. Only [`Access::new`] creates an `Access`.
#[derive(Debug, Clone)]
pub struct Access {
    /// The tenant; `None` if the operator acts outside any tenant.
    pub account: Option<Account>,
    /// The actor.
    pub actor: Actor,
    /// See [`Rights::scopes`].
    pub scopes: Scopes,
    /// Private, so that no other module can build an `Access` with a struct literal.
    attainable: Scopes,
    /// The credential.
    pub credential: Credential,
    /// Where the call comes from.
    pub source: Source,
    /// The limits on the caller's calls, this call included. This is for the caller to see: no check relies on it.
    pub call_limits: CallLimits,
}

impl Access {
    /// A caller with these rights.
    pub fn new(rights: Rights, source: Source) -> Self {
        let Rights { account, actor, scopes, attainable, credential } = rights;
        let call_limits = CallLimits::default();
        Self { account, actor, scopes, attainable, credential, source, call_limits }
    }

    /// The caller, with the limits on its calls.
    #[must_use]
    pub const fn with_call_limits(mut self, call_limits: CallLimits) -> Self {
        self.call_limits = call_limits;
        self
    }

    /// The same user with the rights of an owner, for work that takes back what the user may add.
    #[must_use]
    pub(crate) fn into_owner(mut self) -> Self {
        if let Actor::User { id, .. } = self.actor {
            self.actor = Actor::User { id, role: Role::Owner };
            self.scopes = Role::Owner.session_scopes();
        }
        self
    }

    /// Requires a scope.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`] if the caller does not have it.
    pub(crate) fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        let required = vec![scope.to_request(self.attainable)];
        Err(Error::InsufficientScope { required, attainable: self.attainable.has(scope) })
    }

    /// See [`Rights::attainable`].
    pub const fn attainable(&self) -> Scopes {
        self.attainable
    }

    /// The default country for telephone numbers.
    pub fn country(&self) -> Country {
        self.account.map_or(Country::US, |account| account.country)
    }
}
