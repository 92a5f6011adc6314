//! Opening the database that the settings name.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use zoop_crm::schema::MIGRATIONS;
use zoop_db::{Db, Migrate, Options};

use crate::presence::Presence;
use crate::url::without_password;

/// The open database, and the lock that shows that it is open.
pub(crate) struct Database {
    /// The storage.
    pub(crate) db: Db,
    /// Fields are dropped in order, so the lock outlives the open database. `None` on PostgreSQL.
    _presence: Option<Presence>,
}

/// What to do if there is no database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Create the database.
    Create,
    /// Refuse, and say how to create one.
    Refuse,
}

/// Opens the database. A file that is created here always gets the current schema.
pub(crate) fn open(
    url: &str,
    options: &Options,
    missing: Missing,
    migrate: Migrate,
) -> Result<Database> {
    if zoop_db::engine::is_postgres(url) {
        return open_with(url, options, migrate, None);
    }
    let path = match missing {
        Missing::Refuse => existing(url)?,
        Missing::Create => file(url)?,
    };
    let is_new = !path.exists();
    let presence = Presence::shared(&path)?;
    open_with(url, options, if is_new { Migrate::Run } else { migrate }, Some(presence))
}

/// Opens a database. While an SQLite file is open, no other zoop process can open it.
pub(crate) fn open_exclusively(
    url: &str,
    options: &Options,
    missing: Missing,
    migrate: Migrate,
) -> Result<Database> {
    if zoop_db::engine::is_postgres(url) {
        return open_with(url, options, migrate, None);
    }
    let path = match missing {
        Missing::Refuse => existing(url)?,
        Missing::Create => file(url)?,
    };
    let presence = Presence::exclusive(&path)?;
    open_with(url, options, migrate, Some(presence))
}

fn open_with(
    url: &str,
    options: &Options,
    migrate: Migrate,
    presence: Option<Presence>,
) -> Result<Database> {
    let db = Db::open(url, options, MIGRATIONS, migrate).map_err(|error| {
        // The URL may contain a password.
        anyhow!("the database {} cannot be used: {}", without_password(url), describe(&error))
    })?;
    Ok(Database { db, _presence: presence })
}

/// What is wrong with a database, and what to do about it.
pub(crate) fn describe(error: &zoop_db::Error) -> String {
    use zoop_db::Error;
    let advice = match error {
        // The operator may have named a file that is not a zoop database.
        Error::Corrupt(_) => {
            ": if it is zoop's, replace it with a backup (`zoop restore-backup PATH --force`); otherwise \
             name another file with --database"
        }
        Error::Unknown(_) => ": check whether the change is there before you repeat the command",
        Error::Locked => ": end that program's transaction, or wait for it",
        Error::Unavailable(_) | Error::Open { .. } => ": `zoop doctor` shows what is wrong",
        _ => "",
    };
    format!("{error}{advice}")
}

/// The file of an existing embedded database.
pub(crate) fn existing(url: &str) -> Result<PathBuf> {
    let path = file(url)?;
    if !path.exists() {
        bail!(
            "there is no database {}: create one with sample data (`zoop demo`) or with your business \
             (`zoop tenant create`), or name another one with --database sqlite://PATH",
            path.display()
        );
    }
    Ok(path)
}

/// The file of an embedded database.
pub(crate) fn file(url: &str) -> Result<PathBuf> {
    Ok(zoop_db::engine::sqlite_path(url)?)
}

/// The path with a suffix added to the file's name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
