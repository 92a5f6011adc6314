//! Tenants: field-service businesses, each with its own records.

pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use store::{Numbered, account};
pub use tools::GROUP;

pub(crate) use store::{GLOBAL_STATEMENTS, STATEMENTS, ids_between, tenant};

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::country::Country;
use crate::values::currency::Currency;
use crate::values::id::{Id, kinds};
use crate::values::zone::Zone;

/// A tenant as stored and shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Tenant {
    /// The tenant's id.
    pub id: Id<kinds::Tenant>,
    /// The business's name.
    pub name: String,
    /// The default country of telephone numbers without a country code, ISO 3166-1.
    #[schemars(with = "String")]
    pub country: Country,
    /// The IANA time zone of dates and of times without an offset; UTC until it is set.
    #[schemars(with = "String")]
    pub time_zone: Zone,
    /// The ISO 4217 currency of amounts; that of the country until it is set.
    #[schemars(with = "String")]
    pub currency: Currency,
    /// When it was created.
    pub created_at: Moment,
}

/// A tenant in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantRow {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: Tenant,
    /// How many bytes it stores, as `limits.storage` counts them.
    pub storage_bytes: u64,
}

impl Recorded for Tenant {
    const TYPE: &'static str = "tenant";

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
