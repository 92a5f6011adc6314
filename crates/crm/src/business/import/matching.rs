//! Whether a customer of a file is in the account already.

use zoop_db::ReadTx;

use super::draft::Draft;
use super::store as imports;
use crate::business::customers::duplicates::{self, Among, Candidate, Comparison, Likeness};
use crate::business::customers::{Customer, store};
use crate::call::error::Result;
use crate::values::id::{Id, kinds};

/// What will be done with a customer of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is added.
    Add {
        /// Another customer that may be the same, and why.
        similar: Option<Found>,
    },
    /// It is in the account, so nothing is added.
    Here(Found),
}

/// A customer of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: Id<kinds::Customer>,
    /// Its number and name.
    pub shown: String,
    /// What is the same.
    pub why: String,
}

impl Found {
    fn new(customer: &Customer, why: impl Into<String>) -> Self {
        let shown = format!("{} {}", customer.customer_number, customer.display_name());
        Self { id: customer.id, shown, why: why.into() }
    }
}

/// Looks a customer of a file up: by its rows, by its id in another system, and by what it is known by. What `import`
/// itself added does not count: rows of the same file that are about different customers may look alike.
pub(super) fn decide(
    tx: &mut ReadTx<'_>,
    draft: &Draft,
    import: Option<Id<kinds::Import>>,
) -> Result<Decision> {
    for id in imports::by_digest(tx, &draft.digest)? {
        let customer = store::resolved(tx, id)?;
        // What was archived since may be imported again, such as after undoing an import.
        if customer.archived_at.is_none() || draft.is_archived {
            return Ok(Decision::Here(Found::new(&customer, "the same rows were imported before")));
        }
    }
    if let Some(external_id) = draft.external_id()
        && let Some(holder) = store::by_external_id(tx, external_id)?
    {
        let customer = store::resolved(tx, holder.id)?;
        let why = if customer.archived_at.is_none() {
            "has this id"
        } else {
            "has this id, and is archived"
        };
        return Ok(Decision::Here(Found::new(&customer, why)));
    }
    let mut similar = None;
    for Candidate { id, comparison } in duplicates::find(tx, &draft.profile, Among::ALL)? {
        let is_own = match import {
            Some(import) => imports::has_added(tx, import, id)?,
            None => false,
        };
        if !comparison.is_likely() || is_own {
            continue;
        }
        let is_certain = is_certain(&comparison);
        if is_certain || similar.is_none() {
            let found = Found::new(&store::get(tx, id)?, format!("same {}", comparison.words()));
            if is_certain {
                return Ok(Decision::Here(found));
            }
            similar = Some(found);
        }
    }
    Ok(Decision::Add { similar })
}

/// Whether two customers are the same beyond doubt: they have a name in common, and a phone, an e-mail address or a whole
/// address.
fn is_certain(comparison: &Comparison) -> bool {
    use Likeness::{Address, Email, Name, Nickname, Phone, SwappedNames};
    let has = |all: &[Likeness]| all.iter().any(|same| comparison.has(*same));
    has(&[Name, Nickname, SwappedNames]) && has(&[Phone, Email, Address])
}
