//! The SQL for invitations. All tenants share the table, because a link is looked up before its tenant is known.

use zoop_db::{ReadTx, Row, Timestamp, Uuid, WriteTx, params};

use super::{InvitationRecord, LIFETIME};
use crate::call::access::Account;
use crate::call::error::{Error, Result};
use crate::call::sweep::{Sweep, few};
use crate::identity::tenants::store::read_account;
use crate::values::clock::SLACK;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

macro_rules! columns {
    () => {
        "i.id, i.name, i.email, i.role, i.invited_by, i.expires_at, i.accepted_at, i.revoked_at"
    };
}

/// Whether the inviter is still an owner. Always true for an invitation by the operator.
macro_rules! is_backed {
    ($invitation:literal) => {
        concat!(
            "(",
            $invitation,
            ".invited_by IS NULL OR EXISTS (SELECT 1 FROM memberships m \
             WHERE m.tenant_no = ",
            $invitation,
            ".tenant_no AND m.user_id = ",
            $invitation,
            ".invited_by AND m.role = 'owner' AND m.removed_at IS NULL))"
        )
    };
}

crate::call::table::table! {
    pub(crate) const INVITATIONS = invitations {
        shared: "are looked up by their hash, which identifies the tenant",
        key: { hash: Bytes },
        columns: {
            id: Id, tenant_no: Integer, name: Text, email: Text, role: Text, invited_by: Id,
            expires_at: Time, accepted_at: Time, revoked_at: Time, mailed_at: Time,
        },
        exported: WithTenant,
        erased: [WithTenant, OnExpiry],
    }
}

zoop_db::global_statements! {
    GREATEST_ID_BELOW = "SELECT id FROM invitations WHERE id < $1 ORDER BY id DESC LIMIT 1";
    INSERT = "INSERT INTO invitations (hash, id, tenant_no, name, email, role, invited_by, \
              expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    OPEN = (concat!("SELECT ", columns!(), " FROM invitations i WHERE i.tenant_no = $1 \
            AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2 \
            AND i.id > $3 ORDER BY i.id LIMIT $4"));
    BY_ID = (concat!("SELECT ", columns!(), " FROM invitations i \
             WHERE i.tenant_no = $1 AND i.id = $2"));
    BY_HASH = (concat!("SELECT ", columns!(), ", t.no, t.id, t.country, t.name, ", is_backed!("i"), ", \
               i.mailed_at IS NOT NULL FROM invitations i JOIN tenants t ON t.no = i.tenant_no WHERE i.hash = $1"));
    RECORD_MAILED = "UPDATE invitations SET mailed_at = $2 WHERE id = $1";
    CAP_EXPIRY = (concat!("UPDATE invitations SET expires_at = $1",
               few!("invitations", "hash", "expires_at > $2", "expires_at")));
    REVOKE = "UPDATE invitations SET revoked_at = $2 WHERE id = $1";
    ACCEPT = (concat!("UPDATE invitations SET accepted_at = $2 \
              WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2 AND ",
              is_backed!("invitations")));
    SWEEP = (concat!("DELETE FROM invitations",
             few!("invitations", "hash", "expires_at < $1", "expires_at")));
}

/// How long an invitation is kept after it has expired, in microseconds.
const RETENTION: i64 = 90 * 24 * 60 * 60 * 1_000_000;

/// An invitation that was looked up by its link, with its tenant.
pub(super) struct LinkedInvitation {
    pub(super) record: InvitationRecord,
    pub(super) account: Account,
    pub(super) business: String,
    /// Whether the inviter is still an owner. Always true for an invitation by the operator.
    pub(super) is_backed: bool,
    /// Whether the link was only sent by mail.
    pub(super) is_mailed: bool,
}

/// Adds an invitation to the bound tenant.
pub(super) fn insert(
    tx: &mut WriteTx<'_>,
    secret: &Secret,
    invitation: &InvitationRecord,
) -> Result<()> {
    let tenant = tx.tenant()?.0;
    let InvitationRecord { id, name, email, role, invited_by, expires_at, .. } = invitation;
    tx.global_execute(
        INSERT,
        params![secret.hash(), id, tenant, name, email, role, invited_by, expires_at],
    )?;
    Ok(())
}

/// Up to `count` open invitations of the bound tenant after the id `after`, in creation order.
pub(super) fn open(
    tx: &mut ReadTx<'_>,
    now: Timestamp,
    after: Uuid,
    count: usize,
) -> Result<Vec<InvitationRecord>> {
    let tenant = tx.tenant()?.0;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.global_all(OPEN, params![tenant, now, after, count], read_invitation)
}

/// The invitation of the bound tenant with this id.
///
/// # Errors
/// [`Error::NotFound`] if there is no such invitation.
pub(super) fn by_id(tx: &mut ReadTx<'_>, id: Id<kinds::Invitation>) -> Result<InvitationRecord> {
    let tenant = tx.tenant()?.0;
    tx.global_first::<_, Error>(BY_ID, params![tenant, id], read_invitation)?
        .ok_or(Error::not_found("invitation"))
}

pub(super) fn by_hash(tx: &mut ReadTx<'_>, hash: &[u8; 32]) -> Result<Option<LinkedInvitation>> {
    tx.global_first(BY_HASH, params![hash], |row| {
        let record = read_invitation(row)?;
        let account = read_account(row)?;
        let business = row.take()?;
        Ok(LinkedInvitation {
            record,
            account,
            business,
            is_backed: row.take()?,
            is_mailed: row.take()?,
        })
    })
}

/// Records that a link was sent by mail and is shown to no one else.
pub(super) fn record_mailed(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Invitation>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(RECORD_MAILED, params![id, now])?;
    Ok(())
}

pub(super) fn revoke(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Invitation>,
    now: Timestamp,
) -> Result<()> {
    tx.global_execute(REVOKE, params![id, now])?;
    Ok(())
}

/// Marks an open invitation as accepted. Returns `false` if it is no longer open, or if the inviter is no longer
/// an owner.
pub(super) fn accept(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Invitation>,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.global_execute(ACCEPT, params![id, now])? == 1)
}

/// The sweeps of invitations that expired long ago. The first sweep caps expiry times that come from a clock running
/// ahead, so that no invitation outlives [`LIFETIME`].
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "invitations from the future",
        step: |tx, now| {
            let latest = Timestamp(now.0 + LIFETIME);
            Ok(tx.global_execute(CAP_EXPIRY, params![latest, Timestamp(latest.0 + SLACK)])?)
        },
    },
    Sweep {
        rows: "invitations",
        step: |tx, now| Ok(tx.global_execute(SWEEP, params![Timestamp(now.0 - RETENTION)])?),
    },
];

fn read_invitation(row: &mut Row<'_>) -> Result<InvitationRecord> {
    let id: Id<kinds::Invitation> = row.take()?;
    Ok(InvitationRecord {
        id,
        created_at: id.created_at(),
        name: row.take()?,
        email: row.take()?,
        role: row.take()?,
        invited_by: row.take()?,
        expires_at: row.take()?,
        accepted_at: row.take()?,
        revoked_at: row.take()?,
    })
}
