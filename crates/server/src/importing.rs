//! Does what people have started on the pages for imports: a few jobs at once, each on a thread of its own, since parsing
//! a file and adding customers block.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use zoop_crm::business::import::jobs::Worker;
use zoop_crm::call::error::Result;
use zoop_db::Tenant;

use crate::app::{App, Shared};
use crate::lanes;

/// How many jobs this server does at once. Each has a file in memory.
const AT_ONCE: usize = 2;
/// How often a server looks for jobs that another one has left.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long a job may take to reach a place where it can go on later.
const PATIENCE: Duration = Duration::from_secs(10);

/// Wakes the server when a page has given it something to do.
#[derive(Default)]
pub(crate) struct Importing {
    wakes: Notify,
    /// The business on whose job a thread works: the other thread is for others.
    busy: Mutex<Vec<Tenant>>,
}

impl Importing {
    pub(crate) fn wake(&self) {
        self.wakes.notify_one();
    }

    fn busy(&self) -> Option<Tenant> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).first().copied()
    }

    /// Works for a business.
    fn work_for(&self, tenant: Tenant, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).push(tenant);
        let ended = work();
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).retain(|it| *it != tenant);
        ended
    }
}

/// Runs until the server stops.
pub(crate) async fn maintain(app: App, stopping: watch::Receiver<()>) {
    let each = || do_jobs(&app, stopping.clone());
    let all: [_; AT_ONCE] = std::array::from_fn(|_| each());
    futures_util::future::join_all(all).await;
}

/// Does one job after another.
async fn do_jobs(app: &App, mut stopping: watch::Receiver<()>) {
    let is_stopping = Arc::new(AtomicBool::new(false));
    // Not at once: a server that starts answers first.
    let mut rounds = interval_at(Instant::now() + INTERVAL, INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = rounds.tick() => {}
            () = app.shared.importing.wakes.notified() => {}
        }
        let mut round = on_a_thread(app.shared.clone(), is_stopping.clone());
        tokio::select! {
            _ = &mut round => {}
            _ = stopping.changed() => {
                is_stopping.store(true, Ordering::Relaxed);
                // A thread that takes longer dies with the process, and another server goes on.
                let _ = timeout(PATIENCE, round).await;
                return;
            }
        }
    }
}

/// Does all that is due. Resolves when there is nothing more to do.
fn on_a_thread(shared: Arc<Shared>, is_stopping: Arc<AtomicBool>) -> oneshot::Receiver<()> {
    let (ended, round) = oneshot::channel();
    let work = move || {
        while !is_stopping.load(Ordering::Relaxed) && do_next(&shared, &is_stopping) {}
        drop(ended);
    };
    if let Err(error) = thread::Builder::new().name("import".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread could be started for imports");
    }
    round
}

/// Does the next job. Returns whether there was one.
fn do_next(shared: &Shared, is_stopping: &Arc<AtomicBool>) -> bool {
    let environment = shared.environment.clone();
    let own = Worker { db: shared.db.clone(), environment, is_stopping: is_stopping.clone() };
    let due = match own.claim_next(shared.importing.busy()) {
        Ok(Some(due)) => due,
        Ok(None) => return false,
        Err(error) => {
            tracing::warn!(?error, "the queue of imports could not be read");
            return false;
        }
    };
    // It takes turns with what others in the business do.
    let lane = lanes::in_tenant(due.number, due.job.uuid());
    let worker = Worker { db: shared.db.lane(lane), ..own };
    if let Err(error) = shared.importing.work_for(due.number, || worker.work(due)) {
        tracing::error!(job = %due.job, ?error, "a step of an import could not be done");
    }
    true
}
