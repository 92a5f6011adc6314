//! The rule for external ids: in a tenant, no two customers have the same one. An archived customer keeps its own, so that
//! a repeated import does not add a second customer, and so that restoring never fails.

use zoop_db::ReadTx;

use super::store;
use crate::call::access::Access;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::id::{Id, kinds};

/// Rejects an external id that a customer other than `own` has. Only a caller who may read customers learns which one.
pub(super) fn require_free(
    tx: &mut ReadTx<'_>,
    access: &Access,
    external_id: &str,
    own: Option<Id<kinds::Customer>>,
) -> Result<()> {
    let Some(holder) = store::by_external_id(tx, external_id)? else { return Ok(()) };
    if Some(holder.id) == own {
        return Ok(());
    }
    let id = holder.id;
    Err(Error::conflict(match (access.scopes.has(Scope::ReadCustomers), holder.is_archived) {
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
