//! Earlier values of a tax rate, put back from the history.

use serde_json::Value;
use zoop_db::{ReadTx, Uuid};

use super::tools::{clear_default, require_room};
use super::{TaxRate, store};
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::history::change::{Values, with_values};
use crate::values::id::Id;

/// Puts back values of a rate.
pub(in crate::business) fn tax_rate(
    ctx: &mut WriteCtx<'_, '_>,
    id: Uuid,
    values: &Values,
) -> Result<()> {
    let old = store::get(ctx.tx, Id::new(id))?;
    let new: TaxRate = with_values(&old, values)?;
    let new = TaxRate { rate_decimal: new.rate_percentage.fraction(), ..new };
    if new == old {
        return Ok(());
    }
    if old.archived_at.is_some() && new.archived_at.is_none() {
        require_room(ctx)?;
    }
    if new.is_default && !old.is_default {
        clear_default(ctx)?;
    }
    TaxRate::save(ctx, &old, &TaxRate { updated_at: ctx.moment(), ..new })
}

/// The rate that is the default now, and would not be after these values of another rate are put back.
pub(in crate::business) fn displaced(
    tx: &mut ReadTx<'_>,
    id: Uuid,
    values: &Values,
) -> Result<Option<Uuid>> {
    if values.get("is_default") != Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let default = store::default(tx)?.map(|rate| rate.id.uuid());
    Ok(default.filter(|default| *default != id))
}
