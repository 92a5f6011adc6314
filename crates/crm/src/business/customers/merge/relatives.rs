//! Which contacts and locations of the merged customer the kept one gets, and which it has already.

use super::plan::Replaced;
use super::{SameContact, SameLocation};
use crate::business::customers::Customer;
use crate::business::customers::contacts::{Contact, Origin};
use crate::business::customers::index::address_words;
use crate::business::customers::locations::Location;
use crate::values::clock::Moment;
use crate::values::fold;
use crate::values::id::{Id, kinds};

/// Changes of contacts or locations, in the order in which they are written, and those that are left behind.
pub(super) struct Relatives<R, Same> {
    pub(super) changes: Vec<Replaced<R>>,
    pub(super) dropped: Vec<Same>,
}

/// The contacts that the customer `kept` gets from `merged`. `own` are its active ones, the primary contact first.
pub(super) fn contacts(
    kept: &Customer,
    own: &[Contact],
    merged: &Customer,
    theirs: Vec<Contact>,
    now: Moment,
) -> Relatives<Contact, SameContact> {
    let (mut moved, mut dropped) = (Vec::new(), Vec::new());
    let name = |contact: &Contact| fold::words(&contact.name());
    let named: Vec<_> = own.iter().map(|own| (own, name(own))).collect();
    for old in theirs {
        let mut new =
            Contact { customer_id: kept.id, is_primary: false, updated_at: now, ..old.clone() };
        // A company's own number is not lost with its placeholder, which becomes a contact.
        let is_placeholder = old.origin == Origin::Placeholder && old.archived_at.is_none();
        if is_placeholder {
            new.origin = Origin::Own;
            new.set_phone(merged.phone().as_ref().filter(|it| !has_phone(kept, own, it.e164())));
            new.email = merged.email.clone().filter(|it| !has_email(kept, own, it));
        }
        let says_nothing = is_placeholder && new.phone.is_none() && new.email.is_none();
        let its_name = name(&new);
        let mut active = named.iter().filter(|_| old.archived_at.is_none());
        let same = active
            .find(|(own, name)| says_nothing || (*name == its_name && adds_nothing(&new, own)));
        match same {
            Some((same, _)) => dropped.push(SameContact { id: old.id, same_as: same.id }),
            None => moved.push(Replaced { old, new }),
        }
    }
    let mut changes = Vec::new();
    let mut active = moved.iter_mut().filter(|moved| moved.new.archived_at.is_none());
    // A placeholder is always the only contact: the first real one takes its place.
    if let [placeholder] = own
        && placeholder.origin == Origin::Placeholder
        && let Some(first) = active.next()
    {
        let was_primary = active.find(|moved| moved.old.is_primary);
        let primary = match was_primary {
            Some(other) if !first.old.is_primary => other,
            _ => first,
        };
        primary.new.is_primary = true;
        let same_as = primary.new.id;
        let new = Contact {
            is_primary: false,
            archived_at: Some(now),
            updated_at: now,
            ..placeholder.clone()
        };
        changes.push(Replaced { old: placeholder.clone(), new });
        for dropped in &mut dropped {
            dropped.same_as = same_as;
        }
    }
    changes.extend(moved);
    Relatives { changes, dropped }
}

/// The locations that the customer `kept` gets. `own` are its active ones.
pub(super) fn locations(
    kept: Id<kinds::Customer>,
    own: &[Location],
    theirs: Vec<Location>,
    now: Moment,
) -> Relatives<Location, SameLocation> {
    let (mut changes, mut dropped) = (Vec::new(), Vec::new());
    let addressed: Vec<_> = own.iter().map(|own| (own, address(own))).collect();
    for old in theirs {
        let its = address(&old);
        let mut active = addressed.iter().filter(|_| old.archived_at.is_none());
        let same = active.find(|(own, address)| *address == its && has_all_of(own, &old));
        if let Some((same, _)) = same {
            dropped.push(SameLocation { id: old.id, same_as: same.id });
            continue;
        }
        let is_rival = |own: &Location| own.is_primary && own.location_type == old.location_type;
        let is_primary = old.is_primary && !own.iter().any(is_rival);
        let new = Location { customer_id: kept, is_primary, updated_at: now, ..old.clone() };
        changes.push(Replaced { old, new });
    }
    Relatives { changes, dropped }
}

fn has_phone(kept: &Customer, own: &[Contact], e164: &str) -> bool {
    let phones = own.iter().map(|contact| &contact.phone).chain([&kept.phone]);
    phones.flatten().any(|phone| phone == e164)
}

fn has_email(kept: &Customer, own: &[Contact], email: &str) -> bool {
    let emails = own.iter().map(|contact| &contact.email).chain([&kept.email]);
    emails.flatten().any(|it| it.eq_ignore_ascii_case(email))
}

/// Whether a contact says nothing, besides its name, that the contact `own` does not say.
fn adds_nothing(contact: &Contact, own: &Contact) -> bool {
    is_covered(contact.phone.as_ref(), own.phone.as_ref())
        && is_covered(lower(contact.email.as_ref()).as_ref(), lower(own.email.as_ref()).as_ref())
        && is_covered(contact.title.as_ref(), own.title.as_ref())
        && contact.role == own.role
}

/// The words of an address, line by line.
fn address(location: &Location) -> impl PartialEq + use<> {
    let Location { address_line1, city, state, postal_code, .. } = location;
    let line2 = location.address_line2.as_deref().unwrap_or_default();
    [address_line1, line2, city, state, postal_code].map(address_words)
}

/// Whether the location `own` says all that another one with the same address says.
fn has_all_of(own: &Location, other: &Location) -> bool {
    let texts: [fn(&Location) -> &Option<String>; 5] = [
        |it| &it.label,
        |it| &it.access_notes,
        |it| &it.parking_notes,
        |it| &it.service_notes,
        |it| &it.place_id,
    ];
    own.location_type == other.location_type
        && own.country == other.country
        && texts.iter().all(|text| is_covered(text(other).as_ref(), text(own).as_ref()))
        && (other.latitude.is_none() || own.latitude.is_some())
}

fn is_covered(text: Option<&String>, own: Option<&String>) -> bool {
    text.is_none() || text == own
}

fn lower(text: Option<&String>) -> Option<String> {
    text.map(|text| text.to_lowercase())
}
