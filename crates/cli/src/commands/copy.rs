//! `zoop copy`: a database moves to another file or server, or to the other engine.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zoop_crm::moving::{self, Copied, Phase, Watch};
use zoop_db::{Db, Migrate};

use crate::arguments::Copy;
use crate::config::Config;
use crate::database::{self, Missing};
use crate::operator::explained;
use crate::output::{self, Output};
use crate::url::without_password;

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Copy, output: &mut Output<'_>) -> Result<()> {
    let from = command.from.as_deref().unwrap_or(&config.database);
    let options = config.options_for_one();
    let source = database::open(from, &options, Missing::Refuse, Migrate::Refuse)?;
    let target = database::open_alone(&command.to, &options, Migrate::New)?;
    let (shown_from, shown_to) = (without_password(from), without_password(&command.to));
    let copied = copy(&source.db, &target.db).with_context(|| format!("{shown_to} is no copy"))?;
    let answer = json!({ "copied": true, "from": shown_from, "to": shown_to,
        "tables": copied.iter().map(table).collect::<Vec<_>>() });
    output.answer(&answer, || {
        let columns = [("TABLE", "table"), ("ROWS", "rows"), ("CHECKSUM", "checksum")];
        let tables = output::rows(&json!({ "rows": answer["tables"] }), &columns);
        format!("{tables}\n{shown_to} holds the same rows as {shown_from}: point the servers to it")
    })?;
    Ok(())
}

fn table(copied: &Copied) -> Value {
    let Copied { table, rows, checksum } = copied;
    json!({ "table": table, "rows": rows, "checksum": format!("{checksum:032x}") })
}

/// Copies, with a progress bar for each of the four parts of the work.
fn copy(from: &Db, to: &Db) -> Result<Vec<Copied>> {
    let bar = Arc::new(Mutex::new((Phase::Rows, output::progress(label(Phase::Rows), 0))));
    let drawn = bar.clone();
    let watch: Watch = Arc::new(move |phase, done, all| {
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.0 != phase {
            drawn.1.finish_and_clear();
            *drawn = (phase, output::progress(label(phase), all));
        }
        drawn.1.set_length(all);
        drawn.1.set_position(done);
    });
    let copied = moving::copy(from, to, &watch);
    bar.lock().unwrap_or_else(PoisonError::into_inner).1.finish_and_clear();
    copied.map_err(|error| explained(&error))
}

fn label(phase: Phase) -> &'static str {
    match phase {
        Phase::Rows => "rows",
        Phase::Index => "search index",
        Phase::Words => "index of words (some minutes where there are many)",
        Phase::Comparison => "comparison",
    }
}
