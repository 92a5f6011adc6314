//! A copy is the same database: it has the same rows, searches find the same, and later calls return the same.

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
use crate::schema::{MIGRATIONS, SCHEMA_STEPS, SEARCH_TABLES};
use crate::testing::{Business, Caller, TestEnv, on, public_error, text};

/// Columns that only one engine has, each with the reason why it is not copied.
const OF_ONE_ENGINE: &[(&str, &str, &str)] =
    &[("history", "n", "the place of a row in SQLite's file, which nothing refers to")];

/// An empty database for a copy.
struct Target {
    url: String,
    db: Db,
    keeper: Arc<Keeper>,
}

/// Where a copy's database is kept.
enum Keeper {
    Folder(tempfile::TempDir),
    Server(Database),
}

impl Target {
    fn new(engine: Dialect) -> Self {
        let keeper = match engine {
            Dialect::Sqlite => Keeper::Folder(tempfile::tempdir().expect("a folder")),
            Dialect::Postgres => {
                Keeper::Server(zoop_postgres_cluster::database().expect("a database"))
            }
        };
        let url = match &keeper {
            Keeper::Folder(_) => format!("sqlite://{}", keeper.file().display()),
            Keeper::Server(database) => database.url().to_owned(),
        };
        let db = open(&url, Migrate::New).expect("it opens");
        Self { url, db, keeper: Arc::new(keeper) }
    }
}

impl Keeper {
    fn file(&self) -> std::path::PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join("copy.db"),
            Self::Server(_) => panic!("it is in no file"),
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

fn silent() -> Progress {
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

/// More than one page of customers.
const PAGES: [usize; 2] = [210, 7];
/// A few customers of each sort.
const FEW: [usize; 2] = [8, 7];

/// Adds a customer with everything that searches find, and a note. Some have unusual characters.
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
    let id = env.made(&business.owner, "customers.create", customer);
    if number.is_multiple_of(3) {
        let tag = json!({ "id": business.id("tag"), "customer_id": id });
        env.operate(Some(business.account), "tags.attach", tag);
    }
    if number.is_multiple_of(5) {
        env.call(&business.owner, "customers.archive", json!({ "id": id })).expect("it");
    }
    let note = json!({ "body": format!("{name} 🚿 checked the valve {number}"),
                       "draft": number.is_multiple_of(7), "subject_type": "customer", "subject_id": id });
    let note = if number.is_multiple_of(5) { json!({ "body": "alone" }) } else { note };
    env.made(&business.office, "notes.create", note);
}

/// Calls a tool that reads on a database, and returns its answer.
fn ask(db: &Db, env: &TestEnv, access: &Caller, tool: &str, arguments: &Value) -> String {
    let tool = catalog::find(tool).expect("a tool");
    let (access, environment) = (access.clone(), env.environment.clone());
    let arguments = arguments.to_string();
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer =
        db.read(deadline, move |tx| run::read(tx, &environment, &access, tool, &arguments)).wait();
    answer.unwrap_or_else(|error| public_error(&error).to_string())
}

/// Every page of a list.
fn pages(db: &Db, env: &TestEnv, access: &Caller, tool: &str, arguments: &Value) -> Vec<String> {
    let mut pages = Vec::new();
    let mut arguments = arguments.clone();
    loop {
        let page = ask(db, env, access, tool, &arguments);
        let next = serde_json::from_str::<Value>(&page).expect("JSON")["nextCursor"].clone();
        pages.push(page);
        if next.is_null() {
            return pages;
        }
        arguments["cursor"] = next;
    }
}

/// The calls that are made on both: searches of every sort, and lists.
fn questions(business: &Business) -> Vec<(&'static str, Value)> {
    let mut asked: Vec<_> =
        ["ng", "nguyen", "o'brien", "\"q\"", "清水", "ase", "lucja", "안", "555", "n4"]
            .map(|q| ("customers.search", json!({ "q": q, "limit": 25 })))
            .into();
    asked.extend(
        ["valve", "checked va", "안녕", "alone", "清", "o'brien"]
            .map(|q| ("notes.list", json!({ "q": q }))),
    );
    asked.extend([
        ("customers.search", json!({})),
        ("customers.search", json!({ "status": "archived" })),
        ("customers.search", json!({ "tag": business.id("tag"), "q": "n1" })),
        ("customers.search", json!({ "email": "C12@example.com" })),
        ("notes.list", json!({})),
        ("notes.list", json!({ "subject_type": "customer", "q": "valve" })),
        ("tags.list", json!({})),
    ]);
    asked
}

/// Copies a test environment's database to this engine, and compares both through the tools.
fn moves_to(engine: Dialect) {
    let (env, businesses) = env(PAGES);
    let target = Target::new(engine);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let progress: Progress =
        Arc::new(move |phase, done, all| listener.lock().unwrap().push((phase, done, all)));
    let copied = copy(&env.db, &target.db, &progress).expect("a copy");

    let of = |name: &str| copied.iter().find(|copied| copied.table == name).expect("it").rows;
    assert_eq!((of("tenants"), of("memberships"), of("request_counts")), (2, 6, 0));
    let customers = PAGES.iter().sum::<usize>() + 2 * 2;
    assert_eq!(of("customers"), u64::try_from(customers).unwrap());
    for phase in [Phase::Rows, Phase::Index, Phase::Comparison] {
        let heard = heard.lock().unwrap();
        let (_, done, all) = heard.iter().rfind(|(heard, ..)| *heard == phase).expect("it");
        assert!(*all > 0 && (done == all || phase == Phase::Rows), "{phase:?}: {done} of {all}");
    }

    for business in &businesses {
        for (tool, arguments) in questions(business) {
            let there = pages(&target.db, &env, &business.owner, tool, &arguments);
            let here = pages(&env.db, &env, &business.owner, tool, &arguments);
            assert_eq!(there, here, "{tool} {arguments}");
            let is_large = business.account.number == businesses[0].account.number;
            assert!(!is_large || here[0].contains("\"id\""), "{tool} {arguments} finds something");
        }
        let account = Caller::operator(Some(business.account));
        for tool in ["history.list", "users.list", "keys.list"] {
            let nothing = json!({});
            let there = ask(&target.db, &env, &account, tool, &nothing);
            assert_eq!(there, ask(&env.db, &env, &account, tool, &nothing), "{tool}");
        }
    }
    goes_on(&env, &target, &businesses[0]);
}

/// Later calls work as on the source: numbers continue, and a retry is recognized.
fn goes_on(env: &TestEnv, target: &Target, business: &Business) {
    let db = open(&target.url, Migrate::Refuse).expect("it is finished");
    let write = |db: &Db, tool: &str, arguments: Value| {
        let tool = catalog::find(tool).expect("a tool");
        let (access, environment) = (business.owner.clone(), env.environment.clone());
        let deadline = Instant::now() + Duration::from_secs(60);
        let arguments = arguments.to_string();
        let answer = db.write(deadline, move |tx| {
            run::write(tx, &environment, &access, tool, &arguments, None)
        });
        let answer = answer.wait().unwrap_or_else(|error| panic!("{}", public_error(&error)));
        serde_json::from_str::<Value>(&answer).expect("JSON")
    };
    let new = json!({ "customer_type": "company", "company_name": "Quixotic" });
    let (here, there) =
        (write(&env.db, "customers.create", new.clone()), write(&db, "customers.create", new));
    assert_eq!(here["customer_number"], there["customer_number"]);
    write(&db, "tags.create", json!({ "name": "New" }));
    write(&db, "notes.create", json!({ "body": "Newest." }));
    let found = ask(&db, env, &business.owner, "customers.search", &json!({ "q": "quixo" }));
    assert!(found.contains(text(&there, "id")), "{found}");

    let old =
        ask(&db, env, &business.owner, "customers.search", &json!({ "email": "c1@example.com" }));
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
    moves_to(Dialect::Sqlite);
}

#[both]
fn a_copy_on_postgresql_is_the_same_database() {
    moves_to(Dialect::Postgres);
}

#[test]
fn a_copy_on_postgresql_has_the_indexes_of_a_new_database() {
    let (env, _) = env(FEW);
    let [new, moved] = [(), ()].map(|()| zoop_postgres_cluster::database().expect("a database"));
    open(new.url(), Migrate::New).expect("it opens");
    let target = open(moved.url(), Migrate::New).expect("it opens");
    copy(&env.db, &target, &silent()).expect("a copy");
    let indexes = |database: &Database| {
        let all = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef";
        database.run(all).expect("the indexes")
    };
    assert!(indexes(&new).contains("USING gin"));
    assert_eq!(indexes(&moved), indexes(&new));
}

#[test]
fn the_planner_of_postgresql_knows_a_copy_from_the_start() {
    on(Dialect::Postgres, || {
        let (env, _) = env(FEW);
        let database = zoop_postgres_cluster::database().expect("a database");
        let db = open(database.url(), Migrate::New).expect("it opens");
        copy(&env.db, &db, &silent()).expect("a copy");
        let unknown = "SELECT relname FROM pg_class WHERE relkind = 'r' \
                       AND relowner = current_user::regrole AND reltuples < 0";
        assert_eq!(database.run(unknown).expect("tables").trim(), "");
    });
}

#[both]
fn a_copy_is_of_one_moment() {
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
            written.wait().expect("the source takes writes");
        }
    });
    copy(&env.db, &target.db, &progress).expect("a copy");
    let late = json!({ "q": "late" });
    let rows = |db: &Db| {
        let found = ask(db, &env, &acme.owner, "customers.search", &late);
        serde_json::from_str::<Value>(&found).expect("JSON")["rows"].as_array().unwrap().len()
    };
    assert_eq!((rows(&env.db), rows(&target.db)), (1, 0));
}

#[both]
fn only_an_empty_database_is_copied_into() {
    let env = TestEnv::new();
    env.business("Acme");
    let filled = Target::new(Dialect::Postgres);
    copy(&env.db, &filled.db, &silent()).expect("a copy");
    for target in [&filled.db, &env.db] {
        let refused = copy(&env.db, target, &silent()).expect_err("a refusal");
        assert!(
            public_error(&refused)["message"].as_str().unwrap().contains("not empty"),
            "{refused:?}"
        );
    }
    open(&filled.url, Migrate::Refuse).expect("a refused copy leaves it as it was");
}

/// Changes of a copy after its rows were written, on either engine, and the error that reports each.
const TAMPERED: &[(&str, &str, &str)] = &[
    (
        "UPDATE customers SET source = 'x' WHERE n = 3",
        "UPDATE customers SET source = 'x' WHERE n = 3",
        "customers are not the source's",
    ),
    (
        "DELETE FROM customer_search WHERE rowid = 3",
        "DELETE FROM customer_search WHERE n = 3",
        "contains 18 customers, 18 of them from the 19",
    ),
    ("DELETE FROM note_search WHERE rowid = 3", "DELETE FROM note_search WHERE n = 3", "notes, "),
    (
        "INSERT INTO customer_search (rowid, tokens) VALUES (9999, 'x')",
        "INSERT INTO customer_search (tenant_no, n, tokens) VALUES (2, 9999, 'x')",
        "contains 20 customers, 19 of them from the 19",
    ),
];

#[both]
fn what_something_else_writes_into_a_copy_is_found_and_leaves_it_unfinished() {
    let (env, _) = env(FEW);
    for engine in [Dialect::Sqlite, Dialect::Postgres] {
        for (sqlite, postgres, expected) in TAMPERED {
            let target = Target::new(engine);
            let keeper = target.keeper.clone();
            let progress: Progress = Arc::new(move |phase, done, all| {
                if phase == Phase::Words && done == all {
                    keeper.alter(sqlite, postgres);
                }
            });
            let refused = copy(&env.db, &target.db, &progress).expect_err("a refusal");
            let message = public_error(&refused)["message"].clone();
            assert!(message.as_str().unwrap().contains(expected), "{engine:?}: {message}");
            let refused = open(&target.url, Migrate::Run).err().expect("a refusal");
            assert!(refused.to_string().contains("never finished"), "{refused}");
        }
    }
}

/// Every column that is copied: table, column, and its kind.
fn described() -> BTreeSet<(String, String, Kind)> {
    let columns = TABLES.iter().flat_map(|table| {
        let tenant = table.is_of_tenants().then_some(("tenant_no", Kind::Integer));
        let columns = table.columns.iter().map(|column| (column.name, column.kind));
        columns.chain(tenant).map(|(column, kind)| (table.name.to_owned(), column.to_owned(), kind))
    });
    columns.collect()
}

fn is_copied(table: &str, column: &str) -> bool {
    table != SCHEMA_STEPS
        && !SEARCH_TABLES.iter().any(|search| table.starts_with(search))
        && !OF_ONE_ENGINE.iter().any(|(t, c, _)| (*t, *c) == (table, column))
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
            other => panic!("{other} is copied by no kind"),
        };
        let mut there = BTreeSet::new();
        for line in columns.expect("columns").lines() {
            let [table, column, name] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            if is_copied(table, column) {
                there.insert((table.to_owned(), column.to_owned(), kind(name)));
            }
        }
        assert_eq!(there, described());
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
    let there: BTreeSet<(String, String)> = columns
        .map(|column| column.expect("a column"))
        .filter(|(table, column): &(String, String)| is_copied(table, column))
        .collect();
    let described: BTreeSet<_> =
        described().into_iter().map(|(table, column, _)| (table, column)).collect();
    assert_eq!(there, described);
}
