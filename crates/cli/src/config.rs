//! The settings: flags, then `ZOOP_*` variables, then `zoop.toml`, then the defaults below.
//!
//! Nothing else in this crate reads a file or a variable for a setting; `zoop call` alone also
//! takes its key and address from variables.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use zoop_db::Options;
use zoop_server::{Company, Limits, Mailer, Settings};

use crate::url::without_password;

/// The settings' file, in the current folder.
pub(crate) const FILE: &str = "zoop.toml";
const PREFIX: &str = "ZOOP_";

/// Every setting, by its path in the file. `limits.credential` is `ZOOP_LIMITS_CREDENTIAL`.
const KEYS: &[&str] = &[
    "database",
    "server.listen",
    "server.ops_listen",
    "server.public_url",
    "server.allowed_origins",
    "server.trusted_proxies",
    "server.request_deadline",
    "server.in_flight",
    "limits.credential",
    "limits.tenant",
    "limits.note_writes",
    "company.issuer",
    "company.client_id",
    "company.client_secret",
    "company.name",
    "mail.url",
    "mail.from",
    "storage.write_batch",
    "storage.readers",
    "storage.writers",
    "log.format",
    "log.level",
];

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The database's URL.
    pub(crate) database: String,
    pub(crate) server: ServerConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) company: CompanyConfig,
    #[serde(default)]
    pub(crate) mail: MailConfig,
    pub(crate) storage: StorageConfig,
    pub(crate) log: LogConfig,
}

/// The section `server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// Address and port of the endpoint.
    pub(crate) listen: String,
    /// Address and port of the metrics, or `none`.
    pub(crate) ops_listen: String,
    /// The address that clients use; without it, `listen`, if that is this machine alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public_url: Option<String>,
    /// Origins of browser pages that may call, beside the public URL's own.
    pub(crate) allowed_origins: List,
    /// Networks of the proxies in front of the server, whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Networks,
    /// How long a request may take.
    pub(crate) request_deadline: Span,
    /// Requests that may be worked on at once.
    pub(crate) in_flight: usize,
}

/// The section `limits`: how much in a rolling minute, 0 for no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsConfig {
    /// Requests of one credential.
    pub(crate) credential: u32,
    /// Requests of one tenant.
    pub(crate) tenant: u32,
    /// Note writes of one person.
    pub(crate) note_writes: u32,
}

/// The section `company`: the provider of identities at which people may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanyConfig {
    /// Its issuer; without it nobody signs in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// What this server is called there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// What this server proves itself with there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    /// The words for the company on the button.
    pub(crate) name: String,
}

impl CompanyConfig {
    /// The provider, if it is set up; it is so whole or not at all.
    fn provider(&self) -> Result<Option<Company>> {
        let Self { issuer, client_id, client_secret, name } = self;
        let (issuer, client_id, client_secret) = match (issuer, client_id, client_secret) {
            (None, None, None) => return Ok(None),
            (Some(issuer), Some(id), Some(secret)) => (issuer, id, secret),
            _ => bail!(
                "company.issuer, company.client_id and company.client_secret belong together: set all \
                 three, or none"
            ),
        };
        let (issuer, client_id) = (checked_issuer(issuer)?.to_owned(), client_id.clone());
        Ok(Some(Company {
            issuer,
            client_id,
            client_secret: client_secret.clone(),
            name: name.clone(),
        }))
    }
}

/// An issuer as it may be asked: by TLS, or on this machine.
///
/// Source: OpenID Connect Discovery 1.0, 3.
fn checked_issuer(issuer: &str) -> Result<&str> {
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
            "{issuer:?} is no issuer: write the provider's own https URL, such as \
             https://accounts.example.com"
        );
    }
    Ok(issuer)
}

/// The section `mail`: without a server, invitations are only shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    /// The mail server's URL, with user and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// From whom mails come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

/// The section `storage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StorageConfig {
    /// Writes that share one commit at most.
    pub(crate) write_batch: NonZeroUsize,
    /// Threads that read, each with a connection of its own; as many as suit the engine, unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) readers: Option<NonZeroUsize>,
    /// Threads that write, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) writers: Option<NonZeroUsize>,
}

/// The section `log`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// Text on a terminal and JSON elsewhere, unless one is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug or trace, or a list such as `warn,zoop_server=debug`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// A duration, written as `10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match humantime::parse_duration(&text) {
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err(format!("{text:?} is no duration: write one such as 10s")),
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        humantime::format_duration(span.0).to_string()
    }
}

/// A list of words; a variable writes it with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ListText", into = "Vec<String>")]
pub(crate) struct List(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ListText {
    List(Vec<String>),
    Text(String),
}

impl From<ListText> for List {
    fn from(text: ListText) -> Self {
        match text {
            ListText::List(list) => Self(list),
            ListText::Text(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Self(words.map(str::to_owned).collect())
            }
        }
    }
}

impl From<List> for Vec<String> {
    fn from(list: List) -> Self {
        list.0
    }
}

/// A list of networks or addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "List", into = "List")]
pub(crate) struct Networks(Vec<IpNet>);

impl TryFrom<List> for Networks {
    type Error = String;
    fn try_from(list: List) -> Result<Self, String> {
        let network = |word: &String| {
            let address = || word.parse::<IpAddr>().map(IpNet::from);
            word.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
                format!("{word:?} is no network or address: write it as 10.0.0.0/8 or 10.0.0.1")
            })
        };
        list.0.iter().map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Networks> for List {
    fn from(networks: Networks) -> Self {
        Self(networks.0.iter().map(ToString::to_string).collect())
    }
}

impl Default for Config {
    fn default() -> Self {
        let server = Settings::new("");
        Self {
            database: "sqlite://zoop.db".to_owned(),
            server: ServerConfig {
                listen: "127.0.0.1:8080".to_owned(),
                ops_listen: "127.0.0.1:9090".to_owned(),
                public_url: None,
                allowed_origins: List(server.allowed_origins),
                trusted_proxies: Networks(server.trusted_proxies),
                request_deadline: Span(server.request_deadline),
                in_flight: server.in_flight,
            },
            limits: LimitsConfig {
                credential: server.limits.credential,
                tenant: server.limits.tenant,
                note_writes: 60,
            },
            company: CompanyConfig {
                issuer: None,
                client_id: None,
                client_secret: None,
                name: "your company".to_owned(),
            },
            mail: MailConfig::default(),
            storage: StorageConfig {
                write_batch: Options::default().write_batch,
                readers: None,
                writers: None,
            },
            log: LogConfig::default(),
        }
    }
}

/// The settings of this run; a flag is its setting's path and what was typed.
pub(crate) fn load(flags: &[(&str, Option<&String>)]) -> Result<Config> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if Path::new(FILE).exists() {
        figment = figment.merge(Toml::file_exact(FILE));
    }
    figment = figment.merge(variables());
    for (key, typed) in flags {
        if let Some(typed) = typed {
            figment = figment.merge(Serialized::default(key, typed));
        }
    }
    figment.extract().map_err(|errors| {
        let errors: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
        // A syntax error is drawn over several lines.
        let errors = errors.join("; ").split_whitespace().collect::<Vec<_>>().join(" ");
        anyhow::anyhow!("the settings cannot be used: {errors}")
    })
}

/// The variables that are settings. Others with the prefix are not ours to judge: orchestrators set
/// some for every service that they know. An empty one counts as not set.
fn variables() -> Env {
    Env::prefixed(PREFIX).filter_map(|name| {
        let key =
            KEYS.iter().find(|key| name.as_str().eq_ignore_ascii_case(&key.replace('.', "_")))?;
        let set = std::env::var_os(variable(key)).is_some_and(|value| !value.is_empty());
        set.then(|| (*key).into())
    })
}

/// The variable of a setting.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

impl Config {
    /// The settings with passwords hidden, and the public URL as it comes out.
    pub(crate) fn shown(&self) -> Self {
        let mut shown = self.clone();
        shown.database = without_password(&self.database);
        shown.mail.url = self.mail.url.as_deref().map(without_password);
        shown.server.public_url = self.public_url(None).ok();
        shown.company.client_secret = self.company.client_secret.as_ref().map(|_| "…".to_owned());
        shown
    }

    /// The address that clients use, given where the server really listens if it does already: a
    /// port of 0 is chosen by the system.
    pub(crate) fn public_url(&self, bound: Option<SocketAddr>) -> Result<String> {
        let listen = &self.server.listen;
        if let Some(url) = &self.server.public_url {
            return checked_url(url);
        }
        let mut addresses = listen
            .to_socket_addrs()
            .with_context(|| format!("{listen:?} is no address and port to listen on"))?;
        if !addresses.all(|address| address.ip().is_loopback()) {
            bail!(
                "{listen} can be reached from other machines: say under which address clients do \
                 with --public-url https://… (the server itself speaks plain HTTP: put a proxy \
                 with TLS before it)"
            );
        }
        Ok(bound.map_or_else(|| format!("http://{listen}"), |bound| format!("http://{bound}")))
    }

    /// Where the metrics are served, if they are.
    pub(crate) fn ops_listen(&self) -> Option<&str> {
        Some(self.server.ops_listen.as_str()).filter(|address| *address != "none")
    }

    /// How large the engine's parts are.
    pub(crate) fn options(&self) -> Options {
        let StorageConfig { write_batch, readers, writers } = self.storage;
        Options { write_batch, readers, writers, ..Options::default() }
    }

    /// The same for a command that does one thing after another: a server's connections are few.
    pub(crate) fn options_for_one(&self) -> Options {
        let one = Some(NonZeroUsize::MIN);
        Options { readers: one, writers: one, ..self.options() }
    }

    /// What sends mail, if a mail server is set.
    pub(crate) fn mailer(&self) -> Result<Option<Mailer>> {
        let MailConfig { url: Some(url), from } = &self.mail else { return Ok(None) };
        let from = from.as_deref().context("mail.url is set: say with mail.from from whom")?;
        Ok(Some(Mailer::new(url, from)?))
    }

    /// The server's settings.
    pub(crate) fn settings(&self, public_url: String) -> Result<Settings> {
        Ok(Settings {
            company: self.company.provider()?,
            mail: self.mailer()?,
            allowed_origins: self.server.allowed_origins.0.clone(),
            trusted_proxies: self.server.trusted_proxies.0.clone(),
            limits: Limits { credential: self.limits.credential, tenant: self.limits.tenant },
            request_deadline: self.server.request_deadline.0,
            in_flight: self.server.in_flight,
            ..Settings::new(public_url)
        })
    }
}

/// A public URL as the server takes it: an origin and nothing after it.
fn checked_url(url: &str) -> Result<String> {
    let url = url.trim_end_matches('/');
    // Browsers leave out a port that the scheme implies, and are believed by their whole origin.
    let url = match url.split_once("://") {
        Some(("https", _)) => url.strip_suffix(":443").unwrap_or(url),
        Some(("http", _)) => url.strip_suffix(":80").unwrap_or(url),
        _ => url,
    };
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(url.to_owned())
        }
        _ => bail!(
            "{url:?} is no public URL: write scheme and host, such as https://crm.example.com"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_variable() {
        let mut config = Config::default();
        config.server.public_url = Some("https://crm.example.com".to_owned());
        let some = Some(NonZeroUsize::MIN);
        let text = || Some("text".to_owned());
        config.company = CompanyConfig {
            issuer: text(),
            client_id: text(),
            client_secret: text(),
            ..config.company
        };
        config.storage = StorageConfig { readers: some, writers: some, ..config.storage };
        let some_text = || Some("smtp://localhost".to_owned());
        config.mail = MailConfig { url: some_text(), from: some_text() };
        config.log = LogConfig { format: Some(LogFormat::Json), level: Some("info".to_owned()) };
        let mut keys = Vec::new();
        for (name, value) in serde_json::to_value(&config).unwrap().as_object().unwrap() {
            match value.as_object() {
                Some(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
                None => keys.push(name.clone()),
            }
        }
        keys.sort();
        let mut known = KEYS.to_vec();
        known.sort_unstable();
        assert_eq!(keys, known);
        assert_eq!(variable("limits.note_writes"), "ZOOP_LIMITS_NOTE_WRITES");
    }

    #[test]
    fn a_public_url_is_needed_beyond_this_machine_and_is_an_origin() {
        let mut config = Config::default();
        assert_eq!(config.public_url(None).unwrap(), "http://127.0.0.1:8080");
        config.server.listen = "0.0.0.0:8080".to_owned();
        assert!(config.public_url(None).unwrap_err().to_string().contains("--public-url"));
        config.server.public_url = Some("https://crm.example.com/".to_owned());
        assert_eq!(config.public_url(None).unwrap(), "https://crm.example.com");
        config.server.public_url = Some("https://crm.example.com:443".to_owned());
        assert_eq!(
            config.public_url(None).unwrap(),
            "https://crm.example.com",
            "as browsers say it"
        );
        for wrong in ["crm.example.com", "https://", "https://a/b", "ftp://a"] {
            assert!(checked_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_provider_is_set_up_whole_and_asked_by_tls() {
        let mut config = Config::default();
        assert_eq!(config.company.provider().unwrap(), None);
        config.company.issuer = Some("https://accounts.example.com/realm".to_owned());
        assert!(config.company.provider().unwrap_err().to_string().contains("company.client_id"));
        config.company.client_id = Some("zoop".to_owned());
        config.company.client_secret = Some("s3cret".to_owned());
        let provider = config.company.provider().unwrap().unwrap();
        assert_eq!(provider.issuer, "https://accounts.example.com/realm");
        assert!(!format!("{provider:?}").contains("s3cret"));
        assert_eq!(config.shown().company.client_secret.as_deref(), Some("…"));
        for right in ["http://127.0.0.1:4000", "http://localhost/realm", "http://[::1]:80"] {
            assert!(checked_issuer(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://accounts.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "accounts.example.com",
            "https://",
            "https://a.example?x",
            "https://a@b.example",
        ] {
            assert!(checked_issuer(wrong).is_err(), "{wrong}");
        }
    }
}
