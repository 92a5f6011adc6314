//! Tax rates: what documents add for taxes. A combined rate of state, county and city is one rate.
//!
//! A document keeps the name and percentage of its rates, so that a change of a rate changes no document.

pub(crate) mod hints;
pub(in crate::business) mod put_back;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use tools::GROUP;

pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::call::archive::Archivable;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::money::{Fraction, TaxPercent};

/// Maximum number of an account's rates that are not archived: a list shows all of them.
pub(crate) const MAX_RATES: usize = 200;

crate::call::table::record! {
    /// A tax rate as stored and shown.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct TaxRate {
        /// The rate's id.
        pub id: Id<kinds::TaxRate>,
        /// Its name, as documents print it.
        pub name: String,
        /// The percentage, such as 8.25.
        pub rate_percentage: TaxPercent,
        /// The percentage as a part of one, such as 0.0825.
        pub rate_decimal: Fraction = rate_percentage.fraction(),
        /// Whether new documents have this rate.
        pub is_default: bool,
        /// When it was created.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
    }

    table tax_rates {
        key: [id],
        exported: WithTenant,
        erased: [WithTenant],
    }
}

impl Recorded for TaxRate {
    const TYPE: &'static str = "tax_rate";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Archivable for TaxRate {
    type Kind = kinds::TaxRate;
    const READ: Scope = Scope::ReadTaxRates;
    const WAY_BACK: &'static str = "changes.revert";

    fn id(&self) -> Id<kinds::TaxRate> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    /// An archived rate is not the default, and does not become it again when it is restored.
    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        (self.archived_at, self.updated_at) = (archived_at, updated_at);
        self.is_default = false;
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        store::update(ctx.tx, new)?;
        ctx.updated(old, new)
    }
}
