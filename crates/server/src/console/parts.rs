//! The parts of a customer that have forms of their own: its contacts and its locations.

use zoop_crm::business::customers::contacts::tools::restore::RestoreContact;
use zoop_crm::business::customers::contacts::tools::update::UpdateContact;
use zoop_crm::business::customers::contacts::tools::{
    ArchiveContact, CreateContact, GetContact, ListContacts,
};
use zoop_crm::business::customers::contacts::{Contact, ContactRole};
use zoop_crm::business::customers::locations::tools::restore::RestoreLocation;
use zoop_crm::business::customers::locations::tools::update::UpdateLocation;
use zoop_crm::business::customers::locations::tools::{
    ArchiveLocation, CreateLocation, GetLocation, ListLocations,
};
use zoop_crm::business::customers::locations::{Location, LocationType};
use zoop_crm::call::tool::{Command, List, Query};
use zoop_crm::values::id::{Kind, kinds};

use super::messages::{self, Done};
use super::record_form::{Declaration, Field, Group, Input, Usage, Values, yes_or_no};
use super::words;

/// A kind of part: its form, and the tools that run. All these tools take the part's `id` and its `customer_id`.
pub(super) trait Part: Send + Sync + 'static {
    type Kind: Kind;
    type Record: Send + 'static;
    type Get: Query<Output = Self::Record> + 'static;
    type List: List<Row = Self::Record> + 'static;
    type Create: Command<Output: Send>;
    type Update: Command<Output: Send>;
    type Archive: Command<Output: Send>;
    type Restore: Command<Output: Send>;

    /// The segment of the paths.
    const SEGMENT: &'static str;
    const FORM: &'static Declaration;
    const NEW: &'static str;
    const EDIT: &'static str;
    const ADDED: Done;
    const SAVED: Done;
    const ARCHIVED: Done;
    const RESTORED: Done;

    fn values(record: &Self::Record) -> Values;
    fn name(record: &Self::Record) -> String;
}

/// The usual fields of a contact.
pub(super) const PERSON: &[Field] = &[
    Field::new("first_name", "First name", Input::Line(128)).required(),
    Field::new("last_name", "Last name", Input::Line(128)).required(),
    Field::new("phone", "Phone", Input::Phone),
    Field::new("email", "E-mail", Input::Email),
];
/// The other fields of a contact.
pub(super) const PERSON_MORE: &[Field] = &[
    Field::new("title", "Job title", Input::Line(128)),
    Field::new("role", "Role", Input::Choice(roles)),
    Field::new("phone_can_sms", "The phone takes text messages", Input::Check(true)),
];
/// The usual fields of a location.
pub(super) const ADDRESS: &[Field] = &[
    Field::new("address_line1", "Street address", Input::Line(256)).required(),
    Field::new("address_line2", "Unit or suite", Input::Line(256)),
    Field::new("city", "City", Input::Line(128)).required(),
    Field::new("state", "State or province", Input::Line(128)).required(),
    Field::new("postal_code", "ZIP or postal code", Input::Line(16)).required(),
];
/// The label of a box. Only one location of each kind is primary.
const PRIMARY: &str = "The primary location of its kind";
/// What the crew should know about a location.
pub(super) const FOR_THE_CREW: &[Field] = &[
    Field::new("access_notes", "Access notes", Input::Text(10_000))
        .help("Gate codes and the like."),
    Field::new("parking_notes", "Parking notes", Input::Text(10_000)),
    Field::new("service_notes", "Notes for the crew", Input::Text(10_000)),
];
/// The other fields of a location.
pub(super) const ADDRESS_MORE: &[Field] = &[
    Field::new("label", "Nickname", Input::Line(128)).help("Such as Warehouse."),
    Field::new("location_type", "Address type", Input::Choice(location_types)),
    Field::new("country", "Country", Input::Choice(words::countries)),
    Field::new("latitude", "Latitude", Input::Number)
        .help("From a program. Empty these if the address changes.")
        .only_kept(),
    Field::new("longitude", "Longitude", Input::Number).only_kept(),
    Field::new("place_id", "Place id of Google Maps", Input::Line(512)).only_kept(),
];

/// The general role is first, because it is the usual one.
fn roles() -> Vec<(&'static str, &'static str)> {
    let general = (ContactRole::General.word(), "General");
    let others = ContactRole::ALL.iter().filter(|role| **role != ContactRole::General);
    std::iter::once(general)
        .chain(others.map(|role| (role.word(), words::contact_role(*role))))
        .collect()
}

fn location_types() -> Vec<(&'static str, &'static str)> {
    LocationType::ALL.iter().map(|it| (it.word(), words::location_type(*it))).collect()
}

/// Fields that are always shown.
pub(super) const fn usual(fields: &'static [Field]) -> Group {
    Group { heading: "", within: None, fields, only: None, usage: Usage::Always }
}

/// Fields behind a heading.
pub(super) const fn folded(heading: &'static str, fields: &'static [Field]) -> Group {
    Group { heading, ..usual(fields) }
}

/// The contacts of a customer.
pub(super) struct Contacts;

impl Part for Contacts {
    type Kind = kinds::Contact;
    type Record = Contact;
    type Get = GetContact;
    type List = ListContacts;
    type Create = CreateContact;
    type Update = UpdateContact;
    type Archive = ArchiveContact;
    type Restore = RestoreContact;

    const SEGMENT: &'static str = "contacts";
    const FORM: &'static Declaration = &Declaration {
        groups: &[
            usual(PERSON),
            usual(&[Field::new("is_primary", "The contact to call first", Input::Check(false))]),
            folded("More", PERSON_MORE),
        ],
        together: &[],
    };
    const NEW: &'static str = "New contact";
    const EDIT: &'static str = "Edit contact";
    const ADDED: Done = messages::CONTACT_ADDED;
    const SAVED: Done = messages::CONTACT_SAVED;
    const ARCHIVED: Done = messages::CONTACT_ARCHIVED;
    const RESTORED: Done = messages::CONTACT_RESTORED;

    fn values(contact: &Contact) -> Values {
        Values::default()
            .with("first_name", contact.first_name.as_str())
            .with("last_name", contact.last_name.as_deref())
            .with("phone", contact.phone_raw.as_deref())
            .with("email", contact.email.as_deref())
            .with("title", contact.title.as_deref())
            .with("role", contact.role.word())
            .with("phone_can_sms", yes_or_no(contact.phone_can_sms))
            .with("is_primary", yes_or_no(contact.is_primary))
    }

    fn name(contact: &Contact) -> String {
        contact.name()
    }
}

/// The locations of a customer.
pub(super) struct Locations;

impl Part for Locations {
    type Kind = kinds::Location;
    type Record = Location;
    type Get = GetLocation;
    type List = ListLocations;
    type Create = CreateLocation;
    type Update = UpdateLocation;
    type Archive = ArchiveLocation;
    type Restore = RestoreLocation;

    const SEGMENT: &'static str = "locations";
    const FORM: &'static Declaration = &Declaration {
        groups: &[
            usual(ADDRESS),
            usual(&[Field::new("is_primary", PRIMARY, Input::Check(false))]),
            folded("Gate code, parking and notes for the crew", FOR_THE_CREW),
            folded("More", ADDRESS_MORE),
        ],
        together: &["latitude", "longitude"],
    };
    const NEW: &'static str = "New location";
    const EDIT: &'static str = "Edit location";
    const ADDED: Done = messages::LOCATION_ADDED;
    const SAVED: Done = messages::LOCATION_SAVED;
    const ARCHIVED: Done = messages::LOCATION_ARCHIVED;
    const RESTORED: Done = messages::LOCATION_RESTORED;

    fn values(location: &Location) -> Values {
        let [latitude, longitude] =
            [location.latitude, location.longitude].map(|it| it.map(|it| it.to_string()));
        Values::default()
            .with("address_line1", location.address_line1.as_str())
            .with("address_line2", location.address_line2.as_deref())
            .with("city", location.city.as_str())
            .with("state", location.state.as_str())
            .with("postal_code", location.postal_code.as_str())
            .with("access_notes", location.access_notes.as_deref())
            .with("parking_notes", location.parking_notes.as_deref())
            .with("service_notes", location.service_notes.as_deref())
            .with("label", location.label.as_deref())
            .with("location_type", location.location_type.word())
            .with("is_primary", yes_or_no(location.is_primary))
            .with("country", location.country.as_str())
            .with("latitude", latitude.as_deref())
            .with("longitude", longitude.as_deref())
            .with("place_id", location.place_id.as_deref())
    }

    fn name(location: &Location) -> String {
        location.label.clone().unwrap_or_else(|| location.address_line1.clone())
    }
}
