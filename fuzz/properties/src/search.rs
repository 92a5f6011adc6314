//! Searches: no query is an error of the index, and the index finds exactly what the plain rules find.

use rusqlite::Connection;
use zoop_crm::business::customers::index::{CustomerDocument, CustomerQuery};
use zoop_crm::business::customers::{CustomerType, Status};
use zoop_crm::business::notes::SubjectType;
use zoop_crm::business::notes::index::{
    BodyWords, NoteDocument, NoteQuery, NoteWords, may_be_wordy,
};
use zoop_crm::search::{Expression, TenantMark};
use zoop_crm::values::fold;
use zoop_crm::values::phone::{self, NumberingPlan};

/// The longest query that the tools accept, in characters.
const MAX_LENGTH: usize = 256;
/// The longest stored text that is checked.
const MAX_STORED: usize = 2_000;

/// The first line is a query, the rest is a customer's name, its phone if it can be one, and a note's
/// body.
///
/// # Panics
/// When the property does not hold.
pub fn search(input: &[u8]) {
    let Some((q, stored)) = crate::line_and_rest(input) else { return };
    if q.chars().count() > MAX_LENGTH || stored.chars().count() > MAX_STORED {
        return;
    }
    let tenant = TenantMark::new(1).expect("a tenant's number");
    let phone = phone::parse(stored, NumberingPlan::US).ok();
    let customer = CustomerDocument {
        status: Status::Active,
        kind: CustomerType::Individual,
        numbers: vec![42],
        names: vec![stored],
        phones: phone.iter().cloned().collect(),
        emails: vec![],
        tags: vec![],
        is_vip: false,
        do_not_contact: false,
        locations: vec![],
    };
    hold(&customer.tokens(tenant));
    let found = |q: &str| found_customer(q, tenant);
    let _ = found(q);
    for word in fold::words(stored) {
        let word: String = word.text.chars().take(MAX_LENGTH).collect();
        assert_eq!(found(&word), Some(true), "{word:?} is in {stored:?}");
    }
    for digits in phone.iter().flat_map(phone::Phone::search_digits) {
        let typed: String = digits.chars().take(MAX_LENGTH).collect();
        assert_eq!(found(&typed), Some(true), "{typed} is the phone {stored:?}");
    }
    note(q, stored, tenant);
}

/// Whether the customer is found; `None` for a query without a word.
fn found_customer(q: &str, tenant: TenantMark) -> Option<bool> {
    let query = CustomerQuery { q: Some(q), ..CustomerQuery::new(NumberingPlan::US) };
    let search = query.search(tenant).ok()?;
    let tiers = search.tiers();
    let found = tiers.iter().filter(|tier| is_found(&tier.rows)).count();
    assert!(found < 2, "{q:?} finds a customer twice");
    // No similar search is an error of the index either.
    let _ = search.similar().iter().filter(|similar| is_found(similar)).count();
    Some(found == 1)
}

fn note(q: &str, body: &str, tenant: TenantMark) {
    let Ok(words) = NoteWords::new(q) else { return };
    let words_of_body = BodyWords::of(body);
    let document = NoteDocument {
        words: words_of_body,
        pinned: false,
        created_by: 3,
        subject: Some(SubjectType::Job),
    };
    let query = NoteQuery { words: Some(&words), ..NoteQuery::default() };
    hold(&document.tokens(tenant));
    let is_candidate = is_found(&query.expression(tenant));
    let matches = words.body_matches(body);
    if words.needs_verification() || may_be_wordy(body) {
        assert!(is_candidate || !matches, "{q:?} is in {body:?}");
    } else {
        assert_eq!(is_candidate, matches, "{q:?} in {body:?}");
    }
}

thread_local! {
    /// A real index, declared like the product's.
    static INDEX: Connection = {
        let index = Connection::open_in_memory().expect("an index in memory");
        index
            .execute_batch(
                "CREATE VIRTUAL TABLE search USING fts5(x, content='', contentless_delete=1,
                     detail=none, prefix='6 7 8', tokenize=\"ascii tokenchars ':;#%=~'\")",
            )
            .expect("an index");
        index
    };
}

/// Replaces the index's contents with one row that has these tokens.
fn hold(tokens: &str) {
    let insert = "INSERT OR REPLACE INTO search(rowid, x) VALUES (1, ?1)";
    let hold = |index: &Connection| index.prepare_cached(insert)?.execute([tokens]);
    INDEX.with(hold).expect("the index takes the tokens");
}

/// Whether the index's row is found.
fn is_found(expression: &Expression) -> bool {
    let select = "SELECT count(*) FROM search WHERE search MATCH ?1";
    let ask = |index: &Connection| {
        let mut statement = index.prepare_cached(select)?;
        statement.query_row([expression.text(zoop_db::Dialect::Sqlite)], |row| row.get::<_, i64>(0))
    };
    INDEX.with(ask).expect("the index takes the query") == 1
}
