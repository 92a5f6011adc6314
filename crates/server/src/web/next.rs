//! Where a browser goes after signing in.

use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::secret::{Secret, SecretKind};

/// The page to open if none was requested.
pub(crate) const HOME: &str = "/account";
const AUTHORIZE: &str = "/oauth/authorize?";
const INVITATION: &str = "/invitations/";

/// The requested page, if it is a page of this server that asks its visitor to sign in. A link can contain
/// any URL, and must not lead to another site.
pub(crate) fn next_page(asked: Option<&str>) -> &str {
    asked.filter(|asked| is_ours(asked)).unwrap_or(HOME)
}

fn is_ours(asked: &str) -> bool {
    // Browsers drop tabs and line ends and read a backslash as a slash before they parse.
    let is_plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_invitation = |token| Secret::parse_as(SecretKind::Invitation, token).is_some();
    is_plain
        && (matches!(asked, "/account" | "/team")
            || asked.starts_with(AUTHORIZE)
            || asked.strip_prefix(INVITATION).is_some_and(is_invitation)
            || asked
                .strip_prefix("/team?business=")
                .is_some_and(|id| Id::<kinds::Tenant>::parse(id).is_some()))
}

/// The path of the sign-in page that continues to `next`.
pub(crate) fn sign_in(next: &str) -> String {
    with_next("/sign-in", next)
}

/// A sign-in page's path that keeps `next`.
pub(crate) fn with_next(path: &str, next: &str) -> String {
    if next == HOME {
        return path.to_owned();
    }
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{path}?next={next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_come_next() {
        let secret =
            Secret::generate(SecretKind::Invitation, &zoop_crm::values::clock::Entropy::seeded(1));
        let invitation = format!("/invitations/{}", secret.expose());
        let team = "/team?business=01890000-0000-7000-8000-000000000000";
        let authorize = "/oauth/authorize?client_id=x&redirect_uri=https%3A%2F%2Fevil.example";
        for ours in ["/account", "/team", team, authorize, invitation.as_str()] {
            assert_eq!(next_page(Some(ours)), ours);
        }
        for other in [
            "",
            "/",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:/evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/%2fevil.example",
            "%2f%2fevil.example",
            "/account/../../evil",
            "/account?x=1",
            "/account#x",
            "/accounts",
            "/account ",
            "/account\r\nSet-Cookie: a=b",
            "/\t/evil.example",
            "/oauth/authorize",
            "/oauth/authorize/../x?y",
            "/oauth/authorize?x=\r\nLocation: //evil.example",
            "//oauth/authorize?x",
            "/team?business=//evil.example",
            "/team?business=",
            "/invitations/",
            "/invitations/..%2f..%2fx",
            "/invitations/zoop_in_x",
            "/sign-out",
            "/sign-in",
            "/api/mcp",
        ] {
            assert_eq!(next_page(Some(other)), HOME, "{other:?}");
        }
        assert_eq!(next_page(None), HOME);
    }

    #[test]
    fn a_link_to_the_sign_in_keeps_what_comes_next() {
        assert_eq!(sign_in("/account"), "/sign-in");
        assert_eq!(sign_in("/team"), "/sign-in?next=%2Fteam");
        assert_eq!(
            sign_in("/oauth/authorize?a=b&c=d"),
            "/sign-in?next=%2Foauth%2Fauthorize%3Fa%3Db%26c%3Dd"
        );
    }
}
