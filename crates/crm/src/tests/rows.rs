//! The cost of a page must not grow with the table.
//!
//! The tests count the engine's own steps, so the result is the same on every machine. With `ZOOP_TEST_LONG=1` the
//! large database has 50,000 customers and notes.

use serde_json::json;
use zoop_both::both;
use zoop_db::{Sql, Uuid};

use crate::business::customers::store::{self, SEARCH as CUSTOMERS, SHARING};
use crate::business::notes::store::{OF_CUSTOMER, OF_SUBJECT, SEARCH as NOTES};
use crate::call::access::Account;
use crate::call::run;
use crate::catalog;
use crate::search::Expression;
use crate::testing::{Business, TestEnv};

/// Number of customers and of notes in the small database.
const SMALL: usize = 400;
/// Number of customers and of notes per write job.
const BATCH: usize = 500;
/// Maximum cost of a page in the large database, as a multiple of its cost in the small one.
const GROWTH: i32 = 2;

/// Maximum cost of a page of 26 rows in any database. The cost is the number of virtual machine steps on SQLite, and
/// the number of examined rows on PostgreSQL, which may scan the newest rows.
fn max_steps(env: &TestEnv) -> i32 {
    if env.server().is_some() { 3_500 } else { 6_000 }
}

fn large() -> usize {
    if std::env::var_os("ZOOP_TEST_LONG").is_some() { 50_000 } else { 4_000 }
}

/// Adds customers with this first name, and notes with it about one job. One row in a hundred has a rare word.
fn fill(env: &TestEnv, business: &Business, name: &'static str, count: usize) {
    let job = business.id("job").to_owned();
    for start in (0..count).step_by(BATCH) {
        let (access, environment) = (business.owner.clone(), env.environment.clone());
        let job = job.clone();
        env.write(move |tx| {
            for number in start..start + BATCH {
                let rare = if number % 100 == 0 { "Quixote" } else { "Smith" };
                let phone = format!("510 555 {:04}", number % 10_000);
                let customer = json!({
                    "customer_type": "individual", "first_name": name, "last_name": rare,
                    "phone": phone,
                });
                let note = json!({
                    "body": format!("checked the valve of {name} {rare} {number}"),
                    "subject_type": "job", "subject_id": job,
                });
                for (tool, arguments) in [("customers.create", customer), ("notes.create", note)] {
                    let tool = catalog::find(tool).expect("a tool");
                    let text = arguments.to_string();
                    run::write(tx, &environment, &access, tool, &text, None)?;
                }
            }
            Ok(())
        })
        .expect("the batch should be written");
    }
}

/// A test environment with this many customers and notes, and its tenant.
fn env(count: usize) -> (TestEnv, Business) {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 0;
    let business = env.business("Acme");
    fill(&env, &business, "Anna", count);
    analyze(&env);
    (env, business)
}

/// Updates the statistics of PostgreSQL, which does so by itself some time after many writes.
fn analyze(env: &TestEnv) {
    if let Some(server) = env.server() {
        server.run("ANALYZE").expect("statistics");
    }
}

/// The cost of a page of the rows that `expression` finds.
fn index_page(env: &TestEnv, account: Account, sql: Sql, expression: &Expression) -> i32 {
    let expression = expression.clone();
    env.read(move |tx| {
        tx.bind(account.number);
        let (below, from) = (i64::MAX, 0_i64);
        let text = expression.text(tx.dialect());
        let steps = if sql.sqlite().contains("customer_search") {
            tx.steps(sql, zoop_db::params![text, below, 26_i64])
        } else {
            tx.steps(sql, zoop_db::params![text, below, from, 26_i64])
        };
        Ok(steps?)
    })
    .expect("a page")
}

/// Statements, each with the tokens to search for. `@` stands for the tenant.
const PAGES: &[(Sql, &[&str])] = &[
    (CUSTOMERS, &["@=customer"]),
    (CUSTOMERS, &["@:anna *"]),
    (CUSTOMERS, &["@:a *"]),
    (CUSTOMERS, &["@:quixote *"]),
    (CUSTOMERS, &["@#510 *"]),
    (CUSTOMERS, &["@~customer"]),
    (CUSTOMERS, &["@=company"]),
    (NOTES, &["@=note"]),
    (NOTES, &["@:valve *"]),
    (NOTES, &["@:v *"]),
    (NOTES, &["@:quixote *", "@:valve *"]),
];

/// An expression that matches rows with all of these tokens. Tokens with a star are prefixes.
fn all(tokens: &[&str], account: Account) -> Expression {
    let tenant = format!("{:04}", account.number.0);
    let token = |token: &&str| {
        let token = token.replace('@', &tenant);
        match token.strip_suffix(" *") {
            Some(beginning) => Expression::Prefix(beginning.to_owned()),
            None => Expression::Token(token),
        }
    };
    Expression::All(tokens.iter().map(token).collect())
}

#[both]
fn a_page_costs_the_same_in_a_large_table() {
    let (small, small_business) = env(SMALL);
    let (large, large_business) = env(large());
    for (sql, tokens) in PAGES {
        let page = |env, account| index_page(env, account, *sql, &all(tokens, account));
        let (few, many) =
            (page(&small, small_business.account), page(&large, large_business.account));
        // In the small database, a rare word is in fewer rows than a page has, so its page costs too little to compare.
        let page = few.max(max_steps(&large) / GROWTH);
        assert!(many <= page * GROWTH, "{tokens:?}: {few} steps became {many}");
        assert!(many > 0, "{tokens:?}");
    }
    check_word_missing_in_newest_rows(&large, &large_business);
}

/// If nearly all rows except the newest contain a word, a search for it must not collect all these rows.
fn check_word_missing_in_newest_rows(large: &TestEnv, business: &Business) {
    fill(large, business, "Zoe", BATCH);
    analyze(large);
    for (sql, token) in [(CUSTOMERS, "@:anna *"), (NOTES, "@:anna *"), (NOTES, "@:ann *")] {
        let steps = index_page(large, business.account, sql, &all(&[token], business.account));
        let max = max_steps(large) / GROWTH;
        assert!(steps > 0 && steps < max, "{token}: {steps} steps for a page of older rows");
    }
}

#[both]
fn customers_who_share_a_phone_number_are_found_by_the_index() {
    let (env, business) = env(SMALL * 2);
    let account = business.account;
    let expression = all(&["@=p:15105550003"], account);
    let (steps, found) = env
        .read(move |tx| {
            tx.bind(account.number);
            let text = expression.text(tx.dialect());
            let steps = tx.steps(SHARING, zoop_db::params![text, 5_i64, i64::MAX])?;
            Ok((steps, store::sharing(tx, &expression, 5)?))
        })
        .expect("the customers who share the number");
    assert_eq!(found.len(), 1);
    assert!(steps < 200, "{steps} steps for one row");
}

#[both]
fn a_subjects_notes_are_read_from_their_own_index() {
    let (large, business) = env(SMALL * 2);
    let job = crate::values::id::Id::<crate::values::id::kinds::Subject>::parse(business.id("job"))
        .expect("an id");
    let account = business.account;
    let steps = large
        .read(move |tx| {
            tx.bind(account.number);
            let none: Option<String> = None;
            let (below, from) = (Uuid::max(), Uuid::nil());
            let params = zoop_db::params![job, below, from, 26_i64, false, none, none];
            Ok(tx.steps(OF_SUBJECT, params)?)
        })
        .expect("a page");
    assert!(steps > 0 && steps < max_steps(&large), "{steps} steps for a page");
}

#[both]
fn a_customers_notes_are_found_by_its_own_records() {
    let (large, business) = env(SMALL * 2);
    let owner = &business.owner;
    let customer = json!({ "customer_type": "company", "company_name": "Few Notes" });
    let customer = large.create(owner, "customers.create", customer);
    for _ in 0..3 {
        let note = json!({ "body": "Seen.", "subject_type": "customer", "subject_id": customer });
        large.create(owner, "notes.create", note);
    }
    analyze(&large);
    let id = crate::values::id::Id::<crate::values::id::kinds::Customer>::parse(&customer)
        .expect("an id");
    let account = business.account;
    let steps = large
        .read(move |tx| {
            tx.bind(account.number);
            let none: Option<String> = None;
            let (below, from) = (Uuid::max(), Uuid::nil());
            let params = zoop_db::params![id, below, from, 26_i64, false, none, none, none];
            Ok(tx.steps(OF_CUSTOMER, params)?)
        })
        .expect("a page");
    // PostgreSQL reads a table of this size whole.
    let max = if large.server().is_some() { max_steps(&large) } else { 1_000 };
    assert!(steps > 0 && steps < max, "{steps} steps for three notes");
}
