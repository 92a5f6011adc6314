//! The lists of customers and notes as tables for spreadsheets: the rows that the page finds, all of them.
//!
//! They are read page by page, as fast as the browser takes them.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use zoop_crm::business::customers::SearchRow;
use zoop_crm::business::notes::ShownNote;
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::tool::List;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::spreadsheet;
use zoop_crm::values::zone::Zone;

use super::{customers, notes};
use crate::app::App;
use crate::export::attachment::{Saved, attachment};
use crate::files::sending_body;
use crate::unread::Cut;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// How many rows are read at once.
const ROWS: u32 = 100;
/// The length of a table is known only at its end.
const UNKNOWN_LENGTH: u64 = u64::MAX;

const CUSTOMERS: [&str; 11] = [
    "Customer number",
    "Name",
    "Type",
    "Status",
    "Phone",
    "Phone as typed",
    "E-mail",
    "Address",
    "VIP",
    "Do not contact",
    "Customer id",
];

const NOTES: [&str; 10] = [
    "Created",
    "Author",
    "Note",
    "Pinned",
    "About",
    "Customer name",
    "Files",
    "Changed",
    "Note id",
    "Customer id",
];

/// `GET /customers/download`
pub(super) async fn customers(State(app): State<App>, request: Request) -> Response {
    let cut = cut(&request);
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Customers).await?;
        let arguments = customers::asked(&context.context.query);
        table(context, cut, "customers.csv", &CUSTOMERS, arguments, customer).await
    };
    either(answer.await)
}

/// `GET /notes/download`
pub(super) async fn notes(State(app): State<App>, request: Request) -> Response {
    let cut = cut(&request);
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Notes).await?;
        let arguments = notes::asked(&context.context.query);
        table(context, cut, "notes.csv", &NOTES, arguments, note).await
    };
    either(answer.await)
}

fn cut(request: &Request) -> Cut {
    request.extensions().get::<Cut>().cloned().unwrap_or_default()
}

/// The answer with all rows of a list. What is wrong with the search is answered before anything is sent.
async fn table<T: List<Row: Send> + 'static>(
    context: TenantContext,
    cut: Cut,
    name: &str,
    columns: &[&str],
    arguments: Arguments<T>,
    row: fn(&T::Row, Zone) -> Vec<u8>,
) -> Result<Response, Response>
where
    Arguments<T>: Clone + Sync,
{
    let first = context.list(arguments.clone().page(None, ROWS)).await?;
    let (shared, tenant) = (context.context.shared.clone(), context.membership.account.number);
    let begin = Bytes::from(spreadsheet::begin(columns));
    let rows = rows(context, arguments, first, row);
    let bytes = stream::once(async { Ok(begin) }).chain(rows).boxed();
    let body = sending_body(shared, tenant, cut, bytes, UNKNOWN_LENGTH);
    Ok(attachment(name, Saved::Table, body))
}

/// What is left of a list.
enum Left<T: List> {
    Page(Page<T::Row>),
    After(String),
    Nothing,
}

/// The rows from the first page on. A page that cannot be read ends them with an error, so that no one takes the table
/// for whole.
fn rows<T: List<Row: Send> + 'static>(
    context: TenantContext,
    arguments: Arguments<T>,
    first: Page<T::Row>,
    row: fn(&T::Row, Zone) -> Vec<u8>,
) -> BoxStream<'static, object_store::Result<Bytes>>
where
    Arguments<T>: Clone + Sync,
{
    let zone = context.membership.zone;
    let state = (context, arguments, Left::<T>::Page(first));
    let pages = stream::try_unfold(state, move |(mut context, arguments, left)| async move {
        let page = match left {
            Left::Nothing => return Ok(None),
            Left::Page(page) => page,
            Left::After(cursor) => {
                context.renew_deadline();
                let page = context.list(arguments.clone().page(Some(cursor), ROWS));
                page.await.map_err(|_| unread())?
            }
        };
        let bytes: Vec<u8> = page.rows.iter().flat_map(|it| row(it, zone)).collect();
        let left = page.next_cursor.map_or(Left::Nothing, Left::After);
        Ok(Some((Bytes::from(bytes), (context, arguments, left))))
    });
    // A page without rows is not the end.
    pages.filter(|page| std::future::ready(!matches!(page, Ok(bytes) if bytes.is_empty()))).boxed()
}

fn unread() -> object_store::Error {
    let source = "a page of the list could not be read".into();
    object_store::Error::Generic { store: "list", source }
}

fn customer(row: &SearchRow, _: Zone) -> Vec<u8> {
    let any = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells: [String; CUSTOMERS.len()] = [
        row.customer_number.to_string(),
        row.display_name.clone(),
        row.customer_type.word().to_owned(),
        row.status.word().to_owned(),
        any(&row.primary_phone),
        any(&row.primary_phone_raw),
        any(&row.primary_email),
        any(&row.location),
        yes(row.is_vip),
        yes(row.do_not_contact),
        row.id.to_string(),
    ];
    spreadsheet::row(cells.iter().map(String::as_str))
}

fn note(ShownNote { note, names }: &ShownNote, zone: Zone) -> Vec<u8> {
    let any = |text: &Option<String>| text.clone().unwrap_or_default();
    let files: Vec<_> = note.attachments.iter().map(|file| file.name.as_str()).collect();
    let cells: [String; NOTES.len()] = [
        local(note.created_at, zone),
        any(&names.created_by_name),
        note.body.clone(),
        yes(note.pinned),
        note.subject_type.map(|subject| subject.word().to_owned()).unwrap_or_default(),
        any(&names.customer_name),
        files.join("; "),
        local(note.updated_at, zone),
        note.id.to_string(),
        names.customer_id.map(|id| id.to_string()).unwrap_or_default(),
    ];
    spreadsheet::row(cells.iter().map(String::as_str))
}

fn yes(is: bool) -> String {
    if is { "yes".to_owned() } else { String::new() }
}

/// A time as the clocks of the business show it.
fn local(moment: Moment, zone: Zone) -> String {
    zone.civil(moment.0)
}
