//! One business while it is generated: its users, its tags, the customers that notes can be about.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use zoop_crm::call::access::Source;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::definition::ToolDef;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::run;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::catalog;
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::values::clock::{Clock, Environment};
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{Timestamp, WriteTx};

use super::people::Region;

/// The tags of every business, the most common one first.
const TAGS: &[&str] = &[
    "Seasonal",
    "Maintenance plan",
    "VIP",
    "HOA",
    "Commercial",
    "Irrigation",
    "Slow pay",
    "Warranty",
];

/// A clock in the businesses' past; each tool call advances it.
pub(super) struct PastClock(pub(super) AtomicI64);

impl Clock for PastClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// The tools that are called for every record.
#[derive(Clone, Copy)]
pub(super) struct Tools {
    pub(super) create_customer: &'static ToolDef,
    pub(super) update_customer: &'static ToolDef,
    pub(super) archive_customer: &'static ToolDef,
    pub(super) attach_tag: &'static ToolDef,
    pub(super) create_subject: &'static ToolDef,
    pub(super) create_note: &'static ToolDef,
}

impl Tools {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            create_customer: tool("customers.create")?,
            update_customer: tool("customers.update")?,
            archive_customer: tool("customers.archive")?,
            attach_tag: tool("tags.attach")?,
            create_subject: tool("subjects.create")?,
            create_note: tool("notes.create")?,
        })
    }
}

/// The tool with this name.
fn tool(name: &str) -> Result<&'static ToolDef> {
    catalog::find(name).ok_or_else(|| Error::internal(format!("there is no tool {name}")))
}

/// Makes the calls of one batch, in one transaction.
pub(super) struct Caller<'b, 'c> {
    pub(super) tx: &'b mut WriteTx<'c>,
    pub(super) environment: &'b Environment,
    pub(super) clock: &'b Arc<PastClock>,
    /// How far each call advances the clock, in microseconds.
    pub(super) step: i64,
}

impl Caller<'_, '_> {
    /// Calls a tool that writes.
    pub(super) fn call(
        &mut self,
        who: &Who,
        tool: &'static ToolDef,
        arguments: &Value,
    ) -> Result<Value> {
        self.clock.0.fetch_add(self.step, Ordering::Relaxed);
        let arguments = arguments.to_string();
        let (tx, environment) = (&mut *self.tx, self.environment);
        let answer = match who {
            Who::Operator(operator) => {
                run::write(tx, environment, operator, tool, &arguments, None)?
            }
            Who::Key(key) => run::write(tx, environment, key, tool, &arguments, None)
                .map_err(Refusal::of_own_credential)?,
        };
        Ok(serde_json::from_str(&answer)?)
    }
}

/// The caller of a tool.
#[derive(Clone)]
pub(super) enum Who {
    Operator(Operator),
    Key(Bearer),
}

impl Who {
    /// A caller with this key.
    fn key(key: &str) -> Self {
        let source = Source { client: Some("bench".to_owned()), address: None };
        Self::Key(Bearer { token: key.to_owned(), source })
    }
}

/// One business.
pub(super) struct GeneratedBusiness {
    pub(super) id: String,
    /// The owner's key, kept for the benchmark's own calls.
    pub(super) owner_key: String,
    /// The tenant's own key.
    pub(super) tenant_key: String,
    pub(super) operator: Who,
    /// The users who write. Their keys cannot read, so that no time is spent on answers that the generator ignores.
    pub(super) writers: [Who; 2],
    pub(super) region: Region,
    /// Tags' ids, the most common one first.
    pub(super) tags: Vec<Value>,
    /// The number of customers created so far.
    pub(super) created: usize,
    /// The customers that are not archived.
    pub(super) customers: Vec<Id<kinds::Customer>>,
    /// An invoice that has only one note so far; the next note about an invoice uses it.
    pub(super) invoice: Option<Value>,
}

impl GeneratedBusiness {
    /// Creates a business with its users, keys and tags.
    pub(super) fn create(to: &mut Caller<'_, '_>, index: usize, region: Region) -> Result<Self> {
        let operator = Who::Operator(Operator::OUTSIDE_TENANTS);
        let email = |who: &str| format!("{who}@business{index}.example");
        let tenant = json!({
            "name": format!("Business {index}"),
            "owner_name": "Olive Owner",
            "owner_email": email("owner"),
        });
        let created = to.call(&operator, tool("tenants.create")?, &tenant)?;
        let id = created["tenant_id"].as_str().unwrap_or_default().to_owned();
        let tenant = Id::parse(&id).ok_or(Error::not_found("tenant"))?;
        let operator = Who::Operator(Operator::of(tenant));
        let tech = json!({ "name": "Tessa Tech", "email": email("tech"), "role": "tech" });
        let tech = to.call(&operator, tool("users.create")?, &tech)?["user_id"].take();
        let owner = &created["owner_id"];
        let write = &[Scope::WriteCustomers, Scope::WriteNotes];
        let owners = create_key(to, &operator, Some(owner), write)?;
        let techs = create_key(to, &operator, Some(&tech), write)?;
        let writers = [Who::key(&owners), Who::key(&techs)];
        let owner_key = create_key(to, &operator, Some(owner), Scope::GRANTABLE)?;
        let tenant_key = create_key(to, &operator, None, Scope::GRANTABLE)?;
        let owners = Who::key(&owner_key);
        let tags = TAGS
            .iter()
            .map(|name| {
                let tag = json!({ "name": name, "color": "#2563EB" });
                Ok(to.call(&owners, tool("tags.create")?, &tag)?["id"].take())
            })
            .collect::<Result<_>>()?;
        let customers = Vec::new();
        Ok(Self {
            id,
            owner_key,
            tenant_key,
            operator,
            writers,
            region,
            tags,
            created: 0,
            customers,
            invoice: None,
        })
    }
}

/// Creates a key and returns its secret.
fn create_key(
    to: &mut Caller<'_, '_>,
    operator: &Who,
    user: Option<&Value>,
    scopes: &[Scope],
) -> Result<String> {
    let key = json!({ "user": user, "scopes": Scopes::of(scopes).list(), "name": "bench" });
    let created = to.call(operator, tool("keys.create")?, &key)?;
    Ok(created["key"].as_str().unwrap_or_default().to_owned())
}
