//! Invariants for any input, one property for each fuzz target.
//!
//! A target in `fuzz_targets/` searches for inputs that break its property; `tests/replay.rs` checks the
//! property for every saved input, as an ordinary test. A property panics when it does not hold. How inputs
//! are generated does not belong here.

mod arguments;
mod business;
mod cursor;
mod fold;
mod frame;
mod headers;
mod phone;
mod search;

pub use arguments::arguments;
pub use cursor::cursor;
pub use fold::fold;
pub use frame::frame;
pub use headers::headers;
pub use phone::phone;
pub use search::search;

/// The first line of an input and the rest; `None` for bytes that are not text.
fn line_and_rest(input: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(input).ok()?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}
