//! An individual and the contact that was created with them are one person. A name, telephone number or e-mail address that
//! a call sends for one of them is stored for the other too.
//!
//! They are one person while the contact is active and has the customer's name. An archived contact that missed a
//! change of the customer's name is another person when it is restored.

use zoop_db::ReadTx;

use super::{Contact, Origin, store};
use crate::business::customers::{Customer, CustomerType};
use crate::call::error::Result;

/// A field that an individual and their contact have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PersonField {
    FirstName,
    LastName,
    Phone,
    Email,
}

impl PersonField {
    /// The fields that a call sends. `is_sent` says so for each, in the order of their declaration.
    pub(crate) fn sent(is_sent: [bool; 4]) -> Vec<Self> {
        let all = [Self::FirstName, Self::LastName, Self::Phone, Self::Email];
        all.into_iter()
            .zip(is_sent)
            .filter(|(_, is_sent)| *is_sent)
            .map(|(field, _)| field)
            .collect()
    }
}

/// The contact that is the same person as the customer, if there is one and the call sends fields of a person.
fn contact_of(
    tx: &mut ReadTx<'_>,
    customer: &Customer,
    sent: &[PersonField],
) -> Result<Option<Contact>> {
    if sent.is_empty() || customer.customer_type != CustomerType::Individual {
        return Ok(None);
    }
    let first = store::first(tx, customer.id)?;
    Ok(first.filter(|contact| {
        contact.archived_at.is_none()
            && Some(&contact.first_name) == customer.first_name.as_ref()
            && contact.last_name == customer.last_name
    }))
}

/// The contact that changes when a call changes the customer `old` to `new`, because they are the same person. Returns
/// the contact before and after its change.
pub(crate) fn changed_contact(
    tx: &mut ReadTx<'_>,
    old: &Customer,
    new: &Customer,
    sent: &[PersonField],
) -> Result<Option<(Contact, Contact)>> {
    let Some(contact) = contact_of(tx, old, sent)? else { return Ok(None) };
    let mut changed = contact.clone();
    for field in sent {
        match field {
            PersonField::FirstName => {
                changed.first_name = new.first_name.clone().unwrap_or_default();
            }
            PersonField::LastName => changed.last_name.clone_from(&new.last_name),
            PersonField::Phone => changed.set_phone(new.phone().as_ref()),
            PersonField::Email => changed.email.clone_from(&new.email),
        }
    }
    Ok((changed != contact).then_some((contact, changed)))
}

/// The placeholder contact of a company that a call changes from `old` to `new`, before and after it is renamed.
pub(crate) fn renamed_placeholder(
    tx: &mut ReadTx<'_>,
    old: &Customer,
    new: &Customer,
) -> Result<Option<(Contact, Contact)>> {
    if new.customer_type != CustomerType::Company || old.company_name == new.company_name {
        return Ok(None);
    }
    let mut contacts = store::active(tx, new.id)?.into_iter();
    let placeholder = contacts.find(|contact| contact.origin == Origin::Placeholder);
    Ok(placeholder.map(|placeholder| {
        let mut renamed = placeholder.clone();
        renamed.follow(new);
        (placeholder, renamed)
    }))
}

/// The customer as it is after a call changes the contact `old` to `new`, if that changes the customer, because they
/// are the same person.
pub(crate) fn changed_customer(
    tx: &mut ReadTx<'_>,
    customer: &Customer,
    old: &Contact,
    new: &Contact,
    sent: &[PersonField],
) -> Result<Option<Customer>> {
    if contact_of(tx, customer, sent)?.is_none_or(|contact| contact.id != old.id) {
        return Ok(None);
    }
    let mut changed = customer.clone();
    for field in sent {
        match field {
            PersonField::FirstName => changed.first_name = Some(new.first_name.clone()),
            PersonField::LastName => changed.last_name.clone_from(&new.last_name),
            PersonField::Phone => changed.set_phone(new.phone().as_ref()),
            PersonField::Email => changed.email.clone_from(&new.email),
        }
    }
    Ok((changed != *customer).then_some(changed))
}
