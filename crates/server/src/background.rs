//! Work that no caller waits for: clean-up every minute, and recording when credentials were used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};
use zoop_crm::call::caller::Used;
use zoop_crm::call::error::Error;
use zoop_crm::identity::authenticate;
use zoop_crm::maintenance;

use crate::app::{App, Shared};

/// The interval.
const INTERVAL: Duration = Duration::from_secs(60);
/// The time that a job here may take in the database.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs until the server stops.
pub(crate) async fn maintain(app: App, mut stopping: watch::Receiver<()>) {
    let mut rounds = time::interval_at(time::Instant::now() + INTERVAL, INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = rounds.tick() => round(&app.shared).await,
        }
    }
}

/// Compares the clocks, drops idle callers' state from memory, and sweeps expired rows from the database.
async fn round(shared: &Shared) {
    compare_clocks(shared).await;
    let now = shared.environment.clock.now();
    shared.limiter.drop_idle(now);
    shared.last_use.drop_idle(now);
    shared.anonymous_limits.drop_idle(now);
    shared.known_tokens.drop_idle(now);
    let environment = shared.environment.clone();
    let swept = shared
        .db
        .write(Instant::now() + TIMEOUT, move |tx| maintenance::sweep(tx, &environment))
        .await;
    match swept {
        Ok(rows) => tracing::debug!(rows, "swept"),
        Err(Error::Internal { cause }) => tracing::error!(%cause, "the sweep failed"),
        Err(Error::Unavailable { cause }) => tracing::warn!(%cause, "the sweep was postponed"),
        Err(error) => tracing::error!(kind = error.kind(), "the sweep failed"),
    }
}

/// Logs whether this process's clock and the database's differ, even if the server's readiness is never
/// queried.
async fn compare_clocks(shared: &Shared) {
    let clock = shared.environment.clock.clone();
    let read = shared.db.read::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
        let database = tx.clock()?;
        Ok((clock.now(), database))
    });
    // A database that does not answer is reported by the requests that need it.
    if let Ok((here, database)) = read.await {
        shared.clock_skew.agree(here, database);
    }
}

/// Queues the write before it returns, and does not wait for it.
pub(crate) fn record_use(shared: &Arc<Shared>, used: Used) {
    let now = shared.environment.clock.now();
    if !shared.last_use.is_news(used, now) {
        return;
    }
    let write = shared
        .db
        .write::<_, Error>(Instant::now() + TIMEOUT, move |tx| authenticate::touch(tx, used, now));
    let shared = shared.clone();
    // The engine skips a job whose caller has gone, so a task has to wait for this one.
    tokio::spawn(async move {
        if let Err(error) = write.await {
            // The next call tries again, so this may be logged as often as calls arrive.
            tracing::debug!(?error, "a credential's last use could not be recorded");
            shared.last_use.forget(used);
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zoop_both::both;
    use zoop_crm::call::run;
    use zoop_crm::catalog;
    use zoop_crm::testing::TestEnv;

    use super::*;
    use crate::app::Settings;

    #[both]
    fn a_round_drops_what_is_out_of_date() {
        let env = TestEnv::new();
        let owner = env.empty_business("Acme").owner;
        let environment = env.environment.clone();
        let tool = catalog::find("customers.create").unwrap();
        let arguments = json!({ "customer_type": "company", "company_name": "A" }).to_string();
        env.write(move |tx| run::write(tx, &environment, &owner, tool, &arguments, Some("k")))
            .unwrap();
        let app = App::new(
            env.db.clone(),
            env.environment.clone(),
            Settings::new("http://t.test".parse().unwrap()),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let remembered = || match env.server() {
            None => {
                let file = rusqlite::Connection::open(env.path()).unwrap();
                let count = "SELECT count(*) FROM idempotency";
                file.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
            }
            Some(server) => {
                let count = "SELECT count(*) FROM idempotency";
                server.run_as_superuser(count).unwrap().trim().parse().unwrap()
            }
        };
        runtime.block_on(round(&app.shared));
        assert_eq!(remembered(), 1);
        env.clock.advance(24 * 60 * 60 * 1_000);
        runtime.block_on(round(&app.shared));
        assert_eq!(remembered(), 0);
    }
}
