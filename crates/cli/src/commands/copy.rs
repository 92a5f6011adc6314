//! `zoop copy`: copies a database to another file or server, or to the other engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use zoop_crm::transfer::{self, Copied, Phase, Progress};
use zoop_db::{Db, Migrate, Options};

use crate::arguments::Copy;
use crate::config::Config;
use crate::database::{self, Database, Missing, describe};
use crate::operator::to_anyhow;
use crate::output::{self, Output};
use crate::presence::{self, InUse};
use crate::table::Column;
use crate::url::without_password;

/// The time limit for asking the source about other connections.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    let source = source(from, &options, command.while_running)?;
    let target = database::open_exclusively(&command.to, &options, Missing::Create, Migrate::New)?;
    let (shown_from, shown_to) = (without_password(from), without_password(&command.to));
    let copied =
        copy(&source.db, &target.db).with_context(|| format!("cannot copy to {shown_to}"))?;
    let tables: Vec<Value> = copied.iter().map(table).collect();
    let answer = json!({ "copied": true, "from": shown_from, "to": shown_to, "tables": &tables });
    output.answer(&answer, || {
        let tables = output::render_table(&tables, COLUMNS);
        let end = if command.while_running {
            "writes made after that were not copied"
        } else {
            "point the servers at the copy"
        };
        format!(
            "{tables}\n{shown_to} has the rows that {shown_from} had when the copy began: {end}\n\
             the content of files on notes is not copied: give the servers of the copy the same files.url, or a copy \
             of the store"
        )
    })?;
    Ok(())
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
