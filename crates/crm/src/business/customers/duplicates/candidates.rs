//! Candidates: the customers that are worth comparing with one, found in the search index.
//!
//! Each search needs a fact that is rare by nature, a phone or an e-mail address, or two facts together, and returns
//! the newest few rows. So the time is bounded, also where thousands share a street or a name.

use std::cmp::Reverse;

use zoop_db::{ReadTx, Uuid};

use super::addresses::Place;
use super::names::{Name, PersonName};
use super::{Comparison, Profile, different, store};
use crate::business::customers::index::{self, nicknames, similar};
use crate::business::customers::store as customers;
use crate::call::error::Result;
use crate::search::{Expression, Field, TenantMark, cut};
use crate::values::id::{Id, kinds};

/// How many customers each search finds.
const MAX_FOUND: usize = 20;
/// How many words of a name, and of a street, are looked up.
const MAX_WORDS: usize = 6;
/// How many contacts, places, phones and e-mail addresses are looked up.
const MAX_PARTS: usize = 4;

/// A customer that was compared with another.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) id: Id<kinds::Customer>,
    pub(crate) comparison: Comparison,
}

impl Candidate {
    /// The likeliest candidate has the greatest, and of several the newest.
    pub(crate) fn rank(&self) -> (i32, Uuid) {
        (self.comparison.weight, self.id.uuid())
    }
}

/// Which customers are candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Among {
    /// Not this one, and none that was marked as different from it.
    pub(crate) not: Option<Id<kinds::Customer>>,
    /// Only those with a lower number in the search index: older ones.
    pub(crate) below: i64,
}

impl Among {
    /// Every customer.
    pub(crate) const ALL: Self = Self { not: None, below: i64::MAX };
}

/// Compares a customer with all candidates: the likeliest first, then the newest.
pub(crate) fn find(tx: &mut ReadTx<'_>, profile: &Profile, among: Among) -> Result<Vec<Candidate>> {
    let tenant = customers::mark(tx)?;
    let searches = profile.by_reach(tenant).into_iter().chain(profile.by_name_and_place(tenant));
    compare_found(tx, profile, among, searches)
}

/// [`find`], without looking for phones and e-mail addresses.
pub(crate) fn find_unreached(
    tx: &mut ReadTx<'_>,
    profile: &Profile,
    among: Among,
) -> Result<Vec<Candidate>> {
    let tenant = customers::mark(tx)?;
    compare_found(tx, profile, among, profile.by_name_and_place(tenant))
}

/// Compares a customer of the account with another one.
pub(crate) fn compare_with(
    tx: &mut ReadTx<'_>,
    profile: &Profile,
    id: Id<kinds::Customer>,
) -> Result<Comparison> {
    let other = store::profiles(tx, &[id])?;
    Ok(other.first().map(|(_, other)| profile.compare(other)).unwrap_or_default())
}

fn compare_found(
    tx: &mut ReadTx<'_>,
    profile: &Profile,
    among: Among,
    searches: impl IntoIterator<Item = Expression>,
) -> Result<Vec<Candidate>> {
    let mut ids = Vec::new();
    for expression in searches {
        for id in customers::found_below(tx, &expression, among.below, MAX_FOUND)? {
            if Some(id) != among.not && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    if let Some(own) = among.not {
        let different = different::among(tx, own, &ids)?;
        ids.retain(|id| !different.contains(&id.uuid()));
    }
    let mut found = Vec::with_capacity(ids.len());
    for (id, other) in store::profiles(tx, &ids)? {
        tx.ensure_time()?;
        found.push(Candidate { id, comparison: profile.compare(&other) });
    }
    found.sort_by_key(|it| Reverse(it.rank()));
    Ok(found)
}

impl Profile {
    /// Finds customers with one of the phones or e-mail addresses.
    fn by_reach(&self, tenant: TenantMark) -> Option<Expression> {
        let phones = self.phones.iter().take(MAX_PARTS);
        let phones = phones.map(|phone| index::with_phone(tenant, phone));
        let emails = self.emails.iter().take(MAX_PARTS);
        Expression::any(phones.chain(emails.map(|address| index::with_email(tenant, address))))
    }

    /// The searches that together find the customers worth comparing for their names and places.
    fn by_name_and_place(&self, tenant: TenantMark) -> impl Iterator<Item = Expression> + use<> {
        let lookup = Lookup(tenant);
        let places = || self.places.iter().take(MAX_PARTS);
        let words = self.name.words();
        let word = Expression::any(words.iter().take(MAX_WORDS).flat_map(|it| lookup.word(it)));
        let place = Expression::any(places().filter_map(|place| lookup.place(place)));
        let contacts = self.contacts.iter().take(MAX_PARTS);
        let contacts = contacts.filter_map(|contact| lookup.person(contact));
        let searches = [
            word.zip(place).and_then(|(word, place)| Expression::all([word, place])),
            Expression::any(lookup.name(&self.name).into_iter().chain(contacts)),
            Expression::any(places().filter_map(|place| lookup.address(place))),
        ];
        searches.into_iter().flatten()
    }
}

/// Writes expressions for a tenant's customers that are not archived.
struct Lookup(TenantMark);

impl Lookup {
    fn token(&self, field: Field, text: &str) -> Expression {
        Expression::Token(self.0.token(field, cut(text)))
    }

    /// A word of a name: the same, or one that sounds alike.
    fn word(&self, word: &str) -> impl Iterator<Item = Expression> {
        let sounds = similar::sounds(word).map(|code| self.token(Field::Sound, &code));
        std::iter::once(self.token(Field::WholeWord, word)).chain(sounds)
    }

    /// A given name, also in its short forms.
    fn given(&self, word: &str) -> impl Iterator<Item = Expression> {
        let nicknames = nicknames::of(word).map(|name| self.token(Field::WholeWord, name));
        self.word(word).chain(nicknames)
    }

    fn name(&self, name: &Name) -> Option<Expression> {
        match name {
            Name::Person(person) => self.person(person),
            Name::Company(words) => self.company(words),
        }
    }

    /// Given and family name. One of them alone is too common.
    fn person(&self, PersonName { given, family, .. }: &PersonName) -> Option<Expression> {
        let given = Expression::any(given.iter().take(MAX_WORDS).flat_map(|it| self.given(it)))?;
        let family = Expression::any(family.iter().take(MAX_WORDS).flat_map(|it| self.word(it)))?;
        Expression::all([given, family])
    }

    /// All words of a company's name, or of more than two all but one; or all of them in one.
    fn company(&self, words: &[String]) -> Option<Expression> {
        let words = &words[..words.len().min(MAX_WORDS)];
        let each = words.iter().map(|word| Expression::any(self.word(word)));
        let each: Vec<_> = each.flatten().collect();
        let left_out = |left_out: usize| {
            let kept = each.iter().enumerate().filter(move |(at, _)| *at != left_out);
            Expression::all(kept.map(|(_, word)| word.clone()))
        };
        let in_one = (!words.is_empty()).then(|| self.token(Field::WholeWord, &words.concat()));
        let some: Vec<_> = match each.len() {
            0 | 1 => Vec::new(),
            2 => Expression::all(each.iter().cloned()).into_iter().collect(),
            more => (0..more).filter_map(left_out).collect(),
        };
        Expression::any(in_one.into_iter().chain(some))
    }

    /// A postal code, or two of house number, street and city.
    fn place(&self, place: &Place) -> Option<Expression> {
        let facts = [self.number(place), self.street(place), self.city(place)];
        let pairs = [(0, 1), (0, 2), (1, 2)].map(|(one, other)| {
            let pair = facts[one].clone().zip(facts[other].clone());
            pair.and_then(|(one, other)| Expression::all([one, other]))
        });
        Expression::any(pairs.into_iter().chain([self.postal_code(place)]).flatten())
    }

    /// A house number and a street, and a postal code or city.
    fn address(&self, place: &Place) -> Option<Expression> {
        let there = [self.postal_code(place), self.city(place)];
        let there = Expression::any(there.into_iter().flatten())?;
        Expression::all([self.number(place)?, self.street(place)?, there])
    }

    fn number(&self, place: &Place) -> Option<Expression> {
        place.number.as_ref().map(|number| self.token(Field::AddressWord, number))
    }

    fn street(&self, place: &Place) -> Option<Expression> {
        let words = place.street_words.iter().take(MAX_WORDS);
        Expression::any(words.map(|word| self.token(Field::AddressWord, word)))
    }

    fn city(&self, place: &Place) -> Option<Expression> {
        let is_known = !place.city_facet.is_empty();
        is_known.then(|| self.token(Field::Facet, &place.city_facet))
    }

    fn postal_code(&self, place: &Place) -> Option<Expression> {
        let is_known = !place.postal_code.is_empty();
        is_known.then(|| self.token(Field::Facet, &index::postal_code_facet(&place.postal_code)))
    }
}
