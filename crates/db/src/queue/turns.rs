//! [`Turns`]: whose turn is next, by the cost of each sharer's jobs so far (start-time fair queueing).
//!
//! Each sharer has an account, to which the cost of its jobs is added. The waiting sharer with the lowest account is
//! next. The clock is the highest account that has had a turn. The account of a new or returning sharer is raised to
//! the clock, so that nobody saves up turns while idle. An idle sharer whose account is above the clock is in debt.
//! Its debt is remembered until the clock has caught up, or until no sharer has jobs.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// The cost of a turn apart from its job's time, in nanoseconds: about that of a job that does nothing.
const TURN_COST: u64 = 20_000;
/// Maximum number of idle sharers whose debts are remembered. The smallest debts are forgotten first.
const MAX_DEBTORS: usize = 4_096;

/// The sharers `K`, each with its data `P`.
pub(super) struct Turns<K, P> {
    /// The highest account that has had a turn, in nanoseconds.
    clock: u64,
    shares: HashMap<K, Share<P>>,
    /// The sharers with waiting jobs, by account.
    waiting: BTreeSet<(u64, K)>,
    /// The idle sharers in debt, by account.
    debtors: BTreeSet<(u64, K)>,
}

/// One sharer.
#[derive(Default)]
pub(super) struct Share<P> {
    /// In nanoseconds, like the clock.
    account: u64,
    /// The number of waiting jobs.
    pub(super) waiting: usize,
    /// The number of running jobs.
    pub(super) running: usize,
    pub(super) data: P,
}

impl<K, P> Default for Turns<K, P> {
    fn default() -> Self {
        Self {
            clock: 0,
            shares: HashMap::new(),
            waiting: BTreeSet::new(),
            debtors: BTreeSet::new(),
        }
    }
}

impl<K: Copy + Ord + Hash, P: Default> Turns<K, P> {
    /// Adds a waiting job to `key`, and changes the sharer's data.
    pub(super) fn arrive<T>(&mut self, key: K, change: impl FnOnce(&mut P) -> T) -> T {
        let clock = self.clock;
        self.change(key, |share| {
            if share.waiting == 0 {
                share.account = share.account.max(clock);
            }
            share.waiting += 1;
            change(&mut share.data)
        })
    }

    /// Starts a waiting job of `key`, and changes the sharer's data.
    pub(super) fn start<T>(&mut self, key: K, change: impl FnOnce(&mut P) -> T) -> T {
        let account = self.shares.get(&key).map_or(0, |share| share.account);
        self.clock = self.clock.max(account);
        let started = self.change(key, |share| {
            share.account += TURN_COST;
            share.waiting -= 1;
            share.running += 1;
            change(&mut share.data)
        });
        self.forget_debtors();
        started
    }

    /// Adds a job's cost in nanoseconds to the account of `key`, and changes the sharer's data.
    pub(super) fn charge(&mut self, key: K, cost: u64, change: impl FnOnce(&mut P)) {
        self.change(key, |share| {
            share.account = share.account.saturating_add(cost);
            change(&mut share.data);
        });
    }

    /// Ends a running job of `key`, and changes the sharer's data.
    pub(super) fn end(&mut self, key: K, change: impl FnOnce(&mut P)) {
        self.change(key, |share| {
            share.running = share.running.saturating_sub(1);
            change(&mut share.data);
        });
    }

    /// The sharers with waiting jobs, in the order of their turns.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (K, &Share<P>)> {
        self.waiting.iter().filter_map(|(_, key)| Some((*key, self.shares.get(key)?)))
    }

    /// The sharer `key`, if it has jobs or a debt.
    pub(super) fn get(&self, key: K) -> Option<&Share<P>> {
        self.shares.get(&key)
    }

    /// The number of sharers with waiting or running jobs.
    pub(super) fn active(&self) -> usize {
        self.shares.len() - self.debtors.len()
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.shares.len()
    }

    /// Changes a sharer, and updates its position in `waiting` or `debtors`.
    fn change<T>(&mut self, key: K, change: impl FnOnce(&mut Share<P>) -> T) -> T {
        let share = self.shares.entry(key).or_default();
        let before = (share.account, key);
        if share.waiting > 0 {
            self.waiting.remove(&before);
        } else if share.running == 0 {
            self.debtors.remove(&before);
        }
        let changed = change(share);
        let after = (share.account, key);
        if share.waiting > 0 {
            self.waiting.insert(after);
        } else if share.running == 0 {
            self.debtors.insert(after);
            self.forget_debtors();
        }
        changed
    }

    /// Forgets idle sharers that the clock has reached, and the smallest debts if there are too many. If no sharer
    /// has jobs, forgets all debts.
    fn forget_debtors(&mut self) {
        if self.active() == 0 {
            self.shares.clear();
            self.debtors.clear();
        }
        while let Some(&(account, key)) = self.debtors.first()
            && (account <= self.clock || self.debtors.len() > MAX_DEBTORS)
        {
            self.debtors.pop_first();
            self.shares.remove(&key);
        }
    }
}
