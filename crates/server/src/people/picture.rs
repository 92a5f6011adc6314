//! QR codes as inline SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// A QR code with an empty margin on each side.
pub(super) struct QrPicture {
    /// The length of a side in modules, including both margins.
    pub(super) side: i32,
    /// The SVG path that draws the dark modules.
    pub(super) path: String,
}

/// The width of the margin in modules, which scanners need.
const MARGIN: i32 = 4;

/// The QR code for a text; `None` if the text is too long.
pub(super) fn qr_code(text: &str) -> Option<QrPicture> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{},{}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some(QrPicture { side: code.size() + 2 * MARGIN, path })
}
