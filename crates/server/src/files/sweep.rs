//! Deletes the content that nothing needs: of files that were removed a day ago, and content that no row names for a day.

use std::time::{Duration, Instant};

use zoop_crm::business::files::cleaning;
use zoop_crm::call::access::Account;
use zoop_crm::call::error::Error;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Timestamp;

use super::store::{FileStore, Key};
use crate::app::Shared;

/// The time between two rounds, in microseconds. A round lists the whole store.
const INTERVAL: i64 = 6 * 60 * 60 * 1_000_000;
/// The time limit for a database job.
const TIMEOUT: Duration = Duration::from_secs(30);

/// When the next round is due.
#[derive(Debug, Default)]
pub(crate) struct Sweeping {
    next: Option<Timestamp>,
}

/// Why a round ended early, for the log.
#[derive(Debug)]
pub(crate) struct SweepFault(String);

impl std::fmt::Display for SweepFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

impl Sweeping {
    /// Sweeps the store if a round is due. A round that fails is due again.
    pub(crate) async fn round(
        &mut self,
        shared: &Shared,
        now: Timestamp,
    ) -> Result<(), SweepFault> {
        let store = shared.settings.files.as_ref().filter(|store| store.may_have_files());
        let Some(store) = store else { return Ok(()) };
        if self.next.is_some_and(|next| now < next) {
            return Ok(());
        }
        let tenants = shared.db.read(Instant::now() + TIMEOUT, cleaning::tenants).await?;
        for tenant in tenants {
            let deleted = sweep(shared, store, &tenant, now).await?;
            if deleted > 0 {
                tracing::debug!(tenant_id = %tenant.id, deleted, "content of files was deleted");
            }
        }
        self.next = Some(Timestamp(now.0 + INTERVAL));
        Ok(())
    }
}

/// Sweeps the content of one tenant, and returns how many files were deleted.
async fn sweep(
    shared: &Shared,
    store: &FileStore,
    tenant: &Account,
    now: Timestamp,
) -> Result<usize, SweepFault> {
    let (number, mut deleted) = (tenant.number, 0);
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
    let mut stored = store.list(tenant.id).await?;
    stored.sort_by_key(|id| id.uuid());
    for few in stored.chunks(cleaning::STEP) {
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

/// Deletes first the content and then the rows, so that a round that ends in between is repeated.
async fn delete(
    shared: &Shared,
    store: &FileStore,
    tenant: &Account,
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
    use serde_json::json;
    use zoop_both::both;
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

    #[both]
    fn content_that_nothing_needs_is_deleted_after_a_day() {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate sticks." }));
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let mut settings = Settings::new("http://t.test".parse().expect("a URL"));
        settings.files = Some(store.clone());
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let kept = add(&env, &acme, &store, &note).await;
            let removed = add(&env, &acme, &store, &note).await;
            let lost = Id::new(following(None, env.environment.clock.now(), 7));
            write(&acme, &store, lost).await;
            let remove = json!({ "id": removed });
            env.call(&acme.owner, "notes.remove_file", remove).expect("removed");
            let mut sweeping = Sweeping::default();
            let mut left = async || {
                let now = env.environment.clock.now();
                sweeping.round(&shared, now).await.expect("a round");
                store.list(acme.account.id).await.expect("a list").len()
            };
            assert_eq!(left().await, 3);
            env.clock.advance(23 * HOUR);
            assert_eq!(left().await, 3, "not before a day has passed");
            env.clock.advance(2 * HOUR);
            assert_eq!(left().await, 3, "the next round is not due");
            env.clock.advance(5 * HOUR);
            assert_eq!(left().await, 1);
            assert_eq!(store.list(acme.account.id).await.expect("a list"), [kept]);
        });
    }
}
