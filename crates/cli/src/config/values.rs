//! The types of settings that are not a plain word or number.

use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use zoop_crm::values::size::Size;
use zoop_server::WebOrigin;

/// The log targets that a filter may name: the product's crates.
const TARGETS: &[&str] = &["zoop", "zoop_server", "zoop_crm", "zoop_db", "zoop_mcp"];
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// A duration, written as `10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    /// Parses a duration greater than zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let duration = humantime::parse_duration(text).ok()?;
        (!duration.is_zero()).then_some(Self(duration))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        humantime::format_duration(span.0).to_string()
    }
}

/// The limit on the storage of one business, written as `10 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(crate) struct StorageLimit(pub(crate) Size);

impl From<StorageLimit> for String {
    fn from(limit: StorageLimit) -> Self {
        limit.0.to_string()
    }
}

/// A list of web origins, such as `https://app.example.com`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<String>")]
pub(crate) struct Origins(pub(super) Vec<WebOrigin>);

impl From<Origins> for Vec<String> {
    fn from(origins: Origins) -> Self {
        origins.0.iter().map(ToString::to_string).collect()
    }
}

/// A list of networks, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<String>")]
pub(crate) struct Networks(pub(super) Vec<IpNet>);

impl From<Networks> for Vec<String> {
    fn from(networks: Networks) -> Self {
        networks.0.iter().map(ToString::to_string).collect()
    }
}

/// The log filter: a list of levels, each for everything or for one part of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// Parses `warn` or `warn,zoop_server=debug`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let directives: Vec<String> =
            text.split(',').map(|word| word.trim().to_lowercase()).collect();
        let is_known = |directive: &String| match directive.split_once('=') {
            None => LEVELS.contains(&directive.as_str()),
            Some((target, level)) => is_target(target) && LEVELS.contains(&level),
        };
        directives.iter().all(is_known).then(|| Self(directives.join(",")))
    }

    /// The filter for the log.
    pub(crate) fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

/// Whether this is one of the product's crates or a module in one.
fn is_target(name: &str) -> bool {
    let known = name.split("::").next().unwrap_or_default();
    TARGETS.contains(&known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_filter_may_name_only_known_levels_and_targets() {
        for right in ["warn", "INFO", "warn,zoop_server=debug", "zoop_db::postgres=trace", "off"] {
            assert!(LogFilter::parse(right).is_some(), "{right}");
        }
        for wrong in [
            "warning",
            "",
            "warn,",
            "zoop_srver=debug",
            "debug=zoop",
            "zoop_server",
            "5",
            "[span]=info",
        ] {
            assert!(LogFilter::parse(wrong).is_none(), "{wrong}");
        }
    }
}
