//! The bare driver: the statements of `customers.get`, taken from the product, run directly with rusqlite on
//! connections with the same settings; no HTTP, no JSON, no rules.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use zoop_crm::schema::{global_statements, statements};
use zoop_crm::values::secret::Secret;
use zoop_db::{Declared, Uuid};

/// The reads of a `customers.get` call.
pub(crate) struct Reads {
    key_hash: [u8; 32],
    tenant: i64,
    customers: Vec<[u8; 16]>,
}

impl Reads {
    /// Reads of these customers with this key.
    pub(crate) fn new(database: &Path, key: &str, customers: &[String]) -> Result<Self> {
        let key_hash = Secret::parse(key).context("the owner's key is not a valid key")?.hash();
        let tenant = open(database)?
            .prepare("SELECT tenant_no FROM api_keys WHERE hash = ?1")?
            .query_row([key_hash], |row| row.get(0))?;
        let id = |id: &String| {
            Ok(Uuid::try_parse(id).context("a customer's id is not a UUID")?.into_bytes())
        };
        let customers = customers.iter().map(id).collect::<Result<_>>()?;
        Ok(Self { key_hash, tenant, customers })
    }

    /// The number of calls per second with this many threads.
    pub(crate) fn per_second(
        &self,
        database: &Path,
        threads: usize,
        time: Duration,
    ) -> Result<f64> {
        let stop = AtomicBool::new(false);
        let calls = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn({
                        let stop = &stop;
                        move || self.read(database, thread, stop)
                    })
                })
                .collect();
            thread::sleep(time);
            stop.store(true, Ordering::Relaxed);
            threads.into_iter().try_fold(0, |sum, thread| {
                let calls = thread.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
                anyhow::Ok(sum + calls)
            })
        })?;
        Ok(f64::from(calls) / time.as_secs_f64())
    }

    fn read(&self, database: &Path, thread: usize, stop: &AtomicBool) -> Result<u32> {
        let connection = open(database)?;
        let prepare = |sql: &str| connection.prepare(&sql.replace('$', "?"));
        let (mut begin, mut commit) = (prepare("BEGIN")?, prepare("COMMIT")?);
        let mut key = prepare(global_statement("keys", "BY_HASH")?)?;
        let mut of_customer = [
            prepare(tenant_statement("customers", "GET")?)?,
            prepare(tenant_statement("contacts", "ACTIVE")?)?,
            prepare(tenant_statement("locations", "ACTIVE")?)?,
            prepare(tenant_statement("customers", "TAGS")?)?,
        ];
        let mut calls = 0;
        for id in self.customers.iter().cycle().skip(thread * 7_919) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            begin.execute([])?;
            read_all(&mut key.query(params![self.key_hash])?)?;
            for statement in &mut of_customer {
                read_all(&mut statement.query(params![self.tenant, id])?)?;
            }
            commit.execute([])?;
            calls += 1;
        }
        Ok(calls)
    }
}

/// Reads every column of every row.
fn read_all(rows: &mut rusqlite::Rows<'_>) -> Result<()> {
    while let Some(row) = rows.next()? {
        let mut column = 0;
        while let Ok(value) = row.get_ref(column) {
            std::hint::black_box(value);
            column += 1;
        }
    }
    Ok(())
}

fn open(database: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 36)?;
    connection.pragma_update(None, "cache_size", -4 * 1_024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// A statement of the product about one tenant's rows.
fn tenant_statement(module: &str, name: &str) -> Result<&'static str> {
    find(statements(), module, name).map(|sql| sql.sqlite())
}

/// A statement of the product about shared tables.
fn global_statement(module: &str, name: &str) -> Result<&'static str> {
    find(global_statements(), module, name).map(|sql| sql.sqlite())
}

/// The statement with this name in a module.
pub(crate) fn find<S: Copy + 'static>(
    mut declared: impl Iterator<Item = Declared<S>>,
    module: &str,
    name: &str,
) -> Result<S> {
    let of_module = declared.find(|(known, _)| *known == module);
    of_module
        .and_then(|(_, statements)| statements.iter().find(|(known, _)| *known == name))
        .map(|(_, sql)| *sql)
        .with_context(|| format!("the product has no statement {module} {name}"))
}
