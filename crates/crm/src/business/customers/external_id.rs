//! The rule for external ids: in a tenant, no two customers have the same one. An archived customer keeps its own, so that
//! a repeated import does not add a second customer, and so that restoring never fails. So does a merged customer, until
//! the one that it was merged into gets it.

use super::{Customer, store};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::id::{Id, kinds};

/// Lets the customer `own` have an external id: one that was merged into it gives it up.
///
/// # Errors
/// [`Error::Conflict`] if another customer has it. Only a caller who may read customers learns which one.
pub(super) fn claim(
    ctx: &mut WriteCtx<'_, '_>,
    external_id: &str,
    own: Option<Id<kinds::Customer>>,
) -> Result<()> {
    let Some(holder) = store::by_external_id(ctx.tx, external_id)? else { return Ok(()) };
    if Some(holder.id) == own {
        return Ok(());
    }
    let customer = store::resolved(ctx.tx, holder.id)?;
    if Some(customer.id) == own {
        let old = store::get(ctx.tx, holder.id)?;
        let new = Customer { external_id: None, updated_at: ctx.moment(), ..old.clone() };
        store::update(ctx.tx, &new)?;
        return ctx.updated(&old, &new);
    }
    let (id, is_archived) = (customer.id, customer.archived_at.is_some());
    Err(Error::conflict(match (ctx.access.scopes.has(Scope::ReadCustomers), is_archived) {
        (false, _) => "Another customer has this external_id: send another one.".to_owned(),
        (true, false) => {
            format!("The customer {id} has this external_id: update that one, or send another one.")
        }
        (true, true) => format!(
            "The archived customer {id} has this external_id: restore that one (customers.restore), or \
             send another one."
        ),
    }))
}
