//! Reads forms up to a size limit and until a deadline. Only forms sent by a page of this server are accepted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use axum::body::Body;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{page, page_context};
use crate::app::Shared;
use crate::bodies::{BodyFault, Terms, WholeBody};
use crate::network::Holder;
use crate::page_log::PageOutcome;
use crate::web_origin::WebOrigin;

/// The size limit of a form, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// The size limit of a form with the texts of a business's records, in bytes: however it is encoded, the longest text
/// that a tool takes is short enough, so nothing that was typed is refused for its length.
pub(crate) const MAX_LONG_BYTES: usize = 1024 * 1024;
const FETCH_SITE: &str = "sec-fetch-site";

/// The fields of a form, each sent at most once.
#[derive(Debug, Default)]
pub(crate) struct Form(HashMap<String, String>);

/// What is wrong with a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A field was sent twice; choosing one of its values would be a guess (RFC 6749, 3.1).
    Repeated,
    /// A field contains the character NUL, which PostgreSQL cannot store.
    Nul,
}

impl Form {
    /// The fields of a query or a form body.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, Unreadable> {
        let fields = form_urlencoded::parse(encoded);
        Self::of(fields.map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    /// These fields, as names and values.
    pub(crate) fn of(sent: impl IntoIterator<Item = (String, String)>) -> Result<Self, Unreadable> {
        let mut fields = HashMap::new();
        for (name, value) in sent {
            if name.contains('\0') || value.contains('\0') {
                return Err(Unreadable::Nul);
            }
            if fields.contains_key(&name) {
                return Err(Unreadable::Repeated);
            }
            fields.insert(name, value);
        }
        Ok(Self(fields))
    }

    /// A field's value; an empty one counts as not sent (RFC 6749, 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All fields, sorted by name.
    pub(crate) fn fields(&self) -> Vec<(&str, &str)> {
        let mut fields: Vec<_> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.sort_unstable();
        fields
    }

    /// A field's value; the empty string if the field was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

/// Reads the body of a request from this address.
pub(crate) async fn body(
    shared: &Shared,
    body: Body,
    address: Option<IpAddr>,
    deadline: Instant,
) -> Result<WholeBody, BodyFault> {
    body_up_to(MAX_BYTES, shared, body, address, deadline).await
}

async fn body_up_to(
    limit: usize,
    shared: &Shared,
    body: Body,
    address: Option<IpAddr>,
    deadline: Instant,
) -> Result<WholeBody, BodyFault> {
    let terms = Terms { limit, holder: Holder::stranger(address), deadline };
    shared.bodies.read(body, terms).await
}

/// Reads a form of at most `limit` bytes, if a page of this server sent it. The error is the page that says why the form was rejected.
pub(crate) async fn read(
    limit: usize,
    shared: &Shared,
    headers: &HeaderMap,
    sent: Body,
    address: Option<IpAddr>,
    deadline: Instant,
) -> Result<Form, Response> {
    require_own(&shared.settings.public_url, headers)?;
    let refused = page_context::refused;
    let body =
        body_up_to(limit, shared, sent, address, deadline).await.map_err(|fault| match fault {
            BodyFault::NoRoom => page::busy(),
            _ => refused("The form is too long or did not arrive in time. Try again."),
        })?;
    Form::parse(&body.bytes).map_err(|_| unreadable())
}

/// The page that answers a form with an unreadable field.
pub(crate) fn unreadable() -> Response {
    page_context::refused("The form has a duplicate or invalid field. Try again.")
}

/// Refuses a form that no page of this server sent.
pub(crate) fn require_own(public_url: &WebOrigin, headers: &HeaderMap) -> Result<(), Response> {
    if is_own(public_url, headers) {
        return Ok(());
    }
    let mut response = page::stop(
        StatusCode::FORBIDDEN,
        "Request blocked",
        &format!(
            "Forms are accepted only from this server's own pages: open {public_url} in your browser and \
             try again there."
        ),
    );
    response.extensions_mut().insert(PageOutcome::ForeignForm);
    Err(response)
}

/// Whether a page of this server sent the form. Browsers name the sender in `Origin`, or at least say in
/// `Sec-Fetch-Site` that it is the same origin. A form with neither header did not come from a browser, so the session
/// cookie must not count.
fn is_own(public_url: &WebOrigin, headers: &HeaderMap) -> bool {
    match headers.get(ORIGIN) {
        Some(origin) => WebOrigin::in_header(origin).is_some_and(|page| page == *public_url),
        None => headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin"),
    }
}
