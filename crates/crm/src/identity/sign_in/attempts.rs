//! Rate limits by user, e-mail address or IP address, counted in the database so that they hold across
//! processes.
//!
//! Attempts are counted per second and summed over a rolling window. Rejected attempts are not counted, so a
//! window expires regardless of later attempts.

use std::net::{IpAddr, Ipv6Addr};

use sha2::{Digest, Sha256};
use zoop_db::{ReadTx, Timestamp, WriteTx, params};

use crate::call::error::{Error, Result};
use crate::call::sweep::{Sweep, few};
use crate::values::email;

const SECOND: i64 = 1_000_000;

crate::call::table::table! {
    pub(crate) const ATTEMPTS = attempts {
        shared: "are counted before the user is known",
        key: { action: Text, subject: Text, window_start: Time },
        columns: { count: Integer },
        exported: Internal,
        erased: [OnExpiry],
    }
}

zoop_db::global_statements! {
    RECORD = "INSERT INTO attempts (action, subject, window_start, count) VALUES ($1, $2, $3, 1) \
             ON CONFLICT (action, subject, window_start) DO UPDATE SET count = attempts.count + 1";
    IN_WINDOW = "SELECT window_start, count FROM attempts \
             WHERE action = $1 AND subject = $2 AND window_start > $3 AND window_start <= $4 \
             ORDER BY window_start";
    UNDO = "UPDATE attempts SET count = count - 1 \
                 WHERE action = $1 AND subject = $2 AND window_start = $3 AND count > 0";
    SWEEP_EXCEPT_MAILS = (concat!("DELETE FROM attempts", few!("attempts", "action, subject, window_start",
              "window_start < $1 AND action <> 'invitation_mail' AND action <> 'invitation_mail_to'",
              "window_start")));
    SWEEP_ALL = (concat!("DELETE FROM attempts", few!("attempts", "action, subject, window_start",
                 "window_start < $1", "window_start")));
    /// Deletes attempts that a clock running ahead has counted.
    SWEEP_FUTURE = (concat!("DELETE FROM attempts", few!("attempts", "action, subject, window_start",
                    "window_start > $1", "window_start")));
    RESET = "DELETE FROM attempts WHERE action = $1 AND subject = $2";
}

/// How long attempts are kept, in microseconds, except for invitation mails. The longest window of these attempts is
/// an hour. Anyone can create these rows without signing in, so they are removed soon.
const RETENTION: i64 = 2 * 60 * 60 * SECOND;
/// How long counts of invitation mails are kept, in microseconds. Their window is a day.
const MAIL_RETENTION: i64 = 25 * 60 * 60 * SECOND;

/// A limit on attempts.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The name of the limited action, in the database.
    pub action: &'static str,
    /// Maximum number of attempts in the window.
    pub times: i64,
    /// Length of the window, in seconds.
    pub seconds: i64,
}

/// A recorded attempt, so that its count can be undone if the attempt succeeds.
#[derive(Debug, Clone)]
pub struct RecordedAttempt {
    action: &'static str,
    subject: String,
    at: Timestamp,
}

/// Records one more attempt.
///
/// # Errors
/// [`Error::Conflict`] with the seconds to wait if the limit is reached. The attempt is then not counted, even if the
/// transaction is committed.
pub fn record(
    tx: &mut WriteTx<'_>,
    limit: Limit,
    subject: &str,
    now: Timestamp,
) -> Result<RecordedAttempt> {
    let at = Timestamp(now.0 - now.0.rem_euclid(SECOND));
    // Count before reading, so that the second of two concurrent attempts sees the first.
    tx.global_execute(RECORD, params![limit.action, subject, at])?;
    let attempts = attempts_in_window(tx, limit, subject, now)?;
    let total: i64 = attempts.iter().map(|(_, count)| count).sum();
    let recorded = RecordedAttempt { action: limit.action, subject: subject.to_owned(), at };
    if total > limit.times {
        undo(tx, &recorded)?;
        let oldest = attempts.first().map_or(at.0, |(start, _)| start.0);
        let left = (oldest + limit.seconds * SECOND - now.0).max(0);
        let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1_000_000).max(1);
        return Err(Error::Conflict {
            message: "There were too many attempts: try again later.".to_owned(),
            retry_after_s: Some(seconds),
        });
    }
    Ok(recorded)
}

/// Records one more attempt, unless the limit is reached. Returns whether the attempt is within the limit.
///
/// # Errors
/// If the database fails.
pub fn admit(tx: &mut WriteTx<'_>, limit: Limit, subject: &str, now: Timestamp) -> Result<bool> {
    let total: i64 =
        attempts_in_window(tx, limit, subject, now)?.iter().map(|(_, count)| count).sum();
    if total >= limit.times {
        return Ok(false);
    }
    match record(tx, limit, subject, now) {
        Ok(_) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes all recorded attempts of a subject.
pub(super) fn reset(tx: &mut WriteTx<'_>, limit: Limit, subject: &str) -> Result<()> {
    tx.global_execute(RESET, params![limit.action, subject])?;
    Ok(())
}

/// Removes the count of an attempt that succeeded.
///
/// # Errors
/// If the database fails.
pub fn undo(tx: &mut WriteTx<'_>, counted: &RecordedAttempt) -> Result<()> {
    tx.global_execute(UNDO, params![counted.action, counted.subject, counted.at])?;
    Ok(())
}

/// The sweeps of attempts that are older than any window.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "attempts",
        step: |tx, now| {
            Ok(tx.global_execute(SWEEP_EXCEPT_MAILS, params![Timestamp(now.0 - RETENTION)])?)
        },
    },
    Sweep {
        rows: "counts of invitation mails",
        step: |tx, now| {
            Ok(tx.global_execute(SWEEP_ALL, params![Timestamp(now.0 - MAIL_RETENTION)])?)
        },
    },
    Sweep {
        rows: "attempts from the future",
        step: |tx, now| Ok(tx.global_execute(SWEEP_FUTURE, params![Timestamp(now.0 + RETENTION)])?),
    },
];

fn attempts_in_window(
    tx: &mut ReadTx<'_>,
    limit: Limit,
    subject: &str,
    now: Timestamp,
) -> Result<Vec<(Timestamp, i64)>> {
    let since = Timestamp(now.0 - limit.seconds * SECOND);
    // Attempts in the future were counted by a clock running ahead, so they do not count now.
    tx.global_all(IN_WINDOW, params![limit.action, subject, since, now], |row| {
        Ok((row.take()?, row.take()?))
    })
}

/// The subject under which attempts for an e-mail address are counted: a hash, since the typed text may be a
/// secret (a password in the wrong field) rather than an address.
pub(crate) fn email_subject(address: &str) -> String {
    let digest = Sha256::digest(email::key(address).as_bytes());
    data_encoding::HEXLOWER.encode(&digest)
}

/// The address under which attempts from an IP address are counted: for IPv6 the /64 prefix, since one client
/// usually has a whole /64.
pub fn client_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
