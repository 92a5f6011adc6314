//! How well duplicates are found: recall and precision on FEBRL's data sets, through the tools. `febrl/README.md` says
//! where the data comes from.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking, as tests do")]
#![expect(clippy::print_stdout, reason = "the quality is what these tests are for")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zoop_crm::call::run;
use zoop_crm::catalog;
use zoop_crm::testing::{Business, TestEnv, text};
use zoop_crm::values::fold;

/// Two rows of a data set, the lower number first.
type Pair = (usize, usize);

/// A person, as an office would have written it down. The data also has birthdays and numbers of identity cards,
/// which no business knows of its customers.
struct Person<'a> {
    /// The rows of one person have the same number.
    number: &'a str,
    given_name: &'a str,
    surname: &'a str,
    street_number: &'a str,
    address_1: &'a str,
    address_2: &'a str,
    suburb: &'a str,
    postcode: &'a str,
    state: &'a str,
}

fn people(data: &str) -> Vec<Person<'_>> {
    let people =
        data.lines().map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            let [
                id,
                given_name,
                surname,
                street_number,
                address_1,
                address_2,
                suburb,
                postcode,
                state,
            ] = fields[..]
            else {
                panic!("nine fields: {line}");
            };
            let number = id.split('-').nth(1).unwrap();
            Person {
                number,
                given_name,
                surname,
                street_number,
                address_1,
                address_2,
                suburb,
                postcode,
                state,
            }
        });
    people.collect()
}

impl Person<'_> {
    /// The arguments of `customers.create`. What is required and not known is a dash.
    fn customer(&self) -> Value {
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let first = [self.given_name, self.surname].into_iter().find(|name| !name.is_empty());
        let last = if self.given_name.is_empty() { "" } else { self.surname };
        let lines = [self.address_1, self.address_2].into_iter().filter(|line| !line.is_empty());
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        if !self.street_number.is_empty() {
            let line = lines.first().cloned().unwrap_or_default();
            lines.splice(..lines.len().min(1), [format!("{} {line}", self.street_number)]);
        }
        json!({
            "customer_type": "individual", "first_name": or_dash(first.unwrap_or_default()),
            "last_name": last,
            "location": {
                "address_line1": or_dash(lines.first().map_or("", String::as_str)),
                "address_line2": lines.get(1), "city": or_dash(self.suburb),
                "state": or_dash(self.state), "postal_code": or_dash(self.postcode),
            },
        })
    }

    fn full_name(&self) -> String {
        words(&[self.given_name, self.surname])
    }

    fn street(&self) -> String {
        words(&[self.street_number, self.address_1])
    }
}

fn words(texts: &[&str]) -> String {
    let words = fold::words(&texts.join(" ")).into_iter().map(|word| word.text);
    words.collect::<Vec<_>>().join(" ")
}

/// All pairs of rows that have the same key, unless it is empty.
fn equal<K: Ord>(people: &[Person<'_>], key: impl Fn(&Person<'_>) -> Option<K>) -> BTreeSet<Pair> {
    let mut rows: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (row, person) in people.iter().enumerate() {
        if let Some(key) = key(person) {
            rows.entry(key).or_default().push(row);
        }
    }
    let groups = rows.into_values();
    groups
        .flat_map(|rows| {
            let pairs = rows.iter().enumerate();
            pairs
                .flat_map(|(at, one)| rows[at + 1..].iter().map(|other| (*one, *other)))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Adds all people, a few hundred in one transaction. Returns each customer's row.
fn add(env: &TestEnv, business: &Business, people: &[Person<'_>]) -> BTreeMap<String, usize> {
    let mut rows = BTreeMap::new();
    for (batch, chunk) in people.chunks(250).enumerate() {
        let (access, environment) = (business.owner.clone(), env.environment.clone());
        let customers: Vec<_> = chunk.iter().map(|it| it.customer().to_string()).collect();
        let tool = catalog::find("customers.create").unwrap();
        let created = env.write(move |tx| {
            let answers = customers.iter();
            answers.map(|it| run::write(tx, &environment, &access, tool, it, None)).collect()
        });
        let created: Vec<String> = created.unwrap();
        for (at, answer) in created.iter().enumerate() {
            let answer: Value = serde_json::from_str(answer).unwrap();
            rows.insert(text(&answer, "id").to_owned(), batch * 250 + at);
        }
    }
    rows
}

/// The likely pairs of the account.
fn likely(env: &TestEnv, business: &Business, rows: &BTreeMap<String, usize>) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    let mut arguments = json!({ "limit": 50 });
    loop {
        let page = env.call(&business.owner, "customers.find_duplicates", arguments).unwrap();
        for row in page["rows"].as_array().unwrap() {
            assert_eq!(row["likely"], true);
            let [one, other] = [row, &row["duplicate_of"]].map(|it| rows[text(it, "id")]);
            assert!(pairs.insert((one.min(other), one.max(other))), "a pair comes once");
        }
        let Some(cursor) = page["nextCursor"].as_str() else { return pairs };
        arguments = json!({ "cursor": cursor, "limit": 50 });
    }
}

/// Recall and precision in percent.
fn quality(found: &BTreeSet<Pair>, same: &BTreeSet<Pair>) -> (f64, f64) {
    let right = found.intersection(same).count();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let percent = |of: usize| 100.0 * right as f64 / of.max(1) as f64;
    (percent(same.len()), percent(found.len()))
}

/// Prints the quality beside two simple rules, and returns it.
fn measured(data: &str) -> (f64, f64) {
    let people = people(data);
    let same = equal(&people, |person| Some(person.number.to_owned()));
    let named = equal(&people, |it| Some(it.full_name()).filter(|name| !name.is_empty()));
    let mut either = equal(&people, |it| {
        let key = (it.street(), it.postcode.to_owned());
        Some(key).filter(|(street, postcode)| !street.is_empty() && !postcode.is_empty())
    });
    either.extend(&named);
    let env = TestEnv::new();
    let business = env.empty_business("Acme");
    let rows = add(&env, &business, &people);
    let found = likely(&env, &business, &rows);
    for (rule, found) in [
        ("equal name", &named),
        ("equal name, or equal street and postcode", &either),
        ("customers.find_duplicates", &found),
    ] {
        let (recall, precision) = quality(found, &same);
        println!("{rule}: recall {recall:.1} %, precision {precision:.1} %");
    }
    quality(&found, &same)
}

#[test]
fn duplicates_of_the_first_data_set_are_found() {
    let (recall, precision) = measured(include_str!("febrl/dataset1.csv"));
    assert!(recall >= 90.0 && precision >= 95.0, "{recall:.1} %, {precision:.1} %");
}

#[test]
fn duplicates_of_the_third_data_set_are_found() {
    let (recall, precision) = measured(include_str!("febrl/dataset3.csv"));
    assert!(recall >= 80.0 && precision >= 95.0, "{recall:.1} %, {precision:.1} %");
}
