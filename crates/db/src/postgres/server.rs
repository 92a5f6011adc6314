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

/// How long one attempt to connect may take, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request to stop a statement may take.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// The prefix, before the process id, of the application name by which the server knows a connection.
pub(super) const APPLICATION: &str = "zoop-";
/// How long a silent connection is trusted before the operating system checks whether it still exists.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// The interval of these checks.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// The values of `sslmode`.
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

/// For how long a refused read is not logged again.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// The settings of every connection, and a query of its clock.
///
/// - A statement outside a write's transaction cannot write anything, whatever happened to the BEGIN that
///   was sent before it.
/// - A plan is kept once it has proved to be no worse than those for the values at hand; see
///   [`Text::planning`](super::statement::Text::planning) for what is planned each time.
/// - No plan is compiled: running a statement takes a millisecond, compiling it fifty.
/// - A process that is stopped in the middle of a write must not hold its locks forever.
const SETTINGS: &str = "SET default_transaction_read_only = on; \
                        SET plan_cache_mode = auto; \
                        SET jit = off; \
                        SET idle_in_transaction_session_timeout = '60s'; \
                        SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
                        (SELECT stats_reset FROM pg_stat_bgwriter)";

/// A new connection.
pub(super) struct Connected {
    pub(super) client: Client,
    /// Moves the connection's messages, and ends with the client.
    pub(super) task: tokio::task::JoinHandle<()>,
    pub(super) life: Life,
}

/// A server's life since its last crash, in which its transaction numbers are unique. It is identified by the
/// time at which the server's statistics began, because a crash resets them. Another server has another life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life(String);

/// A server, and what is known about it.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// The time of the database's clock, and when it was read, at the last connection.
    clock: Mutex<Option<(Instant, Timestamp)>>,
    /// Whether the last attempt to connect failed.
    is_out_of_reach: AtomicBool,
    /// When a refused read was last logged.
    refused_read: Mutex<Option<Instant>>,
}

impl Server {
    /// Parses a URL. Errors do not repeat its text, which may contain a password.
    pub(super) fn new(url: &str) -> Result<Self> {
        // A second @ would be part of a password, and what follows the first would be treated as the host, which
        // errors show.
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
            is_out_of_reach: AtomicBool::default(),
            refused_read: Mutex::default(),
        })
    }

    /// Logs when the server becomes unreachable and when it is back: once each, however many connections
    /// there are. At startup the caller gets the error.
    pub(super) fn tell(&self, failure: Option<&Failure>) {
        let was_out_of_reach = self.is_out_of_reach.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(failure) if !was_out_of_reach && self.time().is_some() => {
                let server = name(&self.config);
                tracing::error!(
                    %failure,
                    server,
                    "cannot connect to PostgreSQL: reads and writes are refused until it can be reached"
                );
            }
            None if was_out_of_reach => tracing::warn!("connected to PostgreSQL again"),
            _ => {}
        }
    }

    /// Connects and sets the connection up.
    pub(super) async fn connect(&self) -> Result<Connected, Failure> {
        // The statements that fail report how a connection ended.
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
        let asked = Instant::now();
        let answers = client.simple_query(SETTINGS).await?;
        let halfway = asked + asked.elapsed() / 2;
        let told = answers.into_iter().find_map(row);
        let column = |index| told.as_ref().and_then(|row| row.get(index));
        if let Some(now) = column(0).and_then(|now| now.parse().ok()) {
            let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
            *clock = Some((halfway, Timestamp(now)));
        }
        let life = Life(column(1).unwrap_or_default().to_owned());
        Ok(Connected { client, task, life })
    }

    /// Asks the server to stop the statement that runs on a connection; it may come too late.
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

    /// Logs that the server refused a read, once in a while: there may be thousands, while reads of other
    /// tables succeed.
    pub(super) fn tell_refused_read(&self, failure: &Failure) {
        let mut last = self.refused_read.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > TELL_AGAIN) {
            *last = Some(Instant::now());
            tracing::error!(%failure, "the storage refuses reads");
        }
    }

    /// The database clock's current time, extrapolated from the last connection.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let (asked, said) = (*self.clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = i64::try_from(asked.elapsed().as_micros()).unwrap_or(i64::MAX);
        Some(Timestamp(said.0.saturating_add(since)))
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

/// The parameters of a URL. The driver ends the user and the password at the @, so a ? before it does not
/// begin the parameters.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let place = url.rsplit_once('@').map_or(url, |(_, place)| place);
    let (_, parameters) = place.split_once('?').unwrap_or_default();
    parameters.split('&').filter(|parameter| !parameter.is_empty())
}

/// The parameter `sslmode` of a URL.
fn sslmode(url: &str) -> Option<&str> {
    parameters(url).find_map(|parameter| parameter.strip_prefix("sslmode="))
}

/// Rejects unknown parameters and invalid values. A message never repeats the caller's text: a parameter may
/// be the rest of a password with an & in it.
fn check_parameters(url: &str) -> Result<()> {
    for parameter in parameters(url) {
        let (name, _) = parameter.split_once('=').ok_or(Error::ServerUrl)?;
        let Some(known) = PARAMETERS.iter().find(|known| **known == name) else {
            return Err(Error::Schema(format!(
                "the database URL has an unknown parameter; accepted are {}; write %26 for & \
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

/// The server's address and user, without the password.
fn name(config: &Config) -> String {
    let mut name = String::new();
    let ports = config.get_ports();
    for (place, host) in config.get_hosts().iter().enumerate() {
        let separator = if place > 0 { "," } else { "" };
        let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
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
