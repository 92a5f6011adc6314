//! The sample business, built by tool calls: the operator creates the business, its users and its work, and attaches
//! tags; the owner and the office create tags and customers; all users write notes. This is one transaction, so an
//! interrupted demo leaves nothing behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use indicatif::ProgressBar;
use zoop_crm::arguments;
use zoop_crm::business::tags::tools::CreateTag;
use zoop_crm::call::access::Source;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::run;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::call::tool::{Command, List};
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::identity::keys::tools::{CreateKey, RevokeKey};
use zoop_crm::identity::tenants::tools::CreateTenant;
use zoop_crm::identity::users::tools::CreateUser;
use zoop_crm::values::clock::{Clock, Environment, rfc3339};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::size::Size;
use zoop_db::{Timestamp, WriteTx};

use super::customers::Customers;
use super::sample::{self, SampleRng};

/// The business's name, by which a database of `zoop demo` is recognized.
pub(super) const NAME: &str = "Copper Creek Plumbing & Lawn (zoop demo)";
/// The time zone of most of the sample addresses.
const TIME_ZONE: &str = "America/New_York";
/// The number of the business's customers.
pub(super) const CUSTOMERS: usize = 300;
/// How far back the business's records go, in microseconds: a year and a half.
const HISTORY_LENGTH: i64 = 540 * 86_400 * 1_000_000;
/// How far each tool call advances the clock, in microseconds.
const CLOCK_STEP: i64 = 37 * 1_000_000;
const SEED: u64 = 20_260_613;

const STAFF: &[(&str, &str, &str)] = &[
    ("Dana Whitfield", "dana@copper-creek.example", "owner"),
    ("Priya Raman", "priya@copper-creek.example", "office"),
    ("Luis Ortega", "luis@copper-creek.example", "tech"),
    ("Sam Kowalczyk", "sam@copper-creek.example", "tech"),
];

/// A clock in the business's past; each tool call advances it.
struct PastClock(AtomicI64);

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A user of the business, with the key that they use while the sample is built.
struct Colleague {
    user: Id<kinds::User>,
    key: Id<kinds::Key>,
    proof: Bearer,
}

/// The business under construction.
pub(super) struct Builder<'b, 'c> {
    tx: &'b mut WriteTx<'c>,
    environment: Environment,
    clock: Arc<PastClock>,
    /// The source of repeatable choices.
    pub(super) rng: SampleRng,
    /// The operator: first of the installation, then of the business.
    operator: Operator,
    staff: Vec<Colleague>,
}

/// Builds the business, whose past ends now. Ids and keys are random; everything else is the same in every demo.
pub(super) fn build(
    tx: &mut WriteTx<'_>,
    real: &Environment,
    progress: &ProgressBar,
) -> Result<()> {
    let end = real.clock.now().0;
    let clock = Arc::new(PastClock(AtomicI64::new(end - HISTORY_LENGTH)));
    let environment = Environment {
        clock: clock.clone(),
        entropy: real.entropy.clone(),
        note_writes_per_minute: 0,
        storage_limit: Size(0),
        files_limit: Size(0),
        dropped_client_keys: Arc::default(),
    };
    let operator = Operator::OUTSIDE_TENANTS;
    let rng = SampleRng::new(SEED);
    let mut builder = Builder { tx, environment, clock, rng, operator, staff: Vec::new() };
    builder.create_tenant()?;
    let tags = builder.create_tags()?;
    let mut customers = Customers::new(&builder.rng, tags);
    progress.set_position(0);
    for number in 0..CUSTOMERS {
        let days_work = HISTORY_LENGTH / i64::try_from(CUSTOMERS).unwrap_or(i64::MAX);
        let morning = end - HISTORY_LENGTH + days_work * i64::try_from(number).unwrap_or_default();
        builder.clock.0.fetch_max(morning, Ordering::Relaxed);
        customers.add(&mut builder, number)?;
        progress.inc(1);
    }
    customers.archive_some(&mut builder)?;
    builder.revoke_keys()
}

impl Builder<'_, '_> {
    /// Creates the tenant and its users.
    fn create_tenant(&mut self) -> Result<()> {
        let (name, email, _) = STAFF[0];
        let tenant = arguments!(CreateTenant {
            name: NAME,
            owner_name: name,
            owner_email: email,
            time_zone: TIME_ZONE,
        });
        let created = self.as_operator(tenant)?;
        self.operator = Operator::of(created.tenant_id);
        for (name, email, role) in STAFF {
            let user = if *role == "owner" {
                created.owner_id
            } else {
                let user = arguments!(CreateUser { name: *name, email: *email, role: *role });
                self.as_operator(user)?.user_id
            };
            let colleague = self.give_key(user)?;
            self.staff.push(colleague);
        }
        Ok(())
    }

    /// Creates the key that a user uses while the sample is built.
    fn give_key(&mut self, user: Id<kinds::User>) -> Result<Colleague> {
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        let key = arguments!(CreateKey { user: user, scopes: scopes, name: "sample data" });
        let created = self.as_operator(key)?;
        let source = Source { client: Some("zoop demo".to_owned()), address: None };
        Ok(Colleague { user, key: created.key_id, proof: Bearer { token: created.key, source } })
    }

    /// Revokes the keys that [`Self::give_key`] created.
    fn revoke_keys(mut self) -> Result<()> {
        for colleague in std::mem::take(&mut self.staff) {
            self.as_operator(arguments!(RevokeKey { id: colleague.key }))?;
        }
        Ok(())
    }

    /// Creates the tags; returns their ids in the order of the file.
    fn create_tags(&mut self) -> Result<Vec<Id<kinds::Tag>>> {
        let tags = sample::tags();
        tags.into_iter()
            .map(|[name, color]| {
                Ok(self.as_office(arguments!(CreateTag { name: name, color: color }))?.id)
            })
            .collect()
    }

    /// Runs a tool as the operator.
    pub(super) fn as_operator<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        self.clock.0.fetch_add(CLOCK_STEP, Ordering::Relaxed);
        run::command(self.tx, &self.environment, &self.operator, arguments)
    }

    /// Runs a tool as the owner or the office.
    pub(super) fn as_office<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        let who = self.rng.below(2);
        self.run_as(who, arguments)
    }

    /// Runs a tool as any user of the business.
    pub(super) fn as_anyone<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        let who = self.rng.below(self.staff.len());
        self.run_as(who, arguments)
    }

    /// Runs a tool as the owner.
    pub(super) fn as_owner<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        self.run_as(0, arguments)
    }

    /// The crew in the field.
    pub(super) fn crew(&self) -> Vec<String> {
        let crew = self.staff.iter().zip(STAFF).filter(|(_, (.., role))| *role == "tech");
        crew.map(|(colleague, _)| colleague.user.to_string()).collect()
    }

    /// A full hour some days from now, as callers send it.
    pub(super) fn in_days(&self, days: i64) -> String {
        const HOUR: i64 = 3_600 * 1_000_000;
        let Timestamp(now) = self.clock.now();
        rfc3339(Timestamp((now + days * 24 * HOUR).div_euclid(HOUR) * HOUR))
    }

    /// Reads a page of a list as the owner or the office.
    pub(super) fn read_as_office<T: List>(
        &mut self,
        arguments: Arguments<T>,
    ) -> Result<Vec<T::Row>> {
        let who = self.rng.below(2);
        self.clock.0.fetch_add(CLOCK_STEP, Ordering::Relaxed);
        let colleague = self.staff.get(who).ok_or(Error::not_found("user"))?;
        run::list(self.tx, &self.environment, &colleague.proof, arguments)
            .map(|page| page.rows)
            .map_err(Refusal::of_own_credential)
    }

    fn run_as<T: Command>(&mut self, who: usize, arguments: Arguments<T>) -> Result<T::Output> {
        self.clock.0.fetch_add(CLOCK_STEP, Ordering::Relaxed);
        let colleague = self.staff.get(who).ok_or(Error::not_found("user"))?;
        run::command(self.tx, &self.environment, &colleague.proof, arguments)
            .map_err(Refusal::of_own_credential)
    }
}
