//! `zoop copy`: copies a database to another file or server, or to the other engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use zoop_crm::business::files::inventory;
use zoop_crm::transfer::{self, Copied, Phase, Progress};
use zoop_db::{Db, Migrate, Options};
use zoop_server::FileStore;

use crate::arguments::Copy;
use crate::config::Config;
use crate::database::{self, Database, Missing, describe};
use crate::file_store;
use crate::operator::to_anyhow;
use crate::output::{self, Output};
use crate::presence::{self, InUse};
use crate::table::Column;
use crate::url::without_password;

/// The time limit for asking the source about other connections.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The time limit for reading which files the copy names.
const FILES_TIMEOUT: Duration = Duration::from_secs(60);

/// The columns of the printed summary.
const COLUMNS: &[Column] = &[
    Column::text("TABLE", "table"),
    Column::text("ROWS", "rows"),
    Column::text("CHECKSUM", "checksum"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Copy, output: &mut Output<'_>) -> Result<()> {
    let from = command.from.as_deref().unwrap_or(&config.database);
    let options = config.sequential_options();
    refuse_copy_onto_itself(from, &command.to)?;
    let stores = (config.files_of(from)?, target_store(config, command)?);
    let source = source(from, &options, command.while_running)?;
    let target = database::open_exclusively(&command.to, &options, Missing::Create, Migrate::New)?;
    let (shown_from, shown_to) = (without_password(from), without_password(&command.to));
    let copied =
        copy(&source.db, &target.db).with_context(|| format!("cannot copy to {shown_to}"))?;
    let tables: Vec<Value> = copied.iter().map(table).collect();
    let files = copy_files(&target.db, stores)?;
    let mut answer =
        json!({ "copied": true, "from": shown_from, "to": shown_to, "tables": &tables });
    if let Some((json, _)) = &files {
        answer["files"] = json.clone();
    }
    output.answer(&answer, || {
        let tables = output::render_table(&tables, COLUMNS);
        let end = if command.while_running {
            "writes made after that were not copied"
        } else {
            "point the servers at the copy"
        };
        let files = files.map(|(_, text)| format!("\n{text}")).unwrap_or_default();
        format!(
            "{tables}\n{shown_to} has the rows that {shown_from} had when the copy began: {end}{files}"
        )
    })?;
    Ok(())
}

/// Where the content of the copy's files will be.
fn target_store(config: &Config, command: &Copy) -> Result<Option<FileStore>> {
    match &command.files_to {
        Some(url) => Ok(Some(config.files_at(url).map_err(|fault| anyhow!("--files-to {fault}"))?)),
        None => config.files_of(&command.to),
    }
}

/// Copies the content of the files that the copy names, unless both databases have the same store. Returns what to say of
/// it, if there are files.
fn copy_files(
    copy: &Db,
    (from, to): (Option<FileStore>, Option<FileStore>),
) -> Result<Option<(Value, String)>> {
    let files = copy.read(Instant::now() + FILES_TIMEOUT, inventory::all);
    let files = files.wait().map_err(|error| to_anyhow(&error))?;
    if files.is_empty() {
        return Ok(None);
    }
    let all = file_store::count(files.len());
    let not_copied = json!({ "copied": 0 });
    Ok(Some(match (from, to) {
        (Some(from), Some(to)) if from.is_same(&to) => (
            not_copied,
            format!(
                "{from} has the content of {all} on notes for both databases. The copy deletes nothing there, but servers \
                 of the source still delete what the source does not name: give the copy a files.url of its own, or stop \
                 them. When the source is gone for good, run `zoop files adopt` for the copy"
            ),
        ),
        (Some(from), Some(to)) => {
            let copied = file_store::copy(&from, &to, &files).with_context(|| {
                format!(
                    "all rows are copied, but the files on notes could not be copied from {from} to {to}: copy the \
                     store with another program"
                )
            })?;
            let text = format!("copied to {to}: {}", file_store::describe(&copied));
            (file_store::to_json(&copied), text)
        }
        (Some(from), None) => (
            not_copied,
            format!(
                "the content of {all} on notes is in {from} and was not copied: set files.url for the servers of the copy \
                 to this store, or to a copy of it"
            ),
        ),
        (None, _) => (
            not_copied,
            format!(
                "the content of {all} on notes was not copied, because files.url is not set: it must be the store of the \
                 source, or a copy of it"
            ),
        ),
    }))
}

/// Refuses to copy a file onto itself, even through a symbolic or hard link.
fn refuse_copy_onto_itself(from: &str, to: &str) -> Result<()> {
    if let (Ok(from), Ok(to)) = (database::file(from), database::file(to))
        && presence::is_one_file(&from, &to)
    {
        bail!("{} is the source itself: name another database", to.display());
    }
    Ok(())
}

/// Opens the source. Without `--while-running`, an SQLite file is locked, so that no other zoop process can write to
/// it during the copy. On PostgreSQL, the copy is refused if zoop has other connections to the source.
fn source(from: &str, options: &Options, while_running: bool) -> Result<Database> {
    if while_running {
        return database::open(from, options, Missing::Refuse, Migrate::Refuse);
    }
    let advice = "or copy with --while-running: writes made after the copy begins are not copied";
    let source = database::open_exclusively(from, options, Missing::Refuse, Migrate::Refuse);
    let source = source.map_err(|error| match error.downcast_ref() {
        Some(InUse(_)) => anyhow!("{error}, {advice}"),
        None => error,
    })?;
    let others = source.db.read::<_, zoop_db::Error>(Instant::now() + TIMEOUT, |tx| tx.others());
    let others = others.wait().map_err(|error| anyhow!(describe(&error)))?;
    let connections = if others == 1 { "connection" } else { "connections" };
    ensure!(
        others == 0,
        "{} is in use by a running zoop, which has {others} {connections} to it: stop the server first, {advice}",
        without_password(from)
    );
    Ok(source)
}

fn table(copied: &Copied) -> Value {
    let Copied { table, rows, checksum } = copied;
    json!({ "table": table, "rows": rows, "checksum": format!("{checksum:032x}") })
}

/// Copies, showing a progress bar for each phase.
fn copy(from: &Db, to: &Db) -> Result<Vec<Copied>> {
    let bar = Arc::new(Mutex::new((Phase::Rows, output::progress(label(Phase::Rows), 0))));
    let drawn = bar.clone();
    let progress: Progress = Arc::new(move |phase, done, all| {
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.0 != phase {
            drawn.1.finish_and_clear();
            *drawn = (phase, output::progress(label(phase), all));
        }
        drawn.1.set_length(all);
        drawn.1.set_position(done);
    });
    let copied = transfer::copy(from, to, &progress);
    bar.lock().unwrap_or_else(PoisonError::into_inner).1.finish_and_clear();
    copied.map_err(|error| to_anyhow(&error))
}

fn label(phase: Phase) -> &'static str {
    match phase {
        Phase::Rows => "rows",
        Phase::Index => "search index",
        Phase::Tokens => "index of words (minutes for a large database)",
        Phase::Comparison => "comparison",
    }
}
