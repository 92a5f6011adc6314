//! The server that a URL names, and how to connect to it.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::row;
use super::error::Failure;
use super::tls;
use crate::error::{Error, Result};
use crate::row::Timestamp;

/// The time limit for one attempt to connect, unless the URL sets another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request to stop a statement may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// The application name that the server shows for a connection is this prefix and the process id.
pub(super) const APPLICATION: &str = "zoop-";
/// How long a connection may be silent before the operating system checks whether it still exists.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// The interval between these checks.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// The accepted values of `sslmode`.
const SSL_MODES: &[&str] = &["disable", "prefer", "require"];

/// The parameters that a URL may have: those that the driver knows.
const PARAMETERS: &[&str] = &[
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslmode",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

/// The minimum time between two log lines about refused reads.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Sets up a new connection, and asks for the server's time and the start of its statistics.
///
/// - A statement outside a write's transaction cannot write anything, whatever happened to the BEGIN that
///   was sent before it.
/// - A generic plan is used once it has proved to be no worse than plans for specific values; see
///   [`Text::planning`](super::statement::Text::planning) for what is planned each time.
/// - There is no JIT: running a statement takes a millisecond, compiling it fifty.
/// - A process that is suspended in the middle of a write must not hold its locks forever.
const SETTINGS: &str = "SET default_transaction_read_only = on; \
                        SET plan_cache_mode = auto; \
                        SET jit = off; \
                        SET idle_in_transaction_session_timeout = '60s'; \
                        SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
                        (SELECT stats_reset FROM pg_stat_bgwriter)";

/// A new connection.
pub(super) struct Connected {
    pub(super) client: Client,
    /// The task that sends and receives the connection's messages; ends when the client is dropped.
    pub(super) task: tokio::task::JoinHandle<()>,
    pub(super) incarnation: Incarnation,
}

/// The time between two crashes of a server, in which its transaction numbers are unique. It is identified by
/// the time at which the server's statistics began, because a crash resets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incarnation(String);

/// A server, and its state as last observed.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// When the last connection was opened, and the time of the database's clock then.
    clock: Mutex<Option<(Instant, Timestamp)>>,
    /// Whether the last attempt to connect failed.
    is_unreachable: AtomicBool,
    /// When a refused read was last logged.
    refused_read: Mutex<Option<Instant>>,
}

impl Server {
    /// Parses a URL. Errors do not repeat any part of it that may be a password.
    pub(super) fn new(url: &str) -> Result<Self> {
        // A second @ belongs to a password. The driver would take the rest of the password for the host, and
        // errors would show it.
        if url.matches('@').count() > 1 {
            return Err(Error::ServerUrl);
        }
        if sslmode(url).is_some_and(|mode| !SSL_MODES.contains(&mode)) {
            return Err(Error::SslMode);
        }
        check_parameters(url)?;
        let mut config = Config::from_str(url).map_err(|_| Error::ServerUrl)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::ServerUrl);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name(format!("{APPLICATION}{}", std::process::id()));
        }
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES);
        let tls = tls::connector(&config)
            .map_err(|reason| Error::Tls { server: name(&config), source: reason.into() })?;
        Ok(Self {
            config,
            tls,
            clock: Mutex::default(),
            is_unreachable: AtomicBool::default(),
            refused_read: Mutex::default(),
        })
    }

    /// Logs when the server becomes unreachable and when it is back: once each, however many connections
    /// there are. At startup nothing is logged, because the caller gets the error.
    pub(super) fn log_reachability(&self, failure: Option<&Failure>) {
        let was_unreachable = self.is_unreachable.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(failure) if !was_unreachable && self.time().is_some() => {
                let server = name(&self.config);
                tracing::error!(
                    %failure,
                    server,
                    "cannot connect to PostgreSQL: reads and writes are refused until it can be reached"
                );
            }
            None if was_unreachable => tracing::warn!("connected to PostgreSQL again"),
            _ => {}
        }
    }

    /// Opens a connection and sets it up.
    pub(super) async fn connect(&self) -> Result<Connected, Failure> {
        // The task's own result is dropped: the statements that fail report how the connection ended.
        let (client, task) = match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, tokio::spawn(async move { drop(connection.await) }))
            }
        };
        let sent_at = Instant::now();
        let answers = client.simple_query(SETTINGS).await?;
        let halfway = sent_at + sent_at.elapsed() / 2;
        let state = answers.into_iter().find_map(row);
        let column = |index| state.as_ref().and_then(|row| row.get(index));
        if let Some(now) = column(0).and_then(|now| now.parse().ok()) {
            let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
            *clock = Some((halfway, Timestamp(now)));
        }
        let incarnation = Incarnation(column(1).unwrap_or_default().to_owned());
        Ok(Connected { client, task, incarnation })
    }

    /// Asks the server to stop the statement that runs on a connection; the request may arrive too late.
    pub(super) async fn cancel(&self, client: &Client) {
        let token = client.cancel_token();
        let cancel = async {
            match &self.tls {
                None => token.cancel_query(NoTls).await,
                Some(tls) => token.cancel_query(tls.clone()).await,
            }
        };
        // If this fails, the statement's own time limit stops it.
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancel).await;
    }

    /// Logs that the server refused a read, at most once a minute: thousands may be refused while reads of other
    /// tables succeed.
    pub(super) fn log_refused_read(&self, failure: &Failure) {
        let mut last = self.refused_read.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > LOG_INTERVAL) {
            *last = Some(Instant::now());
            tracing::error!(%failure, "the storage refuses reads");
        }
    }

    /// The current time of the database's clock, extrapolated from when the last connection was opened.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let (read_at, time) = (*self.clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        let elapsed = i64::try_from(read_at.elapsed().as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp(time.0.saturating_add(elapsed)))
    }

    /// The startup error for a server that cannot be reached, or that rejects the connection.
    pub(super) fn unreachable(&self, failure: &Failure) -> Error {
        Error::Connect {
            server: name(&self.config),
            source: failure.to_string().into(),
            advice: failure.advice(),
        }
    }
}

/// The parameters of a URL. For the driver, the user and the password end at the @, so a ? before the @ does not
/// begin the parameters.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let address = url.rsplit_once('@').map_or(url, |(_, address)| address);
    let (_, parameters) = address.split_once('?').unwrap_or_default();
    parameters.split('&').filter(|parameter| !parameter.is_empty())
}

/// The parameter `sslmode` of a URL.
fn sslmode(url: &str) -> Option<&str> {
    parameters(url).find_map(|parameter| parameter.strip_prefix("sslmode="))
}

/// Rejects unknown parameters and invalid values. A message never repeats text from the URL: a parameter may be
/// the end of a password that contains an &.
fn check_parameters(url: &str) -> Result<()> {
    for parameter in parameters(url) {
        let (name, _) = parameter.split_once('=').ok_or(Error::ServerUrl)?;
        let Some(known) = PARAMETERS.iter().find(|known| **known == name) else {
            return Err(Error::Schema(format!(
                "the database URL has an unknown parameter; the known ones are {}; write %26 for & \
                 in a value",
                PARAMETERS.join(", ")
            )));
        };
        if Config::from_str(&format!("postgres:///?{parameter}")).is_err() {
            return Err(Error::Schema(format!(
                "the database URL has the parameter {known} with an invalid value: correct it or remove it"
            )));
        }
    }
    Ok(())
}

/// The server's hosts and ports, and the database, without user and password.
fn name(config: &Config) -> String {
    let mut name = String::new();
    let ports = config.get_ports();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let separator = if index > 0 { "," } else { "" };
        let port = ports.get(index).or(ports.first()).unwrap_or(&5432);
        let _ = match host {
            Host::Tcp(host) => write!(name, "{separator}{host}:{port}"),
            Host::Unix(folder) => write!(name, "{separator}{}:{port}", folder.display()),
        };
    }
    if let Some(database) = config.get_dbname() {
        let _ = write!(name, "/{database}");
    }
    name
}
