//! The tags of several customers. Only pages show them beside a list of customers: the search is not slowed down for the
//! programs that do not ask for tags, so this is a query of the pages' own and not in the catalog.

use schemars::JsonSchema;
use serde::Serialize;

use super::store::{self, AttachedTag};
use crate::business::customers::TagLabel;
use crate::call::argument::{List, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::values::id::{Id, kinds};

/// The greatest number of customers of one call.
pub const MAX_CUSTOMERS: usize = 25;

input! {
    /// Which customers.
    pub struct CustomersTagsInput {
        /// The ids of the customers.
        pub customers: List<Id<kinds::Customer>, 0, MAX_CUSTOMERS>,
    }
}

/// A customer's tags.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TaggedCustomer {
    /// The customer.
    pub id: Id<kinds::Customer>,
    /// Its tags, sorted by name as on its record.
    pub tags: Vec<TagLabel>,
}

/// The tags of some customers. Those without tags are left out.
pub struct CustomersTags;

impl Tool for CustomersTags {
    const NAME: &'static str = "customers.tags";
    const TITLE: &'static str = "List the tags of customers";
    const ABOUT: &'static str = "Lists the tags of each of some customers.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"customers":["{customer}"]}"#;
    type Input = CustomersTagsInput;
    type Output = Vec<TaggedCustomer>;
}

impl Query for CustomersTags {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &CustomersTagsInput) -> Result<Vec<TaggedCustomer>> {
        let ids = &input.customers.0;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = store::of_customers(ctx.tx, ids)?;
        rows.sort_by(|one, other| {
            let key = |it: &AttachedTag| it.customer.uuid();
            key(one).cmp(&key(other)).then_with(|| one.name_key.cmp(&other.name_key))
        });
        let mut tagged: Vec<TaggedCustomer> = Vec::new();
        for row in rows {
            match tagged.last_mut() {
                Some(last) if last.id == row.customer => last.tags.push(row.tag),
                _ => tagged.push(TaggedCustomer { id: row.customer, tags: vec![row.tag] }),
            }
        }
        Ok(tagged)
    }
}
