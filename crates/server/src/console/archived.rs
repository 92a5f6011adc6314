//! Archiving contacts and locations, the page with those that are archived, and restoring them.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::scope::Scope;
use zoop_crm::call::tool::Command;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, Kind, kinds};

use super::messages::{Done, Messages};
use super::part_forms::{PART, read};
use super::parts::{Contacts, Locations, Part};
use super::rows::{ContactRow, LocationRow};
use super::{Fault, bounded, customer, id_in_path, links, require};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The page that asks before a contact or location is archived.
#[derive(Template)]
#[template(path = "part_archive.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    word: &'static str,
    name: String,
    /// The customer's page.
    back: String,
    action: String,
}

/// The page with a customer's archived contacts and locations.
#[derive(Template)]
#[template(path = "archived.html")]
struct ArchivedPage<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The customer's page.
    back: String,
    path: String,
    name: String,
    contacts: Vec<ContactRow>,
    locations: Vec<LocationRow>,
    /// The pages with the next rows, if there are any.
    more_contacts: Option<String>,
    more_locations: Option<String>,
    may_restore: bool,
}

/// The fields of the query with the cursors of the lists.
const CONTACTS_AFTER: &str = "contacts_after";
const LOCATIONS_AFTER: &str = "locations_after";

/// The page in the place of the question whether to archive something that is archived already, as after going back.
#[derive(Template)]
#[template(path = "already_archived.html")]
pub(super) struct AlreadyArchived<'a> {
    pub(super) frame: Frame,
    pub(super) business: &'a Membership,
    /// The record's name; a note has none.
    pub(super) name: Option<&'a str>,
    pub(super) back: String,
    /// The action of the form that restores it.
    pub(super) restore: String,
}

/// `GET /customers/{customer}/archived`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let after = |name: &str| tenant_context.context.query.get(name).map(str::to_owned);
        let (contacts_after, locations_after) = (after(CONTACTS_AFTER), after(LOCATIONS_AFTER));
        let read = tenant_context.read(move |snapshot| {
            let customer = snapshot.query(arguments!(GetCustomer { id: id }))?.customer;
            let contacts = archived::<Contacts>(id).after(contacts_after);
            let locations = archived::<Locations>(id);
            let length = customer::length_of_advice;
            let contacts = snapshot.list(contacts)?;
            let locations = bounded::list(snapshot, locations, locations_after, length)?;
            Ok((customer, contacts, locations))
        });
        let (customer, contacts, locations) = read.await?.map_err(|error| page::failed(&error))?;
        let business = &tenant_context.membership;
        let path = links::customer_path(id);
        let next = |name: &str, cursor: Option<String>| {
            let fields = [("business", business.account.id.to_string()), (name, cursor?)];
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            Some(links::with_query(&format!("{path}/archived"), &fields))
        };
        let template = ArchivedPage {
            frame: Frame::within(&tenant_context),
            business,
            back: links::customer(business, id),
            name: customer.display_name,
            more_contacts: next(CONTACTS_AFTER, contacts.next_cursor),
            more_locations: next(LOCATIONS_AFTER, locations.next_cursor),
            contacts: contacts.rows.into_iter().map(|it| ContactRow::of(it, business)).collect(),
            locations: locations.rows.into_iter().map(LocationRow::from).collect(),
            may_restore: business.role.scopes().has(Scope::WriteCustomers)
                && customer.archived_at.is_none(),
            path,
        };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}

fn archived<P: Part>(customer: Id<kinds::Customer>) -> Arguments<P::List> {
    Arguments::none().with("customer_id", customer).with("archived", true)
}

/// `GET /customers/{customer}/contacts/{part}/archive` and `…/locations/{part}/archive`: asks first.
pub(super) async fn ask<P: Part>(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let customer = customer::id(&tenant_context.context)?;
        let part = id_in_path::<P::Kind>(&tenant_context, PART)?;
        let record = read::<P>(&tenant_context, customer, part).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        let question = Question {
            frame: Frame::within(&tenant_context),
            business: &tenant_context.membership,
            word: P::Kind::WORD,
            name: P::name(&record),
            back: links::customer(&tenant_context.membership, customer),
            action: format!("{}/archive", links::part_path(customer, P::SEGMENT, part)),
        };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /customers/{customer}/contacts/{part}/archive` and `…/locations/{part}/archive`
pub(super) async fn archive<P: Part>(State(app): State<App>, request: Request) -> Response {
    let arguments = |customer: Id<kinds::Customer>, part: Id<P::Kind>| {
        Arguments::<P::Archive>::none().with("id", part).with("customer_id", customer)
    };
    either(change::<P, _>(&app, request, P::ARCHIVED, arguments).await)
}

/// `POST /customers/{customer}/contacts/{part}/restore` and `…/locations/{part}/restore`
pub(super) async fn restore<P: Part>(State(app): State<App>, request: Request) -> Response {
    let arguments = |_, part: Id<P::Kind>| Arguments::<P::Restore>::none().with("id", part);
    either(change::<P, _>(&app, request, P::RESTORED, arguments).await)
}

/// Runs a tool that changes a part. Then shows the customer, with the message `done` or the tool's error.
async fn change<P: Part, T: Command<Output: Send>>(
    app: &App,
    request: Request,
    done: Done,
    arguments: impl Fn(Id<kinds::Customer>, Id<P::Kind>) -> Arguments<T> + Send,
) -> Result<Response, Response> {
    let (tenant_context, _) = TenantContext::form(app, request, Section::Customers).await?;
    let customer = customer::id(&tenant_context.context)?;
    let part = id_in_path::<P::Kind>(&tenant_context, PART)?;
    match tenant_context.command(arguments(customer, part)).await? {
        Ok(_) => {
            let path = links::customer_path(customer);
            Ok(page::go_to(&links::after(&path, &tenant_context, done, &part.to_string())))
        }
        Err(error) => {
            let fault = Fault::of(error)?;
            let messages = Messages { fault: &fault.text, ..Messages::default() };
            customer::render(&tenant_context, customer, fault.status, messages).await
        }
    }
}
