//! The name of a file, as it is shown and as a download is saved.

use serde_json::json;

use crate::call::argument::{Json, Parse, ParseContext, ParseError};
use crate::values::text;

/// Maximum length of a name in bytes.
const MAX: usize = 255;
/// Maximum length of an ending, with its dot, that is kept when a name is cut.
const MAX_ENDING: usize = 16;
/// The name of a file whose own name has nothing visible.
const NAMELESS: &str = "file";

/// A file's name without a folder, control characters or invisible characters, of 1 to 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// The name, cleaned. A name that is too long keeps its ending.
    pub fn of(sent: &str) -> Self {
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String =
            last.chars().filter(|it| !it.is_control() && !text::is_ignorable(*it)).collect();
        let name = visible.trim();
        if text::is_all_invisible(name) || name.chars().all(|it| it == '.') {
            return Self(NAMELESS.to_owned());
        }
        if name.len() <= MAX {
            return Self(name.to_owned());
        }
        let ending = name.rfind('.').map(|at| &name[at..]).filter(|it| it.len() <= MAX_ENDING);
        let ending = ending.unwrap_or_default();
        let mut stem = MAX - ending.len();
        while !name.is_char_boundary(stem) {
            stem -= 1;
        }
        Self(format!("{}{ending}", &name[..stem]))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for FileName {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match value {
            Json::Text(name) => Ok(Self::of(&name)),
            other => Err(ParseError::wrong_type("must be a string", &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folder_and_nothing_invisible_and_fits() {
        for (sent, cleaned) in [
            ("meter.jpg", "meter.jpg"),
            ("C:\\Users\\Ann\\meter.jpg", "meter.jpg"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nb\u{0}.txt", "ab.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("  Grüße 🏡.pdf ", "Grüße 🏡.pdf"),
            ("", "file"),
            ("..", "file"),
            ("folder/", "file"),
            ("\u{200b}", "file"),
        ] {
            assert_eq!(FileName::of(sent).as_str(), cleaned, "{sent:?}");
        }
        let long = FileName::of(&format!("{}.jpeg", "ü".repeat(300)));
        assert!(long.as_str().len() <= MAX && long.as_str().ends_with("ü.jpeg"), "{long:?}");
        let long = FileName::of(&"a".repeat(300));
        assert_eq!(long.as_str().len(), MAX);
    }
}
