//! Customers: the individuals and companies that a tenant works for, and the forms in which they are shown.

pub(crate) mod children;
pub mod contacts;
pub mod duplicates;
pub mod erase;
mod external_id;
pub(crate) mod hints;
pub mod history;
pub mod index;
pub mod locations;
pub mod merge;
mod merged;
pub(in crate::business) mod moved_back;
pub mod named;
pub(in crate::business) mod put_back;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub mod tools;

pub use crate::values::number::CustomerNumber;
pub use merged::MergedCustomer;
pub use tools::GROUP;

pub(crate) use merged::MergedFrom;
pub(crate) use store::STATEMENTS;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use crate::business::customers::contacts::{Contact, joined_name, stored_phone};
use crate::business::customers::index::Match;
use crate::business::customers::locations::Location;
use crate::call::access::Access;
use crate::call::archive::Archivable;
use crate::call::context::{Recorded, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::written::Written;
use crate::values::clock::Moment;
use crate::values::id::{Id, Kind as _, kinds};
use crate::values::phone::Phone;

crate::call::argument::choices! {
    /// Whether a customer is a person or a business. A customer's type never changes.
    pub enum CustomerType {
        /// A person.
        Individual = "individual",
        /// A business.
        Company = "company",
    }
}

crate::call::argument::choices! {
    /// The state of a customer.
    pub enum Status {
        /// A current customer.
        Active = "active",
        /// Not a current customer.
        Inactive = "inactive",
        /// Hidden from searches, unless a filter asks for archived customers.
        Archived = "archived",
    }
}

crate::call::table::record! {
    /// A customer as stored: the history compares these fields.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Customer {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
        /// Its number in the search index.
        #[serde(skip)]
        pub(crate) n: i64 as numbered,
        /// The customer's number in its tenant.
        pub customer_number: CustomerNumber as fixed,
        /// A person or a business.
        pub customer_type: CustomerType as fixed,
        /// An individual's given name.
        pub first_name: Option<String>,
        /// An individual's family name.
        pub last_name: Option<String>,
        /// A company's name.
        pub company_name: Option<String>,
        /// Active or inactive. An archived customer keeps this status and has it again once restored.
        pub(crate) status: Status,
        /// Its own telephone number, E.164.
        pub phone: Option<String>,
        /// Its own telephone number as typed.
        pub phone_raw: Option<String>,
        /// Its own e-mail address.
        pub email: Option<String>,
        /// Internal notes.
        pub notes_internal: Option<String>,
        /// Whether the team marked it as very important.
        pub is_vip: bool,
        /// Whether the team must not contact it.
        pub do_not_contact: bool,
        /// Why the team must not contact it.
        pub do_not_contact_reason: Option<String>,
        /// How it was acquired.
        pub source: Option<String>,
        /// Its id in another system. No other customer of the tenant has it, not even an archived one.
        pub external_id: Option<String>,
        /// When it was added.
        pub created_at: Moment = id.created_at(),
        /// When it was last changed.
        pub updated_at: Moment,
        /// When it was archived.
        pub archived_at: Option<Moment>,
        /// The customer that it was merged into. It is archived then, and in no list and no search.
        #[serde(default)]
        pub(crate) merged_into: Option<Id<kinds::Customer>>,
        /// The customers that were merged into it.
        #[serde(default)]
        pub(crate) merged_from: MergedFrom,
        /// When what identifies it was erased. Its row stays for its number, and is as if it was not there.
        #[serde(skip)]
        pub(crate) erased_at: Option<Moment>,
    }

    table customers {
        key: [id],
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

impl Customer {
    /// The company's name, or first and last name joined by a space.
    pub fn display_name(&self) -> String {
        match self.customer_type {
            CustomerType::Company => self.company_name.clone().unwrap_or_default(),
            CustomerType::Individual => {
                joined_name(self.first_name.as_deref(), self.last_name.as_deref())
            }
        }
    }

    /// The status that callers see.
    pub const fn visible_status(&self) -> Status {
        if self.archived_at.is_some() { Status::Archived } else { self.status }
    }

    /// Whether searches find it.
    pub(crate) const fn is_indexed(&self) -> bool {
        self.merged_into.is_none() && self.erased_at.is_none()
    }

    /// Returns the customer, or an error that names the one that it was merged into.
    pub(crate) fn unless_merged(self, access: &Access) -> Result<Self> {
        match self.merged_into {
            None => Ok(self),
            Some(kept) => Err(Error::merged(kept).for_reader(access, Self::READ)),
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

impl Recorded for Customer {
    const TYPE: &'static str = "customer";
    const STORED_ONCE: bool = true;

    fn record_id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Archivable for Customer {
    type Kind = kinds::Customer;
    const READ: Scope = Scope::ReadCustomers;
    const WAY_BACK: &'static str = "customers.restore";

    fn id(&self) -> Id<kinds::Customer> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        self.archived_at = archived_at;
        self.updated_at = updated_at;
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        store::update(ctx.tx, new)?;
        store::reindex(ctx.tx, new)?;
        ctx.updated(old, new)
    }

    /// Nor can a merged customer be changed: another one has its records now.
    fn unless_archived(self, access: &Access) -> Result<Self> {
        let customer = self.unless_merged(access)?;
        match customer.archived_at {
            None => Ok(customer),
            Some(_) => Err(Error::archived(kinds::Customer::WORD, Self::WAY_BACK)
                .for_reader(access, Self::READ)),
        }
    }
}

/// A customer as shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CustomerRecord {
    /// The customer's id.
    pub id: Id<kinds::Customer>,
    /// The customer's number in this account, such as C-0042.
    pub customer_number: CustomerNumber,
    /// A person or a business.
    pub customer_type: CustomerType,
    /// The company's name, or first and last name.
    pub display_name: String,
    /// An individual's given name.
    pub first_name: Option<String>,
    /// An individual's family name.
    pub last_name: Option<String>,
    /// A company's name.
    pub company_name: Option<String>,
    /// Active, inactive or archived.
    pub status: Status,
    /// Its own telephone number, or else its primary contact's, E.164.
    pub primary_phone: Option<String>,
    /// The same number as typed.
    pub primary_phone_raw: Option<String>,
    /// Its own e-mail address, or else its primary contact's.
    pub primary_email: Option<String>,
    /// Internal notes.
    pub notes_internal: Option<String>,
    /// Whether the team marked it as very important.
    pub is_vip: bool,
    /// Whether the team must not contact it.
    pub do_not_contact: bool,
    /// Why the team must not contact it.
    pub do_not_contact_reason: Option<String>,
    /// How it was acquired.
    pub source: Option<String>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// Its tags, sorted by name.
    pub tags: Vec<TagLabel>,
    /// When it was added.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When it was archived.
    pub archived_at: Option<Moment>,
    /// Only if there are any: the customers that were merged into it. Their ids and numbers lead here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<Vec<MergedCustomer>>,
    /// Its own telephone number as typed, without its primary contact's. Only for a form that changes it.
    #[serde(skip)]
    #[schemars(skip)]
    pub own_phone_raw: Option<String>,
    /// Its own e-mail address, without its primary contact's. Only for a form that changes it.
    #[serde(skip)]
    #[schemars(skip)]
    pub own_email: Option<String>,
}

impl CustomerRecord {
    /// A customer as shown, with this primary contact and these tags.
    pub(crate) fn new(customer: Customer, primary: Option<&Contact>, tags: Vec<TagLabel>) -> Self {
        let display_name = customer.display_name();
        let status = customer.visible_status();
        let own_phone_raw = customer.phone_raw.clone();
        let own_email = customer.email.clone();
        let (primary_phone, primary_phone_raw) = match customer.phone {
            Some(_) => (customer.phone, customer.phone_raw),
            None => primary
                .map(|contact| (contact.phone.clone(), contact.phone_raw.clone()))
                .unwrap_or_default(),
        };
        let contact_email = || primary.and_then(|contact| contact.email.clone());
        Self {
            id: customer.id,
            customer_number: customer.customer_number,
            customer_type: customer.customer_type,
            display_name,
            first_name: customer.first_name,
            last_name: customer.last_name,
            company_name: customer.company_name,
            status,
            primary_phone,
            primary_phone_raw,
            primary_email: customer.email.or_else(contact_email),
            notes_internal: customer.notes_internal,
            is_vip: customer.is_vip,
            do_not_contact: customer.do_not_contact,
            do_not_contact_reason: customer.do_not_contact_reason,
            source: customer.source,
            external_id: customer.external_id,
            tags,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            archived_at: customer.archived_at,
            merged_from: customer.merged_from.shown(),
            own_phone_raw,
            own_email,
        }
    }
}

/// A tag as a customer's record shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TagLabel {
    /// The tag's id.
    pub id: Id<kinds::Tag>,
    /// Its name.
    pub name: String,
    /// Its color, `#RRGGBB`.
    pub color: String,
}

/// A customer with its contacts and locations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FullCustomer {
    /// The customer.
    #[serde(flatten)]
    pub customer: CustomerRecord,
    /// Its active contacts, the primary contact first.
    pub contacts: Vec<Written<Contact>>,
    /// Its active locations, primary locations first.
    pub locations: Vec<Written<Location>>,
    /// Only if not all contacts or locations are shown, because the answer would be too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
}

/// Which of a customer's contacts and locations are not all shown, and where the rest is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Truncated {
    /// How to get all contacts, if not all are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<&'static str>,
    /// How to get all locations, if not all are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locations: Option<&'static str>,
}

/// A new customer, and existing customers that may be duplicates.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedCustomer {
    /// The customer.
    #[serde(flatten)]
    pub customer: CustomerRecord,
    /// Others with the same phone or e-mail, then those likely the same. Check them before you add more.
    pub possible_duplicates: Vec<PossibleDuplicate>,
}

/// A customer that may be a duplicate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PossibleDuplicate {
    /// Its id.
    pub id: Id<kinds::Customer>,
    /// Its name.
    pub display_name: String,
    /// What is the same: `phone`, `email` or `phone and email`; else words such as `nickname and address`.
    #[serde(rename = "match")]
    pub shared: Cow<'static, str>,
}

/// A row of a search result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SearchRow {
    /// The customer's id.
    pub id: Id<kinds::Customer>,
    /// The company's name, or first and last name.
    pub display_name: String,
    /// A person or a business.
    pub customer_type: CustomerType,
    /// Active, inactive or archived.
    pub status: Status,
    /// Its own telephone number, or else its primary contact's, E.164.
    pub primary_phone: Option<String>,
    /// The same number as typed. Only for pages.
    #[serde(skip)]
    #[schemars(skip)]
    pub primary_phone_raw: Option<String>,
    /// Its own e-mail address, or else its primary contact's.
    pub primary_email: Option<String>,
    /// The customer's number in this account, such as C-0042.
    pub customer_number: CustomerNumber,
    /// Whether the team marked it as very important.
    pub is_vip: bool,
    /// Whether the team must not contact it.
    pub do_not_contact: bool,
    /// Its primary service address, in one line.
    pub location: Option<String>,
    /// Only with q: where its words were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Vec<Match>>,
    /// Only if nothing matched q: this row is merely like it.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub similarity: Option<Similarity>,
}

crate::call::argument::choices! {
    /// That a row does not match a search, but is like it.
    pub enum Similarity {
        /// Misspelled, sounding alike, or without some of the words.
        Similar = "similar",
    }
}
