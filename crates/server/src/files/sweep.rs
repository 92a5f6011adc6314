//! Deletes the content that nothing needs: of files that were removed a day ago, and content that no row names for a day.
//!
//! Clocks jump, and a database can be started by mistake on the store of another one. So only what two rounds in a row
//! have found unneeded is deleted, at least an hour apart by the clock that does not jump.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{self, MissedTickBehavior};
use zoop_crm::business::files::cleaning;
use zoop_crm::call::error::Error;
use zoop_crm::database_identity;
use zoop_crm::identity::tenants::Numbered;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{Tenant, Timestamp};

use super::objects::{Key, Stored};
use super::ownership::Owner;
use super::store::{FileStore, UnusableFileStore};
use crate::app::{App, Shared};

/// How often it is checked whether a round is due, or whether a store has come that belongs to nobody.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The time between two rounds. A round lists the whole store.
const INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);
/// The time after a round that did not sweep everything.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// How long content must have been unneeded for this process, and the time after its first round.
const CONFIRMED_AFTER: Duration = Duration::from_secs(60 * 60);
/// How far the clock may have moved against the one that does not jump, in microseconds.
const TOLERANCE: i64 = 5 * 60 * 1_000_000;
/// The time limit for a database job.
const TIMEOUT: Duration = Duration::from_secs(30);
/// See [`Sweeping::tenant_timeout`].
const TENANT_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Sweeps until the server stops. This has a task of its own, because a store can be slow.
pub(crate) async fn maintain(app: App, mut stopping: watch::Receiver<()>) {
    let mut checks = time::interval(CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeping = Sweeping::default();
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = checks.tick() => {}
        }
        let time = RoundTime { clock: app.shared.environment.clock.now(), steady: Instant::now() };
        tokio::select! {
            _ = stopping.changed() => return,
            () = sweeping.round(&app.shared, time) => {}
        }
    }
}

/// The time of a round, by both clocks.
#[derive(Debug, Clone, Copy)]
struct RoundTime {
    clock: Timestamp,
    /// The clock that does not jump.
    steady: Instant,
}

impl RoundTime {
    /// Whether the clock has jumped since another round.
    fn has_jumped_since(self, before: Self) -> bool {
        let steady = self.steady.saturating_duration_since(before.steady).as_micros();
        let passed = i64::try_from(steady).unwrap_or(i64::MAX);
        (self.clock.0 - before.clock.0).saturating_sub(passed).saturating_abs() > TOLERANCE
    }
}

/// Files that earlier rounds found unneeded, with the time of the first of these rounds.
type Found = HashMap<Id<kinds::File>, Instant>;

/// What is known of the rounds before, and when the next one is due.
#[derive(Debug)]
pub(crate) struct Sweeping {
    next: Option<Instant>,
    /// When removed files are next forgotten if there is no store. One that comes is swept at once.
    next_without_store: Option<Instant>,
    before: Option<RoundTime>,
    /// What the last rounds in a row have found, by tenant.
    found: HashMap<Id<kinds::Tenant>, Found>,
    /// The last tenant of a round that ended early. The next round begins after it.
    last: Option<Tenant>,
    /// Whether the log says that the store belongs to another database.
    has_told_owner: bool,
    /// The time limit for one tenant in one round. The next round goes on.
    tenant_timeout: Duration,
}

impl Default for Sweeping {
    fn default() -> Self {
        Self {
            next: None,
            next_without_store: None,
            before: None,
            found: HashMap::new(),
            last: None,
            has_told_owner: false,
            tenant_timeout: TENANT_TIMEOUT,
        }
    }
}

/// Why a round or a tenant's part of it ended early, for the log.
#[derive(Debug)]
struct SweepFault(String);

impl fmt::Display for SweepFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Error> for SweepFault {
    fn from(error: Error) -> Self {
        Self(format!("the database failed: {error:?}"))
    }
}

impl From<object_store::Error> for SweepFault {
    fn from(error: object_store::Error) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

impl From<UnusableFileStore> for SweepFault {
    fn from(error: UnusableFileStore) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

impl From<io::Error> for SweepFault {
    fn from(error: io::Error) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

impl From<time::error::Elapsed> for SweepFault {
    fn from(_: time::error::Elapsed) -> Self {
        Self("it took too long".to_owned())
    }
}

impl Sweeping {
    /// Sweeps the store if a round is due.
    async fn round(&mut self, shared: &Shared, time: RoundTime) {
        let is_due = |next: Option<Instant>| next.is_none_or(|next| time.steady >= next);
        let store = shared.settings.files.as_ref().filter(|store| store.may_have_files());
        let Some(store) = store else {
            // Not at the start of the server, which has enough to do then.
            let next = *self.next_without_store.get_or_insert(time.steady + CHECK_INTERVAL);
            if time.steady >= next {
                self.next_without_store = Some(time.steady + INTERVAL);
                if let Err(error) = forget_all_removed(shared, time.clock).await {
                    tracing::warn!(%error, "removed files could not be deleted");
                }
            }
            return;
        };
        if !is_due(self.next) {
            return;
        }
        let is_first = self.before.is_none();
        if self.before.is_some_and(|before| time.has_jumped_since(before)) {
            tracing::warn!("the clock has jumped, so no content of files is deleted in this round");
            self.found.clear();
        }
        self.before = Some(time);
        let is_complete = self.sweep_all(shared, store, time).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the file store could not be swept; the next round tries again");
            false
        });
        let wait = match (is_complete, is_first) {
            (false, _) => RETRY,
            (true, true) => CONFIRMED_AFTER,
            (true, false) => INTERVAL,
        };
        self.next = Some(time.steady + wait);
    }

    /// Sweeps the content of one tenant after the other. Returns whether all of them could be swept. A store of another
    /// database is left alone.
    async fn sweep_all(
        &mut self,
        shared: &Shared,
        store: &FileStore,
        time: RoundTime,
    ) -> Result<bool, SweepFault> {
        let read = shared.db.read(Instant::now() + TIMEOUT, |tx| {
            Ok::<_, Error>((database_identity::get(tx)?, cleaning::tenants(tx)?))
        });
        let (database, mut tenants) = read.await?;
        // A round that ended early went as far as this.
        let swept = tenants.iter().position(|tenant| Some(tenant.number) == self.last);
        tenants.rotate_left(swept.map_or(0, |at| at + 1));
        let mut is_complete = true;
        for tenant in tenants {
            // Another database may adopt the store meanwhile. A store that does not answer ends the round.
            if !self.is_ours(store, store.claim(&database).await?) {
                forget_removed(shared, tenant, time.clock).await?;
                is_complete = false;
                continue;
            }
            let found = self.found.entry(tenant.id).or_default();
            let swept = sweep(shared, store, tenant, time, found);
            match time::timeout(self.tenant_timeout, swept)
                .await
                .map_err(SweepFault::from)
                .flatten()
            {
                Ok(0) => {}
                Ok(deleted) => {
                    tracing::debug!(tenant_id = %tenant.id, deleted, "content of files was deleted");
                }
                Err(error) => {
                    is_complete = false;
                    tracing::warn!(
                        tenant_id = %tenant.id, %error,
                        "the files of a business could not be swept; the next round tries again"
                    );
                }
            }
            self.last = Some(tenant.number);
        }
        self.last = None;
        Ok(is_complete)
    }

    /// Whether the store belongs to this server's database. If not, the log says so once.
    fn is_ours(&mut self, store: &FileStore, owner: Owner) -> bool {
        let is_ours = owner == Owner::ThisDatabase;
        if !is_ours && !self.has_told_owner {
            tracing::warn!(
                %store,
                "the file store belongs to another database, or this one was moved, so this server deletes nothing there. If \
                 the other one is gone for good, and what this one does not name may be deleted, run `zoop files adopt`; \
                 otherwise set files.url to a store of this database's own"
            );
        }
        self.has_told_owner = !is_ours;
        if !is_ours {
            // What was found is not this database's to judge, also after it has adopted the store.
            self.found.clear();
        }
        is_ours
    }
}

/// Sweeps the content of one tenant, and returns how many files were deleted. `found` is what the rounds before have found,
/// and becomes what this one finds.
async fn sweep(
    shared: &Shared,
    store: &FileStore,
    tenant: Numbered,
    time: RoundTime,
    found: &mut Found,
) -> Result<usize, SweepFault> {
    let leftovers = store.delete_leftovers(tenant.id, time.clock).await?;
    let unneeded = unneeded(shared, store, tenant, time.clock).await?;
    let since = |id: &Id<kinds::File>| found.get(id).copied().unwrap_or(time.steady);
    let now_found: Found = unneeded.iter().map(|id| (*id, since(id))).collect();
    let is_confirmed = |id: &&Id<kinds::File>| {
        let first = now_found.get(id).copied().unwrap_or(time.steady);
        time.steady.saturating_duration_since(first) >= CONFIRMED_AFTER
    };
    let confirmed: Vec<_> = unneeded.iter().filter(is_confirmed).copied().collect();
    *found = now_found;
    for few in confirmed.chunks(cleaning::STEP) {
        delete(shared, store, tenant, few).await?;
        for id in few {
            found.remove(id);
        }
    }
    Ok(leftovers + confirmed.len())
}

/// The files of a tenant whose rows, content, or both are not needed.
async fn unneeded(
    shared: &Shared,
    store: &FileStore,
    Numbered { number, id: tenant }: Numbered,
    now: Timestamp,
) -> Result<Vec<Id<kinds::File>>, SweepFault> {
    let deadline = || Instant::now() + TIMEOUT;
    let removed = shared.db.read(deadline(), move |tx| cleaning::removed(tx, number, now));
    let mut found = removed.await?;
    let removed: HashSet<_> = found.iter().copied().collect();
    let mut old: Vec<_> = store.list(tenant).await?;
    old.retain(|stored| is_old(stored, now) && !removed.contains(&stored.file));
    let mut old: Vec<_> = old.into_iter().map(|stored| stored.file).collect();
    old.sort_by_key(|id| id.uuid());
    // A picture has more objects than its content.
    old.dedup();
    for few in old.chunks(cleaning::STEP) {
        let few = few.to_vec();
        let read = shared.db.read(deadline(), move |tx| cleaning::unneeded(tx, number, now, &few));
        found.extend(read.await?);
    }
    Ok(found)
}

/// Whether content is in the store for a day, as far as the store says that. Otherwise its id tells its age, but a clock that
/// was wrong makes ids of another time.
fn is_old(stored: &Stored, now: Timestamp) -> bool {
    stored.since.is_none_or(|since| since.0 < now.0 - cleaning::KEPT_FOR)
}

/// Deletes the rows of removed files, so that they do not count for the account. Their content stays: it is not this
/// database's to delete.
async fn forget_removed(
    shared: &Shared,
    Numbered { number, .. }: Numbered,
    now: Timestamp,
) -> Result<(), SweepFault> {
    let deadline = || Instant::now() + TIMEOUT;
    let removed = shared.db.read(deadline(), move |tx| cleaning::removed(tx, number, now)).await?;
    for few in removed.chunks(cleaning::STEP) {
        let few = few.to_vec();
        shared.db.write(deadline(), move |tx| cleaning::forget(tx, number, &few)).await?;
    }
    Ok(())
}

/// [`forget_removed`] for all tenants, because there is no store.
async fn forget_all_removed(shared: &Shared, now: Timestamp) -> Result<(), SweepFault> {
    for tenant in shared.db.read(Instant::now() + TIMEOUT, cleaning::tenants).await? {
        forget_removed(shared, tenant, now).await?;
    }
    Ok(())
}

/// Deletes first what is stored and then the rows, so that a round that ends in between is repeated.
async fn delete(
    shared: &Shared,
    store: &FileStore,
    tenant: Numbered,
    files: &[Id<kinds::File>],
) -> Result<(), SweepFault> {
    if files.is_empty() {
        return Ok(());
    }
    for file in files {
        store.delete_all(Key { tenant: tenant.id, file: *file }).await?;
    }
    let (number, files) = (tenant.number, files.to_vec());
    let write =
        shared.db.write(Instant::now() + TIMEOUT, move |tx| cleaning::forget(tx, number, &files));
    Ok(write.await?)
}

#[cfg(test)]
mod tests;
