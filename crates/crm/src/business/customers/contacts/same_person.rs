//! An individual and the contact that was created with it are one person. A name, telephone number or e-mail address that
//! a call sends for one of them is stored for the other too.
//!
//! They are one person while the contact is active and has the customer's name. A contact that was renamed while it was
//! not connected, such as an archived one, is another person.

use zoop_db::ReadTx;

use super::{Contact, store};
use crate::business::customers::{Customer, CustomerType};
use crate::call::error::Result;

/// The fields that a call sends for a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentFields {
    pub(crate) first_name: bool,
    pub(crate) last_name: bool,
    pub(crate) phone: bool,
    pub(crate) email: bool,
}

impl SentFields {
    const fn any(self) -> bool {
        self.first_name || self.last_name || self.phone || self.email
    }
}

/// The contact that is the same person as the customer, if there is one and the call sends fields of a person.
fn contact_of(
    tx: &mut ReadTx<'_>,
    customer: &Customer,
    sent: SentFields,
) -> Result<Option<Contact>> {
    if !sent.any() || customer.customer_type != CustomerType::Individual {
        return Ok(None);
    }
    let first = store::first(tx, customer.id)?;
    Ok(first.filter(|contact| {
        contact.archived_at.is_none()
            && Some(&contact.first_name) == customer.first_name.as_ref()
            && contact.last_name == customer.last_name
    }))
}

/// The change of the contact that is the same person as the customer `old`, which becomes `new`: the contact before and
/// after it.
pub(crate) fn changed_contact(
    tx: &mut ReadTx<'_>,
    old: &Customer,
    new: &Customer,
    sent: SentFields,
) -> Result<Option<(Contact, Contact)>> {
    let Some(contact) = contact_of(tx, old, sent)? else { return Ok(None) };
    let mut changed = contact.clone();
    if sent.first_name {
        changed.first_name = new.first_name.clone().unwrap_or_default();
    }
    if sent.last_name {
        changed.last_name.clone_from(&new.last_name);
    }
    if sent.phone {
        changed.phone.clone_from(&new.phone);
        changed.phone_raw.clone_from(&new.phone_raw);
    }
    if sent.email {
        changed.email.clone_from(&new.email);
    }
    Ok((changed != contact).then_some((contact, changed)))
}

/// The customer as it is after a change of its contact `old` to `new`: changed, if they are the same person.
pub(crate) fn changed_customer(
    tx: &mut ReadTx<'_>,
    customer: &Customer,
    old: &Contact,
    new: &Contact,
    sent: SentFields,
) -> Result<Option<Customer>> {
    if contact_of(tx, customer, sent)?.is_none_or(|contact| contact.id != old.id) {
        return Ok(None);
    }
    let mut changed = customer.clone();
    if sent.first_name {
        changed.first_name = Some(new.first_name.clone());
    }
    if sent.last_name {
        changed.last_name.clone_from(&new.last_name);
    }
    if sent.phone {
        changed.phone.clone_from(&new.phone);
        changed.phone_raw.clone_from(&new.phone_raw);
    }
    if sent.email {
        changed.email.clone_from(&new.email);
    }
    Ok((changed != *customer).then_some(changed))
}
