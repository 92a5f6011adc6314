//! Values of the merged customer that nothing of the kept one has: the caller decides whether they matter.

use super::plan::Plan;
use super::{NotKept, TakenField};
use crate::business::customers::Customer;
use crate::business::customers::contacts::Contact;

/// Reads a text of a customer.
type Get = fn(&Customer) -> &Option<String>;

/// The name, number, address and remarks that would be lost.
pub(super) fn values(plan: &Plan) -> Vec<NotKept> {
    let (kept, merged) = (&plan.kept.new, &plan.merged.old);
    let contacts: Vec<_> = plan.contacts_then().collect();
    let of_contacts = |get: fn(&Contact) -> Option<&String>, text: &str| {
        let mut all = contacts.iter().filter_map(|contact| get(contact));
        all.any(|it| it.eq_ignore_ascii_case(text))
    };
    let name = merged.display_name();
    let is_named = kept.display_name() == name || contacts.iter().any(|it| it.name() == name);
    let is_company = merged.company_name.is_some();
    let field = if is_company { TakenField::CompanyName } else { TakenField::FirstName };
    let name = (!is_named).then_some(NotKept { field, value: name });
    let is_lost = |own: Option<&String>, get, text: &str| {
        !own.is_some_and(|own| own.eq_ignore_ascii_case(text)) && !of_contacts(get, text)
    };
    let phone = merged.phone.as_ref();
    let phone =
        phone.filter(|it| is_lost(kept.phone.as_ref(), |contact| contact.phone.as_ref(), it));
    let phone = phone.and(merged.phone_raw.clone());
    let phone = phone.map(|value| NotKept { field: TakenField::Phone, value });
    let email = merged.email.as_ref();
    let email =
        email.filter(|it| is_lost(kept.email.as_ref(), |contact| contact.email.as_ref(), it));
    let email = email.cloned().map(|value| NotKept { field: TakenField::Email, value });
    let texts: [(_, Get); 3] = [
        (TakenField::DoNotContactReason, |it| &it.do_not_contact_reason),
        (TakenField::Source, |it| &it.source),
        (TakenField::ExternalId, |it| &it.external_id),
    ];
    let texts = texts.into_iter().filter_map(|(field, get)| {
        let value = get(merged).clone().filter(|value| get(kept).as_ref() != Some(value));
        Some(NotKept { field, value: value? })
    });
    name.into_iter().chain(phone).chain(email).chain(texts).collect()
}
