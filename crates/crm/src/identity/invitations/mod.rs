//! Invitations: an owner or the operator invites someone to a tenant. The link works only once, within seven days.
//!
//! A new user chooses a password. An existing user must sign in as usual, so that no owner can take over an
//! account by inviting its e-mail address and following the link. A link that was only sent by mail also
//! proves that its holder can read the mailbox. A link that the owner has seen proves nothing.

mod accept;
mod store;
pub mod tools;

pub use accept::{
    Invited, Status, accept_as_member, accept_by_password, find, may_be_mailed, record_mailed,
};
pub use tools::GROUP;

pub(crate) use store::{GLOBAL_STATEMENTS, INVITATIONS, SWEEPS};

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use crate::call::access::Role;
use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// Lifetime of an invitation's link, in microseconds.
pub const LIFETIME: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// An invitation as lists and the history show it, without its link.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InvitationRecord {
    /// The invitation's id.
    pub id: Id<kinds::Invitation>,
    /// The invited person's name.
    pub name: String,
    /// The invited person's e-mail address.
    pub email: String,
    /// What they will be allowed to do.
    pub role: Role,
    /// The member who invited them; `null` if the operator did.
    pub invited_by: Option<Id<kinds::User>>,
    /// When it was created.
    pub created_at: Moment,
    /// When its link stops working.
    pub expires_at: Moment,
    /// When it was accepted.
    pub accepted_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
}

impl InvitationRecord {
    /// Whether its link still works.
    pub fn is_open(&self, now: Moment) -> bool {
        self.accepted_at.is_none() && self.revoked_at.is_none() && self.expires_at > now
    }
}

impl Recorded for InvitationRecord {
    const TYPE: &'static str = "invitation";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
