//! Errors of uploads and downloads as JSON, in the shape of a tool's error.

use axum::http::StatusCode;
use serde_json::{Value, json};
use zoop_crm::call::caller::Denied;
use zoop_crm::call::error::Error;

use super::receive::Unreceived;
use crate::answer::Answer;
use crate::auth::{AuthContext, CallFailure};

/// Seconds after which a caller should try again when there is no room.
const OVERLOAD_SECONDS: u64 = 1;
/// Seconds after which a caller should try again when the database or the store fails.
const STORAGE_SECONDS: u64 = 5;

/// An error that no tool knows.
pub(super) fn refusal(status: StatusCode, kind: &'static str, message: &str) -> Answer {
    let body = json!({ "kind": kind, "message": message }).to_string();
    Answer { body: body.into(), ..Answer::empty(status, "refused") }
}

/// An upload that was not received.
pub(super) fn unreceived(problem: &Unreceived, request_id: &str) -> Answer {
    if let Some((field, problem)) = problem.problem() {
        return failed(&Error::field(field, problem), request_id);
    }
    let (status, message) = (problem.status(), problem.text());
    match problem {
        Unreceived::NoStore | Unreceived::AccountIsFull(_) => refusal(status, "conflict", &message),
        Unreceived::NoRoom => overloaded(),
        Unreceived::Store(error) => store_failed(error, request_id),
        _ => refusal(status, "invalid_input", &message),
    }
}

/// The token is missing or was rejected.
pub(super) fn unauthorized(reason: &str, challenge: axum::http::HeaderValue) -> Answer {
    let body = json!({
        "kind": "unauthorized", "message": "Send a valid bearer token.", "reason": reason,
    });
    Answer {
        body: body.to_string().into(),
        challenge: Some(challenge),
        ..Answer::empty(StatusCode::UNAUTHORIZED, "unauthorized")
    }
}

/// Too many requests.
pub(super) fn limited(seconds: u64) -> Answer {
    let message = format!("Too many requests: try again in {seconds} s.");
    again(StatusCode::TOO_MANY_REQUESTS, "rate_limited", &message, seconds)
}

/// There is no room for the request.
pub(super) fn overloaded() -> Answer {
    let message = "The server is overloaded: try again.";
    again(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message, OVERLOAD_SECONDS)
}

/// The database or the store does not work.
pub(super) fn unavailable() -> Answer {
    let message = "The server's storage is not available: try again.";
    again(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message, STORAGE_SECONDS)
}

fn again(status: StatusCode, kind: &'static str, message: &str, seconds: u64) -> Answer {
    let body: Value = json!({ "kind": kind, "message": message, "retry_after_s": seconds });
    Answer {
        body: body.to_string().into(),
        retry_after: Some(seconds),
        ..Answer::empty(status, kind)
    }
}

/// The answer to a caller who was not admitted, or whose work failed.
pub(super) fn of_call(auth: &AuthContext, request_id: &str, failure: &CallFailure) -> Answer {
    match failure {
        CallFailure::Denied(denied) => {
            auth.count_denied(*denied);
            unauthorized(denied.reason(), auth.challenge().invalid())
        }
        CallFailure::Limited => {
            let authenticated = auth.authenticated();
            let seconds = authenticated.and_then(|it| it.admission.refused_for);
            limited(seconds.unwrap_or(1))
        }
        CallFailure::Failed(error) => failed(error, request_id),
    }
}

/// A bearer token that is not of the right form.
pub(super) const MALFORMED: &str = Denied::Invalid.reason();

/// The answer to work that failed.
pub(super) fn failed(error: &Error, request_id: &str) -> Answer {
    let (status, outcome) = match error {
        Error::InvalidInput { .. } => (StatusCode::BAD_REQUEST, "invalid_input"),
        Error::NotFound { .. } | Error::Unusable { .. } => (StatusCode::NOT_FOUND, "not_found"),
        Error::Conflict { .. } => (StatusCode::CONFLICT, "conflict"),
        Error::InsufficientScope { .. } => (StatusCode::FORBIDDEN, "insufficient_scope"),
        Error::Unavailable { cause } => {
            tracing::debug!(request_id, %cause, "a request was answered 503");
            return match cause {
                zoop_db::Error::Busy | zoop_db::Error::Deadline => overloaded(),
                _ => unavailable(),
            };
        }
        Error::Internal { cause } => {
            tracing::error!(request_id, %cause, "a request failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    };
    let retry_after = match error {
        Error::Conflict { retry_after_s, .. } => *retry_after_s,
        _ => None,
    };
    let body = error.public_json(request_id);
    Answer { body: body.into(), retry_after, ..Answer::empty(status, outcome) }
}

/// The answer when the file store fails. The cause is for the operator.
pub(super) fn store_failed(error: &object_store::Error, request_id: &str) -> Answer {
    tracing::error!(request_id, %error, "the file store failed");
    unavailable()
}

/// What to do if it is unknown whether files were added, for a person.
pub(crate) const UNCERTAIN: &str =
    "It is not known whether the files were added: look at the note before you send them again.";

/// The answer if it is unknown whether the files of an upload were added.
pub(super) fn uncertain() -> Answer {
    let message = "It is not known whether the files were added: repeat the request with the same Idempotency-Key, or look \
                   at the note first.";
    let body = json!({
        "kind": "unavailable", "message": message, "retry_after_s": STORAGE_SECONDS, "outcome": "unknown",
    });
    Answer {
        body: body.to_string().into(),
        retry_after: Some(STORAGE_SECONDS),
        ..Answer::empty(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    }
}

/// Whether it is unknown if the files were added: the connection to the database broke while it was being committed.
pub(crate) const fn is_uncertain(error: &Error) -> bool {
    matches!(error, Error::Unavailable { cause: zoop_db::Error::Unknown(_) })
}

/// Whether the files may have been added although the write failed, or may be on the note after a crash: a commit that
/// failed can be in the log.
pub(super) const fn may_be_added(error: &Error) -> bool {
    match error {
        Error::Unavailable { cause } => !matches!(
            cause,
            zoop_db::Error::Busy | zoop_db::Error::Deadline | zoop_db::Error::Closed
        ),
        Error::Internal { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_stays_if_its_row_may_be_there() {
        let unavailable = |cause| Error::Unavailable { cause };
        for error in [
            unavailable(zoop_db::Error::Unavailable("a full disk".into())),
            unavailable(zoop_db::Error::Unknown("a lost connection".into())),
            Error::internal("a panic"),
        ] {
            assert!(may_be_added(&error), "{error:?}");
        }
        for error in [
            unavailable(zoop_db::Error::Busy),
            unavailable(zoop_db::Error::Deadline),
            Error::conflict("the note is full"),
            Error::not_found("note"),
        ] {
            assert!(!may_be_added(&error), "{error:?}");
        }
    }
}
