//! [`Pending`]: the pending answer of a call. A call is either a single job, or a read that prepares a write,
//! followed by that write.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use zoop_db::{Db, Error, Reply, WriteTx};

use crate::call::tool::Step;

/// The work of a write job. It runs once for each part.
pub(crate) type Work<T, E> = Box<dyn FnMut(&mut WriteTx<'_>) -> Result<Step<T>, E> + Send>;

/// The pending answer of a call. A write is queued only while its answer is awaited, after its preparation has
/// finished. Dropping a `Pending` tells the engine that the caller has gone.
#[must_use = "a write runs only when its answer is awaited"]
pub struct Pending<'a, T, E>(Stage<'a, T, E>);

enum Stage<'a, T, E> {
    Preparing { reply: Reply<Work<T, E>, E>, db: &'a Db, deadline: Instant },
    Writing { reply: Reply<Step<T>, E>, write: Write<'a, T, E> },
    Reading(Reply<T, E>),
}

/// A write that is queued again until it is done.
struct Write<'a, T, E> {
    work: Arc<Mutex<Work<T, E>>>,
    db: &'a Db,
    deadline: Instant,
}

impl<T, E> Write<'_, T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// Queues the write, or its next part.
    fn queue(&self) -> Reply<Step<T>, E> {
        let work = self.work.clone();
        self.db.write(self.deadline, move |tx| {
            (work.lock().unwrap_or_else(PoisonError::into_inner))(tx)
        })
    }
}

impl<'a, T, E> Pending<'a, T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// The answer of a call that is a single job.
    pub(crate) const fn running(reply: Reply<T, E>) -> Self {
        Self(Stage::Reading(reply))
    }

    /// The answer of a write. `reply` is the answer of the read that prepares the write.
    pub(crate) const fn preparing(
        db: &'a Db,
        deadline: Instant,
        reply: Reply<Work<T, E>, E>,
    ) -> Self {
        Self(Stage::Preparing { reply, db, deadline })
    }

    /// Blocks until the answer arrives. Not for use inside an asynchronous runtime.
    ///
    /// # Errors
    /// The call is rejected or fails.
    pub fn wait(self) -> Result<T, E> {
        let (reply, db, deadline) = match self.0 {
            Stage::Preparing { reply, db, deadline } => (reply, db, deadline),
            Stage::Writing { reply, write } => return finish(reply, &write),
            Stage::Reading(reply) => return reply.wait(),
        };
        let write = Write { work: Arc::new(Mutex::new(reply.wait()?)), db, deadline };
        finish(write.queue(), &write)
    }
}

/// Blocks until all parts of a write are done.
fn finish<T, E>(mut reply: Reply<Step<T>, E>, write: &Write<'_, T, E>) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    loop {
        match reply.wait()? {
            Step::Done(answer) => return Ok(answer),
            Step::Partial => reply = write.queue(),
        }
    }
}

impl<T, E> Future for Pending<'_, T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                Stage::Preparing { reply, db, deadline } => {
                    let work = match ready!(Pin::new(reply).poll(context)) {
                        Ok(work) => Arc::new(Mutex::new(work)),
                        Err(refused) => return Poll::Ready(Err(refused)),
                    };
                    let write = Write { work, db, deadline: *deadline };
                    self.0 = Stage::Writing { reply: write.queue(), write };
                }
                Stage::Writing { reply, write } => {
                    match ready!(Pin::new(&mut *reply).poll(context)) {
                        Ok(Step::Partial) => *reply = write.queue(),
                        Ok(Step::Done(answer)) => return Poll::Ready(Ok(answer)),
                        Err(refused) => return Poll::Ready(Err(refused)),
                    }
                }
                Stage::Reading(reply) => return Pin::new(reply).poll(context),
            }
        }
    }
}
