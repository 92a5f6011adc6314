//! How often something was tried lately, by whom or from where: counted in the database, so that it
//! holds across processes.
//!
//! Attempts are counted by the second and summed over a rolling window. Refused attempts are not counted, so
//! a window expires regardless of later attempts.

use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest, Sha256};
use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::values::email;

const SECOND: i64 = 1_000_000;

crate::call::table::table! {
    /// What was tried, in windows of fixed length.
    pub(crate) const ATTEMPTS = attempts {
        above_tenants: "are counted before the user is known",
        key: { action: Text, subject: Text, window_start: Time },
        columns: { count: Integer },
        exported: Internal,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    COUNT = "INSERT INTO attempts (action, subject, window_start, count) VALUES ($1, $2, $3, 1) \
             ON CONFLICT (action, subject, window_start) DO UPDATE SET count = attempts.count + 1";
    TRIED = "SELECT window_start, count FROM attempts \
             WHERE action = $1 AND subject = $2 AND window_start > $3 AND window_start <= $4 \
             ORDER BY window_start";
    TAKE_BACK = "UPDATE attempts SET count = count - 1 \
                 WHERE action = $1 AND subject = $2 AND window_start = $3 AND count > 0";
    FORGET = "DELETE FROM attempts WHERE window_start < $1 \
              AND action <> 'invitation_mail' AND action <> 'invitation_mail_to'";
    FORGET_DAYS = "DELETE FROM attempts WHERE window_start < $1";
    /// What a clock that was ahead has counted.
    FORGET_AHEAD = "DELETE FROM attempts WHERE window_start > $1";
    FORGET_SUBJECT = "DELETE FROM attempts WHERE action = $1 AND subject = $2";
}

/// Kept until no window can reach it, in microseconds: the widest is an hour's. Anybody makes rows here,
/// so they go soon.
const RETENTION: i64 = 2 * 60 * 60 * SECOND;
/// The same of what is limited by the day, which only owners can count.
const RETENTION_DAYS: i64 = 25 * 60 * 60 * SECOND;

/// How often something may be tried.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The word for it in the database.
    pub action: &'static str,
    /// How many times.
    pub times: i64,
    /// In how many seconds.
    pub seconds: i64,
}

/// Something that was counted, and can be taken back where it was no failure.
#[derive(Debug, Clone)]
pub struct Counted {
    action: &'static str,
    subject: String,
    at: Timestamp,
}

/// Counts one more attempt.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait where it is one too many; it is then not counted.
pub fn count(tx: &mut WriteTx<'_>, limit: Limit, subject: &str, now: Timestamp) -> Result<Counted> {
    let at = Timestamp(now.0 - now.0.rem_euclid(SECOND));
    // Counted first and then looked at: of two who try at once the second sees the first.
    tx.global_execute(COUNT, params![limit.action, subject, at])?;
    let tried = tried(tx, limit, subject, now)?;
    let total: i64 = tried.iter().map(|(_, count)| count).sum();
    if total > limit.times {
        let oldest = tried.first().map_or(at.0, |(start, _)| start.0);
        let left = (oldest + limit.seconds * SECOND - now.0).max(0);
        let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1_000_000).max(1);
        return Err(Error::Conflict {
            message: "There were too many attempts: try again later.".to_owned(),
            retry_after_s: Some(seconds),
        });
    }
    Ok(Counted { action: limit.action, subject: subject.to_owned(), at })
}

/// Counts one more attempt where that is within the limit; whether it was.
///
/// # Errors
/// The database's.
pub fn admit(tx: &mut WriteTx<'_>, limit: Limit, subject: &str, now: Timestamp) -> Result<bool> {
    let total: i64 = tried(tx, limit, subject, now)?.iter().map(|(_, count)| count).sum();
    if total >= limit.times {
        return Ok(false);
    }
    match count(tx, limit, subject, now) {
        Ok(_) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Forgets all that was counted of a subject.
pub(super) fn forget(tx: &mut WriteTx<'_>, limit: Limit, subject: &str) -> Result<()> {
    tx.global_execute(FORGET_SUBJECT, params![limit.action, subject])?;
    Ok(())
}

/// Takes back what turned out to be no failure.
///
/// # Errors
/// The database's.
pub fn undo(tx: &mut WriteTx<'_>, counted: &Counted) -> Result<()> {
    tx.global_execute(TAKE_BACK, params![counted.action, counted.subject, counted.at])?;
    Ok(())
}

/// Forgets what no window reaches any more; how many rows that were.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize> {
    Ok(tx.global_execute(FORGET, params![Timestamp(now.0 - RETENTION)])?
        + tx.global_execute(FORGET_DAYS, params![Timestamp(now.0 - RETENTION_DAYS)])?
        + tx.global_execute(FORGET_AHEAD, params![Timestamp(now.0 + RETENTION)])?)
}

fn tried(
    tx: &mut ReadTx<'_>,
    limit: Limit,
    subject: &str,
    now: Timestamp,
) -> Result<Vec<(Timestamp, i64)>> {
    let since = Timestamp(now.0 - limit.seconds * SECOND);
    // What lies in the future was counted by a clock that was ahead, and says nothing about now.
    tx.global_all(TRIED, params![limit.action, subject, since, now], |row| {
        Ok((row.take()?, row.take()?))
    })
}

/// What an account is counted as: not by its address, which may be nobody's and somebody's secret.
pub(crate) fn account(address: &str) -> String {
    let digest = Sha256::digest(email::key(address).as_bytes());
    data_encoding::HEXLOWER.encode(&digest)
}

/// What an address is counted as: whoever has an IPv6 address has a whole /64 of them.
pub fn client_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
