//! Authenticates bearer tokens and the command line, and records when a credential was last used.

use zoop_db::{ReadTx, Timestamp, WriteTx};

use crate::call::access::{Access, Rights, Source};
use crate::call::caller::{Caller, Denied, Refusal, Used};
use crate::call::error::{Error, Result};
use crate::call::proof::Proof;
use crate::identity::keys;
use crate::identity::oauth;
use crate::identity::sign_in::sessions;
use crate::identity::tenants;
use crate::values::clock::{Clock, Environment};
use crate::values::id::{Id, kinds};
use crate::values::secret::{Secret, SecretKind};

/// A bearer token: an API key or an OAuth access token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The token, as it was sent.
    pub token: String,
    /// The client and the address that the call comes from.
    pub source: Source,
}

/// Parses a token. `None` if it does not have the form of an API key or an access token.
pub fn credential(token: &str) -> Option<Secret> {
    Secret::parse(token).filter(|secret| {
        matches!(
            secret.kind(),
            SecretKind::UserKey | SecretKind::TenantKey | SecretKind::AccessToken
        )
    })
}

impl Bearer {
    /// A token without a known source.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), source: Source::default() }
    }

    /// Looks up the caller that the token authenticates.
    ///
    /// # Errors
    /// Only if the database fails; a rejected token is `Ok(Err(_))`.
    pub fn caller(&self, tx: &mut ReadTx<'_>, clock: &dyn Clock) -> Result<Result<Caller, Denied>> {
        let Some(secret) = credential(&self.token) else { return Ok(Err(Denied::Invalid)) };
        match secret.kind() {
            SecretKind::AccessToken => oauth::caller(tx, &secret, clock),
            _ => keys::caller(tx, &secret, clock),
        }
    }

    /// The caller's access. The client name that the user consented to takes precedence over the name that the
    /// client sends.
    pub fn access_of(&self, caller: Caller) -> Access {
        let client = caller.client.or_else(|| self.source.client.clone());
        Access::new(caller.rights, Source { client, address: self.source.address })
    }
}

impl Proof for Bearer {
    type Refusal = Refusal;

    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access, Refusal> {
        let caller = self.caller(tx, &*environment.clock)??;
        Ok(self.access_of(caller))
    }
}

/// The operator, who calls through the command line in one tenant or outside any tenant.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// The tenant of the call; `None` for a call outside any tenant.
    pub tenant: Option<Id<kinds::Tenant>>,
}

impl Operator {
    /// The operator outside any tenant.
    pub const OUTSIDE_TENANTS: Self = Self { tenant: None };

    /// The operator in a tenant.
    pub const fn of(tenant: Id<kinds::Tenant>) -> Self {
        Self { tenant: Some(tenant) }
    }
}

impl Proof for Operator {
    type Refusal = Error;

    fn access(&self, tx: &mut ReadTx<'_>, _: &Environment) -> Result<Access> {
        let account = self.tenant.map(|tenant| tenants::account(tx, tenant)).transpose()?;
        Ok(Access::new(Rights::operator(account), Source::default()))
    }
}

/// Records that a credential was used.
///
/// # Errors
/// If the database fails.
pub fn touch(tx: &mut WriteTx<'_>, used: Used, now: Timestamp) -> Result<()> {
    match used {
        Used::Key(hash) => keys::touch(tx, &hash, now),
        Used::Grant(id) => oauth::touch(tx, id, now),
        Used::Session(id) => sessions::touch(tx, id, now),
    }
}
