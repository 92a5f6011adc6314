//! Values of settings that are no plain word or number.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use zoop_server::WebOrigin;

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
pub(crate) struct List(pub(super) Vec<String>);

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
pub(crate) struct Networks(pub(super) Vec<IpNet>);

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

/// A list of origins of pages, such as `https://app.example.com`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "List", into = "List")]
pub(crate) struct Origins(pub(super) Vec<WebOrigin>);

impl TryFrom<List> for Origins {
    type Error = String;
    fn try_from(list: List) -> Result<Self, String> {
        let origin = |word: &String| {
            word.parse().map_err(|_| {
                format!(
                    "{word:?} is not an origin: write scheme and host of each site whose pages may call, \
                     such as https://app.example.com"
                )
            })
        };
        list.0.iter().map(origin).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Origins> for List {
    fn from(origins: Origins) -> Self {
        Self(origins.0.iter().map(ToString::to_string).collect())
    }
}
