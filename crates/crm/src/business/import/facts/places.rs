//! The places of a row, and their addresses.

use super::{Cells, Facts, Place};
use crate::business::customers::locations::LocationType;
use crate::business::import::cells::address;
use crate::business::import::columns::{Meaning, PlaceColumns};
use crate::values::country::Country;

/// Countries whose addresses have a state or province.
const WITH_STATES: &[&str] = &["US", "CA", "AU", "MX", "BR", "IN"];

impl Cells<'_, '_> {
    /// One address.
    pub(super) fn place(
        &self,
        columns: &PlaceColumns,
        location_type: LocationType,
        facts: &mut Facts,
    ) {
        let parts = [
            columns.whole,
            columns.line1,
            columns.line2,
            columns.city,
            columns.state,
            columns.postal_code,
        ];
        let notes = self.first(columns.notes);
        if parts.iter().all(|it| self.all(*it).next().is_none()) {
            for meaning in [columns.name, columns.notes] {
                for (column, text) in
                    self.all(meaning).filter(|(_, text)| !facts.is_named(text)).collect::<Vec<_>>()
                {
                    facts.keep(column, text);
                }
            }
            return;
        }
        let written = self.all(columns.country).next().map(|(_, text)| text);
        let country = written.and_then(country);
        let in_country = country.unwrap_or(self.reader.country);
        let address = self.address(columns);
        let address = address.map(|address| completed(address, in_country));
        let missing = address.as_ref().and_then(address::Address::missing);
        match address {
            Some(address) if missing.is_none() && (written.is_none() || country.is_some()) => {
                let mut label = self.first(columns.name);
                for other in [&facts.part, &address.name] {
                    if label.is_empty() && !facts.is_named(other) {
                        label.clone_from(other);
                    }
                }
                let place = Place { location_type, label, address, country, notes };
                facts.places.push(place);
            }
            _ => {
                let cells = parts.iter().chain([&columns.country]).flat_map(|it| self.all(*it));
                let text = cells.map(|(_, text)| text).collect::<Vec<_>>().join(", ");
                match missing {
                    Some(missing) => {
                        facts.without_state += usize::from(missing == STATE);
                        facts.keep(&format!("Address without {missing}"), &text);
                    }
                    None => facts.keep("Address", &text),
                }
                if !notes.is_empty() {
                    facts.notes.push(notes);
                }
            }
        }
    }

    /// The parts of an address, taken apart if they are in one cell.
    fn address(&self, columns: &PlaceColumns) -> Option<address::Address> {
        let own = |meaning: Meaning| self.all(meaning).next().is_some();
        let has_parts = own(columns.city) || own(columns.postal_code);
        let street = if own(columns.line1) { columns.line1 } else { columns.whole };
        // Some systems write an address line by line, each in a column.
        let written = self.all(street).map(|(_, text)| text).collect::<Vec<_>>().join("\n");
        if !has_parts && let Some(mut address) = address::read(&written) {
            let unit = self.first(columns.line2);
            if !unit.is_empty() {
                let line2 = [std::mem::take(&mut address.line2), unit]
                    .into_iter()
                    .filter(|it| !it.is_empty());
                address.line2 = line2.collect::<Vec<_>>().join(", ");
            }
            return Some(address);
        }
        let mut written_lines = written.split('\n').map(str::trim).filter(|line| !line.is_empty());
        let street = written_lines.next()?.to_owned();
        let rest = written_lines.map(str::to_owned).chain([self.first(columns.line2)]);
        let rest = rest.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ");
        let [city, state, postal_code] =
            [columns.city, columns.state, columns.postal_code].map(|it| self.first(it));
        let (name, line1, line2) = (String::new(), street, rest);
        Some(address::Address { name, line1, line2, city, state, postal_code })
    }
}

/// A country by its code or its name.
fn country(text: &str) -> Option<Country> {
    let text = text.trim().trim_end_matches('.');
    let folded = text.to_lowercase().replace('.', "");
    if ["usa", "united states"].contains(&&*folded) {
        return Some(Country::US);
    }
    Country::parse(text).or_else(|| Country::all().find(|it| it.name().to_lowercase() == folded))
}

/// The address with what certainly belongs to it. A spreadsheet drops the zero of a ZIP code of the northeast.
fn completed(address: address::Address, country: Country) -> address::Address {
    let mut address = address;
    let is_number = address.postal_code.bytes().all(|it| it.is_ascii_digit());
    if country == Country::US && address.postal_code.len() == 4 && is_number {
        address.postal_code.insert(0, '0');
    }
    if address.state.is_empty() && !WITH_STATES.contains(&country.code()) {
        address.state.clone_from(&address.city);
    }
    address
}

/// What people call the state of an address.
const STATE: &str = "state";

impl address::Address {
    /// The first part that a location must have and that is missing.
    fn missing(&self) -> Option<&'static str> {
        let parts = [
            (&self.line1, "street"),
            (&self.city, "city"),
            (&self.state, STATE),
            (&self.postal_code, "postal code"),
        ];
        parts.into_iter().find(|(part, _)| part.is_empty()).map(|(_, name)| name)
    }
}

impl Facts {
    /// Where invoices go is where the work is done, unless the file says otherwise.
    pub(super) fn settle_places(&mut self) {
        let is_service = |place: &Place| place.location_type == LocationType::Service;
        let service: Vec<_> =
            self.places.iter().filter(|it| is_service(it)).map(|it| it.address.clone()).collect();
        for place in self.places.clone() {
            let is_dropped = !is_service(&place) && service.contains(&place.address);
            for (column, text) in [("Billing name", &place.label), ("Billing notes", &place.notes)]
            {
                if is_dropped && !self.is_named(text) {
                    self.keep(column, text);
                }
            }
        }
        self.places.retain(|place| is_service(place) || !service.contains(&place.address));
        if service.is_empty() {
            for place in &mut self.places {
                place.location_type = LocationType::Service;
            }
        }
    }
}
