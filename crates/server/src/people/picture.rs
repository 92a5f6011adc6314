//! QR codes as inline SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// A picture of a text: its side in squares, and the path that draws the dark ones. The four light
/// squares around it, which readers need, are counted in.
pub(super) struct Picture {
    pub(super) side: i32,
    pub(super) path: String,
}

const MARGIN: i32 = 4;

/// None for a text that is too long for one.
pub(super) fn of(text: &str) -> Option<Picture> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{},{}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some(Picture { side: code.size() + 2 * MARGIN, path })
}
