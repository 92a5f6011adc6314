//! Addresses: of the console's own pages, and of what a link opens in another program.

use form_urlencoded::{Serializer, byte_serialize};
use zoop_crm::business::customers::locations::Location;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::messages::Done;
use crate::web::tenant_context::TenantContext;

/// A path with these fields in its query. Empty fields are left out.
pub(super) fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
    format!("{path}?{}", query.finish())
}

/// A page of a business.
pub(super) fn of_business(business: &Membership, path: &str) -> String {
    with_query(path, &[("business", &business.account.id.to_string())])
}

/// The list of a business's customers.
pub(super) fn customers(business: &Membership) -> String {
    of_business(business, "/customers")
}

/// The notes of a business.
pub(super) fn notes(business: &Membership) -> String {
    of_business(business, "/notes")
}

/// The path of a customer's page. The paths of its forms begin with it.
pub(super) fn customer_path(id: Id<kinds::Customer>) -> String {
    format!("/customers/{id}")
}

/// A customer's page.
pub(super) fn customer(business: &Membership, id: Id<kinds::Customer>) -> String {
    of_business(business, &customer_path(id))
}

/// The path of a customer's history.
pub(super) fn customer_history_path(id: Id<kinds::Customer>) -> String {
    format!("{}/history", customer_path(id))
}

/// A customer's page, which says what was done.
pub(super) fn customer_after(
    tenant_context: &TenantContext,
    id: Id<kinds::Customer>,
    done: Done,
) -> String {
    after(&customer_path(id), tenant_context, done, "")
}

/// A page that says what was done, and about which record, if that matters, and offers to undo it.
pub(super) fn after(
    path: &str,
    tenant_context: &TenantContext,
    done: Done,
    record: &str,
) -> String {
    let anchor = if done.is_about_notes { "#notes" } else { "" };
    let business = tenant_context.membership.account.id.to_string();
    let entry = entry_of(tenant_context);
    let said =
        [("business", &*business), ("done", done.word), ("record", record), ("change", &entry)];
    with_query(path, &said) + anchor
}

/// The entry of what was done; empty if there is none.
pub(super) fn entry_of(tenant_context: &TenantContext) -> String {
    tenant_context.entry().map(|entry| entry.to_string()).unwrap_or_default()
}

/// The address of a page, as it was asked for if it was. The page also answers its forms.
pub(super) fn shown_at<'a>(path: &'a str, target: &'a str) -> &'a str {
    if target.split('?').next() == Some(path) { target } else { path }
}

/// A page that was open before, with what it searched for.
pub(super) fn back(next: &str, business: &Membership) -> String {
    let (path, kept) = kept(next, business);
    with_query(path, &pairs(&kept)) + "#notes"
}

/// A page that was open before, with what it searched for, which says what was done.
pub(super) fn back_after(
    next: &str,
    tenant_context: &TenantContext,
    done: Done,
    record: &str,
) -> String {
    let (path, kept) = kept(next, &tenant_context.membership);
    let entry = entry_of(tenant_context);
    let mut query = pairs(&kept);
    query.extend([("done", done.word), ("record", record), ("change", &entry)]);
    with_query(path, &query) + if done.is_about_notes { "#notes" } else { "" }
}

/// The path and the fields of the query of a page that was open before, without what it said was done.
fn kept<'n>(next: &'n str, business: &Membership) -> (&'n str, Vec<(String, String)>) {
    let next = next.split('#').next().unwrap_or_default();
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let sent = form_urlencoded::parse(query.as_bytes()).into_owned();
    let is_kept =
        |(name, _): &(String, String)| !["business", "done", "record", "change"].contains(&&**name);
    let business = ("business".to_owned(), business.account.id.to_string());
    (path, std::iter::once(business).chain(sent.filter(is_kept)).collect())
}

fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The path of a contact or location, with which the paths of its forms begin.
pub(super) fn part_path<K>(customer: Id<kinds::Customer>, segment: &str, part: Id<K>) -> String {
    format!("{}/{segment}/{part}", customer_path(customer))
}

/// The path of a note's form, which leads back to the page of this customer.
pub(super) fn note_form(note: Id<kinds::Note>, form: &str, customer: Option<&str>) -> String {
    let path = format!("/notes/{note}/{form}");
    match customer {
        Some(customer) => with_query(&path, &[("customer", customer)]),
        None => path,
    }
}

/// The path of the page that asks before a file is removed from a note.
pub(super) fn file_removal(note: Id<kinds::Note>, file: Id<kinds::File>) -> String {
    format!("/notes/{note}/files/{file}/remove")
}

/// A small picture of a file.
pub(super) fn thumbnail(file: Id<kinds::File>) -> String {
    format!("/files/{file}/thumbnail")
}

/// Calls a number (RFC 3966), which may have an extension.
pub(super) fn tel(number: &str) -> String {
    format!("tel:{number}")
}

/// Writes a text message to a number (RFC 5724).
pub(super) fn sms(e164: &str) -> String {
    format!("sms:{e164}")
}

/// Writes to an e-mail address (RFC 6068). A `?` or `&` in the address must not begin a field of the message.
pub(super) fn mailto(email: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("mailto:{}@{}", encoded(local), encoded(domain)),
        None => format!("mailto:{}", encoded(email)),
    }
}

/// Shows an address on a map. Phones open this address in the map program.
///
/// Source: Google Maps URLs, "Search".
pub(super) fn map(location: &Location) -> String {
    let lines = [
        Some(&location.address_line1),
        Some(&location.city),
        Some(&location.state),
        Some(&location.postal_code),
        Some(&location.country),
    ];
    let lines: Vec<_> = lines.into_iter().flatten().map(String::as_str).collect();
    let fields = [
        ("api", "1"),
        ("query", &lines.join(", ")),
        ("query_place_id", location.place_id.as_deref().unwrap_or_default()),
    ];
    with_query("https://www.google.com/maps/search/", &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_cannot_add_to_the_message() {
        assert_eq!(mailto("hana@example.com"), "mailto:hana@example.com");
        assert_eq!(mailto("a+b@example.com"), "mailto:a%2Bb@example.com");
        assert_eq!(mailto("a?bcc=x&b@example.com"), "mailto:a%3Fbcc%3Dx%26b@example.com");
    }

    #[test]
    fn empty_fields_are_not_in_an_address() {
        assert_eq!(with_query("/x", &[("a", "1 2"), ("b", ""), ("c", "&")]), "/x?a=1+2&c=%26");
    }
}
