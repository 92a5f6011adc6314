//! Who is calling and what they may do.

use std::net::IpAddr;

use serde::{Serialize, Serializer};
use zoop_db::{Tenant, Uuid};

use crate::country::Country;
use crate::id::{Id, kinds};

/// A permission that a credential can be granted. Write never implies read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Read customers, contacts, locations and tags.
    ReadCustomers,
    /// Write customers, contacts, locations and tags.
    WriteCustomers,
    /// Read notes.
    ReadNotes,
    /// Write notes.
    WriteNotes,
    /// Manage the account: its people, keys and connected programs. Granted to no credential that
    /// leaves the house: an owner's own session has it, and the command line.
    Administer,
    /// Run the installation: tenants and repairs. Only the command line has it.
    Operate,
}

impl Scope {
    /// Every scope that a credential can be granted, in the order in which lists show them.
    pub const GRANTABLE: &'static [Self] =
        &[Self::ReadCustomers, Self::WriteCustomers, Self::ReadNotes, Self::WriteNotes];

    /// The scope's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadCustomers => "read:customers",
            Self::WriteCustomers => "write:customers",
            Self::ReadNotes => "read:notes",
            Self::WriteNotes => "write:notes",
            Self::Administer => "administer",
            Self::Operate => "operate",
        }
    }

    /// The grantable scope with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::GRANTABLE.iter().copied().find(|scope| scope.name() == name)
    }

    /// Whether a credential that leaves the house can have it.
    pub fn is_grantable(self) -> bool {
        Self::GRANTABLE.contains(&self)
    }

    /// The scope that shows the records that this one writes.
    #[must_use]
    pub const fn read_counterpart(self) -> Self {
        match self {
            Self::ReadCustomers | Self::WriteCustomers => Self::ReadCustomers,
            Self::ReadNotes | Self::WriteNotes => Self::ReadNotes,
            Self::Administer => Self::Administer,
            Self::Operate => Self::Operate,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);

    /// These scopes.
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < scopes.len() {
            bits |= scopes[at].bit();
            at += 1;
        }
        Self(bits)
    }

    /// The scopes of a space-separated list; names that mean nothing grant nothing.
    pub fn parse(list: &str) -> Self {
        Self::of(&list.split_ascii_whitespace().filter_map(Scope::parse).collect::<Vec<_>>())
    }

    /// Whether the set holds `scope`.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// What both sets hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What either set holds.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What this set holds and the other does not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it holds no scope.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The grantable scopes in the set, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::GRANTABLE.iter().copied().filter(move |scope| self.has(*scope))
    }

    /// The space-separated list.
    pub fn list(self) -> String {
        self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
    }
}

crate::argument::choices! {
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
            Self::Owner | Self::Office => Scopes::of(Scope::GRANTABLE),
            Self::Tech => Scopes::of(&[Scope::ReadCustomers, Scope::ReadNotes, Scope::WriteNotes]),
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
            scopes: Scopes::of(&[
                Scope::ReadCustomers,
                Scope::WriteCustomers,
                Scope::ReadNotes,
                Scope::WriteNotes,
                Scope::Administer,
                Scope::Operate,
            ]),
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
#[non_exhaustive]
pub struct Access {
    /// The tenant, unless the operator acts above tenants.
    pub account: Option<Account>,
    /// Who acts.
    pub actor: Actor,
    /// What they may do now.
    pub scopes: Scopes,
    /// What the credential could be granted as well.
    pub attainable: Scopes,
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

    /// The default country for telephone numbers.
    pub fn country(&self) -> Country {
        self.account.map_or(Country::US, |account| account.country)
    }
}
