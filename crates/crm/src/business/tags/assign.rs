//! Tags that a call names by id or name, and their assignment to a new customer.

use serde_json::{Value, json};
use zoop_db::ReadTx;

use super::store;
use crate::business::customers::Customer;
use crate::call::argument::Text;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, FieldProblem, Result};
use crate::values::id::{Id, kinds};

/// The tags with these ids or names, which the list `field` of a call contains.
///
/// # Errors
/// [`Error::InvalidInput`] with every item that is not a tag of the account.
pub(crate) fn resolve<const MAX: usize>(
    tx: &mut ReadTx<'_>,
    field: &str,
    named: &[Text<MAX>],
) -> Result<Vec<Id<kinds::Tag>>> {
    let (mut tags, mut problems) = (Vec::with_capacity(named.len()), Vec::new());
    for (index, Text(name)) in named.iter().enumerate() {
        match store::by_id_or_name(tx, name)? {
            Some(tag) => tags.push(tag),
            None => problems.push(FieldProblem {
                field: format!("{field}[{index}]"),
                problem: "is neither the id nor the name of a tag of this account: tags.list has \
                          all tags, and tags.create adds one"
                    .to_owned(),
            }),
        }
    }
    if problems.is_empty() { Ok(tags) } else { Err(Error::fields(problems)) }
}

/// Attaches tags to a customer that this call has added and not indexed yet. A repeated tag is attached once.
pub(crate) fn attach_to_new(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    tags: &[Id<kinds::Tag>],
) -> Result<()> {
    for tag in tags {
        if store::attach(ctx.tx, customer, *tag)? {
            ctx.changed(Customer::TYPE, customer.uuid(), "tag", Value::Null, json!(tag));
        }
    }
    Ok(())
}
