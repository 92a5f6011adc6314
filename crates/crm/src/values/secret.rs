//! Secrets such as API keys, tokens, sessions and invitations. The database stores only a secret's SHA-256. The
//! exception is the id of a registered client: it has the same form, but is public and stored as it is.
//!
//! A secret consists of a prefix for its kind, 32 unpredictable bytes in base 62 and a CRC-32 of both in base
//! 62, so that a scanner can tell a real secret from a look-alike offline.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::values::clock::Entropy;

const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 32 bytes need at most 43 digits, since 62^43 > 2^256. Shorter numbers are padded with zeros.
const RANDOM_CHARACTERS: usize = 43;
/// A CRC-32 needs at most 6 digits, since 62^6 > 2^32.
pub(crate) const CHECK_CHARACTERS: usize = 6;
/// Lists show the prefix of a key and this many characters after it, so that users recognize the key.
const HINT_CHARACTERS: usize = 4;
/// Maximum length of a presented token, longer than any secret.
const MAX_CHARACTERS: usize = 128;

macro_rules! secret_kinds {
    ($($(#[$about:meta])* $kind:ident = $prefix:literal;)*) => {
        /// What a secret is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum SecretKind { $($(#[$about])* $kind),* }

        impl SecretKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The prefix of all secrets of this kind.
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$kind => $prefix),* }
            }
        }
    };
}

secret_kinds! {
    /// An API key that acts for a user.
    UserKey = "zoop_uk_";
    /// An API key that acts for the tenant.
    TenantKey = "zoop_tk_";
    /// An OAuth access token.
    AccessToken = "zoop_at_";
    /// An OAuth refresh token.
    RefreshToken = "zoop_rt_";
    /// An OAuth authorization code.
    AuthorizationCode = "zoop_ac_";
    /// The id of a registered client: not secret, but as hard to guess as a secret.
    Client = "zoop_cl_";
    /// A pending authorization request.
    ConsentRequest = "zoop_cr_";
    /// A browser's session.
    Session = "zoop_ss_";
    /// A sign-in that waits for the second factor.
    PendingSignIn = "zoop_ps_";
    /// A sign-in that waits for the company's provider.
    CompanySignIn = "zoop_co_";
    /// An invitation to join a tenant.
    Invitation = "zoop_in_";
    /// A link to choose a new password.
    PasswordLink = "zoop_pl_";
    /// A link to confirm a new e-mail address.
    EmailLink = "zoop_el_";
    /// A browser that a user has signed in with before.
    Device = "zoop_dv_";
}

/// A secret in plain text. It has no `Display`, and `Debug` hides it, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    kind: SecretKind,
    text: String,
}

impl Secret {
    /// A new random secret.
    pub fn generate(kind: SecretKind, entropy: &Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self::of(kind, &bytes)
    }

    /// The secret with these bytes, which must be unpredictable.
    pub(crate) fn of(kind: SecretKind, bytes: &[u8; 32]) -> Self {
        let random = base_x::encode(BASE62, bytes);
        let body = format!("{}{random:0>RANDOM_CHARACTERS$}", kind.prefix());
        let check = check(&body);
        Self { kind, text: body + &check }
    }

    /// Parses a presented token. `None` if it cannot be a secret of any kind.
    pub fn parse(token: &str) -> Option<Self> {
        let kind = *SecretKind::ALL.iter().find(|kind| token.starts_with(kind.prefix()))?;
        let is_plausible = token.len() <= MAX_CHARACTERS && token.is_ascii();
        let (body, sent) = token.split_at_checked(token.len().checked_sub(CHECK_CHARACTERS)?)?;
        (is_plausible && check(body) == sent).then(|| Self { kind, text: token.to_owned() })
    }

    /// Parses a presented token. `None` if it cannot be a secret of this kind.
    pub fn parse_as(kind: SecretKind, token: &str) -> Option<Self> {
        Self::parse(token).filter(|secret| secret.kind == kind)
    }

    /// What the secret is for.
    pub const fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The secret in plain text.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The SHA-256 that the database stores.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// The first characters, so that users recognize the key in lists.
    pub(crate) fn hint(&self) -> String {
        self.text.chars().take(self.kind.prefix().len() + HINT_CHARACTERS).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The CRC-32 of `body` in base 62, at fixed width.
pub(crate) fn check(body: &str) -> String {
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
    fn a_secret_can_be_parsed_again_and_a_damaged_one_is_detected_offline() {
        let key = Secret::generate(SecretKind::UserKey, &Entropy::seeded(7));
        assert!(key.expose().starts_with("zoop_uk_"), "{key:?}");
        assert_eq!(Secret::parse(key.expose()).as_ref(), Some(&key));
        for index in 0..key.expose().len() {
            let mut damaged = key.expose().to_owned().into_bytes();
            damaged[index] = if damaged[index] == b'x' { b'y' } else { b'x' };
            assert_eq!(Secret::parse(&String::from_utf8(damaged).unwrap()), None, "at {index}");
        }
        assert_eq!(Secret::parse(""), None);
        assert_eq!(Secret::parse("zoop_uk_é"), None);
        assert_eq!(format!("{key:?}"), "Secret(…)");
        for kind in SecretKind::ALL {
            let secret = Secret::generate(*kind, &Entropy::seeded(7));
            assert_eq!(Secret::parse(secret.expose()).map(|it| it.kind()), Some(*kind));
            let is_key = *kind == SecretKind::UserKey;
            assert_eq!(Secret::parse_as(SecretKind::UserKey, secret.expose()).is_some(), is_key);
        }
    }
}
