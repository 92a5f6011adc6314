//! Runs a server in this process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use zoop_crm::maintenance::{self, Ahead};
use zoop_crm::values::clock::{Clock, Environment, rfc3339};
use zoop_db::Db;
use zoop_server::App;

use crate::config::Config;
use crate::server_address::Published;
use crate::service;

/// How often the server checks for records dated in the future.
const FUTURE_CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The time limit for one check.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Open ports, and the address that clients use.
pub(crate) struct Listeners {
    public: TcpListener,
    operations: Option<TcpListener>,
    /// The address that clients use.
    pub(crate) public_url: String,
}

impl Listeners {
    /// Opens the ports, after checking that the server may listen there.
    pub(crate) fn bind(config: &Config) -> Result<Self> {
        config.public_url(None)?;
        let public = bind(&config.server.listen, "--listen")?;
        let operations = match config.ops_listen() {
            Some(address) => Some(bind(address, "--ops-listen")?),
            None => None,
        };
        let public_url = config.public_url(Some(public.local_addr()?))?;
        Ok(Self { public, operations, public_url })
    }

    /// The address on which the endpoint listens.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(self.public.local_addr()?)
    }

    /// The address on which the metrics are served, if they are.
    pub(crate) fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().and_then(|listener| listener.local_addr().ok())
    }
}

fn bind(address: &str, flag: &str) -> Result<TcpListener> {
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "{address} is in use by another program: choose another port with {flag}; \
             {flag} 127.0.0.1:0 takes any free one"
        ),
        Err(error) => {
            return Err(error).with_context(|| {
                format!("cannot listen on {address}: choose another address with {flag}")
            });
        }
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until a signal requests a shutdown, and finishes the requests in flight.
pub(crate) fn run(
    config: &Config,
    db: Db,
    environment: Environment,
    listeners: Listeners,
    ready: impl FnOnce() -> Result<()>,
) -> Result<()> {
    // Many systems allow only a few open files by default, but let a process raise its own limit.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "could not raise the limit of open files");
    }
    let (published_db, published_environment) = (db.clone(), environment.clone());
    let public_url = listeners.public_url.clone();
    let clock = environment.clock.clone();
    let app = App::new(db.clone(), environment, config.settings(listeners.public_url)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let public = tokio::net::TcpListener::from_std(listeners.public)?;
        let operations = match listeners.operations {
            Some(listener) => Some(tokio::net::TcpListener::from_std(listener)?),
            None => None,
        };
        // From here on, a signal shuts the server down instead of killing the process.
        let stop = service::stop_signal()?;
        let published = Published::start(&published_db, &published_environment, &public_url).await;
        ready()?;
        tokio::spawn(warn_of_records_in_the_future(db, clock));
        service::ready(&format!("listening on {}", public.local_addr()?));
        let served = zoop_server::serve(app, public, operations, stop).await;
        published.stop().await;
        Ok(served?)
    })
}

/// Warns, at startup and periodically, of records dated in the future.
async fn warn_of_records_in_the_future(db: Db, clock: Arc<dyn Clock>) {
    let mut rounds = tokio::time::interval(FUTURE_CHECK_INTERVAL);
    loop {
        rounds.tick().await;
        let now = clock.now();
        let found = db.read(Instant::now() + TIMEOUT, move |tx| maintenance::ahead(tx, now)).await;
        match found {
            Ok(Some(Ahead { tenants, latest })) => tracing::warn!(
                businesses = tenants,
                latest = rfc3339(latest.0),
                "the database contains records dated in the future: a clock was ahead when they were \
                 created, or this machine's clock is behind"
            ),
            Ok(None) => {}
            Err(error) => tracing::debug!(
                kind = error.kind(),
                "could not check for records dated in the future"
            ),
        }
    }
}
