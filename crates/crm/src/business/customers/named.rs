//! The names of records that an entry of the history changed, and the customers that they belong to. Only pages show
//! them, so this is a query of the pages' own and not in the catalog.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{Param, Row, Uuid, text};

use super::store;
use crate::call::argument::{List, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

/// The greatest number of records of one call.
pub const MAX_RECORDS: usize = 25;

/// The other ids after the first.
const IDS: &str = ", ($3), ($4), ($5), ($6), ($7), ($8), ($9), ($10), ($11), ($12), ($13), ($14), ($15), ($16), ($17), \
                   ($18), ($19), ($20), ($21), ($22), ($23), ($24), ($25), ($26)) ";
/// A record's customer, whose id is in a column before this text.
const CUSTOMER: &str = ", c.id, c.first_name, c.last_name, c.company_name";
/// The record `x` with a wanted id, and its customer.
const OF_CUSTOMER: &str = " x CROSS JOIN customers c WHERE x.tenant_no = $1 AND x.id = wanted.column1 \
                           AND c.tenant_no = $1 AND c.id = x.customer_id";
/// A wanted note about the record `x`, and its customer.
const NOTED: &str = " x CROSS JOIN customers c WHERE n.tenant_no = $1 AND n.id = wanted.column1 \
                     AND x.tenant_no = $1 AND x.id = n.subject_id AND c.tenant_no = $1 AND c.id = x.customer_id";
/// Each wanted id is looked up: SQLite keeps the order of a CROSS JOIN. For a list of ids it would rather read all
/// records of the tenant.
const NAMES: &str = text!(
    "SELECT c.id",
    CUSTOMER,
    ", NULL FROM wanted CROSS JOIN customers c WHERE c.tenant_no = $1 AND c.id = wanted.column1 \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.first_name || ' ' || coalesce(x.last_name, '') \
        FROM wanted CROSS JOIN contacts",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", coalesce(x.label, x.address_line1) \
        FROM wanted CROSS JOIN locations",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.title FROM wanted CROSS JOIN subjects",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    ", NULL FROM wanted CROSS JOIN notes n CROSS JOIN customers c \
        WHERE n.tenant_no = $1 AND n.id = wanted.column1 AND c.tenant_no = $1 AND c.id = n.subject_id \
    UNION ALL SELECT n.id",
    CUSTOMER,
    ", NULL FROM wanted CROSS JOIN notes n CROSS JOIN contacts",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    ", NULL FROM wanted CROSS JOIN notes n CROSS JOIN locations",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    ", NULL FROM wanted CROSS JOIN notes n CROSS JOIN subjects",
    NOTED
);

zoop_db::statements! {
    NAMED = {
        sqlite: text!("WITH wanted AS (VALUES ($2)", IDS, NAMES),
        postgres: text!("WITH wanted AS (VALUES ($2::uuid)", IDS, NAMES),
    };
}

input! {
    /// Which records.
    pub struct NamedRecordsInput {
        /// The ids of customers, contacts, locations, subjects and notes. Others are left out.
        pub records: List<Id<kinds::Record>, 0, MAX_RECORDS>,
    }
}

/// A record as pages name it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NamedRecord {
    /// The record.
    pub id: Id<kinds::Record>,
    /// The customer that it is, that it belongs to or that it is about.
    pub customer_id: Id<kinds::Customer>,
    /// The customer's name.
    pub customer_name: String,
    /// The name of a contact, location or subject.
    pub name: Option<String>,
}

/// The names of some records.
pub struct NamedRecords;

impl Tool for NamedRecords {
    const NAME: &'static str = "customers.named";
    const TITLE: &'static str = "Name records";
    const ABOUT: &'static str = "Names records and the customers that they belong to.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"records":["{customer}"]}"#;
    type Input = NamedRecordsInput;
    type Output = Vec<NamedRecord>;
}

impl Query for NamedRecords {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &NamedRecordsInput) -> Result<Vec<NamedRecord>> {
        let ids = &input.records.0;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // No record has the nil id.
        let nil = Uuid::nil();
        let mut parameters = [nil; MAX_RECORDS];
        for (parameter, id) in parameters.iter_mut().zip(ids) {
            *parameter = id.uuid();
        }
        let parameters = parameters.each_ref().map(Param::value);
        ctx.tx.all(NAMED, &parameters, read)
    }
}

fn read(row: &mut Row<'_>) -> Result<NamedRecord> {
    let (id, customer_id) = (row.take()?, row.take()?);
    let customer_name = store::name(row)?;
    let name: Option<String> = row.take()?;
    let name = name.map(|name| name.trim().to_owned());
    Ok(NamedRecord { id, customer_id, customer_name, name })
}
