//! Who is found by what people say, in a business with the demo's names and addresses.

use serde_json::{Value, json};
use zoop_both::both;

use crate::testing::{Business, TestEnv, text};

const PEOPLE: &str = include_str!("../../../../../cli/data/people.tsv");
const COMPANIES: &str = include_str!("../../../../../cli/data/companies.tsv");
const ADDRESSES: &str = include_str!("../../../../../cli/data/addresses.tsv");
const SAYINGS: &str = include_str!("../../../../tests/golden/sayings.tsv");

/// Number of generated misspellings.
const MISSPELLINGS: usize = 2_000;

fn rows<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    file.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split('\t').collect();
        cells.try_into().unwrap_or_else(|_| panic!("expected {N} cells: {line}"))
    })
}

/// A business with a customer for each person and company, each at an address of its own.
fn business(env: &TestEnv) -> Business {
    let business = env.empty_business("Acme");
    let mut addresses = rows::<7>(ADDRESSES).map(|[_, street, city, state, zip, ..]| {
        json!({ "address_line1": street, "city": city, "state": state, "postal_code": zip })
    });
    let people = rows::<4>(PEOPLE).enumerate().map(|(number, [first, last, _, local])| {
        let phone = format!("+1 {} 555 01{:02}", 201 + number / 100, number % 100);
        json!({
            "customer_type": "individual", "first_name": first, "last_name": last, "phone": phone,
            "email": format!("{local}@example.com"),
        })
    });
    let companies = rows::<2>(COMPANIES)
        .map(|[_, name]| json!({ "customer_type": "company", "company_name": name }));
    for mut customer in people.chain(companies) {
        customer["location"] = addresses.next().expect("an address");
        env.create(&business.owner, "customers.create", customer);
    }
    business
}

fn found(env: &TestEnv, business: &Business, q: &str) -> Vec<String> {
    let page = env.call(&business.owner, "customers.search", json!({ "q": q, "limit": 10 }));
    let page = page.unwrap_or_else(|error| panic!("{q}: {error:?}"));
    let name = |row: &Value| text(row, "display_name").to_owned();
    page["rows"].as_array().expect("rows").iter().map(name).collect()
}

#[both]
fn the_right_customer_is_found_first_by_what_people_say() {
    let env = TestEnv::new();
    let business = business(&env);
    let sayings: Vec<_> = rows::<2>(SAYINGS).collect();
    assert!(sayings.len() >= 400);
    let wrong: Vec<_> = sayings
        .iter()
        .map(|[said, meant]| (said, meant, found(&env, &business, said)))
        .filter(|(_, meant, found)| found.first().is_none_or(|first| first != *meant))
        .map(|(said, meant, found)| format!("{said}: expected {meant}, found {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), sayings.len(), wrong.join("\n"));
}

/// A small generator of repeatable choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, count: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % count
    }

    /// The name with one letter more or less, another letter, or two letters swapped.
    fn misspell(&mut self, name: &str) -> String {
        let mut letters: Vec<char> = name.to_lowercase().chars().collect();
        let letter = char::from(b'a' + u8::try_from(self.below(26)).expect("a letter"));
        let at = self.below(letters.len());
        match self.below(4) {
            0 => letters.insert(at, letter),
            1 => drop(letters.remove(at)),
            2 => letters[at] = letter,
            _ => letters.swap(at, (at + 1) % name.chars().count()),
        }
        letters.into_iter().collect()
    }
}

#[test]
fn misspelled_family_names_are_found_among_the_first_five() {
    let env = TestEnv::new();
    let business = business(&env);
    let people: Vec<_> = rows::<4>(PEOPLE)
        .filter(|[_, last, script, _]| *script == "latin" && last.chars().count() > 2)
        .collect();
    let mut choices = Choices(2_026);
    let mut found_in = [0; 2];
    for number in 0..MISSPELLINGS {
        let [first, last, ..] = people[choices.below(people.len())];
        let misspelled = choices.misspell(last);
        // Every other one is said without the first name.
        let q = if number % 2 == 0 { format!("{first} {misspelled}") } else { misspelled };
        let meant = format!("{first} {last}");
        let is_found = found(&env, &business, &q).iter().take(5).any(|it| *it == meant);
        found_in[number % 2] += usize::from(is_found);
    }
    let [with_first_name, alone] = found_in;
    // Shown with `--no-capture`.
    eprintln!(
        "of {MISSPELLINGS} misspelled family names, half of them with the first name, the right customer was among \
         the first five for {with_first_name} with it and {alone} without it"
    );
    assert!(with_first_name + alone >= MISSPELLINGS * 9 / 10);
}
