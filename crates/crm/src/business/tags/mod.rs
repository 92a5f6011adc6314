//! Tags: labels that a tenant attaches to customers.

mod assign;
pub(crate) mod hints;
pub mod of_customers;
pub(in crate::business) mod put_back;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;
pub mod usage;

pub use tools::GROUP;

pub(crate) use assign::{attach_to_new, resolve};
pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// Maximum number of tags on one customer. It is limited because a customer's record shows all its tags.
pub(crate) const MAX_TAGS: usize = 200;
/// The color of a tag that is created without a color.
pub const DEFAULT_COLOR: &str = "#6B7280";

crate::call::table::record! {
    /// A tag as stored and shown.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct Tag {
        /// The tag's id.
        pub id: Id<kinds::Tag>,
        /// Its name. No other tag of the account has a name that looks the same, ignoring case.
        pub name: String,
        /// Its color, `#RRGGBB`.
        pub color: String,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// Who created it.
        pub created_by: Option<Id<kinds::User>> as fixed,
    }

    table tags {
        key: [id],
        beside: { n: i64 as numbered, name_key: String },
        exported: WithTenant,
        erased: [WithTenant],
    }
}

impl Recorded for Tag {
    const TYPE: &'static str = "tag";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
