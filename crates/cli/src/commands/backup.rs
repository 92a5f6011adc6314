//! `zoop backup` and `zoop restore-backup`: copy the database's file consistently, and restore such a copy. A copy is
//! written under another name and renamed only when it is complete.

mod files;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use serde_json::json;
use zoop_crm::business::files::inventory::{self, Kept};
use zoop_crm::database_identity::{self, DatabaseId};
use zoop_db::{Migrate, Options, sqlite};
use zoop_server::FileStore;

use crate::arguments::{Backup, BackupFile, RestoreBackup};
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::{self, Missing, with_suffix};
use crate::operator::Operator;
use crate::output::{self, Output};
use crate::presence::{self, LOCK, Presence};
use crate::url::without_user;

/// The suffixes of the files that SQLite keeps next to a database.
const COMPANIONS: &[&str] = &["-wal", "-shm", "-journal"];
/// The suffixes of the files that may contain writes that are not in the database's file yet.
const LOGS: &[&str] = &["-wal", "-journal"];
/// The number of bytes copied between two progress reports.
const CHUNK_BYTES: u64 = 4 << 20;

/// Runs `zoop backup`.
pub(crate) fn backup(config: &Config, command: &Backup, output: &mut Output<'_>) -> Result<()> {
    let Backup { file: command, without_files } = command;
    let target = &command.path;
    refuse_server(config, |database| {
        let file = target.display();
        format!("pg_dump --username=postgres --format=custom --file='{file}' --dbname='{database}'")
    })?;
    // The database is not opened, so that an old schema can be backed up before its migration.
    let source = database::existing(&config.database)?;
    let _presence = Presence::shared(&source)?;
    let file = backup_file(&source, command)?;
    // If the backup replaced a database that is open, later writes to that database would be lost.
    let is_database = with_suffix(&file, LOCK).exists() || presence::has_other_names(&file)?;
    let is_database = file.exists() && is_database;
    let _exclusive = is_database.then(|| Presence::exclusive(&file)).transpose()?;
    let (bytes, named) = write(&source, &file)?;
    let mut answer = json!({ "path": target, "bytes": bytes });
    let mut lines = vec![format!("wrote {} ({bytes} bytes)", target.display())];
    if *without_files {
        if let Some(place) = config.files()?.filter(FileStore::may_have_files) {
            answer["without_files_of"] = json!(place.to_string());
            lines.push(format!(
                "files on notes are not in it: back up {place} too, after the database"
            ));
        }
    } else if let Some(told) = files::back_up(config, target, named)? {
        answer["files"] = told.json;
        lines.push(told.text);
    }
    output.answer(&answer, || lines.join("\n"))?;
    Ok(())
}

/// The path of the backup, after checking that it may be written.
fn backup_file(source: &Path, command: &BackupFile) -> Result<PathBuf> {
    let target = &command.path;
    presence::refuse_irregular(target)?;
    let folder = database::folder(target);
    if !folder.is_dir() {
        bail!("there is no folder {}: create it first, or choose another", folder.display());
    }
    let file = sqlite::resolved(target);
    if presence::is_one_file(&file, source) {
        bail!("{} is the database itself: choose another name", target.display());
    }
    if let Some(database) = owning_database(&file).or_else(|| database_linked_by(&file, source)) {
        bail!(
            "{} belongs to the database {}: choose another name",
            target.display(),
            database.display()
        );
    }
    if !command.force {
        let mut suffixes = [""].iter().chain(COMPANIONS);
        if let Some(suffix) = suffixes.find(|suffix| with_suffix(&file, suffix).exists()) {
            let found = with_suffix(target, suffix);
            bail!("{} exists: choose another name, or replace it with --force", found.display());
        }
    }
    Ok(file)
}

/// The database to which a file belongs by its name, whether or not the file exists.
fn owning_database(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    let names = COMPANIONS.iter().chain(&[LOCK]).filter_map(|suffix| name.strip_suffix(suffix));
    names.map(|name| file.with_file_name(name)).find(|database| database.exists())
}

/// Returns `source` if `file` is a hard link to one of the files that SQLite or zoop keeps next to it.
fn database_linked_by(file: &Path, source: &Path) -> Option<PathBuf> {
    let database = sqlite::resolved(source);
    let mut suffixes = COMPANIONS.iter().chain(&[LOCK]);
    let is_companion =
        suffixes.any(|suffix| presence::is_one_file(file, &with_suffix(&database, suffix)));
    is_companion.then(|| source.to_owned())
}

/// Writes the backup, and returns its size in bytes and the files that it names. A failure leaves nothing behind.
fn write(source: &Path, file: &Path) -> Result<(u64, Option<Vec<Kept>>)> {
    let partial = with_suffix(file, ".partial");
    discard(&partial)?;
    let written = write_partial(source, &partial)
        .with_context(|| format!("cannot write {}", partial.display()))
        .and_then(|bytes| {
            let named = files::named(&partial);
            remove_companions(&partial)?;
            remove_companions(file)?;
            rename_durably(&partial, file)?;
            Ok((bytes, named))
        });
    if written.is_err() {
        // An error here is ignored, because the first error says more.
        let _ = discard(&partial);
    }
    written
}

fn write_partial(source: &Path, partial: &Path) -> Result<u64> {
    let bar = output::progress("backup", 0);
    sqlite::copy(source, partial, &mut |done, all| show(&bar, done, all))?;
    bar.finish_and_clear();
    // Another database than the one that was backed up, so that a server on it deletes no files of that one.
    sqlite::change(partial, database_identity::TABLE, database_identity::RENEW_IN_FILE)?;
    File::open(partial)?.sync_all()?;
    Ok(fs::metadata(partial)?.len())
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
    let (source, named) = (&command.path, database::file(&config.database)?);
    ensure!(source.is_file(), "there is no backup {}", source.display());
    presence::refuse_irregular(&named)?;
    if named.exists() && !command.force {
        bail!(
            "{} exists: name another database with --database, or replace it with --force",
            named.display()
        );
    }
    if named.exists() {
        let question = format!(
            "Replace {} with {}? Everything written since the backup will be lost.",
            named.display(),
            source.display()
        );
        confirm(confirmation, &question)?;
    }
    // If the path is a symbolic link, the file that it points to is replaced, and the link stays.
    let target = sqlite::resolved(&named);
    let _exclusive = Presence::exclusive(&target)?;
    let fresh = with_suffix(&target, "-restoring");
    let restored = copy_and_check(config, source, &fresh).and_then(|checked| {
        let told = files::put_back(config, source, &checked.files)?;
        put_in_place(&fresh, &target)?;
        Ok((checked, told))
    });
    if restored.is_err() {
        let _ = discard(&fresh);
    }
    remove(&with_suffix(&fresh, LOCK))?;
    let (Checked { tenants, database, .. }, told) = restored?;
    let mut answer = json!({ "restored": true, "database": config.database, "tenants": tenants });
    let mut lines = vec![format!(
        "restored {} from {}, with {tenants} business(es)",
        named.display(),
        source.display()
    )];
    if let Some(told) = told {
        answer["files"] = told.json;
        lines.push(told.text);
    }
    output.answer(&answer, || lines.join("\n"))?;
    files::note_owner(config, &database)
}

/// Refuses a PostgreSQL database, which is backed up and restored with PostgreSQL's own programs. The error contains
/// the command.
fn refuse_server(config: &Config, command: impl FnOnce(&str) -> String) -> Result<()> {
    if !zoop_db::engine::is_postgres(&config.database) {
        return Ok(());
    }
    let command = command(&without_user(&config.database));
    bail!(
        "a PostgreSQL database is backed up and restored with PostgreSQL's own programs, run by a superuser \
         because row-level security hides rows from zoop's role: {command} (or move the database to a \
         file: zoop copy --to sqlite://zoop.db); the store of files on notes needs a backup of its own, and a restored \
         database deletes nothing there until `zoop files adopt`"
    )
}

/// A copy of a backup that can become the database.
struct Checked {
    /// The number of its businesses.
    tenants: usize,
    /// The files that it names.
    files: Vec<Kept>,
    /// Its own id, so that it deletes nothing in the store of the database that was backed up.
    database: DatabaseId,
}

/// Copies a backup, checks that it is a zoop database, migrates it to the current schema, and makes it a database of its
/// own.
fn copy_and_check(config: &Config, source: &Path, fresh: &Path) -> Result<Checked> {
    discard(fresh)?;
    let bar = output::progress("restore", 0);
    copy(source, fresh, &bar)
        .with_context(|| format!("{} cannot be copied to {}", source.display(), fresh.display()))?;
    bar.finish_and_clear();
    let url = format!("sqlite://{}", fresh.display());
    let database = database::open(&url, &Options::default(), Missing::Refuse, Migrate::Run)
        .with_context(|| format!("{} is not a zoop backup", source.display()))?;
    let operator = Operator::with_database(database, config)?;
    let tenants = operator.businesses()?.len();
    if tenants == 0 {
        bail!("{} contains no business: it is probably the wrong file", source.display());
    }
    let entropy = operator.environment.entropy.clone();
    let database = operator.write(move |tx| database_identity::renew(tx, &entropy))?;
    Ok(Checked { tenants, files: operator.read(inventory::all)?, database })
}

/// Copies a backup without changing its folder, which may be on a read-only disk. If a process has the backup open,
/// one snapshot is copied, otherwise the file and its log (if any).
fn copy(source: &Path, fresh: &Path, bar: &ProgressBar) -> Result<()> {
    if Presence::is_held(source) {
        return Ok(sqlite::copy(source, fresh, &mut |done, all| show(bar, done, all))?);
    }
    copy_file(source, fresh, bar)?;
    for suffix in LOGS {
        let log = with_suffix(&sqlite::resolved(source), suffix);
        if log.exists() {
            copy_file(&log, &with_suffix(fresh, suffix), bar)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, bar: &ProgressBar) -> io::Result<()> {
    let mut from = File::open(from)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let (mut done, all) = (0, from.metadata()?.len());
    loop {
        show(bar, done, all);
        let copied = io::copy(&mut from.by_ref().take(CHUNK_BYTES), &mut to)?;
        if copied == 0 {
            return to.sync_all();
        }
        done += copied;
    }
}

/// Moves the fresh copy to the database's path.
fn put_in_place(fresh: &Path, target: &Path) -> Result<()> {
    remove_companions(target)?;
    let log = with_suffix(fresh, "-wal");
    if log.exists() {
        fs::rename(log, with_suffix(target, "-wal"))?;
    }
    rename_durably(fresh, target)?;
    discard(fresh)
}

/// Renames a file, and makes sure that the new name survives a loss of power.
fn rename_durably(file: &Path, name: &Path) -> Result<()> {
    fs::rename(file, name).with_context(|| format!("cannot replace {}", name.display()))?;
    File::open(database::folder(name))?.sync_all()?;
    Ok(())
}

/// Removes a copy and its companion files, which an interrupted run may have left behind.
fn discard(copy: &Path) -> Result<()> {
    remove(copy)?;
    remove_companions(copy)
}

/// Removes the files that SQLite keeps next to a database that is being replaced or removed: an old log must not be
/// applied to the new database.
fn remove_companions(database: &Path) -> Result<()> {
    for suffix in COMPANIONS {
        remove(&with_suffix(database, suffix))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn show(bar: &ProgressBar, done: u64, all: u64) {
    bar.set_length(all);
    bar.set_position(done);
}
