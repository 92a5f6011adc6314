//! The model of duplicates. Which customers share a phone or an e-mail address is its own; which others are likely the
//! same it takes from the product's comparison, which has tests of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use zoop_crm::business::customers::duplicates::{Described, Profile};
use zoop_crm::business::customers::index::SearchedLocation;

use super::arguments::Object;
use super::search::row;
use super::state::{Contact, Customer, Origin, Predicted, Tenant, argument, e164, invalid_field};

/// The fields that describe a customer.
pub(super) const DESCRIBING: &[&str] = &[
    "first_name",
    "last_name",
    "company_name",
    "phone",
    "email",
    "address_line1",
    "address_line2",
    "city",
    "postal_code",
];
/// How many customers with the phones and e-mail addresses are compared: the newest.
const MAX_REACHED: usize = 20;
/// How many contacts, and how many locations, are compared besides the primary ones.
const MAX_PARTS: usize = 5;

/// The phones and e-mail addresses of a customer and its contacts.
struct Reach {
    phones: BTreeSet<String>,
    emails: BTreeSet<String>,
}

impl Reach {
    fn of(customer: &Customer, contacts: &[&Contact]) -> Self {
        let all = |own: &str, of_contact: &str| -> BTreeSet<String> {
            let all = contacts.iter().map(|row| &row.shown[of_contact]).chain([&customer.own[own]]);
            all.filter_map(|value| value.as_str().map(str::to_lowercase)).collect()
        };
        Self { phones: all("primary_phone", "phone"), emails: all("primary_email", "email") }
    }

    /// What two customers share, in the product's words.
    fn shared(&self, other: &Self) -> Vec<&'static str> {
        let phone = (!self.phones.is_disjoint(&other.phones)).then_some("phone");
        let email = (!self.emails.is_disjoint(&other.emails)).then_some("email");
        phone.into_iter().chain(email).collect()
    }
}

/// A customer that is compared with others.
struct Asked {
    reach: Reach,
    profile: Profile,
}

impl Asked {
    fn of(customer: &Customer) -> Self {
        let contacts = first(customer.active_contacts(), |it| &it.shown);
        Self { reach: Reach::of(customer, &contacts), profile: profile(customer) }
    }

    fn shared(&self, other: &Self) -> Vec<&'static str> {
        self.reach.shared(&other.reach)
    }
}

impl Tenant {
    /// Marks two customers as different, or takes that back.
    pub(super) fn mark_different(&mut self, arguments: &Object) -> Predicted {
        let [one, other] = ["customer_id", "other_id"].map(|name| argument(arguments, name));
        if one == other {
            return Err(invalid_field("other_id"));
        }
        let mut id = |id| Ok(self.unmerged_customer(id)?.id().to_owned());
        let ids: [String; 2] = [id(&one)?, id(&other)?];
        let different = arguments.get("different") != Some(&json!(false));
        for pair in [(0, 1), (1, 0)].map(|(one, other)| (ids[one].clone(), ids[other].clone())) {
            if different {
                self.different.insert(pair);
            } else {
                self.different.remove(&pair);
            }
        }
        Ok(json!({ "customer_id": one, "other_id": other, "different": different }))
    }

    /// The rows that may be found, each with what it shares, and whether it must be found. Of the whole account it is
    /// pairs.
    pub(super) fn find_duplicates(&mut self, arguments: &Object) -> Predicted {
        let id = self.resolved(&argument(arguments, "customer_id"));
        let asked = if id.is_null() {
            DESCRIBING
                .iter()
                .any(|name| arguments.contains_key(*name))
                .then(|| described(arguments))
        } else {
            Some(Asked::of(self.customer(&id)?))
        };
        let current = || self.customers.iter().filter(|customer| !customer.is_archived());
        let is_different = |one: &str, other: &str| {
            one == other || self.different.contains(&(one.to_owned(), other.to_owned()))
        };
        let Some(asked) = asked else {
            let all: Vec<_> = current().map(|customer| (customer, Asked::of(customer))).collect();
            let pairs = all.iter().enumerate().flat_map(|(at, (newer, asked))| {
                let older = all[..at].iter().filter(|(it, _)| !is_different(newer.id(), it.id()));
                let likely =
                    older.filter(|(_, other)| asked.profile.compare(&other.profile).is_likely());
                likely.map(|(older, other)| {
                    let mut found = row(older);
                    found["likely"] = json!(true);
                    found["duplicate_of"] = row(newer);
                    json!({ "row": found, "shared": asked.shared(other), "is_certain": false })
                })
            });
            return Ok(json!({ "duplicates": pairs.collect::<Vec<_>>() }));
        };
        let own = id.as_str().unwrap_or_default();
        // Those that were marked as different are left out after the search.
        let reached =
            current().filter(|it| it.id() != own && !asked.shared(&Asked::of(it)).is_empty());
        let is_certain = reached.count() <= MAX_REACHED;
        let rows = current().filter(|it| !is_different(own, it.id())).filter_map(|customer| {
            let other = Asked::of(customer);
            let shared = asked.shared(&other);
            let likely = asked.profile.compare(&other.profile).is_likely();
            if !likely && shared.is_empty() {
                return None;
            }
            let mut found = row(customer);
            found["likely"] = json!(likely);
            let is_certain = is_certain && !shared.is_empty();
            Some(json!({ "row": found, "shared": shared, "is_certain": is_certain }))
        });
        Ok(json!({ "duplicates": rows.collect::<Vec<_>>() }))
    }

    /// Customers that the product's own comparison says are likely the same as a new one.
    pub(super) fn likely_duplicates(&self, new: &Customer) -> Vec<Value> {
        let profile = profile(new);
        let current = self.customers.iter().filter(|customer| !customer.is_archived());
        let compared =
            current.map(|customer| (customer, profile.compare(&self::profile(customer))));
        compared
            .filter(|(_, comparison)| comparison.is_likely())
            .map(|(customer, comparison)| {
                let (id, name) = (customer.id(), customer.display_name());
                json!({ "id": id, "display_name": name, "match": comparison.words() })
            })
            .collect()
    }

    /// Customers that share a phone or an e-mail address with a new customer or its contact.
    pub(super) fn duplicates(&self, new: &Customer) -> Vec<Value> {
        let reach = |customer: &Customer| Reach::of(customer, &customer.active_contacts());
        let new = reach(new);
        let current = self.customers.iter().filter(|customer| !customer.is_archived());
        let shared = current.map(|customer| (customer, new.shared(&reach(customer))));
        shared
            .filter(|(_, shared)| !shared.is_empty())
            .map(|(customer, shared)| {
                let (id, name) = (customer.id(), customer.display_name());
                json!({ "id": id, "display_name": name, "match": shared.join(" and ") })
            })
            .collect()
    }
}

/// Whether the product found what may be found, and all that must be.
pub(super) fn are_found(found: &Value, expected: &[Value]) -> bool {
    let rows = found["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let of_row = |row: &Value| {
        let mut row = row.clone();
        let evidence = row.as_object_mut().and_then(|row| row.remove("evidence"));
        let evidence = evidence.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let words = evidence.iter().map(|it| it["same"].clone());
        let shared: Vec<_> = words.filter(|it| *it == "phone" || *it == "email").collect();
        expected
            .iter()
            .position(|it| it["row"] == row && it["shared"] == Value::Array(shared.clone()))
    };
    let known: Vec<_> = rows.iter().map(of_row).collect();
    let each_once: BTreeSet<_> = known.iter().collect();
    let is_whole = found["hasMore"] != true;
    let is_missing =
        |(at, it): (usize, &Value)| it["is_certain"] == true && !known.contains(&Some(at));
    !known.contains(&None)
        && each_once.len() == known.len()
        && !(is_whole && expected.iter().enumerate().any(is_missing))
}

fn described(arguments: &Object) -> Asked {
    fn text<'a>(arguments: &'a Object, name: &str) -> &'a str {
        arguments.get(name).and_then(Value::as_str).unwrap_or_default()
    }
    let text = |name: &'static str| text(arguments, name);
    let phone = e164(&argument(arguments, "phone"));
    let phone: Vec<_> = phone.as_str().into_iter().collect();
    let email: Vec<_> = Some(text("email")).filter(|it| !it.is_empty()).into_iter().collect();
    let place = SearchedLocation {
        address_line1: text("address_line1").to_owned(),
        address_line2: Some(text("address_line2").to_owned()).filter(|it| !it.is_empty()),
        city: text("city").to_owned(),
        postal_code: text("postal_code").to_owned(),
        ..SearchedLocation::default()
    };
    let person = (text("first_name"), text("last_name"));
    let is_company = !text("company_name").is_empty();
    let profile = Profile::new(&Described {
        company_name: text("company_name"),
        first_name: person.0,
        last_name: person.1,
        // The person of a company is its contact.
        contacts: [person].into_iter().filter(|it| is_company && *it != ("", "")).collect(),
        phones: phone.clone(),
        emails: email.clone(),
        locations: [&place].into_iter().filter(|it| **it != SearchedLocation::default()).collect(),
    });
    let phones = phone.into_iter().map(str::to_owned).collect();
    let emails = email.into_iter().map(str::to_lowercase).collect();
    Asked { reach: Reach { phones, emails }, profile }
}

/// What the product compares of a customer.
fn profile(customer: &Customer) -> Profile {
    fn text<'a>(record: &'a Value, field: &str) -> &'a str {
        record[field].as_str().unwrap_or_default()
    }
    let own = &customer.own;
    let contacts = first(customer.active_contacts(), |it| &it.shown);
    let all = |field: &str, of_contact: &str| -> Vec<String> {
        let of_contacts = contacts.iter().map(|contact| text(&contact.shown, of_contact));
        let all = std::iter::once(text(own, field)).chain(of_contacts);
        all.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    };
    let (phones, emails) = (all("primary_phone", "phone"), all("primary_email", "email"));
    let locations = first(customer.active_locations(), |it| it);
    let locations: Vec<_> = locations
        .iter()
        .map(|location| SearchedLocation {
            label: None,
            address_line1: text(location, "address_line1").to_owned(),
            address_line2: location["address_line2"].as_str().map(str::to_owned),
            city: text(location, "city").to_owned(),
            state: text(location, "state").to_owned(),
            postal_code: text(location, "postal_code").to_owned(),
        })
        .collect();
    let named = contacts.iter().filter(|contact| contact.origin == Origin::Own);
    Profile::new(&Described {
        company_name: text(own, "company_name"),
        first_name: text(own, "first_name"),
        last_name: text(own, "last_name"),
        contacts: named
            .map(|it| (text(&it.shown, "first_name"), text(&it.shown, "last_name")))
            .collect(),
        phones: phones.iter().map(String::as_str).collect(),
        emails: emails.iter().map(String::as_str).collect(),
        locations: locations.iter().collect(),
    })
}

/// Those that are compared: the primary ones, and the oldest five.
fn first<T>(mut parts: Vec<T>, record: fn(&T) -> &Value) -> Vec<T> {
    let mut ids: Vec<_> = parts.iter().map(|it| record(it)["id"].clone()).collect();
    ids.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    ids.truncate(MAX_PARTS);
    parts.retain(|it| record(it)["is_primary"] == true || ids.contains(&record(it)["id"]));
    parts
}
