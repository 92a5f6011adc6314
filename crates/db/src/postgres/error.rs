//! Maps PostgreSQL's errors to the engine's.

use std::error::Error as StdError;

use tokio_postgres::error::{DbError, Severity, SqlState};

use super::value::Unbindable;
use crate::error::Error;

/// Why a statement failed. It is cloned, because it is returned twice: to the job, and by the attempt to commit
/// the job's transaction.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    /// The server rejected the statement; the connection still works.
    #[error(transparent)]
    Refused(Refused),
    /// The connection was lost, or cannot be opened.
    #[error("{0}")]
    Lost(String),
    /// The server rejects connections with this user, password or database, or has too many connections.
    #[error(transparent)]
    Barred(Refused),
    /// The job's deadline passed, or its caller left, before the server answered.
    #[error("there was no answer in time")]
    Deadline,
    /// The outcome of the transaction could not be determined.
    #[error("{0}")]
    Unknown(String),
    /// The statement was never sent: a parameter does not fit.
    #[error("{0}")]
    Misused(String),
}

/// The server's error, without its detail, which quotes the rows' contents.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message} (SQLSTATE {})", code.code())]
pub(super) struct Refused {
    code: SqlState,
    message: String,
    /// Whether the role lacks a privilege. A row that a policy forbids has the same code, but is a defect of the
    /// program.
    lacks_privilege: bool,
}

impl Failure {
    /// The connection was lost by an earlier failure.
    pub(super) fn connection_lost() -> Self {
        Self::Lost("the connection was lost".to_owned())
    }

    /// Whether the connection can no longer be used.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Barred(_) | Self::Deadline)
    }

    /// Whether the job may succeed in another transaction; nothing of this one was committed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refused) => matches!(
                refused.code,
                SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED
            ),
            Self::Lost(_) => true,
            Self::Barred(refused) => refused.code == SqlState::TOO_MANY_CONNECTIONS,
            Self::Deadline | Self::Unknown(_) | Self::Misused(_) => false,
        }
    }

    /// Whether the server was asked about a transaction number that it has not assigned yet.
    pub(super) fn is_unassigned_transaction(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.code == SqlState::INVALID_PARAMETER_VALUE)
    }

    /// What the operator can do about a connection that cannot be opened.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Barred(refused) if refused.code == SqlState::INVALID_CATALOG_NAME => {
                "create the database (CREATE DATABASE … OWNER … ENCODING 'UTF8' TEMPLATE template0), or \
                 correct its name in the URL"
            }
            Self::Barred(refused) if refused.code == SqlState::TOO_MANY_CONNECTIONS => {
                "raise the server's max_connections (or the limit of the role or the database), or let \
                 each process open fewer connections: lower storage.readers and storage.writers"
            }
            Self::Barred(_) => {
                "check the user and the password in the URL, and that the server's pg_hba.conf lets this \
                 user in"
            }
            _ => {
                "check that the server is running and can be reached from this machine, and that the \
                 URL contains a password if the server requires one"
            }
        }
    }

    /// Whether the role lacks the right to do this.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.code == SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// Whether another connection has held a lock for too long.
    pub(super) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.code == SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether a prepared statement no longer exists on the server, or is outdated.
    pub(super) fn is_stale_statement(&self) -> bool {
        matches!(self, Self::Refused(refused) if matches!(
            refused.code,
            SqlState::FEATURE_NOT_SUPPORTED | SqlState::INVALID_SQL_STATEMENT_NAME
        ))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return refusal.into();
        }
        match error.source() {
            Some(cause) if cause.is::<Unbindable>() => Self::Misused(cause.to_string()),
            Some(cause) => Self::Lost(format!("{error}: {cause}")),
            None => Self::Lost(error.to_string()),
        }
    }
}

impl From<&DbError> for Failure {
    fn from(refusal: &DbError) -> Self {
        let refused = Refused {
            code: refusal.code().clone(),
            message: refusal.message().to_owned(),
            lacks_privilege: refusal.routine() == Some("aclcheck_error"),
        };
        // Class 28 is about the user or the password, class 3D about the database.
        if ["28", "3D"].contains(&&refused.code.code()[..2])
            || refused.code == SqlState::TOO_MANY_CONNECTIONS
        {
            return Self::Barred(refused);
        }
        // After these errors the server closes the connection.
        if matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
            return Self::Lost(refused.to_string());
        }
        Self::Refused(refused)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refused) => refused.into(),
            Failure::Lost(reason) => Self::Unavailable(reason.into()),
            Failure::Barred(refused) => Self::Unavailable(refused.into()),
            Failure::Deadline => Self::Deadline,
            Failure::Unknown(reason) => Self::Unknown(reason.into()),
            Failure::Misused(reason) => Self::Statement(reason.into()),
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused.code {
            SqlState::UNIQUE_VIOLATION => Self::Unique(refused.into()),
            // `statement_timeout` is set to the deadline.
            SqlState::QUERY_CANCELED => Self::Deadline,
            SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED => Self::Locked,
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Self::Corrupt(refused.into()),
            // The server accepts no writes. A standby reports FEATURE_NOT_SUPPORTED when a read-write transaction
            // begins. An outdated prepared statement reports the same, but is prepared again for the next job.
            SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::FEATURE_NOT_SUPPORTED => {
                Self::Unavailable(refused.into())
            }
            // The privilege was revoked and may be granted again.
            _ if refused.lacks_privilege => Self::Unavailable(refused.into()),
            // Connection failures, insufficient resources, operator intervention, the server's disk.
            ref code if ["08", "53", "57", "58"].contains(&&code.code()[..2]) => {
                Self::Unavailable(refused.into())
            }
            _ => Self::Statement(refused.into()),
        }
    }
}
