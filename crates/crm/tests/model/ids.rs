//! The ids that a call can refer to.

use serde_json::{Value, json};

use super::state::{Customer, Tenant, is_archived};

/// The kind of record that an id belongs to.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Customer,
    Contact,
    Location,
    Tag,
    Note,
    File,
    Work,
    User,
}

/// The ids of a customer's contacts or locations, each with whether it is archived.
pub(super) fn children(customer: &Customer, kind: Kind) -> Vec<(Value, bool)> {
    match kind {
        Kind::Contact => customer.contacts.iter().map(|contact| pair(&contact.shown)).collect(),
        _ => customer.locations.iter().map(pair).collect(),
    }
}

/// A record's id, and whether it is archived.
fn pair(record: &Value) -> (Value, bool) {
    (record["id"].clone(), is_archived(record))
}

/// The ids of a tenant's records of a kind, each with whether it is archived.
pub(super) fn ids(tenant: &Tenant, kind: Kind) -> Vec<(Value, bool)> {
    let customers = || tenant.customers.iter();
    let users = || tenant.callers.iter().filter_map(|caller| caller.user.as_ref());
    match kind {
        Kind::Customer => customers().map(|customer| pair(&customer.own)).collect(),
        Kind::Contact | Kind::Location => {
            customers().flat_map(|customer| children(customer, kind)).collect()
        }
        Kind::Tag => tenant.tags.iter().map(|tag| (tag["id"].clone(), false)).collect(),
        Kind::Note => {
            let notes = tenant.notes.iter();
            notes.map(|note| (note.shown["id"].clone(), note.is_archived)).collect()
        }
        Kind::File => tenant.files.iter().map(|file| (file.id.clone(), file.is_removed)).collect(),
        Kind::Work => tenant.work.iter().map(|work| (json!(work.id), false)).collect(),
        Kind::User => users().map(|user| (json!(user), false)).collect(),
    }
}
