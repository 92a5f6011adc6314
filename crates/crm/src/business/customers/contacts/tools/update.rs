//! `contacts.update`

use crate::business::customers::children::Children;
use crate::business::customers::contacts::hints::HINTS;
use crate::business::customers::contacts::same_person::{self, PersonField};
use crate::business::customers::contacts::{Contact, ContactRole, Origin, store};
use crate::business::customers::{self, Customer};
use crate::call::archive::Archivable;
use crate::call::argument::{Email, Fields, NotNull, Patch, PhoneNumber, Text, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The changes to a contact.
    pub struct UpdateContactInput, rules = update_rules, hints = HINTS {
        /// The contact's id.
        pub id: Id<kinds::Contact>,
        /// Its customer's id.
        pub customer_id: Id<kinds::Customer>,
        /// First name.
        pub first_name: NotNull<Text<128>>,
        /// Last name.
        pub last_name: NotNull<Text<128>>,
        /// In any format, with area code.
        pub phone: Patch<PhoneNumber>,
        /// E-mail.
        pub email: Patch<Email>,
        /// true demotes the previous primary contact; false is an error on the primary contact.
        pub is_primary: NotNull<bool>,
        /// Phone can SMS.
        pub phone_can_sms: NotNull<bool>,
        /// Role.
        pub role: NotNull<ContactRole>,
        /// Job title.
        pub title: Patch<Text<128>>,
    }
}

fn update_rules(sent: &mut Fields) {
    sent.require_change(&["id", "customer_id"]);
}

/// `contacts.update`
pub struct UpdateContact;

impl Tool for UpdateContact {
    const NAME: &'static str = "contacts.update";
    const TITLE: &'static str = "Update a contact";
    const ABOUT: &'static str = "Changes the fields sent and keeps the others. An \
        individual's own contact is the same person: a new name, phone or e-mail changes the \
        customer too.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"id":"{contact}","customer_id":"{customer}","title":"Site manager"}"#;
    type Input = UpdateContactInput;
    type Output = Contact;
}

impl Command for UpdateContact {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent { always: &["id", "updated_at"], renamed: &[] };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input: &UpdateContactInput, id| {
        store::get(ctx.tx, input.customer_id, Id::new(id))
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateContactInput) -> Result<Contact> {
        let customer =
            customers::store::get(ctx.tx, input.customer_id)?.unless_archived(ctx.access)?;
        let contacts = Children::<Contact>::read(ctx.tx, customer.id)?;
        let old = contacts.named(ctx, input.id)?.unless_archived(ctx.access)?;
        if old.is_primary && input.is_primary.0 == Some(false) {
            return Err(Error::conflict(
                "A customer always has a primary contact: make another contact primary instead.",
            ));
        }
        let new = apply_changes(&old, input, ctx);
        let person = same_person::changed_customer(ctx.tx, &customer, &old, &new, &sent(input))?;
        contacts.update(ctx, &old, &new)?;
        match person {
            // Saving the customer also updates the search index.
            Some(person) => {
                let person = Customer { updated_at: ctx.moment(), ..person };
                Customer::save(ctx, &customer, &person)?;
            }
            None if old.searched_fields() != new.searched_fields() => {
                customers::store::reindex(ctx.tx, &customer)?;
            }
            None => {}
        }
        Ok(new)
    }
}

fn sent(input: &UpdateContactInput) -> Vec<PersonField> {
    PersonField::sent([
        input.first_name.0.is_some(),
        input.last_name.0.is_some(),
        !input.phone.is_keep(),
        !input.email.is_keep(),
    ])
}

fn apply_changes(old: &Contact, input: &UpdateContactInput, ctx: &WriteCtx<'_, '_>) -> Contact {
    let input = input.clone();
    let mut new = Contact {
        first_name: input.first_name.0.map_or_else(|| old.first_name.clone(), |name| name.0),
        last_name: input.last_name.0.map(|name| name.0).or_else(|| old.last_name.clone()),
        email: input.email.map(|email| email.0).apply(old.email.clone()),
        is_primary: input.is_primary.0.unwrap_or(old.is_primary),
        phone_can_sms: input.phone_can_sms.0.unwrap_or(old.phone_can_sms),
        role: input.role.0.unwrap_or(old.role),
        title: input.title.map(|title| title.0).apply(old.title.clone()),
        updated_at: ctx.moment(),
        origin: Origin::Own,
        ..old.clone()
    };
    if !input.phone.is_keep() {
        new.set_phone(input.phone.map(|phone| phone.0).apply(None).as_ref());
    }
    new
}
