//! PostgreSQL with a generated database in it, and reads of it by the driver alone.
//!
//! The server's data are kept: moving a million customers takes minutes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio_postgres::NoTls;
use zoop_crm::schema::{MIGRATIONS, statements};
use zoop_db::{Db, Migrate, Options, Sql, Tenant, Uuid, params};
use zoop_postgres_cluster::Cluster;

use super::driver::find;
use super::server::Zoop;
use crate::say;

/// Connections that read at once.
pub(crate) const CONNECTIONS: usize = 8;

/// A running server that has a generated database.
pub(crate) struct Moved {
    /// The application's URL.
    pub(crate) url: String,
    _cluster: Cluster,
}

impl Moved {
    /// The same database on PostgreSQL; it is moved there the first time.
    pub(crate) fn of(zoop: &Zoop, database: &Path) -> Result<Self> {
        let data = database.with_extension("postgres");
        let is_whole = data.join("whole");
        if data.exists() && !is_whole.exists() {
            fs::remove_dir_all(&data)?;
        }
        let cluster = Cluster::start_kept(&data)?;
        let url = cluster.kept_database("zoop")?;
        if !is_whole.exists() {
            say(&format!("moving {} to PostgreSQL", database.display()));
            zoop.copy(database, &url)?;
            fs::write(&is_whole, "")?;
        }
        Ok(Self { url, _cluster: cluster })
    }
}

/// Reads of single customers.
pub(crate) struct Reads<'d> {
    url: &'d str,
    tenant: Tenant,
    customers: Vec<Uuid>,
    get: Sql,
}

impl<'d> Reads<'d> {
    /// Reads of these customers of a tenant.
    pub(crate) fn new(url: &'d str, tenant: Tenant, customers: &[String]) -> Result<Self> {
        let id = |id: &String| Uuid::try_parse(id).context("an id");
        let get = find(statements(), "customers", "GET")?;
        let customers = customers.iter().map(id).collect::<Result<_>>()?;
        Ok(Self { url, tenant, customers, get })
    }

    /// How many a second the driver alone makes, each a statement by itself.
    pub(crate) fn bare(&self, time: Duration) -> Result<f64> {
        per_second(time, |place, stop| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(self.url, NoTls).await?;
                let connection = tokio::spawn(connection);
                client.batch_execute(&format!("SET app.tenant = {}", self.tenant.0)).await?;
                let statement = client.prepare(self.get.postgres()).await?;
                let tenant = i32::try_from(self.tenant.0)?;
                let mut calls = 0;
                for id in self.customers.iter().cycle().skip(place) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    client.query(&statement, &[&tenant, id]).await?;
                    calls += 1;
                }
                connection.abort();
                Ok(calls)
            })
        })
    }

    /// How many a second the product's storage makes, each in a snapshot bound to its tenant.
    pub(crate) fn bound(&self, time: Duration) -> Result<f64> {
        let db = Db::open(self.url, &Options::default(), MIGRATIONS, Migrate::Refuse)?;
        per_second(time, |place, stop| {
            let mut calls = 0;
            for id in self.customers.iter().copied().cycle().skip(place) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (tenant, get) = (self.tenant, self.get);
                let deadline = Instant::now() + Duration::from_secs(10);
                let read = db.read::<_, zoop_db::Error>(deadline, move |tx| {
                    tx.bind(tenant);
                    tx.first::<Uuid, _>(get, params![id], |row| row.take())
                });
                read.wait()?.context("a customer")?;
                calls += 1;
            }
            Ok(calls)
        })
    }
}

/// What as many readers as there are connections do together in some time.
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
