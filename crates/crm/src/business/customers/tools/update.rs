//! `customers.update`

use crate::business::customers::contacts::Contact;
use crate::business::customers::contacts::same_person::{self, PersonField};
use crate::business::customers::{
    Customer, CustomerRecord, CustomerType, Status, external_id, hints, store,
};
use crate::call::access::Access;
use crate::call::archive::Archivable;
use crate::call::argument::{Email, Fields, NotNull, Patch, PhoneNumber, Text, choices, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

choices! {
    /// The statuses that an update can set. To archive a customer, there is a separate tool.
    pub enum SettableStatus {
        /// A current customer.
        Active = "active",
        /// Not a current customer.
        Inactive = "inactive",
    }
}

input! {
    /// The changes to a customer.
    pub struct UpdateCustomerInput, rules = rules, hints = hints::ONE {
        /// The customer's id.
        pub id: Id<kinds::Customer>,
        /// Individuals only.
        pub first_name: NotNull<Text<128>>,
        /// Individuals only.
        pub last_name: Patch<Text<128>>,
        /// Companies only.
        pub company_name: NotNull<Text<256>>,
        /// In any format, with area code.
        pub phone: Patch<PhoneNumber>,
        /// E-mail.
        pub email: Patch<Email>,
        /// General remarks for the team, replaced as a whole; what happened belongs in notes.create.
        pub notes_internal: Patch<Text<10_000>>,
        /// Is VIP.
        pub is_vip: NotNull<bool>,
        /// Do not contact.
        pub do_not_contact: NotNull<bool>,
        /// Why not to contact the customer.
        pub do_not_contact_reason: Patch<Text<500>>,
        /// Such as referral or google.
        pub source: Patch<Text<64>>,
        /// Its id in another system, unique here.
        pub external_id: Patch<Text<128>>,
        /// To archive, use customers.archive.
        pub status: NotNull<SettableStatus>,
    }
}

fn rules(sent: &mut Fields) {
    if sent.remove("customer_type").is_some() {
        sent.refuse::<()>("customer_type", "cannot be changed: leave it out");
    }
    sent.require_change(&["id"]);
}

/// `customers.update`
pub struct UpdateCustomer;

impl Tool for UpdateCustomer {
    const NAME: &'static str = "customers.update";
    const TITLE: &'static str = "Update a customer";
    const ABOUT: &'static str = "Changes the fields sent and keeps the others.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"id":"{customer}","is_vip":true,"source":"referral"}"#;
    type Input = UpdateCustomerInput;
    type Output = CustomerRecord;
}

impl Command for UpdateCustomer {
    const EFFECT: Effect = Effect::Update;
    const RECEIPT: Receipt = Receipt::Sent {
        always: &["id", "updated_at"],
        renamed: &[("phone", "primary_phone"), ("email", "primary_email")],
    };
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, _, id| {
        let customer = store::resolved(ctx.tx, Id::new(id))?;
        store::record(ctx.tx, customer)
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &UpdateCustomerInput) -> Result<CustomerRecord> {
        let old = store::get(ctx.tx, input.id)?.unless_archived(ctx.access)?;
        refuse_other_type(&old, input, ctx.access)?;
        if let Patch::Set(Text(external_id)) = &input.external_id {
            external_id::claim(ctx, external_id, Some(old.id))?;
        }
        let new = apply_changes(&old, input, ctx);
        store::update(ctx.tx, &new)?;
        ctx.updated(&old, &new)?;
        let is_contact_changed = update_created_contact(ctx, &old, &new, input)?;
        let is_changed =
            searched_fields(&old) != searched_fields(&new) || filters(&old) != filters(&new);
        if is_contact_changed || is_changed {
            store::reindex(ctx.tx, &new)?;
        }
        store::record(ctx.tx, new)
    }
}

/// The names, phone and e-mail address that a search matches.
fn searched_fields(customer: &Customer) -> [Option<&String>; 6] {
    [
        customer.first_name.as_ref(),
        customer.last_name.as_ref(),
        customer.company_name.as_ref(),
        customer.phone.as_ref(),
        customer.phone_raw.as_ref(),
        customer.email.as_ref(),
    ]
}

/// The other fields that a search filters by.
fn filters(customer: &Customer) -> (Status, bool, bool) {
    (customer.status, customer.is_vip, customer.do_not_contact)
}

fn apply_changes(old: &Customer, input: &UpdateCustomerInput, ctx: &WriteCtx<'_, '_>) -> Customer {
    let apply_patch = |patch: Patch<String>, old: Option<&String>| patch.apply(old.cloned());
    let input = input.clone();
    let mut new = Customer {
        first_name: input.first_name.0.map(|name| name.0).or_else(|| old.first_name.clone()),
        last_name: apply_patch(input.last_name.map(|name| name.0), old.last_name.as_ref()),
        company_name: input.company_name.0.map(|name| name.0).or_else(|| old.company_name.clone()),
        email: apply_patch(input.email.map(|email| email.0), old.email.as_ref()),
        notes_internal: apply_patch(
            input.notes_internal.map(|notes| notes.0),
            old.notes_internal.as_ref(),
        ),
        is_vip: input.is_vip.0.unwrap_or(old.is_vip),
        do_not_contact: input.do_not_contact.0.unwrap_or(old.do_not_contact),
        do_not_contact_reason: apply_patch(
            input.do_not_contact_reason.map(|reason| reason.0),
            old.do_not_contact_reason.as_ref(),
        ),
        source: apply_patch(input.source.map(|source| source.0), old.source.as_ref()),
        external_id: apply_patch(input.external_id.map(|id| id.0), old.external_id.as_ref()),
        status: match input.status.0 {
            Some(SettableStatus::Active) => Status::Active,
            Some(SettableStatus::Inactive) => Status::Inactive,
            None => old.status,
        },
        updated_at: ctx.moment(),
        ..old.clone()
    };
    if !input.phone.is_keep() {
        new.set_phone(input.phone.map(|phone| phone.0).apply(None).as_ref());
    }
    new
}

/// Rejects fields of the other type: an individual has no company name, and a company has no first and last name.
/// Only a caller who may read the customer learns its type.
fn refuse_other_type(
    customer: &Customer,
    input: &UpdateCustomerInput,
    access: &Access,
) -> Result<()> {
    let sent: Vec<_> = [
        ("first_name", CustomerType::Individual, input.first_name.0.is_some()),
        ("last_name", CustomerType::Individual, !input.last_name.is_keep()),
        ("company_name", CustomerType::Company, input.company_name.0.is_some()),
    ]
    .into_iter()
    .filter(|(.., sent)| *sent)
    .collect();
    let is_foreign = |owner: CustomerType| owner != customer.customer_type;
    if !sent.iter().any(|(_, owner, _)| is_foreign(*owner)) {
        return Ok(());
    }
    let may_read = access.scopes.has(Scope::ReadCustomers);
    let problem = if may_read {
        let kind = customer.customer_type.word();
        format!("cannot be set on this customer, because its customer_type is {kind}")
    } else {
        "must match the customer's type: first_name and last_name for an individual, company_name \
         for a company"
            .to_owned()
    };
    let invalid = sent.into_iter().filter(|(_, owner, _)| !may_read || is_foreign(*owner));
    let problems = invalid
        .map(|(field, ..)| FieldProblem { field: field.to_owned(), problem: problem.clone() });
    Err(Error::fields(problems.collect()))
}

/// Updates the contact that was created with the customer: an individual's own contact, or a company's placeholder.
/// Returns whether it has changed.
fn update_created_contact(
    ctx: &mut WriteCtx<'_, '_>,
    old: &Customer,
    new: &Customer,
    input: &UpdateCustomerInput,
) -> Result<bool> {
    let change = match old.customer_type {
        CustomerType::Individual => {
            let sent = PersonField::sent([
                input.first_name.0.is_some(),
                !input.last_name.is_keep(),
                !input.phone.is_keep(),
                !input.email.is_keep(),
            ]);
            same_person::changed_contact(ctx.tx, old, new, &sent)?
        }
        CustomerType::Company => same_person::renamed_placeholder(ctx.tx, old, new)?,
    };
    let Some((old, new)) = change else { return Ok(false) };
    Contact::save(ctx, &old, &Contact { updated_at: ctx.moment(), ..new })?;
    Ok(true)
}
