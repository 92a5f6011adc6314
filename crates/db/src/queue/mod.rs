//! [`Queue`]: the jobs that wait for an engine's threads, in an order in which no caller delays the others.
//!
//! Parties take turns, and so do the members of a party ([`turns`]). The jobs of one party that wait or run at once
//! are limited, so that other parties find room and a free thread. The queue knows the [`Lane`] of a job, but not
//! what the job does.

#[cfg(test)]
mod tests;
mod turns;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::lane::{Lane, Party};
use turns::Turns;

/// One party may fill one of this many equal parts of a queue.
const PARTS: usize = 4;

/// How many jobs may wait and run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Maximum number of waiting jobs of callers. As many jobs of the program itself may wait in addition.
    pub(crate) length: usize,
    /// The threads that serve the queue.
    pub(crate) threads: usize,
    /// Maximum number of running jobs of one tenant.
    pub(crate) of_tenant: usize,
    /// Maximum number of running jobs of all strangers together. The same maximum applies to the program itself.
    pub(crate) of_others: usize,
}

impl Bounds {
    /// Bounds in which only [`may_start`] limits the running jobs of a party.
    pub(crate) fn of_threads(length: usize, threads: usize) -> Self {
        Self { length, threads, of_tenant: threads, of_others: threads }
    }
}

/// The waiting jobs `J`.
pub(crate) struct Queue<J> {
    bounds: Bounds,
    state: Mutex<State<J>>,
    /// Notified when a job may be ready to start, and when the queue is closed.
    ready: Condvar,
}

struct State<J> {
    parties: Turns<Party, Turns<u64, VecDeque<J>>>,
    waiting: usize,
    running: usize,
    /// Threads that serve the queue.
    threads: usize,
    /// Threads that wait for a job.
    idle_threads: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let state = State {
            parties: Turns::default(),
            waiting: 0,
            running: 0,
            threads: 0,
            idle_threads: 0,
            is_closed: false,
        };
        Arc::new(Self { bounds, state: Mutex::new(state), ready: Condvar::new() })
    }

    /// Adds a job. An error returns the job too: [`Error::Busy`] if too many jobs wait, [`Error::Closed`] if the
    /// queue is closed.
    pub(crate) fn push(&self, lane: Lane, job: J) -> Result<(), (J, Error)> {
        let mut state = self.lock();
        let (party, member) = lane.place();
        if state.is_closed {
            return Err((job, Error::Closed));
        }
        if state.is_full_for(lane, self.bounds.length) {
            return Err((job, Error::Busy));
        }
        state.waiting += 1;
        state.parties.arrive(party, |members| members.arrive(member, |jobs| jobs.push_back(job)));
        // A thread that is woken for a job that may not start yet costs as much as a small read.
        let wakes_thread = state.idle_threads > 0 && self.next(&state).is_some();
        drop(state);
        if wakes_thread {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// The number of waiting jobs.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting
    }

    /// Registers a thread that serves the queue. Dropping the last worker closes the queue.
    pub(crate) fn worker(self: &Arc<Self>) -> Worker<J> {
        self.lock().threads += 1;
        Worker(self.clone())
    }

    /// Accepts no further jobs. The waiting jobs still run.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first party and member in turn that may start a job now.
    fn next(&self, state: &State<J>) -> Option<(Party, u64)> {
        let free = self.bounds.threads.saturating_sub(state.running);
        state.parties.in_turn().find_map(|(party, share)| {
            let max_running = match party {
                Party::Tenant(_) => self.bounds.of_tenant,
                Party::Anonymous | Party::Internal => self.bounds.of_others,
            };
            if share.running >= max_running || !may_start(share.running, free) {
                return None;
            }
            // A member that already has a running job leaves its party's last thread to the other members.
            let is_only_member = share.data.active() == 1;
            let leaves_one = share.running + 1 < max_running
                && may_start(share.running + 1, free.saturating_sub(1));
            let mut members = share.data.in_turn();
            let (member, _) =
                members.find(|(_, it)| it.running == 0 || is_only_member || leaves_one)?;
            Some((party, member))
        })
    }

    fn take(self: &Arc<Self>, state: &mut State<J>) -> Option<(J, Turn<J>)> {
        let (party, member) = self.next(state)?;
        let job =
            state.parties.start(party, |members| members.start(member, VecDeque::pop_front))?;
        state.waiting -= 1;
        state.running += 1;
        // Several jobs may have become ready, because the end of a job notifies no thread.
        if state.idle_threads > 0 && self.next(state).is_some() {
            self.ready.notify_one();
        }
        Some((job, Turn { queue: self.clone(), party, member, uncharged: Duration::ZERO }))
    }
}

/// Whether a party with `running` jobs may start another one while `free` threads are free. A party with
/// running jobs leaves threads to other parties: it starts another job only if more threads are free than it uses.
fn may_start(running: usize, free: usize) -> bool {
    running == 0 || running < free
}

impl<J> State<J> {
    /// Whether no job may be added to a lane now. Jobs of callers and of the program do not count against each
    /// other. A network may fill half of the part that all strangers share.
    fn is_full_for(&self, lane: Lane, length: usize) -> bool {
        let waiting = |party| self.parties.get(party).map_or(0, |share| share.waiting);
        let (part, internal) = (length.div_ceil(PARTS), waiting(Party::Internal));
        let is_full = self.waiting - internal >= length;
        match lane {
            Lane::Internal => internal >= length,
            Lane::Tenant { tenant, .. } => is_full || waiting(Party::Tenant(tenant)) >= part,
            Lane::Anonymous { member } => {
                let strangers = self.parties.get(Party::Anonymous);
                let network = strangers.and_then(|share| share.data.get(member));
                let network = network.map_or(0, |share| share.waiting);
                is_full || waiting(Party::Anonymous) >= part || network >= part.div_ceil(2)
            }
        }
    }
}

/// A thread that serves a queue.
pub(crate) struct Worker<J>(Arc<Queue<J>>);

impl<J> Worker<J> {
    /// Waits for the next job. Returns `None` when the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<(J, Turn<J>)> {
        let Self(queue) = self;
        let mut state = queue.lock();
        loop {
            if let Some(taken) = queue.take(&mut state) {
                return Some(taken);
            }
            if state.is_closed && state.waiting == 0 {
                // Other threads may still wait, because the last jobs could not start yet when they looked.
                queue.ready.notify_all();
                return None;
            }
            state.idle_threads += 1;
            state = queue.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle_threads -= 1;
        }
    }

    /// The next job, if one can start now.
    pub(crate) fn try_next(&self) -> Option<(J, Turn<J>)> {
        let Self(queue) = self;
        queue.take(&mut queue.lock())
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        let Self(queue) = self;
        let mut state = queue.lock();
        state.threads -= 1;
        if state.threads == 0 {
            // Dropping a job sends an error to its caller.
            let jobs = std::mem::take(&mut state.parties);
            (state.is_closed, state.waiting) = (true, 0);
            drop(state);
            drop(jobs);
        }
    }
}

/// The turn of a running job. Dropping it ends the turn, so that other jobs may start.
pub(crate) struct Turn<J> {
    queue: Arc<Queue<J>>,
    party: Party,
    member: u64,
    /// The time that is charged when the turn ends.
    uncharged: Duration,
}

impl<J> Turn<J> {
    /// Charges the job's party and member for the time that the job used a thread.
    pub(crate) fn charge(&self, time: Duration) {
        self.charge_in(&mut self.queue.lock(), time);
    }

    /// Charges the time like [`Turn::charge`], and ends the turn.
    pub(crate) fn end(mut self, time: Duration) {
        self.uncharged = time;
    }

    fn charge_in(&self, state: &mut State<J>, time: Duration) {
        let cost = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        state.parties.charge(self.party, cost, |members| {
            members.charge(self.member, cost, |_| {});
        });
    }
}

impl<J> Drop for Turn<J> {
    fn drop(&mut self) {
        let queue = self.queue.clone();
        let mut state = queue.lock();
        if !self.uncharged.is_zero() {
            self.charge_in(&mut state, self.uncharged);
        }
        state.running = state.running.saturating_sub(1);
        state.parties.end(self.party, |members| members.end(self.member, |_| {}));
    }
}
