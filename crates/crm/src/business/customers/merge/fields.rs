//! The fields of the customer that is kept: its own, then those that it lacks, and those that the call takes.

use super::TakenField;
use crate::business::customers::{Customer, CustomerType, MergedCustomer};
use crate::call::error::{Error, FieldProblem, Result};

/// Maximum length of internal notes, in characters, as for `customers.update`.
const MAX_NOTES: usize = 10_000;
/// Maximum number of customers that were merged into one. The search finds it by each of their numbers.
const MAX_MERGED: usize = 100;

/// The kept customer after the merge, apart from its times.
///
/// # Errors
/// [`Error::InvalidInput`] if `take` names a field that the kept customer cannot have. [`Error::Conflict`] if too many
/// customers were merged into one.
pub(super) fn kept(kept: &Customer, other: &Customer, take: &[TakenField]) -> Result<Customer> {
    refuse_other_type(kept, take)?;
    let filled = Filled { kept, other, take };
    let is_phone_kept = !take.contains(&TakenField::Phone) && kept.phone.is_some();
    let phone = if is_phone_kept { kept } else { other };
    let do_not_contact =
        filled.flag(TakenField::DoNotContact, kept.do_not_contact, other.do_not_contact);
    let merged = MergedCustomer { id: other.id, customer_number: other.customer_number };
    let merged_from = kept.merged_from.and(other.merged_from.all().chain([merged]));
    if merged_from.all().count() > MAX_MERGED {
        return Err(Error::conflict(format!(
            "{MAX_MERGED} customers were merged into this one, the maximum."
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
        notes_internal: filled.notes(),
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
fn refuse_other_type(kept: &Customer, take: &[TakenField]) -> Result<()> {
    let foreign: &[TakenField] = match kept.customer_type {
        CustomerType::Individual => &[TakenField::CompanyName],
        CustomerType::Company => &[TakenField::FirstName, TakenField::LastName],
    };
    let is_foreign = |(_, field): &(usize, &TakenField)| foreign.contains(field);
    let problems = take.iter().enumerate().filter(is_foreign).map(|(index, _)| FieldProblem {
        field: format!("take[{index}]"),
        problem: format!(
            "is not a field of the kept customer, whose customer_type is {}",
            kept.customer_type.word()
        ),
    });
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::fields(problems)) }
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

    /// Both remarks, if there is room for both.
    fn notes(&self) -> Option<String> {
        let one = self.text(TakenField::NotesInternal, |it| &it.notes_internal);
        let (Some(kept), Some(other)) = (&one, &self.other.notes_internal) else { return one };
        if kept.contains(other.as_str()) {
            return one;
        }
        let both = format!("{kept}\n\n{other}");
        if both.chars().count() > MAX_NOTES { one } else { Some(both) }
    }
}
