//! The tools for contacts.

pub mod restore;
pub mod update;

use super::hints::HINTS;
use super::{Contact, ContactRole, Origin, store};
use crate::business::customers;
use crate::business::customers::children::{self, Children, MAX_ROWS, Position};
use crate::call::answer::{Archived, Page};
use crate::call::archive::Archivable;
use crate::call::argument::{Email, PhoneNumber, Ranged, Text, input, nested};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::tool::{
    ActorRule, Command, Effect, Exposure, Found, List, Query, Receipt, Replay, Tool,
};
use crate::values::id::{Id, kinds};

/// The tools for contacts.
pub const GROUP: Group = Group {
    name: "contacts",
    about: "Contacts: the people to call or write to at a customer.",
    tools: &[
        ToolDef::list::<ListContacts>(),
        ToolDef::query::<GetContact>(),
        ToolDef::command::<CreateContact>(),
        ToolDef::command::<update::UpdateContact>(),
        ToolDef::command::<ArchiveContact>(),
        ToolDef::command::<restore::RestoreContact>(),
    ],
};

input! {
    /// A person to add.
    pub struct PrimaryContactInput, hints = HINTS {
        /// First name.
        pub first_name: Text<128>,
        /// Last name.
        pub last_name: Text<128>,
        /// In any format, with area code.
        pub phone: Option<PhoneNumber>,
        /// E-mail.
        pub email: Option<Email>,
        /// Default true.
        pub phone_can_sms: Option<bool>,
        /// Default general.
        pub role: Option<ContactRole>,
        /// Job title.
        pub title: Option<Text<128>>,
    }
}
nested!(PrimaryContactInput);

impl PrimaryContactInput {
    /// Sets the contact's fields from the call. The contact no longer copies its customer's fields from then on.
    pub(crate) fn fill(&self, contact: &mut Contact) {
        contact.first_name.clone_from(&self.first_name.0);
        contact.last_name = Some(self.last_name.0.clone());
        contact.set_phone(self.phone.as_ref().map(|phone| &phone.0));
        contact.email = self.email.as_ref().map(|email| email.0.clone());
        contact.phone_can_sms = self.phone_can_sms.unwrap_or(true);
        contact.role = self.role.unwrap_or(ContactRole::General);
        contact.title = self.title.as_ref().map(|title| title.0.clone());
        contact.origin = Origin::Own;
    }
}

input! {
    /// The filters of the list.
    pub struct ListContactsInput, hints = HINTS {
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// true lists only archived ones.
        pub archived: Option<bool>,
    }
}

/// `contacts.list`
pub struct ListContacts;

impl Tool for ListContacts {
    const NAME: &'static str = "contacts.list";
    const TITLE: &'static str = "List contacts";
    const ABOUT: &'static str =
        "Lists a customer's contacts: the primary contact first, then in creation order.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"customer_id":"{customer}"}"#;
    type Input = ListContactsInput;
    type Output = Page<Contact>;
}

impl List for ListContacts {
    type Row = Contact;
    type Position = Position;
    type Limit = Ranged<1, { MAX_ROWS }>;
    // Without a limit, a caller gets all active contacts, unless they are too long for one page.
    const DEFAULT_LIMIT: u32 = MAX_ROWS;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListContactsInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<Contact, Position>> {
        let customer = customers::store::resolved(ctx.tx, input.customer_id)?;
        children::page(ctx.tx, customer.id, input.archived == Some(true), after, count)
    }
}

input! {
    /// The contact to return.
    pub struct GetContactInput, hints = HINTS {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
        /// Its customer's id; checked if sent.
        pub customer_id: Option<Id<kinds::Customer>>,
    }
}

input! {
    /// A contact of a customer.
    pub struct ContactInput, hints = HINTS {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
        /// Its customer's id.
        pub customer_id: Id<kinds::Customer>,
    }
}

/// `contacts.get`
pub struct GetContact;

impl Tool for GetContact {
    const NAME: &'static str = "contacts.get";
    const TITLE: &'static str = "Get a contact";
    const ABOUT: &'static str = "Returns one contact, even if it is archived.";
    const SCOPE: Scope = Scope::ReadCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{contact}"}"#;
    type Input = GetContactInput;
    type Output = Contact;
}

impl Query for GetContact {
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &GetContactInput) -> Result<Contact> {
        children::get(ctx.tx, ctx.access, input.customer_id, input.id)
    }
}

input! {
    /// A new contact.
    pub struct CreateContactInput {
        /// The customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// true demotes the previous primary contact; default false. The first is always primary.
        pub is_primary: Option<bool>,
        ..person: PrimaryContactInput
    }
}

/// `contacts.create`
pub struct CreateContact;

impl Tool for CreateContact {
    const NAME: &'static str = "contacts.create";
    const TITLE: &'static str = "Add a contact";
    const ABOUT: &'static str = "Adds a person to a customer.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"customer_id":"{customer}","first_name":"Hana","last_name":"Nguyen"}"#;
    type Input = CreateContactInput;
    type Output = Contact;
}

impl Command for CreateContact {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "created_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input: &CreateContactInput, id| {
        store::get(ctx.tx, input.customer_id, Id::new(id))
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateContactInput) -> Result<Contact> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let contacts = Children::read(ctx.tx, customer.id)?;
        let contact = match placeholder(ctx, &contacts)? {
            Some(placeholder) => fill_placeholder(ctx, &placeholder, input)?,
            None => add(ctx, customer.id, &contacts, input)?,
        };
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(contact)
    }
}

/// A company's placeholder contact, if the customer has one. A placeholder is always the only contact, because the
/// first contact that is added replaces it.
fn placeholder(
    ctx: &mut WriteCtx<'_, '_>,
    contacts: &Children<Contact>,
) -> Result<Option<Contact>> {
    let [only] = contacts.active() else { return Ok(None) };
    let only = contacts.find(ctx.tx, only.id)?;
    Ok((only.origin == Origin::Placeholder).then_some(only))
}

/// Adds a contact to a customer that this call has added with a first contact, and not indexed yet.
pub(in crate::business::customers) fn add_to_new(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    person: &PrimaryContactInput,
) -> Result<()> {
    let id = ctx.next_id::<kinds::Contact>(store::GREATEST_ID_BELOW)?;
    let mut contact = Contact::new(id, customer);
    contact.is_primary = false;
    person.fill(&mut contact);
    store::insert(ctx.tx, &contact)?;
    ctx.added(&contact)
}

fn add(
    ctx: &mut WriteCtx<'_, '_>,
    customer: Id<kinds::Customer>,
    contacts: &Children<Contact>,
    input: &CreateContactInput,
) -> Result<Contact> {
    let id = ctx.next_id::<kinds::Contact>(store::GREATEST_ID_BELOW)?;
    let mut contact = Contact::new(id, customer);
    contact.is_primary = input.is_primary == Some(true);
    input.person.fill(&mut contact);
    contacts.add(ctx, contact)
}

/// Turns a company's placeholder into the contact that was sent.
fn fill_placeholder(
    ctx: &mut WriteCtx<'_, '_>,
    old: &Contact,
    input: &CreateContactInput,
) -> Result<Contact> {
    let mut new = Contact { updated_at: ctx.moment(), ..old.clone() };
    input.person.fill(&mut new);
    Contact::save(ctx, old, &new)?;
    Ok(new)
}

/// `contacts.archive`
pub struct ArchiveContact;

impl Tool for ArchiveContact {
    const NAME: &'static str = "contacts.archive";
    const TITLE: &'static str = "Archive a contact";
    const ABOUT: &'static str = "Hides a contact, unless it is the last one. If the \
        primary contact is archived, the oldest other one becomes primary. contacts.restore \
        brings it back.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{other_contact}","customer_id":"{customer}"}"#;
    type Input = ContactInput;
    type Output = Archived<kinds::Contact>;
}

impl Command for ArchiveContact {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &ContactInput) -> Result<Archived<kinds::Contact>> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let contacts = Children::<Contact>::read(ctx.tx, customer.id)?;
        let contact = contacts.named(ctx, input.id)?;
        contacts.require_another(&contact)?;
        let answer = contacts.archive(ctx, &contact)?;
        customers::store::reindex(ctx.tx, &customer)?;
        Ok(answer)
    }
}
