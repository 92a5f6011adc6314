//! Searches in a real FTS5 table: golden pairs, random strings compared with a simple implementation of the rules,
//! and note bodies of the maximum length.

#![expect(clippy::unwrap_used, reason = "test helpers fail by panicking, as tests do")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use rusqlite::Connection;
use zoop_crm::business::customers::index::{
    CustomerDocument, CustomerQuery, SearchedLocation, Tier,
};
use zoop_crm::business::customers::{CustomerType, Status};
use zoop_crm::business::notes::index::{
    BodyWords, NoteDocument, NoteQuery, NoteWords, may_be_wordy,
};
use zoop_crm::business::notes::{SubjectFilter, SubjectType};
use zoop_crm::search::{Expression, TenantMark};
use zoop_crm::values::fold::QueryHasNoWord;
use zoop_crm::values::fold::{self, Kind};
use zoop_crm::values::phone::{self, NumberingPlan, Phone};

const GOLDEN: &str = include_str!("golden/search.tsv");

struct Index(Connection);

impl Index {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE search USING fts5(x, content='', contentless_delete=1,
                     detail=none, prefix='6 7 8', tokenize=\"ascii tokenchars ':;#%=~'\")",
            )
            .unwrap();
        Self(connection)
    }

    fn put(&self, n: i64, tokens: &str) {
        self.0
            .prepare_cached("INSERT OR REPLACE INTO search(rowid, x) VALUES (?1, ?2)")
            .unwrap()
            .execute((n, tokens))
            .unwrap();
    }

    fn find(&self, expression: &Expression) -> Vec<i64> {
        self.0
            .prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid DESC")
            .unwrap()
            .query_map([expression.text(zoop_db::Dialect::Sqlite)], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    /// The rows of a tier, whose precondition must hold if there are any.
    fn rows(&self, tier: &Tier) -> Vec<i64> {
        let rows = self.find(&tier.rows);
        let holds = tier.precondition.as_ref().is_none_or(|it| !self.find(it).is_empty());
        assert!(holds || rows.is_empty(), "the precondition hides rows of {:?}", tier.rows);
        rows
    }

    fn has(&self, n: i64, expression: &Expression) -> bool {
        self.find(expression).contains(&n)
    }
}

fn tenant(number: i64) -> TenantMark {
    TenantMark::new(number).unwrap()
}

fn customer<'a>(names: &[&'a str], phones: &[Phone]) -> CustomerDocument<'a> {
    CustomerDocument {
        status: Status::Active,
        kind: CustomerType::Individual,
        numbers: vec![42],
        names: names.to_vec(),
        phones: phones.to_vec(),
        emails: vec!["Ann@Example.com"],
        tags: vec![7, 8],
        is_vip: true,
        do_not_contact: false,
        locations: vec![],
    }
}

/// The same customer in a rented house.
fn at_an_address(customer: CustomerDocument<'_>) -> CustomerDocument<'_> {
    let location = SearchedLocation {
        label: Some("Rental – upstairs".to_owned()),
        address_line1: "57 Bremer Drive".to_owned(),
        address_line2: None,
        city: "San José".to_owned(),
        state: "CA".to_owned(),
        postal_code: "95113-2107".to_owned(),
    };
    CustomerDocument { locations: vec![location], ..customer }
}

/// A customer in this street.
fn in_street(line: &str) -> CustomerDocument<'_> {
    let location =
        SearchedLocation { address_line1: line.to_owned(), ..SearchedLocation::default() };
    CustomerDocument { locations: vec![location], ..customer(&["Ann Lee"], &[]) }
}

fn query(q: Option<&str>, country: NumberingPlan) -> CustomerQuery<'_> {
    CustomerQuery { q, ..CustomerQuery::new(country) }
}

fn note(body: &str) -> NoteDocument {
    let words = BodyWords::of(body);
    NoteDocument { words, pinned: false, created_by: 3, subject: Some(SubjectType::Job) }
}

/// The index's result for the customer in row `n`: the tier, or `near` if only a similar search finds it.
fn verdict(index: &Index, n: i64, q: &str, country: NumberingPlan) -> &'static str {
    let search = match query(Some(q), country).search(tenant(1)) {
        Err(QueryHasNoWord) => return "refused",
        Ok(search) => search,
    };
    let tiers = search.tiers();
    let tiers = tiers.iter().zip(["whole", "part", "address"]);
    let found: Vec<_> =
        tiers.filter(|(tier, _)| index.rows(tier).contains(&n)).map(|(_, name)| name).collect();
    match found[..] {
        [] => "no",
        [tier] => tier,
        _ => "several tiers",
    }
}

/// The result for the note in row `n`, computed from its body. Checks that the index agrees, as far as it is exact.
fn note_verdict(index: &Index, n: i64, body: &str, q: &str) -> &'static str {
    let Ok(words) = NoteWords::new(q) else { return "refused" };
    let query = NoteQuery { words: Some(&words), ..NoteQuery::default() };
    let matches = words.body_matches(body);
    let candidate = index.has(n, &query.expression(tenant(1)));
    if words.needs_verification() || may_be_wordy(body) {
        assert!(candidate || !matches, "the index misses {q} in {body}");
    } else {
        assert_eq!(candidate, matches, "{q} in {body}");
    }
    if matches { "yes" } else { "no" }
}

#[test]
fn golden_pairs() {
    let index = Index::new();
    let mut wrong = Vec::new();
    let lines = GOLDEN.lines().skip(1);
    for (n, line) in (1..).zip(lines) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [kind, stored, typed, expected] = columns[..] else {
            panic!("expected four columns: {line}")
        };
        let country = kind.strip_prefix("phone-").unwrap_or("US");
        let country = NumberingPlan::new(country).unwrap();
        let found = if kind == "note" {
            index.put(n, &note(stored).tokens(tenant(1)));
            note_verdict(&index, n, stored, typed)
        } else if kind == "street" {
            index.put(n, &in_street(stored).tokens(tenant(1)));
            verdict(&index, n, typed, country)
        } else {
            let names = if kind == "name" { stored.split('|').collect() } else { vec![] };
            let phones: Vec<_> = if kind == "name" {
                vec![]
            } else {
                stored.split('|').map(|typed| phone::parse(typed, country).unwrap()).collect()
            };
            index.put(n, &customer(&names, &phones).tokens(tenant(1)));
            verdict(&index, n, typed, country)
        };
        if found != expected {
            wrong.push(format!("{line}, found {found}"));
        }
    }
    assert!(GOLDEN.lines().count() > 60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn facets_narrow_the_search_within_one_tenant() {
    let index = Index::new();
    index.put(1, &at_an_address(customer(&["Ann Lee"], &[])).tokens(tenant(1)));
    index.put(2, &at_an_address(customer(&["Ann Lee"], &[])).tokens(tenant(2)));
    let archived = CustomerDocument { status: Status::Archived, ..customer(&["Ann Lee"], &[]) };
    index.put(3, &archived.tokens(tenant(1)));
    let open = query(None, NumberingPlan::US);
    let found = |query: CustomerQuery<'_>| {
        let tiers = query.search(tenant(1)).unwrap().tiers();
        tiers.iter().flat_map(|tier| index.rows(tier)).collect::<Vec<_>>()
    };
    assert_eq!(found(open), [1]);
    assert_eq!(found(CustomerQuery { q: Some("ann"), ..open }), [1]);
    assert_eq!(found(CustomerQuery { q: Some("le"), status: Some(Status::Archived), ..open }), [3]);
    assert_eq!(found(CustomerQuery { status: Some(Status::Active), ..open }), [1]);
    assert_eq!(found(CustomerQuery { status: Some(Status::Inactive), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { kind: Some(CustomerType::Individual), ..open }), [1]);
    assert_eq!(found(CustomerQuery { kind: Some(CustomerType::Company), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { tag: Some(7), ..open }), [1]);
    assert_eq!(found(CustomerQuery { tag: Some(-7), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { number: Some(42), tag: Some(8), ..open }), [1]);
    assert_eq!(found(CustomerQuery { number: Some(4), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { email: Some("ANN@example.COM"), ..open }), [1]);
    assert_eq!(found(CustomerQuery { email: Some("ann@example"), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { is_vip: Some(true), ..open }), [1]);
    assert_eq!(found(CustomerQuery { is_vip: Some(false), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { do_not_contact: Some(false), ..open }), [1]);
    assert_eq!(found(CustomerQuery { do_not_contact: Some(true), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { has_phone: Some(false), ..open }), [1]);
    assert_eq!(found(CustomerQuery { has_phone: Some(true), ..open }), [0_i64; 0]);
    assert_eq!(found(CustomerQuery { city: Some("SAN JOSE"), ..open }), [1]);
    assert_eq!(found(CustomerQuery { city: Some("San"), ..open }), [0_i64; 0]);
    for code in ["95113-2107", "951132107", "95113"] {
        assert_eq!(found(CustomerQuery { postal_code: Some(code), ..open }), [1], "{code}");
    }
    assert_eq!(found(CustomerQuery { postal_code: Some("9511"), ..open }), [0_i64; 0]);
}

#[test]
fn words_are_found_as_people_say_them() {
    let index = Index::new();
    let names = ["Robert Nguyen", "Una O’Neill", "Jürgen Mueller", "Pallet & Prow"];
    let phone = phone::parse("+49 30 901820", NumberingPlan::US).unwrap();
    index.put(1, &at_an_address(customer(&names, &[phone])).tokens(tenant(1)));
    for (q, expected) in [
        ("Mr. Nguyen", "whole"),
        ("Mr.Nguyen", "whole"),
        ("Mr", "no"),
        ("Frau Dr. O'Neill", "whole"),
        ("the Nguyens", "part"),
        ("nguyen's", "part"),
        ("Bob Nguyen", "part"),
        ("Juergen Müller", "part"),
        ("jürg", "part"),
        ("pallet and prow", "whole"),
        ("pallet + prow", "whole"),
        ("0049 30 901820", "whole"),
        ("004930 9018", "part"),
        ("0049 31", "no"),
        ("ann@example.com", "whole"),
        ("ANN@", "part"),
        ("@example.com", "part"),
        ("example.com", "part"),
        ("example", "no"),
        ("C-0042", "whole"),
        ("c42", "whole"),
        ("#42", "whole"),
        ("42", "whole"),
        ("C-4", "no"),
        ("57 Bremer Drive", "address"),
        ("57 Bremer Drive, San Jose, CA 95113", "address"),
        ("brem", "address"),
        ("br", "no"),
        ("5", "no"),
        ("nguyen rental", "address"),
        ("upstairs", "address"),
        ("57 Bremer Avenue", "no"),
        ("5105551234567", "no"),
    ] {
        assert_eq!(verdict(&index, 1, q, NumberingPlan::US), expected, "{q}");
    }
}

#[test]
fn what_is_near_is_found_by_a_similar_search() {
    let index = Index::new();
    index.put(1, &customer(&["Robert Nguyen", "Pallet & Prow"], &[]).tokens(tenant(1)));
    let round = |q: &str| {
        let search = query(Some(q), NumberingPlan::US).search(tenant(1)).unwrap();
        assert_eq!(verdict(&index, 1, q, NumberingPlan::US), "no", "{q}");
        search.similar().iter().position(|expression| index.has(1, expression))
    };
    for (q, expected) in [
        ("palet", Some(0)),
        ("nguyne", Some(0)),
        ("ngyen robert", Some(0)),
        ("pallett", Some(0)),
        ("Paullett", Some(1)),
        ("Nguyen leak", Some(2)),
        ("Mrs Nguyen leak gate", Some(4)),
        ("nguyne leak", Some(4)),
        ("zzz", None),
        // Ten digits, if somebody dials it.
        ("1729 nguyne", Some(4)),
        ("510 555 0199", None),
    ] {
        assert_eq!(round(q), expected, "{q}");
    }
    // A whole name is nearer than a part of one.
    index.put(2, &customer(&["Rentals"], &[]).tokens(tenant(1)));
    let similar = query(Some("Nguyen rental"), NumberingPlan::US).search(tenant(1)).unwrap();
    let found: Vec<_> = similar.similar().iter().map(|round| index.find(round)).collect();
    assert_eq!(found[2..4], [vec![1], vec![2, 1]]);
}

#[test]
fn facets_narrow_the_list_of_notes() {
    let index = Index::new();
    let pinned = NoteDocument { pinned: true, subject: None, ..note("gate") };
    index.put(1, &note("").tokens(tenant(1)));
    index.put(2, &pinned.tokens(tenant(1)));
    index.put(3, &pinned.tokens(tenant(2)));
    let found = |query: NoteQuery<'_>| index.find(&query.expression(tenant(1)));
    let open = NoteQuery::default();
    let words = NoteWords::new("gat").unwrap();
    assert_eq!(found(open), [2, 1]);
    assert_eq!(found(NoteQuery { pinned: true, ..open }), [2]);
    assert_eq!(found(NoteQuery { created_by: Some(3), words: Some(&words), ..open }), [2]);
    assert_eq!(found(NoteQuery { created_by: Some(30), ..open }), [0_i64; 0]);
    for subject in SubjectType::ALL {
        let rows = if *subject == SubjectType::Job { vec![1] } else { vec![] };
        let subject = SubjectFilter::On(*subject);
        assert_eq!(found(NoteQuery { subject: Some(subject), ..open }), rows, "{subject:?}");
    }
    assert_eq!(found(NoteQuery { subject: Some(SubjectFilter::Standalone), ..open }), [2]);
}

#[test]
fn a_query_of_the_maximum_length_gives_a_valid_expression() {
    let index = Index::new();
    index.put(1, &customer(&["x"], &[]).tokens(tenant(1)));
    let numbers: Vec<String> = (100..164).map(|number| number.to_string()).collect();
    let letters: Vec<String> = ('a'..='z').chain('α'..='ω').map(String::from).collect();
    let han: String = (0x4e00..0x4e00 + 256).filter_map(char::from_u32).collect();
    for q in [numbers.join(" "), letters.join(" "), han, "1".repeat(256), "(".repeat(255) + "1"] {
        assert!(q.chars().count() <= 256);
        assert_eq!(verdict(&index, 1, &q, NumberingPlan::US), "no");
        assert_eq!(note_verdict(&index, 1, "", &q), "no");
    }
}

/// Random text of these characters.
fn body(characters: &str, length: usize) -> String {
    let characters: Vec<char> = characters.chars().collect();
    let mut state: u64 = 42;
    let mut next = move |limit: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    (0..length).map(|_| characters[next(characters.len())]).collect()
}

#[test]
fn every_token_of_a_long_note_is_found() {
    let scripts = [
        "abcdefghijklmnop   ",
        "東京都渋谷区本日",
        "éüøæßđł’ ",
        "αβγδς ά ",
        "йёжщ ",
        "ابتثمُّ ـ ",
        "שָׁלום ",
        "कखिी्ं ",
        "あいうがぎぐアイー",
        "สวัสดีครับที่ ",
        "ລາວພາສາ",
        "ភាសាខ្មែរ",
        "한국어강남 ",
        "አማርኛ ",
        "𐐀𐐁𐐂 ",
        "a東b京 ",
        "0123456789 ",
        "🙂a\u{200d}🎉 ",
        "ﷺ",
        "ﬁ½™ ",
    ];
    let index = Index::new();
    for (n, script) in (1..).zip(scripts) {
        let body = body(script, 100_000);
        let tokens = note(&body).tokens(tenant(1));
        index.put(n, &tokens);
        let words: BTreeSet<_> = fold::words(&body).into_iter().collect();
        assert!(!words.is_empty());
        let step = words.len() / 100 + 1;
        for word in words.iter().step_by(step) {
            let characters: Vec<char> = word.text.chars().take(300).collect();
            for window in characters.windows(characters.len().min(3)).take(50) {
                let part: String = match word.kind {
                    Kind::Run => window.iter().collect(),
                    Kind::Spaced => word.text.clone(),
                };
                let sought = NoteWords::new(&part).unwrap();
                let query = NoteQuery { words: Some(&sought), ..NoteQuery::default() };
                assert!(index.has(n, &query.expression(tenant(1))), "{part} in {script}");
                if word.kind == Kind::Spaced {
                    break;
                }
            }
        }
        let last = NoteWords::new(&words.last().unwrap().text).unwrap();
        assert!(last.body_matches(&body));
    }
}

/// A simple implementation of the rules of `customers.search`, without an index, for texts of the letters below.
fn plain_verdict(names: &[String], phones: &[Phone], q: &str) -> &'static str {
    let q = &q.replace('１', "1");
    let texts = |text: &str| fold::words(text).into_iter().map(|word| word.text);
    let sought: Vec<Vec<String>> = q.split_whitespace().map(|part| texts(part).collect()).collect();
    let sought: Vec<_> = sought.into_iter().filter(|words| !words.is_empty()).collect();
    if sought.is_empty() {
        return "refused";
    }
    let words: Vec<String> = names.iter().flat_map(|name| texts(name)).collect();
    let digits: Vec<String> = phones.iter().flat_map(Phone::search_digits).collect();
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number =
        |words: &[String]| matches!(words, [one] if is_digits(one) && one.parse() == Ok(42));
    let every = |occurs: &dyn Fn(&str, &str) -> bool| {
        sought.iter().all(|part| {
            is_number(part)
                || part.iter().all(|sought| {
                    words.iter().any(|word| occurs(word, sought))
                        || (is_digits(sought) && sought.len() > 2)
                            && digits.iter().any(|row| occurs(row, sought))
                })
        })
    };
    let is_phone = q.chars().all(|it| it.is_ascii_digit() || " +-.()/".contains(it));
    let typed: Vec<String> = [q.clone(), q.replace("(0)", "")]
        .into_iter()
        .map(|q| q.chars().filter(char::is_ascii_digit).collect::<String>())
        .chain(phone::parse(q, NumberingPlan::US).map(|phone| phone.e164()[1..].to_owned()))
        .filter(|form| is_phone && !form.is_empty())
        .collect();
    let phone = |occurs: &dyn Fn(&str, &str) -> bool| {
        typed.iter().any(|form| digits.iter().any(|row| occurs(row, form)))
    };
    // `ae` may stand for `a` with an umlaut, in words of Latin letters; the letters below have no other forms.
    let inside = |row: &str, part: &str| {
        let is_latin = part.len() > 3 && part.bytes().all(|byte| byte.is_ascii_lowercase());
        row.contains(part) || is_latin && row == part.replace("ae", "a")
    };
    if every(&|row, part| row == part) || phone(&|row, part| row == part) {
        "whole"
    } else if every(&inside) || phone(&|row, part| row.contains(part)) {
        "part"
    } else {
        "no"
    }
}

const TEXT: &str = "[abAßé5１ 0'’.&東京ก가강\u{301}\u{3099}-]{0,8}";
const QUERY: &str = "[abAßé5１ 0'’東京ก가강\u{301}-]{0,3}";

fn phones() -> impl Strategy<Value = Vec<Phone>> {
    let typed = ["(510) 555-0199", "+44 20 7946 0958", "+1 510 555 0505 x55", "1-800-FLOWERS"];
    let phone = prop::sample::select(typed.to_vec());
    let phone = phone.prop_map(|typed| phone::parse(typed, NumberingPlan::US).unwrap());
    prop::collection::vec(phone, 0..3)
}

/// A word that looks English, often another form of another one.
const FORM: &str = "(leak|heat|cit|box|replac|hop|st|sk|d|l|capab|relat|happ|dripp)(s|es|e|ed|er|ers|ing|ingly|y|ies|ied|ying|ly|ation|ational|ility|le|)";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_agrees_with_a_simple_implementation(
        names in prop::collection::vec(TEXT, 0..4),
        phones in phones(),
        queries in prop::collection::vec(
            prop_oneof![QUERY.boxed(), "[0-9 +().-]{1,6}".boxed(), "(510|55|0199|5105550199|(\\(0\\))?20|079|[ +-])+".boxed()],
            20,
        ),
    ) {
        let index = Index::new();
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let customer = customer(&borrowed, &phones);
        index.put(1, &customer.tokens(tenant(1)));
        index.put(2, &customer.tokens(tenant(2)));
        for q in queries {
            let plain = plain_verdict(&names, &phones, &q);
            prop_assert_eq!(verdict(&index, 1, &q, NumberingPlan::US), plain, "{}", q);
            prop_assert_ne!(verdict(&index, 2, &q, NumberingPlan::US), "whole");
            prop_assert_ne!(verdict(&index, 2, &q, NumberingPlan::US), "part");
        }
    }

    #[test]
    fn the_index_of_notes_agrees_with_their_bodies(body in "[abAßé5１ '’東京都กข가강\u{301}\u{3099}.-]{0,30}", queries in prop::collection::vec(QUERY, 20)) {
        let index = Index::new();
        index.put(1, &note(&body).tokens(tenant(1)));
        for q in queries {
            note_verdict(&index, 1, &body, &q);
        }
    }

    #[test]
    fn the_index_of_notes_agrees_with_their_bodies_about_forms_of_words(
        words in prop::collection::vec(FORM, 0..8), queries in prop::collection::vec(FORM, 20),
    ) {
        let index = Index::new();
        let body = words.join(" ");
        index.put(1, &note(&body).tokens(tenant(1)));
        for q in queries {
            let found = note_verdict(&index, 1, &body, &q);
            let is_beginning = words.iter().any(|word| word.starts_with(&q));
            prop_assert!(found == "yes" || !is_beginning, "{} in {}", q, body);
        }
    }

    #[test]
    fn no_query_is_read_as_search_syntax(text in any::<String>(), syntax in "([\"*():^+{}=#'~,;\\\\-]|AND|OR|NOT|NEAR|x|a| ){0,20}") {
        let index = Index::new();
        for text in [text, syntax] {
            index.put(1, &customer(&[&text], &[]).tokens(tenant(1)));
            let expected = if fold::words(&text).is_empty() { "refused" } else { "whole" };
            prop_assert_eq!(verdict(&index, 1, &text, NumberingPlan::US), expected);
            index.put(1, &note(&text).tokens(tenant(1)));
            let expected = if expected == "refused" { expected } else { "yes" };
            prop_assert_eq!(note_verdict(&index, 1, &text, &text), expected);
        }
    }
}

/// Text of `length` characters of four bytes, in words of at most `word` letters. No two words are equal.
fn extreme_text(length: usize, word: usize, seed: u32) -> String {
    let positions = 0..u32::try_from(length).unwrap();
    let letter = |position: u32| char::from_u32(0x2_0000 + (seed * 7_919 + position * 31) % 40_000);
    let mut text = String::new();
    for position in positions {
        let is_space = text.chars().count() % (word + 1) == word;
        text.push(if is_space { ' ' } else { letter(position).unwrap() });
    }
    text
}

#[test]
fn the_most_extreme_customer_has_a_bounded_number_of_tokens() {
    let phone =
        |number: u32| phone::parse(&format!("(510) 555-{number:04}"), NumberingPlan::US).unwrap();
    for word in [1, 2, 12, 128] {
        let names: Vec<String> = (0..201).map(|it| extreme_text(256, word, it)).collect();
        let names = std::iter::once("Ann O’Neill").chain(names.iter().map(String::as_str));
        let names: Vec<&str> = names.collect();
        let phones: Vec<Phone> = (0..201).map(phone).collect();
        let location = |seed: u32| SearchedLocation {
            address_line1: extreme_text(256, word, 1_000 + seed),
            city: extreme_text(128, word, 2_000 + seed),
            postal_code: format!("{seed:05}-1234"),
            ..SearchedLocation::default()
        };
        let locations = (0..200).map(location).collect();
        let document = CustomerDocument { locations, ..customer(&names, &phones) };
        let tokens = document.tokens(tenant(1));
        assert!(tokens.len() < 192 * 1024, "{word}: {} bytes", tokens.len());
        assert!(tokens.split(' ').count() < 9_000, "{word}: {}", tokens.split(' ').count());
        let index = Index::new();
        index.put(1, &tokens);
        for (q, expected) in [
            ("ann", "whole"),
            ("nei", "part"),
            ("oneill ann", "whole"),
            ("5105550000", "whole"),
            ("550000", "part"),
            // The phone of the last contact.
            ("5105550200", "whole"),
        ] {
            assert_eq!(verdict(&index, 1, q, NumberingPlan::US), expected, "{q} {word}");
        }
    }
}

/// The names and phone numbers are realistic, unlike those of the most extreme customer.
#[test]
fn a_customer_with_two_hundred_usual_contacts_is_found_by_all_their_parts() {
    const FIRST: [&str; 10] = [
        "Alexandra",
        "Benjamin",
        "Charlotte",
        "Dominic",
        "Eleanor",
        "Frederick",
        "Gabriela",
        "Harrison",
        "Isabella",
        "Jonathan",
    ];
    const LAST: [&str; 20] = [
        "Anderson",
        "Blackwood",
        "Carpenter",
        "Delacroix",
        "Eastwood",
        "Fitzgerald",
        "Gallagher",
        "Hernandez",
        "Ibrahimov",
        "Jankowski",
        "Kowalczyk",
        "Livingston",
        "Montgomery",
        "Nakamura",
        "Okonkwo",
        "Papadakis",
        "Quintero",
        "Rodriguez",
        "Stevenson",
        "Thompson",
    ];
    let names: Vec<String> =
        FIRST.iter().flat_map(|first| LAST.map(|last| format!("{first} {last}"))).collect();
    let names: Vec<&str> =
        std::iter::once("Acme").chain(names.iter().map(String::as_str)).collect();
    let phones: Vec<Phone> = (0..200_u32)
        .map(|it| format!("({}) {}-{:04}", 201 + it, 201 + it * 37 % 700, it * 7_919 % 10_000))
        .map(|typed| phone::parse(&typed, NumberingPlan::US).unwrap())
        .collect();
    let index = Index::new();
    index.put(1, &customer(&names, &phones).tokens(tenant(1)));
    for name in &names {
        let inner = &name[1..name.len() - 1];
        assert_eq!(verdict(&index, 1, name, NumberingPlan::US), "whole");
        assert_eq!(verdict(&index, 1, inner, NumberingPlan::US), "part", "{inner}");
    }
    for phone in &phones {
        let digits = &phone.e164()[1..];
        assert_eq!(verdict(&index, 1, &digits[4..], NumberingPlan::US), "part", "{digits}");
    }
}

#[test]
fn the_most_extreme_note_has_a_bounded_number_of_tokens() {
    for (letters, length) in [
        ("abcdefghijklmnopqrstuvwxyz   ", 100_000),
        ("東京都渋谷区本日大阪府北海道", 100_000),
        ("ﷺ ", 100_000),
        ("각난달 ", 100_000),
    ] {
        let tokens = note(&body(letters, length)).tokens(tenant(1));
        assert!(tokens.len() < 80 * 1024, "{letters}: {} bytes", tokens.len());
    }
    let tokens = note(&extreme_text(100_000, 12, 1)).tokens(tenant(1));
    assert!(tokens.len() < 80 * 1024, "{} bytes", tokens.len());
}
