//! [`Work`]: this process's view of the running job's transaction.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::error::Failure;
use crate::tx::{Earlier, Tenant};

/// The first key of the locks that keep writes in order; the second key is the tenant.
const WRITE_LOCKS: i32 = 0x7a6f_6f70;
/// The second key for writes that belong to no tenant. No tenant has this number.
const NO_TENANT: u32 = 0;
/// The second key for sweeps, which may take long and must block only other sweeps.
const SWEEPS: u32 = u32::MAX;
/// The server's time limit expires at most this long before the deadline, so that the server's timeout error
/// arrives before this process gives up.
const HEADSTART: Duration = Duration::from_millis(100);

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";
/// Ends a read and begins another with the same options, in a new snapshot.
const NEXT_READ: &str = "ROLLBACK AND CHAIN;";
const END: &str = "ROLLBACK;";
/// Connections default to read-only, so that nothing is written outside such a transaction. But the server's own
/// default still applies: an operator may set it to read-only, for example when the disk is nearly full.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\
    SET LOCAL default_transaction_read_only TO DEFAULT;\
    SELECT set_config('transaction_read_only', current_setting('default_transaction_read_only'), true);";

/// The longest time limit that the server accepts, in milliseconds: three and a half weeks.
const MAX_MILLISECONDS: u128 = i32::MAX as u128;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TxMode {
    Read,
    Write,
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was sent, so there is nothing to end.
    Idle,
    /// Sent but not answered: it can be sent again on another connection.
    Sent,
    /// One round trip completed: the job has observed this transaction's snapshot.
    Begun,
}

/// How the server plans a prepared statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planning {
    /// The server may keep one plan for all values. This is the default in every transaction.
    Auto,
    /// The server makes a new plan for the values of each run.
    Custom,
}

/// What a transaction's first round trip has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing was left open.
    Nothing,
    /// A transaction was sent; whether it has begun is unknown.
    Sent,
    /// A read that has begun.
    Read,
}

/// A job's transaction.
pub(super) struct Work {
    pub(super) mode: TxMode,
    pub(super) deadline: Instant,
    pub(super) stage: Stage,
    /// The transaction's number, after its first write. The server can be asked what became of that number.
    pub(super) number: Option<String>,
    /// The first failure: after it nothing can be committed.
    pub(super) failure: Option<Failure>,
    before: Before,
    /// Statements queued to run before the next one.
    queued: String,
    /// The current statement time limit on the server.
    limit: Duration,
    tenant: Option<Tenant>,
    is_locked: bool,
    planning: Planning,
}

impl Work {
    pub(super) fn new(mode: TxMode, deadline: Instant, before: Before) -> Self {
        Self {
            mode,
            deadline,
            stage: Stage::Idle,
            number: None,
            failure: None,
            before,
            queued: String::new(),
            limit: Duration::MAX,
            tenant: None,
            is_locked: false,
            planning: Planning::Auto,
        }
    }

    /// Whether this transaction or the one before has to be ended.
    pub(super) fn is_open(&self) -> bool {
        self.left_open() != Before::Nothing
    }

    /// What the next transaction on the same connection has to end.
    pub(super) fn left_open(&self) -> Before {
        match (self.stage, self.mode) {
            (Stage::Idle, _) => self.before,
            // A failed transaction has lost its isolation level, which one chained to it would then lack.
            (Stage::Begun, TxMode::Read) if self.failure.is_none() => Before::Read,
            _ => Before::Sent,
        }
    }

    /// Resets the state for a new connection, on which nothing is open.
    pub(super) fn on_new_connection(&mut self) {
        self.before = Before::Nothing;
    }

    /// Makes only one tenant's rows visible, and blocks a write until no other write of that tenant runs. Each
    /// statement of a write has a snapshot of its own, so what the write read before the lock may be stale.
    pub(super) fn bind(&mut self, tenant: Tenant) -> Earlier {
        if self.tenant.replace(tenant) == Some(tenant) {
            return Earlier::Holds;
        }
        let Tenant(number) = tenant;
        self.queue(&format!("SET LOCAL app.tenant = '{number}'"));
        if self.mode == TxMode::Read {
            return Earlier::Holds;
        }
        self.lock(number);
        if self.stage == Stage::Begun { Earlier::MayBeStale } else { Earlier::Holds }
    }

    /// Whether statements are queued before the next one.
    pub(super) fn has_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Blocks a write that belongs to no tenant until no other such write runs.
    pub(super) fn lock_without_tenant(&mut self) {
        if !self.is_locked {
            self.lock(NO_TENANT);
        }
    }

    /// Lets the next statement, and no other, see the rows of all tenants that sweeps may remove.
    pub(super) fn allow_sweep(&mut self) {
        if !self.is_locked {
            self.lock(SWEEPS);
        }
        self.queue("SET LOCAL app.sweep = 'on'");
    }

    /// Reverts [`Work::allow_sweep`], if another statement follows.
    pub(super) fn forbid_sweep(&mut self) {
        self.queue("SET LOCAL app.sweep = ''");
    }

    /// Sets how the next statements are planned.
    pub(super) fn plan(&mut self, planning: Planning) {
        if std::mem::replace(&mut self.planning, planning) != planning {
            self.queue(match planning {
                Planning::Auto => "SET LOCAL plan_cache_mode = auto",
                Planning::Custom => "SET LOCAL plan_cache_mode = force_custom_plan",
            });
        }
    }

    fn lock(&mut self, number: u32) {
        self.is_locked = true;
        let number = number.cast_signed();
        self.queue(&format!("SELECT pg_advisory_xact_lock({WRITE_LOCKS}, {number})"));
    }

    /// Queues a statement to run before the job's next one.
    fn queue(&mut self, statement: &str) {
        self.queued.push_str(statement);
        self.queued.push(';');
    }

    /// Drops queued statements that are unnecessary when the transaction ends.
    pub(super) fn drop_queued(&mut self) {
        self.queued.clear();
    }

    /// The prefix to send before the next statement; empty if nothing is queued.
    ///
    /// The time limit precedes anything that may wait for a lock. It is sent again only if the current one
    /// would let a statement run past the deadline.
    pub(super) fn prefix(&mut self) -> Result<String, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::Deadline);
        }
        let (end, begin) = match (self.stage, self.mode, self.before) {
            (Stage::Begun, ..) => ("", ""),
            (_, TxMode::Read, Before::Read) => ("", NEXT_READ),
            (_, TxMode::Read, Before::Nothing) => ("", BEGIN_READ),
            (_, TxMode::Read, Before::Sent) => (END, BEGIN_READ),
            (_, TxMode::Write, Before::Nothing) => ("", BEGIN_WRITE),
            (_, TxMode::Write, _) => (END, BEGIN_WRITE),
        };
        let mut text = format!("{end}{begin}");
        if self.limit > left || !begin.is_empty() {
            self.limit = left.saturating_sub((left / 10).min(HEADSTART));
            let milliseconds = self.limit.as_millis().clamp(1, MAX_MILLISECONDS);
            // Writing to a string cannot fail.
            let _ = write!(text, "SET LOCAL statement_timeout = {milliseconds};");
        }
        text.push_str(&self.queued);
        if self.stage == Stage::Idle {
            self.stage = Stage::Sent;
        }
        Ok(text)
    }

    /// Records that what was sent has been answered.
    pub(super) fn acknowledged(&mut self) {
        self.stage = Stage::Begun;
        self.before = Before::Nothing;
        self.queued.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(mode: TxMode, seconds: u64) -> Work {
        Work::new(mode, Instant::now() + Duration::from_secs(seconds), Before::Nothing)
    }

    #[test]
    fn a_write_waits_for_its_tenant_within_its_time_limit() {
        let mut work = work(TxMode::Write, 10);
        assert_eq!(work.bind(Tenant(7)), Earlier::Holds, "nothing was read before");
        assert_eq!(work.bind(Tenant(7)), Earlier::Holds);
        let text = work.prefix().expect("there is time");
        let steps: Vec<_> = text.split(';').collect();
        let [begin, .., limit, tenant, lock, ""] = steps[..] else { panic!("{text}") };
        assert_eq!(begin, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        let limit: u64 = limit
            .strip_prefix("SET LOCAL statement_timeout = ")
            .and_then(|limit| limit.parse().ok())
            .expect("a time limit");
        assert!((9_000..=9_900).contains(&limit), "{limit}");
        assert_eq!(tenant, "SET LOCAL app.tenant = '7'");
        assert_eq!(lock, format!("SELECT pg_advisory_xact_lock({WRITE_LOCKS}, 7)"));
        work.acknowledged();
        assert_eq!(work.prefix().expect("there is time"), "");
    }

    #[test]
    fn a_read_takes_no_lock_and_ends_what_was_left_open() {
        let deadline = Instant::now() + Duration::from_secs(60 * 86_400);
        let mut work = Work::new(TxMode::Read, deadline, Before::Sent);
        work.bind(Tenant(u32::MAX));
        let text = work.prefix().expect("there is time");
        assert!(text.starts_with("ROLLBACK;BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"));
        assert!(text.contains(&format!("statement_timeout = {};", i32::MAX)), "{text}");
        assert!(!text.contains("lock"), "{text}");
        // A prefix that was not answered is sent again unchanged.
        assert_eq!(work.prefix().expect("there is time"), text);
    }

    #[test]
    fn a_read_is_chained_only_to_a_read_that_has_begun() {
        let mut first = work(TxMode::Read, 10);
        assert_eq!(first.left_open(), Before::Nothing);
        first.prefix().expect("there is time");
        assert_eq!(first.left_open(), Before::Sent);
        first.acknowledged();
        assert_eq!(first.left_open(), Before::Read);

        first.failure = Some(Failure::Deadline);
        assert_eq!(first.left_open(), Before::Sent, "no read is chained to a failed one");

        let mut second = Work::new(TxMode::Read, first.deadline, Before::Read);
        assert_eq!(second.left_open(), Before::Read, "the first read stays open until then");
        assert!(second.prefix().expect("there is time").starts_with("ROLLBACK AND CHAIN;SET"));
        second.on_new_connection();
        assert!(second.prefix().expect("there is time").starts_with("BEGIN ISOLATION"));
        let write = Work::new(TxMode::Write, first.deadline, Before::Read).prefix();
        assert!(write.expect("there is time").starts_with("ROLLBACK;BEGIN ISOLATION"));
    }

    #[test]
    fn what_a_write_read_before_the_lock_may_be_stale_and_a_reads_snapshot_is_not() {
        for (mode, earlier) in
            [(TxMode::Write, Earlier::MayBeStale), (TxMode::Read, Earlier::Holds)]
        {
            let mut work = work(mode, 10);
            work.prefix().expect("there is time");
            work.acknowledged();
            assert_eq!(work.bind(Tenant(7)), earlier, "{mode:?}");
            assert_eq!(work.bind(Tenant(7)), Earlier::Holds, "{mode:?} has the lock already");
        }
    }

    #[test]
    fn only_searches_are_planned_each_time() {
        let mut work = work(TxMode::Read, 10);
        work.plan(Planning::Custom);
        let text = work.prefix().expect("there is time");
        assert!(text.ends_with(";SET LOCAL plan_cache_mode = force_custom_plan;"), "{text}");
        work.acknowledged();
        work.plan(Planning::Custom);
        assert_eq!(work.prefix().expect("there is time"), "");
        work.plan(Planning::Auto);
        let text = work.prefix().expect("there is time");
        assert_eq!(text, "SET LOCAL plan_cache_mode = auto;");
    }

    #[test]
    fn nothing_is_sent_after_the_deadline() {
        assert!(matches!(work(TxMode::Read, 0).prefix(), Err(Failure::Deadline)));
    }
}
