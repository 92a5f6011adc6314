//! `customers.search`

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Uuid};

use crate::business::customers::index::{
    CustomerQuery, MatchedField, Place, PlaceText, Search, SearchedLocation,
};
use crate::business::customers::store::{Findable, FoundCustomer};
use crate::business::customers::{
    CustomerNumber, CustomerType, SearchRow, Similarity, Status, hints, store,
};
use crate::business::tags;
use crate::call::answer::Page;
use crate::call::argument::{Email, Flag, Ranged, SearchText, Text, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};
use crate::values::phone::Phone;

/// Maximum number of rows that are merely like `q`.
const MAX_SIMILAR: usize = 10;

input! {
    /// The filters of the search.
    pub struct SearchCustomersInput, hints = hints::SEARCH, aliases = hints::SEARCH_ALIASES {
        /// Names, nicknames, a phone, e-mail, customer number or address; every word must match somewhere.
        pub q: Option<SearchText>,
        /// If left out, all but archived customers.
        pub status: Option<Status>,
        /// Individuals or companies.
        pub r#type: Option<CustomerType>,
        /// A tag's id.
        pub tag: Option<Id<kinds::Tag>>,
        /// The whole address, in any case.
        pub email: Option<Email>,
        /// Such as C-0042.
        pub customer_number: Option<Text<32>>,
        /// Only VIPs, or only others.
        pub is_vip: Option<Flag>,
        /// false leaves out those who must not be contacted.
        pub do_not_contact: Option<Flag>,
        /// Of any location.
        pub city: Option<Text<128>>,
        /// Of any location.
        pub postal_code: Option<Text<16>>,
        /// Its own or a contact's.
        pub has_phone: Option<Flag>,
        /// The id in another system.
        pub external_id: Option<Text<128>>,
    }
}

/// The sort key of a row: the tier, then the id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Position {
    /// Whether the row is only a partial match, or a match of an address.
    partial: bool,
    /// Whether an address was needed. A cursor of the previous version does not have this field.
    #[serde(default)]
    address: bool,
    /// The row's id.
    id: Uuid,
}

impl Position {
    fn new(tier: usize, id: Uuid) -> Self {
        Self { partial: tier > 0, address: tier > 1, id }
    }

    /// The index of the row's expression in [`Search::tiers`].
    fn tier(self) -> usize {
        usize::from(self.partial) + usize::from(self.address)
    }
}

/// `customers.search`
pub struct SearchCustomers;

impl Tool for SearchCustomers {
    const NAME: &'static str = "customers.search";
    const TITLE: &'static str = "Search customers";
    const ABOUT: &'static str = "Finds customers the way people name them: whole \
        names, phones, numbers and e-mails first, then parts and nicknames, then addresses, each \
        newest first. Rows with match: similar are only near: check with the user.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"q":"Nguyen","status":"active","limit":20}"#;
    type Input = SearchCustomersInput;
    type Output = Page<SearchRow>;
}

impl List for SearchCustomers {
    type Row = SearchRow;
    type Position = Position;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &SearchCustomersInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<SearchRow, Position>> {
        let Some(search) = search(ctx, input)? else { return Ok(Found::all(Vec::new())) };
        let tiers = search.tiers();
        let first = after.map_or(0, Position::tier);
        let mut rows = Vec::new();
        for (index, tier) in tiers.iter().enumerate().skip(first) {
            if rows.len() == count {
                break;
            }
            if let Some(precondition) = &tier.precondition
                && !store::finds_any(ctx.tx, precondition)?
            {
                continue;
            }
            let before = after.filter(|after| after.tier() == index).map(|after| after.id);
            for found in store::search(ctx.tx, &tier.rows, before, count - rows.len())? {
                let row = explained(ctx.tx, &search, found)?;
                let position = Position::new(index, row.id.uuid());
                rows.push((row, position));
            }
        }
        if rows.is_empty() && after.is_none() && search.has_text() {
            // One row fewer than asked for, so that these rows never have a next page.
            let similar = similar(ctx.tx, &search, MAX_SIMILAR.min(count - 1))?;
            rows.extend(similar.into_iter().map(|row| {
                let position = Position::new(0, row.id.uuid());
                (row, position)
            }));
        }
        Ok(Found::all(rows))
    }
}

/// The search that these arguments ask for. `None` if no customer can match a filter.
fn search(ctx: &mut ReadCtx<'_, '_>, input: &SearchCustomersInput) -> Result<Option<Search>> {
    let tag = match input.tag {
        None => None,
        Some(id) => match tags::store::number(ctx.tx, id)? {
            None => return Ok(None),
            number => number,
        },
    };
    let number = match &input.customer_number {
        None => None,
        Some(text) => match CustomerNumber::parse(&text.0) {
            None => return Ok(None),
            number => number.map(|number| number.0),
        },
    };
    // At most one customer has the external id. The index finds it by its number, along with the other filters.
    let number = match &input.external_id {
        None => number,
        Some(Text(id)) => match store::by_external_id(ctx.tx, id)? {
            Some(found) if number.is_none_or(|number| number == found.customer_number.0) => {
                Some(found.customer_number.0)
            }
            _ => return Ok(None),
        },
    };
    let query = CustomerQuery {
        q: input.q.as_ref().map(|words| words.0.as_str()),
        country: ctx.access.country().numbering_plan(),
        status: input.status,
        kind: input.r#type,
        tag,
        email: input.email.as_ref().map(|email| email.0.as_str()),
        number,
        is_vip: input.is_vip.map(|flag| flag.0),
        do_not_contact: input.do_not_contact.map(|flag| flag.0),
        city: input.city.as_ref().map(|city| city.0.as_str()),
        postal_code: input.postal_code.as_ref().map(|code| code.0.as_str()),
        has_phone: input.has_phone.map(|flag| flag.0),
    };
    let search = query.search(store::mark(ctx.tx)?);
    search.map(Some).map_err(|problem| Error::field("q", problem.text()))
}

/// Up to `count` rows that are like `q`: the newest of the nearest.
fn similar(tx: &mut ReadTx<'_>, search: &Search, count: usize) -> Result<Vec<SearchRow>> {
    for expression in search.similar() {
        let found = store::search_rare(tx, &expression, count)?;
        if !found.is_empty() {
            let similarity = Some(Similarity::Similar);
            let rows = found.into_iter().map(|it| SearchRow { similarity, ..it.row });
            return Ok(rows.collect());
        }
    }
    Ok(Vec::new())
}

/// The row, with the fields in which `q` was found. Most rows show enough to tell; only for the others are all
/// contacts and locations read.
fn explained(tx: &mut ReadTx<'_>, search: &Search, found: FoundCustomer) -> Result<SearchRow> {
    if !search.has_text() {
        return Ok(found.row);
    }
    let mut matched = search.explain(&shown_places(&found));
    if matched.is_none() {
        let findable = store::findable(tx, found.row.id)?;
        matched = search.explain(&all_places(&found.row, &findable));
    }
    Ok(SearchRow { matched: Some(matched.unwrap_or_default()), ..found.row })
}

/// The places that a row itself shows.
fn shown_places(found: &FoundCustomer) -> Vec<Place<'_>> {
    let row = &found.row;
    let contact = |is_contacts: bool| is_contacts.then_some(Cow::Borrowed(&*found.contact));
    let mut places = own_places(row);
    // An individual's first contact has the same name.
    if row.customer_type == CustomerType::Company {
        places.push(contact_place(Cow::Borrowed(&found.contact)));
    }
    places.extend(row.primary_phone.as_ref().map(|phone| {
        let digits = vec![phone.trim_start_matches('+').to_owned()];
        let contact = contact(found.is_contacts_phone);
        Place { field: MatchedField::Phone, contact, text: PlaceText::Digits(digits) }
    }));
    let email_contact = contact(found.is_contacts_email);
    places.extend(row.primary_email.as_ref().map(|email| email_place(email, email_contact)));
    places.extend(row.location.as_ref().map(|line| address_place([line.as_str()])));
    places
}

/// All places of a customer.
fn all_places<'a>(row: &'a SearchRow, findable: &'a Findable) -> Vec<Place<'a>> {
    let mut places = own_places(row);
    places.extend(findable.merged_numbers.iter().map(|number| number_place(*number)));
    places.extend(findable.phone.as_ref().map(|phone| phone_place(phone, None)));
    places.extend(findable.email.as_ref().map(|email| email_place(email, None)));
    for contact in &findable.contacts {
        let name = Cow::<str>::from(contact.name());
        places.push(contact_place(name.clone()));
        places.extend(contact.phone().map(|phone| phone_place(&phone, Some(name.clone()))));
        places.extend(contact.email.as_ref().map(|email| email_place(email, Some(name))));
    }
    places.push(address_place(findable.locations.iter().flat_map(SearchedLocation::texts)));
    places
}

fn own_places(row: &SearchRow) -> Vec<Place<'_>> {
    let name = PlaceText::words([row.display_name.as_str()]);
    let name = Place { field: MatchedField::Name, contact: None, text: name };
    vec![name, number_place(row.customer_number)]
}

fn number_place(number: CustomerNumber) -> Place<'static> {
    Place { field: MatchedField::Number, contact: None, text: PlaceText::Number(number.0) }
}

fn contact_place(name: Cow<'_, str>) -> Place<'_> {
    let text = PlaceText::words([name.clone()]);
    Place { field: MatchedField::Contact, contact: Some(name), text }
}

fn phone_place<'a>(phone: &Phone, contact: Option<Cow<'a, str>>) -> Place<'a> {
    let text = PlaceText::Digits(phone.search_digits());
    Place { field: MatchedField::Phone, contact, text }
}

fn email_place<'a>(address: &'a str, contact: Option<Cow<'a, str>>) -> Place<'a> {
    Place { field: MatchedField::Email, contact, text: PlaceText::Email(address) }
}

fn address_place<'a>(texts: impl IntoIterator<Item = &'a str>) -> Place<'a> {
    Place { field: MatchedField::Address, contact: None, text: PlaceText::words(texts) }
}
