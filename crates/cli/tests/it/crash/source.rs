//! Reads the tables without the product: from a file, or from a server as its superuser.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use zoop_postgres_cluster::Database;

use crate::env::Folder;

pub(crate) enum Source<'a> {
    File(PathBuf),
    Server(&'a Database),
}

/// The columns of a row as strings; NULL is an empty string.
pub(crate) type Row = Vec<String>;

impl<'a> Source<'a> {
    /// The database of a folder.
    pub(crate) fn of(folder: &'a Folder) -> Self {
        folder.server().map_or_else(|| Self::File(folder.path("zoop.db")), Self::Server)
    }

    /// The rows of a query. Their texts must not contain a line break or a `|`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::File(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                let file = Connection::open_with_flags(path, flags).expect("a database");
                let mut statement = file.prepare(sql).expect("a statement");
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..columns).map(|column| Ok(text(row.get_ref(column)?))).collect()
                });
                rows.expect("rows").map(|row| row.expect("a row")).collect()
            }
            Self::Server(database) => {
                let rows = database.run_as_superuser(sql).expect("rows");
                rows.lines().map(|row| row.split('|').map(str::to_owned).collect()).collect()
            }
        }
    }

    /// An SQL expression for a column's id as 32 hexadecimal digits.
    pub(crate) fn digits(&self, column: &str) -> String {
        match self {
            Self::File(_) => format!("lower(hex({column}))"),
            Self::Server(_) => format!("replace({column}::text, '-', '')"),
        }
    }

    /// An id as an SQL literal.
    pub(crate) fn id(&self, id: &str) -> String {
        match self {
            Self::File(_) => format!("x'{}'", id.replace('-', "")),
            Self::Server(_) => format!("'{id}'::uuid"),
        }
    }

    /// The process ids of the server's sessions on this database.
    pub(crate) fn sessions(&self) -> BTreeSet<String> {
        match self {
            Self::File(_) => BTreeSet::new(),
            Self::Server(_) => {
                let sql = "SELECT pid FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                self.rows(sql).into_iter().flatten().collect()
            }
        }
    }

    /// The size of a file's log; `None` on a server.
    pub(crate) fn log_bytes(&self) -> Option<u64> {
        let Self::File(path) = self else { return None };
        let log = PathBuf::from(format!("{}-wal", path.display()));
        Some(std::fs::metadata(log).map_or(0, |file| file.len()))
    }

    /// Fails unless the database's structure and references are sound and the search indexes have exactly the tables'
    /// rows.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let key = match self {
            Self::File(_) => {
                assert_eq!(self.rows("PRAGMA integrity_check"), [["ok"]]);
                assert_eq!(self.rows("PRAGMA foreign_key_check"), [[""; 0]; 0]);
                "rowid"
            }
            Self::Server(_) => {
                self.rows("CREATE EXTENSION IF NOT EXISTS amcheck");
                // The check fails if an index and its table differ.
                let checked = self.rows(
                    "SELECT count(bt_index_check(indexrelid, true)) FROM pg_index \
                     JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam \
                     WHERE amname = 'btree' AND relnamespace = 'public'::regnamespace",
                );
                assert_ne!(checked, [["0"]]);
                "n"
            }
        };
        for (index, rows) in [("customer_search", "customers"), ("note_search", "notes")] {
            let differences = format!(
                "SELECT 'only in the table', n FROM (SELECT n FROM {rows} EXCEPT SELECT {key} FROM {index}) t \
                 UNION ALL \
                 SELECT 'only in the index', {key} FROM (SELECT {key} FROM {index} EXCEPT SELECT n FROM {rows}) i"
            );
            assert_eq!(self.rows(&differences), [[""; 0]; 0], "{index}");
        }
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}
