//! Where a browser goes after signing in: only ever to a page of this server that a sign-in stands
//! before. Anything else would make the sign-in page a way to send people to somebody else's.

/// Where it goes unless a page was asked for.
pub(crate) const HOME: &str = "/account";
/// Asks for consent; what is asked for stands in the query.
const AUTHORIZE: &str = "/oauth/authorize?";
/// The account's pages.
const PAGES: [&str; 2] = [HOME, "/team"];

/// The page that was asked for, if it is one of those; else the account's.
pub(crate) fn next_page(asked: &str) -> &str {
    let path = asked.split_once('?').map_or(asked, |(path, _)| path);
    let is_known = asked.starts_with(AUTHORIZE) || PAGES.contains(&path);
    // What a header cannot hold as it is, or browsers read as something else, no page of ours has.
    let is_plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_known && is_plain { asked } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_a_sign_in_stands_before_are_gone_to() {
        for known in [
            "/account",
            "/team",
            "/team?business=0190-1",
            "/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fa.example%2F",
        ] {
            assert_eq!(next_page(known), known);
        }
        for other in [
            "",
            "/",
            "account",
            "/accounts",
            "/account/x",
            "/account#x",
            "/oauth/authorize",
            "/oauth/authorize/?x",
            "/oauth/token?x",
            "//evil.example",
            "//evil.example/account",
            "/\\evil.example",
            "\\\\evil.example",
            "/%2f/evil.example",
            "%2Faccount",
            "https://evil.example/account",
            "https:evil.example",
            "javascript:alert(1)",
            "/account\r\nSet-Cookie: a=b",
            "/account?\\",
            "/account?ä",
            " /account",
            "/.//evil.example",
        ] {
            assert_eq!(next_page(other), HOME, "{other:?}");
        }
    }
}
