//! Once a second, this process publishes how many requests it admitted and fetches the counts of the other
//! processes. So all processes together can exceed a limit by at most the requests of one second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};
use zoop_crm::call::error::Error;
use zoop_crm::request_counts::{self, RequestCount};
use zoop_db::{Timestamp, Uuid};

use crate::app::{App, Shared};
use crate::limiter::WINDOW_SECONDS;

/// The time between two rounds, and the time limit for each step of a round.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs until the server stops.
pub(crate) async fn share(app: App, mut stopping: watch::Receiver<()>) {
    let mut rounds = time::interval_at(time::Instant::now() + INTERVAL, INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut limit_sync = LimitSync::new(&app.shared);
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = rounds.tick() => limit_sync.round(&app.shared).await,
        }
    }
}

/// This process's side of the exchange.
struct LimitSync {
    process: Uuid,
    /// The key of the last count that was read from the other processes.
    last_read: i64,
}

impl LimitSync {
    fn new(shared: &Shared) -> Self {
        Self { process: Uuid::from_u128(shared.environment.entropy.bits()), last_read: 0 }
    }

    /// Publishes, then fetches. A step that fails is repeated in the next round.
    async fn round(&mut self, shared: &Arc<Shared>) {
        let now = shared.environment.clock.now();
        let window = i64::try_from(WINDOW_SECONDS).unwrap_or(i64::MAX) * 1_000_000;
        let oldest = Timestamp(now.0 - window);
        let unpublished: Arc<[RequestCount]> = shared.limiter.take_unpublished(now).into();
        if !unpublished.is_empty() {
            let (process, counts) = (self.process, unpublished.clone());
            let publish =
                move |tx: &mut zoop_db::WriteTx<'_>| request_counts::publish(tx, process, &counts);
            if let Err(error) = shared.db.write(Instant::now() + INTERVAL, publish).await {
                shared.limiter.put_back(&unpublished);
                log_failure(&error);
            }
        }
        let (process, last_read) = (self.process, self.last_read);
        let fetch =
            move |tx: &mut zoop_db::ReadTx<'_>| request_counts::fetch(tx, process, last_read);
        match shared.db.read(Instant::now() + INTERVAL, fetch).await {
            Ok((mut counts, last_read)) => {
                self.last_read = last_read;
                counts.retain(|count| count.admitted_at > oldest);
                shared.limiter.merge(&counts);
            }
            Err(error) => log_failure(&error),
        }
    }
}

fn log_failure(error: &Error) {
    match error {
        // Only at debug level, because it would be logged every second. Callers see the error too, and the engine
        // logs storage failures.
        Error::Unavailable { cause } => tracing::debug!(%cause, "request counts were not shared"),
        error => {
            tracing::warn!(?error, "request counts were not shared; the next round tries again");
        }
    }
}

#[cfg(test)]
mod tests {
    use zoop_both::both;
    use zoop_crm::testing::TestEnv;
    use zoop_db::Tenant;

    use super::*;
    use crate::app::Settings;
    use crate::limiter::{Applicant, Class};

    #[both]
    fn a_limit_holds_for_two_processes_together() {
        let env = TestEnv::new();
        let process = || {
            let settings = Settings::new("http://t.test".parse().unwrap());
            App::new(env.db.clone(), env.environment.clone(), settings)
        };
        let (one, two) = (process(), process());
        let (mut sync_one, mut sync_two) =
            (LimitSync::new(&one.shared), LimitSync::new(&two.shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ask = |app: &App| {
            let applicant = Applicant {
                class: Class::Call,
                credential: Uuid::from_u128(7),
                credential_limit: 5,
                tenant: Tenant(1),
                tenant_limit: 0,
            };
            app.shared.limiter.admit(&*env.clock, applicant).refused_for
        };
        for _ in 0..3 {
            assert_eq!(ask(&one), None);
        }
        runtime.block_on(sync_one.round(&one.shared));
        env.clock.advance(1_000);
        runtime.block_on(sync_two.round(&two.shared));
        assert_eq!((ask(&two), ask(&two)), (None, None));
        assert_eq!(ask(&two), Some(59), "three were admitted elsewhere a second ago");
        runtime.block_on(sync_two.round(&two.shared));
        runtime.block_on(sync_one.round(&one.shared));
        assert_eq!(ask(&one), Some(59), "the first process counts the two of the second");
        env.clock.advance(59_000);
        assert_eq!((ask(&one), ask(&two)), (None, None), "the first three have left the minute");
    }

    #[both]
    fn a_credential_keeps_its_share_whatever_other_processes_admit() {
        let env = TestEnv::new();
        let process = || {
            let settings = Settings::new("http://t.test".parse().unwrap());
            App::new(env.db.clone(), env.environment.clone(), settings)
        };
        let (one, two) = (process(), process());
        let (mut sync_one, mut sync_two) =
            (LimitSync::new(&one.shared), LimitSync::new(&two.shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut round = || {
            runtime.block_on(sync_one.round(&one.shared));
            runtime.block_on(sync_two.round(&two.shared));
            runtime.block_on(sync_one.round(&one.shared));
        };
        let calls = |app: &App, credential: u128, times: usize| {
            let applicant = Applicant {
                class: Class::Call,
                credential: Uuid::from_u128(credential),
                credential_limit: 0,
                tenant: Tenant(1),
                tenant_limit: 100,
            };
            let ask =
                |_: &usize| app.shared.limiter.admit(&*env.clock, applicant).refused_for.is_none();
            (0..times).filter(ask).count()
        };
        assert_eq!(calls(&one, 1, 200), 100, "an import takes the tenant's whole limit");
        round();
        assert_eq!(calls(&two, 2, 40), 40, "the office still works");
        round();
        assert_eq!(calls(&one, 2, 40), 20, "sixty in all processes together");
        assert_eq!(calls(&two, 1, 1), 0);
    }
}
