//! Parsers for argument values.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use zoop_crm::call::scope::ScopeNames;
use zoop_crm::values::currency::Currency;
use zoop_crm::values::zone::Zone;

/// The maximum lifetime and overlap of keys in seconds, the same as in the tools.
const MAX_SECONDS: u64 = u32::MAX as u64;

/// The parser for a role.
pub(super) fn roles() -> PossibleValuesParser {
    ["owner", "office", "tech"].into()
}

/// Parses one `--scope`, a list of known names separated by commas or spaces, into the space-separated list that the
/// tool accepts.
pub(super) fn scopes(list: &str) -> Result<String, String> {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    let names = ScopeNames::parse(names).map_err(|unknown| {
        format!("there is no scope {unknown:?}; the scopes are {}", known_scopes())
    })?;
    if names.is_empty() { Err("name a scope".to_owned()) } else { Ok(names.list()) }
}

/// The help of `--scope`.
pub(super) fn scopes_help() -> String {
    format!("What it may do: {}; repeat it or separate several by commas", known_scopes())
}

fn known_scopes() -> String {
    ScopeNames::ALL.list().replace(' ', ", ")
}

/// Checks the name of a time zone.
pub(super) fn time_zone(name: &str) -> Result<String, String> {
    match Zone::parse(name.trim()) {
        Some(zone) => Ok(zone.name().to_owned()),
        None => {
            Err("write an IANA time zone or its city, such as America/Chicago or Chicago"
                .to_owned())
        }
    }
}

/// Checks the code of a currency.
pub(super) fn currency(code: &str) -> Result<String, String> {
    match Currency::parse(code.trim()) {
        Some(currency) => Ok(currency.code().to_owned()),
        None => Err("write a three-letter ISO 4217 currency code, such as USD".to_owned()),
    }
}

/// Parses a duration of at least one second.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| "write a duration such as 30s, 5m, 24h or 90d".to_owned())?;
    match duration.as_secs() {
        1..=MAX_SECONDS => Ok(duration),
        0 => Err("it must be at least one second".to_owned()),
        _ => Err("it is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_lists_of_known_names() {
        assert_eq!(scopes("read:customers, write:notes"), Ok("read:customers write:notes".into()));
        assert!(scopes("read:everything").is_err());
        assert!(scopes("operate").is_err(), "the operator's scope is never granted");
        assert!(scopes(" , ").is_err());
    }

    #[test]
    fn time_zones_and_currencies_are_known_ones() {
        assert_eq!(time_zone("america/chicago"), Ok("America/Chicago".to_owned()));
        assert_eq!(currency("cad"), Ok("CAD".to_owned()));
        assert!(time_zone("Mars/Olympus").is_err() && currency("XAU").is_err());
    }

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(duration("90d").map(|d| d.as_secs()), Ok(90 * 86_400));
        assert!(duration("10ms").is_err());
        assert!(duration("200years").is_err());
        assert!(duration("soon").is_err());
    }
}
