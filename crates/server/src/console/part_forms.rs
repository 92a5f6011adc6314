//! The forms for a customer's contacts and locations.

use axum::extract::{Request, State};
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::scope::Scope;
use zoop_crm::values::id::{Id, kinds};

use super::parts::Part;
use super::record_form::{self, FormPage, Usage};
use super::rows::Link;
use super::{customer, id_in_path, links, require, unread};
use crate::app::App;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The segment of the path with the id of the part.
pub(super) const PART: usize = 4;

/// `GET /customers/{customer}/contacts/new` and `…/locations/new`
pub(super) async fn new<P: Part>(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let customer = customer::id(&tenant_context.context)?;
        let get = arguments!(GetCustomer { id: customer });
        let read = tenant_context.read(move |snapshot| snapshot.query(get)).await?;
        read.map_err(|error| page::failed(&error))?;
        require(&tenant_context, Scope::WriteCustomers)?;
        Ok(record_form::new(&tenant_context, &page_of_new::<P>(&tenant_context, customer)))
    };
    either(answer.await)
}

/// `POST /customers/{customer}/contacts/new` and `…/locations/new`
pub(super) async fn create<P: Part>(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Customers).await?;
        let customer = customer::id(&tenant_context.context)?;
        let page = page_of_new::<P>(&tenant_context, customer);
        let complete = |arguments: Arguments<P::Create>| arguments.with("customer_id", customer);
        record_form::create(&tenant_context, &page, &form, complete).await?;
        Ok(page::go_to(&links::customer_after(&tenant_context, customer, P::ADDED)))
    };
    either(answer.await)
}

/// `GET /customers/{customer}/contacts/{part}/edit` and `…/locations/{part}/edit`
pub(super) async fn edit<P: Part>(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let customer = customer::id(&tenant_context.context)?;
        let part = id_in_path::<P::Kind>(&tenant_context, PART)?;
        let record = read::<P>(&tenant_context, customer, part).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        let page = page_of_edit::<P>(&tenant_context, customer, part);
        Ok(record_form::edit(&tenant_context, &page, &P::values(&record)))
    };
    either(answer.await)
}

/// `POST /customers/{customer}/contacts/{part}/edit` and `…/locations/{part}/edit`
pub(super) async fn save<P: Part>(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Customers).await?;
        let customer = customer::id(&tenant_context.context)?;
        let part = id_in_path::<P::Kind>(&tenant_context, PART)?;
        let page = page_of_edit::<P>(&tenant_context, customer, part);
        let (query, values) = (get::<P>(customer, part), P::values);
        let complete = |arguments: Arguments<P::Update>| {
            arguments.with("id", part).with("customer_id", customer)
        };
        record_form::save(&tenant_context, &page, &form, query, values, complete).await?;
        Ok(page::go_to(&links::customer_after(&tenant_context, customer, P::SAVED)))
    };
    either(answer.await)
}

fn get<P: Part>(customer: Id<kinds::Customer>, part: Id<P::Kind>) -> Arguments<P::Get> {
    Arguments::none().with("id", part).with("customer_id", customer)
}

/// A part of a customer. Another customer's is not found.
pub(super) async fn read<P: Part>(
    tenant_context: &TenantContext,
    customer: Id<kinds::Customer>,
    part: Id<P::Kind>,
) -> Result<P::Record, Response> {
    let get = get::<P>(customer, part);
    let read = tenant_context.read(move |snapshot| snapshot.query(get)).await?;
    read.map_err(|error| unread(&error))
}

fn page_of_new<P: Part>(tenant_context: &TenantContext, id: Id<kinds::Customer>) -> FormPage {
    let business = &tenant_context.membership;
    FormPage {
        title: P::NEW,
        word: <P::Kind as zoop_crm::values::id::Kind>::WORD,
        declaration: P::FORM,
        usage: Usage::New,
        back: Link { address: links::customer(business, id), text: "Customer".to_owned() },
        action: format!("{}/{}/new", links::customer_path(id), P::SEGMENT),
        similar: None,
    }
}

fn page_of_edit<P: Part>(
    tenant_context: &TenantContext,
    customer: Id<kinds::Customer>,
    part: Id<P::Kind>,
) -> FormPage {
    FormPage {
        title: P::EDIT,
        usage: Usage::Edit,
        action: format!("{}/edit", links::part_path(customer, P::SEGMENT, part)),
        similar: None,
        ..page_of_new::<P>(tenant_context, customer)
    }
}
