//! Erasing a customer for good, for owners: the page that says what would be erased and what stays, its form, and the
//! certificate of what was erased.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::business::customers::erase::certificate::{Certificate, Place, STAYS, Stays};
use zoop_crm::business::customers::erase::{self, EraseCustomer, ErasedCustomer, Erasure};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::customers::{CustomerNumber, CustomerRecord};
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::{Environment, Moment};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::{arguments, database_identity, maintenance};
use zoop_db::ReadTx;

use super::{Fault, customer, links};
use crate::app::App;
use crate::export::attachment::{Saved, attachment};
use crate::files::{DeletedContents, ErasedContents};
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// What the pages show at once of what stays.
const RECORDS: Place = Place::Records;
/// How many erasures a page lists.
const LISTED: usize = 200;
/// What the user hears whose customer cannot be erased as this server is set up.
const ASK_OPERATOR: &str = "This server cannot erase all of it. Ask the person who runs it: its log says what is missing. Nothing was erased.";
const INTERRUPTED: &str =
    "A part is erased, but it took too long to erase all. To go on, type the number again.";

#[derive(Template)]
#[template(path = "erase.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    customer: &'a CustomerRecord,
    /// The path of this page and of its form.
    path: String,
    /// The customer's page.
    back: String,
    counted: ErasedCustomer,
    /// Whether an erasure was interrupted.
    has_begun: bool,
    stays: &'static [Stays],
    typed: &'a str,
    fault: &'a str,
}

#[derive(Template)]
#[template(path = "erased.html")]
struct Done<'a> {
    frame: Frame,
    certificate: &'a Certificate,
    /// The address of the certificate as a file.
    file: String,
    /// The page with all erasures.
    all: String,
}

#[derive(Template)]
#[template(path = "erasures.html")]
struct List<'a> {
    frame: Frame,
    business: &'a Membership,
    back: String,
    rows: Vec<Row>,
    limit: usize,
}

/// An erasure in the list.
struct Row {
    number: CustomerNumber,
    /// Its page.
    address: String,
    /// When it was done, unless it was interrupted.
    erased_at: Option<Moment>,
    /// Whether the files of the database are still to be written again.
    is_waiting: bool,
}

/// What is known about an erasure of a customer.
enum Known {
    Done(Certificate),
    Possible {
        customer: Box<CustomerRecord>,
        counted: ErasedCustomer,
        has_begun: bool,
    },
    /// The customer was merged into this one, maybe after an erasure of it was interrupted.
    Merged {
        kept: Id<kinds::Customer>,
        has_begun: bool,
    },
}

/// `GET /customers/{customer}/erase`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Customers).await?;
        render(&context, StatusCode::OK, "", "").await
    };
    either(answer.await)
}

/// `POST /customers/{customer}/erase`
pub(super) async fn erase(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (mut context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let Known::Possible { customer, .. } = known(&context).await? else {
            return render(&context, StatusCode::OK, "", "").await;
        };
        let typed = form.text("number");
        if CustomerNumber::parse(typed) != Some(customer.customer_number) {
            let fault = format!("This is not its number. Type {}.", customer.customer_number);
            return render(&context, StatusCode::BAD_REQUEST, typed, &fault).await;
        }
        let Some(contents) = possible(&context, customer.id).await? else {
            return render(&context, StatusCode::CONFLICT, typed, ASK_OPERATOR).await;
        };
        context.renew_deadline();
        let id = customer.id;
        let erased = context.command(arguments!(EraseCustomer { id: id })).await;
        // Also after a failure: a part of the customer may be erased.
        let deleted = delete(&mut context, id, &contents).await;
        if let Err(error) = erased? {
            return failed(&mut context, error).await;
        }
        deleted?;
        Ok(page::go_to(&address(&context.membership, id)))
    };
    either(answer.await)
}

/// `GET /customers/{customer}/erase/certificate`: the certificate as a file.
pub(super) async fn certificate(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Customers).await?;
        let stored = stored(&context).await?;
        let certificate = of(&context, stored.as_ref()).ok_or_else(page::not_found)?;
        let name = format!("Erasure of {}.txt", certificate.erased.customer_number);
        Ok(attachment(&name, Saved::Text, certificate.to_string().into()))
    };
    either(answer.await)
}

/// `GET /settings/erased`: the customers that were erased.
pub(super) async fn list(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Settings).await?;
        let rows = administer(&context, |tx| erase::latest(tx, LISTED)).await?;
        let business = &context.membership;
        let row = |erasure: Erasure| Row {
            number: erasure.customer_number,
            address: address(business, erasure.customer_id),
            erased_at: erasure.erased_at,
            is_waiting: erasure.rewrite_due_at().is_some(),
        };
        let template = List {
            frame: Frame::within(&context),
            business,
            back: links::of_business(business, Section::Settings.path()),
            rows: rows.into_iter().map(row).collect(),
            limit: LISTED,
        };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}

/// What is stored about an erasure of the customer that the path names.
async fn stored(context: &TenantContext) -> Result<Option<Erasure>, Response> {
    let id = customer::id(&context.context)?;
    administer(context, move |tx| erase::get(tx, id)).await
}

/// Runs a read for which there is no tool.
async fn administer<T: Send + 'static>(
    context: &TenantContext,
    work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Response> {
    let read = context.administer(context.context.deadline, move |tx, account| {
        tx.bind(account.number);
        work(tx)
    });
    read.await?.map_err(|error| page::failed(&error))
}

fn of(context: &TenantContext, erasure: Option<&Erasure>) -> Option<Certificate> {
    Certificate::of(context.membership.account.id, erasure?)
}

async fn known(context: &TenantContext) -> Result<Known, Response> {
    let id = customer::id(&context.context)?;
    let stored = stored(context).await?;
    if let Some(certificate) = of(context, stored.as_ref()) {
        return Ok(Known::Done(certificate));
    }
    let read = context.read(move |snapshot| snapshot.query(arguments!(GetCustomer { id: id })));
    let customer = read.await?.map_err(|error| page::failed(&error))?.customer;
    if customer.id != id {
        return Ok(Known::Merged { kept: customer.id, has_begun: stored.is_some() });
    }
    let now = context.context.now().0;
    let counted = administer(context, move |tx| erase::preview(tx, id, now)).await?;
    Ok(Known::Possible { customer: Box::new(customer), counted, has_begun: stored.is_some() })
}

async fn render(
    context: &TenantContext,
    status: StatusCode,
    typed: &str,
    fault: &str,
) -> Result<Response, Response> {
    let business = &context.membership;
    match known(context).await? {
        // What is left of the erasure is with the kept customer now.
        Known::Merged { kept, has_begun: true } => Ok(page::go_to(&address(business, kept))),
        Known::Merged { kept, .. } => Ok(page::go_to(&links::customer(business, kept))),
        Known::Done(certificate) => {
            let path = links::customer_path(certificate.erased.id);
            Ok(page::page(
                StatusCode::OK,
                &Done {
                    frame: Frame::within(context),
                    certificate: &certificate,
                    file: links::of_business(business, &format!("{path}/erase/certificate")),
                    all: links::of_business(business, "/settings/erased"),
                },
            ))
        }
        Known::Possible { customer, counted, has_begun } => Ok(page::page(
            status,
            &Question {
                frame: Frame::within(context),
                business,
                path: format!("{}/erase", links::customer_path(customer.id)),
                back: links::customer(business, customer.id),
                customer: &customer,
                counted,
                has_begun,
                stays: STAYS,
                typed,
                fault,
            },
        )),
    }
}

/// The content of the customer's files, if all of the customer can be erased. If not, the log says why.
async fn possible(
    context: &TenantContext,
    id: Id<kinds::Customer>,
) -> Result<Option<ErasedContents>, Response> {
    let shared = &context.context.shared;
    let url = shared.db.url().to_owned();
    let check = tokio::task::spawn_blocking(move || maintenance::check_rewrite(&url));
    let checked = check.await.map_err(|error| page::failed(&Error::internal(error)))?;
    if let Err(error) = checked {
        tracing::warn!(%error, "a customer cannot be erased");
        return Ok(None);
    }
    let read = move |tx: &mut ReadTx<'_>| Ok((erase::files(tx, id)?, database_identity::get(tx)?));
    let (files, database) = administer(context, read).await?;
    let store = shared.settings.files.clone();
    let tenant = context.membership.account.id;
    match ErasedContents::check(store, &database, tenant, files).await {
        Ok(contents) => Ok(Some(contents)),
        Err(error) => {
            tracing::warn!(%error, "a customer cannot be erased");
            Ok(None)
        }
    }
}

/// Deletes the content of the files that are erased, and counts it in the certificate. The erasure may have taken all
/// the time for the answer, and the store takes its own.
async fn delete(
    context: &mut TenantContext,
    id: Id<kinds::Customer>,
    contents: &ErasedContents,
) -> Result<(), Response> {
    context.renew_deadline();
    let (tenant, files) = (context.membership.account.number, contents.files().to_vec());
    let read = move |tx: &mut ReadTx<'_>, _: &Environment| {
        tx.bind(tenant);
        erase::without_row(tx, &files)
    };
    let without_row = context.context.read(read).await?;
    let DeletedContents { count, outcome } = contents.delete(&without_row).await;
    if let Err(error) = outcome {
        tracing::warn!(%error, "content of erased files is left for the sweep");
    }
    context.renew_deadline();
    context.context.write(move |tx, _| erase::contents_deleted(tx, tenant, id, count)).await
}

/// The page again, if some of the customer is erased already, or the certificate, if another call was faster.
async fn failed(context: &mut TenantContext, error: Error) -> Result<Response, Response> {
    context.renew_deadline();
    if matches!(error, Error::Unavailable { .. })
        && let Known::Possible { has_begun: true, .. } = known(context).await?
    {
        return render(context, StatusCode::SERVICE_UNAVAILABLE, "", INTERRUPTED).await;
    }
    let fault = Fault::of(error)?;
    render(context, fault.status, "", &fault.text).await
}

/// The page of an erased customer, for owners.
pub(super) async fn page_of_erased(context: &TenantContext) -> Result<Option<String>, Response> {
    if !is_for(&context.membership) {
        return Ok(None);
    }
    let erased = stored(context).await?.filter(|erasure| erasure.erased_at.is_some());
    Ok(erased.map(|it| address(&context.membership, it.customer_id)))
}

/// The address of the page of an erasure.
pub(super) fn address(business: &Membership, customer: Id<kinds::Customer>) -> String {
    links::of_business(business, &format!("{}/erase", links::customer_path(customer)))
}

/// Whether the user may erase customers of the business.
pub(super) const fn is_for(business: &Membership) -> bool {
    business.role.session_scopes().has(Scope::Administer)
}
