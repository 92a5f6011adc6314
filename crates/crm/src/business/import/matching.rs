//! Whether a customer of a file is in the account already.

use zoop_db::ReadTx;

use super::draft::Draft;
use super::store as imports;
use crate::business::customers::duplicates::{self, Among, Candidate, Comparison, Likeness};
use crate::business::customers::{Customer, store};
use crate::call::error::Result;
use crate::values::id::{Id, kinds};

/// Whether a customer of a file is there, or can be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is added.
    Add {
        /// Another customer that may be the same, and why.
        similar: Option<Found>,
    },
    /// It is in the account, so nothing is added.
    Here(Found),
    /// It cannot be added, because its id in the other system is that of a customer with another name.
    IdOfAnother(Found),
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
        let is_archived = customer.archived_at.is_some();
        let why = if is_archived { "has this id, and is archived" } else { "has this id" };
        let found = Found::new(&customer, why);
        let comparison = duplicates::compare_with(tx, &draft.profile, customer.id)?;
        let is_alike = NAMES.iter().any(|likeness| comparison.has(*likeness));
        return Ok(if is_alike { Decision::Here(found) } else { Decision::IdOfAnother(found) });
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
        let is_certain = is_certain(&comparison)
            && (reaches(&comparison) || !is_reached_otherwise(tx, draft, id)?);
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

/// What names have in common that may be the same.
const NAMES: &[Likeness] = &[
    Likeness::Name,
    Likeness::Nickname,
    Likeness::SimilarName,
    Likeness::SoundsAlike,
    Likeness::SwappedNames,
    Likeness::GivenName,
    Likeness::FamilyName,
    Likeness::Contact,
];

/// Whether two customers are the same beyond doubt: they have a name in common, and a phone, an e-mail address or a whole
/// address.
fn is_certain(comparison: &Comparison) -> bool {
    use Likeness::{Address, Name, Nickname, SwappedNames};
    let is_named = [Name, Nickname, SwappedNames].iter().any(|same| comparison.has(*same));
    is_named && (reaches(comparison) || comparison.has(Address))
}

fn reaches(comparison: &Comparison) -> bool {
    comparison.has(Likeness::Phone) || comparison.has(Likeness::Email)
}

/// Whether both have phones or e-mail addresses: then the same name at the same address may be father and son.
fn is_reached_otherwise(
    tx: &mut ReadTx<'_>,
    draft: &Draft,
    other: Id<kinds::Customer>,
) -> Result<bool> {
    let other = store::row(tx, other)?;
    let is_reached =
        other.is_some_and(|it| it.primary_phone.is_some() || it.primary_email.is_some());
    Ok(is_reached && !(draft.shown.phone.is_empty() && draft.shown.email.is_empty()))
}
