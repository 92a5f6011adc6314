//! TOTP: six-digit codes that change every thirty seconds.
//!
//! Sources: RFC 6238 (HMAC-SHA-1, 30 s) and RFC 4226, 5.3.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zoop_db::Timestamp;

/// Length of a time step, for which one code is valid, in seconds.
const STEP_SECONDS: i64 = 30;
/// Number of steps before and after the current step whose codes are also accepted, since clocks differ.
const MAX_DRIFT: i64 = 1;
const DIGITS: usize = 6;

/// The number of the time step that contains `now`.
pub(super) fn step(now: Timestamp) -> i64 {
    now.0.div_euclid(STEP_SECONDS * 1_000_000)
}

/// The accepted step around `now` whose code is `typed`, if any.
pub(super) fn step_of(secret: &[u8], typed: &str, now: Timestamp) -> Option<i64> {
    let digits: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    let current = step(now);
    let mut found = None;
    // Compare with the codes of all steps, so that the duration does not reveal which code matched.
    for step in current - MAX_DRIFT..=current + MAX_DRIFT {
        if code(secret, step).as_deref() == Some(digits.as_str()) {
            found = Some(step);
        }
    }
    found
}

/// The code of a step.
pub(super) fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0xf);
    let bytes = digest.get(offset..offset + 4)?.try_into().ok()?;
    let number = (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000;
    Some(format!("{number:0DIGITS$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_equal_the_examples_of_the_standard() {
        // RFC 6238, appendix B. The RFC lists codes of eight digits, of which these are the last six.
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp(seconds * 1_000_000);
            assert_eq!(code(secret, step(now)).as_deref(), Some(expected));
            assert_eq!(step_of(secret, expected, now), Some(step(now)));
        }
    }

    #[test]
    fn codes_of_adjacent_steps_are_accepted_and_no_others() {
        let secret = b"12345678901234567890";
        let now = Timestamp(1_111_111_111 * 1_000_000);
        for (distance, is_accepted) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let typed = code(secret, step(now) + distance).unwrap();
            assert_eq!(step_of(secret, &typed, now).is_some(), is_accepted, "{distance}");
        }
        assert_eq!(step_of(secret, "050 471", now), Some(step(now)));
        assert_eq!(step_of(secret, "", now), None);
    }
}
