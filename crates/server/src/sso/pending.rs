//! A sign-in in progress. It is kept in a cookie until the provider sends the browser back.
//!
//! The cookie contains a random secret, the time at which the sign-in was started, and the page to open at the end.
//! State, nonce and verifier are each a hash of the whole cookie and a label. So nothing has to be stored in the
//! database, and a modified cookie matches no sign-in.
//!
//! Sources: RFC 6749, 10.12 (state); OpenID Connect Core 1.0, 15.5.2 (nonce); RFC 7636 (verifier).

use std::fmt::Write;

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use zoop_crm::values::clock::Environment;
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::Timestamp;

use crate::web::browser;
use crate::web::next::HOME;

/// The cookie's name.
pub(super) const COOKIE: &str = "__Host-zoop-company";
/// How long a user has to sign in at the provider, in seconds.
pub(super) const LIFETIME: i64 = 10 * 60;
/// The maximum length of the next page, in characters: browsers allow 4096 bytes for a cookie.
const MAX_NEXT_LENGTH: usize = 3_500;
const SECOND: i64 = 1_000_000;

/// A sign-in in progress.
#[derive(Clone)]
pub(super) struct Pending {
    secret: Secret,
    started: i64,
    next: String,
}

impl Pending {
    /// Starts a sign-in that leads to `next`.
    pub(super) fn start(environment: &Environment, next: &str) -> Self {
        let next = cookie_text(next);
        Self {
            secret: Secret::generate(SecretKind::CompanySignIn, &environment.entropy),
            started: environment.clock.now().0.div_euclid(SECOND),
            next: if next.len() <= MAX_NEXT_LENGTH { next } else { HOME.to_owned() },
        }
    }

    /// This browser's sign-in, if it has one.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let cookie = browser::cookie_value(headers, COOKIE)?;
        let mut parts = cookie.splitn(3, '.');
        let (secret, started, next) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            secret: Secret::parse_as(SecretKind::CompanySignIn, secret)?,
            started: started.parse().ok()?,
            next: next.to_owned(),
        })
    }

    /// The cookie's value.
    pub(super) fn cookie(&self) -> String {
        format!("{}.{}.{}", self.secret.expose(), self.started, self.next)
    }

    /// Whether the sign-in has expired.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        let age = now.0.div_euclid(SECOND).saturating_sub(self.started);
        !(0..LIFETIME).contains(&age)
    }

    /// The `state`, which comes back with the browser.
    pub(super) fn state(&self) -> String {
        self.derive("state")
    }

    /// The `nonce`, which comes back in the provider's signed token.
    pub(super) fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// The PKCE verifier, which proves to the provider that whoever redeems the code also requested it.
    pub(super) fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// The page to open at the end.
    pub(super) fn next(&self) -> &str {
        &self.next
    }

    /// A hash as 64 hexadecimal digits; RFC 7636, 4.1 allows 43 to 128 unreserved characters.
    fn derive(&self, label: &str) -> String {
        let digest = Sha256::digest(format!("zoop company {label}\n{}", self.cookie()));
        digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Percent-encodes the characters of a path and query that a cookie cannot contain (RFC 6265, 4.1.1). The values in
/// the query stay the same.
fn cookie_text(next: &str) -> String {
    next.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'"' | b',' | b';' | b'\\' | 0..=b' ' | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
            _ => text.push(char::from(byte)),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE as HEADER;

    use super::*;

    fn read(cookie: &str) -> Option<Pending> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::try_from(format!("a=b; {COOKIE}={cookie}")).unwrap();
        headers.insert(HEADER, value);
        Pending::from_headers(&headers)
    }

    #[test]
    fn a_cookie_is_read_back_unchanged_and_a_modified_one_matches_no_sign_in() {
        let environment = Environment::from_system().unwrap();
        let next = "/oauth/authorize?state=a,b;c&scope=read:notes write:notes&x=1.2";
        let pending = Pending::start(&environment, next);
        let back = read(&pending.cookie()).unwrap();
        assert_eq!(
            back.next(),
            "/oauth/authorize?state=a%2Cb%3Bc&scope=read:notes%20write:notes&x=1.2"
        );
        assert_eq!(
            (back.state(), back.nonce(), back.verifier()),
            (pending.state(), pending.nonce(), pending.verifier()),
        );
        let all = [pending.state(), pending.nonce(), pending.verifier()];
        assert!(all.iter().all(|it| it.len() == 64), "{all:?}");
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");

        let later = pending.cookie().replacen(&format!(".{}.", pending.started), ".1.", 1);
        let elsewhere = format!("{}x", pending.cookie());
        for changed in [later, elsewhere] {
            assert_ne!(read(&changed).unwrap().state(), pending.state(), "{changed}");
        }
        assert!(read("zoop_co_x.1./account").is_none());
        assert!(read("").is_none());
    }

    #[test]
    fn a_sign_in_expires_after_ten_minutes_and_leaves_out_a_page_too_long_for_a_cookie() {
        let environment = Environment::from_system().unwrap();
        let pending =
            Pending::start(&environment, &format!("/oauth/authorize?{}", "x".repeat(4_000)));
        assert_eq!(pending.next(), HOME);
        let at = |seconds: i64| Timestamp((pending.started + seconds) * SECOND);
        assert!(!pending.has_expired(at(0)) && !pending.has_expired(at(LIFETIME - 1)));
        assert!(pending.has_expired(at(LIFETIME)) && pending.has_expired(at(-1)));
    }
}
