//! Earlier values of a subject, put back from the history.

use zoop_db::Uuid;

use super::{Subject, move_to, store};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Gives a subject back to the customer that it belonged to.
pub(in crate::business) fn subject(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: Subject = with_values(&old, values)?;
    move_to(ctx, &old, new.customer_id)
}
