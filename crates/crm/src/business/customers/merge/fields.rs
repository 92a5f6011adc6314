//! The fields of the customer that is kept: its own, then those that it lacks, and those that the call takes.

use super::TakenField;
use crate::business::customers::{Customer, CustomerType, MergedCustomer};
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;

/// Maximum length of internal notes, in characters, as for `customers.update`.
const MAX_NOTES: usize = 10_000;
/// Maximum number of customers that were merged into one. The search finds it by each of their numbers.
const MAX_MERGED: usize = 100;

/// The kept customer after the merge, apart from its times.
///
/// # Errors
/// [`Error::InvalidInput`] if `take` names a field that the kept customer cannot have. [`Error::Conflict`] if too many
/// customers were merged into one.
pub(super) fn kept(
    access: &Access,
    kept: &Customer,
    other: &Customer,
    take: &[TakenField],
) -> Result<Customer> {
    refuse_other_type(access, kept, take)?;
    let filled = Filled { kept, other, take };
    let is_phone_kept = !take.contains(&TakenField::Phone) && kept.phone.is_some();
    let phone = if is_phone_kept { kept } else { other };
    let do_not_contact =
        filled.flag(TakenField::DoNotContact, kept.do_not_contact, other.do_not_contact);
    let merged = MergedCustomer { id: other.id, customer_number: other.customer_number };
    let merged_from = kept.merged_from.and(other.merged_from.all().chain([merged]));
    if merged_from.all().count() > MAX_MERGED {
        return Err(Error::conflict(format!(
            "More than {MAX_MERGED} customers would be merged into one: keep the other one instead."
        )));
    }
    let is_person = kept.customer_type == CustomerType::Individual;
    let of_type = |is_of_type: bool, field, get: fn(&Customer) -> &Option<String>| {
        if is_of_type { filled.text(field, get) } else { get(kept).clone() }
    };
    Ok(Customer {
        first_name: of_type(is_person, TakenField::FirstName, |it| &it.first_name),
        last_name: of_type(is_person, TakenField::LastName, |it| &it.last_name),
        company_name: of_type(!is_person, TakenField::CompanyName, |it| &it.company_name),
        status: if take.contains(&TakenField::Status) { other.status } else { kept.status },
        phone: phone.phone.clone(),
        phone_raw: phone.phone_raw.clone(),
        email: filled.text(TakenField::Email, |it| &it.email),
        notes_internal: filled.notes()?,
        is_vip: filled.flag(TakenField::IsVip, kept.is_vip, other.is_vip),
        do_not_contact,
        do_not_contact_reason: filled
            .text(TakenField::DoNotContactReason, |it| &it.do_not_contact_reason),
        source: filled.text(TakenField::Source, |it| &it.source),
        external_id: filled.text(TakenField::ExternalId, |it| &it.external_id),
        merged_from,
        ..kept.clone()
    })
}

/// An individual has no company name, and a company has no first and last name. The other customer may lack a name too.
/// Only a caller who may read the customer learns its type.
fn refuse_other_type(access: &Access, kept: &Customer, take: &[TakenField]) -> Result<()> {
    let foreign: &[TakenField] = match kept.customer_type {
        CustomerType::Individual => &[TakenField::CompanyName],
        CustomerType::Company => &[TakenField::FirstName, TakenField::LastName],
    };
    let taken: Vec<_> = take.iter().filter(|field| foreign.contains(field)).collect();
    if taken.is_empty() {
        return Ok(());
    }
    if !access.scopes.has(Scope::ReadCustomers) {
        let problem = "must match the kept customer's type: first_name and last_name for an individual, \
                       company_name for a company";
        return Err(Error::field("take", problem));
    }
    let names: Vec<_> = taken.into_iter().map(|field| field.word()).collect();
    let (names, kind) = (names.join(" and "), kept.customer_type.word());
    let problem = format!("cannot have {names}: the kept customer's customer_type is {kind}");
    Err(Error::field("take", problem))
}

struct Filled<'c> {
    kept: &'c Customer,
    other: &'c Customer,
    take: &'c [TakenField],
}

impl Filled<'_> {
    /// The kept customer's text, or the other's if it lacks one or the call takes it. A name is never taken away.
    fn text(&self, field: TakenField, get: fn(&Customer) -> &Option<String>) -> Option<String> {
        let (kept, other) = (get(self.kept), get(self.other));
        let is_name = matches!(field, TakenField::FirstName | TakenField::CompanyName);
        if self.take.contains(&field) && (other.is_some() || !is_name) {
            return other.clone();
        }
        kept.as_ref().or(other.as_ref()).cloned()
    }

    /// A mark that either of them has. Who asked not to be contacted stays so, unless the call says otherwise.
    fn flag(&self, field: TakenField, kept: bool, other: bool) -> bool {
        if self.take.contains(&field) { other } else { kept || other }
    }

    /// Both remarks, unless the call takes the other's.
    fn notes(&self) -> Result<Option<String>> {
        let one = self.text(TakenField::NotesInternal, |it| &it.notes_internal);
        let (Some(kept), Some(other)) = (&one, &self.other.notes_internal) else { return Ok(one) };
        if kept == other || kept.split("\n\n").any(|paragraph| paragraph == other) {
            return Ok(one);
        }
        let both = format!("{kept}\n\n{other}");
        if both.chars().count() <= MAX_NOTES {
            return Ok(Some(both));
        }
        Err(Error::conflict(format!(
            "The notes_internal of both have more than {MAX_NOTES} characters together: take those of the other \
             customer, or shorten one first."
        )))
    }
}
