//! `WWW-Authenticate`: asks a caller for a token, or for more scopes.
//!
//! Sources: RFC 6750, 3; RFC 9728, 5.1.

use axum::http::HeaderValue;
use zoop_crm::call::scope::{Scope, Scopes};

use crate::web_origin::WebOrigin;

/// The three forms of `WWW-Authenticate`, for a caller that reached the server at this origin.
pub(crate) struct Challenge<'a>(pub(crate) &'a WebOrigin);

impl Challenge<'_> {
    /// No token was sent; RFC 6750 allows no `error` in this case.
    pub(crate) fn missing(&self) -> HeaderValue {
        value(self.offer())
    }

    /// The token is not valid.
    pub(crate) fn invalid(&self) -> HeaderValue {
        value(format!("{}, error=\"invalid_token\"", self.offer()))
    }

    /// The token is valid but lacks a scope that the user could grant. `scopes` are those that the token has and
    /// those that the call needs: clients request exactly the scopes listed here, and would lose the others.
    pub(crate) fn step_up(&self, scopes: Scopes) -> HeaderValue {
        let (scopes, metadata) = (scopes.list(), self.metadata());
        value(format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\", {metadata}"))
    }

    fn offer(&self) -> String {
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        format!("Bearer {}, scope=\"{scopes}\"", self.metadata())
    }

    /// The address of the resource's metadata, as a parameter.
    fn metadata(&self) -> String {
        let Self(origin) = self;
        format!("resource_metadata=\"{origin}/.well-known/oauth-protected-resource/api/mcp\"")
    }
}

/// A header value. If the URL cannot be part of a header, only the scheme is sent, which is a valid challenge.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}
