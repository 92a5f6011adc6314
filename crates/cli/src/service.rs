//! The service manager and signals: notifications to systemd, and requests to shut down.
//!
//! Without a service manager nothing is sent.

use std::future::Future;
use std::io::IsTerminal;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Reports readiness to the service manager, and feeds its watchdog, which sees only that the async
/// runtime is responsive.
pub(crate) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    let limit = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero());
    let Some(limit) = limit else { return };
    tokio::spawn(async move {
        // systemd recommends a notification after half the limit.
        let mut pulse = tokio::time::interval(limit / 2);
        loop {
            pulse.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    });
}

/// Reports to the service manager that the server is stopping.
fn stopping() {
    notify(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping: finishing the requests in flight"),
    ]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "could not notify the service manager");
    }
}

/// The returned future resolves when the process is asked to stop (SIGTERM, SIGINT, or SIGHUP from a closed
/// terminal). It first logs this and reports it to the service manager. From this call on, these signals no longer
/// kill the process by themselves.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let hang_up = closed_terminal(signal(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = hang_up => {}
        }
        tracing::info!("stopping: finishing the requests in flight");
        stopping();
    })
}

/// Resolves when the terminal in which the server was started is closed. If stderr was not a terminal at the start,
/// SIGHUP is only logged: it then comes from a log rotation or from someone who wants to reload the settings.
fn closed_terminal(mut hang_up: Signal) -> impl Future<Output = ()> + Send + 'static {
    // Checked now, because a closed terminal is no longer recognized as a terminal.
    let is_at_terminal = std::io::stderr().is_terminal();
    async move {
        while hang_up.recv().await.is_some() {
            if is_at_terminal {
                return;
            }
            tracing::info!("SIGHUP ignored: restart the server to reload settings");
        }
    }
}
