//! E-mail addresses: which strings are accepted, which addresses identify the same user, and which match in a
//! search.
//!
//! The check is deliberately lenient: only the mail server knows whether a mailbox exists, and an address
//! that is rejected here cannot be recorded at all. Addresses are stored as typed, so nothing here may
//! rewrite them. The length is not limited here but by the fields that contain an address.

use crate::values::fold;

/// Why a string is not accepted as an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailProblem {
    /// It contains white space.
    Space,
    /// It has no `@`, or more than one.
    OneAt,
    /// It has nothing before the `@`.
    NoName,
    /// The part after the `@` does not consist of at least two names separated by dots.
    NoDomain,
}

impl EmailProblem {
    /// The error message, without the field's name in front.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Space => "must not contain spaces; write one address like name@example.com",
            Self::OneAt => "needs exactly one @; write one address like name@example.com",
            Self::NoName => "needs a name before the @, like name@example.com",
            Self::NoDomain => "needs a domain with a dot after the @, like name@example.com",
        }
    }
}

/// Checks that a trimmed string has the form of an e-mail address: one `@` with something before it, a domain
/// with a dot, and no spaces.
///
/// # Errors
/// The first problem.
pub fn check(text: &str) -> Result<(), EmailProblem> {
    if text.contains(char::is_whitespace) {
        return Err(EmailProblem::Space);
    }
    let (name, domain) = text.split_once('@').ok_or(EmailProblem::OneAt)?;
    if domain.contains('@') {
        return Err(EmailProblem::OneAt);
    }
    if name.is_empty() {
        return Err(EmailProblem::NoName);
    }
    let labels = domain.split('.').count();
    if labels < 2 || domain.split('.').any(str::is_empty) {
        return Err(EmailProblem::NoDomain);
    }
    Ok(())
}

/// The key that identifies a user: addresses with the same key count as the same mailbox. The key has ASCII
/// letters in lower case and the domain in ASCII form (UTS #46, as in DNS). Nothing else is folded, because
/// addresses that differ in `ß` and `ss`, or in `ı` and `i`, may belong to different people.
#[must_use]
pub fn key(text: &str) -> String {
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else { return text.to_ascii_lowercase() };
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
    format!("{}@{domain}", local.to_ascii_lowercase())
}

/// The key under which the previous version stored a user with this address: the whole address folded, with the
/// domain in Unicode. For most addresses it equals [`key`]. It must not be used to identify a user.
#[must_use]
pub(crate) fn former_key(text: &str) -> String {
    match text.trim().rsplit_once('@') {
        Some((local, domain)) => {
            search_key(&format!("{local}@{}", idna::domain_to_unicode(domain).0))
        }
        None => search_key(text),
    }
}

/// The form in which customers' addresses are searched and compared: folded like other text, so that an
/// office finds an address however it was typed. It must not be used to identify a user.
///
/// Accepts any string, since a filter may contain something that is not an address.
#[must_use]
pub fn search_key(text: &str) -> String {
    fold::caseless(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_addresses_are_accepted() {
        for text in [
            "name@example.com",
            "a@b.c",
            "first.last+tag@sub.example.co.uk",
            "Ünal@exämple.de",
            "o'neill@example.com",
            "\"quoted\"@example.com",
            "name@例え.jp",
            "1@2.3",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn other_strings_are_rejected() {
        for (text, problem) in [
            ("", EmailProblem::OneAt),
            ("name", EmailProblem::OneAt),
            ("a@b@example.com", EmailProblem::OneAt),
            ("@example.com", EmailProblem::NoName),
            ("name@example", EmailProblem::NoDomain),
            ("name@", EmailProblem::NoDomain),
            ("name@.com", EmailProblem::NoDomain),
            ("name@example.", EmailProblem::NoDomain),
            ("name@example..com", EmailProblem::NoDomain),
            ("na me@example.com", EmailProblem::Space),
            ("name@exa\u{a0}mple.com", EmailProblem::Space),
            ("name@example.com\n", EmailProblem::Space),
        ] {
            assert_eq!(check(text), Err(problem), "{text:?}");
            assert!(problem.text().ends_with("name@example.com"));
        }
    }

    #[test]
    fn case_does_not_matter_to_a_search() {
        assert_eq!(search_key("Name@Example.COM"), search_key("name@example.com"));
        assert_eq!(search_key("ÜNAL@example.de"), search_key("u\u{308}nal@EXAMPLE.de"));
        assert_ne!(search_key("ünal@example.de"), search_key("unal@example.de"));
        assert_eq!(search_key(" Name@example.com "), "name@example.com");
    }

    #[test]
    fn identity_keys_ignore_ascii_case_and_the_form_of_the_domain() {
        for (one, same) in [
            ("Name@Example.COM", "name@example.com"),
            (" name@example.com ", "name@example.com"),
            ("name@BÜCHER.example", "name@xn--bcher-kva.example"),
            ("name@ex_ample.com", "NAME@EX_AMPLE.com"),
            ("name", "NAME"),
        ] {
            assert_eq!(key(one), key(same), "{one} {same}");
        }
        for (one, other) in [
            ("someone@g\u{131}thub.example", "someone@github.example"),
            ("adm\u{131}n@example.com", "admin@example.com"),
            ("\u{17f}am@example.com", "sam@example.com"),
            ("\u{212a}im@example.com", "kim@example.com"),
            ("\u{fb01}n@example.com", "fin@example.com"),
            ("stra\u{df}e@example.com", "strasse@example.com"),
            ("name@stra\u{df}e.example", "name@strasse.example"),
            ("\u{dc}nal@example.com", "\u{fc}nal@example.com"),
            ("ünal@example.com", "unal@example.com"),
        ] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }
}
