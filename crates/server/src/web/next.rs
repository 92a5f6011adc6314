//! Where a browser goes after signing in.

use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::secret::{Secret, SecretKind};

use super::section::Section;

/// The page to open if none was requested: what one needs first in one's business.
pub(crate) const HOME: &str = "/";
/// The same after joining a business, before its id.
const JOINED: &str = "/?done=joined&business=";
const AUTHORIZE: &str = "/oauth/authorize?";
const INVITATION: &str = "/invitations/";
const NEW_EMAIL: &str = "/account/email/";
const CUSTOMER: &str = "/customers/";
const FILE: &str = "/files/";

/// The requested page if it is a page of this server that requires signing in, otherwise [`HOME`]. A request may name
/// any URL, but the browser must not be sent to another site.
pub(crate) fn next_page(requested: Option<&str>) -> &str {
    requested.filter(|requested| is_ours(requested)).unwrap_or(HOME)
}

fn is_ours(requested: &str) -> bool {
    // Browsers drop tabs and line ends, and read a backslash as a slash.
    let is_plain = requested.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_email_link = |token| Secret::parse_as(SecretKind::EmailLink, token).is_some();
    let is_invitation = |token| Secret::parse_as(SecretKind::Invitation, token).is_some();
    is_plain
        && (Section::ALL.iter().any(|section| is_first_page(*section, requested))
            || requested.starts_with(AUTHORIZE)
            || requested.strip_prefix(JOINED).is_some_and(is_id::<kinds::Tenant>)
            || path(requested).strip_prefix(CUSTOMER).is_some_and(is_customer)
            || requested.strip_prefix(FILE).is_some_and(is_file)
            || requested.strip_prefix(NEW_EMAIL).is_some_and(is_email_link)
            || requested.strip_prefix(INVITATION).is_some_and(is_invitation))
}

/// Whether this is a customer, or the customer's history.
fn is_customer(rest: &str) -> bool {
    is_id::<kinds::Customer>(rest.strip_suffix("/history").unwrap_or(rest))
}

/// Whether this is a file, or its thumbnail.
fn is_file(rest: &str) -> bool {
    is_id::<kinds::File>(rest.strip_suffix("/thumbnail").unwrap_or(rest))
}

/// Whether this is the first page of a section, of any business and with any search.
fn is_first_page(section: Section, requested: &str) -> bool {
    requested.strip_prefix(section.path()).is_some_and(|rest| match rest.strip_prefix('?') {
        Some(_) if section.has_search() => true,
        Some(query) => query.strip_prefix("business=").is_some_and(is_id::<kinds::Tenant>),
        None => rest.is_empty(),
    })
}

fn is_id<K>(text: &str) -> bool {
    Id::<K>::parse(text).is_some()
}

/// The path of an address, without its query.
fn path(requested: &str) -> &str {
    requested.split('?').next().unwrap_or_default()
}

/// The first page in a business that was just joined.
pub(crate) fn joined(business: Id<kinds::Tenant>) -> String {
    format!("{JOINED}{business}")
}

/// The path of the sign-in page that continues to `next`.
pub(crate) fn sign_in(next: &str) -> String {
    with_next("/sign-in", next)
}

/// The path of a sign-in page, with `next` in the query unless it is [`HOME`].
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
    fn only_pages_of_this_server_come_next() {
        let secret =
            Secret::generate(SecretKind::Invitation, &zoop_crm::values::clock::Entropy::seeded(1));
        let entropy = zoop_crm::values::clock::Entropy::seeded(1);
        let new_email = Secret::generate(SecretKind::EmailLink, &entropy);
        let new_email = format!("/account/email/{}", new_email.expose());
        let invitation = format!("/invitations/{}", secret.expose());
        let team = "/team?business=01890000-0000-7000-8000-000000000000";
        let authorize = "/oauth/authorize?client_id=x&redirect_uri=https%3A%2F%2Fevil.example";
        let customer = "/customers/01890000-0000-7000-8000-000000000000";
        let of_business = format!("{customer}?business=x&after=y");
        let history = format!("{customer}/history?business=x");
        let customers =
            ["/customers", "/customers?q=0199&type=company", customer, &of_business, &history];
        let notes = ["/notes", "/notes?q=heater&after=2026-06-13"];
        let file = "/files/01890000-0000-7000-8000-000000000000";
        let thumbnail = "/files/01890000-0000-7000-8000-000000000000/thumbnail";
        let joined = "/?done=joined&business=01890000-0000-7000-8000-000000000000";
        let others = [
            "/account",
            joined,
            "/team",
            team,
            file,
            thumbnail,
            authorize,
            invitation.as_str(),
            &new_email,
        ];
        for ours in others.into_iter().chain(customers).chain(notes) {
            assert_eq!(next_page(Some(ours)), ours);
        }
        for other in [
            "",
            "/",
            "account",
            "/?done=joined&business=//evil.example",
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
            "/customers/",
            "/customers/x",
            "/customers/..%2f..%2fx",
            "/customers/01890000-0000-7000-8000-000000000000/archive",
            "/customers/history",
            "/customers?\r\nLocation: //evil.example",
            "/customersx?q=a",
            "//customers?q=a",
            "/notes/",
            "/notes/x?q=a",
            "/notes#x",
            "/notesx?q=a",
            "//notes?q=a",
            "/files/",
            "/files/x",
            "/files/x/thumbnail",
            "/files/01890000-0000-7000-8000-000000000000/thumbnails",
            "/files/01890000-0000-7000-8000-000000000000?x=1",
            "//files/01890000-0000-7000-8000-000000000000",
            "/invitations/",
            "/invitations/..%2f..%2fx",
            "/invitations/zoop_in_x",
            "/account/email/x",
            "/sign-out",
            "/sign-in",
            "/api/mcp",
        ] {
            assert_eq!(next_page(Some(other)), HOME, "{other:?}");
        }
        assert_eq!(next_page(None), HOME);
    }

    #[test]
    fn a_link_to_the_sign_in_page_keeps_the_next_page() {
        assert_eq!(sign_in("/"), "/sign-in");
        assert_eq!(sign_in("/account"), "/sign-in?next=%2Faccount");
        assert_eq!(sign_in("/team"), "/sign-in?next=%2Fteam");
        assert_eq!(
            sign_in("/oauth/authorize?a=b&c=d"),
            "/sign-in?next=%2Foauth%2Fauthorize%3Fa%3Db%26c%3Dd"
        );
    }
}
