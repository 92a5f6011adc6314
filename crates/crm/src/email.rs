//! E-mail addresses: what is taken for one, and when two are the same.
//!
//! Here lives the shape check and the comparison key. The check is lenient on purpose: whether
//! a mailbox exists is known to its server alone, and an address that is refused here is one that
//! an office cannot write down. Nothing here may rewrite an address; it is kept as it was typed.
//! Its length limit belongs to the fields that hold one.

use crate::fold;

/// What is wrong with a text that should be an e-mail address; its text goes behind a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailProblem {
    /// There is white space in it.
    Space,
    /// There is no `@`, or more than one.
    OneAt,
    /// Nothing stands before the `@`.
    NoName,
    /// What stands behind the `@` has no dot between two other characters.
    NoDomain,
}

impl EmailProblem {
    /// The problem in words that say what to change.
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

/// Checks that a trimmed text has the shape of an e-mail address: one `@` with something before it,
/// a domain with a dot, no spaces.
///
/// # Errors
/// The first thing that is wrong with it.
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

/// The form under which two addresses are the same when they differ in case alone.
///
/// Takes any text, since a filter may ask for what is no address, and never fails.
#[must_use]
pub fn key(text: &str) -> String {
    fold::caseless(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken() {
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
    fn other_texts_are_refused() {
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
    fn case_does_not_matter_to_the_key() {
        assert_eq!(key("Name@Example.COM"), key("name@example.com"));
        assert_eq!(key("ÜNAL@example.de"), key("u\u{308}nal@EXAMPLE.de"));
        assert_ne!(key("ünal@example.de"), key("unal@example.de"));
        assert_eq!(key(" Name@example.com "), "name@example.com");
    }
}
