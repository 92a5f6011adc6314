//! The sample business, built by tool calls: the operator creates the business, its users and its work, and
//! attaches tags; the owner and the office create tags and customers; any user writes notes. It is built in
//! one transaction, so an interrupted demo leaves nothing half done.

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
use zoop_crm::call::tool::{Command, Query};
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::identity::keys::tools::{CreateKey, RevokeKey};
use zoop_crm::identity::tenants::tools::CreateTenant;
use zoop_crm::identity::users::tools::CreateUser;
use zoop_crm::values::clock::{Clock, Environment};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::size::Size;
use zoop_db::{Timestamp, WriteTx};

use super::customers::Customers;
use super::sample::{self, Dice};

/// The business's name, which identifies a database of `zoop demo`.
pub(super) const NAME: &str = "Copper Creek Plumbing & Lawn (zoop demo)";
/// The number of the business's customers.
pub(super) const CUSTOMERS: usize = 300;
/// How far the business's records go back, in microseconds: a year and a half.
const PAST: i64 = 540 * 86_400 * 1_000_000;
/// How far each call advances the clock, in microseconds.
const STEP: i64 = 37 * 1_000_000;
const SEED: u64 = 20_260_613;

const STAFF: &[(&str, &str, &str)] = &[
    ("Dana Whitfield", "dana@copper-creek.example", "owner"),
    ("Priya Raman", "priya@copper-creek.example", "office"),
    ("Luis Ortega", "luis@copper-creek.example", "tech"),
    ("Sam Kowalczyk", "sam@copper-creek.example", "tech"),
];

/// The clock of the business's past; each call advances it.
struct PastClock(AtomicI64);

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A user of the business, with the key that they use while the sample is built.
struct Colleague {
    key: Id<kinds::Key>,
    proof: Bearer,
}

/// The business under construction.
pub(super) struct Builder<'b, 'c> {
    tx: &'b mut WriteTx<'c>,
    environment: Environment,
    clock: Arc<PastClock>,
    /// Repeatable choices.
    pub(super) dice: Dice,
    /// The operator: of the installation at first, of this business as soon as it exists.
    operator: Operator,
    staff: Vec<Colleague>,
}

/// Builds the business. Its past ends at the time that the clock of `surroundings` shows. Ids and keys come from
/// the real randomness of `surroundings`; everything else is the same in every demo.
pub(super) fn build(
    tx: &mut WriteTx<'_>,
    surroundings: &Environment,
    progress: &ProgressBar,
) -> Result<()> {
    let end = surroundings.clock.now().0;
    let clock = Arc::new(PastClock(AtomicI64::new(end - PAST)));
    let environment = Environment {
        clock: clock.clone(),
        entropy: surroundings.entropy.clone(),
        note_writes_per_minute: 0,
        storage_limit: Size(0),
        dropped_artefacts: Arc::default(),
    };
    let operator = Operator::ABOVE;
    let dice = Dice::new(SEED);
    let mut builder = Builder { tx, environment, clock, dice, operator, staff: Vec::new() };
    builder.open()?;
    let tags = builder.tags()?;
    let mut customers = Customers::new(&builder.dice, tags);
    progress.set_position(0);
    for number in 0..CUSTOMERS {
        let days_work = PAST / i64::try_from(CUSTOMERS).unwrap_or(i64::MAX);
        let morning = end - PAST + days_work * i64::try_from(number).unwrap_or_default();
        builder.clock.0.fetch_max(morning, Ordering::Relaxed);
        customers.add(&mut builder, number)?;
        progress.inc(1);
    }
    customers.archive_some(&mut builder)?;
    builder.close()
}

impl Builder<'_, '_> {
    /// Creates the tenant and its users.
    fn open(&mut self) -> Result<()> {
        let (name, email, _) = STAFF[0];
        let tenant = arguments!(CreateTenant { name: NAME, owner_name: name, owner_email: email });
        let made = self.operate(tenant)?;
        self.operator = Operator::of(made.tenant_id);
        for (name, email, role) in STAFF {
            let user = if *role == "owner" {
                made.owner_id
            } else {
                let user = arguments!(CreateUser { name: *name, email: *email, role: *role });
                self.operate(user)?.user_id
            };
            let colleague = self.employ(user)?;
            self.staff.push(colleague);
        }
        Ok(())
    }

    /// Gives a user the key to use while the sample is built.
    fn employ(&mut self, user: Id<kinds::User>) -> Result<Colleague> {
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        let key = arguments!(CreateKey { user: user, scopes: scopes, name: "sample data" });
        let made = self.operate(key)?;
        let source = Source { client: Some("zoop demo".to_owned()), address: None };
        Ok(Colleague { key: made.key_id, proof: Bearer { token: made.key, source } })
    }

    /// Revokes the keys.
    fn close(mut self) -> Result<()> {
        for colleague in std::mem::take(&mut self.staff) {
            self.operate(arguments!(RevokeKey { id: colleague.key }))?;
        }
        Ok(())
    }

    /// The tags' ids, in the order of the file.
    fn tags(&mut self) -> Result<Vec<Id<kinds::Tag>>> {
        let tags = sample::tags();
        tags.into_iter()
            .map(|[name, color]| {
                Ok(self.office(arguments!(CreateTag { name: name, color: color }))?.id)
            })
            .collect()
    }

    /// Runs a tool as the operator.
    pub(super) fn operate<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        self.clock.0.fetch_add(STEP, Ordering::Relaxed);
        run::command(self.tx, &self.environment, &self.operator, arguments)
    }

    /// Runs a tool as the owner or the office.
    pub(super) fn office<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        let who = self.dice.below(2);
        self.work(who, arguments)
    }

    /// Runs a tool as any user of the business.
    pub(super) fn anybody<T: Command>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        let who = self.dice.below(self.staff.len());
        self.work(who, arguments)
    }

    /// Runs a read tool as the owner or the office.
    pub(super) fn look<T: Query>(&mut self, arguments: Arguments<T>) -> Result<T::Output> {
        let who = self.dice.below(2);
        self.clock.0.fetch_add(STEP, Ordering::Relaxed);
        let colleague = self.staff.get(who).ok_or(Error::not_found("user"))?;
        run::query(self.tx, &self.environment, &colleague.proof, arguments)
            .map_err(Refusal::of_own_credential)
    }

    fn work<T: Command>(&mut self, who: usize, arguments: Arguments<T>) -> Result<T::Output> {
        self.clock.0.fetch_add(STEP, Ordering::Relaxed);
        let colleague = self.staff.get(who).ok_or(Error::not_found("user"))?;
        run::command(self.tx, &self.environment, &colleague.proof, arguments)
            .map_err(Refusal::of_own_credential)
    }
}
