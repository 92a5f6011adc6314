//! Password rules and Argon2id hashes. Nothing here may use the database: hashing deliberately takes
//! tens of milliseconds, so callers must not hash inside a transaction.
//!
//! Sources: RFC 9106; OWASP Password Storage Cheat Sheet (Argon2id with 19 MiB, 2 passes, 1 lane);
//! NIST SP 800-63B, 3.1.1 (length rather than composition; no common passwords).

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization;

use super::common::COMMON;
use crate::call::error::{Error, Result};
use crate::values::clock::Entropy;
use crate::values::fold;

/// Minimum length in characters.
pub const MIN_LENGTH: usize = 8;
/// Maximum length in characters.
pub const MAX_LENGTH: usize = 128;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// A dummy hash with the current parameters, so that a sign-in costs the same work whether or not a password is
/// stored.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$WeZrFuLO7pmCNojC+h3arg\
                       $tHs7zXonjl0rumbVYnIf4T1hGYj9ntGxcH/6JprD7/M";

/// A new password that satisfies the rules.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

impl Password {
    /// Checks the password that a user with this e-mail address chose.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with a message that says what to choose instead.
    pub fn choose(typed: &str, email: &str) -> Result<Self> {
        let text = to_nfc(typed);
        let length = text.chars().count();
        if length < MIN_LENGTH {
            return Err(Error::invalid(format!(
                "Choose a longer password: at least {MIN_LENGTH} characters, a few words for example."
            )));
        }
        if length > MAX_LENGTH {
            return Err(Error::invalid(format!(
                "Choose a shorter password: at most {MAX_LENGTH} characters."
            )));
        }
        let folded = fold::caseless(&text);
        let email = fold::caseless(email);
        let name = email.split('@').next().unwrap_or_default();
        let first = folded.chars().next();
        let is_one_character = folded.chars().all(|character| Some(character) == first);
        let is_own_address = folded == email || folded == name;
        if is_one_character || is_own_address || COMMON.contains(&folded.as_str()) {
            return Err(Error::invalid("Choose another password: this one is too common."));
        }
        Ok(Self(text))
    }

    /// The password's hash, as stored in the database. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// [`Error::Internal`] if the hash cannot be computed.
    pub fn hash(&self, entropy: &Entropy) -> Result<String> {
        hash(&self.0, entropy)
    }
}

/// The result of comparing a typed password with the stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// It does not match, or there is no stored hash.
    Wrong,
    /// It matches.
    Right {
        /// A new hash with the current parameters, if the stored hash has older ones.
        renewed: Option<String>,
    },
}

/// Compares a typed password with the stored hash. Does the same work without a stored hash, so that the time does
/// not reveal whether there is one.
///
/// # Errors
/// [`Error::Internal`] if the stored hash cannot be parsed.
pub fn compare(stored: Option<&str>, typed: &str, entropy: &Entropy) -> Result<Comparison> {
    let typed = to_nfc(typed);
    let parsed = PasswordHash::new(stored.unwrap_or(DUMMY_HASH))
        .map_err(|error| Error::internal(format!("cannot read a stored password hash: {error}")))?;
    let is_right = argon2()?.verify_password(typed.as_bytes(), &parsed).is_ok();
    if !is_right || stored.is_none() {
        return Ok(Comparison::Wrong);
    }
    let renewed = if has_current_params(&parsed) { None } else { Some(hash(&typed, entropy)?) };
    Ok(Comparison::Right { renewed })
}

fn hash(text: &str, entropy: &Entropy) -> Result<String> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt);
    let hash = argon2()?
        .hash_password_with_salt(text.as_bytes(), &salt)
        .map_err(|error| Error::internal(format!("cannot hash a password: {error}")))?;
    Ok(hash.to_string())
}

/// The typed text in NFC, since keyboards encode the same letter in several ways.
fn to_nfc(typed: &str) -> String {
    typed.nfc().collect()
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::internal(format!("invalid Argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a hash has the current parameters.
fn has_current_params(hash: &PasswordHash) -> bool {
    hash.algorithm.as_str() == "argon2id"
        && Params::try_from(hash).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password> {
        Password::choose(text, "olive.owner@acme.example")
    }

    #[test]
    fn short_long_and_common_passwords_are_rejected_and_others_accepted() {
        let long = "éa".repeat(MAX_LENGTH / 2);
        for good in ["correct horse", "pässwörter", "清水清水清水清水", long.as_str()] {
            assert!(choose(good).is_ok(), "{good}");
        }
        let too_long = "x1".repeat(65);
        for (bad, why) in [
            ("seven77", "longer"),
            (too_long.as_str(), "shorter"),
            ("Password1", "too common"),
            ("11111111", "too common"),
            ("Olive.Owner@Acme.example", "too common"),
            ("olive.owner", "too common"),
            ("ssssssssss", "too common"),
        ] {
            let error = choose(bad).unwrap_err();
            let Error::InvalidInput { message, .. } = &error else { panic!("{error:?}") };
            assert!(message.contains(why) && !message.contains(bad), "{bad}: {message}");
        }
        assert_eq!(format!("{:?}", choose("correct horse").unwrap()), "Password(…)");
    }

    #[test]
    fn a_password_matches_its_hash_in_any_unicode_form() {
        let entropy = Entropy::seeded(1);
        let hash = choose("pa\u{308}sswo\u{308}rter").unwrap().hash(&entropy).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let right = compare(Some(&hash), "pässwörter", &entropy).unwrap();
        assert_eq!(right, Comparison::Right { renewed: None });
        assert_eq!(compare(Some(&hash), "passwörter", &entropy).unwrap(), Comparison::Wrong);
        assert_eq!(compare(None, "pässwörter", &entropy).unwrap(), Comparison::Wrong);
        assert!(compare(Some("nonsense"), "pässwörter", &entropy).is_err());
    }

    #[test]
    fn the_dummy_hash_costs_as_much_as_a_real_one() {
        assert!(has_current_params(&PasswordHash::new(DUMMY_HASH).unwrap()));
    }

    #[test]
    fn a_hash_with_old_parameters_is_renewed_when_the_password_matches() {
        let entropy = Entropy::seeded(1);
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = old.hash_password_with_salt(b"correct horse", &[7; 16]).unwrap().to_string();
        assert_eq!(compare(Some(&old), "wrong horse", &entropy).unwrap(), Comparison::Wrong);
        let Comparison::Right { renewed: Some(new) } =
            compare(Some(&old), "correct horse", &entropy).unwrap()
        else {
            panic!("an old hash that matches should be renewed");
        };
        let again = compare(Some(&new), "correct horse", &entropy).unwrap();
        assert_eq!(again, Comparison::Right { renewed: None });
    }
}
