//! [`Queue`]: the jobs that wait for an engine's threads, served so that no caller holds up the others.
//!
//! Groups of callers take turns, and so do the members of a group ([`turns`]). How many jobs of one group
//! wait and run at once is bounded, so a thread is free for another group at any time. Only a
//! [`Lane`] matters here, not what a job does.

#[cfg(test)]
mod tests;
mod turns;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::lane::{Group, Lane};
use turns::Turns;

/// The part of a queue's length that one group may fill is one of so many.
const GROUPS: usize = 4;

/// How many jobs may wait and run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Jobs of callers that may wait, and as many of the program itself.
    pub(crate) length: usize,
    /// The threads that serve the queue.
    pub(crate) threads: usize,
    /// Jobs of one tenant that may run at once.
    pub(crate) of_tenant: usize,
    /// Jobs that may run at once of all strangers, and as many of the program itself.
    pub(crate) of_others: usize,
}

impl Bounds {
    /// As many jobs of each may run as leave threads to the others.
    pub(crate) fn of_threads(length: usize, threads: usize) -> Self {
        Self { length, threads, of_tenant: threads, of_others: threads }
    }
}

/// Jobs `J` that wait in turn.
pub(crate) struct Queue<J> {
    bounds: Bounds,
    state: Mutex<State<J>>,
    /// There is a job for a thread, or the queue is closed.
    ready: Condvar,
}

struct State<J> {
    groups: Turns<Group, Turns<u64, VecDeque<J>>>,
    waiting: usize,
    running: usize,
    /// Threads that serve the queue.
    threads: usize,
    /// Threads that wait for a job.
    asleep: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let state = State {
            groups: Turns::default(),
            waiting: 0,
            running: 0,
            threads: 0,
            asleep: 0,
            is_closed: false,
        };
        Arc::new(Self { bounds, state: Mutex::new(state), ready: Condvar::new() })
    }

    /// Adds a job. The error comes with the job: [`Error::Busy`] if too many wait, [`Error::Closed`] if no
    /// thread will take it.
    pub(crate) fn push(&self, lane: Lane, job: J) -> Result<(), (J, Error)> {
        let mut state = self.lock();
        let (group, member) = lane.place();
        if state.is_closed {
            return Err((job, Error::Closed));
        }
        if state.is_full_for(group, self.bounds.length) {
            return Err((job, Error::Busy));
        }
        state.waiting += 1;
        state.groups.arrive(group, |members| members.arrive(member, |jobs| jobs.push_back(job)));
        let is_any_asleep = state.asleep > 0;
        drop(state);
        if is_any_asleep {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Jobs that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting
    }

    /// A thread that serves the queue. When the last one is gone, the queue is closed.
    pub(crate) fn worker(self: &Arc<Self>) -> Worker<J> {
        self.lock().threads += 1;
        Worker(self.clone())
    }

    /// No further job is accepted; those that wait are served.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn it is, if anyone's who may start a job now.
    fn next(&self, state: &State<J>) -> Option<(Group, u64)> {
        let free = self.bounds.threads.saturating_sub(state.running);
        state.groups.in_turn().find_map(|(group, share)| {
            let most = match group {
                Group::Tenant(_) => self.bounds.of_tenant,
                Group::Anonymous | Group::Internal => self.bounds.of_others,
            };
            if share.running >= most || !may_start(share.running, free) {
                return None;
            }
            let is_alone = share.own.active() == 1;
            // One that has several running leaves its group's last thread to the others.
            let leaves_one =
                share.running + 1 < most && may_start(share.running + 1, free.saturating_sub(1));
            let mut members = share.own.in_turn();
            let (member, _) = members.find(|(_, it)| it.running == 0 || is_alone || leaves_one)?;
            Some((group, member))
        })
    }

    fn take(self: &Arc<Self>, state: &mut State<J>) -> Option<(J, Turn<J>)> {
        let (group, member) = self.next(state)?;
        let job =
            state.groups.start(group, |members| members.start(member, VecDeque::pop_front))?;
        state.waiting -= 1;
        state.running += 1;
        // Others may have become ready with it.
        if state.asleep > 0 && self.next(state).is_some() {
            self.ready.notify_one();
        }
        Some((job, Turn { queue: self.clone(), group, member }))
    }
}

/// Whether a sharer with so many running jobs may start another one while so many threads are free: it always
/// leaves as many as it uses, so that however many sharers there are, each finds one.
fn may_start(running: usize, free: usize) -> bool {
    running == 0 || running < free
}

impl<J> State<J> {
    /// Callers do not fill the queue of the program's own jobs, nor those the callers'.
    fn is_full_for(&self, group: Group, length: usize) -> bool {
        let of = |group| self.groups.get(group).map_or(0, |share| share.waiting);
        let internal = of(Group::Internal);
        match group {
            Group::Internal => internal >= length,
            group => self.waiting - internal >= length || of(group) >= length.div_ceil(GROUPS),
        }
    }
}

/// A thread's end of a queue.
pub(crate) struct Worker<J>(Arc<Queue<J>>);

impl<J> Worker<J> {
    /// The next job, once there is one; none if the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<(J, Turn<J>)> {
        let Self(queue) = self;
        let mut state = queue.lock();
        loop {
            if let Some(taken) = queue.take(&mut state) {
                return Some(taken);
            }
            if state.is_closed && state.waiting == 0 {
                // Those that waited for a job that could not start yet.
                queue.ready.notify_all();
                return None;
            }
            state.asleep += 1;
            state = queue.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
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
            // Their callers are told by the end of the jobs.
            let jobs = std::mem::take(&mut state.groups);
            (state.is_closed, state.waiting) = (true, 0);
            drop(state);
            drop(jobs);
        }
    }
}

/// The turn of a job that was taken; its end lets others start.
pub(crate) struct Turn<J> {
    queue: Arc<Queue<J>>,
    group: Group,
    member: u64,
}

impl<J> Turn<J> {
    /// The job has used a thread for so long.
    pub(crate) fn charge(&self, time: Duration) {
        let cost = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut state = self.queue.lock();
        state.groups.charge(self.group, cost, |members| {
            members.charge(self.member, cost, |_| {});
        });
    }
}

impl<J> Drop for Turn<J> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.running = state.running.saturating_sub(1);
        state.groups.end(self.group, |members| members.end(self.member, |_| {}));
    }
}
