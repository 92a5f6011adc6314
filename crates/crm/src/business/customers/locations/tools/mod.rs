//! The tools for locations.

pub mod restore;
pub mod update;

use super::hints::HINTS;
use super::{Location, LocationType, store};
use crate::business::customers;
use crate::business::customers::children::{self, Children, MAX_ROWS, Position};
use crate::call::answer::{Archived, Page};
use crate::call::archive::Archivable;
use crate::call::argument::{
    CountryCode, Fields, Latitude, Longitude, Ranged, Text, input, nested,
};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{
    ActorRule, Command, Effect, Exposure, Found, List, Query, Receipt, Replay, Tool,
};
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// The tools for locations.
pub const GROUP: Group = Group {
    name: "locations",
    about: "Locations: the addresses of a customer.",
    tools: &[
        ToolDef::list::<ListLocations>(),
        ToolDef::query::<GetLocation>(),
        ToolDef::command::<CreateLocation>(),
        ToolDef::command::<update::UpdateLocation>(),
        ToolDef::command::<ArchiveLocation>(),
        ToolDef::command::<restore::RestoreLocation>(),
    ],
};

input! {
    /// An address to add.
    pub struct LocationInput, rules = coordinate_rules, hints = HINTS {
        /// Street address.
        pub address_line1: Text<256>,
        /// Unit or suite.
        pub address_line2: Option<Text<256>>,
        /// City.
        pub city: Text<128>,
        /// State or province.
        pub state: Text<128>,
        /// ZIP or postal code.
        pub postal_code: Text<16>,
        /// Two letters; default US.
        pub country: Option<CountryCode>,
        /// Default service.
        pub location_type: Option<LocationType>,
        /// Such as Warehouse.
        pub label: Option<Text<128>>,
        /// Default false; true only if its type has no primary location. The first of a type always is.
        pub is_primary: Option<bool>,
        /// Gate codes and the like; a log belongs in notes.create.
        pub access_notes: Option<Text<10_000>>,
        /// Where to park.
        pub parking_notes: Option<Text<10_000>>,
        /// Anything else for the crew.
        pub service_notes: Option<Text<10_000>>,
        /// Only with longitude.
        pub latitude: Option<Latitude>,
        /// Only with latitude.
        pub longitude: Option<Longitude>,
        /// Google Places id.
        pub place_id: Option<Text<512>>,
    }
}
nested!(LocationInput);

/// Latitude and longitude must be sent together or not at all.
fn coordinate_rules(sent: &mut Fields) {
    for (one, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
        if sent.is_filled(one) && !sent.is_filled(other) {
            sent.refuse::<()>(other, format!("must be sent together with {one}"));
        }
    }
}

input! {
    /// The filters of the list.
    pub struct ListLocationsInput, hints = HINTS {
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// true lists only archived ones.
        pub archived: Option<bool>,
    }
}

/// `locations.list`
pub struct ListLocations;

impl Tool for ListLocations {
    const NAME: &'static str = "locations.list";
    const TITLE: &'static str = "List locations";
    const ABOUT: &'static str =
        "Lists a customer's addresses: primary addresses first, then in creation order.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"customer_id":"{customer}"}"#;
    type Input = ListLocationsInput;
    type Output = Page<Location>;
}

impl List for ListLocations {
    type Row = Location;
    type Position = Position;
    type Limit = Ranged<1, { MAX_ROWS }>;
    // Without a limit, a caller gets all active locations, unless they are too long for one page.
    const DEFAULT_LIMIT: u32 = MAX_ROWS;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListLocationsInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<Location, Position>> {
        let customer = customers::store::resolved(ctx.tx, input.customer_id)?;
        children::page(ctx.tx, customer.id, input.archived == Some(true), after, count)
    }
}

input! {
    /// The location to return.
    pub struct GetLocationInput, hints = HINTS {
        /// The location's id.
        pub id: Id<kinds::Location>,
        /// Its customer's id; checked if sent.
        pub customer_id: Option<Id<kinds::Customer>>,
    }
}

input! {
    /// A location of a customer.
    pub struct LocationIdInput, hints = HINTS {
        /// The location's id.
        pub id: Id<kinds::Location>,
        /// Its customer's id.
        pub customer_id: Id<kinds::Customer>,
    }
}

/// `locations.get`
pub struct GetLocation;

impl Tool for GetLocation {
    const NAME: &'static str = "locations.get";
    const TITLE: &'static str = "Get a location";
    const ABOUT: &'static str = "Returns one address, even if it is archived.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{location}"}"#;
    type Input = GetLocationInput;
    type Output = Location;
}

impl Query for GetLocation {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &GetLocationInput) -> Result<Location> {
        children::get(ctx.tx, ctx.access, input.customer_id, input.id)
    }
}

input! {
    /// A new location.
    pub struct CreateLocationInput {
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
        ..address: LocationInput
    }
}

/// `locations.create`
pub struct CreateLocation;

impl Tool for CreateLocation {
    const NAME: &'static str = "locations.create";
    const TITLE: &'static str = "Add a location";
    const ABOUT: &'static str = "Adds an address to a customer: for service, billing, mailing or \
        anything else.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"customer_id":"{customer}","address_line1":"9 Elm Street","city":"Oakland","state":"CA","postal_code":"94607"}"#;
    type Input = CreateLocationInput;
    type Output = Location;
}

impl Command for CreateLocation {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input: &CreateLocationInput, id| {
        store::get(ctx.tx, input.customer_id, Id::new(id))
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateLocationInput) -> Result<Location> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let location = add(ctx, customer.id, &input.address)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(location)
    }
}

/// Adds a location to a customer that is known to exist, but not to the search index.
pub(crate) fn add(
    ctx: &mut WriteCtx<'_, '_>,
    customer_id: Id<kinds::Customer>,
    input: &LocationInput,
) -> Result<Location> {
    let locations = Children::<Location>::read(ctx.tx, customer_id)?;
    let id = ctx.next_id::<kinds::Location>(store::GREATEST_ID_BELOW)?;
    let input = input.clone();
    let location = Location {
        id,
        customer_id,
        location_type: input.location_type.unwrap_or(LocationType::Service),
        label: input.label.map(|label| label.0),
        address_line1: input.address_line1.0,
        address_line2: input.address_line2.map(|line| line.0),
        city: input.city.0,
        state: input.state.0,
        postal_code: input.postal_code.0,
        country: input.country.map_or(Country::US, |code| code.0).code().to_owned(),
        is_primary: input.is_primary == Some(true),
        access_notes: input.access_notes.map(|notes| notes.0),
        parking_notes: input.parking_notes.map(|notes| notes.0),
        service_notes: input.service_notes.map(|notes| notes.0),
        latitude: input.latitude.map(|degrees| degrees.0),
        longitude: input.longitude.map(|degrees| degrees.0),
        place_id: input.place_id.map(|id| id.0),
        created_at: id.created_at(),
        updated_at: id.created_at(),
        archived_at: None,
    };
    refuse_second_primary(&locations, &location)?;
    locations.add(ctx, location)
}

/// Rejects a primary location if its type already has a primary location.
fn refuse_second_primary(locations: &Children<Location>, location: &Location) -> Result<()> {
    if !location.is_primary || locations.primary_rival(location).is_none() {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "This customer already has a primary {} location: first set its is_primary to false with \
         locations.update.",
        location.location_type.word()
    )))
}

/// `locations.archive`
pub struct ArchiveLocation;

impl Tool for ArchiveLocation {
    const NAME: &'static str = "locations.archive";
    const TITLE: &'static str = "Archive a location";
    const ABOUT: &'static str = "Hides an address. If it was primary, the oldest \
        other one of its type becomes primary. locations.restore brings it back.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{location}","customer_id":"{customer}"}"#;
    type Input = LocationIdInput;
    type Output = Archived<kinds::Location>;
}

impl Command for ArchiveLocation {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &LocationIdInput,
    ) -> Result<Archived<kinds::Location>> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let locations = Children::<Location>::read(ctx.tx, customer.id)?;
        let location = locations.named(ctx, input.id)?;
        let answer = locations.archive(ctx, &location)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(answer)
    }
}
