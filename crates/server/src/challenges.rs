//! `WWW-Authenticate`: how a caller is asked for a token, or for more scopes.
//!
//! Sources: RFC 6750, 3; RFC 9728, 5.1.

use axum::http::HeaderValue;
use zoop_crm::call::scope::{Scope, Scopes};

use crate::web_origin::WebOrigin;

/// The three forms of `WWW-Authenticate`, for a caller who used this address.
pub(crate) struct Challenge<'a>(pub(crate) &'a WebOrigin);

impl Challenge<'_> {
    /// No token was presented: the RFC allows no `error` here.
    pub(crate) fn missing(&self) -> HeaderValue {
        value(self.offer())
    }

    /// The presented token is not valid.
    pub(crate) fn invalid(&self) -> HeaderValue {
        value(format!("{}, error=\"invalid_token\"", self.offer()))
    }

    /// The token is valid but lacks a scope that the user could grant. `scopes` are those it has and those
    /// the call needs, because clients request exactly what is named here, and nothing they had before.
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
        let Self(asked_at) = self;
        format!("resource_metadata=\"{asked_at}/.well-known/oauth-protected-resource/api/mcp\"")
    }
}

/// A header value. A URL that cannot be in a header is left out: the scheme alone is a valid challenge.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}
