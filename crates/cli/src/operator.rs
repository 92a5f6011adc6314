//! The operator: runs the catalog's tools directly on the database.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use zoop_crm::call::access::Access;
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
use crate::database::{self, Database, Missing, told};
use crate::output::cell;

/// Time limit for one command, including the time that it waits.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a call is about.
#[derive(Debug, Clone)]
pub(crate) enum About {
    /// No business: the installation.
    Installation,
    /// This business, by its id or name; without either, the only business.
    Tenant(Option<String>),
}

impl About {
    /// For a call in which the record's id determines the business, unless a business was named.
    pub(crate) fn whose_id_tells(tenant: Option<String>) -> Self {
        tenant.map_or(Self::Installation, |tenant| Self::Tenant(Some(tenant)))
    }
}

/// An open database and its environment.
pub(crate) struct Operator {
    /// The database.
    pub(crate) database: Database,
    /// Clock, randomness and limits.
    pub(crate) environment: Environment,
}

/// Time limit for reading the whole database.
const DOCTOR_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl Operator {
    /// Opens the database; an old schema is refused.
    pub(crate) fn open(config: &Config, missing: Missing) -> Result<Self> {
        Self::over(
            database::open(&config.database, &config.options_for_one(), missing, Migrate::Refuse)?,
            config,
        )
    }

    /// Works on a database that is already open.
    pub(crate) fn over(database: Database, config: &Config) -> Result<Self> {
        Ok(Self { database, environment: environment(config)? })
    }

    /// Runs a tool that reads one thing.
    pub(crate) fn query<T: Query<Output: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<T::Output> {
        let answer = self.runner().query(about.clone(), arguments).wait();
        answer.map_err(|error| explained(&error))
    }

    /// Reads a page of a list.
    pub(crate) fn list<T: List<Row: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<Page<T::Row>> {
        let answer = self.runner().list(about.clone(), arguments).wait();
        answer.map_err(|error| explained(&error))
    }

    /// Runs a tool that writes.
    pub(crate) fn command<T: Command<Output: Send>>(
        &self,
        about: &About,
        arguments: Arguments<T>,
    ) -> Result<T::Output> {
        let answer = self.runner().command(about.clone(), arguments).wait();
        answer.map_err(|error| explained(&error))
    }

    /// Every business.
    pub(crate) fn businesses(&self) -> Result<Vec<Tenant>> {
        let list = self.query(&About::Installation, Arguments::<ListTenants>::none())?;
        Ok(list.rows.into_iter().map(|row| row.tenant).collect())
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
        read.map_err(|error| explained(&error))
    }

    /// Runs a write for which there is no tool.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>) -> zoop_crm::call::error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let write = self.database.db.write(Instant::now() + TIMEOUT, work).wait();
        write.map_err(|error| explained(&error))
    }

    /// The name of the business that a call is about.
    pub(crate) fn business(&self, about: &About) -> Result<String> {
        let (proof, environment) = (about.clone(), self.environment.clone());
        let account = self.read(move |tx| Ok(proof.access(tx, &environment)?.account))?;
        let mut businesses = self.businesses()?.into_iter();
        let found = businesses.find(|it| account.is_some_and(|account| account.id == it.id));
        Ok(found.context("the business has no name")?.name)
    }

    /// Another handle to the database, for the server.
    pub(crate) fn db(&self) -> zoop_db::Db {
        self.database.db.clone()
    }

    /// Checks that the database's structure is sound. An SQLite file is read completely.
    pub(crate) fn sound(&self) -> Result<String> {
        let deadline = Instant::now() + DOCTOR_TIMEOUT;
        let faults = self.database.db.read::<_, zoop_db::Error>(deadline, |tx| tx.faults());
        match faults.wait().map_err(|error| anyhow!(told(&error)))?.first() {
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
                None => Some(tenant_called(tx, environment, name)?),
            },
            Self::Tenant(None) => Some(only_tenant(tx, environment)?),
        };
        authenticate::Operator { tenant }.access(tx, environment)
    }
}

/// Every tenant.
fn tenants(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
) -> zoop_crm::call::error::Result<Vec<Tenant>> {
    let proof = authenticate::Operator::ABOVE;
    let list = run::query(tx, environment, &proof, Arguments::<ListTenants>::none())?;
    Ok(list.rows.into_iter().map(|row| row.tenant).collect())
}

/// The only tenant with this name.
fn tenant_called(
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
            format!("names no business called {shown}: `zoop tenant list` shows them"),
        )),
        several => {
            let ids: Vec<String> = several.iter().map(|tenant| tenant.id.to_string()).collect();
            let ids = ids.join(", ");
            Err(Error::field(
                "--tenant",
                format!("names several businesses called {shown}: write the id of one of {ids}"),
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
            "there are several businesses: say which one with --tenant NAME; `zoop tenant list` \
             shows them",
        )),
    }
}

/// An error in a sentence for the operator, who may see causes.
pub(crate) fn explained(error: &Error) -> anyhow::Error {
    match error {
        Error::InvalidInput { fields, .. } if !fields.is_empty() => {
            let problem = |problem: &FieldProblem| format!("{} {}", problem.field, problem.problem);
            anyhow!("{}", fields.iter().map(problem).collect::<Vec<_>>().join("; "))
        }
        Error::InvalidInput { message, .. }
        | Error::Archived { message, .. }
        | Error::Conflict { message, .. } => anyhow!("{message}"),
        Error::NotFound { record: "tenant" } => {
            anyhow!("there is no tenant with this id: `zoop tenant list` shows them")
        }
        Error::NotFound { record: "person" } => {
            anyhow!("there is no user with this id or e-mail address")
        }
        Error::NotFound { record } => {
            anyhow!("there is no such {record}: check the id and, if you gave one, --tenant")
        }
        Error::InsufficientScope { .. } => anyhow!("the command line may not do this"),
        Error::Unavailable { cause } => anyhow!("the database is not available: {}", told(cause)),
        Error::Internal { cause } => {
            let told = cause.downcast_ref().map_or_else(|| cause.to_string(), told);
            anyhow!("something failed: {told}")
        }
    }
}

/// A duration in whole seconds, as tools count them.
pub(crate) fn seconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| duration.as_secs())
}
