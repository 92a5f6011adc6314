//! What to use instead of fields that the tools for locations do not have.

use crate::call::argument::Hint;
use crate::call::argument::Instead::{Advice, Fields};

/// For all tools for locations, and for the first location of a customer.
pub(crate) const HINTS: &[Hint] = &[
    Hint::new(&["location_id", "location", "uuid"], &[Fields(&["id"])]),
    Hint::new(&["customer"], &[Fields(&["customer_id"])]),
    Hint::new(
        &["address", "street", "street_address", "address1", "line1", "street1"],
        &[Fields(&["address_line1"])],
    ),
    Hint::new(
        &["address2", "line2", "street2", "unit", "suite", "apartment", "apt"],
        &[Fields(&["address_line2"])],
    ),
    Hint::new(&["zip", "zip_code", "postcode", "postal"], &[Fields(&["postal_code"])]),
    Hint::new(&["town"], &[Fields(&["city"])]),
    Hint::new(&["province", "region"], &[Fields(&["state"])]),
    Hint::new(&["country_code"], &[Fields(&["country"])]),
    Hint::new(&["type", "kind", "address_type"], &[Fields(&["location_type"])]),
    Hint::new(&["name", "nickname", "title"], &[Fields(&["label"])]),
    Hint::new(&["primary"], &[Fields(&["is_primary"])]),
    Hint::new(&["access", "gate_code", "access_code", "alarm_code"], &[Fields(&["access_notes"])]),
    Hint::new(&["parking"], &[Fields(&["parking_notes"])]),
    Hint::new(
        &["note", "notes", "comment", "comments", "remark", "remarks"],
        &[Advice("use notes.create to add a note")],
    ),
    Hint::new(&["lat"], &[Fields(&["latitude"])]),
    Hint::new(&["lng", "lon", "long"], &[Fields(&["longitude"])]),
    Hint::new(&["google_place_id"], &[Fields(&["place_id"])]),
];
