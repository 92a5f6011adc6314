//! `customers.create`

use crate::business::customers::contacts::{self, Contact, PrimaryContactInput};
use crate::business::customers::duplicates::{self, Among, Candidate, Described, Profile};
use crate::business::customers::hints;
use crate::business::customers::index::{self, SearchedLocation};
use crate::business::customers::locations::{self, LocationInput};
use crate::business::customers::{
    CreatedCustomer, Customer, CustomerNumber, CustomerRecord, CustomerType, MergedFrom,
    PossibleDuplicate, Status, external_id, store,
};
use crate::business::tags::{self, MAX_TAGS};
use crate::call::argument::{Email, Fields, List, PhoneNumber, Text, choices, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::identity::tenants;
use crate::search::Expression;
use crate::values::id::{Id, kinds};

/// Maximum number of possible duplicates in an answer.
const MAX_DUPLICATES: usize = 5;

choices! {
    /// What to do if the customer may exist already.
    pub enum IfDuplicate {
        /// Add it, and name the others in the answer.
        Add = "add",
        /// Write nothing, and name the others in the error.
        Refuse = "refuse",
    }
}

input! {
    /// A new customer.
    pub struct CreateCustomerInput, rules = rules, hints = hints::ONE {
        /// Cannot be changed later.
        pub customer_type: CustomerType,
        /// Required for an individual.
        pub first_name: Option<Text<128>>,
        /// Individuals only.
        pub last_name: Option<Text<128>>,
        /// Required for a company.
        pub company_name: Option<Text<256>>,
        /// In any format, with area code.
        pub phone: Option<PhoneNumber>,
        /// E-mail.
        pub email: Option<Email>,
        /// General remarks for the team; what happened belongs in notes.create.
        pub notes_internal: Option<Text<10_000>>,
        /// Default false.
        pub is_vip: Option<bool>,
        /// Default false.
        pub do_not_contact: Option<bool>,
        /// Why not to contact the customer.
        pub do_not_contact_reason: Option<Text<500>>,
        /// Such as referral or google.
        pub source: Option<Text<64>>,
        /// Its id in another system, unique here.
        pub external_id: Option<Text<128>>,
        /// Ids or names of existing tags.
        pub tags: Option<List<Text<64>, 0, MAX_TAGS>>,
        /// The first contact; companies only.
        pub primary_contact: Option<PrimaryContactInput>,
        /// The first location.
        pub location: Option<LocationInput>,
        /// refuse writes nothing if the customer may exist already. Default add.
        pub if_duplicate: Option<IfDuplicate>,
    }
}

/// Checks that the fields match the customer's type.
fn rules(sent: &mut Fields) {
    let (required, forbidden): (&str, &[&str]) = match sent.short_string("customer_type") {
        Some("individual") => ("first_name", &["company_name", "primary_contact"]),
        Some("company") => ("company_name", &["first_name", "last_name"]),
        _ => return,
    };
    let kind = if required == "first_name" { "an individual" } else { "a company" };
    if !sent.is_filled(required) {
        sent.refuse::<()>(required, format!("is required for {kind}"));
    }
    for field in forbidden {
        if sent.is_filled(field) {
            sent.refuse::<()>(field, format!("must not be sent for {kind}"));
        }
    }
}

/// `customers.create`
pub struct CreateCustomer;

impl Tool for CreateCustomer {
    const NAME: &'static str = "customers.create";
    const TITLE: &'static str = "Create a customer";
    const ABOUT: &'static str = "Creates a customer with its first contact and \
        location, or nothing. Search first; possible_duplicates in the answer may be \
        the same.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"customer_type":"individual","first_name":"Marco","last_name":"Reyes","phone":"(510) 555-0199","email":"marco@example.com","location":{"address_line1":"482 Oak Street","city":"Oakland","state":"CA","postal_code":"94607"}}"#;
    type Input = CreateCustomerInput;
    type Output = CreatedCustomer;
}

impl Command for CreateCustomer {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Keys(&[
        "id",
        "customer_type",
        "customer_number",
        "display_name",
        "status",
        "primary_phone",
        "primary_email",
        "created_at",
    ]);
    const REPLAY: Replay<Self> = Replay::Reread(|ctx, input: &CreateCustomerInput, id| {
        let customer = store::resolved(ctx.tx, Id::new(id))?;
        let possible_duplicates = possible_duplicates(ctx, input, Some(customer.id))?;
        Ok(CreatedCustomer { customer: store::record(ctx.tx, customer)?, possible_duplicates })
    });

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateCustomerInput) -> Result<CreatedCustomer> {
        let prepared = Prepared::of(ctx, input)?;
        let possible_duplicates = possible_duplicates(ctx, input, None)?;
        if input.if_duplicate == Some(IfDuplicate::Refuse) {
            refuse_duplicates(ctx, &possible_duplicates)?;
        }
        let customer = prepared.add(ctx, input, &[], &[])?;
        Ok(CreatedCustomer { customer, possible_duplicates })
    }
}

/// Adds a customer with more contacts and locations than the first of each, without looking for duplicates.
pub(in crate::business) fn add(
    ctx: &mut WriteCtx<'_, '_>,
    input: &CreateCustomerInput,
    contacts: &[PrimaryContactInput],
    locations: &[LocationInput],
) -> Result<Id<kinds::Customer>> {
    Ok(Prepared::of(ctx, input)?.add(ctx, input, contacts, locations)?.id)
}

/// A customer whose tags exist, and whose external id no other has.
struct Prepared {
    tags: Vec<Id<kinds::Tag>>,
}

impl Prepared {
    fn of(ctx: &mut WriteCtx<'_, '_>, input: &CreateCustomerInput) -> Result<Self> {
        let tags = match &input.tags {
            Some(List(named)) => tags::resolve(ctx.tx, "tags", named)?,
            None => Vec::new(),
        };
        if let Some(Text(external_id)) = &input.external_id {
            external_id::claim(ctx, external_id, None)?;
        }
        Ok(Self { tags })
    }

    fn add(
        self,
        ctx: &mut WriteCtx<'_, '_>,
        input: &CreateCustomerInput,
        contacts: &[PrimaryContactInput],
        locations: &[LocationInput],
    ) -> Result<CustomerRecord> {
        let Self { tags } = self;
        let id = ctx.next_id::<kinds::Customer>(store::GREATEST_ID_BELOW)?;
        let number = CustomerNumber(tenants::store::next_customer_number(ctx.tx)?);
        let mut customer = Customer {
            id,
            n: 0,
            customer_number: number,
            customer_type: input.customer_type,
            first_name: input.first_name.as_ref().map(|name| name.0.clone()),
            last_name: input.last_name.as_ref().map(|name| name.0.clone()),
            company_name: input.company_name.as_ref().map(|name| name.0.clone()),
            status: Status::Active,
            phone: None,
            phone_raw: None,
            email: input.email.as_ref().map(|email| email.0.clone()),
            notes_internal: input.notes_internal.as_ref().map(|notes| notes.0.clone()),
            is_vip: input.is_vip == Some(true),
            do_not_contact: input.do_not_contact == Some(true),
            do_not_contact_reason: input.do_not_contact_reason.as_ref().map(|why| why.0.clone()),
            source: input.source.as_ref().map(|source| source.0.clone()),
            external_id: input.external_id.as_ref().map(|id| id.0.clone()),
            created_at: id.created_at(),
            updated_at: id.created_at(),
            archived_at: None,
            merged_into: None,
            erased_at: None,
            merged_from: MergedFrom::default(),
        };
        customer.set_phone(input.phone.as_ref().map(|phone| &phone.0));
        customer.n = store::insert(ctx.tx, &customer)?;
        ctx.added(&customer)?;
        let contact = first_contact(ctx, &customer, input.primary_contact.as_ref())?;
        for further in contacts {
            contacts::tools::add_to_new(ctx, customer.id, further)?;
        }
        for location in input.location.iter().chain(locations) {
            locations::add(ctx, customer.id, location)?;
        }
        tags::attach_to_new(ctx, customer.id, &tags)?;
        store::add_to_index(ctx.tx, &customer)?;
        let tags =
            if tags.is_empty() { Vec::new() } else { store::tag_labels(ctx.tx, customer.id)? };
        Ok(CustomerRecord::new(customer, Some(&contact), tags))
    }
}

/// Rejects a customer that may exist already. Only a caller who may read customers learns so.
fn refuse_duplicates(ctx: &WriteCtx<'_, '_>, found: &[PossibleDuplicate]) -> Result<()> {
    if !ctx.access.scopes.has(Scope::ReadCustomers) {
        let problem = "cannot be refuse without the scope read:customers: leave it out";
        return Err(Error::field("if_duplicate", problem));
    }
    if found.is_empty() {
        return Ok(());
    }
    let named =
        found.iter().map(|it| format!("{} (id {}, match: {})", it.display_name, it.id, it.shared));
    let named = named.collect::<Vec<_>>().join("; ");
    Err(Error::conflict(format!(
        "The customer may exist already: {named}. Update that one, or call again without if_duplicate."
    )))
}

/// Adds the first contact, because every customer has at least one. If no contact was sent, the new contact copies
/// the customer's own fields.
fn first_contact(
    ctx: &mut WriteCtx<'_, '_>,
    customer: &Customer,
    sent: Option<&PrimaryContactInput>,
) -> Result<Contact> {
    let id = ctx.next_id::<kinds::Contact>(contacts::store::GREATEST_ID_BELOW)?;
    let mut contact = Contact::new(id, customer.id);
    match sent {
        Some(sent) => sent.fill(&mut contact),
        None => contact.follow(customer),
    }
    contacts::store::insert(ctx.tx, &contact)?;
    ctx.added(&contact)?;
    Ok(contact)
}

/// Customers other than `created` that may be the same: first those with the same telephone number or e-mail address,
/// then those that are likely the same by name and address. Empty if the caller may not read customers.
fn possible_duplicates(
    ctx: &mut WriteCtx<'_, '_>,
    input: &CreateCustomerInput,
    created: Option<Id<kinds::Customer>>,
) -> Result<Vec<PossibleDuplicate>> {
    if !ctx.access.scopes.has(Scope::ReadCustomers) {
        return Ok(Vec::new());
    }
    let contact = input.primary_contact.as_ref();
    let phones = [input.phone.as_ref(), contact.and_then(|contact| contact.phone.as_ref())];
    let emails = [input.email.as_ref(), contact.and_then(|contact| contact.email.as_ref())];
    let mark = store::mark(ctx.tx)?;
    let phones = phones.into_iter().flatten().map(|phone| index::with_phone(mark, phone.0.e164()));
    let emails = emails.into_iter().flatten().map(|email| index::with_email(mark, &email.0));
    let (phones, emails): (Vec<_>, Vec<_>) = (phones.collect(), emails.collect());
    let [phone, email] = [phones, emails].map(|it| (!it.is_empty()).then_some(Expression::Any(it)));
    let mut find = |expression: &Option<Expression>| -> Result<Vec<_>> {
        let Some(expression) = expression else { return Ok(Vec::new()) };
        let count = MAX_DUPLICATES + usize::from(created.is_some());
        let mut found = store::sharing(ctx.tx, expression, count)?;
        found.retain(|(id, _)| Some(*id) != created);
        Ok(found)
    };
    let (by_phone, by_email) = (find(&phone)?, find(&email)?);
    // Customers that match by both phone and e-mail come first. A search that reached its limit may have missed
    // some of these customers, so then a third search finds them.
    let is_cut = by_phone.len().max(by_email.len()) >= MAX_DUPLICATES;
    let by_both = if is_cut {
        let both = phone.zip(email).map(|(phone, email)| Expression::All(vec![phone, email]));
        find(&both)?
    } else {
        by_phone.iter().filter(|found| by_email.contains(found)).cloned().collect()
    };
    let mut found: Vec<PossibleDuplicate> = Vec::new();
    for (shared, rows) in [("phone and email", by_both), ("phone", by_phone), ("email", by_email)] {
        for (id, display_name) in rows {
            if found.iter().all(|known| known.id != id) {
                found.push(PossibleDuplicate { id, display_name, shared: shared.into() });
            }
        }
    }
    if found.len() < MAX_DUPLICATES {
        add_likely(ctx, input, created, &mut found)?;
    }
    found.truncate(MAX_DUPLICATES);
    Ok(found)
}

/// Adds the customers that are likely the same, the likeliest first.
fn add_likely(
    ctx: &mut WriteCtx<'_, '_>,
    input: &CreateCustomerInput,
    created: Option<Id<kinds::Customer>>,
    found: &mut Vec<PossibleDuplicate>,
) -> Result<()> {
    let among = Among { not: created, ..Among::ALL };
    let candidates = duplicates::find_unreached(ctx.tx, &profile(input), among)?;
    for Candidate { id, comparison } in candidates {
        let is_new = found.len() < MAX_DUPLICATES && found.iter().all(|known| known.id != id);
        if is_new && comparison.is_likely() {
            let display_name = store::get(ctx.tx, id)?.display_name();
            found.push(PossibleDuplicate { id, display_name, shared: comparison.words().into() });
        }
    }
    Ok(())
}

/// What the input says of the customer.
fn profile(input: &CreateCustomerInput) -> Profile {
    fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> &str {
        text.map(|text| text.0.as_str()).unwrap_or_default()
    }
    let contact = input.primary_contact.as_ref();
    let contact_phone = contact.and_then(|contact| contact.phone.as_ref());
    let contact_email = contact.and_then(|contact| contact.email.as_ref());
    let location = input.location.as_ref().map(|location| SearchedLocation {
        label: None,
        address_line1: location.address_line1.0.clone(),
        address_line2: location.address_line2.as_ref().map(|line| line.0.clone()),
        city: location.city.0.clone(),
        state: location.state.0.clone(),
        postal_code: location.postal_code.0.clone(),
    });
    Profile::new(&Described {
        company_name: text(input.company_name.as_ref()),
        first_name: text(input.first_name.as_ref()),
        last_name: text(input.last_name.as_ref()),
        contacts: contact.iter().map(|it| (&*it.first_name.0, &*it.last_name.0)).collect(),
        phones: input.phone.iter().chain(contact_phone).map(|phone| phone.0.e164()).collect(),
        emails: input.email.iter().chain(contact_email).map(|email| &*email.0).collect(),
        locations: location.iter().collect(),
    })
}
