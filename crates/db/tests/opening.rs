//! Opening a database: the history of its schema, and files that cannot be opened.

mod common;

use common::{TestDatabase, far};
use zoop_db::{Db, Error, Migrate, Migration, Options, sqlite};

const ONE: Migration = Migration {
    name: "0001_one",
    sqlite: "CREATE TABLE one (n INTEGER PRIMARY KEY) STRICT;",
    postgres: "CREATE TABLE one (n bigint PRIMARY KEY);",
};
const TWO: Migration = Migration {
    name: "0002_two",
    sqlite: "CREATE TABLE two (n INTEGER PRIMARY KEY) STRICT;",
    postgres: "CREATE TABLE two (n bigint PRIMARY KEY);",
};
const BROKEN: Migration = Migration {
    name: "0002_two",
    sqlite: "CREATE TABLE half (n INTEGER PRIMARY KEY) STRICT; CREATE GARBAGE;",
    postgres: "CREATE TABLE half (n bigint PRIMARY KEY); CREATE GARBAGE;",
};

zoop_db::global_statements! {
    TABLES = {
        sqlite: "SELECT count(*) FROM sqlite_schema WHERE name IN ('one', 'two', 'half')",
        postgres: "SELECT count(*) FROM pg_tables WHERE tablename IN ('one', 'two', 'half')",
    };
}

both_engines! {
    missing_migrations_run_in_order_and_once
    an_old_schema_is_refused_if_it_may_not_be_changed
    a_newer_or_different_schema_is_refused
    a_failed_migration_leaves_nothing_behind
    with_migrate_new_only_a_new_database_gets_a_schema
    an_incomplete_copy_cannot_be_opened
}

fn open(database: &TestDatabase, migrations: &[Migration], migrate: Migrate) -> Result<Db, Error> {
    database.open(&Options::default(), migrations, migrate)
}

struct File {
    url: String,
    folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self { url, folder }
    }

    fn open(&self, migrations: &[Migration], migrate: Migrate) -> Result<Db, Error> {
        Db::open(&self.url, &Options::default(), migrations, migrate)
    }
}

fn tables(db: &Db) -> i64 {
    let counted = db.read::<i64, Error>(far(), |tx| {
        tx.global_first(TABLES, &[], |row| row.take())?.ok_or(Error::NoRow)
    });
    counted.wait().expect("a count")
}

fn missing_migrations_run_in_order_and_once(database: &TestDatabase) {
    assert_eq!(tables(&open(database, &[ONE], Migrate::Run).expect("opens")), 1);
    assert_eq!(tables(&open(database, &[ONE, TWO], Migrate::Run).expect("opens")), 2);
    assert_eq!(tables(&open(database, &[ONE, TWO], Migrate::Refuse).expect("opens")), 2);
}

fn an_old_schema_is_refused_if_it_may_not_be_changed(database: &TestDatabase) {
    drop(open(database, &[ONE], Migrate::Run).expect("opens"));
    let refused = open(database, &[ONE, TWO], Migrate::Refuse).err().expect("a refusal");
    assert!(refused.to_string().contains("zoop migrate"), "{refused}");
}

fn a_newer_or_different_schema_is_refused(database: &TestDatabase) {
    drop(open(database, &[ONE, TWO], Migrate::Run).expect("opens"));
    let newer = open(database, &[ONE], Migrate::Run).err().expect("a refusal");
    assert!(newer.to_string().contains("newer"), "{newer}");
    let changed = Migration {
        sqlite: "CREATE TABLE other (n INTEGER) STRICT;",
        postgres: "CREATE TABLE other (n bigint);",
        ..ONE
    };
    let other = open(database, &[changed, TWO], Migrate::Run).err().expect("a refusal");
    assert!(other.to_string().contains("another version"), "{other}");
}

fn a_failed_migration_leaves_nothing_behind(database: &TestDatabase) {
    drop(open(database, &[ONE], Migrate::Run).expect("opens"));
    open(database, &[ONE, BROKEN], Migrate::Run).err().expect("a failure");
    assert_eq!(tables(&open(database, &[ONE, TWO], Migrate::Run).expect("opens")), 2);
}

fn with_migrate_new_only_a_new_database_gets_a_schema(database: &TestDatabase) {
    assert_eq!(tables(&open(database, &[ONE], Migrate::New).expect("opens")), 1);
    let refused = open(database, &[ONE, TWO], Migrate::New).err().expect("a refusal");
    assert!(refused.to_string().contains("zoop migrate"), "{refused}");
}

fn an_incomplete_copy_cannot_be_opened(database: &TestDatabase) {
    let db = open(database, &[ONE], Migrate::Run).expect("opens");
    db.write::<_, Error>(far(), |tx| tx.begin_copy()).wait().expect("a mark");
    for migrations in [&[ONE][..], &[ONE, TWO]] {
        for migrate in [Migrate::Run, Migrate::New, Migrate::Refuse] {
            let refused = open(database, migrations, migrate).err().expect("a refusal");
            assert!(refused.to_string().contains("never finished"), "{refused}");
        }
    }
    db.write::<_, Error>(far(), |tx| tx.end_copy()).wait().expect("no mark");
    assert_eq!(tables(&open(database, &[ONE, TWO], Migrate::Run).expect("opens")), 2);
}

#[test]
fn the_file_of_another_program_is_not_touched() {
    let file = File::new();
    let path = file.folder.path().join("t.db");
    let other = rusqlite::Connection::open(&path).expect("a file");
    other.execute_batch("CREATE TABLE theirs (n INTEGER)").expect("a table");
    let refused = file.open(&[ONE], Migrate::Run).err().expect("a refusal");
    assert!(refused.to_string().contains("another program"), "{refused}");
    let tables: i64 = other
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(tables, 1);
}

#[test]
fn a_file_that_is_not_a_database_is_reported_clearly() {
    let file = File::new();
    std::fs::write(file.folder.path().join("t.db"), vec![b'x'; 8_192]).expect("a file");
    let refused = file.open(&[ONE], Migrate::Run).err().expect("a refusal");
    assert!(matches!(refused, Error::Corrupt(_)), "{refused:?}");
    let nowhere = Db::open("sqlite:///nowhere/t.db", &Options::default(), &[], Migrate::Run);
    assert!(matches!(nowhere, Err(Error::Open { .. })));
    for url in ["mysql://x", "zoop.db", "sqlite://"] {
        let refused = Db::open(url, &Options::default(), &[], Migrate::Run);
        assert!(matches!(refused, Err(Error::Url)), "{url}");
    }
}

#[test]
fn a_backup_of_a_live_database_is_complete_and_restorable() {
    let file = File::new();
    let db = file.open(&[ONE, TWO], Migrate::Run).expect("opens");
    let copy = file.folder.path().join("copy.db");
    let mut steps = Vec::new();
    let path = file.folder.path().join("t.db");
    sqlite::copy(&path, &copy, &mut |done, all| steps.push((done, all))).expect("a backup");
    drop(db);
    assert_eq!(steps.last().map(|(done, all)| done == all), Some(true));
    let back = file.folder.path().join("back.db");
    sqlite::copy(&copy, &back, &mut |_, _| {}).expect("restored");
    let url = format!("sqlite://{}", back.display());
    let db = Db::open(&url, &Options::default(), &[ONE, TWO], Migrate::Refuse).expect("opens");
    assert_eq!(tables(&db), 2);
}

#[test]
fn a_closed_database_is_one_file() {
    let file = File::new();
    for _ in 0..50 {
        tables(&file.open(&[ONE], Migrate::Run).expect("opens"));
        assert!(!file.folder.path().join("t.db-wal").exists(), "the log should be removed");
    }
}
