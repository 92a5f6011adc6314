//! The web console: a business's customers and notes, as its members see and change them in a browser.
//!
//! What lives here: pages, and forms that become calls of the catalog's tools, in the tools' own types. What must not: a
//! rule of the product, a query of the database, or a right. The tools decide what is found, what is valid and who may do
//! it; a page only leaves out what the user's role does not allow anyway. Every page works without a script.

mod activity;
mod apps;
mod archived;
mod arriving;
mod bounded;
mod customer;
mod customer_form;
mod customer_history;
mod customers;
mod downloads;
mod duplicates;
mod elsewhere;
mod erasing;
mod evidence;
mod file_removal;
mod file_rows;
mod filters;
mod forms;
mod imports;
mod keys;
mod labels;
mod links;
mod merging;
mod messages;
mod new_note;
mod note_files;
mod note_form;
mod notes;
mod part_forms;
mod parts;
mod problems;
mod record_form;
mod rows;
mod settings;
mod similar;
mod start;
mod story;
mod tags;
mod tax_rates;
mod undo;
mod words;
mod write_note;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::call::tool::List;
use zoop_crm::values::id::{Id, Kind};

use self::parts::{Contacts, Locations};
use crate::app::App;
use crate::export::download;
use crate::web::form::Form;
use crate::web::once::{fresh_key, key_of};
use crate::web::page;
use crate::web::tenant_context::TenantContext;

/// The routes of these pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(start::show))
        .route("/customers", get(customers::show))
        .route("/customers/new", get(customer_form::new).post(customer_form::create))
        .route("/customers/similar", get(similar::show))
        .route("/customers/download", get(downloads::customers))
        .route("/customers/{customer}", get(customer::show))
        .route("/customers/{customer}/edit", get(customer_form::edit).post(customer_form::save))
        .route("/customers/{customer}/notes", post(new_note::add))
        .route("/customers/{customer}/pin", post(forms::pin))
        .route("/customers/{customer}/tag", post(forms::tag))
        .route("/customers/{customer}/new-tag", post(forms::new_tag))
        .route("/customers/{customer}/untag", post(forms::untag))
        .route("/customers/{customer}/archive", get(forms::ask_to_archive).post(forms::archive))
        .route("/customers/{customer}/restore", post(forms::restore))
        .route("/customers/{customer}/erase", get(erasing::show).post(erasing::erase))
        .route("/customers/{customer}/erase/certificate", get(erasing::certificate))
        .route("/customers/{customer}/merge/{other}", get(merging::show).post(merging::merge))
        .route(
            "/customers/{customer}/contacts/new",
            get(part_forms::new::<Contacts>).post(part_forms::create::<Contacts>),
        )
        .route(
            "/customers/{customer}/contacts/{part}/edit",
            get(part_forms::edit::<Contacts>).post(part_forms::save::<Contacts>),
        )
        .route(
            "/customers/{customer}/contacts/{part}/archive",
            get(archived::ask::<Contacts>).post(archived::archive::<Contacts>),
        )
        .route("/customers/{customer}/contacts/{part}/restore", post(archived::restore::<Contacts>))
        .route(
            "/customers/{customer}/locations/new",
            get(part_forms::new::<Locations>).post(part_forms::create::<Locations>),
        )
        .route(
            "/customers/{customer}/locations/{part}/edit",
            get(part_forms::edit::<Locations>).post(part_forms::save::<Locations>),
        )
        .route(
            "/customers/{customer}/locations/{part}/archive",
            get(archived::ask::<Locations>).post(archived::archive::<Locations>),
        )
        .route(
            "/customers/{customer}/locations/{part}/restore",
            post(archived::restore::<Locations>),
        )
        .route("/customers/{customer}/archived", get(archived::show))
        .route("/customers/{customer}/history", get(customer_history::show))
        .route("/duplicates", get(duplicates::show))
        .route("/duplicates/different", post(duplicates::mark))
        .route("/import", get(imports::show).post(imports::receive))
        .route("/import/undo", post(imports::undo))
        .route("/import/{job}", get(imports::show_job))
        .route("/import/{job}/columns", post(imports::columns))
        .route("/import/{job}/start", post(imports::start))
        .route("/import/{job}/stop", post(imports::stop))
        .route("/import/{job}/remove", post(imports::remove))
        .route("/import/{job}/report", get(imports::report))
        .route("/import/{job}/rejected", get(imports::rejected))
        .route("/notes", get(notes::show))
        .route("/notes/download", get(downloads::notes))
        .route("/notes/new", get(write_note::show).post(write_note::add))
        .route("/tags", get(tags::show).post(tags::add))
        .route("/tags/edit", get(tags::edit).post(tags::save))
        .route("/tags/delete", get(tags::ask_to_delete).post(tags::delete))
        .route("/activity", get(activity::show))
        .route("/changes/{entry}/undo", post(undo::undo))
        .route("/keys", get(keys::show).post(keys::create))
        .route("/keys/rotate", get(keys::ask_to_rotate).post(keys::rotate))
        .route("/keys/revoke", get(keys::ask_to_revoke).post(keys::revoke))
        .route("/apps", get(apps::show))
        .route("/apps/disconnect", get(apps::ask).post(apps::disconnect))
        .route("/settings", get(settings::show).post(settings::save))
        .route("/settings/export", post(download::everything))
        .route("/settings/erased", get(erasing::list))
        .route("/settings/tax-rates", get(tax_rates::show).post(tax_rates::add))
        .route("/settings/tax-rates/edit", get(tax_rates::edit).post(tax_rates::save))
        .route("/settings/tax-rates/default", post(tax_rates::set_default))
        .route(
            "/settings/tax-rates/archive",
            get(tax_rates::ask_to_archive).post(tax_rates::archive),
        )
        .route("/notes/{note}/edit", get(note_form::edit).post(note_form::save))
        .route("/notes/{note}/archive", get(note_form::ask_to_archive).post(note_form::archive))
        .route("/notes/{note}/pin", post(note_form::pin))
        .route("/notes/{note}/files", post(note_files::add))
        .route(
            "/notes/{note}/files/{file}/remove",
            get(file_removal::ask).post(file_removal::remove),
        )
        .route("/notes/{note}/restore", post(note_form::restore))
}

/// A tool's error that the user can do something about: the status of the answer, and the tool's own words. The page
/// shows them beside what was typed. Any other error is a page of its own.
struct Fault {
    status: StatusCode,
    text: String,
}

impl Fault {
    fn of(error: Error) -> Result<Self, Response> {
        let (status, text) = match error {
            Error::InvalidInput { message, .. } | Error::Conflict { message, .. } => {
                (StatusCode::BAD_REQUEST, message)
            }
            Error::Unusable { message, .. } => (StatusCode::NOT_FOUND, message),
            Error::NotFound { record } => {
                (StatusCode::NOT_FOUND, format!("There is no such {record} any more."))
            }
            other => return Err(page::failed(&other)),
        };
        Ok(Self { status, text })
    }
}

/// A page of a list, or the tool's error about the search as an inner error, so that the page can show what was typed.
fn found<T>(listed: Result<Page<T>, Refusal>) -> Result<Result<Page<T>, Error>, Refusal> {
    match listed {
        Err(Refusal::Failed(error)) => Ok(Err(error)),
        listed => listed.map(Ok),
    }
}

/// What a list shows: the page that was found, or no rows and what is wrong with the search.
fn page_of_list<T>(found: Result<Page<T>, Error>) -> Result<(Page<T>, Fault), Response> {
    Ok(match found {
        Ok(page) => (page, Fault { status: StatusCode::OK, text: String::new() }),
        Err(error) => (no_rows(), Fault::of(error)?),
    })
}

const fn no_rows<T>() -> Page<T> {
    Page { rows: Vec::new(), next_cursor: None, has_more: false }
}

/// The row of a list for which `is_it` holds. Few lists of records that owners manage have a second page.
async fn find<T: List<Row: Send>>(
    tenant_context: &TenantContext,
    is_it: impl Fn(&T::Row) -> bool,
) -> Result<T::Row, Response> {
    let mut next = None;
    loop {
        let page = tenant_context.list(Arguments::<T>::none().after(next)).await?;
        if let Some(found) = page.rows.into_iter().find(&is_it) {
            return Ok(found);
        }
        next = Some(page.next_cursor.ok_or_else(page::not_found)?);
    }
}

/// What was just done, as the keyword in the URL says; nothing for an unknown keyword.
fn done_text<'a>(texts: &[(&str, &'a str)], query: &Form) -> &'a str {
    let word = query.text("done");
    texts.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text)
}

/// The id in a segment of the path. A text that is not an id names no record.
fn id_in_path<K: Kind>(tenant_context: &TenantContext, segment: usize) -> Result<Id<K>, Response> {
    let path = tenant_context.context.target.split('?').next().unwrap_or_default();
    path.split('/').nth(segment).and_then(Id::parse).ok_or_else(page::not_found)
}

/// The page for a record that could not be read. Another customer's is not found.
fn unread(error: &Error) -> Response {
    match error {
        Error::Unusable { .. } => page::not_found(),
        other => page::failed(other),
    }
}

/// Refuses a page that only asks for what the user's role does not allow.
fn require(tenant_context: &TenantContext, scope: Scope) -> Result<(), Response> {
    if tenant_context.membership.role.scopes().has(scope) {
        return Ok(());
    }
    let required = vec![scope];
    Err(page::failed(&Error::InsufficientScope { required, attainable: false }))
}
