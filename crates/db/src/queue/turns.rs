//! [`Turns`]: who is next, by what each has cost so far (start-time fair queueing).
//!
//! Each sharer has an account of what its jobs have cost. The next turn is that of the sharer with the
//! lowest account. The account of the sharer whose turn it is, is the time of this clock: a sharer that comes
//! back or is new starts there, so that nobody saves up turns, and nobody pays for a time when no one else
//! waited. One that has cost more than its share stays in debt until the clock has caught up.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// What every turn costs at least, in nanoseconds: about what it costs to serve a job that does nothing.
const LEAST: u64 = 20_000;
/// The most sharers whose debts are remembered while they are idle; the smallest debts are forgotten first.
const MAX_DEBTORS: usize = 4_096;

/// Sharers `K`, each with something of its own `P`.
pub(super) struct Turns<K, P> {
    /// The highest account whose turn it has been, in nanoseconds.
    clock: u64,
    shares: HashMap<K, Share<P>>,
    /// The sharers that wait, by their accounts.
    waiting: BTreeSet<(u64, K)>,
    /// The idle sharers in debt, by their accounts.
    debtors: BTreeSet<(u64, K)>,
}

/// One sharer.
#[derive(Default)]
pub(super) struct Share<P> {
    /// What it has cost so far, in nanoseconds of the clock.
    account: u64,
    /// Its jobs that wait.
    pub(super) waiting: usize,
    /// Its jobs that run.
    pub(super) running: usize,
    pub(super) own: P,
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
    /// A job of `key` waits from now on.
    pub(super) fn arrive<T>(&mut self, key: K, change: impl FnOnce(&mut P) -> T) -> T {
        let clock = self.clock;
        self.change(key, |share| {
            if share.waiting == 0 {
                share.account = share.account.max(clock);
            }
            share.waiting += 1;
            change(&mut share.own)
        })
    }

    /// It is the turn of `key`: one of its jobs waits no longer, and runs.
    pub(super) fn start<T>(&mut self, key: K, change: impl FnOnce(&mut P) -> T) -> T {
        let account = self.shares.get(&key).map_or(0, |share| share.account);
        self.clock = self.clock.max(account);
        let started = self.change(key, |share| {
            share.account += LEAST;
            share.waiting -= 1;
            share.running += 1;
            change(&mut share.own)
        });
        self.release_debtors();
        started
    }

    /// A job of `key` has cost so many nanoseconds more.
    pub(super) fn charge(&mut self, key: K, cost: u64, change: impl FnOnce(&mut P)) {
        self.change(key, |share| {
            share.account = share.account.saturating_add(cost);
            change(&mut share.own);
        });
    }

    /// A job of `key` runs no longer.
    pub(super) fn end(&mut self, key: K, change: impl FnOnce(&mut P)) {
        self.change(key, |share| {
            share.running = share.running.saturating_sub(1);
            change(&mut share.own);
        });
    }

    /// The sharers that wait, in the order of their turns.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (K, &Share<P>)> {
        self.waiting.iter().filter_map(|(_, key)| Some((*key, self.shares.get(key)?)))
    }

    /// One sharer, if it is known.
    pub(super) fn get(&self, key: K) -> Option<&Share<P>> {
        self.shares.get(&key)
    }

    /// Sharers with jobs that wait or run.
    pub(super) fn active(&self) -> usize {
        self.shares.len() - self.debtors.len()
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.shares.len()
    }

    /// Changes a sharer, and keeps the order.
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
            self.release_debtors();
        }
        changed
    }

    /// Forgets idle sharers whose debts are paid, too many, or owed to nobody.
    fn release_debtors(&mut self) {
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
