//! What the service manager and the server tell each other: systemd's notifications, and signals.
//!
//! Without a service manager nothing is sent.

use std::future::Future;
use std::io::IsTerminal;

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Tells the service manager that requests are answered from now on, and keeps its watchdog quiet for as
/// long as the server's threads get to run.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    let limit = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero());
    let Some(limit) = limit else { return };
    tokio::spawn(async move {
        // Half of the limit is what systemd advises.
        let mut pulse = tokio::time::interval(limit / 2);
        loop {
            pulse.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}

/// Tells the service manager that the server stops.
fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping: the requests in flight are finished first"),
    ]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Resolves when the process is asked to stop. From this call on no signal of these ends the process by
/// itself.
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
        tracing::info!("stopping: the requests in flight are finished first");
        stopping();
    })
}

/// Resolves when the terminal is closed in which the server was started. Elsewhere SIGHUP comes from those
/// who rotate logs or ask for new settings, and nothing is to be done: each is told so.
fn closed_terminal(mut hang_up: Signal) -> impl Future<Output = ()> + Send + 'static {
    // Looked at now: a terminal that was closed before the first poll is not one any more.
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
