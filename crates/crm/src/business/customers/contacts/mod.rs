//! Contacts: the people to call or write to at a customer.
//!
//! Every customer has at least one active contact. Exactly one of the active contacts is primary.

mod child;
pub(crate) mod hints;
pub(crate) mod same_person;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use tools::{GROUP, PrimaryContactInput};

pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::business::customers::{Customer, CustomerType};
use crate::call::context::Recorded;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::phone::Phone;

crate::call::argument::choices! {
    /// What to contact a person about.
    pub enum ContactRole {
        /// Invoices and payment.
        Billing = "billing",
        /// The work on site.
        Service = "service",
        /// Decisions about the work.
        DecisionMaker = "decision_maker",
        /// Anything.
        General = "general",
    }
}

crate::call::argument::choices! {
    /// Where the fields of a contact come from.
    pub enum Origin {
        /// A caller sent them for the contact.
        Own = "own",
        /// They are copies of an individual's own fields, from when both were created.
        Customer = "customer",
        /// The contact is a placeholder with the company's name, until a caller sends the first contact.
        Placeholder = "placeholder",
    }
}

impl Origin {
    /// The origin of a contact that is read without it.
    const fn of_others() -> Self {
        Self::Own
    }
}

crate::call::table::record! {
    /// A contact as stored and shown.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct Contact {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
        /// The customer it belongs to.
        pub customer_id: Id<kinds::Customer>,
        /// Given name.
        pub first_name: String,
        /// Family name.
        pub last_name: Option<String>,
        /// Telephone number, E.164.
        pub phone: Option<String>,
        /// Telephone number as typed.
        pub phone_raw: Option<String>,
        /// E-mail address.
        pub email: Option<String>,
        /// Whether this is the contact to call first.
        pub is_primary: bool,
        /// Whether the number takes text messages.
        pub phone_can_sms: bool,
        /// What to contact this person about.
        pub role: ContactRole,
        /// Job title.
        pub title: Option<String>,
        /// When it was added.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
        /// Where the contact's fields come from.
        #[serde(skip, default = "Origin::of_others")]
        #[schemars(skip)]
        pub(crate) origin: Origin,
    }

    table contacts {
        key: [customer_id, id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Contact {
    /// A primary contact without a name, phone or e-mail address.
    pub(crate) fn new(id: Id<kinds::Contact>, customer_id: Id<kinds::Customer>) -> Self {
        Self {
            id,
            customer_id,
            first_name: String::new(),
            last_name: None,
            phone: None,
            phone_raw: None,
            email: None,
            is_primary: true,
            phone_can_sms: true,
            role: ContactRole::General,
            title: None,
            created_at: id.created_at(),
            updated_at: id.created_at(),
            archived_at: None,
            origin: Origin::Own,
        }
    }

    /// First and last name joined by a space.
    pub fn name(&self) -> String {
        joined_name(Some(&self.first_name), self.last_name.as_deref())
    }

    /// The fields by which a search finds the contact's customer.
    pub(crate) fn searched_fields(&self) -> [Option<&String>; 5] {
        [
            Some(&self.first_name),
            self.last_name.as_ref(),
            self.phone.as_ref(),
            self.phone_raw.as_ref(),
            self.email.as_ref(),
        ]
    }

    /// Copies the customer's fields into a contact that is created with it, or that is a company's placeholder.
    pub(crate) fn follow(&mut self, customer: &Customer) {
        match customer.customer_type {
            CustomerType::Individual => {
                self.origin = Origin::Customer;
                self.first_name = customer.first_name.clone().unwrap_or_default();
                self.last_name.clone_from(&customer.last_name);
                self.phone.clone_from(&customer.phone);
                self.phone_raw.clone_from(&customer.phone_raw);
                self.email.clone_from(&customer.email);
            }
            CustomerType::Company => {
                self.origin = Origin::Placeholder;
                self.first_name = customer.company_name.clone().unwrap_or_default();
            }
        }
    }

    /// Sets both forms of the telephone number.
    pub(crate) fn set_phone(&mut self, phone: Option<&Phone>) {
        self.phone = phone.map(|phone| phone.e164().to_owned());
        self.phone_raw = phone.map(|phone| phone.raw().to_owned());
    }

    /// Both forms of the telephone number.
    pub(crate) fn phone(&self) -> Option<Phone> {
        stored_phone(self.phone_raw.as_ref(), self.phone.as_ref())
    }
}

impl Recorded for Contact {
    const TYPE: &'static str = "contact";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

/// First and last name joined by a space.
pub(crate) fn joined_name(first: Option<&str>, last: Option<&str>) -> String {
    [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A telephone number from its two stored forms.
pub(crate) fn stored_phone(raw: Option<&String>, e164: Option<&String>) -> Option<Phone> {
    Some(Phone::from_stored(raw?.clone(), e164?.clone()))
}
