//! The service manager and signals: systemd's notifications, and requests to stop.
//!
//! Without a service manager nothing is sent.

use std::future::Future;
use std::io::IsTerminal;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Reports readiness to the service manager, and feeds its watchdog as long as the server's threads run.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    let limit = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero());
    let Some(limit) = limit else { return };
    tokio::spawn(async move {
        // systemd advises half of the limit.
        let mut pulse = tokio::time::interval(limit / 2);
        loop {
            pulse.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}

/// Reports to the service manager that the server is stopping.
fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping: finishing the requests in flight"),
    ]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be notified");
    }
}

/// Resolves when the process is asked to stop. From this call on, these signals no longer kill the process.
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

/// Resolves when the terminal is closed in which the server was started. Without a terminal, SIGHUP comes from
/// log rotation or asks for new settings, and is only logged.
fn closed_terminal(mut hang_up: Signal) -> impl Future<Output = ()> + Send + 'static {
    // Checked now: a terminal that is closed before the first poll is no longer one.
    let is_at_terminal = std::io::stderr().is_terminal();
    async move {
        while hang_up.recv().await.is_some() {
            if is_at_terminal {
                return;
            }
            tracing::info!("SIGHUP is ignored: restart to read the settings again");
        }
    }
}
