//! The HTTP server: the MCP endpoint, the pages, their limits, and what an operator monitors.
//!
//! | module | holds |
//! | --- | --- |
//! | [`App`] | the state that all requests share |
//! | `routes` | the flat list of routes |
//! | `auth` | turns a token into an authenticated caller, once per request, on a database thread |
//! | `challenges` | `WWW-Authenticate`: how a caller is asked for a token |
//! | `limiter` | requests that a credential and a tenant may make in a rolling minute |
//! | `last_use` | which uses of credentials are not recorded yet |
//! | `mcp` | `POST /api/mcp`, from bytes to bytes |
//! | `request_log` | the log line and the metrics of a request to the endpoint |
//! | `page_log` | the log line and the metrics of a page request |
//! | `peer` | the address a request comes from |
//! | `web_origin` | addresses in normalized form |
//! | `hashing` | password hashing, a few at a time |
//! | `mail` | mail to users, where a mail server is set |
//! | `people` | sign-in, the user's own account, the team |
//! | `web` | what all pages share |
//! | `sso` | sign-in at the company's identity provider |
//! | `oauth` | the authorization server: metadata, registration, consent, tokens |
//! | `anonymous_limits` | rate limits for unauthenticated requests |
//! | `ops`, `metrics`, `process` | health, readiness and `GET /metrics` |
//! | `clock_skew` | the skew between this process's clock and the database's |
//! | `limit_sync` | publishes request counts to other processes and fetches theirs |
//! | `background` | work that no caller waits for: clean-up every minute, uses of credentials |
//! | `stored` | what the tenants store: measured, for the metrics and a warning |
//! | `framing` | rejects ambiguous request heads before anything else |
//! | [`serve()`] | connections: accepted, bounded, ended without cutting off an answer |
//!
//! What must not live here: a rule of the product, SQL, the shapes of the protocol, or reading settings. A
//! request that needs the database is one job on a database thread. Nothing blocks here except what waits
//! for the company's provider, on threads of its own.

mod anonymous_limits;
mod answer;
mod app;
mod auth;
mod background;
mod challenges;
mod clock_skew;
mod framing;
mod hashing;
mod last_use;
mod limit_sync;
mod limiter;
mod mail;
mod mcp;
mod metrics;
mod oauth;
mod ops;
mod origin;
mod page_log;
mod peer;
mod people;
mod process;
mod request_log;
mod routes;
mod serve;
mod sso;
mod stored;
mod web;
mod web_origin;

pub use app::{App, Limits, Settings};
pub use mail::{Invitation, Mailer, Unsent};
pub use oauth::documents::DocumentPolicy;
pub use serve::serve;
pub use sso::provider::SsoProvider;
pub use web_origin::{NotAnOrigin, WebOrigin};
