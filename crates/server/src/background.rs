//! Work that no caller waits for: clean-up, upkeep of the search index and packing of the history every minute, and
//! recording when credentials were used.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};
use zoop_crm::business::notes::reindex;
use zoop_crm::call::caller::Used;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::sweep::Sweep;
use zoop_crm::identity::authenticate;
use zoop_crm::maintenance;
use zoop_db::{Tenant, Timestamp};

use crate::app::{App, Shared};
use crate::packing::Packing;
use crate::reindexing::Reindexing;
use crate::rewriting::Rewriting;
use crate::stored;

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);
/// The time limit for a database job of this module.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time limit for one step of a sweep. It is short, because the next round tries again.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one round merges the search indexes.
const MERGING_TIME: Duration = Duration::from_secs(20);
/// How long one round indexes notes again.
const REINDEXING_TIME: Duration = Duration::from_secs(20);

/// Runs until the server stops.
pub(crate) async fn maintain(app: App, mut stopping: watch::Receiver<()>) {
    let mut rounds = time::interval_at(time::Instant::now() + INTERVAL, INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut upkeep = Upkeep::default();
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = rounds.tick() => {}
        }
        // A round can take long, so stopping the server interrupts it.
        tokio::select! {
            _ = stopping.changed() => return,
            () = round(&app.shared, &mut upkeep) => {}
        }
    }
}

/// Work that goes on from round to round: on what an earlier version has written, and after erasures.
#[derive(Default)]
struct Upkeep {
    packing: Packing,
    reindexing: Reindexing,
    rewriting: Rewriting,
}

/// Compares the clocks, drops idle callers' state from memory, sweeps expired rows from the database, brings what an
/// earlier version wrote into its newest form, and writes the files of the database again if an erasure waits for it.
async fn round(shared: &Shared, upkeep: &mut Upkeep) {
    compare_clocks(shared).await;
    let now = shared.environment.clock.now();
    shared.limiter.drop_idle(now);
    shared.last_use.drop_idle(now);
    shared.anonymous_limits.drop_idle(now);
    sweep(shared, now).await;
    if let Err(error) = reindex_notes(shared, now).await {
        tracing::warn!(?error, "notes could not be indexed again");
    }
    if let Err(error) = upkeep.packing.round(shared, now).await {
        tracing::warn!(?error, "the history could not be packed; the next round tries again");
    }
    if let Err(error) = stored::watch(shared, now).await {
        tracing::warn!(?error, "the storage of the businesses could not be measured");
    }
    if let Err(error) = upkeep.reindexing.round(shared, now).await {
        tracing::warn!(?error, "the search index could not be renewed; the next round tries again");
    }
    if let Err(error) = merge_search_indexes(shared).await {
        tracing::warn!(
            ?error,
            "the search indexes could not be merged; the next round tries again"
        );
    }
    if let Err(error) = upkeep.rewriting.round(shared, now).await {
        tracing::warn!(
            ?error,
            "it is not known whether the files of the database are to be written again"
        );
    }
}

/// Removes all rows that have expired at `now`. Each step is a write of its own, so that other writes come between
/// the steps. If a sweep fails, the next ones still run.
async fn sweep(shared: &Shared, now: Timestamp) {
    let mut postponed = Vec::new();
    for sweep in maintenance::sweeps() {
        match sweep_all(shared, now, sweep).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, of = sweep.rows, "swept"),
            Err(Error::Unavailable { cause }) => postponed.push((sweep.rows, cause)),
            Err(Error::Internal { cause }) => {
                tracing::error!(of = sweep.rows, %cause, "a sweep failed");
            }
            Err(error) => tracing::error!(of = sweep.rows, kind = error.kind(), "a sweep failed"),
        }
    }
    // A storage failure postpones all sweeps, and is logged once.
    if let Some((_, cause)) = postponed.last() {
        let of: Vec<_> = postponed.iter().map(|(rows, _)| *rows).collect();
        tracing::warn!(of = of.join(", "), %cause, "sweeps were postponed");
    }
}

/// Runs one sweep step by step until it is done. Returns the number of removed rows.
async fn sweep_all(shared: &Shared, now: Timestamp, sweep: &'static Sweep) -> Result<usize> {
    let mut rows = 0;
    loop {
        let step = shared.db.write(Instant::now() + STEP_TIMEOUT, move |tx| sweep.step(tx, now));
        let swept = step.await?;
        rows += swept.rows;
        if swept.is_done {
            return Ok(rows);
        }
    }
}

/// Indexes notes again that an earlier version has indexed, for a while. The next round goes on.
async fn reindex_notes(shared: &Shared, now: Timestamp) -> Result<()> {
    let end = Instant::now() + REINDEXING_TIME;
    let mut from = Tenant(0);
    while Instant::now() < end {
        let next = shared.db.read(Instant::now() + TIMEOUT, move |tx| reindex::next(tx, from, now));
        let Some(step) = next.await? else { return Ok(()) };
        from = step.tenant();
        let write = shared.db.write(Instant::now() + TIMEOUT, move |tx| reindex::write(tx, &step));
        write.await?;
    }
    Ok(())
}

/// Merges the search indexes, for a while. The next round goes on.
async fn merge_search_indexes(shared: &Shared) -> Result<()> {
    let end = Instant::now() + MERGING_TIME;
    while Instant::now() < end {
        let step =
            shared.db.write(Instant::now() + STEP_TIMEOUT, maintenance::merge_search_indexes);
        if !step.await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Compares this process's clock with the database's and logs a difference, even if nothing queries the server's
/// readiness.
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

/// Queues a write that records a credential's use, at most once a minute. Does not wait for the write.
pub(crate) fn record_use(shared: &Arc<Shared>, used: Used) {
    let now = shared.environment.clock.now();
    if !shared.last_use.should_record_use(used, now) {
        return;
    }
    let write = shared
        .db
        .write::<_, Error>(Instant::now() + TIMEOUT, move |tx| authenticate::touch(tx, used, now));
    let shared = shared.clone();
    // The engine skips a job whose caller has gone, so a task waits for this job.
    tokio::spawn(async move {
        if let Err(error) = write.await {
            // Only at debug level: the next call tries again, so this may be logged for every call.
            tracing::debug!(?error, "a credential's last use could not be recorded");
            shared.last_use.forget(used);
        }
    });
}
