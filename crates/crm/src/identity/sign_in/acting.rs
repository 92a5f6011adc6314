//! A member in whose name work goes on after the request that started it, such as an import. It has no secret of its
//! own, so only code that has checked who is calling may make one.

use zoop_db::ReadTx;

use super::sessions::Membership;
use super::store;
use crate::call::access::{Access, Actor, Credential, Rights, Source};
use crate::call::error::{Error, Result};
use crate::call::proof::Proof;
use crate::call::scope::Scopes;
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// The member. What they may do is read again before each step, so the work ends with their membership.
#[derive(Debug, Clone)]
pub struct ActingMember {
    /// The business.
    pub tenant: Id<kinds::Tenant>,
    /// The person.
    pub user: Id<kinds::User>,
    /// The credential with which they started the work.
    pub credential: Credential,
    /// Where they started it from.
    pub source: Source,
}

impl Proof for ActingMember {
    type Refusal = Error;

    /// [`Error::NotFound`] if the person is not a member of the business any more.
    fn access(&self, tx: &mut ReadTx<'_>, _: &Environment) -> Result<Access> {
        let memberships = store::memberships(tx, self.user)?;
        let membership = memberships.into_iter().find(|it| it.account.id == self.tenant);
        let Membership { account, role, .. } = membership.ok_or(Error::not_found("team member"))?;
        let rights = Rights {
            account: Some(account),
            actor: Actor::User { id: self.user, role },
            scopes: role.session_scopes(),
            attainable: Scopes::NONE,
            credential: self.credential,
        };
        Ok(Access::new(rights, self.source.clone()))
    }
}
