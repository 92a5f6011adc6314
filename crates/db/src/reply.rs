//! [`Reply`]: the pending answer of a queued job.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread::Thread;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;
use tokio::time::Sleep;

use crate::caller::Caller;
use crate::error::Error;

/// The pending answer of a queued job. Soon after the job's deadline the reply gives up, with [`Error::Deadline`],
/// or with [`Error::Unknown`] for a write that has begun.
///
/// Dropping a reply tells the engine that the caller has gone. A job that has not started is then skipped, and a
/// job that runs is cancelled, unless its commit may be under way.
pub struct Reply<T, E> {
    receiver: oneshot::Receiver<Result<T, E>>,
    caller: Waiting,
    /// Created by the first poll that finds no answer.
    timer: Option<Pin<Box<Sleep>>>,
}

/// A waiting caller, which leaves when this is dropped.
struct Waiting(Caller);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<T, E> Reply<T, E> {
    pub(crate) fn new(receiver: oneshot::Receiver<Result<T, E>>, caller: Caller) -> Self {
        Self { receiver, caller: Waiting(caller), timer: None }
    }
}

impl<T, E: From<Error>> Reply<T, E> {
    /// Blocks until the answer arrives. Not for use inside an asynchronous runtime.
    pub fn wait(mut self) -> Result<T, E> {
        let waker = Waker::from(Arc::new(Parked(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(received) = Pin::new(&mut self.receiver).poll(&mut context) {
                return answer(received);
            }
            let left = self.caller.0.gives_up().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.caller.0.late().into());
            }
            std::thread::park_timeout(left);
        }
    }
}

impl<T, E: From<Error>> Future for Reply<T, E> {
    type Output = Result<T, E>;

    /// Panics outside a Tokio runtime with timers.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { receiver, caller: Waiting(caller), timer } = &mut *self;
        if let Poll::Ready(received) = Pin::new(receiver).poll(context) {
            return Poll::Ready(answer(received));
        }
        let sleep = || Box::pin(tokio::time::sleep_until(caller.gives_up().into()));
        ready!(timer.get_or_insert_with(sleep).as_mut().poll(context));
        Poll::Ready(Err(caller.late().into()))
    }
}

/// The answer, or [`Error::Closed`] if the job was dropped, which means that it was not done.
fn answer<T, E: From<Error>>(received: Result<Result<T, E>, RecvError>) -> Result<T, E> {
    received.unwrap_or_else(|_| Err(Error::Closed.into()))
}

/// Unparks a thread that waits in [`Reply::wait`].
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
