//! The HTTP server: the MCP endpoint, the pages, their limits, and what an operator monitors.
//!
//! | module | holds |
//! | --- | --- |
//! | [`App`] | the state that all requests share |
//! | `routes` | the flat list of routes |
//! | `auth` | turns a token into an authenticated caller, once per request, on a database thread |
//! | `challenges` | `WWW-Authenticate`: asks a caller for a token |
//! | `lanes` | in which lane of the storage a request's jobs wait |
//! | `limiter` | how many requests a credential and a tenant may make in a rolling minute |
//! | `last_use` | in which minute each credential's use was last recorded |
//! | `mcp` | `POST /api/mcp`, from the request's bytes to the answer's |
//! | `request_log` | the log line and the metrics of a request to the endpoint |
//! | `page_log` | the log line and the metrics of a page request |
//! | `peer` | the address that a request comes from |
//! | `web_origin` | addresses in normalized form |
//! | `hashing` | password hashing, a few passwords at a time |
//! | `mail` | mail to users, if a mail server is configured |
//! | `people` | sign-in, the user's own account, the team |
//! | `web` | what all pages share |
//! | `sso` | sign-in at the company's identity provider |
//! | `oauth` | the authorization server: metadata, registration, consent, tokens |
//! | `anonymous_limits` | rate limits for unauthenticated requests |
//! | `unknown_tokens` | tokens that nobody knows, counted by network |
//! | `network` | networks of addresses, and whose share of the server's room a request takes |
//! | `connections` | how many connections a network may hold |
//! | `bodies`, `seats` | the room for requests: bytes of their bodies, and how many run at once |
//! | `unread` | answers that their callers have not read yet |
//! | `memory` | how many bytes the process holds for its callers |
//! | `ops`, `metrics`, `process` | health, readiness and `GET /metrics` |
//! | `clock_skew` | the difference between this process's clock and the database's |
//! | `limit_sync` | publishes request counts to other processes and fetches theirs |
//! | `background` | work that no caller waits for: deleting expired rows, recording uses of credentials |
//! | `stored` | what the tenants store: measured, for the metrics and a warning |
//! | `framing` | rejects ambiguous request heads before anything else |
//! | [`serve()`] | connections: accepts them, limits their number, and ends them without cutting off an answer |
//!
//! What must not live here: a rule of the product, SQL, the shapes of the protocol, or reading settings. A
//! request that needs the database is one job on a database thread. Nothing blocks here but the requests to the
//! company's provider, which have their own threads.

mod anonymous_limits;
mod answer;
mod app;
mod auth;
mod background;
mod bodies;
mod challenges;
mod clock_skew;
mod connections;
mod framing;
mod hashing;
mod lanes;
mod last_use;
mod limit_sync;
mod limiter;
mod mail;
mod mcp;
mod memory;
mod metrics;
mod network;
mod oauth;
mod ops;
mod origin;
mod page_log;
mod peer;
mod people;
mod process;
mod request_log;
mod routes;
mod seats;
mod serve;
mod sso;
mod stored;
mod unknown_tokens;
mod unread;
mod web;
mod web_origin;

pub use app::{App, Limits, Settings};
pub use connections::ConnectionPolicy;
pub use mail::{Invitation, Mailer, Unsent};
pub use oauth::documents::DocumentPolicy;
pub use serve::serve;
pub use sso::provider::SsoProvider;
pub use web_origin::{NotAnOrigin, WebOrigin};
