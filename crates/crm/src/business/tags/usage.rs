//! How many customers have each tag. Only pages show it, because counting takes as long as there are assignments, so it
//! is a query of the pages' own and not in the catalog.

use schemars::JsonSchema;
use serde::Serialize;

use super::hints::HINTS;
use super::{Tag, store};
use crate::call::answer::Page;
use crate::call::argument::{Ranged, input};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// Which tags to count.
    pub struct TagUsageInput, hints = HINTS {
        /// Only this tag.
        pub id: Option<Id<kinds::Tag>>,
    }
}

/// A tag, and how many customers have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsedTag {
    /// The tag.
    #[serde(flatten)]
    pub tag: Tag,
    /// How many customers have it, including archived ones.
    pub customers: u64,
}

/// The tags, sorted by name, with how many customers have each.
pub struct TagUsage;

impl Tool for TagUsage {
    const NAME: &'static str = "tags.usage";
    const TITLE: &'static str = "Count the customers of tags";
    const ABOUT: &'static str = "Lists the account's tags with how many customers have each.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = TagUsageInput;
    type Output = Page<UsedTag>;
}

impl List for TagUsage {
    type Row = UsedTag;
    /// The tag's name key.
    type Position = String;
    type Limit = Ranged<1, 50>;
    const DEFAULT_LIMIT: u32 = 50;
    const AT_ONCE: usize = 50;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &TagUsageInput,
        after: Option<String>,
        count: usize,
    ) -> Result<Found<UsedTag, String>> {
        let found = match input.id {
            Some(id) => store::used(ctx.tx, id)?.into_iter().collect(),
            None => store::list_used(ctx.tx, after.as_deref().unwrap_or_default(), count)?,
        };
        Ok(Found::all(found))
    }
}
