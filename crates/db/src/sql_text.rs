//! Statement texts that are assembled at compile time, so they are constants like those written by hand.
//!
//! A [`Draft`] is filled by `const` functions, and [`drafted!`](crate::drafted) turns it into
//! a `&'static str`. [`text!`](crate::text) joins pieces.

/// The maximum length of a statement's text, in bytes. Longer text does not compile.
const MAX_BYTES: usize = 8 * 1024;

/// Text under construction.
pub struct Draft {
    bytes: [u8; MAX_BYTES],
    length: usize,
}

impl Draft {
    /// A draft that consists of these pieces, in order.
    pub const fn of(pieces: &[&str]) -> Self {
        let mut draft = Self { bytes: [0; MAX_BYTES], length: 0 };
        let mut at = 0;
        while at < pieces.len() {
            draft.push(pieces[at]);
            at += 1;
        }
        draft
    }

    /// Appends text.
    pub const fn push(&mut self, text: &str) {
        let (text, mut at) = (text.as_bytes(), 0);
        while at < text.len() {
            self.bytes[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
    }

    /// Appends the placeholder of a parameter, counted from 1.
    pub const fn placeholder(&mut self, number: usize) {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        self.push("$");
        let mut unit = 1;
        while unit * 10 <= number {
            unit *= 10;
        }
        while unit > 0 {
            self.push(DIGITS[number / unit % 10]);
            unit /= 10;
        }
    }

    /// The length in bytes.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The first `N` bytes.
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let (mut bytes, mut at) = ([0; N], 0);
        while at < N {
            bytes[at] = self.bytes[at];
            at += 1;
        }
        bytes
    }
}

/// A draft's bytes as text.
///
/// # Panics
/// If the bytes are not UTF-8; those of a draft always are.
pub const fn utf8(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a draft consists of strings"),
    }
}

/// The text of a constant [`Draft`], as a `&'static str`.
#[macro_export]
macro_rules! drafted {
    ($draft:expr) => {{
        const DRAFT: $crate::sql_text::Draft = $draft;
        const BYTES: [u8; DRAFT.length()] = DRAFT.bytes();
        $crate::sql_text::utf8(&BYTES)
    }};
}

/// Joins constant strings, as `concat!` joins literals.
#[macro_export]
macro_rules! text {
    ($($piece:expr),+ $(,)?) => {
        $crate::drafted!($crate::sql_text::Draft::of(&[$($piece),+]))
    };
}

#[cfg(test)]
mod tests {
    use super::Draft;

    const COLUMNS: &str = "id, né";
    const SELECT: &str = crate::text!("SELECT ", COLUMNS, " FROM t");

    const fn placeholders() -> Draft {
        let mut draft = Draft::of(&[]);
        draft.placeholder(1);
        draft.placeholder(10);
        draft.placeholder(25);
        draft.placeholder(109);
        draft
    }

    #[test]
    fn pieces_are_joined_by_the_compiler() {
        assert_eq!(SELECT, "SELECT id, né FROM t");
        assert_eq!(crate::drafted!(placeholders()), "$1$10$25$109");
        assert_eq!(crate::drafted!(Draft::of(&[])), "");
    }
}
