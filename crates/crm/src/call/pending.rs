//! [`Pending`]: the pending answer of a call, which is a single job, or a read that prepares a write.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use zoop_db::{Db, Error, Reply, WriteTx};

/// The work of a write job.
pub(crate) type Work<T, E> = Box<dyn FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send>;

/// The pending answer of a call. A write is queued only while its answer is awaited, after its preparation has
/// finished. Dropping a `Pending` tells the engine that the caller has gone.
#[must_use = "a write runs only when its answer is awaited"]
pub struct Pending<'a, T, E>(Stage<'a, T, E>);

enum Stage<'a, T, E> {
    Preparing { reply: Reply<Work<T, E>, E>, db: &'a Db, deadline: Instant },
    Running(Reply<T, E>),
}

impl<'a, T, E> Pending<'a, T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// The answer of a call that is a single job.
    pub(crate) const fn running(reply: Reply<T, E>) -> Self {
        Self(Stage::Running(reply))
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
        match self.0 {
            Stage::Preparing { reply, db, deadline } => db.write(deadline, reply.wait()?).wait(),
            Stage::Running(reply) => reply.wait(),
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
                        Ok(work) => work,
                        Err(refused) => return Poll::Ready(Err(refused)),
                    };
                    let reply = db.write(*deadline, work);
                    self.0 = Stage::Running(reply);
                }
                Stage::Running(reply) => return Pin::new(reply).poll(context),
            }
        }
    }
}
