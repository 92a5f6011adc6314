//! The sources of time and randomness. All other code gets both as parameters.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zoop_db::Timestamp;

use super::size::Size;

/// How far a stored time may be beyond the latest correct one before it counts as wrong, in microseconds.
pub(crate) const SLACK: i64 = 60 * 1_000_000;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// A clock that does not move.
impl Clock for Timestamp {
    fn now(&self) -> Timestamp {
        *self
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }
}

/// A source of random bits. Clones share the same generator.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// A source seeded by the operating system.
    ///
    /// # Errors
    /// If the operating system provides no randomness.
    pub fn from_system() -> Result<Self, rand::rngs::SysError> {
        Ok(Self(Arc::new(Mutex::new(StdRng::try_from_rng(&mut rand::rngs::SysRng)?))))
    }

    /// A repeatable source, for tests and sample data.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// 128 random bits.
    pub fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_ne_bytes(bytes)
    }

    /// Fills `bytes` with random bytes, which are fit for secrets if the source was seeded by the system.
    pub fn fill(&self, bytes: &mut [u8]) {
        // A panic while the lock was held cannot have left the generator in an invalid state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// What every call needs besides the database: clock, randomness and limits.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random bits.
    pub entropy: Entropy,
    /// Maximum number of note writes by a user in a rolling minute; 0 for no limit.
    pub note_writes_per_minute: u32,
    /// Maximum size of what one tenant stores; 0 for no limit.
    pub storage_limit: Size,
    /// Maximum size of one tenant's files together; 0 for no limit.
    pub files_limit: Size,
    /// Number of arguments that were dropped because clients add them on their own.
    pub dropped_client_keys: Arc<AtomicU64>,
}

impl Environment {
    /// The machine's clock, system randomness and the default limits.
    ///
    /// # Errors
    /// If the operating system provides no randomness.
    pub fn from_system() -> Result<Self, rand::rngs::SysError> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            entropy: Entropy::from_system()?,
            note_writes_per_minute: 60,
            storage_limit: Size(10 << 30),
            files_limit: Size(10 << 30),
            dropped_client_keys: Arc::default(),
        })
    }
}

/// A point in time in a record: stored as the engines store times, and shown as [`rfc3339`] writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

impl serde::Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_rfc3339(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a point in time"))
    }
}

impl schemars::JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl zoop_db::Param for Moment {
    fn value(&self) -> zoop_db::Value<'_> {
        zoop_db::Value::Time(self.0)
    }
}

impl zoop_db::Column for Moment {
    const NAME: &'static str = "Moment";
    const KIND: zoop_db::Kind = zoop_db::Kind::Time;
    fn read(value: zoop_db::Value<'_>) -> Option<Self> {
        Timestamp::read(value).map(Self)
    }
}

/// Writes a point in time as the API does: RFC 3339, UTC, milliseconds.
pub fn rfc3339(time: Timestamp) -> String {
    let Ok(time) = jiff::Timestamp::from_millisecond(time.0.div_euclid(1_000)) else {
        return String::new();
    };
    format!("{time:.3}")
}

/// Reads a point in time in RFC 3339 form, with any offset. A time outside the supported range (clients write the
/// end of the year 9999 for "no end") becomes the last or first time in the range.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(time.as_microsecond()));
    }
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let (date, ..) = (pieces.date(), pieces.time()?, pieces.offset()?);
    match date.year() {
        9999 => Some(Timestamp(jiff::Timestamp::MAX.as_microsecond())),
        -9999 => Some(Timestamp(jiff::Timestamp::MIN.as_microsecond())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds_and_read_with_any_offset() {
        let time = parse_rfc3339("2026-06-13T20:00:00.000+02:00").expect("a time");
        assert_eq!(rfc3339(time), "2026-06-13T18:00:00.000Z");
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        let endless = parse_rfc3339("9999-12-31T23:59:59Z").expect("a time");
        assert!(endless > parse_rfc3339("9999-12-01T00:00:00Z").expect("a time"));
        assert_eq!(parse_rfc3339("2026-06-13"), None);
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
