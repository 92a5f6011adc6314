//! The HTTP server: the MCP endpoint, its limits, and what an operator watches it by.
//!
//! | module | holds |
//! | --- | --- |
//! | [`App`] | the state that all requests share, and the flat list of routes |
//! | `auth` | a token becomes a checked caller, once a request, on a database thread |
//! | `limiter` | requests that a credential and a tenant may make in a rolling minute |
//! | `last_use` | when each key was last used, recorded asynchronously |
//! | `mcp` | `POST /api/mcp`, from bytes to bytes |
//! | `trail` | the log line and the metrics of a request to the endpoint |
//! | `page_log` | the same of a page |
//! | `peer` | from where a request comes |
//! | `web_origin` | addresses in the one form in which they are compared |
//! | `people` | signing in, the own account, the team |
//! | `web` | what every page shares |
//! | `company` | signing in at the company's provider of identities |
//! | `oauth` | the authorization server: metadata, registration, consent, tokens |
//! | `visitors` | how often an address may do what needs no credential |
//! | `ops`, `metrics`, `process` | health, readiness and `GET /metrics` |
//! | `clocks` | how far this process's clock is off the database's |
//! | `sharing` | what processes tell one another of their callers' requests |
//! | `background` | what is done every minute without a caller |
//! | `framing` | heads of requests that are refused before anything else |
//! | [`serve()`] | connections: accepted, bounded, ended without cutting off an answer |
//!
//! What must never live here: a rule of the product, SQL, the shapes of the protocol, or the reading
//! of settings. A request that needs the database is one job on a database thread; nothing blocks
//! here but what waits for the company's provider, on threads of its own.

mod answer;
mod app;
mod auth;
mod background;
mod clocks;
mod company;
mod framing;
mod last_use;
mod limiter;
mod mcp;
mod metrics;
mod oauth;
mod ops;
mod origin;
mod page_log;
mod peer;
mod people;
mod process;
mod serve;
mod sharing;
mod trail;
mod visitors;
mod web;
mod web_origin;

pub use app::{App, Limits, Settings};
pub use company::Company;
pub use oauth::documents::DocumentPolicy;
pub use people::mail::{Invitation, Mailer, Unsent};
pub use serve::serve;
pub use web_origin::{NotAnOrigin, WebOrigin};
