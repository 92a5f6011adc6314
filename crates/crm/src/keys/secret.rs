//! The secret itself: made, checked for damage, hashed.

use std::fmt;

use sha2::{Digest, Sha256};

use super::ActorKind;
use crate::clock::Entropy;

const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is the first power above 2^256: every key is as long as any other.
const RANDOM_CHARACTERS: usize = 43;
/// 62^6 is the first power above 2^32.
pub(super) const CHECK_CHARACTERS: usize = 6;
/// Characters after the prefix that lists show to know a key by.
const HINT_CHARACTERS: usize = 4;
/// Longer than any key: what is longer needs no hashing to be refused.
const MOST_CHARACTERS: usize = 128;

/// A key in the clear. It has no `Display`, and `Debug` hides it, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new random key.
    pub(crate) fn generate(kind: ActorKind, entropy: &Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let random = base_x::encode(BASE62, &bytes);
        let body = format!("{}{random:0>RANDOM_CHARACTERS$}", prefix(kind));
        let check = check(&body);
        Self(body + &check)
    }

    /// What a caller presented, if it can be a key at all.
    pub fn parse(token: &str) -> Option<Self> {
        let known = ["zoop_uk_", "zoop_tk_"].iter().any(|prefix| token.starts_with(prefix));
        let ascii = token.len() <= MOST_CHARACTERS && token.is_ascii();
        let (body, sent) = token.split_at_checked(token.len().checked_sub(CHECK_CHARACTERS)?)?;
        (known && ascii && check(body) == sent).then(|| Self(token.to_owned()))
    }

    /// The key in the clear, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the database holds.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The first characters, to know the key by.
    pub(crate) fn hint(&self) -> String {
        self.0.chars().take("zoop_uk_".len() + HINT_CHARACTERS).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

const fn prefix(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "zoop_uk_",
        ActorKind::Tenant => "zoop_tk_",
    }
}

/// The CRC-32 of `body` in base 62, in fixed width.
pub(super) fn check(body: &str) -> String {
    let mut left = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECK_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.as_bytes()[(left % 62) as usize];
        left /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_written_down_and_a_damaged_one_is_known_offline() {
        let key = Secret::generate(ActorKind::User, &Entropy::seeded(7));
        assert!(key.expose().starts_with("zoop_uk_"), "{key:?}");
        assert_eq!(Secret::parse(key.expose()).as_ref(), Some(&key));
        for at in 0..key.expose().len() {
            let mut damaged = key.expose().to_owned().into_bytes();
            damaged[at] = if damaged[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(Secret::parse(&String::from_utf8(damaged).unwrap()), None, "at {at}");
        }
        assert_eq!(Secret::parse(""), None);
        assert_eq!(Secret::parse("zoop_uk_é"), None);
        assert_eq!(format!("{key:?}"), "Secret(…)");
    }
}
