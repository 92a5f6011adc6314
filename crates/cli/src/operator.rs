//! The operator's door: runs catalogue tools on the database itself, through the funnel, as
//! whoever can open the file.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use zoop_crm::access::Access;
use zoop_crm::clock::Environment;
use zoop_crm::error::{Error, FieldProblem};
use zoop_crm::id::{Id, kinds};
use zoop_crm::tool::ToolDef;
use zoop_crm::{catalog, credential, run, tenants};
use zoop_db::{Migrate, ReadTx, WriteTx};

use crate::config::Config;
use crate::database::{self, Database, Missing, told};
use crate::output::cell;

/// How long one command may wait and work.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom a call is about.
#[derive(Debug, Clone)]
pub(crate) enum About {
    /// No business: the installation.
    Installation,
    /// This business, by its id or name, or the only one.
    Tenant(Option<String>),
}

impl About {
    /// What a call is about whose record's id tells the business, unless one was named.
    pub(crate) fn whose_id_tells(tenant: Option<String>) -> Self {
        tenant.map_or(Self::Installation, |tenant| Self::Tenant(Some(tenant)))
    }
}

/// An open database and the world around it.
pub(crate) struct Operator {
    /// The database.
    pub(crate) database: Database,
    /// Clock, randomness and limits.
    pub(crate) environment: Environment,
}

/// How long reading the whole database may take.
const THOROUGH: Duration = Duration::from_secs(60 * 60);

impl Operator {
    /// Opens the database; an old schema is refused.
    pub(crate) fn open(config: &Config, missing: Missing) -> Result<Self> {
        Self::over(
            database::open(&config.database, &config.options_for_one(), missing, Migrate::Refuse)?,
            config,
        )
    }

    /// Works on a database that is open already.
    pub(crate) fn over(database: Database, config: &Config) -> Result<Self> {
        Ok(Self { database, environment: environment(config)? })
    }

    /// Runs a tool; its answer.
    pub(crate) fn run(&self, about: &About, tool: &str, arguments: &Value) -> Result<Value> {
        let tool = find(tool).map_err(|error| explained(&error))?;
        let arguments = without_nulls(arguments).to_string();
        let (about, environment) = (about.clone(), self.environment.clone());
        let deadline = Instant::now() + PATIENCE;
        let db = &self.database.db;
        let answer = if tool.is_read_only() {
            db.read::<_, Error>(deadline, move |tx| {
                let access = access(tx, &about, &environment)?;
                run::read(tx, &access, &environment, tool, &arguments)
            })
            .wait()
        } else {
            db.write::<_, Error>(deadline, move |tx| {
                let access = credential::for_write(tx, |tx| access(tx, &about, &environment))?;
                run::write(tx, &access, &environment, tool, &arguments, None)
            })
            .wait()
        };
        let answer = answer.map_err(|error| explained(&error))?;
        serde_json::from_str(&answer).context("a tool's answer is no JSON")
    }

    /// Reads the database for what no tool does.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> zoop_crm::error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let read = self.database.db.read(Instant::now() + PATIENCE, work).wait();
        read.map_err(|error| explained(&error))
    }

    /// Does what no tool does.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>) -> zoop_crm::error::Result<T> + Send + 'static,
    ) -> Result<T> {
        let write = self.database.db.write(Instant::now() + PATIENCE, work).wait();
        write.map_err(|error| explained(&error))
    }

    /// The name of the business that a call is about.
    pub(crate) fn business(&self, about: &About) -> Result<String> {
        let (about, environment) = (about.clone(), self.environment.clone());
        let id = self.read(move |tx| {
            let account = access(tx, &about, &environment)?.account;
            Ok(account.map(|account| account.id.to_string()))
        })?;
        let list = self.run(&About::Installation, "tenants.list", &json!({}))?;
        let mut rows = list["rows"].as_array().into_iter().flatten();
        let row = rows.find(|row| row["id"].as_str() == id.as_deref());
        let name = row.and_then(|row| row["name"].as_str()).context("the business has no name")?;
        Ok(name.to_owned())
    }

    /// The database, for a server.
    pub(crate) fn db(&self) -> zoop_db::Db {
        self.database.db.clone()
    }

    /// Reads the whole database and says whether its structure is sound.
    pub(crate) fn sound(&self) -> Result<String> {
        let deadline = Instant::now() + THOROUGH;
        let faults = self.database.db.read::<_, zoop_db::Error>(deadline, |tx| tx.faults());
        match faults.wait().map_err(|error| anyhow!(told(&error)))?.first() {
            None => Ok("the database's structure is sound".to_owned()),
            Some(fault) => bail!("the database is damaged ({fault}): restore a backup"),
        }
    }
}

/// What calls need from the world around them.
pub(crate) fn environment(config: &Config) -> Result<Environment> {
    let system = Environment::from_system().context("the system gives no randomness")?;
    Ok(Environment { note_writes_per_minute: config.limits.note_writes, ..system })
}

/// The tool with this name.
pub(crate) fn find(name: &str) -> zoop_crm::error::Result<&'static ToolDef> {
    catalog::find(name).ok_or_else(|| Error::internal(format!("there is no tool {name}")))
}

/// The operator's access to what a call is about.
fn access(
    tx: &mut ReadTx<'_>,
    about: &About,
    environment: &Environment,
) -> zoop_crm::error::Result<Access> {
    let id = match about {
        About::Installation => return Ok(Access::operator(None)),
        About::Tenant(Some(id)) if Id::<kinds::Tenant>::parse(id).is_some() => id.clone(),
        About::Tenant(Some(name)) => tenant_called(tx, environment, name)?,
        About::Tenant(None) => only_tenant(tx, environment)?,
    };
    let id = Id::parse(&id).ok_or(Error::not_found("tenant"))?;
    Ok(Access::operator(Some(tenants::account(tx, id)?)))
}

/// Every tenant: its id and its name.
fn tenants(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
) -> zoop_crm::error::Result<Vec<(String, String)>> {
    let list = find("tenants.list")?;
    let answer = run::read(tx, &Access::operator(None), environment, list, "{}")?;
    let answer: Value = serde_json::from_str(&answer)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(rows.iter().map(|row| (text(&row["id"]), text(&row["name"]))).collect())
}

/// The id of the only tenant with this name.
fn tenant_called(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    name: &str,
) -> zoop_crm::error::Result<String> {
    let wanted = name.trim().to_lowercase();
    let mut found = tenants(tx, environment)?;
    found.retain(|(_, name)| name.trim().to_lowercase() == wanted);
    let shown = cell(&json!(name));
    match found.as_slice() {
        [(id, _)] => Ok(id.clone()),
        [] => Err(Error::field(
            "--tenant",
            format!("names no business called {shown}: `zoop tenant list` shows them"),
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            let ids = ids.join(", ");
            Err(Error::field(
                "--tenant",
                format!("names several businesses called {shown}: write the id of one of {ids}"),
            ))
        }
    }
}

/// The id of the only tenant.
fn only_tenant(tx: &mut ReadTx<'_>, environment: &Environment) -> zoop_crm::error::Result<String> {
    match tenants(tx, environment)?.as_slice() {
        [(only, _)] => Ok(only.clone()),
        [] => Err(Error::invalid("there is no business yet: `zoop tenant create` makes one")),
        _ => Err(Error::invalid(
            "there are several businesses: say which one with --tenant NAME; `zoop tenant list` \
             shows them",
        )),
    }
}

/// Options that were not given are arguments that are not sent.
fn without_nulls(arguments: &Value) -> Value {
    let Value::Object(fields) = arguments else { return arguments.clone() };
    let sent = fields.iter().filter(|(_, value)| !value.is_null());
    Value::Object(sent.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A refusal in a sentence for whoever runs the installation; they may see causes.
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
            anyhow!("there is nobody with this id or e-mail address")
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

/// How many whole seconds a duration has, as tools count them.
pub(crate) fn seconds(duration: Option<Duration>) -> Value {
    duration.map_or(Value::Null, |duration| json!(duration.as_secs()))
}
