//! Checks the store of files on notes, and compares it with the database.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use zoop_crm::business::files::inventory;
use zoop_crm::database_identity;
use zoop_server::{FileStore, Owner};

use super::Check;
use crate::config::Config;
use crate::file_store::{self, count, names};
use crate::operator::Operator;

/// The time limit for one question to the store.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The time limit for listing all content.
const LIST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Whether files on notes can be stored.
pub(super) fn store(config: &Config) -> Check {
    Check::new("files", usable(config))
}

/// A folder that was never used is not created here.
fn usable(config: &Config) -> Result<String> {
    let Some(store) = config.files()? else {
        return Ok("files on notes are refused: files.url is not set".to_owned());
    };
    if store.may_have_files() {
        in_time(TIMEOUT, async { Ok(store.check().await?) })
            .with_context(|| format!("files on notes cannot be stored in {store}"))?;
    }
    Ok(format!("files on notes are stored in {store}"))
}

/// Compares the store, which answers, with the database.
pub(super) fn compare(config: &Config, operator: &Operator) -> Vec<Check> {
    let Ok(Some(store)) = config.files() else { return Vec::new() };
    vec![
        Check::advice("owner of files", owner(&store, operator)),
        Check::new("content of files", content(&store, operator)),
    ]
}

fn owner(store: &FileStore, operator: &Operator) -> Result<String> {
    let database = operator.read(database_identity::get)?;
    match in_time(TIMEOUT, async { Ok(store.owner(&database).await?) })? {
        Owner::ThisDatabase => Ok(format!("{store} belongs to this database")),
        Owner::Nobody => Ok(format!("{store} will belong to this database when it is first used")),
        Owner::AnotherDatabase => bail!(
            "{store} belongs to another database, or this one was moved, so this one deletes nothing there: if the other \
             one is gone for good, and what this one does not name may be deleted, run `zoop files adopt`; otherwise set \
             files.url to a store of this database's own"
        ),
    }
}

fn content(store: &FileStore, operator: &Operator) -> Result<String> {
    let files = operator.read(inventory::all)?;
    let missing = in_time(LIST_TIMEOUT, async { Ok(store.missing(&files).await?) })?;
    let all = count(files.len());
    match missing.as_slice() {
        [] => Ok(format!("the content of all {all} on notes is in {store}")),
        missing => bail!(
            "the content of {} of {all} on notes is missing in {store}, or is not of the right size: {}; put it back \
             from a backup, or remove these files from their notes",
            missing.len(),
            names(missing)
        ),
    }
}

/// Waits for the store, but not for longer than the limit.
fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    file_store::wait(async {
        let in_time = tokio::time::timeout(limit, work).await;
        in_time.map_err(|_| anyhow!("it did not answer in {} seconds", limit.as_secs()))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_does_not_answer_is_told_in_time() {
        let never = in_time(Duration::from_millis(1), std::future::pending::<Result<()>>());
        assert!(never.unwrap_err().to_string().contains("did not answer"));
    }
}
