//! The grammar of the commands that save, restore and copy a whole database with its files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Confirmation;

/// `zoop backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) file: BackupFile,
    /// Leave out the content of files on notes
    #[arg(long)]
    pub(crate) without_files: bool,
}

/// `zoop files …`
#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// Make the store belong to this database, which then deletes there what it does not name
    #[command(
        after_help = "A store belongs to the first database whose server uses it. A copy and a \
        restored backup are other databases, which delete nothing there until they adopt it. Adopt \
        it only if the other database is gone for good, you will not go back to another backup, and \
        what this database does not name may be deleted. Adopt it too if this database was moved \
        to another disk or upgraded with pg_upgrade.\n\n\
        Example:\n  zoop files adopt"
    )]
    Adopt(Confirmation),
    /// Make this database another one, which deletes nothing in the store until it adopts it
    #[command(
        after_help = "`zoop backup`, `zoop copy` and `zoop restore-backup` do this themselves. Do it \
        in a copy of a whole disk or of a whole PostgreSQL cluster (pg_basebackup), before a server \
        is started on it.\n\n\
        Example:\n  zoop files release"
    )]
    Release,
}

/// A backup's file.
#[derive(Debug, Args)]
pub(crate) struct BackupFile {
    /// The backup's file
    pub(crate) path: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

/// `zoop restore-backup`
#[derive(Debug, Args)]
pub(crate) struct RestoreBackup {
    #[command(flatten)]
    pub(crate) backup: BackupFile,
    #[command(flatten)]
    pub(crate) confirmation: Confirmation,
}

/// `zoop copy`
#[derive(Debug, Args)]
pub(crate) struct Copy {
    #[arg(long, value_name = "URL", help = "The database to copy [default: --database]")]
    pub(crate) from: Option<String>,
    /// The target: a file that does not exist yet, or an empty database of a server
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    #[arg(
        long,
        value_name = "URL",
        help = "Where the files of the copy are stored [default: files.url, or beside the target]"
    )]
    pub(crate) files_to: Option<String>,
    /// Copy while a server uses the source: writes made after the copy begins are not copied
    #[arg(long)]
    pub(crate) while_running: bool,
}
