//! A customer's page: who it is, its contacts and locations, its tags, and the notes about all of them.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::CustomerRecord;
use zoop_crm::business::customers::contacts::Contact;
use zoop_crm::business::customers::contacts::tools::ListContacts;
use zoop_crm::business::customers::locations::tools::ListLocations;
use zoop_crm::business::customers::locations::{Location, LocationType};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::notes::ShownNote;
use zoop_crm::business::notes::tools::list::ListNotes;
use zoop_crm::business::tags::Tag;
use zoop_crm::business::tags::tools::ListTags;
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use super::file_rows::FileLimits;
use super::messages::Messages;
use super::rows::{ContactRow, Link, LocationRow, NoteRow};
use super::{bounded, erasing, file_removal, fresh_key, links, words};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::{PageContext, either};
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The maximum length of a note, in characters: that of the tools.
pub(super) const MAX_NOTE: usize = 100_000;

/// How many pinned notes are shown before the others. Further ones are at their places among the others.
const MAX_PINNED: u32 = 10;
/// How many other notes a page shows, so that it stays short.
const MAX_NOTES: u32 = 15;

/// The fields of the query with the cursors of the lists.
const NOTES_AFTER: &str = "notes_after";
const LOCATIONS_AFTER: &str = "locations_after";

#[derive(Template)]
#[template(path = "customer.html")]
struct CustomerPage<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of customers.
    list: String,
    /// The path of this page, with which the paths of its forms begin.
    path: String,
    customer: &'a CustomerRecord,
    status: &'static str,
    customer_type: &'static str,
    phone: Option<Reach>,
    /// The address of the link that writes a text message to the number.
    text_message: Option<String>,
    email: Option<Reach>,
    added: Moment,
    contacts: Vec<ContactRow>,
    locations: Vec<LocationRow>,
    /// The page with the next locations, if not all are shown.
    more_locations: Option<String>,
    /// The pinned notes, which are shown first on the first page.
    pinned: Vec<NoteRow>,
    /// The other notes.
    notes: Vec<NoteRow>,
    /// The page with the newest notes, if this one has older ones.
    newest: Option<String>,
    /// The page with the next notes, if there are any.
    older: Option<String>,
    /// The tags that the customer does not have.
    offered: Vec<Tag>,
    /// The customer's history, if the user may read it.
    history: Option<String>,
    /// The page that erases the customer, for owners.
    erasure: Option<String>,
    may_change: bool,
    may_write: bool,
    /// The idempotency key of the form for a new note.
    key: String,
    max_note: usize,
    /// Whether this server stores files.
    takes_files: bool,
    limits: FileLimits,
    messages: Messages<'a>,
}

/// A way to reach the customer.
struct Reach {
    link: Link,
    /// The primary contact, if the customer itself has no number or address.
    whose: Option<String>,
}

impl Reach {
    fn of(link: Option<Link>, is_own: bool, contacts: &[ContactRow]) -> Option<Self> {
        let primary = || contacts.iter().find(|it| it.is_primary).map(|it| it.name.clone());
        link.map(|link| Self { link, whose: if is_own { None } else { primary() } })
    }
}

/// What the tools answer about a customer.
struct Stored {
    customer: CustomerRecord,
    contacts: Page<Contact>,
    locations: Page<Location>,
    pinned: Vec<ShownNote>,
    notes: Page<ShownNote>,
    tags: Vec<Tag>,
}

/// `GET /customers/{customer}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let id = id(&tenant_context.context)?;
        let messages = Messages::of_query(&tenant_context.context.query, Some(id));
        let messages = file_removal::named(&tenant_context, messages).await?;
        let messages = messages.undoable(&tenant_context, &tenant_context.context.target).await?;
        let stored = match read(&tenant_context, id).await {
            Ok(stored) => stored,
            Err(refused) => {
                let is_missing = refused.status() == StatusCode::NOT_FOUND;
                let erased =
                    if is_missing { erasing::page_of_erased(&tenant_context).await? } else { None };
                return erased.map(|erased| page::go_to(&erased)).ok_or(refused);
            }
        };
        if stored.customer.id != id {
            let kept = stored.customer.id;
            return Ok(page::go_to(&links::customer(&tenant_context.membership, kept)));
        }
        Ok(draw(&tenant_context, stored, StatusCode::OK, messages))
    };
    either(answer.await)
}

/// The customer that the path names. A text that is not an id names none.
pub(super) fn id(context: &PageContext) -> Result<Id<kinds::Customer>, Response> {
    let path = context.target.split('?').next().unwrap_or_default();
    let named = path.split('/').nth(2).and_then(Id::parse);
    named.ok_or_else(page::not_found)
}

/// The page, with these messages. If the customer was merged into another one, that one's page.
pub(super) async fn render(
    tenant_context: &TenantContext,
    id: Id<kinds::Customer>,
    status: StatusCode,
    messages: Messages<'_>,
) -> Result<Response, Response> {
    let stored = read(tenant_context, id).await?;
    Ok(draw(tenant_context, stored, status, messages))
}

fn draw(
    tenant_context: &TenantContext,
    stored: Stored,
    status: StatusCode,
    messages: Messages<'_>,
) -> Response {
    let business = &tenant_context.membership;
    let id = stored.customer.id;
    let scopes = business.role.scopes();
    let customer = &stored.customer;
    let contact = |it| ContactRow::of(it, business);
    let contacts: Vec<_> = stored.contacts.rows.into_iter().map(contact).collect();
    // The crew needs the service addresses.
    let mut locations = stored.locations.rows;
    locations.sort_by_key(|it| it.location_type != LocationType::Service);
    let locations: Vec<_> = locations.into_iter().map(LocationRow::from).collect();
    let (e164, typed) = (customer.primary_phone.as_deref(), customer.primary_phone_raw.as_deref());
    let phone = Link::tel(e164, typed, business);
    let email = Link::mailto(customer.primary_email.clone());
    let note = |note| NoteRow::of(note, tenant_context, Some(id), &contacts, &locations);
    let next = |name, cursor: Option<String>| Some(next_page(business, id, name, &cursor?));
    let is_offered = |tag: &Tag| !customer.tags.iter().any(|it| it.id == tag.id);
    let template = CustomerPage {
        frame: Frame::within(tenant_context),
        business,
        list: links::customers(business),
        path: links::customer_path(id),
        status: words::status(customer.status),
        customer_type: words::customer_type(customer.customer_type),
        phone: Reach::of(phone, customer.own_phone_raw.is_some(), &contacts),
        text_message: if customer.own_phone_raw.is_some() {
            e164.map(links::sms)
        } else {
            contacts.iter().find(|it| it.is_primary).and_then(|it| it.text_message.clone())
        },
        email: Reach::of(email, customer.own_email.is_some(), &contacts),
        added: customer.created_at,
        pinned: stored.pinned.into_iter().map(note).collect(),
        notes: stored.notes.rows.into_iter().map(note).collect(),
        newest: tenant_context
            .context
            .query
            .get(NOTES_AFTER)
            .map(|_| links::customer(business, id)),
        older: next(NOTES_AFTER, stored.notes.next_cursor),
        more_locations: next(LOCATIONS_AFTER, stored.locations.next_cursor),
        offered: stored.tags.into_iter().filter(is_offered).collect(),
        history: Some(links::of_business(business, &links::customer_history_path(id)))
            .filter(|_| Section::Activity.is_for(business.role)),
        erasure: erasing::is_for(business).then(|| erasing::address(business, id)),
        may_change: scopes.has(Scope::WriteCustomers),
        may_write: scopes.has(Scope::WriteNotes),
        key: fresh_key(tenant_context),
        max_note: MAX_NOTE,
        takes_files: tenant_context.context.shared.settings.files.is_some(),
        limits: FileLimits::of_notes(),
        customer,
        contacts,
        locations,
        messages,
    };
    page::page(status, &template)
}

/// The page with the rows after this cursor.
fn next_page(business: &Membership, id: Id<kinds::Customer>, name: &str, cursor: &str) -> String {
    let fields = [("business", &*business.account.id.to_string()), (name, cursor)];
    links::with_query(&links::customer_path(id), &fields)
}

/// What the tools say about a customer, all in one snapshot.
async fn read(tenant_context: &TenantContext, id: Id<kinds::Customer>) -> Result<Stored, Response> {
    let after = |name: &str| tenant_context.context.query.get(name).map(str::to_owned);
    let (notes_after, locations_after) = (after(NOTES_AFTER), after(LOCATIONS_AFTER));
    let read = tenant_context.read(move |snapshot| {
        let of_customer = || arguments!(ListNotes { customer_id: id });
        let pinned = of_customer().with("pinned", true).page(None, MAX_PINNED);
        let mut pinned = snapshot.list(pinned)?.rows;
        let is_first = notes_after.is_none();
        let length = |it: &ShownNote| it.note.body.len();
        let mut notes = bounded::at_most(snapshot, of_customer(), MAX_NOTES, notes_after, length)?;
        notes.rows.retain(|it| pinned.iter().all(|first| first.note.id != it.note.id));
        if !is_first {
            pinned.clear();
        }
        let locations = arguments!(ListLocations { customer_id: id });
        Ok(Stored {
            customer: snapshot.query(arguments!(GetCustomer { id: id }))?.customer,
            contacts: snapshot.list(arguments!(ListContacts { customer_id: id }))?,
            locations: bounded::list(snapshot, locations, locations_after, length_of_advice)?,
            pinned,
            notes,
            tags: snapshot.list(Arguments::<ListTags>::none())?.rows,
        })
    });
    read.await?.map_err(|error| page::failed(&error))
}

/// The length of a location's long texts, in bytes.
pub(super) fn length_of_advice(location: &Location) -> usize {
    let texts = [&location.access_notes, &location.parking_notes, &location.service_notes];
    texts.into_iter().flatten().map(String::len).sum()
}
