//! What two customers have in common, in words.

use zoop_crm::business::customers::duplicates::find_duplicates::DuplicateRow;
use zoop_crm::business::customers::duplicates::{Evidence, Likeness};
use zoop_crm::values::phone::{self, NumberingPlan};

use super::customers::number_of;

/// One thing that two customers have in common.
pub(super) struct Why {
    pub(super) words: &'static str,
    /// The number, address or name that is the same.
    pub(super) value: Option<String>,
}

impl Why {
    /// All that a customer has in common with another. A number is written as the business's country writes it, the
    /// customer's main one with its extension.
    pub(super) fn all(row: &DuplicateRow, plan: NumberingPlan) -> Vec<Self> {
        let written = |e164: &String| {
            let is_main = row.customer.primary_phone.as_ref() == Some(e164);
            let number = if is_main { number_of(&row.customer, plan) } else { None };
            number.unwrap_or_else(|| phone::written(e164, plan))
        };
        let why = |Evidence { same, value }: &Evidence| {
            let is_phone = *same == Likeness::Phone;
            let value = value.as_ref();
            let value = if is_phone { value.map(written) } else { value.cloned() };
            Self { words: words(*same), value }
        };
        row.evidence.iter().map(why).collect()
    }
}

const fn words(same: Likeness) -> &'static str {
    match same {
        Likeness::Phone => "Same phone",
        Likeness::Email => "Same e-mail",
        Likeness::Name => "Same name",
        Likeness::Nickname => "Short form of the name",
        Likeness::SimilarName => "Similar name",
        Likeness::SoundsAlike => "Names sound alike",
        Likeness::SwappedNames => "Names the other way round",
        Likeness::GivenName => "Same first name",
        Likeness::FamilyName => "Same last name",
        Likeness::Contact => "Same contact",
        Likeness::Address => "Same address",
        Likeness::SimilarAddress => "Similar address",
        Likeness::Street => "Same street",
        Likeness::PostalCode => "Same postal code",
        Likeness::City => "Same city",
    }
}
