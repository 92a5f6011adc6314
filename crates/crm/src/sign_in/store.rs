//! The SQL of passwords, sessions and attempts. All of it stands above tenants: a person may work in
//! several.

use zoop_db::{ReadTx, Timestamp, Uuid, WriteTx, params};

use super::sessions::{IDLE, SessionRecord, SignedIn, Workplace};
use crate::access::{Account, Country};
use crate::error::Result;
use crate::id::{Id, kinds};

zoop_db::global_statements! {
    SESSION = "SELECT s.id, s.user_id, u.name, u.email, s.last_used_at FROM sessions s \
               JOIN users u ON u.id = s.user_id \
               WHERE s.hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 \
               AND s.last_used_at > $3";
    GREATEST_SESSION = "SELECT id FROM sessions ORDER BY id DESC LIMIT 1";
    INSERT_SESSION = "INSERT INTO sessions (hash, id, user_id, method, address, browser, \
                      last_used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    WORKPLACES = "SELECT t.no, t.id, t.country, t.name, m.role FROM memberships m \
                  JOIN tenants t ON t.no = m.tenant_no \
                  WHERE m.user_id = $1 AND m.removed_at IS NULL ORDER BY m.tenant_no";
}

pub(super) fn session(
    tx: &mut ReadTx<'_>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SignedIn>> {
    let idle = Timestamp(now.0.saturating_sub(IDLE));
    tx.global_first(SESSION, params![hash, now, idle], |row| {
        Ok(SignedIn {
            session: row.take()?,
            user: row.take()?,
            name: row.take()?,
            email: row.take()?,
            last_used_at: row.take()?,
        })
    })
}

pub(super) fn greatest_session(tx: &mut ReadTx<'_>) -> Result<Option<Uuid>> {
    tx.global_first(GREATEST_SESSION, &[], |row| Ok(row.take()?))
}

pub(super) fn insert_session(
    tx: &mut WriteTx<'_>,
    hash: &[u8; 32],
    session: &SessionRecord,
    now: Timestamp,
) -> Result<()> {
    let SessionRecord { id, user_id, method, address, browser, expires_at, .. } = session;
    tx.global_execute(
        INSERT_SESSION,
        params![hash, id, user_id, method, address, browser, now, expires_at],
    )?;
    Ok(())
}

pub(super) fn workplaces(tx: &mut ReadTx<'_>, user: Id<kinds::User>) -> Result<Vec<Workplace>> {
    tx.global_all(WORKPLACES, params![user], |row| {
        let number = zoop_db::Tenant(row.take()?);
        let id = row.take()?;
        let country = Country::parse(&row.take::<String>()?).unwrap_or(Country::US);
        let account = Account { number, id, country };
        Ok(Workplace { account, name: row.take()?, role: row.take()? })
    })
}
