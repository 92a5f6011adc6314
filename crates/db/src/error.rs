//! The errors of an engine. The product maps them to its own errors, and shows none of them to a caller
//! unchanged.

use std::path::PathBuf;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of the engine's driver.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the engine, with its cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue of waiting jobs is full; nothing was done.
    #[error("the queue of waiting jobs is full")]
    Busy,
    /// The deadline passed before the job was done; nothing was committed.
    #[error("the deadline passed")]
    Deadline,
    /// The engine is stopping, or the job's thread is gone; nothing was committed.
    #[error("the engine has stopped")]
    Closed,
    /// The job panicked, and only that job was rolled back.
    #[error("the job panicked")]
    Panicked,
    /// Another process or transaction held a lock for longer than the engine waits, or caused a deadlock.
    #[error("another process holds the database's lock")]
    Locked,
    /// A unique constraint rejected a row.
    #[error("a unique constraint rejected the row")]
    Unique(#[source] Cause),
    /// The disk is full, unreadable or read-only, or the server cannot be reached, perhaps only for a while.
    #[error("the storage is not available: {0}")]
    Unavailable(Cause),
    /// The file is not a database, or is damaged.
    #[error("the database file is damaged or is not a database: {0}")]
    Corrupt(Cause),
    /// A statement failed because of a defect in the program.
    #[error("statement failed: {0}")]
    Statement(Cause),
    /// A column's value does not have the requested type.
    #[error("column {index} is not of the type {expected}")]
    Column {
        /// The column's index, from 0.
        index: usize,
        /// The requested Rust type.
        expected: &'static str,
    },
    /// A statement for one tenant was run before the transaction was bound to a tenant.
    #[error("the transaction is not bound to a tenant")]
    Unbound,
    /// A statement that must find a row found none.
    #[error("a row that must exist is missing")]
    NoRow,
    /// The connection broke during the commit, and the server did not say in time whether the commit succeeded; or
    /// the write had begun, and the engine did not answer in time.
    #[error("it is not known whether the write was committed: {0}")]
    Unknown(Cause),
    /// The database URL names no known engine. It may contain a password, so no part of it is shown.
    #[error(
        "the database URL must be sqlite://PATH, for example sqlite://zoop.db, or \
         postgres://USER@HOST/DATABASE"
    )]
    Url,
    /// The URL of a PostgreSQL server is invalid. It may contain a password, so no part of it is shown.
    #[error(
        "the database URL cannot be read: it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with \
         %40 for @, %2F for / and %3F for ? in a name or password"
    )]
    ServerUrl,
    /// The URL of a PostgreSQL server has an unknown `sslmode`.
    #[error(
        "sslmode in the database URL must be disable, prefer or require; require checks the server's \
         certificate and its name, as verify-full does elsewhere"
    )]
    SslMode,
    /// A PostgreSQL server could not be reached, or rejected the connection.
    #[error("cannot connect to PostgreSQL at {server}: {source}; {advice}")]
    Connect {
        /// Host, port and database, without user and password.
        server: String,
        /// The reason that the driver gave.
        source: Cause,
        /// What the operator can do.
        advice: &'static str,
    },
    /// Connections to a PostgreSQL server cannot be encrypted.
    #[error("cannot encrypt the connection to PostgreSQL at {server}: {source}")]
    Tls {
        /// Host, port and database, without user and password.
        server: String,
        /// The reason.
        source: Cause,
    },
    /// The database file could not be opened.
    #[error("cannot open the database file {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The reason that the driver gave.
        source: Cause,
    },
    /// The role of a PostgreSQL server does not own these tables, so it cannot write them again.
    #[error(
        "the database's role does not own {0}, so it cannot write them again: as their owner or as a superuser, run \
         ALTER TABLE … OWNER TO the role for each of them"
    )]
    NotOwner(String),
    /// The schema does not match this program.
    #[error("{0}")]
    Schema(String),
    /// The operating system refused to open a file or start a thread.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl Error {
    /// Whether the storage itself failed, as opposed to the job or its deadline.
    pub(crate) fn is_storage_failure(&self) -> bool {
        matches!(self, Self::Locked | Self::Unavailable(_) | Self::Unknown(_) | Self::Corrupt(_))
    }
}
