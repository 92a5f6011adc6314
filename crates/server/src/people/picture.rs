//! QR codes as inline SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// A QR code: its side in modules, and the path that draws the dark ones. The quiet zone of four modules,
/// which readers need, is included.
pub(super) struct Picture {
    pub(super) side: i32,
    pub(super) path: String,
}

const MARGIN: i32 = 4;

/// None if the text is too long.
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
