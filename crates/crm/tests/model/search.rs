//! The model of the search: scans every name, phone, e-mail address and location of every customer.

use serde_json::{Value, json};

use super::arguments::Object;
use super::pools;
use super::state::{Contact, Customer, Tenant};
use zoop_crm::values::fold;

/// Words of a query that are dropped unless nothing else is left. The pools contain no others.
const DROPPED: &[&str] = &["mrs", "dr", "and", "the"];
/// The names of the pools that are nicknames of each other.
const NICKNAMES: &[(&str, &str)] = &[("ben", "benjamin")];

impl Tenant {
    /// The rows that a search finds: whole matches first, then other matches in names and the like, then those that
    /// need an address, each newest first. If there are none, also every row that may be similar.
    pub(super) fn search(&self, filters: &Object) -> Value {
        let found = || self.customers.iter().rev().filter(|it| self.passes(it, filters));
        let Some(q) = filters.get("q") else {
            return json!({ "rows": found().map(row).collect::<Vec<_>>() });
        };
        let query = Query::new(q.as_str().expect("a string"));
        let mut tiers = [Vec::new(), Vec::new(), Vec::new()];
        for customer in found() {
            if let Some(tier) = query.tier(customer) {
                let mut row = row(customer);
                row["matched"] = query.matched(customer, &row);
                tiers[tier].push(row);
            }
        }
        let rows = tiers.concat();
        if !rows.is_empty() {
            return json!({ "rows": rows });
        }
        let similar = found().filter(|_| query.phones.is_empty()).map(|customer| {
            let mut row = row(customer);
            row["match"] = json!("similar");
            row
        });
        json!({ "rows": [], "similar": similar.collect::<Vec<_>>() })
    }
}

impl Tenant {
    fn passes(&self, customer: &Customer, filters: &Object) -> bool {
        customer.merged_into.is_none()
            && self.is_numbered(customer, filters)
            && passes(customer, filters)
    }

    /// Whether a customer has the number and the external id, or one that was merged into it has.
    fn is_numbered(&self, customer: &Customer, filters: &Object) -> bool {
        let holder = filters.get("external_id").map(|wanted| {
            let mut customers = self.customers.iter();
            let holder = customers.find(|it| it.own["external_id"] == *wanted);
            holder.map_or(Value::Null, |holder| holder.own["customer_number"].clone())
        });
        let wanted = [filters.get("customer_number"), holder.as_ref()];
        let wanted: Vec<_> = wanted.into_iter().flatten().collect();
        wanted.iter().all(|number| *number == wanted[0] && numbers(customer).contains(number))
    }
}

/// The customer's number, and those of the customers that were merged into it.
fn numbers(customer: &Customer) -> Vec<&Value> {
    let merged = customer.own["merged_from"].as_array().into_iter().flatten();
    let merged = merged.map(|merged| &merged["customer_number"]);
    [&customer.own["customer_number"]].into_iter().chain(merged).collect()
}

fn passes(customer: &Customer, filters: &Object) -> bool {
    let is = |field: &str, value: &Value| filters.get(field).is_none_or(|wanted| wanted == value);
    let status = match filters.get("status") {
        None => !customer.is_archived(),
        Some(status) => *status == *customer.visible_status(),
    };
    let tag =
        filters.get("tag").is_none_or(|tag| customer.tags.contains(tag.as_str().expect("an id")));
    let email = filters.get("email").is_none_or(|email| {
        let email = email.as_str().expect("an address").to_lowercase();
        emails(customer).iter().any(|own| own.to_lowercase() == email)
    });
    let located = |field: &str, key: &dyn Fn(&str) -> String| {
        filters.get(field).is_none_or(|wanted| {
            let wanted = key(wanted.as_str().expect("a text"));
            let locations = customer.active_locations();
            locations
                .iter()
                .any(|location| key(location[field].as_str().expect("a text")) == wanted)
        })
    };
    let folded = |text: &str, between: &str| {
        let words: Vec<_> = fold::words(text).into_iter().map(|word| word.text).collect();
        words.join(between)
    };
    status
        && tag
        && email
        && is("type", &customer.own["customer_type"])
        && is("is_vip", &customer.own["is_vip"])
        && is("do_not_contact", &customer.own["do_not_contact"])
        && is("has_phone", &json!(!phones(customer).is_empty()))
        && located("city", &|text| folded(text, " "))
        && located("postal_code", &|text| folded(text, ""))
}

/// A customer's row in a search result.
pub(super) fn row(customer: &Customer) -> Value {
    let locations = customer.active_locations();
    let mut primary = locations.iter().filter(|it| it["is_primary"] == true);
    let service = primary.find(|it| it["location_type"] == "service");
    json!({
        "id": customer.id(), "display_name": customer.display_name(),
        "customer_type": customer.own["customer_type"], "status": customer.visible_status(),
        "primary_phone": customer.primary("primary_phone", "phone"),
        "primary_email": customer.primary("primary_email", "email"),
        "customer_number": customer.own["customer_number"], "is_vip": customer.own["is_vip"],
        "do_not_contact": customer.own["do_not_contact"],
        "location": service.map(line),
    })
}

/// An address in one line.
fn line(location: &Value) -> String {
    let text = |field: &str| location[field].as_str().unwrap_or_default();
    let unit = match text("address_line2") {
        "" => String::new(),
        unit => format!("{unit}, "),
    };
    let (street, city) = (text("address_line1"), text("city"));
    format!("{street}, {unit}{city}, {} {}", text("state"), text("postal_code"))
}

fn emails(customer: &Customer) -> Vec<String> {
    let contacts = customer.active_contacts();
    let contacts = contacts.iter().map(|contact| &contact.shown["email"]);
    let all = [&customer.own["primary_email"]].into_iter().chain(contacts);
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn phones(customer: &Customer) -> Vec<&'static str> {
    let contacts = customer.active_contacts();
    let contacts = contacts.iter().map(|contact| &contact.shown["phone_raw"]);
    let all = [&customer.own["primary_phone_raw"]].into_iter().chain(contacts);
    all.flat_map(forms).copied().collect()
}

/// The digits under which a typed phone is found.
fn forms(typed: &Value) -> &'static [&'static str] {
    let phone = pools::PHONES.iter().find(|phone| *typed == *phone.typed);
    phone.map_or(&[], |phone| phone.forms)
}

fn words_of(texts: &[&str]) -> Vec<String> {
    texts.iter().flat_map(|text| fold::words(text)).map(|word| word.text).collect()
}

/// The words of a location that are searched.
fn address_words(location: &Value) -> Vec<String> {
    let fields = ["label", "address_line1", "address_line2", "city", "state", "postal_code"];
    let texts: Vec<_> = fields.iter().filter_map(|field| location[*field].as_str()).collect();
    words_of(&texts)
}

/// A field in which a query may be found.
struct Place {
    field: &'static str,
    contact: Option<String>,
    words: Vec<String>,
    digits: Vec<String>,
    email: Option<String>,
    number: Option<String>,
}

impl Place {
    fn new(field: &'static str, contact: Option<String>) -> Self {
        Self { field, contact, words: vec![], digits: vec![], email: None, number: None }
    }

    fn of_words(field: &'static str, contact: Option<String>, words: Vec<String>) -> Self {
        Self { words, ..Self::new(field, contact) }
    }

    fn of_phone(contact: Option<String>, digits: &[&str]) -> Self {
        let digits = digits.iter().map(|digits| (*digits).to_owned()).collect();
        Self { digits, ..Self::new("phone", contact) }
    }

    fn of_email(contact: Option<String>, email: &str) -> Self {
        Self { email: Some(email.to_lowercase()), ..Self::new("email", contact) }
    }

    fn shown(&self) -> Value {
        match &self.contact {
            Some(contact) => json!({ "field": self.field, "contact": contact }),
            None => json!({ "field": self.field }),
        }
    }
}

/// How a word occurs in a place.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Whole,
    Anyhow,
}

struct Query {
    /// The parts between spaces, each with its words.
    terms: Vec<(String, Vec<String>)>,
    /// The digits, if it may be a phone: as typed, without a trunk zero in parentheses, and international.
    phones: Vec<String>,
}

impl Query {
    fn new(q: &str) -> Self {
        let words = |part: &str| words_of(&[part]);
        let terms = q.split_whitespace().map(|part| (part.to_lowercase(), words(part)));
        let mut terms: Vec<_> = terms.filter(|(_, words)| !words.is_empty()).collect();
        let is_dropped = |word: &String| DROPPED.contains(&word.as_str());
        if terms.iter().flat_map(|term| &term.1).any(|word| !is_dropped(word)) {
            for term in &mut terms {
                term.1.retain(|word| !is_dropped(word));
            }
            terms.retain(|term| !term.1.is_empty());
        }
        Self { terms, phones: as_phone(q) }
    }

    /// 0 for a whole match, 1 for another match outside addresses, 2 for one that needs an address.
    fn tier(&self, customer: &Customer) -> Option<usize> {
        let all = all_places(customer);
        let without: Vec<_> = all.iter().filter(|place| place.field != "address").collect();
        let whole = |term: &(String, Vec<String>)| {
            let named = |place: &&&Place| match &place.email {
                Some(email) => term.0 == *email,
                None => is_number(place, term),
            };
            without.iter().any(|place| named(&place))
                || term.1.iter().all(|word| without.iter().any(|it| has(it, word, How::Whole)))
        };
        let anyhow = |places: &[&Place], term: &(String, Vec<String>)| {
            places.iter().any(|place| is_named_by(place, term))
                || term.1.iter().all(|word| places.iter().any(|it| has(it, word, How::Anyhow)))
        };
        let phone = |how: How| {
            let mut places = all.iter().filter(|place| !place.digits.is_empty());
            places.any(|place| self.is_phone_of(place, how))
        };
        let every: Vec<_> = all.iter().collect();
        if self.terms.iter().all(whole) || phone(How::Whole) {
            Some(0)
        } else if self.terms.iter().all(|term| anyhow(&without, term)) || phone(How::Anyhow) {
            Some(1)
        } else if self.phones.iter().all(|digits| digits.len() < 10)
            && self.terms.iter().all(|term| anyhow(&every, term))
        {
            Some(2)
        } else {
            None
        }
    }

    fn is_phone_of(&self, place: &Place, how: How) -> bool {
        self.phones.iter().any(|digits| {
            let mut forms = place.digits.iter();
            forms.any(|form| {
                form == digits || (how == How::Anyhow && form.contains(digits.as_str()))
            })
        })
    }

    /// Where the query was found: in what the row shows if that explains all of it, otherwise anywhere.
    fn matched(&self, customer: &Customer, row: &Value) -> Value {
        let found = self.explain(&shown_places(customer, row));
        found.or_else(|| self.explain(&all_places(customer))).unwrap_or_default()
    }

    fn explain(&self, places: &[Place]) -> Option<Value> {
        let phone = || places.iter().find(|place| self.is_phone_of(place, How::Anyhow));
        let mut found = Vec::new();
        for term in &self.terms {
            let is_exact = |place: &&Place| match &place.email {
                Some(email) => term.0 == *email,
                None => is_number(place, term),
            };
            let words = |hows: &[How]| -> Option<Vec<Value>> {
                let any = |word: &String| {
                    let place = |how: &How| places.iter().find(|place| has(place, word, *how));
                    hows.iter().find_map(place)
                };
                term.1.iter().map(|word| any(word).map(Place::shown)).collect()
            };
            let named = |place: Option<&Place>| place.map(|place| vec![place.shown()]);
            let shown = named(places.iter().find(is_exact))
                .or_else(|| words(&[How::Whole]))
                .or_else(|| named(places.iter().find(|place| is_named_by(place, term))))
                .or_else(|| words(&[How::Whole, How::Anyhow]));
            match shown {
                Some(shown) => found.extend(shown),
                None => return phone().map(|place| json!([place.shown()])),
            }
        }
        let mut distinct: Vec<Value> = Vec::new();
        for place in found {
            if !distinct.contains(&place) {
                distinct.push(place);
            }
        }
        Some(json!(distinct))
    }
}

/// Whether a place is the customer number that a part of a query names.
fn is_number(place: &Place, (_, words): &(String, Vec<String>)) -> bool {
    let digits = match &words[..] {
        [c, digits] if c == "c" => digits,
        [word] => word.strip_prefix('c').unwrap_or(word),
        _ => return false,
    };
    let Some(number) = &place.number else { return false };
    let own = number.trim_start_matches("C-").parse::<i64>();
    digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse() == own
}

/// Whether a place is the number, the e-mail address or a half of the address that a part of a query names.
fn is_named_by(place: &Place, term: &(String, Vec<String>)) -> bool {
    let Some(email) = &place.email else { return is_number(place, term) };
    let (local, domain) = email.split_once('@').expect("an address");
    match term.0.strip_prefix('@') {
        Some(named) => named == domain,
        None => term.0 == *email || term.0 == local || (term.0.contains('.') && term.0 == domain),
    }
}

fn has(place: &Place, word: &str, how: How) -> bool {
    let is_digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let anyhow = how == How::Anyhow;
    let is_nickname = |stored: &str| {
        NICKNAMES.iter().any(|(one, other)| {
            (stored, word) == (*one, *other) || (word, stored) == (*one, *other)
        })
    };
    let in_words = place.words.iter().any(|stored| {
        stored == word
            || anyhow
                && if place.field == "address" {
                    word.chars().count() >= 3 && !is_digits && stored.starts_with(word)
                } else {
                    stored.contains(word) || is_nickname(stored)
                }
    });
    let mut digits = place.digits.iter();
    in_words
        || is_digits
            && word.len() >= 3
            && digits.any(|form| form == word || (anyhow && form.contains(word)))
}

fn own_places(customer: &Customer) -> Vec<Place> {
    let number = customer.own["customer_number"].as_str().map(str::to_owned);
    vec![
        Place::of_words("name", None, words_of(&[&customer.display_name()])),
        Place { number, ..Place::new("number", None) },
    ]
}

/// What the row itself shows.
fn shown_places(customer: &Customer, row: &Value) -> Vec<Place> {
    let primary = customer.contacts.iter().find(|contact| contact.is_primary());
    let contact = |own: &str| {
        customer.own[own].is_null().then(|| primary.map(Contact::name).unwrap_or_default())
    };
    let mut places = own_places(customer);
    if customer.is_company() {
        let name = primary.map(Contact::name).unwrap_or_default();
        places.push(Place::of_words("contact", Some(name.clone()), words_of(&[&name])));
    }
    if let Some(phone) = row["primary_phone"].as_str() {
        places.push(Place::of_phone(contact("primary_phone"), &[&phone[1..]]));
    }
    if let Some(email) = row["primary_email"].as_str() {
        places.push(Place::of_email(contact("primary_email"), email));
    }
    if let Some(line) = row["location"].as_str() {
        places.push(Place::of_words("address", None, words_of(&[line])));
    }
    places
}

fn all_places(customer: &Customer) -> Vec<Place> {
    let mut places = own_places(customer);
    let own = &customer.own;
    let merged = numbers(customer).into_iter().skip(1).filter_map(Value::as_str);
    let merged = merged.map(|number| Some(number.to_owned()));
    places.extend(merged.map(|number| Place { number, ..Place::new("number", None) }));
    if !own["primary_phone"].is_null() {
        places.push(Place::of_phone(None, forms(&own["primary_phone_raw"])));
    }
    places.extend(own["primary_email"].as_str().map(|email| Place::of_email(None, email)));
    for contact in customer.active_contacts() {
        let name = contact.name();
        places.push(Place::of_words("contact", Some(name.clone()), words_of(&[&name])));
        if !contact.shown["phone"].is_null() {
            places.push(Place::of_phone(Some(name.clone()), forms(&contact.shown["phone_raw"])));
        }
        let email = contact.shown["email"].as_str();
        places.extend(email.map(|email| Place::of_email(Some(name), email)));
    }
    let locations = customer.active_locations();
    let words = locations.iter().flat_map(address_words).collect();
    places.push(Place::of_words("address", None, words));
    places
}

/// The digits of a query that may be a phone: as typed, without a trunk zero in parentheses, and international.
fn as_phone(q: &str) -> Vec<String> {
    if !q.chars().all(|it| it.is_ascii_digit() || "+-./() ".contains(it)) {
        return Vec::new();
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let mut forms = vec![digits(q), digits(&q.replace("(0)", ""))];
    let known = pools::PHONES.iter().filter(|phone| digits(phone.typed) == digits(q));
    forms.extend(known.map(|phone| digits(phone.e164)));
    let dialed = forms[0].strip_prefix("00").filter(|form| form.len() >= 7).map(str::to_owned);
    forms.extend(dialed);
    forms
}
