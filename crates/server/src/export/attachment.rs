//! A file that a browser saves.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;

use crate::files::disposition;
use crate::web::page;

/// A type of file that a browser saves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Saved {
    /// A table for spreadsheets.
    Table,
    /// A ZIP.
    Zip,
    /// A text for people.
    Text,
}

impl Saved {
    const fn media_type(self) -> HeaderValue {
        match self {
            Self::Table => HeaderValue::from_static("text/csv; charset=utf-8"),
            Self::Zip => HeaderValue::from_static("application/zip"),
            Self::Text => HeaderValue::from_static("text/plain; charset=utf-8"),
        }
    }
}

/// The answer with a file that a browser saves under this name.
pub(crate) fn attachment(name: &str, saved: Saved, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    page::add_page_headers(headers);
    headers.insert(CONTENT_TYPE, saved.media_type());
    // The header is known to be ASCII.
    if let Ok(value) = HeaderValue::try_from(disposition::header(false, name)) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}
