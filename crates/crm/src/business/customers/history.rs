//! The history of a customer and of everything that belongs to it. Only pages show it, so it is a query of the pages'
//! own and not in the catalog.

use zoop_db::{ReadTx, Uuid, params};

use crate::business::history::visibility;
use crate::call::answer::Page;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::history::HistoryEntry;
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

zoop_db::statements! {
    /// The entries about a customer and those that were merged into it, their contacts, locations, quotes, jobs
    /// and subjects, and the notes about any of these, newest first. An entry about several of these records is listed once.
    OF_CUSTOMER = "WITH RECURSIVE everyone AS (\
            SELECT id FROM customers WHERE tenant_no = $1 AND id = $2 \
            UNION ALL SELECT c.id FROM everyone CROSS JOIN customers c \
            WHERE c.tenant_no = $1 AND c.merged_into = everyone.id), \
        own AS MATERIALIZED (SELECT id FROM everyone \
            UNION ALL SELECT x.id FROM everyone CROSS JOIN contacts x \
            WHERE x.tenant_no = $1 AND x.customer_id = everyone.id \
            UNION ALL SELECT x.id FROM everyone CROSS JOIN locations x \
            WHERE x.tenant_no = $1 AND x.customer_id = everyone.id \
            UNION ALL SELECT x.id FROM everyone CROSS JOIN subjects x \
            WHERE x.tenant_no = $1 AND x.customer_id = everyone.id \
            UNION ALL SELECT x.id FROM everyone CROSS JOIN quotes x \
            WHERE x.tenant_no = $1 AND x.customer_id = everyone.id \
            UNION ALL SELECT x.id FROM everyone CROSS JOIN jobs x \
            WHERE x.tenant_no = $1 AND x.customer_id = everyone.id), \
        records AS MATERIALIZED (SELECT id FROM own \
            UNION ALL SELECT n.id FROM own CROSS JOIN notes n WHERE n.tenant_no = $1 AND n.subject_id = own.id) \
        SELECT DISTINCT r.entry_id FROM records CROSS JOIN history_records r \
        WHERE r.tenant_no = $1 AND r.record_id = records.id AND r.entry_id < $3 \
            ORDER BY r.entry_id DESC LIMIT $4";
}

input! {
    /// Whose history.
    pub struct CustomerHistoryInput {
        /// The customer.
        pub customer_id: Id<kinds::Customer>,
    }
}

/// The history of a customer, its contacts, locations and notes.
pub struct CustomerHistory;

impl Tool for CustomerHistory {
    const NAME: &'static str = "customers.history";
    const TITLE: &'static str = "List a customer's history";
    const ABOUT: &'static str =
        "Lists the changes of a customer, its contacts, locations and notes, newest first.";
    const SCOPE: Scope = Scope::ReadHistory;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"customer_id":"{customer}"}"#;
    type Input = CustomerHistoryInput;
    type Output = Page<HistoryEntry>;
}

impl List for CustomerHistory {
    type Row = HistoryEntry;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &CustomerHistoryInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<HistoryEntry, Uuid>> {
        let (customer, before) = (input.customer_id, after.unwrap_or(Uuid::max()));
        let entries = visibility::read(ctx.tx, ctx.access, before, count, |tx, before, count| {
            entries(tx, customer, before, count)
        })?;
        Ok(page::with_positions(entries, |entry| entry.id.uuid()))
    }
}

/// The ids of the entries, newest first.
pub(in crate::business) fn entries(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    before: Uuid,
    count: usize,
) -> Result<Vec<Uuid>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(OF_CUSTOMER, params![customer, before, count], |row| Ok(row.take()?))
}
