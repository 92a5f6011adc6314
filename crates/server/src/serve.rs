//! Accepts connections, limits their number and idle time, and closes them without cutting off an answer.
//!
//! This replaces `axum::serve`, which waits for a request's head without a limit.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::app::{App, Settings};
use crate::background;
use crate::connections::{self, Connections};
use crate::files::sweep;
use crate::framing;
use crate::importing;
use crate::limit_sync;
use crate::peer::Peer;
use crate::unread::Cut;

/// How long a client may take to acknowledge what was sent to it.
#[cfg(target_os = "linux")]
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests in flight may take to finish after the server was told to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(15);
/// The size limit of a request's head, in bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// How long to wait after a connection could not be accepted, for example for lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Serves until `shutdown` resolves. Then it accepts no new connections, gives the requests in flight at most
/// 15 seconds to finish, and returns.
///
/// When a caller disconnects before the answer, hyper drops the handler, the handler drops its job, and the
/// engine skips or cancels the job, unless it is being committed.
///
/// # Errors
/// When a task of the server panicked.
pub async fn serve(
    app: App,
    public: TcpListener,
    operations: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    warn_about(&app.shared.settings);
    // Nothing is ever sent: dropping the sender is the signal to stop.
    let (running, stopping) = watch::channel(());
    let mut tasks = JoinSet::new();
    let Settings { connections, trusted_proxies, .. } = &app.shared.settings;
    let operators = Arc::new(Connections::new(connections.clone(), trusted_proxies));
    let strangers = app.shared.connections.clone();
    tasks.spawn(accept(public, strangers, app.public_router(), stopping.clone()));
    if let Some(operations) = operations {
        tasks.spawn(accept(operations, operators, app.operations_router(), stopping.clone()));
    }
    tasks.spawn(limit_sync::share(app.clone(), stopping.clone()));
    tasks.spawn(sweep::maintain(app.clone(), stopping.clone()));
    tasks.spawn(importing::maintain(app.clone(), stopping.clone()));
    tasks.spawn(background::maintain(app, stopping));
    shutdown.await;
    drop(running);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(io::Error::other)?;
    }
    Ok(())
}

/// Logs settings that let the server run but prevent users from working with it.
fn warn_about(settings: &Settings) {
    let public_url = &settings.public_url;
    if !public_url.keeps_cookies() {
        tracing::warn!(
            %public_url,
            "users cannot sign in: browsers keep no session at an http address of another machine. Put a TLS \
             proxy in front of the server and set server.public_url to its https address"
        );
    }
}

/// Accepts connections until the server stops, then waits for them to end. A connection that would exceed a limit
/// on strangers is closed at once. While all slots are taken, new connections wait in the system's queue.
async fn accept(
    listener: TcpListener,
    connections: Arc<Connections>,
    router: Router,
    mut stopping: watch::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(connections::MOST));
    let mut open = JoinSet::new();
    let mut is_failing = false;
    loop {
        let next = async {
            // The semaphore is never closed, so `acquire_owned` always returns a slot.
            let slot = slots.clone().acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        tokio::select! {
            _ = stopping.changed() => break,
            Some(_) = open.join_next() => {}
            (slot, accepted) = next => match accepted {
                Ok((stream, peer)) => {
                    if std::mem::take(&mut is_failing) {
                        tracing::warn!("connections are accepted again");
                    }
                    let Some(entered) = connections.enter(peer.ip()) else { continue };
                    let patience = entered.patience;
                    let connection =
                        connection(stream, peer.ip(), patience, router.clone(), stopping.clone());
                    open.spawn(async move {
                        connection.await;
                        drop((slot, entered));
                    });
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(%error, "connections could not be accepted; they wait");
                    }
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, all).await.is_err() {
        tracing::warn!("connections that did not end in time were cut off");
    }
}

/// Serves the requests of one connection, one after another.
async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    patience: Duration,
    router: Router,
    mut stopping: watch::Receiver<()>,
) {
    // Otherwise a small answer may wait for the client's acknowledgement of the previous one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    // Otherwise a client that is gone or does not read would hold its connection and the answer forever.
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(&stream).set_tcp_user_timeout(Some(READ_TIMEOUT)) {
        tracing::debug!(%error, "TCP_USER_TIMEOUT was refused");
    }
    let router = TowerToHyperService::new(router);
    let cut = Cut::default();
    let request_cut = cut.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let answer = framing::refusal(&request).ok_or_else(|| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(request_cut.clone());
            router.call(request)
        });
        async move {
            match answer {
                Ok(refusal) => Ok(refusal),
                Err(answer) => answer.await,
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cut.requested() => {
            tracing::debug!("a connection was cut off: its caller did not read the answer in time");
            return;
        }
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
