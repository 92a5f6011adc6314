//! The sections of the settings file.

use std::num::NonZeroUsize;

use anyhow::{Result, bail};
use serde::Serialize;
use zoop_server::SsoProvider;

use super::values::{LogFilter, Networks, Origins, Span, StorageLimit};

/// The section `server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ServerConfig {
    /// Address and port of the endpoint.
    pub(crate) listen: String,
    /// Address and port of the metrics, or `none`.
    pub(crate) ops_listen: String,
    /// The address that clients use. It may be omitted if only this machine can reach `listen`, which is then used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_url: Option<String>,
    /// The origins whose pages may call the server, in addition to the public URL's.
    pub(crate) allowed_origins: Origins,
    /// Networks of the proxies in front of the server, whose `X-Forwarded-For` is trusted.
    pub(crate) trusted_proxies: Networks,
    /// The time limit for a request.
    pub(crate) request_deadline: Span,
    /// The maximum number of requests processed at once.
    pub(crate) in_flight: usize,
}

/// The section `limits`: maximum numbers in a rolling minute, and what a tenant may store; 0 for no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LimitsConfig {
    /// Requests of one credential.
    pub(crate) credential: u32,
    /// Requests of one tenant.
    pub(crate) tenant: u32,
    /// Note writes of one user.
    pub(crate) note_writes: u32,
    /// What one tenant may store.
    pub(crate) storage: StorageLimit,
}

/// The section `files`: where the content of files on notes is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FilesConfig {
    /// The store; without it, a folder beside the database's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The address of a bucket's server; without it, Amazon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// What the files of one tenant may take together.
    pub(crate) account_limit: StorageLimit,
}

/// The section `company`: the identity provider at which users may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CompanyConfig {
    /// The provider's issuer; without it, company sign-in is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// This server's client id at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// This server's client secret at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    /// The company's name on the sign-in button.
    pub(crate) name: String,
}

impl CompanyConfig {
    /// The provider, if one is configured. Its three settings must all be set, or none of them.
    pub(super) fn provider(&self) -> Result<Option<SsoProvider>> {
        let Self { issuer, client_id, client_secret, name } = self;
        let (issuer, client_id, client_secret) = match (issuer, client_id, client_secret) {
            (None, None, None) => return Ok(None),
            (Some(issuer), Some(id), Some(secret)) => (issuer, id, secret),
            _ => bail!(
                "company.issuer, company.client_id and company.client_secret belong together: set all \
                 three or none"
            ),
        };
        let (issuer, client_id) = (checked_issuer(issuer)?.to_owned(), client_id.clone());
        Ok(Some(SsoProvider {
            issuer,
            client_id,
            client_secret: client_secret.clone(),
            name: name.clone(),
        }))
    }
}

/// Checks an issuer: it must use TLS, or be on this machine.
///
/// Source: OpenID Connect Discovery 1.0, 3.
pub(super) fn checked_issuer(issuer: &str) -> Result<&str> {
    let own = ["127.0.0.1", "localhost", "[::1]"];
    let is_own = |host: &str| {
        let host = host.split('/').next().unwrap_or_default();
        own.iter().any(|own| {
            host.strip_prefix(own).is_some_and(|it| it.is_empty() || it.starts_with(':'))
        })
    };
    let is_safe = match issuer.strip_prefix("https://") {
        Some(host) => !host.is_empty() && !host.starts_with('/'),
        None => issuer.strip_prefix("http://").is_some_and(is_own),
    };
    if !is_safe || issuer.contains(['?', '#', '@', ' ']) {
        bail!(
            "company.issuer must be the provider's own https URL, such as https://accounts.example.com"
        );
    }
    Ok(issuer)
}

/// The section `mail`. Without a mail server, an invitation's link is shown but not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct MailConfig {
    /// The mail server's URL, with user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The sender of mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

/// The section `storage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StorageConfig {
    /// The maximum number of writes that share one commit.
    pub(crate) write_batch: NonZeroUsize,
    /// The number of reader threads, each with its own connection; by default as many as suit the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readers: Option<NonZeroUsize>,
    /// The number of writer threads, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) writers: Option<NonZeroUsize>,
}

/// The section `log`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LogConfig {
    /// The format of log lines; by default text on a terminal and JSON elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug or trace, or a list such as `warn,zoop_server=debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<LogFilter>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text, for people.
    Text,
    /// JSON, for machines.
    Json,
}

impl LogFormat {
    /// Reads `text` or `json`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
