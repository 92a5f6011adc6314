//! Earlier values of a subject, put back from the history.

use std::collections::BTreeMap;

use serde_json::Value;
use zoop_db::Uuid;

use super::{Subject, store};
use crate::business::documents::hand_over;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::Values;
use crate::call::history::store::id_list;
use crate::values::id::{Id, kinds};

/// Gives subjects back to the customers that they belonged to.
pub(in crate::business) fn subjects(
    ctx: &mut WriteCtx<'_, '_>,
    moves: &[(Uuid, &Values)],
) -> Result<()> {
    let wanted = id_list(moves.iter().map(|(id, _)| *id));
    let now = store::by_ids(ctx.tx, &wanted)?;
    let mut now: BTreeMap<_, _> = now.into_iter().map(|it| (it.id.uuid(), it)).collect();
    let mut by_customer: BTreeMap<Uuid, Vec<Subject>> = BTreeMap::new();
    for (id, values) in moves {
        let customer = values.get("customer_id").and_then(Value::as_str);
        let customer = customer.and_then(Id::<kinds::Customer>::parse);
        let customer =
            customer.ok_or_else(|| Error::internal("only a subject's customer changes"))?;
        let subject = now.remove(id).ok_or_else(|| Error::not_found("subject"))?;
        by_customer.entry(customer.uuid()).or_default().push(subject);
    }
    for (customer, subjects) in by_customer {
        hand_over(ctx, &subjects, Id::new(customer))?;
    }
    Ok(())
}
