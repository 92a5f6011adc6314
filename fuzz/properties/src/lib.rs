//! What must hold for any input, one property for each fuzz target.
//!
//! A target in `fuzz_targets/` looks for inputs that break its property; `tests/replay.rs` shows the
//! property every input that was worth keeping, as an ordinary test. A property panics when it does
//! not hold. Here never lives how inputs are made.

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

/// The text that an input is, its first line apart; `None` for bytes that are no text.
fn line_and_rest(input: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(input).ok()?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}
