//! A user's own name: what their account and every business that they belong to call them.

use zoop_db::WriteTx;

use super::user::{self, Initiator};
use crate::call::argument::{Json, Name, Parse, ParseContext, ParseError};
use crate::call::error::{Error, Result};
use crate::identity::users::{self, Member};
use crate::values::clock::Environment;
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// Parses a typed name.
///
/// # Errors
/// [`Error::InvalidInput`] with a sentence for the user.
pub fn parse(typed: &str) -> Result<Name> {
    // A name does not depend on the country.
    let context = ParseContext { country: Country::US };
    Name::parse(Json::Text(typed.to_owned()), context).map_err(|error| match error {
        ParseError::Invalid(problem) => Error::invalid(format!("The name {problem}.")),
        ParseError::Empty | ParseError::Inside(_) => Error::invalid("Enter a name."),
    })
}

/// Changes a user's name, in their account and in each of their tenants.
///
/// # Errors
/// If the database fails.
pub fn change(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
    Name(name): &Name,
    by: Initiator,
) -> Result<()> {
    users::store::rename(tx, user, name)?;
    user::record_event_with(tx, environment, user, by, "name_changed", |ctx| {
        let old = users::store::member(ctx.tx, user)?;
        if old.name == *name {
            ctx.leave_no_history();
            return Ok(());
        }
        users::store::rename_member(ctx.tx, user, name, ctx.now)?;
        ctx.updated(&old, &Member { name: name.clone(), ..old.clone() })
    })
}
