//! The HTTP server: the MCP endpoint, the pages, their limits, and what an operator monitors.
//!
//! | module | contains |
//! | --- | --- |
//! | [`App`] | the state that all requests share |
//! | `routes` | the flat list of routes |
//! | `auth` | turns a token into an authenticated caller, on a database thread, and counts the request |
//! | `challenges` | `WWW-Authenticate`: asks a caller for a token |
//! | `lanes` | the storage lane in which a request's jobs wait |
//! | `limiter` | how many requests a credential and a tenant may make in a rolling minute |
//! | `last_use` | the minute in which each credential's use was last recorded |
//! | `mcp` | `POST /api/mcp`, from the request's bytes to the answer's |
//! | `request_log` | the log line and the metrics of a request to the endpoint |
//! | `page_log` | the log line and the metrics of a page request |
//! | `peer` | the address that a request comes from |
//! | `web_origin` | web addresses in normalized form |
//! | `hashing` | password hashing, a few passwords at a time |
//! | `mail` | mail to users, if a mail server is configured |
//! | `people` | sign-in, the user's own account, the team |
//! | `web` | what all pages share |
//! | `files` | files on notes: receives, stores and sends their content |
//! | `export` | exports of accounts: in a folder, and as one ZIP |
//! | `sso` | sign-in at the company's identity provider |
//! | `oauth` | the authorization server: metadata, registration, consent, tokens |
//! | `anonymous_limits` | rate limits for unauthenticated requests |
//! | `unknown_tokens` | counts tokens that the database does not know, by network |
//! | `network` | networks of IP addresses, and who a request's seat and body are counted for |
//! | `connections` | how many connections a network may hold |
//! | `bodies`, `seats` | limits on requests: the bytes of their bodies, and how many run at once |
//! | `unread` | answers that their callers have not read yet |
//! | `memory` | how many bytes the process holds for its callers |
//! | `ops`, `metrics`, `process` | health, readiness and `GET /metrics` |
//! | `clock_skew` | the difference between this process's clock and the database's |
//! | `limit_sync` | publishes request counts to other processes and fetches theirs |
//! | `background` | work that no caller waits for: deleting expired rows, recording uses of credentials |
//! | `rewriting` | writes the files of the database again in the night after an erasure |
//! | `stored` | measures what the tenants store, for the metrics and a warning |
//! | `framing` | rejects ambiguous request heads before anything else |
//! | [`serve()`] | accepts connections, limits their number, and closes them without cutting off an answer |
//!
//! What must not live here: a rule of the product, SQL, the message formats of MCP, or reading settings. Database
//! work runs as jobs on database threads. All other work that blocks or takes long, such as hashing, mail and
//! requests to the company's provider, runs on blocking threads.

mod anonymous_limits;
mod answer;
mod app;
mod auth;
mod background;
mod bodies;
mod challenges;
mod clock_skew;
mod connections;
mod console;
mod export;
mod files;
mod framing;
mod hashing;
mod importing;
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
mod packing;
mod page_log;
mod peer;
mod people;
mod process;
mod reindexing;
mod request_log;
mod rewriting;
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
pub use export::{ExportFolder, UnusableExport};
pub use files::{
    CopiedFiles, DeletedContents, ErasedContents, FileStore, Owner, UnusableFileStore,
};
pub use mail::{Invitation, Mailer, Unsent};
pub use oauth::documents::DocumentPolicy;
pub use serve::serve;
pub use sso::provider::SsoProvider;
pub use web_origin::{NotAnOrigin, WebOrigin};
