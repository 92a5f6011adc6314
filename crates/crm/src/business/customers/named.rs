//! The names of records that an entry of the history changed, the beginnings of notes, and the customers that they belong
//! to. Only pages show them, so this is a query of the pages' own and not in the catalog.

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
/// The beginning of the note `n`, unless it is a draft or archived.
const BEGINNING: &str =
    "CASE WHEN n.archived_at IS NULL AND NOT n.draft THEN substr(n.body, 1, 100) END";
/// No name, and the beginning of a wanted note, which is about a record of the table that follows.
const NOTE: &str = text!(", NULL, ", BEGINNING, " FROM wanted CROSS JOIN notes n CROSS JOIN ");
/// Each wanted id is looked up: SQLite keeps the order of a CROSS JOIN. For a list of ids it would rather read all
/// records of the tenant.
const NAMES: &str = text!(
    "SELECT c.id",
    CUSTOMER,
    ", NULL, NULL FROM wanted CROSS JOIN customers c WHERE c.tenant_no = $1 AND c.id = wanted.column1 \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.first_name || ' ' || coalesce(x.last_name, ''), NULL \
        FROM wanted CROSS JOIN contacts",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", coalesce(x.label, x.address_line1), NULL \
        FROM wanted CROSS JOIN locations",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.title, NULL FROM wanted CROSS JOIN subjects",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.title, NULL FROM wanted CROSS JOIN quotes",
    OF_CUSTOMER,
    " \
    UNION ALL SELECT x.id",
    CUSTOMER,
    ", x.title, NULL FROM wanted CROSS JOIN jobs x LEFT JOIN customers c ON c.tenant_no = $1 AND c.id = x.customer_id \
        WHERE x.tenant_no = $1 AND x.id = wanted.column1 \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "customers c \
        WHERE n.tenant_no = $1 AND n.id = wanted.column1 AND c.tenant_no = $1 AND c.id = n.subject_id \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "contacts",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "locations",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "subjects",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "quotes",
    NOTED,
    " \
    UNION ALL SELECT n.id",
    CUSTOMER,
    NOTE,
    "jobs x LEFT JOIN customers c ON c.tenant_no = $1 AND c.id = x.customer_id \
        WHERE n.tenant_no = $1 AND n.id = wanted.column1 AND x.tenant_no = $1 AND x.id = n.subject_id \
    UNION ALL SELECT n.id, NULL, NULL, NULL, NULL, NULL, ",
    BEGINNING,
    " FROM wanted CROSS JOIN notes n \
        WHERE n.tenant_no = $1 AND n.id = wanted.column1 AND n.subject_id IS NULL"
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
    /// The customer that it is, that it belongs to or that it is about. Notes may be about none.
    pub customer: Option<NamedCustomer>,
    /// The name of a contact, location or subject.
    pub name: Option<String>,
    /// The beginning of a note, for a caller who may read notes.
    pub note: Option<String>,
}

/// A customer as pages name it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NamedCustomer {
    /// The customer.
    pub id: Id<kinds::Customer>,
    /// Its name.
    pub name: String,
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
        let mut named = ctx.tx.all(NAMED, &parameters, read)?;
        if !ctx.access.scopes.has(Scope::ReadNotes) {
            for record in &mut named {
                record.note = None;
            }
        }
        Ok(named)
    }
}

fn read(row: &mut Row<'_>) -> Result<NamedRecord> {
    let (id, customer) = (row.take()?, row.take::<Option<Id<kinds::Customer>>>()?);
    let customer_name = store::name(row)?;
    let name: Option<String> = row.take()?;
    let name = name.map(|name| name.trim().to_owned());
    let customer = customer.map(|id| NamedCustomer { id, name: customer_name });
    Ok(NamedRecord { id, customer, name, note: row.take()? })
}
