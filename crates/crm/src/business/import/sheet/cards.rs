//! Address cards (vCard 3.0, RFC 2426, and 4.0, RFC 6350): one row for each card, with columns of its own making.

use calcard::common::IanaType;
use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameterName, VCardProperty, VCardType, VCardValue,
};
use calcard::{Entry, Parser};

use super::{MAX_ROWS, Sheet, SheetRow};
use crate::business::import::columns::{BILLING, Meaning, PlaceColumns, SERVICE, SERVICE2};
use crate::call::error::{Error, Result};

/// The columns of a file of cards. Several values of one kind are lines of one cell.
const COLUMNS: &[Meaning] = &[
    Meaning::Name,
    Meaning::FirstName,
    Meaning::MiddleName,
    Meaning::LastName,
    Meaning::Prefix,
    Meaning::Suffix,
    Meaning::CompanyName,
    Meaning::JobTitle,
    Meaning::Phone,
    Meaning::Email,
    Meaning::Tags,
    Meaning::Notes,
];
/// The places of a card, in the order of the columns behind those.
const PLACES: [PlaceColumns; 3] = [SERVICE, SERVICE2, BILLING];

/// Whether a text is a file of cards.
pub(super) fn are_cards(text: &str) -> bool {
    let start = text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']);
    start.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCARD"))
}

/// The cards of a text.
pub(super) fn sheet(text: &str) -> Result<Sheet> {
    let (mut rows, mut parser) = (Vec::new(), Parser::new(text));
    loop {
        match parser.entry() {
            // A group of cards is not a customer.
            Entry::VCard(card) if is_group(&card) => {}
            Entry::VCard(card) => {
                let line = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
                rows.push(SheetRow { line, cells: cells(&card) });
            }
            Entry::Eof => break,
            _ => {}
        }
        if rows.len() > MAX_ROWS {
            return Err(Error::invalid(format!(
                "The file has more than {MAX_ROWS} cards: split it into several."
            )));
        }
    }
    rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
    if rows.is_empty() {
        return Err(Error::invalid("The file has no address cards."));
    }
    let places = PLACES
        .iter()
        .flat_map(|it| [it.line1, it.line2, it.city, it.state, it.postal_code, it.country]);
    let columns = COLUMNS.iter().copied().chain(places);
    let columns = columns.map(|meaning| meaning.word().to_owned()).collect();
    Ok(Sheet { columns, rows, skipped: Vec::new(), sheets: None })
}

fn is_group(card: &VCard) -> bool {
    let kinds = card.entries.iter().filter(|entry| match &entry.name {
        VCardProperty::Kind => true,
        VCardProperty::Other(name) => name.eq_ignore_ascii_case("X-ADDRESSBOOKSERVER-KIND"),
        _ => false,
    });
    kinds.flat_map(|entry| &entry.values).any(|value| match value {
        VCardValue::Kind(kind) => *kind == VCardKind::Group,
        value => value.as_text().is_some_and(|text| text.eq_ignore_ascii_case("group")),
    })
}

fn cells(card: &VCard) -> Vec<String> {
    let places = places(card);
    let mut cells: Vec<_> = COLUMNS.iter().map(|meaning| cell(card, *meaning)).collect();
    for place in places {
        cells.extend(place);
    }
    cells
}

fn cell(card: &VCard, meaning: Meaning) -> String {
    let part = |at: usize| {
        let name = of(card, &VCardProperty::N).next();
        name.and_then(|name| components(name).into_iter().nth(at)).unwrap_or_default()
    };
    match meaning {
        // Of the same name in several languages, the first.
        Meaning::Name => of(card, &VCardProperty::Fn).next().map(text).unwrap_or_default(),
        Meaning::LastName => part(0),
        Meaning::FirstName => part(1),
        Meaning::MiddleName => part(2),
        Meaning::Prefix => part(3),
        Meaning::Suffix => part(4),
        Meaning::CompanyName => {
            let company = of(card, &VCardProperty::Org).next().map(components);
            company.and_then(|units| units.into_iter().next()).unwrap_or_default()
        }
        Meaning::JobTitle => lines(card, &VCardProperty::Title),
        Meaning::Phone => {
            let phones = of(card, &VCardProperty::Tel).filter(|entry| !has(entry, VCardType::Fax));
            let phones = phones.map(|entry| phone(&text(entry)));
            phones.collect::<Vec<_>>().join("\n")
        }
        Meaning::Email => lines(card, &VCardProperty::Email),
        Meaning::Tags => lines(card, &VCardProperty::Categories),
        Meaning::Notes => notes(card),
        _ => String::new(),
    }
}

/// The notes of a card, its addresses beyond those that have columns, and its fax numbers and websites, which have
/// none.
fn notes(card: &VCard) -> String {
    let is_billing = |entry: &&VCardEntry| has(entry, VCardType::Billing);
    let addresses = of(card, &VCardProperty::Adr);
    let (billing, others): (Vec<_>, Vec<_>) = addresses.partition(is_billing);
    let further = others.into_iter().skip(2).chain(billing.into_iter().skip(1));
    let further = further.map(|entry| {
        let parts = components(entry).into_iter().filter(|part| !part.is_empty());
        format!("Address: {}", parts.collect::<Vec<_>>().join(", "))
    });
    let faxes = of(card, &VCardProperty::Tel).filter(|entry| has(entry, VCardType::Fax));
    let faxes = faxes.map(|entry| format!("Fax: {}", phone(&text(entry))));
    let websites = of(card, &VCardProperty::Url).map(|entry| format!("Website: {}", text(entry)));
    let notes = Some(lines(card, &VCardProperty::Note)).filter(|notes| !notes.is_empty());
    let kept = notes.into_iter().chain(further).chain(faxes).chain(websites);
    kept.collect::<Vec<_>>().join("\n")
}

/// The addresses of a card: two for the work, and one for invoices.
fn places(card: &VCard) -> [[String; 6]; 3] {
    let mut places: [[String; 6]; 3] = Default::default();
    let mut service = 0;
    for entry in of(card, &VCardProperty::Adr) {
        let at = if has(entry, VCardType::Billing) { 2 } else { service };
        let at = if at == 2 && !has(entry, VCardType::Billing) { usize::MAX } else { at };
        service += usize::from(at < 2);
        if let Some(place) = places.get_mut(at).filter(|place| place.iter().all(String::is_empty)) {
            let parts = components(entry);
            let part = |at: usize| parts.get(at).cloned().unwrap_or_default();
            // The post office box, the extended address and the street (RFC 6350, section 6.3.1).
            let line2 = [part(0), part(1)].into_iter().filter(|it| !it.is_empty());
            let line2 = line2.collect::<Vec<_>>().join(", ");
            *place = [part(2), line2, part(3), part(4), part(5), part(6)];
        }
    }
    places
}

fn of<'c>(card: &'c VCard, property: &VCardProperty) -> impl Iterator<Item = &'c VCardEntry> {
    card.entries.iter().filter(move |entry| entry.name == *property)
}

fn has(entry: &VCardEntry, wanted: VCardType) -> bool {
    let types = entry.params.iter().filter(|it| it.name == VCardParameterName::Type);
    types
        .filter_map(|it| it.value.as_type())
        .any(|it| matches!(it, IanaType::Iana(it) if *it == wanted))
}

/// A number of a `tel:` address (RFC 3966) as people write it.
fn phone(text: &str) -> String {
    text.trim_start_matches("tel:").replace(";ext=", " x")
}

/// All values of a property, each on a line of its own.
fn lines(card: &VCard, property: &VCardProperty) -> String {
    of(card, property).map(text).collect::<Vec<_>>().join("\n")
}

fn text(entry: &VCardEntry) -> String {
    entry.values.iter().filter_map(VCardValue::as_text).collect::<Vec<_>>().join("\n")
}

/// The components of a value, such as family and given name.
fn components(entry: &VCardEntry) -> Vec<String> {
    let components = entry.values.iter().map(|value| match value {
        VCardValue::Component(parts) => parts.join(" "),
        value => value.as_text().unwrap_or_default().to_owned(),
    });
    components.collect()
}
