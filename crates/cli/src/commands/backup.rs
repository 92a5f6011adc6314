//! `zoop backup` and `zoop restore-backup`: a consistent copy of the database's file, and the way
//! back. A copy is made under another name and takes its own only when it is whole.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::json;
use zoop_db::{Migrate, Options, sqlite};

use crate::arguments::{Backup, RestoreBackup};
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::{self, Missing, Presence, beside};
use crate::operator::{About, Operator};
use crate::output::{self, Output};
use crate::url::without_user;

/// Files that SQLite keeps beside a database.
const COMPANIONS: &[&str] = &["-wal", "-shm"];

/// Runs `zoop backup`.
pub(crate) fn backup(config: &Config, command: &Backup, output: &mut Output<'_>) -> Result<()> {
    let target = &command.path;
    refuse_server(config, |database| {
        let file = target.display();
        format!("pg_dump --username=postgres --format=custom --file='{file}' --dbname='{database}'")
    })?;
    if target.exists() && !command.force {
        bail!("{} exists: choose another name, or replace it with --force", target.display());
    }
    // Whatever its schema: a backup is what one makes before a migration.
    let source = database::existing(&config.database)?;
    let folder = database::folder(target);
    if !folder.is_dir() {
        bail!("there is no folder {}: make it first, or choose another", folder.display());
    }
    // Replacing a database that somebody has open would lose what they write from then on.
    let _alone = match target.exists() {
        true if fs::canonicalize(target)? == fs::canonicalize(&source)? => {
            bail!("{} is the database itself: choose another name", target.display())
        }
        true if beside(target, "-lock").exists() => Some(Presence::alone(target)?),
        _ => None,
    };
    let partial = beside(target, ".partial");
    discard(&partial)?;
    let bar = output::progress("backup", 0);
    sqlite::copy(&source, &partial, &mut |done, all| show(&bar, done, all))
        .with_context(|| format!("cannot write {}", partial.display()))?;
    bar.finish_and_clear();
    fs::File::open(&partial)?.sync_all()?;
    let bytes = fs::metadata(&partial)?.len();
    fs::rename(&partial, target)?;
    let answer = json!({ "path": target, "bytes": bytes });
    output.answer(&answer, || format!("wrote {} ({bytes} bytes)", target.display()))?;
    Ok(())
}

/// Runs `zoop restore-backup`.
pub(crate) fn restore(
    config: &Config,
    RestoreBackup { backup: command, confirmation }: &RestoreBackup,
    output: &mut Output<'_>,
) -> Result<()> {
    refuse_server(config, |database| {
        let (user, file) = ("--username=postgres", command.path.display());
        let whole = "--clean --if-exists --single-transaction";
        format!("pg_restore {user} {whole} --dbname='{database}' '{file}'")
    })?;
    let (source, target) = (&command.path, database::file(&config.database)?);
    if !source.is_file() {
        bail!("there is no backup {}", source.display());
    }
    if target.exists() && !command.force {
        bail!(
            "{} exists: name another database with --database, or replace it with --force",
            target.display()
        );
    }
    if target.exists() {
        let question = format!(
            "Replace {} by {}? What was written since the backup is lost.",
            target.display(),
            source.display()
        );
        confirm(confirmation, &question)?;
    }
    let _alone = Presence::alone(&target)?;
    let fresh = beside(&target, "-restoring");
    let copied = copy_and_check(config, source, &fresh);
    if copied.is_err() {
        discard(&fresh)?;
        remove(&beside(&fresh, "-lock"))?;
    }
    let tenants = copied?;
    put_in_place(&fresh, &target)?;
    let answer = json!({ "restored": true, "database": config.database, "tenants": tenants });
    output.answer(&answer, || {
        format!("{} is {} now, with {tenants} business(es)", target.display(), source.display())
    })?;
    Ok(())
}

/// A server's database is copied by the server's own programs.
fn refuse_server(config: &Config, command: impl FnOnce(&str) -> String) -> Result<()> {
    if !zoop_db::engine::is_postgres(&config.database) {
        return Ok(());
    }
    let command = command(&without_user(&config.database));
    bail!(
        "a PostgreSQL database is copied by PostgreSQL's own programs, also while it is in use, and by a \
         superuser, since row-level security hides rows from zoop's role: {command} (or move it to a \
         file: zoop copy --to sqlite://zoop.db)"
    )
}

/// Copies a backup and sees that it is a database of zoop's, with today's schema when this is done;
/// how many businesses it holds.
fn copy_and_check(config: &Config, source: &Path, fresh: &Path) -> Result<usize> {
    discard(fresh)?;
    let bar = output::progress("restore", 0);
    sqlite::copy(source, fresh, &mut |done, all| show(&bar, done, all))
        .with_context(|| format!("{} cannot be copied", source.display()))?;
    bar.finish_and_clear();
    let url = format!("sqlite://{}", fresh.display());
    let database = database::open(&url, &Options::default(), Missing::Refuse, Migrate::Run)
        .with_context(|| format!("{} is no backup of zoop's", source.display()))?;
    let answer =
        Operator::over(database, config)?.run(&About::Installation, "tenants.list", &json!({}))?;
    match answer["rows"].as_array().map_or(0, Vec::len) {
        0 => bail!("{} holds no business: it is not what was wanted", source.display()),
        tenants => Ok(tenants),
    }
}

/// Puts the fresh copy where the database was.
fn put_in_place(fresh: &Path, target: &Path) -> Result<()> {
    // A log of the old database must not be read as the new one's.
    for ending in COMPANIONS {
        remove(&beside(target, ending))?;
    }
    let log = beside(fresh, "-wal");
    if log.exists() {
        fs::rename(log, beside(target, "-wal"))?;
    }
    fs::rename(fresh, target).with_context(|| format!("cannot replace {}", target.display()))?;
    discard(fresh)?;
    remove(&beside(fresh, "-lock"))
}

/// Removes what an earlier, broken-off copy has left.
fn discard(copy: &Path) -> Result<()> {
    for ending in ["", "-journal"].iter().chain(COMPANIONS) {
        remove(&beside(copy, ending))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn show(bar: &ProgressBar, done: u64, all: u64) {
    bar.set_length(all);
    bar.set_position(done);
}
