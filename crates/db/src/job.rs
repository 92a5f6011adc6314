//! Jobs as the engines see them: a thread runs a job, and answers its caller whatever the outcome.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::health::WriteHealth;
use crate::queue::{Queue, Turn, Worker};
use crate::tx::{ReadTx, WriteTx};

/// The queue of waiting reads.
pub(crate) type ReadQueue = Queue<Box<dyn ReadJob>>;
/// The queue of waiting writes.
pub(crate) type WriteQueue = Queue<Box<dyn WriteJob>>;
/// A reader thread's handle to the queue of reads.
pub(crate) type ReadWorker = Worker<Box<dyn ReadJob>>;
/// A writer thread's handle to the queue of writes.
pub(crate) type WriteWorker = Worker<Box<dyn WriteJob>>;
/// The turn of a write.
pub(crate) type WriteTurn = Turn<Box<dyn WriteJob>>;

/// A queued read.
pub(crate) trait ReadJob: Send {
    /// When the job was queued.
    fn queued(&self) -> Instant;
    /// Who waits for the answer.
    fn caller(&self) -> &Caller;
    /// Does the work and stores the answer; returns whether it succeeded.
    fn run(&mut self, tx: &mut ReadTx<'_>) -> bool;
    /// Records that the storage failed during the job. If the job precedes a write, that write counts as failed.
    fn storage_failed(&self, failure: &Error);
    /// Sends the answer that [`ReadJob::run`] stored, or `failure`.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

/// A queued write. It may be attempted several times, so an attempt must leave nothing behind except in the
/// transaction and the stored answer.
pub(crate) trait WriteJob: Send {
    /// Who waits for the answer.
    fn caller(&self) -> &Caller;
    /// Does the work and stores the answer; returns whether to keep what it wrote.
    fn attempt(&mut self, tx: &mut WriteTx<'_>) -> bool;
    /// Sends the answer that [`WriteJob::attempt`] stored, or `failure`.
    fn answer(self: Box<Self>, failure: Option<Error>);
}

/// A read: its work, its result, and its caller.
pub(crate) struct Read<F, T, E> {
    queued: Instant,
    caller: Caller,
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    /// Set if the read precedes a write: a storage failure in the read then counts as a failed write.
    health: Option<Arc<WriteHealth>>,
}

impl<F, T, E> Read<F, T, E> {
    pub(crate) fn new(
        caller: Caller,
        work: F,
        reply: oneshot::Sender<Result<T, E>>,
        health: Option<Arc<WriteHealth>>,
    ) -> Self {
        Self { queued: Instant::now(), caller, work: Some(work), outcome: None, reply, health }
    }
}

impl<F, T, E> ReadJob for Read<F, T, E>
where
    F: FnOnce(&mut ReadTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn queued(&self) -> Instant {
        self.queued
    }

    fn caller(&self) -> &Caller {
        &self.caller
    }

    fn run(&mut self, tx: &mut ReadTx<'_>) -> bool {
        self.outcome = self.work.take().map(|work| work(tx));
        self.outcome.as_ref().is_some_and(Result::is_ok)
    }

    fn storage_failed(&self, failure: &Error) {
        if let Some(health) = &self.health {
            health.failed(failure);
        }
    }

    fn answer(self: Box<Self>, failure: Option<Error>) {
        send(self.reply, self.outcome, failure);
    }
}

/// A write: its work, the result of the last attempt, and its caller.
pub(crate) struct Write<F, T, E> {
    caller: Caller,
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    health: Arc<WriteHealth>,
}

impl<F, T, E> Write<F, T, E> {
    pub(crate) fn new(
        caller: Caller,
        work: F,
        reply: oneshot::Sender<Result<T, E>>,
        health: Arc<WriteHealth>,
    ) -> Self {
        Self { caller, work, outcome: None, reply, health }
    }
}

impl<F, T, E> WriteJob for Write<F, T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn caller(&self) -> &Caller {
        &self.caller
    }

    fn attempt(&mut self, tx: &mut WriteTx<'_>) -> bool {
        let outcome = (self.work)(tx);
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, failure: Option<Error>) {
        match (&failure, &self.outcome) {
            (Some(failure), _) => self.health.failed(failure),
            (None, Some(Ok(_))) => self.health.kept(),
            // A refused job commits nothing, so it says nothing about the storage.
            (None, _) => {}
        }
        send(self.reply, self.outcome, failure);
    }
}

/// Sends the engine's failure, if there is one, or else the job's result. A caller that has gone gets nothing.
fn send<T, E: From<Error>>(
    reply: oneshot::Sender<Result<T, E>>,
    outcome: Option<Result<T, E>>,
    failure: Option<Error>,
) {
    let answer = match (failure, outcome) {
        (None, Some(outcome)) => outcome,
        (Some(failure), _) => Err(failure.into()),
        (None, None) => Err(Error::Closed.into()),
    };
    let _ = reply.send(answer);
}
