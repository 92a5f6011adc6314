//! PostgreSQL with a generated database, and reads of it by the driver alone and by the product's storage.
//!
//! The server's data is kept between runs, because copying a million customers takes minutes. A run writes to it
//! only what `zoop serve` itself records, such as its address and the times when keys were last used.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use zoop_crm::schema::{MIGRATIONS, global_statements, statements};
use zoop_crm::values::secret::Secret;
use zoop_db::{Db, GlobalSql, Migrate, Options, ReadTx, Sql, Tenant, Uuid, params};
use zoop_postgres_cluster::{Cluster, Database};

use super::driver::find;
use super::server::Zoop;
use crate::say;

/// The number of concurrent reader connections.
pub(crate) const CONNECTIONS: usize = 8;

/// The database's name.
const NAME: &str = "zoop";

/// A running server that has a generated database.
pub(crate) struct Moved {
    /// The application's URL.
    pub(crate) url: String,
    /// The URL for the superuser, who is not subject to row-level security.
    superuser_url: String,
    /// How many rows per second `zoop copy` transferred.
    pub(crate) rows_per_second: f64,
    cluster: Cluster,
}

impl Moved {
    /// Starts PostgreSQL with the contents of `database`, which are copied there unless an earlier run did so.
    pub(crate) fn of(zoop: &Zoop, database: &Path) -> Result<Self> {
        let data = database.with_extension("postgres");
        let completed = data.join("whole");
        if data.exists() && !completed.exists() {
            fs::remove_dir_all(&data)?;
        }
        let cluster = Cluster::start_kept(&data)?;
        let (url, superuser_url) = (cluster.kept_database(NAME)?, cluster.superuser_url(NAME));
        if !completed.exists() {
            say(&format!("moving {} to PostgreSQL", database.display()));
            let began = Instant::now();
            let rows = u32::try_from(zoop.copy(database, &url)?)?;
            let rate = f64::from(rows) / began.elapsed().as_secs_f64();
            settle(&superuser_url)?;
            fs::write(&completed, rate.to_string())?;
        }
        let rows_per_second = fs::read_to_string(&completed)?
            .parse()
            .context("the file `whole` does not contain a rate")?;
        Ok(Self { url, superuser_url, rows_per_second, cluster })
    }

    /// A writable copy of the database. Dropping it removes the copy.
    pub(crate) fn copy(&self) -> Result<Database> {
        self.cluster.copy_of(NAME)
    }
}

/// Vacuums, analyzes and checkpoints now; by itself the server would do so later, during the measurement.
fn settle(url: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute("VACUUM ANALYZE").await?;
        client.batch_execute("CHECKPOINT").await?;
        connection.abort();
        Ok(())
    })
}

/// The statements of `customers.get`, taken from the product.
#[derive(Clone, Copy)]
struct Declared {
    key: GlobalSql,
    customer: Sql,
    relations: [Sql; 3],
}

/// Reads of single customers with a key.
pub(crate) struct Reads<'d> {
    moved: &'d Moved,
    key_hash: [u8; 32],
    tenant: Tenant,
    customers: Vec<Uuid>,
    declared: Declared,
}

/// The driver on a connection of its own, with prepared statements.
struct Driver {
    client: Client,
    key: Statement,
    customer: Statement,
    relations: [Statement; 3],
}

impl<'d> Reads<'d> {
    /// Reads of these customers of a tenant.
    pub(crate) fn new(
        moved: &'d Moved,
        key: &str,
        tenant: Tenant,
        customers: &[String],
    ) -> Result<Self> {
        let id = |id: &String| Uuid::try_parse(id).context("a customer's id is not a UUID");
        let customers = customers.iter().map(id).collect::<Result<_>>()?;
        let key_hash = Secret::parse(key).context("the owner's key is not a valid key")?.hash();
        let declared = Declared {
            key: find(global_statements(), "keys", "BY_HASH")?,
            customer: find(statements(), "customers", "GET")?,
            relations: [
                find(statements(), "contacts", "ACTIVE")?,
                find(statements(), "locations", "ACTIVE")?,
                find(statements(), "customers", "TAGS")?,
            ],
        };
        Ok(Self { moved, key_hash, tenant, customers, declared })
    }

    /// How many customers per second the driver alone reads, with one query for each.
    pub(crate) fn bare(&self, time: Duration) -> Result<f64> {
        let tenant = i32::try_from(self.tenant.0)?;
        self.by_driver(time, async |driver, id| {
            driver.client.query(&driver.customer, &[&tenant, &id]).await.map(drop)
        })
    }

    /// The number of customers per second that the product's storage reads, each in a snapshot bound to its
    /// tenant.
    pub(crate) fn bound(&self, time: Duration) -> Result<f64> {
        let (tenant, Declared { customer, .. }) = (self.tenant, self.declared);
        self.by_storage(time, move |tx, id| {
            tx.bind(tenant);
            tx.first::<Uuid, _>(customer, params![id], |row| row.take()).map(drop)
        })
    }

    /// How many times per second the driver alone runs all statements of a `customers.get` call. It pipelines those
    /// that the product pipelines.
    pub(crate) fn bare_calls(&self, time: Duration) -> Result<f64> {
        let (tenant, key_hash) = (i32::try_from(self.tenant.0)?, self.key_hash.as_slice());
        self.by_driver(time, async |driver, id| {
            let Driver { client, key, customer, relations: [contacts, locations, tags] } = driver;
            client.query(key, &[&key_hash]).await?;
            let which: [&(dyn ToSql + Sync); 2] = [&tenant, &id];
            client.query(customer, &which).await?;
            tokio::try_join!(
                client.query(contacts, &which),
                client.query(locations, &which),
                client.query(tags, &which),
            )
            .map(drop)
        })
    }

    /// How many times per second the product's storage runs the statements of a call, each time in the snapshot of
    /// the key's tenant.
    pub(crate) fn bound_calls(&self, time: Duration) -> Result<f64> {
        let (key_hash, Declared { key, customer, relations }) = (self.key_hash, self.declared);
        self.by_storage(time, move |tx, id| {
            let tenant = tx.global_first::<_, zoop_db::Error>(key, params![key_hash], |row| {
                row.take::<Uuid>()?;
                row.take()
            })?;
            tx.bind(Tenant(tenant.unwrap_or_default()));
            tx.first::<Uuid, zoop_db::Error>(customer, params![id], |row| row.take())?;
            let [contacts, locations, tags] = relations;
            let customer = params![id];
            tx.pipelined::<Uuid, Uuid, Uuid, zoop_db::Error>(
                (contacts, customer, |row| row.take()),
                (locations, customer, |row| row.take()),
                (tags, customer, |row| row.take()),
            )
            .map(drop)
        })
    }

    /// The driver's rate over all reader connections.
    fn by_driver(
        &self,
        time: Duration,
        ask: impl AsyncFn(&Driver, Uuid) -> Result<(), tokio_postgres::Error> + Sync,
    ) -> Result<f64> {
        per_second(time, |first, stop| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (client, connection) =
                    tokio_postgres::connect(&self.moved.superuser_url, NoTls).await?;
                let connection = tokio::spawn(connection);
                let driver = Driver::prepare(client, &self.declared).await?;
                let mut calls = 0;
                for id in self.customers.iter().cycle().skip(first) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    ask(&driver, *id).await?;
                    calls += 1;
                }
                connection.abort();
                Ok(calls)
            })
        })
    }

    /// The rate of the product's storage, called by as many threads as `by_driver` has connections.
    fn by_storage(
        &self,
        time: Duration,
        read: impl Fn(&mut ReadTx<'_>, Uuid) -> Result<(), zoop_db::Error>
        + Copy
        + Send
        + Sync
        + 'static,
    ) -> Result<f64> {
        let db = Db::open(&self.moved.url, &Options::default(), MIGRATIONS, Migrate::Refuse)?;
        per_second(time, |first, stop| {
            let mut calls = 0;
            for id in self.customers.iter().copied().cycle().skip(first) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let deadline = Instant::now() + Duration::from_secs(10);
                db.read::<_, zoop_db::Error>(deadline, move |tx| read(tx, id)).wait()?;
                calls += 1;
            }
            Ok(calls)
        })
    }
}

impl Driver {
    async fn prepare(client: Client, declared: &Declared) -> Result<Self, tokio_postgres::Error> {
        let [contacts, locations, tags] = declared.relations.map(|sql| sql.postgres());
        Ok(Self {
            key: client.prepare(declared.key.postgres()).await?,
            customer: client.prepare(declared.customer.postgres()).await?,
            relations: [
                client.prepare(contacts).await?,
                client.prepare(locations).await?,
                client.prepare(tags).await?,
            ],
            client,
        })
    }
}

/// The total rate of as many readers as there are connections.
fn per_second(
    time: Duration,
    read: impl Fn(usize, &AtomicBool) -> Result<u32> + Sync,
) -> Result<f64> {
    let stop = AtomicBool::new(false);
    let calls = thread::scope(|scope| {
        let readers: Vec<_> = (0..CONNECTIONS)
            .map(|reader| {
                let (read, stop) = (&read, &stop);
                scope.spawn(move || read(reader * 977, stop))
            })
            .collect();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        readers.into_iter().try_fold(0, |sum, reader| {
            anyhow::Ok(sum + reader.join().map_err(|_| anyhow!("a reader panicked"))??)
        })
    })?;
    Ok(f64::from(calls) / time.as_secs_f64())
}
