//! [`App`]: the state that all requests share.
//!
//! Nothing here reads files, environment variables or flags: settings are passed in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use zoop_crm::values::clock::Environment;
use zoop_db::Db;
use zoop_mcp::ServerInfo;

use crate::anonymous_limits::AnonymousLimits;
use crate::bodies::Bodies;
use crate::clock_skew::ClockSkew;
use crate::connections::{ConnectionPolicy, Connections};
use crate::export::Turns;
use crate::files::pictures::Pictures;
use crate::files::{FileStore, Receiving};
use crate::hashing::Hashing;
use crate::importing::Importing;
use crate::lanes::Lanes;
use crate::last_use::LastUse;
use crate::limiter::Limiter;
use crate::mail::Mailer;
use crate::mcp::tool_book::ToolBook;
use crate::metrics::Metrics;
use crate::oauth::documents::{DocumentPolicy, Documents};
use crate::origin::Origins;
use crate::peer::Proxies;
use crate::seats::Seats;
use crate::sso::provider::{Provider, SsoProvider};
use crate::stored::NearlyFull;
use crate::unread::UnreadAnswers;
use crate::web_origin::WebOrigin;

/// How the server behaves. The listeners are passed to [`serve`](crate::serve()) separately.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address that clients use, for example `https://crm.example.com`.
    pub public_url: WebOrigin,
    /// Origins of browser pages that may call the endpoint, in addition to the public URL's own.
    pub allowed_origins: Vec<WebOrigin>,
    /// Networks of the proxies in front of the server, whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The request limits.
    pub limits: Limits,
    /// How long a request may take, from its headers to its answer. A body that has not arrived by
    /// then is rejected, and a running statement is cancelled.
    pub request_deadline: Duration,
    /// How many requests are processed at once. One tenant gets at most half of these seats. A request without a
    /// seat waits for at most half of its remaining time, and is then answered 503.
    pub in_flight: usize,
    /// How many connections strangers may open.
    pub connections: ConnectionPolicy,
    /// The company's identity provider, if users may sign in there.
    pub company: Option<SsoProvider>,
    /// How clients' metadata documents are fetched.
    pub documents: DocumentPolicy,
    /// Sends invitations and password reset links, if a mail server is configured.
    pub mail: Option<Mailer>,
    /// Where the content of files is stored. Without it, uploads are refused.
    pub files: Option<FileStore>,
    /// The folder that contains the database file. The metrics show the free space there.
    pub database_folder: Option<PathBuf>,
}

/// The maximum number of requests in a rolling minute; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// By one credential that has no limit of its own.
    pub credential: u32,
    /// By all credentials of one tenant.
    pub tenant: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { credential: 120, tenant: 600 }
    }
}

impl Settings {
    /// The defaults for a server that is reached at `public_url`.
    pub fn new(public_url: WebOrigin) -> Self {
        Self {
            public_url,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            request_deadline: Duration::from_secs(10),
            in_flight: 256,
            connections: ConnectionPolicy::default(),
            company: None,
            documents: DocumentPolicy::default(),
            mail: None,
            files: None,
            database_folder: None,
        }
    }
}

/// The server's state; a clone is another handle to the same state.
#[derive(Clone)]
pub struct App {
    pub(crate) shared: Arc<Shared>,
}

/// The state that all requests share.
pub(crate) struct Shared {
    /// The storage for the program's own jobs. [`Shared::db_for`] returns it for a caller's jobs.
    pub(crate) db: Db,
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    pub(crate) server: ServerInfo,
    pub(crate) tools: ToolBook,
    pub(crate) origins: Origins,
    pub(crate) proxies: Proxies,
    pub(crate) limiter: Limiter,
    pub(crate) anonymous_limits: AnonymousLimits,
    pub(crate) documents: Documents,
    pub(crate) hashing: Hashing,
    pub(crate) lanes: Lanes,
    pub(crate) last_use: LastUse,
    pub(crate) clock_skew: ClockSkew,
    pub(crate) metrics: Metrics,
    pub(crate) nearly_full: NearlyFull,
    pub(crate) connections: Arc<Connections>,
    pub(crate) bodies: Bodies,
    pub(crate) pictures: Pictures,
    pub(crate) receiving: Receiving,
    pub(crate) seats: Seats,
    pub(crate) unread: UnreadAnswers,
    pub(crate) unread_files: UnreadAnswers,
    pub(crate) company: Option<Arc<Provider>>,
    pub(crate) exports: Turns,
    pub(crate) importing: Importing,
}

impl App {
    /// A server over `db`. The JSON of the tool lists is built here, once.
    #[must_use]
    pub fn new(db: Db, environment: Environment, settings: Settings) -> Self {
        let server = ServerInfo {
            name: "zoop".into(),
            title: "Zoop".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let metrics = Metrics::new(environment.clock.now());
        let metrics =
            if settings.database_folder.is_some() { metrics.with_disk() } else { metrics };
        let connections = Connections::new(settings.connections.clone(), &settings.trusted_proxies);
        let metrics = metrics.with_connections(&connections);
        let shared = Shared {
            db,
            environment,
            server,
            tools: ToolBook::new(),
            origins: Origins::new(&settings.public_url, &settings.allowed_origins),
            proxies: Proxies::new(&settings.trusted_proxies),
            limiter: Limiter::default(),
            anonymous_limits: AnonymousLimits::default(),
            documents: Documents::new(settings.documents.clone()),
            hashing: Hashing::default(),
            lanes: Lanes::default(),
            last_use: LastUse::default(),
            clock_skew: ClockSkew::default(),
            metrics,
            nearly_full: NearlyFull::default(),
            connections: Arc::new(connections),
            bodies: Bodies::default(),
            pictures: Pictures::default(),
            receiving: Receiving::default(),
            seats: Seats::new(settings.in_flight),
            unread: UnreadAnswers::default(),
            unread_files: UnreadAnswers::of_files(),
            exports: Turns::default(),
            importing: Importing::default(),
            company: settings
                .company
                .clone()
                .map(|company| Arc::new(Provider::new(company, &settings.public_url))),
            settings,
        };
        Self { shared: Arc::new(shared) }
    }
}
