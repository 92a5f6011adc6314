//! The supported versions of the protocol, and how a request's era is recognized.
//!
//! Every version date is in this module. What the eras do differently is in the module concerned.

/// The two eras of MCP. They differ in how a version is agreed on and in the shape of answers.
///
/// Source: MCP 2026-07-28, basic/versioning ("modern" and "legacy").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// Revisions up to 2025-11-25: the version is agreed on once, by `initialize`.
    Legacy,
    /// Revisions from 2026-07-28: every request names its version in `_meta`.
    Modern,
}

/// The modern versions served, newest first.
pub const MODERN_VERSIONS: [&str; 1] = ["2026-07-28"];

/// The legacy versions served, newest first. Older ones are left out because 2025-03-26 requires a
/// server to accept batches.
pub const LEGACY_VERSIONS: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// The first revision of the modern era.
const FIRST_MODERN: &str = "2026-07-28";

/// The version that answers an `initialize`: the requested one if it is served, else the newest legacy
/// one, never a modern one.
///
/// Source: MCP 2025-11-25, basic/lifecycle, "Version Negotiation".
#[must_use]
pub fn negotiate(requested: Option<&str>) -> &'static str {
    let [newest, ..] = LEGACY_VERSIONS;
    LEGACY_VERSIONS.into_iter().find(|version| Some(*version) == requested).unwrap_or(newest)
}

impl Era {
    /// The era suggested by the `MCP-Protocol-Version` header, for refusals before a body was read.
    ///
    /// Versions are dates, so a later revision sorts after an earlier one. A value that is not a date is not
    /// a modern version.
    #[must_use]
    pub fn from_header(protocol_version: Option<&str>) -> Self {
        match protocol_version {
            Some(version) if is_date(version) && version >= FIRST_MODERN => Self::Modern,
            _ => Self::Legacy,
        }
    }

    /// The era of a request: modern if `_meta` names a version, or the method is `server/discover` (which
    /// no legacy revision has), or the header names a modern version. `initialize` is an exception to the last
    /// rule: clients of both eras may send the header with it.
    pub(crate) fn of(method: Option<&str>, meta_names_version: bool, header: Option<&str>) -> Self {
        match method {
            _ if meta_names_version => Self::Modern,
            Some("server/discover") => Self::Modern,
            Some("initialize") => Self::Legacy,
            _ => Self::from_header(header),
        }
    }
}

/// Whether the text is written as `YYYY-MM-DD`, the form of every version.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
