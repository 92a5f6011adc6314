//! Locations: the addresses of a customer, for work, invoices and mail.
//!
//! Each type (service, billing, mailing, other) has at most one primary location. To promote another location, the
//! caller must first demote the primary location.

mod child;
pub(crate) mod hints;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use tools::{GROUP, LocationInput};

pub(crate) use store::STATEMENTS;
pub(crate) use tools::add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

crate::call::argument::choices! {
    /// What an address is for.
    pub enum LocationType {
        /// Where the work is done.
        Service = "service",
        /// Where invoices are sent.
        Billing = "billing",
        /// Where mail is sent.
        Mailing = "mailing",
        /// Anything else.
        Other = "other",
    }
}

crate::call::table::record! {
    /// A location as stored and shown.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Location {
        /// The location's id.
        pub id: Id<kinds::Location>,
        /// The customer it belongs to.
        pub customer_id: Id<kinds::Customer>,
        /// What it is for.
        pub location_type: LocationType,
        /// A nickname, such as Warehouse.
        pub label: Option<String>,
        /// Street address.
        pub address_line1: String,
        /// Unit, suite and the like.
        pub address_line2: Option<String>,
        /// City.
        pub city: String,
        /// State or province.
        pub state: String,
        /// ZIP or postal code.
        pub postal_code: String,
        /// ISO 3166-1 country code.
        pub country: String,
        /// Whether it is the primary location of its type.
        pub is_primary: bool,
        /// Gate codes, alarm codes and the like.
        pub access_notes: Option<String>,
        /// Where to park.
        pub parking_notes: Option<String>,
        /// Anything else about the work there.
        pub service_notes: Option<String>,
        /// Decimal degrees.
        pub latitude: Option<f64>,
        /// Decimal degrees.
        pub longitude: Option<f64>,
        /// The Google Places id.
        pub place_id: Option<String>,
        /// When it was added.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
    }

    table locations {
        key: [customer_id, id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Location {
    /// The fields by which a search finds the location's customer.
    pub(crate) fn searched_fields(&self) -> [Option<&String>; 6] {
        [
            self.label.as_ref(),
            Some(&self.address_line1),
            self.address_line2.as_ref(),
            Some(&self.city),
            Some(&self.state),
            Some(&self.postal_code),
        ]
    }
}

impl Recorded for Location {
    const TYPE: &'static str = "location";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}
