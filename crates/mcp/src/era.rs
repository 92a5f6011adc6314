//! The supported versions of the protocol, and how the era of a request is recognized.
//!
//! All version dates are in this module. Where the eras differ, the module concerned handles it.

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

/// The supported modern versions, newest first.
pub const MODERN_VERSIONS: [&str; 1] = ["2026-07-28"];

/// The supported legacy versions, newest first. Older ones are not supported, because 2025-03-26 requires a
/// server to accept batches.
pub const LEGACY_VERSIONS: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// The first revision of the modern era.
const FIRST_MODERN: &str = "2026-07-28";

/// The version in the answer to `initialize`: the requested one if it is a supported legacy version, otherwise
/// the newest legacy version.
///
/// Source: MCP 2025-11-25, basic/lifecycle, "Version Negotiation".
#[must_use]
pub fn negotiate(requested: Option<&str>) -> &'static str {
    let [newest, ..] = LEGACY_VERSIONS;
    LEGACY_VERSIONS.into_iter().find(|version| Some(*version) == requested).unwrap_or(newest)
}

impl Era {
    /// The era according to the `MCP-Protocol-Version` header, for refusals before the body was read.
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

    /// The era of a request. It is modern if `_meta` names a version, if the method is `server/discover` (which
    /// no legacy revision has), or if the header names a modern version. The header does not count for
    /// `initialize`, because a client that supports both eras may send a modern version there.
    pub(crate) fn of(method: Option<&str>, meta_names_version: bool, header: Option<&str>) -> Self {
        match method {
            _ if meta_names_version => Self::Modern,
            Some("server/discover") => Self::Modern,
            Some("initialize") => Self::Legacy,
            _ => Self::from_header(header),
        }
    }
}

/// Whether the text has the form of every version, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
