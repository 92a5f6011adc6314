//! Earlier values of a quote, put back from the history.

use zoop_db::Uuid;

use super::{Quote, store};
use crate::business::jobs;
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Puts back values of a quote. Its total follows from its lines.
pub(in crate::business) fn quote(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: Quote = with_values(&old, values)?;
    if let Some((_, job)) = jobs::store::of_quote(ctx.tx, old.id)?
        && new.status != old.status
    {
        return Err(Error::conflict(format!(
            "The job {job} was made of this quote: cancel it first."
        )));
    }
    let total = new.line_items.stored_totals(new.tax_rate().as_ref(), new.currency)?.total;
    let new = Quote { total, ..new };
    if new == old {
        return Ok(());
    }
    Quote::save(ctx, &old, &Quote { updated_at: ctx.moment(), ..new })
}
