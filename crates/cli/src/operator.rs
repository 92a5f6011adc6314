//! The operator: runs the catalog's tools directly on the database.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use zoop_crm::call::access::{Access, Account};
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::{Error, FieldProblem};
use zoop_crm::call::proof::Proof;
use zoop_crm::call::run;
use zoop_crm::call::run::Runner;
use zoop_crm::call::tool::{Command, List, Query};
use zoop_crm::identity::authenticate;
use zoop_crm::identity::tenants::Tenant;
use zoop_crm::identity::tenants::tools::ListTenants;
use zoop_crm::values::clock::Environment;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{Migrate, ReadTx, WriteTx};

use crate::config::Config;
use crate::database::{self, Database, Missing, describe};
use crate::output::cell;

/// The time limit for one call, including its wait in the queue.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The time limit for a call that writes for long.
const LONG_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The business that a call is about, if any.
#[derive(Debug, Clone)]
pub(crate) enum About {
    /// The installation, not a business.
    Installation,
    /// The business with this id or name; with `None`, the only business.
    Tenant(Option<String>),
}

impl About {
    /// The named business. Without a name it is the installation, because the record's id determines the business.
    pub(crate) fn from_record_id(tenant: Option<String>) -> Self {
        tenant.map_or(Self::Installation, |tenant| Self::Tenant(Some(tenant)))
    }
}

/// An open database and its environment.
pub(crate) struct Operator {
    /// The database.
    pub(crate) database: Database,
    /// The clock, the source of randomness, and the limits.
    pub(crate) environment: Environment,
}

/// The time limit for reading the whole database.
const DOCTOR_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl Operator {
    /// Opens the database; an old schema is refused.
    pub(crate) fn open(config: &Config, missing: Missing) -> Result<Self> {
        Self::with_database(
            database::open(
                &config.database,
                &config.sequential_options(),
                missing,
                Migrate::Refuse,
            )?,
            config,
        )
    }

    /// An operator on a database that is already open.
    pub(crate) fn with_database(database: Database, config: &Config) -> Result<Self> {
        Ok(Self { database, environment: environment(config)? })
    }

    /// Runs a tool that reads one thing.
    pub(crate) fn query<T: Query<Output: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<T::Output> {
        let answer = self.runner().query(about.clone(), arguments).wait();
        answer.map_err(|error| to_anyhow(&error))
    }

    /// Reads a page of a list.
    pub(crate) fn list<T: List<Row: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<Page<T::Row>> {
        let answer = self.runner().list(about.clone(), arguments).wait();
        answer.map_err(|error| to_anyhow(&error))
    }

    /// All rows of a list, read page by page.
    pub(crate) fn all<T: List<Row: Send>>(&self, about: &About) -> Result<Vec<T::Row>> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.list(about, Arguments::<T>::none().after(cursor))?;
            rows.extend(page.rows);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Runs a tool that writes.
    pub(crate) fn command<T: Command<Output: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<T::Output> {
        let answer = self.runner().command(about.clone(), arguments).wait();
        answer.map(|ran| ran.output).map_err(|error| to_anyhow(&error))
    }

    /// Runs a tool that may write for long, in many transactions.
    pub(crate) fn long_command<T: Command<Output: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<T::Output> {
        let runner = Runner { deadline: Instant::now() + LONG_TIMEOUT, ..self.runner() };
        let answer = runner.command(about.clone(), arguments).wait();
        answer.map(|ran| ran.output).map_err(|error| to_anyhow(&error))
    }

    /// All businesses.
    pub(crate) fn businesses(&self) -> Result<Vec<Tenant>> {
        let rows = self.all::<ListTenants>(&About::Installation)?;
        Ok(rows.into_iter().map(|row| row.tenant).collect())
    }

    fn runner(&self) -> Runner<'_> {
        let deadline = Instant::now() + TIMEOUT;
        Runner { db: &self.database.db, environment: &self.environment, deadline }
    }

    /// Runs a read for which there is no tool.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> zoop_crm::call::error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let read = self.database.db.read(Instant::now() + TIMEOUT, work).wait();
        read.map_err(|error| to_anyhow(&error))
    }

    /// Runs a write for which there is no tool.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>) -> zoop_crm::call::error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let write = self.database.db.write(Instant::now() + TIMEOUT, work).wait();
        write.map_err(|error| to_anyhow(&error))
    }

    /// The business that a call is about.
    pub(crate) fn account(&self, about: &About) -> Result<Account> {
        let (proof, environment) = (about.clone(), self.environment.clone());
        let account = self.read(move |tx| Ok(proof.access(tx, &environment)?.account))?;
        account.context("the command is about no business")
    }

    /// The name of the business that a call is about.
    pub(crate) fn business(&self, about: &About) -> Result<String> {
        let account = self.account(about)?;
        let mut businesses = self.businesses()?.into_iter();
        let found = businesses.find(|it| account.id == it.id);
        Ok(found.context("the business has no name")?.name)
    }

    /// Another handle to the database.
    pub(crate) fn db(&self) -> zoop_db::Db {
        self.database.db.clone()
    }

    /// Checks that the database's structure is sound. An SQLite file is read completely.
    pub(crate) fn check_structure(&self) -> Result<String> {
        let deadline = Instant::now() + DOCTOR_TIMEOUT;
        let faults = self.database.db.read::<_, zoop_db::Error>(deadline, |tx| tx.faults());
        match faults.wait().map_err(|error| anyhow!(describe(&error)))?.first() {
            None => Ok("the database's structure is sound".to_owned()),
            Some(fault) => bail!("the database is damaged ({fault}): restore a backup"),
        }
    }
}

/// The environment of calls.
pub(crate) fn environment(config: &Config) -> Result<Environment> {
    let system = Environment::from_system().context("the system provides no randomness")?;
    Ok(Environment {
        note_writes_per_minute: config.limits.note_writes,
        storage_limit: config.limits.storage.0,
        files_limit: config.files.account_limit.0,
        ..system
    })
}

impl Proof for About {
    type Refusal = Error;

    fn access(
        &self,
        tx: &mut ReadTx<'_>,
        environment: &Environment,
    ) -> zoop_crm::call::error::Result<Access> {
        let tenant = match self {
            Self::Installation => None,
            Self::Tenant(Some(name)) => match Id::parse(name) {
                Some(id) => Some(id),
                None => Some(tenant_by_name(tx, environment, name)?),
            },
            Self::Tenant(None) => Some(only_tenant(tx, environment)?),
        };
        authenticate::Operator { tenant }.access(tx, environment)
    }
}

/// All tenants.
fn tenants(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
) -> zoop_crm::call::error::Result<Vec<Tenant>> {
    let proof = authenticate::Operator::OUTSIDE_TENANTS;
    let mut tenants = Vec::new();
    let mut cursor = None;
    loop {
        let arguments = Arguments::<ListTenants>::none().after(cursor);
        let page = run::list(tx, environment, &proof, arguments)?;
        tenants.extend(page.rows.into_iter().map(|row| row.tenant));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(tenants);
        }
    }
}

/// The only tenant with this name.
fn tenant_by_name(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    name: &str,
) -> zoop_crm::call::error::Result<Id<kinds::Tenant>> {
    let wanted = name.trim().to_lowercase();
    let mut found = tenants(tx, environment)?;
    found.retain(|tenant| tenant.name.trim().to_lowercase() == wanted);
    let shown = cell(&json!(name));
    match found.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Error::field(
            "--tenant",
            format!("names no business called {shown}: `zoop tenant list` lists all businesses"),
        )),
        several => {
            let ids: Vec<String> = several.iter().map(|tenant| tenant.id.to_string()).collect();
            let ids = ids.join(", ");
            Err(Error::field(
                "--tenant",
                format!(
                    "is ambiguous: several businesses are called {shown}; write one of the ids {ids}"
                ),
            ))
        }
    }
}

/// The only tenant.
fn only_tenant(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
) -> zoop_crm::call::error::Result<Id<kinds::Tenant>> {
    match tenants(tx, environment)?.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Error::invalid("there is no business yet: `zoop tenant create` creates one")),
        _ => Err(Error::invalid(
            "there are several businesses: choose one with --tenant NAME; `zoop tenant list` \
             lists them",
        )),
    }
}

/// An error for the operator, who may see its cause.
pub(crate) fn to_anyhow(error: &Error) -> anyhow::Error {
    match error {
        Error::InvalidInput { fields, .. } if !fields.is_empty() => {
            let problem = |problem: &FieldProblem| format!("{} {}", problem.field, problem.problem);
            anyhow!("{}", fields.iter().map(problem).collect::<Vec<_>>().join("; "))
        }
        Error::InvalidInput { message, .. }
        | Error::Unusable { message, .. }
        | Error::Conflict { message, .. } => anyhow!("{message}"),
        Error::NotFound { record: "tenant" } => {
            anyhow!("there is no business with this id: `zoop tenant list` lists them")
        }
        Error::NotFound { record: "person" } => {
            anyhow!("there is no user with this id or e-mail address")
        }
        Error::NotFound { record } => {
            anyhow!("there is no such {record}: check the id and --tenant")
        }
        Error::InsufficientScope { .. } => anyhow!("the command line may not do this"),
        Error::Unavailable { cause } => {
            anyhow!("the database is not available: {}", describe(cause))
        }
        Error::Internal { cause } => {
            let text = cause.downcast_ref().map_or_else(|| cause.to_string(), describe);
            anyhow!("the command failed: {text}")
        }
    }
}

/// A duration in whole seconds, the unit of the tools.
pub(crate) fn seconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| duration.as_secs())
}
