//! Cells that have more than one value: names, phone numbers and addresses are taken apart where that is certain. What
//! is not certain stays whole.

pub(super) mod address;
pub(super) mod name;
pub(super) mod phone;

/// The parts of a cell with several values, such as tags or e-mail addresses.
pub(super) fn parts<'c>(
    cell: &'c str,
    separators: &'static [char],
) -> impl Iterator<Item = &'c str> {
    cell.split(separators).map(str::trim).filter(|part| !part.is_empty())
}

/// What people write where they know nothing.
const NOTHING: &[&str] = &["n/a", "none", "-", "--", "—", "tbd", "unknown", "null", "?"];

/// Whether a cell says that nothing is known.
pub(super) fn is_nothing(cell: &str) -> bool {
    NOTHING.contains(&&*cell.trim().to_ascii_lowercase())
}

/// Whether a cell says yes.
pub(super) fn is_yes(cell: &str) -> bool {
    let cell = cell.trim().to_ascii_lowercase();
    ["yes", "y", "true", "1", "x", "ja", "si", "sí", "on", "vip", "do not contact"]
        .contains(&&*cell)
}

/// Whether a cell says no.
pub(super) fn is_no(cell: &str) -> bool {
    let cell = cell.trim().to_ascii_lowercase();
    ["", "no", "n", "false", "0", "nein", "off", "active"].contains(&&*cell)
}
