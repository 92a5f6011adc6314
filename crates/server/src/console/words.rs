//! How the console says what tools say in a word.

use std::sync::LazyLock;

use zoop_crm::business::customers::contacts::ContactRole;
use zoop_crm::business::customers::index::{Match, MatchedField};
use zoop_crm::business::customers::locations::LocationType;
use zoop_crm::business::customers::{CustomerType, Status};
use zoop_crm::business::files::MediaType;
use zoop_crm::values::country::Country;
use zoop_crm::values::phone;

pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "Active",
        Status::Inactive => "Inactive",
        Status::Archived => "Archived",
    }
}

pub(super) const fn customer_type(customer_type: CustomerType) -> &'static str {
    match customer_type {
        CustomerType::Individual => "Individual",
        CustomerType::Company => "Company",
    }
}

/// What to contact a person about; nothing for general contacts.
pub(super) const fn contact_role(role: ContactRole) -> &'static str {
    match role {
        ContactRole::Billing => "Billing",
        ContactRole::Service => "Service",
        ContactRole::DecisionMaker => "Decision maker",
        ContactRole::General => "",
    }
}

pub(super) const fn location_type(location_type: LocationType) -> &'static str {
    match location_type {
        LocationType::Service => "Service address",
        LocationType::Billing => "Billing address",
        LocationType::Mailing => "Mailing address",
        LocationType::Other => "Other address",
    }
}

/// What a file is, and the same in a few letters.
pub(super) const fn file_type(media_type: MediaType) -> (&'static str, &'static str) {
    match media_type {
        MediaType::Jpeg => ("JPEG image", "JPEG"),
        MediaType::Png => ("PNG image", "PNG"),
        MediaType::Webp => ("WebP image", "WebP"),
        MediaType::Gif => ("GIF image", "GIF"),
        MediaType::Heic => ("HEIC image", "HEIC"),
        MediaType::Pdf => ("PDF document", "PDF"),
        MediaType::Text => ("Text", "TXT"),
        MediaType::Csv => ("Table as text", "CSV"),
        MediaType::Word | MediaType::OldWord => ("Word document", "DOC"),
        MediaType::Excel | MediaType::OldExcel => ("Excel spreadsheet", "XLS"),
        MediaType::PowerPoint | MediaType::OldPowerPoint => ("PowerPoint slides", "PPT"),
    }
}

/// Where a search found its words: "name", "phone of" and the contact, "contact" and the contact.
pub(super) struct Matched {
    pub(super) place: &'static str,
    pub(super) contact: Option<String>,
    /// The number, if it is not the one that the row shows.
    pub(super) number: Option<String>,
}

impl Matched {
    /// `shown` is the number of the row.
    pub(super) fn of(found: Match, shown: Option<&str>, plan: phone::NumberingPlan) -> Self {
        let Match { field, contact, phone } = found;
        let number = phone.map(|e164| phone::written(&e164, plan));
        let number = number.filter(|number| Some(number.as_str()) != shown);
        let place = match (field, &contact) {
            (MatchedField::Name, _) => "name",
            (MatchedField::Contact, _) => "contact",
            (MatchedField::Phone, None) => "phone",
            (MatchedField::Phone, Some(_)) => "phone of",
            (MatchedField::Email, None) => "e-mail",
            (MatchedField::Email, Some(_)) => "e-mail of",
            (MatchedField::Number, _) => "customer number",
            (MatchedField::Address, _) => "address",
        };
        Self { place, contact, number }
    }
}

/// All countries, by their codes. The country that the tools assume is first.
pub(super) fn countries() -> Vec<(&'static str, &'static str)> {
    static COUNTRIES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let mut all: Vec<_> = Country::all().map(|it| (it.code().to_owned(), it.name())).collect();
        all.sort_by(|(code, name), (other_code, other)| {
            (code != "US", name).cmp(&(other_code != "US", other))
        });
        all
    });
    COUNTRIES.iter().map(|(code, name)| (code.as_str(), name.as_str())).collect()
}

pub(super) fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
