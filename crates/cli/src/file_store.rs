//! The content of files on notes, for commands that compare or copy stores.

use std::future::Future;

use anyhow::Result;
use serde_json::{Value, json};
use zoop_crm::business::files::inventory::Kept;
use zoop_server::{CopiedFiles, FileStore};

use crate::output;

/// How many missing files are named.
const NAMED: usize = 3;

/// Waits for work with a store.
pub(crate) fn wait<T, E: Into<anyhow::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // A store that hangs must not hold up the end of the command.
    runtime.shutdown_background();
    outcome.map_err(Into::into)
}

/// Copies content to another store, and shows the progress. Says on stderr what is missing, also if the answer is JSON.
pub(crate) fn copy(from: &FileStore, to: &FileStore, files: &[Kept]) -> Result<CopiedFiles> {
    let bar = output::progress("files", files.iter().map(|kept| kept.size).sum());
    let copied = wait(from.copy_to(to, files, &|size| bar.inc(size)));
    bar.finish_and_clear();
    let copied = copied?;
    if !copied.missing.is_empty() {
        output::note(&format!(
            "the content of {} is missing in {from}, so it is not in the copy: {}",
            count(copied.missing.len()),
            names(&copied.missing)
        ));
    }
    Ok(copied)
}

/// What was copied, for `--json`.
pub(crate) fn to_json(copied: &CopiedFiles) -> Value {
    let CopiedFiles { files, bytes, already_there, missing } = copied;
    let missing = missing.len();
    json!({ "copied": files, "bytes": bytes, "already_there": already_there, "missing": missing })
}

/// What was copied, for people.
pub(crate) fn describe(copied: &CopiedFiles) -> String {
    let CopiedFiles { files, bytes, already_there, .. } = copied;
    let already = match already_there {
        0 => String::new(),
        count => format!(", {count} were there already"),
    };
    format!("{} ({bytes} bytes){already}", count(*files))
}

/// A number of files in words.
pub(crate) fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

/// The first of the files, as they are called in a store.
pub(crate) fn names(files: &[Kept]) -> String {
    let named = files.iter().take(NAMED).map(|kept| format!("{}/{}", kept.tenant, kept.file));
    let mut named: Vec<_> = named.collect();
    if files.len() > NAMED {
        named.push("…".to_owned());
    }
    named.join(", ")
}
