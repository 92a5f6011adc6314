//! Hashes at most two passwords at a time: each takes 19 MiB and tens of milliseconds of a core, and a flood
//! of attempts must not slow the server down.

use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;
use zoop_crm::call::error::Error;

use crate::web::page;

/// Hashes computed at once.
const AT_ONCE: usize = 2;
/// Requests that may wait; the next one is told to come back.
const WAITING: usize = 32;

/// The queue of hash computations.
pub(crate) struct Hashing {
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hashing {
    fn default() -> Self {
        let of = |permits| Arc::new(Semaphore::new(permits));
        Self { permits: of(AT_ONCE), queue: of(AT_ONCE + WAITING) }
    }
}

/// A place in the queue.
pub(crate) struct Place {
    permits: Arc<Semaphore>,
    held: OwnedSemaphorePermit,
}

impl Hashing {
    /// A place, if there is one. It is taken before anything is recorded, so that a flood writes no faster than
    /// passwords are hashed, and a request turned away does not count as an attempt.
    pub(crate) fn place(&self) -> Result<Place, Response> {
        let held = self.queue.clone().try_acquire_owned().map_err(|_| page::busy())?;
        Ok(Place { permits: self.permits.clone(), held })
    }

    /// Runs work that hashes, if there is a place for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        self.place()?.run(deadline, work).await
    }
}

impl Place {
    /// Runs work that hashes, once there is a permit for it.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        deadline: Instant,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Response> {
        let Self { permits, held } = self;
        let permit = tokio::time::timeout_at(deadline.into(), permits.acquire_owned());
        // The semaphore is never closed, so there is a permit eventually, or the time is up.
        let Ok(Ok(permit)) = permit.await else { return Err(page::busy()) };
        let hashed = task::spawn_blocking(move || {
            // Held until the work ends, even if the caller has left.
            let _held = (held, permit);
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
    fn two_are_hashed_thirty_two_wait_and_the_next_is_told_to_come_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let hashing = Arc::new(Hashing::default());
            let deadline = Instant::now() + Duration::from_secs(60);
            let (release, hold) = mpsc::channel::<()>();
            let hold = Arc::new(std::sync::Mutex::new(hold));
            let asked: Vec<_> = (0..AT_ONCE + WAITING)
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
            for _ in &asked {
                release.send(()).unwrap();
            }
            for one in asked {
                assert_eq!(one.await.unwrap(), Ok(()));
            }
            assert!(hashing.run(deadline, || Ok(())).await.is_ok(), "there is room again");
        });
    }
}
