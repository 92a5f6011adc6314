//! A copy equals its source: it has the same rows, searches find the same rows, and later calls return the same
//! answers.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::{Db, Dialect, Kind, Migrate, Options};
use zoop_postgres_cluster::Database;

use super::*;
use crate::call::run;
use crate::catalog;
use crate::schema::{MIGRATIONS, OWN_TABLES, SEARCH_TABLES};
use crate::testing::{Business, Caller, TestEnv, error_json, on, text};

/// Columns that only one engine has, each with the reason why it is not copied.
const COLUMNS_OF_ONE_ENGINE: &[(&str, &str, &str)] =
    &[("history", "n", "the number of a row in SQLite's table, which nothing refers to")];

/// An empty database for a copy.
struct Target {
    url: String,
    db: Db,
    storage: Arc<Storage>,
}

/// Where a copy is.
enum Storage {
    Folder(tempfile::TempDir),
    Server(Database),
}

impl Target {
    fn new(engine: Dialect) -> Self {
        let storage = match engine {
            Dialect::Sqlite => Storage::Folder(tempfile::tempdir().expect("a folder")),
            Dialect::Postgres => {
                Storage::Server(zoop_postgres_cluster::database().expect("a database"))
            }
        };
        let url = match &storage {
            Storage::Folder(_) => format!("sqlite://{}", storage.file().display()),
            Storage::Server(database) => database.url().to_owned(),
        };
        let db = open(&url, Migrate::New).expect("a new database");
        Self { url, db, storage: Arc::new(storage) }
    }
}

impl Storage {
    fn file(&self) -> std::path::PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join("copy.db"),
            Self::Server(_) => panic!("the copy is not in a file"),
        }
    }

    /// Changes the database directly, without the product.
    fn alter(&self, sqlite: &str, postgres: &str) {
        match self {
            Self::Folder(_) => {
                let file = rusqlite::Connection::open(self.file()).expect("the file");
                assert_eq!(file.execute(sqlite, []).expect("a change"), 1, "{sqlite}");
            }
            Self::Server(database) => {
                let script = format!(
                    "WITH changed AS ({postgres} RETURNING 1) SELECT count(*) FROM changed"
                );
                assert_eq!(database.run_as_superuser(&script).expect("a change").trim(), "1");
            }
        }
    }
}

fn open(url: &str, migrate: Migrate) -> Result<Db, zoop_db::Error> {
    let few = NonZeroUsize::new(2);
    let options = Options { readers: few, writers: few, ..Options::default() };
    Db::open(url, &options, MIGRATIONS, migrate)
}

fn no_progress() -> Progress {
    Arc::new(|_, _, _| {})
}

/// Two businesses with records of every kind, and this many additional customers each.
fn env(counts: [usize; 2]) -> (TestEnv, [Business; 2]) {
    let mut env = TestEnv::new();
    env.environment.note_writes_per_minute = 1_000;
    let (acme, other) = (env.business("Acme"), env.business("Other"));
    for (business, count) in [&acme, &other].into_iter().zip(counts) {
        for number in 0..count {
            fill(&env, business, number);
        }
    }
    (env, [acme, other])
}

/// More customers in the first business than fit in one index batch or on one page of a list.
const MANY: [usize; 2] = [210, 7];
/// A few customers, at least one with each name that [`fill`] uses.
const FEW: [usize; 2] = [8, 7];

/// Adds a customer with a value in every searched field, and a note. Some names have unusual characters.
fn fill(env: &TestEnv, business: &Business, number: usize) {
    const NAMES: [&str; 6] = ["Nguyễn", "O'Brien \\ \"Q\"", "清水寺", "Åse", "Łucja % _", "안녕"];
    let name = NAMES[number % NAMES.len()];
    let customer = json!({
        "customer_type": "individual", "first_name": name, "last_name": format!("N{}", number % 50),
        "phone": format!("510 555 {number:04}"), "email": format!("c{number}@example.com"),
        "idempotency_key": format!("é {number}"),
        "location": { "address_line1": "1 Elm", "city": "C", "state": "S", "postal_code": "P",
                      "latitude": 37.0 + 1.0 / 3.0, "longitude": -122.25 },
    });
    let id = env.create(&business.owner, "customers.create", customer);
    if number.is_multiple_of(3) {
        let tag = json!({ "id": business.id("tag"), "customer_id": id });
        env.call_as_operator(Some(business.account), "tags.attach", tag);
    }
    if number.is_multiple_of(5) {
        env.call(&business.owner, "customers.archive", json!({ "id": id })).expect("archiving");
    }
    let note = json!({ "body": format!("{name} 🚿 checked the valve {number}"),
                       "draft": number.is_multiple_of(7), "subject_type": "customer", "subject_id": id });
    let note = if number.is_multiple_of(5) { json!({ "body": "alone" }) } else { note };
    env.create(&business.office, "notes.create", note);
}

/// Calls a tool that reads, on this database, and returns the answer or the error as text.
fn read(db: &Db, env: &TestEnv, access: &Caller, tool: &str, arguments: &Value) -> String {
    let tool = catalog::find(tool).expect("a tool");
    let (access, environment) = (access.clone(), env.environment.clone());
    let arguments = arguments.to_string();
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer =
        db.read(deadline, move |tx| run::read(tx, &environment, &access, tool, &arguments)).wait();
    answer.unwrap_or_else(|error| error_json(&error).to_string())
}

/// Every page of a list.
fn pages(db: &Db, env: &TestEnv, access: &Caller, tool: &str, arguments: &Value) -> Vec<String> {
    let mut pages = Vec::new();
    let mut arguments = arguments.clone();
    loop {
        let page = read(db, env, access, tool, &arguments);
        let next = serde_json::from_str::<Value>(&page).expect("JSON")["nextCursor"].clone();
        pages.push(page);
        if next.is_null() {
            return pages;
        }
        arguments["cursor"] = next;
    }
}

/// The calls to make on both databases: searches of every kind, and lists.
fn reads(business: &Business) -> Vec<(&'static str, Value)> {
    let mut calls: Vec<_> =
        ["ng", "nguyen", "o'brien", "\"q\"", "清水", "ase", "lucja", "안", "555", "n4"]
            .map(|q| ("customers.search", json!({ "q": q, "limit": 25 })))
            .into();
    calls.extend(
        ["valve", "checked va", "안녕", "alone", "清", "o'brien"]
            .map(|q| ("notes.list", json!({ "q": q }))),
    );
    calls.extend([
        ("customers.search", json!({})),
        ("customers.search", json!({ "status": "archived" })),
        ("customers.search", json!({ "tag": business.id("tag"), "q": "n1" })),
        ("customers.search", json!({ "email": "C12@example.com" })),
        ("notes.list", json!({})),
        ("notes.list", json!({ "subject_type": "customer", "q": "valve" })),
        ("tags.list", json!({})),
    ]);
    calls
}

/// Copies a test environment's database to this engine, and compares both databases through the tools.
fn check_copy_to(engine: Dialect) {
    let (env, businesses) = env(MANY);
    let target = Target::new(engine);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let listener = reports.clone();
    let progress: Progress =
        Arc::new(move |phase, done, all| listener.lock().unwrap().push((phase, done, all)));
    let copied = copy(&env.db, &target.db, &progress).expect("a copy");

    let rows =
        |name: &str| copied.iter().find(|copied| copied.table == name).expect("a table").rows;
    assert_eq!((rows("tenants"), rows("memberships"), rows("request_counts")), (2, 6, 0));
    let customers = MANY.iter().sum::<usize>() + 2 * 2;
    assert_eq!(rows("customers"), u64::try_from(customers).unwrap());
    for phase in [Phase::Rows, Phase::Index, Phase::Comparison] {
        let reports = reports.lock().unwrap();
        let (_, done, all) = reports.iter().rfind(|report| report.0 == phase).expect("a report");
        assert!(*all > 0 && (done == all || phase == Phase::Rows), "{phase:?}: {done} of {all}");
    }

    for business in &businesses {
        for (tool, arguments) in reads(business) {
            let copied = pages(&target.db, &env, &business.owner, tool, &arguments);
            let original = pages(&env.db, &env, &business.owner, tool, &arguments);
            assert_eq!(copied, original, "{tool} {arguments}");
            let is_large = business.account.number == businesses[0].account.number;
            assert!(
                !is_large || original[0].contains("\"id\""),
                "{tool} {arguments} should find something"
            );
        }
        let account = Caller::operator(Some(business.account));
        for tool in ["changes.list", "users.list", "keys.list"] {
            let nothing = json!({});
            let copied = read(&target.db, &env, &account, tool, &nothing);
            assert_eq!(copied, read(&env.db, &env, &account, tool, &nothing), "{tool}");
        }
    }
    check_later_calls(&env, &target, &businesses[0]);
}

/// Later calls work as they do on the source: numbers continue, and a retry is recognized.
fn check_later_calls(env: &TestEnv, target: &Target, business: &Business) {
    let db = open(&target.url, Migrate::Refuse).expect("a complete copy");
    let write = |db: &Db, tool: &str, arguments: Value| {
        let tool = catalog::find(tool).expect("a tool");
        let (access, environment) = (business.owner.clone(), env.environment.clone());
        let deadline = Instant::now() + Duration::from_secs(60);
        let arguments = arguments.to_string();
        let answer = db.write(deadline, move |tx| {
            run::write(tx, &environment, &access, tool, &arguments, None)
        });
        let answer = answer.wait().unwrap_or_else(|error| panic!("{}", error_json(&error)));
        serde_json::from_str::<Value>(&answer).expect("JSON")
    };
    let new = json!({ "customer_type": "company", "company_name": "Quixotic" });
    let (here, there) =
        (write(&env.db, "customers.create", new.clone()), write(&db, "customers.create", new));
    assert_eq!(here["customer_number"], there["customer_number"]);
    write(&db, "tags.create", json!({ "name": "New" }));
    write(&db, "notes.create", json!({ "body": "Newest." }));
    let found = read(&db, env, &business.owner, "customers.search", &json!({ "q": "quixo" }));
    assert!(found.contains(text(&there, "id")), "{found}");

    let old =
        read(&db, env, &business.owner, "customers.search", &json!({ "email": "c1@example.com" }));
    let old: Value = serde_json::from_str(&old).expect("JSON");
    let retried = json!({
        "customer_type": "individual", "first_name": "O'Brien \\ \"Q\"", "last_name": "N1",
        "phone": "510 555 0001", "email": "c1@example.com",
        "idempotency_key": "é 1",
        "location": { "address_line1": "1 Elm", "city": "C", "state": "S", "postal_code": "P",
                      "latitude": 37.0 + 1.0 / 3.0, "longitude": -122.25 },
    });
    assert_eq!(write(&db, "customers.create", retried)["id"], old["rows"][0]["id"]);
}

#[both]
fn a_copy_on_sqlite_is_the_same_database() {
    check_copy_to(Dialect::Sqlite);
}

#[both]
fn a_copy_on_postgresql_is_the_same_database() {
    check_copy_to(Dialect::Postgres);
}

#[test]
fn a_copy_on_postgresql_has_the_indexes_of_a_new_database() {
    let (env, _) = env(FEW);
    let [new, copied] = [(), ()].map(|()| zoop_postgres_cluster::database().expect("a database"));
    open(new.url(), Migrate::New).expect("a new database");
    let target = open(copied.url(), Migrate::New).expect("a new database");
    copy(&env.db, &target, &no_progress()).expect("a copy");
    let indexes = |database: &Database| {
        let all = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef";
        database.run(all).expect("the indexes")
    };
    assert!(indexes(&new).contains("USING gin"));
    assert_eq!(indexes(&copied), indexes(&new));
}

#[test]
fn postgresql_has_statistics_about_a_copy_from_the_start() {
    on(Dialect::Postgres, || {
        let (env, _) = env(FEW);
        let database = zoop_postgres_cluster::database().expect("a database");
        let db = open(database.url(), Migrate::New).expect("a new database");
        copy(&env.db, &db, &no_progress()).expect("a copy");
        let without_statistics = "SELECT relname FROM pg_class WHERE relkind = 'r' \
                       AND relowner = current_user::regrole AND reltuples < 0";
        assert_eq!(database.run(without_statistics).expect("tables").trim(), "");
    });
}

#[both]
fn a_copy_is_a_snapshot_of_one_moment() {
    let (env, [acme, _]) = env(FEW);
    let target = Target::new(Dialect::Sqlite);
    // Another process adds a customer while rows are copied.
    let (db, environment, owner) = (env.db.clone(), env.environment.clone(), acme.owner.clone());
    let added = Mutex::new(false);
    let progress: Progress = Arc::new(move |phase, _, _| {
        let mut added = added.lock().unwrap();
        if phase == Phase::Rows && !*added {
            *added = true;
            let (environment, owner) = (environment.clone(), owner.clone());
            let tool = catalog::find("customers.create").expect("a tool");
            let late = json!({ "customer_type": "company", "company_name": "Late" }).to_string();
            let deadline = Instant::now() + Duration::from_secs(60);
            let written = db
                .write(deadline, move |tx| run::write(tx, &environment, &owner, tool, &late, None));
            written.wait().expect("the source should accept writes");
        }
    });
    copy(&env.db, &target.db, &progress).expect("a copy");
    let late = json!({ "q": "late" });
    let rows = |db: &Db| {
        let found = read(db, &env, &acme.owner, "customers.search", &late);
        serde_json::from_str::<Value>(&found).expect("JSON")["rows"].as_array().unwrap().len()
    };
    assert_eq!((rows(&env.db), rows(&target.db)), (1, 0));
}

#[both]
fn a_copy_into_a_database_that_is_not_empty_is_rejected() {
    let env = TestEnv::new();
    env.business("Acme");
    let filled = Target::new(Dialect::Postgres);
    copy(&env.db, &filled.db, &no_progress()).expect("a copy");
    for target in [&filled.db, &env.db] {
        let refused = copy(&env.db, target, &no_progress()).expect_err("a refusal");
        assert!(
            error_json(&refused)["message"].as_str().unwrap().contains("not empty"),
            "{refused:?}"
        );
    }
    open(&filled.url, Migrate::Refuse).expect("a refused copy should leave the target unchanged");
}

/// Changes to a copy after its rows were written: the SQL for SQLite and for PostgreSQL, and the error that
/// reports the change.
const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "UPDATE customers SET source = 'x' WHERE n = 3",
        "UPDATE customers SET source = 'x' WHERE n = 3",
        "customers of the copy differ from the source",
    ),
    (
        "DELETE FROM customer_search WHERE rowid = 3",
        "DELETE FROM customer_search WHERE n = 3",
        "contains 18 customers, including 18 of the 19",
    ),
    ("DELETE FROM note_search WHERE rowid = 3", "DELETE FROM note_search WHERE n = 3", "notes, "),
    (
        "INSERT INTO customer_search (rowid, tokens) VALUES (9999, 'x')",
        "INSERT INTO customer_search (tenant_no, n, tokens) VALUES (2, 9999, 'x')",
        "contains 20 customers, including 19 of the 19",
    ),
];

#[both]
fn writes_by_others_during_a_copy_are_detected_and_leave_it_incomplete() {
    let (env, _) = env(FEW);
    for engine in [Dialect::Sqlite, Dialect::Postgres] {
        for (sqlite, postgres, expected) in TAMPERED {
            let target = Target::new(engine);
            let storage = target.storage.clone();
            let progress: Progress = Arc::new(move |phase, done, all| {
                if phase == Phase::Tokens && done == all {
                    storage.alter(sqlite, postgres);
                }
            });
            let refused = copy(&env.db, &target.db, &progress).expect_err("a refusal");
            let message = error_json(&refused)["message"].clone();
            assert!(message.as_str().unwrap().contains(expected), "{engine:?}: {message}");
            let refused = open(&target.url, Migrate::Run).err().expect("a refusal");
            assert!(refused.to_string().contains("never finished"), "{refused}");
        }
    }
}

/// Every declared column: its table, its name and its kind.
fn declared_columns() -> BTreeSet<(String, String, Kind)> {
    let columns = TABLES.iter().flat_map(|table| {
        let tenant = table.is_per_tenant().then_some(("tenant_no", Kind::Integer));
        let columns = table.columns.iter().map(|column| (column.name, column.kind));
        columns.chain(tenant).map(|(column, kind)| (table.name.to_owned(), column.to_owned(), kind))
    });
    columns.collect()
}

fn is_copied(table: &str, column: &str) -> bool {
    !OWN_TABLES.contains(&table)
        && !SEARCH_TABLES.iter().any(|search| table.starts_with(search))
        && !COLUMNS_OF_ONE_ENGINE.iter().any(|(t, c, _)| (*t, *c) == (table, column))
}

#[test]
fn every_column_of_postgresql_is_copied() {
    on(Dialect::Postgres, || {
        let env = TestEnv::new();
        let server = env.server().expect("an environment on PostgreSQL");
        let columns = server.run(
            "SELECT table_name, column_name, data_type FROM information_schema.columns \
             WHERE table_schema = 'public'",
        );
        let kind = |name: &str| match name {
            "bigint" | "integer" | "smallint" => Kind::Integer,
            "boolean" => Kind::Boolean,
            "double precision" => Kind::Real,
            "text" => Kind::Text,
            "bytea" => Kind::Bytes,
            "uuid" => Kind::Id,
            "timestamp with time zone" => Kind::Time,
            other => panic!("no kind of value for {other}"),
        };
        let mut found = BTreeSet::new();
        for line in columns.expect("columns").lines() {
            let [table, column, name] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            if is_copied(table, column) {
                found.insert((table.to_owned(), column.to_owned(), kind(name)));
            }
        }
        assert_eq!(found, declared_columns());
        let numbered = server.run(
            "SELECT table_name, column_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND is_identity = 'YES'",
        );
        let numbered = numbered.expect("columns");
        let numbered: BTreeSet<_> =
            numbered.lines().filter_map(|line| line.split_once('|')).collect();
        let declared = TABLES.iter().flat_map(|table| {
            let columns = table.columns.iter().filter(|column| column.role == Role::Numbered);
            columns.map(|column| (table.name, column.name))
        });
        assert_eq!(numbered, declared.collect());
    });
}

#[test]
fn every_column_of_sqlite_is_copied() {
    let env = TestEnv::new();
    let file = rusqlite::Connection::open(env.path()).expect("the file");
    let mut columns = file
        .prepare(
            "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c \
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
        )
        .expect("a statement");
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("columns");
    let found: BTreeSet<(String, String)> = columns
        .map(|column| column.expect("a column"))
        .filter(|(table, column): &(String, String)| is_copied(table, column))
        .collect();
    let declared: BTreeSet<_> =
        declared_columns().into_iter().map(|(table, column, _)| (table, column)).collect();
    assert_eq!(found, declared);
}
