//! The sample business, built through the funnel by the people who work there: the owner makes the
//! tags, office and crew write the notes. One transaction holds it all, so a demo that was broken
//! off leaves nothing half made.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use indicatif::ProgressBar;
use serde_json::{Value, json};
use zoop_crm::access::{Access, Channel, Scope, Scopes};
use zoop_crm::clock::{Clock, Environment};
use zoop_crm::error::{Error, Result};
use zoop_crm::id::Id;
use zoop_crm::{credential, run, tenants};
use zoop_db::{Timestamp, WriteTx};

use super::customers::Customers;
use super::sample::{self, Dice};
use crate::operator::find;

/// The business's name: what tells a database of `zoop demo` from any other.
pub(super) const NAME: &str = "Copper Creek Plumbing & Lawn (zoop demo)";
/// How many customers it has.
pub(super) const CUSTOMERS: usize = 300;
/// How far its records go back, in microseconds: a year and a half.
const PAST: i64 = 540 * 86_400 * 1_000_000;
/// What one call takes in the business's past, in microseconds.
const STEP: i64 = 37 * 1_000_000;
const SEED: u64 = 20_260_613;

const STAFF: &[(&str, &str, &str)] = &[
    ("Dana Whitfield", "dana@copper-creek.example", "owner"),
    ("Priya Raman", "priya@copper-creek.example", "office"),
    ("Luis Ortega", "luis@copper-creek.example", "tech"),
    ("Sam Kowalczyk", "sam@copper-creek.example", "tech"),
];

/// The clock of the business's past; each call moves it on.
struct PastClock(AtomicI64);

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A person who works in the business.
struct Colleague {
    access: Access,
    key: Value,
}

/// The business while it is built.
pub(super) struct Builder<'b, 'c> {
    tx: &'b mut WriteTx<'c>,
    environment: Environment,
    clock: Arc<PastClock>,
    /// Repeatable choices.
    pub(super) dice: Dice,
    /// The operator, about this business once there is one.
    operator: Access,
    staff: Vec<Colleague>,
}

/// Builds the business. `surroundings` give the time at which its past ends, and real randomness:
/// ids and keys are no sample data.
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
        dropped_artefacts: Arc::default(),
    };
    let operator = Access::operator(None);
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
    /// Makes the tenant and its people.
    fn open(&mut self) -> Result<()> {
        let (owner, email, _) = STAFF[0];
        let tenant = json!({ "name": NAME, "owner_name": owner, "owner_email": email });
        let made = self.operate("tenants.create", tenant)?;
        let id =
            made["tenant_id"].as_str().and_then(Id::parse).ok_or(Error::not_found("tenant"))?;
        self.operator = Access::operator(Some(tenants::account(self.tx, id)?));
        for (name, email, role) in STAFF {
            let user = if *role == "owner" {
                made["owner_id"].clone()
            } else {
                let user = json!({ "name": name, "email": email, "role": role });
                self.operate("users.create", user)?["user_id"].take()
            };
            let colleague = self.employ(&user)?;
            self.staff.push(colleague);
        }
        Ok(())
    }

    /// Gives a person the key to work with while the sample is built.
    fn employ(&mut self, user: &Value) -> Result<Colleague> {
        let scopes = Scopes::of(Scope::GRANTABLE).list();
        let key = json!({ "user": user, "scopes": scopes, "name": "sample data" });
        let mut made = self.operate("keys.create", key)?;
        let secret = made["key"].as_str().unwrap_or_default();
        let client = Some("zoop demo".to_owned());
        let clock = &*self.clock;
        let caller =
            credential::authenticate(self.tx, secret, Channel::CommandLine, client, clock)?
                .map_err(|denied| Error::internal(denied.reason()))?;
        Ok(Colleague { access: caller.access, key: made["key_id"].take() })
    }

    /// Takes the keys away again.
    fn close(mut self) -> Result<()> {
        for colleague in std::mem::take(&mut self.staff) {
            self.operate("keys.revoke", json!({ "id": colleague.key }))?;
        }
        Ok(())
    }

    /// The tags' ids, in the order of the file.
    fn tags(&mut self) -> Result<Vec<Value>> {
        let tags = sample::tags();
        tags.into_iter()
            .map(|[name, color]| {
                self.office("tags.create", json!({ "name": name, "color": color }))
            })
            .map(|made| Ok(made?["id"].take()))
            .collect()
    }

    /// Calls a tool as the operator.
    pub(super) fn operate(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        let operator = self.operator.clone();
        self.call(&operator, tool, &arguments)
    }

    /// Calls a tool as the owner or the office.
    pub(super) fn office(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        let who = self.dice.below(2);
        self.work(who, tool, &arguments)
    }

    /// Calls a tool as anybody in the business.
    pub(super) fn anybody(&mut self, tool: &str, arguments: Value) -> Result<Value> {
        let who = self.dice.below(self.staff.len());
        self.work(who, tool, &arguments)
    }

    fn work(&mut self, who: usize, tool: &str, arguments: &Value) -> Result<Value> {
        let colleague = self.staff.get(who).ok_or(Error::not_found("user"))?;
        let access = colleague.access.clone();
        self.call(&access, tool, arguments)
    }

    fn call(&mut self, access: &Access, tool: &str, arguments: &Value) -> Result<Value> {
        self.clock.0.fetch_add(STEP, Ordering::Relaxed);
        let (tool, arguments) = (find(tool)?, arguments.to_string());
        let answer = if tool.is_read_only() {
            run::read(self.tx, access, &self.environment, tool, &arguments)?
        } else {
            run::write(self.tx, access, &self.environment, tool, &arguments, None)?
        };
        Ok(serde_json::from_str(&answer)?)
    }
}
