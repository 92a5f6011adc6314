//! Deletes the content that nothing needs: of files that were removed a day ago, and content that no row names for a day.

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
use zoop_db::Timestamp;

use super::ownership::Owner;
use super::store::{FileStore, Key, Stored, UnusableFileStore};
use crate::app::{App, Shared};

/// How often it is checked whether a round is due, or whether a store has come that belongs to nobody.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The time between two rounds, in microseconds. A round lists the whole store.
const INTERVAL: i64 = 6 * 60 * 60 * 1_000_000;
/// The time after a round that did not sweep everything, in microseconds.
const RETRY: i64 = 15 * 60 * 1_000_000;
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
        let now = app.shared.environment.clock.now();
        tokio::select! {
            _ = stopping.changed() => return,
            () = sweeping.round(&app.shared, now) => {}
        }
    }
}

/// When the next round is due.
#[derive(Debug)]
pub(crate) struct Sweeping {
    next: Option<Timestamp>,
    /// Whether the log says that the store belongs to another database.
    has_told_owner: bool,
    /// The time limit for one tenant in one round. The next round goes on.
    tenant_timeout: Duration,
}

impl Default for Sweeping {
    fn default() -> Self {
        Self { next: None, has_told_owner: false, tenant_timeout: TENANT_TIMEOUT }
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
    async fn round(&mut self, shared: &Shared, now: Timestamp) {
        let store = shared.settings.files.as_ref().filter(|store| store.may_have_files());
        let Some(store) = store else { return };
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        let is_complete = self.sweep_all(shared, store, now).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the file store could not be swept; the next round tries again");
            false
        });
        self.next = Some(Timestamp(now.0 + if is_complete { INTERVAL } else { RETRY }));
    }

    /// Sweeps the content of one tenant after the other. Returns whether all of them could be swept. A store of another
    /// database is left alone.
    async fn sweep_all(
        &mut self,
        shared: &Shared,
        store: &FileStore,
        now: Timestamp,
    ) -> Result<bool, SweepFault> {
        let read = shared.db.read(Instant::now() + TIMEOUT, |tx| {
            Ok::<_, Error>((database_identity::get(tx)?, cleaning::tenants(tx)?))
        });
        let (database, tenants) = read.await?;
        if !self.is_ours(store, store.claim(&database).await?) {
            return Ok(false);
        }
        let mut is_complete = true;
        for tenant in tenants {
            // Another database may adopt the store meanwhile. A store that does not answer ends the round.
            if !self.is_ours(store, store.claim(&database).await?) {
                return Ok(false);
            }
            let swept = time::timeout(self.tenant_timeout, sweep(shared, store, tenant, now)).await;
            match swept.map_err(SweepFault::from).flatten() {
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
        }
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
                 otherwise set files.url to a store for this database alone"
            );
        }
        self.has_told_owner = !is_ours;
        is_ours
    }
}

/// Sweeps the content of one tenant, and returns how many files were deleted.
async fn sweep(
    shared: &Shared,
    store: &FileStore,
    tenant: Numbered,
    now: Timestamp,
) -> Result<usize, SweepFault> {
    let number = tenant.number;
    let mut deleted = store.delete_leftovers(tenant.id, now).await?;
    loop {
        let read =
            shared.db.read(Instant::now() + TIMEOUT, move |tx| cleaning::removed(tx, number, now));
        let removed = read.await?;
        delete(shared, store, tenant, &removed).await?;
        deleted += removed.len();
        if removed.len() < cleaning::STEP {
            break;
        }
    }
    let mut old: Vec<_> = store.list(tenant.id).await?;
    old.retain(|stored| is_old(stored, now));
    let mut old: Vec<_> = old.into_iter().map(|stored| stored.file).collect();
    old.sort_by_key(|id| id.uuid());
    for few in old.chunks(cleaning::STEP) {
        let few = few.to_vec();
        let read = shared
            .db
            .read(Instant::now() + TIMEOUT, move |tx| cleaning::unneeded(tx, number, now, &few));
        let unneeded = read.await?;
        delete(shared, store, tenant, &unneeded).await?;
        deleted += unneeded.len();
    }
    Ok(deleted)
}

/// Whether content is in the store for a day, as far as the store says that. Otherwise its id tells its age, but a clock that
/// was wrong makes ids of another time.
fn is_old(stored: &Stored, now: Timestamp) -> bool {
    stored.since.is_none_or(|since| since.0 < now.0 - cleaning::KEPT_FOR)
}

/// Deletes first the content and then the rows, so that a round that ends in between is repeated.
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
        store.delete(Key { tenant: tenant.id, file: *file }).await?;
    }
    let (number, files) = (tenant.number, files.to_vec());
    let write =
        shared.db.write(Instant::now() + TIMEOUT, move |tx| cleaning::forget(tx, number, &files));
    Ok(write.await?)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use axum::Router;
    use axum::response::AppendHeaders;
    use serde_json::json;
    use zoop_both::both;
    use zoop_crm::database_identity::DatabaseId;
    use zoop_crm::testing::{Business, TestEnv};
    use zoop_crm::values::id::following;

    use super::*;
    use crate::app::{App, Settings};

    const HOUR: i64 = 60 * 60 * 1_000;

    /// Adds a file with content to the note.
    async fn add(env: &TestEnv, acme: &Business, store: &FileStore, note: &str) -> Id<kinds::File> {
        let file = env.add_file(&acme.owner, note, "a.txt", b"text").expect("a file").id;
        write(acme, store, file).await;
        file
    }

    async fn write(acme: &Business, store: &FileStore, file: Id<kinds::File>) {
        let mut writer = store.write(Key { tenant: acme.account.id, file }).expect("a writer");
        writer.write(b"text").await.expect("written");
        writer.finish().await.expect("stored");
    }

    /// A server's state, with a folder as its store.
    fn shared(env: &TestEnv, store: &FileStore) -> std::sync::Arc<Shared> {
        let mut settings = Settings::new("http://t.test".parse().expect("a URL"));
        settings.files = Some(store.clone());
        App::new(env.db.clone(), env.environment.clone(), settings).shared
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(work)
    }

    /// Content that no row names.
    async fn lose(env: &TestEnv, business: &Business, store: &FileStore) {
        let lost = Id::new(following(None, env.environment.clock.now(), 7));
        write(business, store, lost).await;
    }

    #[both]
    fn nothing_is_deleted_in_the_store_of_another_database() {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let shared = shared(&env, &store);
        run(async {
            let other = "00000000-0000-4000-8000-000000000001 elsewhere";
            store.adopt(&DatabaseId::parse(other).expect("an id")).await.expect("adopted");
            lose(&env, &acme, &store).await;
            env.clock.advance(25 * HOUR);
            let mut sweeping = Sweeping::default();
            let mut left = async || {
                sweeping.round(&shared, env.environment.clock.now()).await;
                store.list(acme.account.id).await.expect("a list").len()
            };
            assert_eq!(left().await, 1);
            let ours = env.read(database_identity::get).expect("an id");
            store.adopt(&ours).await.expect("adopted");
            env.clock.advance(HOUR);
            assert_eq!(left().await, 0);
        });
    }

    #[both]
    fn a_business_that_cannot_be_swept_does_not_keep_the_others_from_it() {
        let env = TestEnv::new();
        let [first, second] = ["First", "Second"].map(|name| env.empty_business(name));
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let shared = shared(&env, &store);
        run(async {
            let in_the_way = folder.path().join(first.account.id.to_string());
            std::fs::write(&in_the_way, "no folder").expect("a file");
            lose(&env, &second, &store).await;
            env.clock.advance(25 * HOUR);
            let mut sweeping = Sweeping::default();
            sweeping.round(&shared, env.environment.clock.now()).await;
            assert_eq!(store.list(second.account.id).await.expect("a list"), []);

            std::fs::remove_file(&in_the_way).expect("removed");
            lose(&env, &first, &store).await;
            env.clock.advance(25 * HOUR);
            sweeping.round(&shared, env.environment.clock.now()).await;
            assert_eq!(store.list(first.account.id).await.expect("a list"), []);
        });
    }

    /// A bucket that belongs to the database, and never lists the content of one tenant. Each question is sent to the channel.
    async fn bucket(
        database: DatabaseId,
        silent_about: String,
        asked: Sender<String>,
    ) -> FileStore {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", server.local_addr().expect("an address"));
        let answer = move |target: String| {
            let (silent_about, asked) = (silent_about.clone(), asked.clone());
            async move {
                asked.send(target.clone()).expect("the test hears it");
                if target.contains(&silent_about) {
                    std::future::pending::<()>().await;
                }
                let body = if target.contains("zoop-database") {
                    database.to_string()
                } else {
                    "<ListBucketResult></ListBucketResult>".to_owned()
                };
                let known = [("ETag", "1"), ("Last-Modified", "Mon, 01 Jun 2026 00:00:00 GMT")];
                (AppendHeaders(known), body)
            }
        };
        let router = Router::new().fallback(move |uri: axum::http::Uri| answer(uri.to_string()));
        tokio::spawn(async move { axum::serve(server, router).await });
        let keys = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let variables = keys.map(|(name, value)| (name.to_owned(), value.to_owned()));
        FileStore::open("s3://photos", Some(&endpoint), variables).expect("a store")
    }

    #[test]
    fn a_business_whose_files_are_not_listed_in_time_does_not_hold_up_the_others() {
        let env = TestEnv::new();
        let [first, second] = ["First", "Second"].map(|name| env.empty_business(name).account.id);
        let database = env.read(database_identity::get).expect("an id");
        run(async {
            let (asked, questions) = std::sync::mpsc::channel();
            let store = bucket(database, first.to_string(), asked).await;
            let shared = shared(&env, &store);
            let tenant_timeout = Duration::from_millis(200);
            let mut sweeping = Sweeping { tenant_timeout, ..Sweeping::default() };
            let round = sweeping.round(&shared, env.environment.clock.now());
            // Sooner than the request itself is given up.
            time::timeout(Duration::from_secs(20), round).await.expect("it goes on");
            let asked_about =
                |id: Id<kinds::Tenant>| move |target: String| target.contains(&id.to_string());
            assert!(questions.try_iter().any(asked_about(second)), "after the first");
            let due = Timestamp(env.environment.clock.now().0 + RETRY);
            assert_eq!(sweeping.next, Some(due), "the first one is tried again soon");
        });
    }

    #[test]
    fn content_of_a_bucket_is_as_old_as_the_bucket_says() {
        let now = Timestamp(100 * HOUR * 1_000);
        let stored = |hour: Option<i64>| Stored {
            file: Id::new(following(None, Timestamp(0), 7)),
            size: 1,
            since: hour.map(|hour| Timestamp(hour * HOUR * 1_000)),
        };
        assert!(is_old(&stored(Some(75)), now) && is_old(&stored(None), now));
        assert!(!is_old(&stored(Some(77)), now), "even if a wrong clock made its id");
    }

    #[both]
    fn content_that_nothing_needs_is_deleted_after_a_day() {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate sticks." }));
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let shared = shared(&env, &store);
        run(async {
            let kept = add(&env, &acme, &store, &note).await;
            let removed = add(&env, &acme, &store, &note).await;
            let lost = Id::new(following(None, env.environment.clock.now(), 7));
            write(&acme, &store, lost).await;
            let remove = json!({ "id": removed });
            env.call(&acme.owner, "notes.remove_file", remove).expect("removed");
            let mut sweeping = Sweeping::default();
            let mut left = async || {
                let now = env.environment.clock.now();
                sweeping.round(&shared, now).await;
                store.list(acme.account.id).await.expect("a list").len()
            };
            assert_eq!(left().await, 3);
            env.clock.advance(23 * HOUR);
            assert_eq!(left().await, 3, "not before a day has passed");
            env.clock.advance(2 * HOUR);
            assert_eq!(left().await, 3, "the next round is not due");
            env.clock.advance(5 * HOUR);
            assert_eq!(left().await, 1);
            assert_eq!(store.list(acme.account.id).await.expect("a list")[0].file, kept);
        });
    }
}
