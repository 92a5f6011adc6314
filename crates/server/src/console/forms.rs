//! The forms of a customer's page: each runs one tool, and then shows the page again.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::archive::ArchiveCustomer;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::customers::tools::restore::RestoreCustomer;
use zoop_crm::business::notes::tools::update::UpdateNote;
use zoop_crm::business::tags::tools::{AttachTag, CreateTag, DetachTag};
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::call::tool::Command;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::archived::AlreadyArchived;
use super::messages::{self, Done, Messages};
use super::{Fault, customer, key_of, links};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The page that asks before a customer is archived.
#[derive(Template)]
#[template(path = "customer_archive.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    name: String,
    /// The customer's page.
    back: String,
    path: String,
}

/// Runs a tool that changes the customer. Then shows the customer again, with the message `done`.
async fn change<T: Command<Output: Send>>(
    app: &App,
    request: Request,
    done: Done,
    arguments: impl Fn(Id<kinds::Customer>, &Form) -> Arguments<T> + Send,
) -> Result<Response, Response> {
    let (tenant_context, form) = TenantContext::form(app, request, Section::Customers).await?;
    let id = customer::id(&tenant_context.context)?;
    match tenant_context.command(arguments(id, &form)).await? {
        Ok(_) => Ok(page::go_to(&links::customer_after(&tenant_context, id, done))),
        Err(error) => show_error(&tenant_context, id, error, &form, done.is_about_notes).await,
    }
}

/// Shows the customer again, with the tool's error and what was typed.
pub(super) async fn show_error(
    tenant_context: &TenantContext,
    id: Id<kinds::Customer>,
    error: Error,
    form: &Form,
    is_about_notes: bool,
) -> Result<Response, Response> {
    let fault = Fault::of(error)?;
    let note = form.text("body");
    let tag = form.text("name");
    let messages =
        Messages { fault: &fault.text, note, tag, is_about_notes, ..Messages::default() };
    customer::render(tenant_context, id, fault.status, messages).await
}

/// `POST /customers/{customer}/pin`
pub(super) async fn pin(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let is_pinned = form.text("pinned") == "true";
        let done = if is_pinned { messages::PINNED } else { messages::UNPINNED };
        let arguments = arguments!(UpdateNote { id: form.text("note"), pinned: is_pinned });
        // Nothing is done from the page of a customer that there is not.
        let customer = arguments!(GetCustomer { id: id });
        match tenant_context.command_if(arguments, customer, |_| true).await? {
            Ok(_) => Ok(page::go_to(&links::customer_after(&tenant_context, id, done))),
            Err(error) => show_error(&tenant_context, id, error, &form, done.is_about_notes).await,
        }
    };
    either(answer.await)
}

/// `POST /customers/{customer}/tag`
pub(super) async fn tag(State(app): State<App>, request: Request) -> Response {
    let arguments = |customer: Id<kinds::Customer>, form: &Form| {
        arguments!(AttachTag { id: form.text("tag"), customer_id: customer })
    };
    either(change(&app, request, messages::TAGGED, arguments).await)
}

/// `POST /customers/{customer}/new-tag`: creates a tag and attaches it. A form that is sent twice creates one tag.
pub(super) async fn new_tag(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let of = arguments!(GetCustomer { id: id });
        let read = tenant_context.read(move |snapshot| snapshot.query(of)).await?;
        read.map_err(|error| page::failed(&error))?;
        let name = form.text("name");
        // The page's form for a note has the same key, and may say the same.
        let key = key_of(&tenant_context, &form, &format!("tag {name}"));
        let created = tenant_context.command_once(key, arguments!(CreateTag { name: name }));
        let attached = match created.await? {
            Ok(tag) => {
                let arguments = arguments!(AttachTag { id: tag.id, customer_id: id });
                tenant_context.command(arguments).await?
            }
            Err(error) => Err(error),
        };
        match attached {
            Ok(_) => Ok(page::go_to(&links::customer_after(&tenant_context, id, messages::TAGGED))),
            Err(error) => show_error(&tenant_context, id, error, &form, false).await,
        }
    };
    either(answer.await)
}

/// `POST /customers/{customer}/untag`
pub(super) async fn untag(State(app): State<App>, request: Request) -> Response {
    let arguments = |customer: Id<kinds::Customer>, form: &Form| {
        arguments!(DetachTag { id: form.text("tag"), customer_id: customer })
    };
    either(change(&app, request, messages::UNTAGGED, arguments).await)
}

/// `GET /customers/{customer}/archive`: asks before the customer is archived.
pub(super) async fn ask_to_archive(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let business = &tenant_context.membership;
        let read =
            tenant_context.read(move |snapshot| snapshot.query(arguments!(GetCustomer { id: id })));
        let customer = read.await?.map_err(|error| page::failed(&error))?.customer;
        if !business.role.scopes().has(Scope::WriteCustomers) {
            let required = vec![Scope::WriteCustomers];
            return Err(page::failed(&Error::InsufficientScope { required, attainable: false }));
        }
        if customer.archived_at.is_some() {
            let already = AlreadyArchived {
                frame: Frame::within(&tenant_context),
                business,
                name: Some(&customer.display_name),
                back: links::customer(business, id),
                restore: format!("{}/restore", links::customer_path(id)),
            };
            return Ok(page::page(StatusCode::OK, &already));
        }
        let question = Question {
            frame: Frame::within(&tenant_context),
            business,
            name: customer.display_name,
            back: links::customer(business, id),
            path: links::customer_path(id),
        };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /customers/{customer}/archive`
pub(super) async fn archive(State(app): State<App>, request: Request) -> Response {
    let arguments = |id: Id<kinds::Customer>, _: &Form| arguments!(ArchiveCustomer { id: id });
    either(change(&app, request, messages::ARCHIVED, arguments).await)
}

/// `POST /customers/{customer}/restore`
pub(super) async fn restore(State(app): State<App>, request: Request) -> Response {
    let arguments = |id: Id<kinds::Customer>, _: &Form| arguments!(RestoreCustomer { id: id });
    either(change(&app, request, messages::RESTORED, arguments).await)
}
