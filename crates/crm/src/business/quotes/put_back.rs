//! Earlier values of a quote, put back from the history.

use zoop_db::Uuid;

use super::{Quote, store};
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
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
    let total = new.line_items.stored_totals(new.tax_rate().as_ref(), new.currency)?.total;
    let new = Quote { total, ..new };
    if new == old {
        return Ok(());
    }
    Quote::save(ctx, &old, &Quote { updated_at: ctx.moment(), ..new })
}
