//! The content of files on notes in a backup: a folder beside the backup's file, of the same form as the store.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use zoop_crm::business::files::inventory::{self, Kept};
use zoop_crm::database_identity::DatabaseId;
use zoop_crm::schema::MIGRATIONS;
use zoop_db::{Db, Migrate, Options};
use zoop_server::{FileStore, Owner};

use crate::config::Config;
use crate::database::with_suffix;
use crate::file_store;
use crate::output;

/// The suffix of the folder's name, after that of the backup's file.
const SUFFIX: &str = "-files";
/// The time limit for reading which files there are.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// What a command says of the files.
pub(super) struct Told {
    pub(super) json: Value,
    pub(super) text: String,
}

/// The folder of a backup's files.
fn folder(backup: &Path) -> PathBuf {
    with_suffix(backup, SUFFIX)
}

/// The files that a database names. `None` if its schema is not this program's, so that they cannot be read.
pub(super) fn named(database: &Path) -> Option<Vec<Kept>> {
    let one = Some(std::num::NonZeroUsize::MIN);
    let options = Options { readers: one, ..Options::default() };
    let url = format!("sqlite://{}", database.display());
    let db = Db::open(&url, &options, MIGRATIONS, Migrate::Refuse).ok()?;
    db.read(std::time::Instant::now() + TIMEOUT, inventory::all).wait().ok()
}

/// Copies the content of the files that the backup names to the folder beside it. If it is unknown which they are, all
/// content of the store is copied.
pub(super) fn back_up(
    config: &Config,
    backup: &Path,
    named: Option<Vec<Kept>>,
) -> Result<Option<Told>> {
    let Some(store) = config.files()? else { return Ok(None) };
    let folder = folder(backup);
    let target = FileStore::folder(&folder);
    let failed = || {
        format!(
            "{} is written, but the files on notes could not be copied from {store} to {}",
            backup.display(),
            folder.display()
        )
    };
    let files = match named {
        Some(files) => files,
        None if store.may_have_files() => file_store::wait(store.all()).with_context(failed)?,
        None => Vec::new(),
    };
    if files.is_empty() {
        return Ok(None);
    }
    ensure!(
        !store.is_same(&target),
        "{} is the store of the files itself: choose another name for the backup",
        folder.display()
    );
    let copied = file_store::copy(&store, &target, &files).with_context(failed)?;
    let mut json = file_store::to_json(&copied);
    json["folder"] = json!(folder);
    let text = format!("wrote {} with {}", folder.display(), file_store::describe(&copied));
    Ok(Some(Told { json, text }))
}

/// Puts the content that is beside a backup into the store, before the backup's rows need it.
pub(super) fn put_back(config: &Config, backup: &Path, files: &[Kept]) -> Result<Option<Told>> {
    let Some(store) = config.files()?.filter(|_| !files.is_empty()) else { return Ok(None) };
    let folder = folder(backup);
    let failed = || format!("nothing was replaced: the files on notes cannot be put into {store}");
    if folder.is_dir() {
        let source = FileStore::folder(&folder);
        let copied = file_store::copy(&source, &store, files).with_context(failed)?;
        let text = format!("put into {store}: {}", file_store::describe(&copied));
        return Ok(Some(Told { json: file_store::to_json(&copied), text }));
    }
    let missing = file_store::wait(store.missing(files)).with_context(failed)?;
    let there = match missing.as_slice() {
        [] => format!("{store} has the content of all {}", file_store::count(files.len())),
        missing => format!(
            "the content of {} of {} is missing in {store}: {}",
            missing.len(),
            file_store::count(files.len()),
            file_store::names(missing)
        ),
    };
    let json = json!({ "copied": 0, "missing": missing.len() });
    let text = format!(
        "the backup has no files, because there is no folder {}: {there}",
        folder.display()
    );
    Ok(Some(Told { json, text }))
}

/// Says on stderr that the store belongs to another database: also to the one that was replaced.
pub(super) fn note_owner(config: &Config, database: &DatabaseId) -> Result<()> {
    let Some(store) = config.files()? else { return Ok(()) };
    // A store that does not answer is told by the server and by `zoop doctor`.
    if file_store::wait(store.owner(database)).ok() == Some(Owner::AnotherDatabase) {
        output::note(&format!(
            "{store} belongs to the database before this one, so this one deletes nothing there: a server on the \
             database before it still does. If that one is gone for good, and you will not go back to another backup, run \
             `zoop files adopt`: what this database does not name is deleted then"
        ));
    }
    Ok(())
}
