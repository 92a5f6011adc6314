//! Ids: UUIDs of version 7, with a type for each kind of record, so that a contact's id cannot be passed where a
//! customer's id is required.
//!
//! The module [`kinds`] lists the kinds of record.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zoop_db::{Column, Param, Timestamp, Uuid, Value};

use crate::values::clock::Moment;

/// The id of a record of kind `K`.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// A kind of record that has ids.
pub trait Kind: 'static {
    /// The word for a record of this kind, as errors and the history use it.
    const WORD: &'static str;
    /// The words for an archived record of this kind.
    const ARCHIVED: &'static str;
}

macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident = $word:literal;)*) => { $(
        $(#[$about])*
        #[derive(Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const WORD: &'static str = $word;
            const ARCHIVED: &'static str = concat!("archived ", $word);
        }
    )* };
}

/// The kinds of record, as types without values.
pub mod kinds {
    use super::Kind;

    kinds! {
        /// A tenant: one field-service business.
        Tenant = "tenant";
        /// A person who can sign in.
        User = "user";
        /// An API key.
        Key = "key";
        /// A browser's session.
        Session = "session";
        /// An invitation to join a tenant.
        Invitation = "invitation";
        /// What a user allowed a client to do.
        Grant = "connected program";
        /// A credential of any kind.
        Credential = "credential";
        /// A customer.
        Customer = "customer";
        /// A contact of a customer.
        Contact = "contact";
        /// A location of a customer.
        Location = "location";
        /// A label for customers.
        Tag = "tag";
        /// A note.
        Note = "note";
        /// A file on a note.
        File = "file";
        /// A record that so far exists only as the subject of notes: a job, an invoice, a quote.
        Subject = "subject";
        /// A tax rate.
        TaxRate = "tax rate";
        /// A catalog category.
        CatalogCategory = "catalog category";
        /// A catalog item.
        CatalogItem = "catalog item";
        /// A quote.
        Quote = "quote";
        /// A job.
        Job = "job";
        /// A record of any kind.
        Record = "record";
        /// An import of a file.
        Import = "import";
        /// An import that a page prepares.
        ImportJob = "prepared import";
        /// An entry of the history.
        Entry = "history entry";
    }
}

impl<K> Id<K> {
    /// The id with this UUID. The UUID is not checked.
    pub const fn new(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// Parses an id in the hyphenated form.
    pub fn parse(text: &str) -> Option<Self> {
        // The parser also accepts braces, URNs and bare digits; the API accepts one form.
        let uuid = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()?;
        Some(Self::new(uuid))
    }

    /// The UUID.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// When the record was created: the millisecond in the id (RFC 9562, section 5.7).
    pub fn created_at(self) -> Moment {
        let milliseconds = i64::try_from(self.uuid.as_u128() >> 80).unwrap_or(i64::MAX / 1_000);
        Moment(Timestamp(milliseconds * 1_000))
    }
}

/// How far the clocks of processes may differ, in microseconds. New ids still follow an id that is less than
/// this ahead of the clock.
const TOLERANCE: i64 = 5 * 1_000_000;

/// The lowest id that, at `now`, only a wrong clock can have produced. New ids do not follow this id or higher
/// ones: a correct `created_at` matters more than the order of ids.
pub fn first_from_wrong_clock(now: Timestamp) -> Uuid {
    lowest_at(Timestamp(now.0.saturating_add(TOLERANCE)))
}

/// The next id of a table. `greatest` is the table's greatest id below [`first_from_wrong_clock`]. The new id
/// is the millisecond of `now` followed by `random`. If that is not above `greatest`, the new id is `greatest`
/// plus a random step. So ids are in the order of creation, unless a clock was wrong by more than the tolerance.
pub fn following(greatest: Option<Uuid>, now: Timestamp, random: u128) -> Uuid {
    let milliseconds = u128::try_from(now.0 / 1_000).unwrap_or(0) & ((1 << 48) - 1);
    let fresh = with_version(milliseconds << 80 | spread(random & SEQUENCE));
    match greatest {
        Some(last) if last >= fresh => {
            // A step of 32 random bits, never zero, keeps ids in order and hard to guess.
            let step = (random & 0xffff_ffff) | 1;
            let time = last.as_u128() >> 80;
            let sequence = gather(last.as_u128()) + step;
            with_version((time + (sequence >> 74)) << 80 | spread(sequence & SEQUENCE))
        }
        _ => fresh,
    }
}

/// The 74 bits of a version 7 UUID that are neither time nor version nor variant.
const SEQUENCE: u128 = (1 << 74) - 1;

/// Splits a 74-bit sequence around the two bits of the variant.
fn spread(sequence: u128) -> u128 {
    (sequence >> 62) << 64 | (sequence & ((1 << 62) - 1))
}

/// The 74-bit sequence of a version 7 UUID.
fn gather(uuid: u128) -> u128 {
    ((uuid >> 64) & 0xfff) << 62 | (uuid & ((1 << 62) - 1))
}

fn with_version(bits: u128) -> Uuid {
    Uuid::from_u128(bits | 0x7 << 76 | 0b10 << 62)
}

/// The lowest id that a record created at `time` or later can have.
pub fn lowest_at(time: Timestamp) -> Uuid {
    let milliseconds = time.0.div_euclid(1_000) + i64::from(time.0.rem_euclid(1_000) != 0);
    Uuid::from_u128(u128::try_from(milliseconds.clamp(0, (1 << 48) - 1)).unwrap_or(0) << 80)
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<K> Eq for Id<K> {}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(formatter)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.hyphenated().fmt(formatter)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = Uuid::encode_buffer();
        serializer.serialize_str(self.uuid.hyphenated().encode_lower(&mut buffer))
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("no id"))
    }
}

impl<K> schemars::JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uuid" })
    }
}

impl<K> Param for Id<K> {
    fn value(&self) -> Value<'_> {
        Value::Id(self.uuid)
    }
}

impl<K: Kind> Column for Id<K> {
    const NAME: &'static str = K::WORD;
    const KIND: zoop_db::Kind = zoop_db::Kind::Id;
    fn read(value: Value<'_>) -> Option<Self> {
        Uuid::read(value).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_millisecond_inside_the_id_is_the_creation_time() {
        let uuid = following(None, Timestamp(1_781_373_600_000_123), u128::MAX);
        assert_eq!(Id::<kinds::Note>::new(uuid).created_at().0, Timestamp(1_781_373_600_000_000));
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    }

    proptest::proptest! {
        #[test]
        fn ids_increase_whatever_the_clock_does(
            clock in proptest::collection::vec((0_i64..4_000_000, proptest::num::u128::ANY), 2..40),
        ) {
            let mut last = None;
            for (now, random) in clock {
                let next = following(last, Timestamp(now), random);
                proptest::prop_assert!(last.is_none_or(|last| next > last));
                proptest::prop_assert_eq!(next.get_version_num(), 7);
                proptest::prop_assert_eq!(next.get_variant(), uuid::Variant::RFC4122);
                last = Some(next);
            }
        }

        #[test]
        fn the_lowest_id_at_a_time_separates_earlier_ids_from_later_ones(
            time in 0_i64..4_000_000, now in 0_i64..4_000_000, random in proptest::num::u128::ANY,
        ) {
            let id = following(None, Timestamp(now), random);
            let created = Id::<kinds::Note>::new(id).created_at();
            proptest::prop_assert_eq!(id >= lowest_at(Timestamp(time)), created.0.0 >= time);
        }
    }
}
