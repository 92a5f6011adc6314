//! A database for each test, and tests that run on both engines.

use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Migrate, Migration, Options};

/// The database of one test, which is removed when this is dropped.
pub(crate) struct TestDatabase {
    url: String,
    _keeper: Keeper,
}

/// What to drop in order to remove the database.
#[expect(dead_code, reason = "held until they are dropped")]
enum Keeper {
    Folder(tempfile::TempDir),
    Database(zoop_postgres_cluster::Database),
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("t.db").display());
        Self { url, _keeper: Keeper::Folder(folder) }
    }

    pub(crate) fn postgres() -> Self {
        let database = zoop_postgres_cluster::database().expect("a database");
        Self { url: database.url().to_owned(), _keeper: Keeper::Database(database) }
    }

    pub(crate) fn open(
        &self,
        options: &Options,
        migrations: &[Migration],
        migrate: Migrate,
    ) -> Result<Db, Error> {
        Db::open(&self.url, options, migrations, migrate)
    }
}

/// A deadline that a passing test never reaches.
pub(crate) fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Runs each function as a test on each engine.
#[macro_export]
macro_rules! both_engines {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&super::TestDatabase::sqlite()); })*
        }
        mod on_postgres {
            $(#[test] fn $name() { super::$name(&super::TestDatabase::postgres()); })*
        }
    };
}
