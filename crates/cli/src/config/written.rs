//! Parses the value of a setting. Errors have a fixed wording, so that no message can repeat a value, which may be a
//! secret.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use super::values::{Networks, Origins};

/// The error for a rejected value: what the setting accepts, in a fixed wording without any part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected(pub(super) &'static str);

/// A value from one of the sources.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    /// The text of a flag, a variable or a secret's file.
    Text(&'a str),
    /// A value of the settings file.
    Toml(&'a toml::Value),
}

impl Written<'_> {
    /// The value as a string, untrimmed.
    pub(super) fn text(self) -> Result<String, Expected> {
        let text = match self {
            Self::Text(text) => text,
            Self::Toml(toml::Value::String(text)) => text,
            Self::Toml(_) => return Err(Expected("must be a string: put it in quotes")),
        };
        if text.is_empty() { Err(Expected("must not be empty")) } else { Ok(text.to_owned()) }
    }

    /// The value as a whole number. In the settings file it must be written without quotes.
    pub(super) fn parsed<T: FromStr>(self, expected: &'static str) -> Result<T, Expected> {
        let wrong = |_| Expected(expected);
        match self {
            Self::Text(text) => text.trim().parse().map_err(wrong),
            Self::Toml(toml::Value::Integer(number)) => number.to_string().parse().map_err(wrong),
            Self::Toml(_) => Err(Expected(expected)),
        }
    }

    /// The value that `parse` makes of the text.
    pub(super) fn read<T>(
        self,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Expected> {
        parse(self.text()?.trim()).ok_or(Expected(expected))
    }

    /// The value as a list of words. In a string they are separated by commas.
    fn words(self) -> Option<Vec<String>> {
        let separated = |text: &str| {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        match self {
            Self::Text(text) => Some(separated(text)),
            Self::Toml(toml::Value::String(text)) => Some(separated(text)),
            Self::Toml(toml::Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Self::Toml(_) => None,
        }
    }

    /// The value as a list of origins.
    pub(super) fn origins(self) -> Result<Origins, Expected> {
        const EXPECTED: Expected = Expected(
            "contains something that is not an origin: write the scheme and host of each site whose pages may \
             call the server, such as https://app.example.com, without a path and without *",
        );
        let words = self.words().ok_or(EXPECTED)?;
        words
            .iter()
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()
            .map(Origins)
            .ok_or(EXPECTED)
    }

    /// The value as a list of networks or addresses.
    pub(super) fn networks(self) -> Result<Networks, Expected> {
        const EXPECTED: Expected =
            Expected("must list networks or addresses, such as 10.0.0.0/8 or 10.0.0.1");
        let words = self.words().ok_or(EXPECTED)?;
        let network = |word: &String| {
            word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).ok()
        };
        words.iter().map(network).collect::<Option<_>>().map(Networks).ok_or(EXPECTED)
    }
}

/// Returns the text if it is an address and a port to listen on.
pub(super) fn address(text: &str) -> Option<String> {
    is_address(text).then(|| text.to_owned())
}

/// Whether a string names a host and a port.
fn is_address(text: &str) -> bool {
    if text.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let is_host = |host: &str| !host.is_empty() && !host.contains([':', '/', '@', ' ', '[']);
    text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for right in ["127.0.0.1:0", "[::]:80", "localhost:8080"] {
            assert!(is_address(right), "{right}");
        }
        for wrong in ["8080", ":80", "::1:80", "localhost", "a:70000", "http://a:80", ""] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
