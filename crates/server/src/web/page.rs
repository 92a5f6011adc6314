//! Builds page responses.

use askama::Template;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use zoop_crm::call::error::Error;

/// A page loads only the style sheet, the font, the icons and the scripts, and only from this server. It sends forms
/// and reads pages only there, and cannot be framed.
///
/// Source: Content Security Policy Level 3.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
     img-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// A page with only a message.
#[derive(Template)]
#[template(path = "stop.html")]
struct Stop<'a> {
    title: &'a str,
    message: &'a str,
}

/// A page. Its scripts only make it more convenient.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let mut response = (status, html).into_response();
            add_page_headers(response.headers_mut());
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page with only a message, such as what is wrong and what to do about it.
pub(crate) fn stop(status: StatusCode, title: &str, message: &str) -> Response {
    page(status, &Stop { title, message })
}

/// The page for an error. It says what the user can do; the cause is logged.
pub(crate) fn failed(error: &Error) -> Response {
    match error {
        Error::Conflict { retry_after_s: Some(seconds), .. } => too_many(*seconds),
        Error::InvalidInput { message, .. }
        | Error::Unusable { message, .. }
        | Error::Conflict { message, .. } => {
            stop(StatusCode::BAD_REQUEST, "Something was wrong with the form", message)
        }
        Error::NotFound { .. } => not_found(),
        Error::InsufficientScope { .. } => stop(
            StatusCode::FORBIDDEN,
            "You cannot do this",
            "Your role in this business does not allow it. Ask an owner.",
        ),
        Error::Unavailable { cause } => {
            tracing::warn!(%cause, "a page could not be answered");
            busy()
        }
        Error::Internal { cause } => {
            tracing::error!(%cause, "a page failed");
            stop(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "Something went wrong on the server. Try again, and tell your administrator if the \
                 problem persists.",
            )
        }
    }
}

/// The page for an overloaded server.
pub(crate) fn busy() -> Response {
    let mut response = stop(
        StatusCode::SERVICE_UNAVAILABLE,
        "The server is busy",
        "The server cannot answer right now. Try again in a few seconds.",
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(5));
    response
}

/// The page for an unknown address.
pub(crate) fn not_found() -> Response {
    stop(
        StatusCode::NOT_FOUND,
        "Page not found",
        "There is no page at this address. Check the address, or go back to Zoop.",
    )
}

/// The page for a visitor who exceeded a rate limit and may try again after `seconds`.
pub(crate) fn too_many(seconds: u64) -> Response {
    let minutes = seconds.div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let message = format!("There were too many attempts. Try again in {minutes} {unit}.");
    let mut response = stop(StatusCode::TOO_MANY_REQUESTS, "Please wait", &message);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Redirects the browser to another page, which the browser requests with GET. A path from a request must have been
/// checked by [`next_page`](super::next::next_page).
pub(crate) fn go_to(path: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(path) else { return not_found() };
    let mut response = StatusCode::SEE_OTHER.into_response();
    add_page_headers(response.headers_mut());
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Adds the headers that every page has. With the referrer policy `no-referrer`, browsers would send forms with
/// `Origin: null`.
pub(crate) fn add_page_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (OPENER, "same-origin"),
        (PERMISSIONS, "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
