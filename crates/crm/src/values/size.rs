//! Sizes in bytes, as people write them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, written as `10 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The units, smallest first, each 1,024 times the one before.
const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

impl FromStr for Size {
    type Err = ();

    /// Reads a whole number and a unit, such as `10 GiB` or `512mib`. The case and the space do not matter. A
    /// number without a unit is a number of bytes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = (text[..end].parse::<u64>().map_err(drop)?, text[end..].trim());
        let power = if unit.is_empty() {
            0
        } else {
            UNITS.iter().position(|known| known.eq_ignore_ascii_case(unit)).ok_or(())?
        };
        let bytes = (0..power).try_fold(number, |bytes, _| bytes.checked_mul(1_024)).ok_or(())?;
        // The engines store sizes as signed 64-bit numbers.
        i64::try_from(bytes).map(|_| Self(bytes)).map_err(drop)
    }
}

impl fmt::Display for Size {
    /// Writes the size in the largest unit that it reaches, with one decimal (rounded down) unless it is whole.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut unit, mut unit_bytes) = (0, 1_u64);
        while unit + 1 < UNITS.len() && self.0 / unit_bytes >= 1_024 {
            unit += 1;
            unit_bytes *= 1_024;
        }
        let (whole, rest) = (self.0 / unit_bytes, self.0 % unit_bytes);
        match rest {
            0 => write!(out, "{whole} {}", UNITS[unit]),
            rest => write!(out, "{whole}.{} {}", rest * 10 / unit_bytes, UNITS[unit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_a_unit_and_written_in_the_largest() {
        for (text, bytes, written) in [
            ("0", 0, "0 B"),
            ("1023", 1_023, "1023 B"),
            ("2KiB", 2_048, "2 KiB"),
            ("1536", 1_536, "1.5 KiB"),
            (" 10 gib ", 10 << 30, "10 GiB"),
            ("3 TiB", 3 << 40, "3 TiB"),
            ("2047 b", 2_047, "1.9 KiB"),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
            assert_eq!(Size(bytes).to_string(), written);
        }
        for wrong in ["", "GiB", "-1", "1.5 GiB", "10 GB", "9223372036854775808", "9999999 TiB"] {
            assert_eq!(wrong.parse::<Size>(), Err(()), "{wrong}");
        }
    }
}
