//! `locations.update`

use super::refuse_second_primary;
use crate::business::customers;
use crate::business::customers::children::Children;
use crate::business::customers::locations::hints::HINTS;
use crate::business::customers::locations::{Location, LocationType, store};
use crate::call::archive::Archivable;
use crate::call::argument::{
    CountryCode, Fields, Latitude, Longitude, NotNull, Patch, Text, input,
};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The changes to a location.
    pub struct UpdateLocationInput, rules = update_rules, hints = HINTS {
        /// The location's id.
        pub id: Id<kinds::Location>,
        /// Its customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// Street address.
        pub address_line1: NotNull<Text<256>>,
        /// Unit or suite.
        pub address_line2: Patch<Text<256>>,
        /// City.
        pub city: NotNull<Text<128>>,
        /// State or province.
        pub state: NotNull<Text<128>>,
        /// ZIP or postal code.
        pub postal_code: NotNull<Text<16>>,
        /// Two letters.
        pub country: NotNull<CountryCode>,
        /// Location type.
        pub location_type: NotNull<LocationType>,
        /// Such as Warehouse.
        pub label: Patch<Text<128>>,
        /// false demotes it; true promotes it if its type has no primary location.
        pub is_primary: NotNull<bool>,
        /// Gate codes and the like, replaced as a whole; a log belongs in notes.create.
        pub access_notes: Patch<Text<10_000>>,
        /// Where to park, replaced as a whole.
        pub parking_notes: Patch<Text<10_000>>,
        /// Anything else for the crew, replaced as a whole.
        pub service_notes: Patch<Text<10_000>>,
        /// Only with longitude.
        pub latitude: Patch<Latitude>,
        /// Only with latitude.
        pub longitude: Patch<Longitude>,
        /// Google Places id.
        pub place_id: Patch<Text<512>>,
    }
}

/// Latitude and longitude must be set or cleared together, whatever is stored. Otherwise a new latitude could be
/// combined with an old longitude.
fn update_rules(sent: &mut Fields) {
    let [latitude, longitude] =
        ["latitude", "longitude"].map(|field| (sent.was_sent(field), sent.is_filled(field)));
    if latitude != longitude {
        for (field, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
            sent.refuse::<()>(field, format!("must be set or cleared together with {other}"));
        }
    }
    sent.require_change(&["id", "customer_id"]);
}

/// `locations.update`
pub struct UpdateLocation;

impl Tool for UpdateLocation {
    const NAME: &'static str = "locations.update";
    const TITLE: &'static str = "Update a location";
    const ABOUT: &'static str = "Changes the fields sent and keeps the others. To \
        promote another location, first set is_primary to false on the primary one.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"id":"{location}","customer_id":"{customer}","access_notes":"Gate code 4411"}"#;
    type Input = UpdateLocationInput;
    type Output = Location;
}

impl Command for UpdateLocation {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input: &UpdateLocationInput, id| {
        store::get(ctx.tx, input.customer_id, Id::new(id))
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateLocationInput) -> Result<Location> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let locations = Children::<Location>::read(ctx.tx, customer.id)?;
        let old = locations.named(ctx, input.id)?.unless_archived(ctx.access)?;
        let mut new = apply_changes(&old, input, ctx);
        let is_type_changed = new.location_type != old.location_type;
        new.is_primary = match input.is_primary.0 {
            Some(is_primary) => is_primary,
            None if is_type_changed => locations.rivals(&new).next().is_none(),
            None => old.is_primary,
        };
        refuse_second_primary(&locations, &new)?;
        locations.update(ctx, &old, &new)?;
        if old.searched_fields() != new.searched_fields() {
            customers::store::reindex(ctx.tx, &customer)?;
        }
        Ok(new)
    }
}

fn apply_changes(old: &Location, input: &UpdateLocationInput, ctx: &WriteCtx<'_, '_>) -> Location {
    fn required<const MAX: usize>(sent: NotNull<Text<MAX>>, old: &str) -> String {
        sent.0.map_or_else(|| old.to_owned(), |text| text.0)
    }
    fn optional<const MAX: usize>(sent: Patch<Text<MAX>>, old: Option<&String>) -> Option<String> {
        sent.map(|text| text.0).apply(old.cloned())
    }
    let input = input.clone();
    Location {
        location_type: input.location_type.0.unwrap_or(old.location_type),
        label: optional(input.label, old.label.as_ref()),
        address_line1: required(input.address_line1, &old.address_line1),
        address_line2: optional(input.address_line2, old.address_line2.as_ref()),
        city: required(input.city, &old.city),
        state: required(input.state, &old.state),
        postal_code: required(input.postal_code, &old.postal_code),
        country: input
            .country
            .0
            .map_or_else(|| old.country.clone(), |code| code.0.code().to_owned()),
        access_notes: optional(input.access_notes, old.access_notes.as_ref()),
        parking_notes: optional(input.parking_notes, old.parking_notes.as_ref()),
        service_notes: optional(input.service_notes, old.service_notes.as_ref()),
        latitude: input.latitude.map(|degrees| degrees.0).apply(old.latitude),
        longitude: input.longitude.map(|degrees| degrees.0).apply(old.longitude),
        place_id: optional(input.place_id, old.place_id.as_ref()),
        updated_at: ctx.moment(),
        ..old.clone()
    }
}
