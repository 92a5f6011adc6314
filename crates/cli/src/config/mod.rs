//! The settings: flags, then `ZOOP_*` variables, then one file, then the defaults below.
//!
//! Nothing else in this crate reads settings from a file or a variable, except that `zoop call` also reads its key
//! and address from variables.

mod sections;
mod sources;
mod table;
mod values;
mod written;

use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use zoop_crm::values::size::Size;
use zoop_db::Options;
use zoop_db::engine::{is_postgres, sqlite_path};
use zoop_server::{FileStore, Limits, Mailer, Settings, SsoProvider, UnusableFileStore, WebOrigin};

use crate::database::folder;
use crate::url::without_password;
use sections::{CompanyConfig, FilesConfig, LimitsConfig, MailConfig, ServerConfig, StorageConfig};
use values::{Networks, Origins, Span, StorageLimit};

pub(crate) use sections::{LogConfig, LogFormat};
pub(crate) use sources::{FILE, Flag, Search, load};
pub(crate) use values::LogFilter;

const PREFIX: &str = "ZOOP_";

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Config {
    /// The file from which settings were read, if any.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// The database's URL.
    pub(crate) database: String,
    pub(crate) server: ServerConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) company: CompanyConfig,
    pub(crate) mail: MailConfig,
    pub(crate) storage: StorageConfig,
    pub(crate) files: FilesConfig,
    pub(crate) log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        let server = Settings::new(WebOrigin::default());
        Self {
            file: None,
            database: "sqlite://zoop.db".to_owned(),
            server: ServerConfig {
                listen: "127.0.0.1:8080".to_owned(),
                ops_listen: "127.0.0.1:9090".to_owned(),
                public_url: None,
                allowed_origins: Origins(server.allowed_origins),
                trusted_proxies: Networks(server.trusted_proxies),
                request_deadline: Span(server.request_deadline),
                in_flight: server.in_flight,
            },
            limits: LimitsConfig {
                credential: server.limits.credential,
                tenant: server.limits.tenant,
                note_writes: 60,
                storage: StorageLimit(Size(10 << 30)),
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
            files: FilesConfig {
                url: None,
                endpoint: None,
                account_limit: StorageLimit(Size(10 << 30)),
            },
            log: LogConfig::default(),
        }
    }
}

impl Config {
    /// The file that the settings come from, for messages.
    pub(crate) fn source(&self) -> String {
        match &self.file {
            Some(path) => path.display().to_string(),
            None => format!("no {FILE}"),
        }
    }

    /// The settings with secrets hidden and the public URL in normalized form.
    pub(crate) fn with_secrets_hidden(&self) -> Self {
        let mut shown = self.clone();
        shown.database = without_password(&self.database);
        shown.mail.url = self.mail.url.as_deref().map(without_password);
        shown.server.public_url = self.public_url(None).ok();
        shown.company.client_secret = self.company.client_secret.as_ref().map(|_| "…".to_owned());
        shown
    }

    /// The address that clients use. `bound` is the address on which the server actually listens, if that is known:
    /// for port 0 the operating system chooses one.
    pub(crate) fn public_url(&self, bound: Option<SocketAddr>) -> Result<String> {
        let listen = &self.server.listen;
        if let Some(url) = &self.server.public_url {
            return checked_url(url);
        }
        let mut addresses = listen
            .to_socket_addrs()
            .with_context(|| format!("{listen:?} is not an address with a port to listen on"))?;
        if !addresses.all(|address| address.ip().is_loopback()) {
            bail!(
                "{listen} can be reached from other machines: set the address that clients use \
                 with --public-url https://… (the server itself speaks plain HTTP: put a TLS \
                 proxy in front of it)"
            );
        }
        let address = bound.map_or_else(|| listen.clone(), |bound| bound.to_string());
        checked_url(&format!("http://{address}"))
    }

    /// The address on which the metrics are served, if they are.
    pub(crate) fn ops_listen(&self) -> Option<&str> {
        Some(self.server.ops_listen.as_str()).filter(|address| *address != "none")
    }

    /// The engine's options.
    pub(crate) fn options(&self) -> Options {
        let StorageConfig { write_batch, readers, writers } = self.storage;
        Options { write_batch, readers, writers, ..Options::default() }
    }

    /// The engine's options for a command that works sequentially: one reader and one writer are enough.
    pub(crate) fn sequential_options(&self) -> Options {
        let one = Some(NonZeroUsize::MIN);
        Options { readers: one, writers: one, ..self.options() }
    }

    /// The mailer, if a mail server is configured.
    pub(crate) fn mailer(&self) -> Result<Option<Mailer>> {
        match (&self.mail.url, &self.mail.from) {
            (None, None) => Ok(None),
            (Some(url), Some(from)) => Ok(Some(Mailer::new(url, from)?)),
            _ => bail!("mail.url and mail.from belong together: set both or neither"),
        }
    }

    /// The folder of the database's file, if the database is a file.
    fn database_folder(&self) -> Result<Option<PathBuf>> {
        if is_postgres(&self.database) {
            return Ok(None);
        }
        Ok(Some(folder(&sqlite_path(&self.database)?).to_owned()))
    }

    /// Where the content of files is stored: at `files.url`, or else in a folder beside the database's file. `None` if
    /// there is no such file.
    pub(crate) fn files(&self) -> Result<Option<FileStore>> {
        self.files_of(&self.database)
    }

    /// Where the content of another database's files is stored, with these settings.
    pub(crate) fn files_of(&self, database: &str) -> Result<Option<FileStore>> {
        match &self.files.url {
            Some(url) => {
                Ok(Some(self.files_at(url).map_err(|fault| anyhow!("files.url {fault}"))?))
            }
            None if is_postgres(database) => Ok(None),
            None => {
                let mut folder = sqlite_path(database)?.into_os_string();
                folder.push("-files");
                Ok(Some(FileStore::folder(folder)))
            }
        }
    }

    /// The store at this URL.
    pub(crate) fn files_at(&self, url: &str) -> Result<FileStore, UnusableFileStore> {
        // A variable that is not text is none of the store's.
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        FileStore::open(url, self.files.endpoint.as_deref(), texts)
    }

    /// The company's identity provider, if one is configured.
    pub(crate) fn provider(&self) -> Result<Option<SsoProvider>> {
        self.company.provider()
    }

    /// The server's settings.
    pub(crate) fn settings(&self, public_url: String) -> Result<Settings> {
        Ok(Settings {
            company: self.provider()?,
            mail: self.mailer()?,
            files: self.files()?,
            allowed_origins: self.server.allowed_origins.0.clone(),
            trusted_proxies: self.server.trusted_proxies.0.clone(),
            limits: Limits { credential: self.limits.credential, tenant: self.limits.tenant },
            request_deadline: self.server.request_deadline.0,
            in_flight: self.server.in_flight,
            database_folder: self.database_folder()?,
            ..Settings::new(public_url.parse()?)
        })
    }
}

/// A public URL, normalized to the form that browsers and clients send.
fn checked_url(url: &str) -> Result<String> {
    match url.trim().parse::<WebOrigin>() {
        Ok(origin) => Ok(origin.to_string()),
        Err(fault) => bail!("{url:?} is not a public URL: {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use super::sections::checked_issuer;
    use super::table::SETTINGS;
    use super::values::LogFilter;
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
        config.files = FilesConfig { url: text(), endpoint: text(), ..config.files };
        let some_text = || Some("smtp://localhost".to_owned());
        config.mail = MailConfig { url: some_text(), from: some_text() };
        config.log = LogConfig { format: Some(LogFormat::Json), level: LogFilter::parse("info") };
        let mut keys = Vec::new();
        for (name, value) in serde_json::to_value(&config).unwrap().as_object().unwrap() {
            match value.as_object() {
                Some(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
                None => keys.push(name.clone()),
            }
        }
        keys.sort();
        let mut known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        known.sort_unstable();
        assert_eq!(keys, known);
        let limit = SETTINGS.iter().find(|setting| setting.key == "limits.note_writes").unwrap();
        assert_eq!(limit.variable(), "ZOOP_LIMITS_NOTE_WRITES");
    }

    #[test]
    fn a_server_beyond_this_machine_needs_a_public_url_that_is_an_origin() {
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
            "the default port is left out"
        );
        config.server.public_url = Some("http://LocalHost:19716".to_owned());
        assert_eq!(config.public_url(None).unwrap(), "http://localhost:19716");
        config.server.public_url = None;
        config.server.listen = "[0:0:0:0:0:0:0:1]:80".to_owned();
        assert_eq!(config.public_url(None).unwrap(), "http://[::1]");
        for wrong in ["crm.example.com", "https://", "https://a/b", "ftp://a"] {
            assert!(checked_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_are_beside_the_database_unless_a_url_says_where() {
        let mut config = Config::default();
        let place = |config: &Config| {
            let store = config.files().map_err(|error| error.to_string())?;
            Ok::<_, String>(store.map(|store| store.to_string()))
        };
        assert_eq!(place(&config), Ok(Some("zoop.db-files".to_owned())));
        config.database = "postgres://zoop@db.example.com/zoop".to_owned();
        assert_eq!(place(&config), Ok(None), "there is nothing beside a server");
        config.files.url = Some("file:///srv/files".to_owned());
        assert_eq!(place(&config), Ok(Some("/srv/files".to_owned())));
        config.files.url = Some("ftp://files.example.com".to_owned());
        let refused = place(&config).unwrap_err();
        assert!(refused.contains("files.url must be file:///folder or s3://"), "{refused}");
    }

    #[test]
    fn provider_settings_must_be_set_together_and_need_tls() {
        let mut config = Config::default();
        assert_eq!(config.company.provider().unwrap(), None);
        config.company.issuer = Some("https://accounts.example.com/realm".to_owned());
        assert!(config.company.provider().unwrap_err().to_string().contains("company.client_id"));
        config.company.client_id = Some("zoop".to_owned());
        config.company.client_secret = Some("s3cret".to_owned());
        let provider = config.company.provider().unwrap().unwrap();
        assert_eq!(provider.issuer, "https://accounts.example.com/realm");
        assert!(!format!("{provider:?}").contains("s3cret"));
        assert_eq!(config.with_secrets_hidden().company.client_secret.as_deref(), Some("…"));
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
