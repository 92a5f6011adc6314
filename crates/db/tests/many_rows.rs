//! One statement that writes many rows.

mod common;

use common::{TestDatabase, far};
use zoop_db::{Db, Error, Migrate, Migration, Options, Tenant, Value};

const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_init",
    sqlite: "CREATE TABLE numbers (tenant_no INTEGER, number INTEGER UNIQUE) STRICT;",
    postgres: "CREATE TABLE numbers (tenant_no integer, number bigint UNIQUE);",
}];

zoop_db::statements! {
    ADD = {
        sqlite: "INSERT INTO numbers (tenant_no, number) VALUES ($1, $2)",
        postgres: "INSERT INTO numbers (tenant_no, number) \
                   SELECT $1::integer, * FROM unnest($2::bigint[])",
    };
    SUM = "SELECT count(*), CAST(sum(number) AS bigint) FROM numbers WHERE tenant_no = $1";
}

/// More rows than fit into one buffer of a connection.
const ROWS: i64 = 5_000;

both_engines! {
    every_row_is_written
    one_rejected_row_rolls_back_all
}

fn open(database: &TestDatabase) -> Db {
    database.open(&Options::default(), MIGRATIONS, Migrate::Run).expect("opens")
}

fn add(db: &Db, numbers: impl Iterator<Item = i64> + Clone + Send + 'static) -> Result<(), Error> {
    let added = db.write(far(), move |tx| {
        tx.bind(Tenant(1));
        let rows: Vec<_> = numbers.clone().map(|number| vec![Value::Integer(number)]).collect();
        tx.execute_each(ADD, &rows)
    });
    added.wait()
}

fn sum(db: &Db) -> (i64, Option<i64>) {
    let summed = db.read::<_, Error>(far(), |tx| {
        tx.bind(Tenant(1));
        tx.first::<_, Error>(SUM, &[], |row| Ok((row.take()?, row.take()?)))?.ok_or(Error::NoRow)
    });
    summed.wait().expect("a sum")
}

fn every_row_is_written(database: &TestDatabase) {
    let db = open(database);
    add(&db, 1..=ROWS).expect("rows");
    assert_eq!(sum(&db), (ROWS, Some(ROWS * (ROWS + 1) / 2)));
    add(&db, std::iter::empty()).expect("no row");
}

fn one_rejected_row_rolls_back_all(database: &TestDatabase) {
    let db = open(database);
    let twice = (1..=ROWS).chain([ROWS / 2]).chain(ROWS + 1..ROWS * 2);
    let refused = add(&db, twice).expect_err("a refusal");
    assert!(matches!(refused, Error::Unique(_)), "{refused:?}");
    assert_eq!(sum(&db), (0, None));
    add(&db, 1..=3).expect("the connection still works");
    assert_eq!(sum(&db), (3, Some(6)));
}
