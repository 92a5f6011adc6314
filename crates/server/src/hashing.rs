//! Hashes at most two passwords at a time: each takes 19 MiB and tens of milliseconds of processor time, and a
//! flood of attempts must not slow the server down.

use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;
use zoop_crm::call::error::Error;

use crate::web::page;

/// The maximum number of hashes computed at once.
const MAX_CONCURRENT: usize = 2;
/// The maximum number of requests that wait; further requests are refused.
const MAX_WAITING: usize = 32;

/// The queue of hash computations.
pub(crate) struct Hashing {
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let queue = semaphore(MAX_CONCURRENT + MAX_WAITING);
        Self { permits: semaphore(MAX_CONCURRENT), queue }
    }
}

/// A request's slot in the queue, which it keeps until its password is hashed.
pub(crate) struct Slot {
    permits: Arc<Semaphore>,
    queued: OwnedSemaphorePermit,
}

impl Hashing {
    /// Takes a slot in the queue, if one is free. Requests do this before they record anything, so that a flood of
    /// attempts writes no faster than passwords are hashed, and a refused request does not count as an attempt.
    pub(crate) fn slot(&self) -> Result<Slot, Response> {
        let queued = self.queue.clone().try_acquire_owned().map_err(|_| page::busy())?;
        Ok(Slot { permits: self.permits.clone(), queued })
    }

    /// Takes a slot, and runs work that hashes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        self.slot()?.run(deadline, work).await
    }
}

impl Slot {
    /// Runs work that hashes, once a permit is free.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        deadline: Instant,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        let Self { permits, queued } = self;
        let permit = tokio::time::timeout_at(deadline.into(), permits.acquire_owned());
        // The semaphore is never closed, so the only possible error is the timeout.
        let Ok(Ok(permit)) = permit.await else { return Err(page::busy()) };
        let hashed = task::spawn_blocking(move || {
            // Held until the work ends, even if the caller has left.
            let _held = (queued, permit);
            work()
        });
        match hashed.await {
            Ok(result) => result.map_err(|error| page::failed(&error)),
            Err(panic) => Err(page::failed(&Error::internal(panic))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn two_passwords_are_hashed_thirty_two_wait_and_the_next_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let hashing = Arc::new(Hashing::default());
            let deadline = Instant::now() + Duration::from_secs(60);
            let (release, hold) = mpsc::channel::<()>();
            let hold = Arc::new(std::sync::Mutex::new(hold));
            let waiting: Vec<_> = (0..MAX_CONCURRENT + MAX_WAITING)
                .map(|_| {
                    let (hashing, hold) = (hashing.clone(), hold.clone());
                    tokio::spawn(async move {
                        let work = move || hold.lock().unwrap().recv().map_err(Error::internal);
                        hashing.run(deadline, work).await.map_err(|page| page.status())
                    })
                })
                .collect();
            while hashing.queue.available_permits() > 0 {
                task::yield_now().await;
            }
            let refused = hashing.run(deadline, || Ok(())).await.unwrap_err();
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            for _ in &waiting {
                release.send(()).unwrap();
            }
            for reply in waiting {
                assert_eq!(reply.await.unwrap(), Ok(()));
            }
            assert!(hashing.run(deadline, || Ok(())).await.is_ok(), "a slot is free again");
        });
    }
}
