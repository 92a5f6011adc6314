//! Pairs of customers that a person said are different: they are not candidates for each other.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zoop_db::{ReadTx, Row, Uuid, params, text};

use crate::business::customers::{Customer, hints, store};
use crate::call::argument::input;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::history::change::DIFFERENT_FROM;
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

crate::call::table::table! {
    /// Pairs of customers that are different, each pair in both directions.
    pub(crate) const DIFFERENT_CUSTOMERS = different_customers {
        per_tenant,
        key: { customer_id: Id, other_id: Id },
        columns: {},
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

/// How many marks a merge takes over at most.
const MAX_INHERITED: i64 = 100;

const AMONG: &str = "SELECT x.other_id FROM wanted CROSS JOIN different_customers x \
    WHERE x.tenant_no = $1 AND x.customer_id = $3 AND x.other_id = wanted_id";

zoop_db::statements! {
    /// Those of the wanted customers that are different from the customer `$3`.
    DIFFERENT_AMONG = { sqlite: text!(WANTED_SQLITE, AMONG), postgres: text!(WANTED_POSTGRES, AMONG) };
    MARK = "INSERT INTO different_customers (tenant_no, customer_id, other_id) VALUES ($1, $2, $3) \
            ON CONFLICT DO NOTHING";
    /// Those that are different from a customer.
    FROM = "SELECT other_id FROM different_customers WHERE tenant_no = $1 AND customer_id = $2 \
            ORDER BY other_id LIMIT $3";
    UNMARK = "DELETE FROM different_customers \
              WHERE tenant_no = $1 AND customer_id = $2 AND other_id = $3";
}

/// Those of the customers that a person said are different from one.
pub(super) fn among(
    tx: &mut ReadTx<'_>,
    customer: Id<kinds::Customer>,
    others: &[Id<kinds::Customer>],
) -> Result<BTreeSet<Uuid>> {
    if others.is_empty() {
        return Ok(BTreeSet::new());
    }
    let others = id_list(others.iter().map(|id| id.uuid()));
    let different =
        tx.all::<_, Error>(DIFFERENT_AMONG, params![others, customer], |row| Ok(row.take()?))?;
    Ok(different.into_iter().collect())
}

/// What is different from a customer is different from the one that it is merged into. The marks that this adds are in
/// the entry of the merge, so that undoing it takes them back, and leaves those that were there before.
pub(in crate::business::customers) fn inherit(
    ctx: &mut WriteCtx<'_, '_>,
    from: Id<kinds::Customer>,
    to: Id<kinds::Customer>,
) -> Result<()> {
    let read = |row: &mut Row<'_>| Ok(row.take()?);
    let others: Vec<Id<kinds::Customer>> =
        ctx.tx.all::<_, Error>(FROM, params![from, MAX_INHERITED], read)?;
    for other in others.into_iter().filter(|other| *other != to) {
        mark(ctx, to, other)?;
    }
    Ok(())
}

input! {
    /// Two customers.
    pub struct MarkDifferentInput, hints = hints::PAIR {
        /// One.
        pub customer_id: Id<kinds::Customer>,
        /// The other.
        pub other_id: Id<kinds::Customer>,
        /// Default true; false takes it back.
        pub different: Option<bool>,
    }
}

/// Two customers that are different, or may be the same.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Marked {
    /// One.
    pub customer_id: Id<kinds::Customer>,
    /// The other.
    pub other_id: Id<kinds::Customer>,
    /// Whether they are marked as different.
    pub different: bool,
}

/// `customers.mark_different`
pub struct MarkDifferent;

impl Tool for MarkDifferent {
    const NAME: &'static str = "customers.mark_different";
    const TITLE: &'static str = "Mark customers as different";
    const ABOUT: &'static str = "Says that two customers are not duplicates, so that \
        customers.find_duplicates leaves the pair out. Ask the user first.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::User;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"customer_id":"{customer}","other_id":"{archived_customer}"}"#;
    type Input = MarkDifferentInput;
    type Output = Marked;
}

impl Command for MarkDifferent {
    const EFFECT: Effect = Effect::Add;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &MarkDifferentInput) -> Result<Marked> {
        if input.customer_id == input.other_id {
            return Err(Error::field("other_id", "must be another customer"));
        }
        let different = input.different.unwrap_or(true);
        let mut current =
            |id| -> Result<_> { Ok(store::get(ctx.tx, id)?.unless_merged(ctx.access)?.id) };
        let (one, other) = (current(input.customer_id)?, current(input.other_id)?);
        if different {
            mark(ctx, one, other)?;
        } else {
            unmark(ctx, one, other)?;
        }
        Ok(Marked { customer_id: one, other_id: other, different })
    }
}

/// Marks two customers as different.
pub(in crate::business) fn mark(
    ctx: &mut WriteCtx<'_, '_>,
    one: Id<kinds::Customer>,
    other: Id<kinds::Customer>,
) -> Result<()> {
    for (customer, from) in [(one, other), (other, one)] {
        if ctx.tx.execute(MARK, params![customer, from])? > 0 {
            let (old, new) = (Value::Null, json!(from));
            ctx.changed(Customer::TYPE, customer.uuid(), DIFFERENT_FROM, old, new);
        }
    }
    Ok(())
}

/// Takes back that two customers are different.
pub(in crate::business) fn unmark(
    ctx: &mut WriteCtx<'_, '_>,
    one: Id<kinds::Customer>,
    other: Id<kinds::Customer>,
) -> Result<()> {
    for (customer, from) in [(one, other), (other, one)] {
        if ctx.tx.execute(UNMARK, params![customer, from])? > 0 {
            let (old, new) = (json!(from), Value::Null);
            ctx.changed(Customer::TYPE, customer.uuid(), DIFFERENT_FROM, old, new);
        }
    }
    Ok(())
}
