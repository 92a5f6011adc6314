//! `zoop demo`: creates a sample business and serves it.
//!
//! The sample business is in the database that all other commands use, so they work with it directly. A database
//! that contains any other business is refused. A database of an earlier run is recognized by its only business,
//! which has the sample's name.

mod business;
mod clients;
mod customers;
#[cfg(test)]
mod requests;
mod sample;
mod welcome;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use zoop_crm::arguments;
use zoop_crm::call::access::Role;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::identity::keys::tools::{CreateKey, ListKeys, RevokeKey};
use zoop_crm::identity::users::tools::ListUsers;
use zoop_db::Migrate;

use crate::arguments::Demo;
use crate::config::Config;
use crate::database::{self, Missing};
use crate::hosting::{self, Listeners};
use crate::logging;
use crate::operator::{self, About, Operator, to_anyhow};
use crate::output::{self, Output};
use crate::url::without_password;

use self::welcome::{Credentials, Welcome};

/// The time limit for building the sample business, longer than any machine needs.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The names of the demo's keys.
const OWNERS_KEY: &str = "demo, owner";
const BUSINESS_KEY: &str = "demo, integrations";

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Demo, output: &mut Output<'_>) -> Result<()> {
    if command.clients {
        return clients::run(config, output);
    }
    // Log lines of requests would only clutter the output for a new user.
    let _log = logging::start(&config.log, "warn")?;
    let mut config = config.clone();
    "none".clone_into(&mut config.server.ops_listen);
    // The ports are bound first: there is no point in building a demo that cannot be reached.
    let listeners = Listeners::bind(&config)?;
    let database =
        database::open(&config.database, &config.options(), Missing::Create, Migrate::Run)?;
    let operator = Operator::with_database(database, &config)?;
    let (tenant_id, sample) = sample_tenant(&operator, &config)?;
    let issue = if sample == Sample::New || command.renew { Issue::Fresh } else { Issue::Nothing };
    let welcome = welcome(&operator, &config, &listeners, tenant_id, issue)?;
    let db = operator.database.db.clone();
    let environment = operator::environment(&config)?;
    hosting::run(&config, db, environment, listeners, || {
        output.answer(&welcome.object(), || welcome.text())?;
        Ok(())
    })
}

/// Whether this run has created the sample business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sample {
    New,
    Existing,
}

/// Which credentials a run issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Issue {
    /// A password and two keys, which replace those of earlier runs.
    Fresh,
    /// None, because an earlier run issued them. They cannot be shown again.
    Nothing,
}

/// The id of the sample business, which is built if the database has no business.
fn sample_tenant(operator: &Operator, config: &Config) -> Result<(String, Sample)> {
    let mut businesses = operator.businesses()?;
    let mut sample = Sample::Existing;
    if businesses.is_empty() {
        build(operator)?;
        sample = Sample::New;
        businesses = operator.businesses()?;
    }
    match businesses.as_slice() {
        [only] if only.name == business::NAME => Ok((only.id.to_string(), sample)),
        _ => bail!(
            "{} contains businesses that `zoop demo` did not create: run `zoop demo` with another \
             database, such as --database sqlite://zoop-demo.db",
            without_password(&config.database)
        ),
    }
}

/// Builds the sample business in one transaction.
fn build(operator: &Operator) -> Result<()> {
    let steps = u64::try_from(business::CUSTOMERS)?;
    let bar = output::progress("sample business", steps);
    let (environment, progress) = (operator.environment.clone(), bar.clone());
    let deadline = Instant::now() + TIMEOUT;
    let built = operator
        .database
        .db
        .write::<_, Error>(deadline, move |tx| business::build(tx, &environment, &progress))
        .wait();
    bar.finish_and_clear();
    built.map_err(|error| to_anyhow(&error)).context("the sample business could not be built")
}

/// Gathers the content of the welcome text. With [`Issue::Fresh`] it first issues new credentials.
fn welcome(
    operator: &Operator,
    config: &Config,
    listeners: &Listeners,
    tenant_id: String,
    issue: Issue,
) -> Result<Welcome> {
    let about = About::Tenant(Some(tenant_id.clone()));
    let members = operator.all::<ListUsers>(&about)?.into_iter().map(|user| user.member);
    let owner = members.into_iter().find(|member| member.role == Role::Owner);
    let owner = owner.context("the sample business has no owner")?;
    let owner_id = owner.id.to_string();
    let owner_email = owner.email;
    let credentials = match issue {
        Issue::Nothing => None,
        Issue::Fresh => Some(credentials(operator, &about, &owner_id, &owner_email)?),
    };
    Ok(Welcome {
        owner_email,
        url: listeners.public_url.clone(),
        credentials,
        tenant_id,
        owner_id,
        owner_name: owner.name,
        database: without_password(&config.database),
    })
}

/// Issues a new password and new keys. Earlier ones stop working, and the owner's sessions, connected programs
/// and second factor end.
fn credentials(
    operator: &Operator,
    about: &About,
    owner_id: &str,
    owner_email: &str,
) -> Result<Credentials> {
    for key in operator.all::<ListKeys>(about)? {
        let is_demo_key = [OWNERS_KEY, BUSINESS_KEY].contains(&key.name.as_str());
        if is_demo_key && key.revoked_at.is_none() {
            operator.command(about, arguments!(RevokeKey { id: key.id }))?;
        }
    }
    let key = |user: Option<&str>, name: &str| -> Result<String> {
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        let key = arguments!(CreateKey { user: user, scopes: scopes, name: name });
        Ok(operator.command(about, key)?.key)
    };
    Ok(Credentials {
        password: fresh_password(operator, owner_email)?,
        user_key: key(Some(owner_id), OWNERS_KEY)?,
        tenant_key: key(None, BUSINESS_KEY)?,
    })
}

/// Sets a random password for the owner, with 80 bits of entropy.
fn fresh_password(operator: &Operator, email: &str) -> Result<String> {
    let mut bytes = [0; 10];
    operator.environment.entropy.fill(&mut bytes);
    let digits: Vec<String> =
        bytes.chunks(2).map(|two| format!("{:02x}{:02x}", two[0], two[1])).collect();
    let password = digits.join("-");
    let sought = email.to_owned();
    let owner = operator.read(move |tx| zoop_crm::identity::sign_in::user::find(tx, &sought))?;
    super::user::set_password(operator, &owner, &password)?;
    Ok(password)
}
