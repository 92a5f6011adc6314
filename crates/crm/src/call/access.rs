//! Who is calling and what they may do.

use std::net::IpAddr;

use zoop_db::{Tenant, Uuid};

use crate::call::scope::{OF_ROLES, Scope, Scopes};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// What a team member may do.
    pub enum Role {
        /// Everything, and may change other people's notes.
        Owner = "owner",
        /// Everything in the office's work.
        Office = "office",
        /// The crew: reads customers, reads and writes notes.
        Tech = "tech",
    }
}

impl Role {
    /// The scopes that a person with this role can have at all.
    pub const fn scopes(self) -> Scopes {
        match self {
            Self::Owner => OF_ROLES.owner,
            Self::Office => OF_ROLES.office,
            Self::Tech => OF_ROLES.tech,
        }
    }

    /// What a person with this role may do in a session of their own.
    pub const fn session_scopes(self) -> Scopes {
        match self {
            Self::Owner => self.scopes().or(Scopes::of(&[Scope::Administer])),
            Self::Office | Self::Tech => self.scopes(),
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A team member, with the role of this moment.
    User {
        /// The person.
        id: Id<kinds::User>,
        /// Their role in the tenant now.
        role: Role,
    },
    /// The account as a whole.
    Tenant,
    /// Whoever runs the installation, through the command line.
    Operator,
}

impl Actor {
    /// The word for the kind of actor.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Tenant => "tenant",
            Self::Operator => "operator",
        }
    }

    /// The person, if a person acts.
    pub const fn user(self) -> Option<Id<kinds::User>> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::Tenant | Self::Operator => None,
        }
    }
}

/// What was presented to prove who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An API key.
    Key(Id<kinds::Key>),
    /// A program that a person connected.
    Grant(Id<kinds::Grant>),
    /// A browser's session.
    Session(Id<kinds::Session>),
    /// Direct access to the database, through the command line.
    CommandLine,
    /// Nothing: somebody says who they are, as in a sign-in that is refused.
    Nothing,
}

impl Credential {
    /// The credential's id, which scopes idempotency keys and request limits.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Key(id) => id.uuid(),
            Self::Grant(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
            Self::CommandLine | Self::Nothing => Uuid::nil(),
        }
    }
}

/// The tenant that a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Its number in the database.
    pub number: Tenant,
    /// Its public id.
    pub id: Id<kinds::Tenant>,
    /// The country that telephone numbers without a country code are in.
    pub country: Country,
}

/// What a valid credential says: who acts in which tenant, and what they may do there.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// The tenant, unless the operator acts above tenants.
    pub account: Option<Account>,
    /// Who acts.
    pub actor: Actor,
    /// What they may do now: what was granted and what the person's role has today.
    pub scopes: Scopes,
    /// What the credential could be granted as well, if its bearer asked the person for it.
    pub attainable: Scopes,
    /// The credential.
    pub credential: Credential,
}

impl Rights {
    /// The operator's, in one tenant or above them all.
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

/// Where a call comes from. The history shows it; nothing trusts it.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// What the client calls itself, if it says so.
    pub client: Option<String>,
    /// Its address, as the server saw it.
    pub address: Option<IpAddr>,
}

/// A checked caller in a transaction. [`Access::new`] is the only way to make one.
#[derive(Debug, Clone)]
pub struct Access {
    /// The tenant, unless the operator acts above tenants.
    pub account: Option<Account>,
    /// Who acts.
    pub actor: Actor,
    /// What they may do now.
    pub scopes: Scopes,
    /// Private, so that no struct literal elsewhere makes a caller.
    attainable: Scopes,
    /// The credential.
    pub credential: Credential,
    /// Where the call comes from.
    pub source: Source,
}

impl Access {
    /// A caller with these rights.
    pub fn new(rights: Rights, source: Source) -> Self {
        let Rights { account, actor, scopes, attainable, credential } = rights;
        Self { account, actor, scopes, attainable, credential, source }
    }

    /// What the credential could be granted as well.
    pub const fn attainable(&self) -> Scopes {
        self.attainable
    }

    /// The default country for telephone numbers.
    pub fn country(&self) -> Country {
        self.account.map_or(Country::US, |account| account.country)
    }
}
