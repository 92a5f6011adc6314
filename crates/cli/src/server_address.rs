//! The address of the server on this database. A server publishes its address when it starts, and other commands
//! use it in links.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use zoop_crm::call::error::Error;
use zoop_crm::servers::{self, RunningServer};
use zoop_crm::values::clock::{Clock, Environment, rfc3339};
use zoop_db::{Db, Uuid};

use crate::config::Config;
use crate::operator::Operator;
use crate::output;

/// The time limit for publishing the address and for removing it: a server waits for both.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A server that started more than this many microseconds ago may have been killed since.
const OLD_AFTER: i64 = 7 * 86_400 * 1_000_000;

/// A running server's entry in the database.
pub(crate) struct Published {
    db: Db,
    process: Uuid,
}

impl Published {
    /// Publishes the address. A database that accepts no writes at the moment must not prevent serving.
    pub(crate) async fn start(db: &Db, environment: &Environment, url: &str) -> Self {
        let process = Uuid::from_u128(environment.entropy.bits());
        let (url, clock): (_, Arc<dyn Clock>) = (url.to_owned(), environment.clock.clone());
        let storing = db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
            servers::record_start(tx, process, &url, clock.now())
        });
        if let Err(error) = storing.await {
            tracing::warn!(
                kind = error.kind(),
                "could not store the server's address for other commands"
            );
        }
        Self { db: db.clone(), process }
    }

    /// Removes the entry.
    pub(crate) async fn stop(self) {
        let process = self.process;
        let storing = self.db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
            servers::record_stop(tx, process)
        });
        if let Err(error) = storing.await {
            tracing::debug!(kind = error.kind(), "could not remove the server's address");
        }
    }
}

/// The source of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `server.public_url`.
    Settings,
    /// A server on this database.
    Running(RunningServer),
    /// No server is known. A server started with these settings would have this address.
    Guess,
}

/// The address that clients use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme and host.
    pub(crate) url: String,
    pub(crate) source: Source,
}

impl Address {
    /// The configured public URL; otherwise the address of the running server; otherwise the address that a server
    /// would have with these settings.
    pub(crate) fn of(config: &Config, operator: &Operator) -> Result<Self> {
        if config.server.public_url.is_some() {
            return Ok(Self { url: config.public_url(None)?, source: Source::Settings });
        }
        Ok(match operator.read(servers::newest)? {
            Some(server) => Self { url: server.url.clone(), source: Source::Running(server) },
            None => Self { url: config.public_url(None)?, source: Source::Guess },
        })
    }

    /// A warning about the address, if there is a reason to doubt it.
    pub(crate) fn warning(&self, clock: &dyn Clock) -> Option<String> {
        match &self.source {
            Source::Guess => Some(format!(
                "no server is known to run on this database; with these settings, `zoop serve` would answer \
                 at {}",
                self.url
            )),
            Source::Running(server) if clock.now().0 - server.started_at.0 > OLD_AFTER => {
                Some(format!(
                    "the server at {} started at {} and may have stopped since: check that it still answers",
                    self.url,
                    rfc3339(server.started_at)
                ))
            }
            Source::Running(_) | Source::Settings => None,
        }
    }

    /// Prints on stderr which server the links lead to, unless the address is configured.
    pub(crate) fn announce(&self, clock: &dyn Clock) {
        match (self.warning(clock), &self.source) {
            (Some(warning), _) => output::note(&format!("warning: {warning}")),
            (None, Source::Running(_)) => {
                output::note(&format!("the link leads to the server that runs at {}", self.url));
            }
            (None, _) => {}
        }
    }
}
