//! Invented customers: names, phone numbers and addresses. The area codes of the phone numbers depend on the
//! business; the addresses are anywhere in the US.

use fake::locales::{Data, EN};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Zipf};
use serde_json::{Map, Value, json};

/// One person in this many has a name from the sample data, which has names in many scripts.
const UNUSUAL: u32 = 20;
const SAMPLE: &str = include_str!("../../../cli/data/people.tsv");
/// Area codes of the US.
const AREA_CODES: &[u16] = &[
    201, 202, 206, 210, 212, 213, 214, 215, 216, 301, 303, 305, 312, 313, 314, 317, 404, 405, 408,
    410, 412, 414, 415, 502, 503, 504, 505, 510, 512, 513, 515, 602, 603, 609, 612, 614, 615, 617,
    619, 626, 650, 702, 703, 704, 713, 714, 716, 718, 801, 803, 804, 805, 808, 813, 815, 816, 817,
    818, 901, 904, 907, 909, 916, 919,
];
/// The area codes of one business.
pub(super) type Region = [u16; 4];

/// The index of an area code in a [`Region`], and the percentage of customers with this code.
const AREA_WEIGHTS: &[(usize, u32)] = &[(0, 60), (1, 25), (2, 10), (3, 5)];

/// A random region for a business.
pub(super) fn region(rng: &mut StdRng) -> Region {
    let mut region = [0; 4];
    for (slot, code) in region.iter_mut().zip(AREA_CODES.sample(rng, 4)) {
        *slot = *code;
    }
    region
}

/// Invents customers. Some names are common and most are rare, as in reality.
pub(super) struct People {
    first_names: Vec<&'static str>,
    last_names: Vec<&'static str>,
    unusual: Vec<(&'static str, &'static str)>,
    first_name_rank: Zipf<f64>,
    last_name_rank: Zipf<f64>,
}

/// The arguments that create a customer, and the terms that find it.
pub(super) struct Invented {
    pub(super) arguments: Value,
    pub(super) name: String,
    pub(super) phone_digits: String,
}

impl People {
    pub(super) fn new(rng: &mut StdRng) -> anyhow::Result<Self> {
        use rand::seq::SliceRandom;
        // The lists are alphabetical, but an item's index determines how common it is.
        let (mut first, mut last) = (EN::NAME_FIRST_NAME.to_vec(), EN::NAME_LAST_NAME.to_vec());
        first.shuffle(rng);
        last.shuffle(rng);
        Ok(Self {
            first_name_rank: Zipf::new(length_as_float(&first), 0.5)?,
            last_name_rank: Zipf::new(length_as_float(&last), 0.4)?,
            first_names: first,
            last_names: last,
            unusual: SAMPLE
                .lines()
                .skip(1)
                .filter_map(|line| {
                    let mut cells = line.split('\t');
                    Some((cells.next()?, cells.next()?))
                })
                .collect(),
        })
    }

    /// The next customer of a business in this region.
    pub(super) fn customer(&self, rng: &mut StdRng, region: Region, number: usize) -> Invented {
        let (first, last) = self.person(rng);
        let digits = phone_digits(rng, region);
        let phone = format_phone(rng, &digits);
        let email = format!("customer{number}@{}", ["example.com", "mail.example"][number % 2]);
        let mut customer = Map::new();
        let mut set = |key: &str, value: Value| customer.insert(key.to_owned(), value);
        set("phone", json!(phone));
        if rng.random_ratio(7, 10) {
            set("email", json!(email));
        }
        if rng.random_ratio(3, 10) {
            set("source", json!(["referral", "google", "website", "yard sign"][number % 4]));
        }
        if rng.random_ratio(4, 5) {
            set("location", address(rng));
        }
        let name = if rng.random_ratio(1, 5) {
            let kind =
                ["Properties LLC", "Dental", "Restaurant", "Homeowners Association", "& Sons"]
                    .choose(rng)
                    .copied()
                    .unwrap_or_default();
            let company = format!("{last} {kind}");
            set("customer_type", json!("company"));
            set("company_name", json!(company));
            let (first, last) = self.person(rng);
            let contact = json!({ "first_name": first, "last_name": last, "role": "billing" });
            set("primary_contact", contact);
            company
        } else {
            set("customer_type", json!("individual"));
            set("first_name", json!(first));
            set("last_name", json!(last));
            last.to_owned()
        };
        Invented { arguments: Value::Object(customer), name, phone_digits: digits }
    }

    fn person(&self, rng: &mut StdRng) -> (&'static str, &'static str) {
        if rng.random_ratio(1, UNUSUAL)
            && let Some(person) = self.unusual.choose(rng)
        {
            return *person;
        }
        (
            pick_by_rank(&self.first_names, self.first_name_rank, rng),
            pick_by_rank(&self.last_names, self.last_name_rank, rng),
        )
    }
}

/// A random item; the first items are more likely.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the distribution gives whole numbers from 1 to the length"
)]
pub(super) fn pick_by_rank<T: Clone + Default>(
    items: &[T],
    rank: Zipf<f64>,
    rng: &mut impl Rng,
) -> T {
    items.get(rank.sample(rng) as usize - 1).cloned().unwrap_or_default()
}

/// The length of a list as a float, which distributions need.
#[expect(clippy::cast_precision_loss, reason = "a list has far fewer items than 2^52")]
pub(super) const fn length_as_float<T>(items: &[T]) -> f64 {
    items.len() as f64
}

fn phone_digits(rng: &mut StdRng, region: Region) -> String {
    let area = AREA_WEIGHTS
        .choose_weighted(rng, |(_, weight)| *weight)
        .map_or(region[0], |(index, _)| region[*index]);
    let (exchange, line) = (rng.random_range(200..1_000), rng.random_range(0..10_000));
    // 211, 311 and so on are not exchanges.
    let exchange = if exchange % 100 == 11 { exchange + 1 } else { exchange };
    format!("{area}{exchange}{line:04}")
}

/// A phone number as people type it.
fn format_phone(rng: &mut StdRng, digits: &str) -> String {
    let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
    match rng.random_range(0..4) {
        0 | 1 => format!("({area}) {exchange}-{line}"),
        2 => format!("{area}-{exchange}-{line}"),
        _ => format!("+1{digits}"),
    }
}

fn address(rng: &mut StdRng) -> Value {
    let names = EN::NAME_LAST_NAME;
    let street = names.choose(rng).copied().unwrap_or("Main");
    let suffix = EN::ADDRESS_STREET_SUFFIX.choose(rng).copied().unwrap_or("Street");
    let city = names.choose(rng).copied().unwrap_or("Spring");
    json!({
        "address_line1": format!("{} {street} {suffix}", rng.random_range(1..9_999)),
        "city": format!("{city}ville"),
        "state": EN::ADDRESS_STATE_ABBR.choose(rng).copied().unwrap_or("CA"),
        "postal_code": format!("{:05}", rng.random_range(10_000..99_999)),
    })
}
