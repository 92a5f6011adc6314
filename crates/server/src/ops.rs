//! Health, readiness, metrics, and the answer for unknown paths.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use zoop_crm::call::error::Error;
use zoop_crm::identity::tenants;
use zoop_crm::values::id::Id;
use zoop_db::Uuid;

use crate::answer::Answer;
use crate::app::App;
use crate::metrics::Now;
use crate::process;

/// How long the database may take before the server counts as not ready.
const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the metrics wait for the operating system to report on the process and the disk.
const RESOURCES_TIMEOUT: Duration = Duration::from_secs(1);

/// `GET /healthz`: the process is running.
pub(crate) async fn health() -> Response {
    Answer::ok(br#"{"status":"ok"}"#.to_vec(), "ok").into_response()
}

/// `GET /readyz`: ready if the database answers and its clock agrees with this machine's. The schema was checked
/// when the database was opened. A server whose storage refuses writes still serves reads, so it stays ready and
/// reports that it is degraded.
pub(crate) async fn readiness(State(app): State<App>) -> Response {
    let clock = app.shared.environment.clock.clone();
    let read = app.shared.db.read(Instant::now() + READINESS_TIMEOUT, move |tx| {
        // Looking up a tenant that cannot exist reads an index and finds nothing.
        match tenants::account(tx, Id::new(Uuid::nil())) {
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let database = tx.clock()?;
        Ok((clock.now(), database))
    });
    // The reply may come up to 100 ms after the job's own deadline.
    match tokio::time::timeout(READINESS_TIMEOUT, read).await {
        Ok(Ok((here, database))) if !app.shared.clock_skew.agree(here, database) => {
            not_ready("this machine's clock differs from the database's by five seconds or more")
        }
        Ok(Ok(_)) if app.shared.db.takes_writes() => {
            Answer::ok(br#"{"status":"ready"}"#.to_vec(), "ok").into_response()
        }
        Ok(Ok(_)) => {
            let body = br#"{"status":"ready","degraded":"the storage refuses writes"}"#;
            Answer::ok(body.to_vec(), "ok").into_response()
        }
        Ok(Err(_)) | Err(_) => not_ready("the database does not answer"),
    }
}

fn not_ready(reason: &str) -> Response {
    Answer {
        body: format!(r#"{{"status":"not_ready","reason":"{reason}"}}"#).into(),
        retry_after: Some(1),
        ..Answer::empty(StatusCode::SERVICE_UNAVAILABLE, "overloaded")
    }
    .into_response()
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let shared = app.shared;
    let folder = shared.settings.database_folder.clone();
    // A disk that hangs must not block requests.
    let sampling = tokio::task::spawn_blocking(move || process::sample(folder.as_deref()));
    let resources = tokio::time::timeout(RESOURCES_TIMEOUT, sampling).await;
    let now = Now {
        gauges: shared.db.gauges(),
        takes_writes: shared.db.takes_writes(),
        artefacts: shared.environment.dropped_client_keys.load(Ordering::Relaxed),
        requests_waiting: shared.seats.waiting(),
        body_bytes: shared.bodies.held(),
        unread: shared.unread.bytes() + shared.unread_files.bytes(),
        resources: resources.ok().and_then(Result::ok).unwrap_or_default(),
    };
    let Ok(text) = shared.metrics.text(&now) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// Answers unknown paths.
pub(crate) async fn unknown_path() -> Response {
    let hint = br#"{"error":"not_found","message":"There is nothing here: the MCP endpoint is POST /api/mcp."}"#;
    Answer { body: Bytes::from_static(hint), ..Answer::empty(StatusCode::NOT_FOUND, "not_found") }
        .into_response()
}
