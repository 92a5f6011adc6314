//! Every setting: its path in the file, whether it is secret, and its field.

use std::num::NonZeroUsize;

use super::sections::LogFormat;
use super::values::{LogFilter, Span, StorageLimit};
use super::written::{Expected, Written, address};
use super::{Config, PREFIX};

/// Whether a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// The value may be shown.
    Open,
    /// The value must not be shown, and it can come from a file of its own.
    Secret,
}

/// One setting.
pub(super) struct Setting {
    /// The path in the file: `limits.credential` is in the section `limits`.
    pub(super) key: &'static str,
    pub(super) secrecy: Secrecy,
    /// Parses a value into the settings.
    pub(super) put: fn(&mut Config, Written<'_>) -> Result<(), Expected>,
}

impl Setting {
    /// The name of its variable: for `limits.credential` it is `ZOOP_LIMITS_CREDENTIAL`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.replace('.', "_").to_uppercase())
    }
}

type Put = fn(&mut Config, Written<'_>) -> Result<(), Expected>;

const fn open(key: &'static str, put: Put) -> Setting {
    Setting { key, secrecy: Secrecy::Open, put }
}

const fn secret(key: &'static str, put: Put) -> Setting {
    Setting { key, secrecy: Secrecy::Secret, put }
}

const COUNT: &str = "must be a whole number from 0 to 4294967295, 0 for no limit";
const AT_LEAST_ONE: &str = "must be a whole number of at least 1";

/// Every setting.
pub(super) const SETTINGS: &[Setting] = &[
    secret("database", |it, value| value.text().map(|text| it.database = text)),
    open("server.listen", |it, value| {
        let address = value.read("must be an address and a port, such as 127.0.0.1:8080", address);
        address.map(|address| it.server.listen = address)
    }),
    open("server.ops_listen", |it, value| {
        const EXPECTED: &str = "must be an address and a port, such as 127.0.0.1:9090, or none";
        let none = |text: &str| (text == "none").then(|| text.to_owned());
        let address = value.read(EXPECTED, |text| none(text).or_else(|| address(text)));
        address.map(|address| it.server.ops_listen = address)
    }),
    open("server.public_url", |it, value| {
        // Only a user part is rejected here, because it must never be shown. Other errors are found later.
        const EXPECTED: &str = "must be a scheme and a host, such as https://crm.example.com";
        let url = value.read(EXPECTED, |text| (!text.contains('@')).then(|| text.to_owned()))?;
        it.server.public_url = Some(url);
        Ok(())
    }),
    open("server.allowed_origins", |it, value| {
        value.origins().map(|list| it.server.allowed_origins = list)
    }),
    open("server.trusted_proxies", |it, value| {
        value.networks().map(|networks| it.server.trusted_proxies = networks)
    }),
    open("server.request_deadline", |it, value| {
        let span = value.read("must be a duration such as 10s", Span::parse);
        span.map(|span| it.server.request_deadline = span)
    }),
    open("server.in_flight", |it, value| {
        let count = value.parsed::<NonZeroUsize>(AT_LEAST_ONE);
        count.map(|count| it.server.in_flight = count.get())
    }),
    open("limits.credential", |it, value| {
        value.parsed(COUNT).map(|count| it.limits.credential = count)
    }),
    open("limits.tenant", |it, value| value.parsed(COUNT).map(|count| it.limits.tenant = count)),
    open("limits.note_writes", |it, value| {
        value.parsed(COUNT).map(|count| it.limits.note_writes = count)
    }),
    open("limits.storage", |it, value| size(value).map(|size| it.limits.storage = size)),
    open("company.issuer", |it, value| value.text().map(|text| it.company.issuer = Some(text))),
    open("company.client_id", |it, value| {
        value.text().map(|text| it.company.client_id = Some(text))
    }),
    secret("company.client_secret", |it, value| {
        value.text().map(|text| it.company.client_secret = Some(text))
    }),
    open("company.name", |it, value| value.text().map(|text| it.company.name = text)),
    secret("mail.url", |it, value| value.text().map(|text| it.mail.url = Some(text))),
    open("mail.from", |it, value| value.text().map(|text| it.mail.from = Some(text))),
    open("storage.write_batch", |it, value| {
        value.parsed(AT_LEAST_ONE).map(|count| it.storage.write_batch = count)
    }),
    open("storage.readers", |it, value| {
        value.parsed(AT_LEAST_ONE).map(|count| it.storage.readers = Some(count))
    }),
    open("storage.writers", |it, value| {
        value.parsed(AT_LEAST_ONE).map(|count| it.storage.writers = Some(count))
    }),
    open("files.url", |it, value| {
        // As for server.public_url, a user part is rejected here, because it must never be shown.
        const EXPECTED: &str = "must be file:///folder or s3://bucket/prefix";
        let url = value.read(EXPECTED, |text| (!text.contains('@')).then(|| text.to_owned()))?;
        it.files.url = Some(url);
        Ok(())
    }),
    open("files.endpoint", |it, value| {
        const EXPECTED: &str =
            "must be the address of a bucket's server, such as https://s3.example.com";
        let is_address = |text: &str| {
            let is_web = text.starts_with("https://") || text.starts_with("http://");
            (is_web && !text.contains('@')).then(|| text.to_owned())
        };
        it.files.endpoint = Some(value.read(EXPECTED, is_address)?);
        Ok(())
    }),
    open("files.account_limit", |it, value| size(value).map(|size| it.files.account_limit = size)),
    open("log.format", |it, value| {
        let format = value.read("must be text or json", LogFormat::parse);
        format.map(|format| it.log.format = Some(format))
    }),
    open("log.level", |it, value| {
        const EXPECTED: &str = "must be error, warn, info, debug, trace or off, or a list with the \
            product's parts, such as warn,zoop_server=debug (parts: zoop, zoop_server, zoop_crm, \
            zoop_db, zoop_mcp)";
        value.read(EXPECTED, LogFilter::parse).map(|filter| it.log.level = Some(filter))
    }),
];

fn size(value: Written<'_>) -> Result<StorageLimit, Expected> {
    const EXPECTED: &str = "must be a size such as 10 GiB, 0 for no limit";
    let number = value.parsed(EXPECTED);
    let size = number.or_else(|_| value.read(EXPECTED, |text| text.parse().ok()));
    size.map(StorageLimit)
}
