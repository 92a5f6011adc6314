//! Importing customers: a file is sent, a page shows what it would add, and a server adds the customers whether or not the
//! page stays open.
//!
//! | module | pages and forms |
//! | --- | --- |
//! | here | the list of imports, and undoing one |
//! | `receive` | the form that sends a file |
//! | `job` | one file: what its columns mean, what it would add, and how far that is |
//! | `meanings` | what a column can mean, in words |
//! | `said` | what was done with a file, in words |

mod job;
mod meanings;
mod receive;
mod said;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::business::import::jobs::{self, Listed, Stage};
use zoop_crm::business::import::{self, Import, State as Done};
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use super::rows::Link;
use super::{Fault, links, require};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

pub(super) use job::{columns, rejected, remove, report, show as show_job, start, stop};
pub(super) use receive::receive;

const PATH: &str = "/import";
/// How many imports are listed.
const LISTED: usize = 50;

#[derive(Template)]
#[template(path = "imports.html")]
struct ImportsPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    /// Files that wait for a decision or a server.
    open: Vec<Row>,
    imports: Vec<Row>,
    fault: &'a str,
}

/// A file of the list.
struct Row {
    name: String,
    /// The page about it, if there is one.
    address: Option<String>,
    at: Moment,
    /// How far it is, in words.
    state: String,
    /// The id for the form that takes it back.
    undo: Option<Id<kinds::Import>>,
}

/// `GET /import`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        render(&tenant_context, StatusCode::OK, "").await
    };
    either(answer.await)
}

/// `POST /import/undo`
pub(super) async fn undo(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let import = Id::parse(form.text("import")).ok_or_else(page::not_found)?;
        match tenant_context.write_imports(move |ctx| jobs::undo(ctx, import)).await? {
            Ok(job) => Ok(handed_over(&tenant_context, job)),
            Err(error) => {
                let fault = Fault::of(error)?;
                render(&tenant_context, fault.status, &fault.text).await
            }
        }
    };
    either(answer.await)
}

/// The page of a job that a server has to do now.
fn handed_over(tenant_context: &TenantContext, job: Id<kinds::ImportJob>) -> Response {
    tenant_context.context.shared.importing.wake();
    page::go_to(&address(&tenant_context.membership, job))
}

fn path(job: Id<kinds::ImportJob>) -> String {
    format!("{PATH}/{job}")
}

fn address(business: &Membership, job: Id<kinds::ImportJob>) -> String {
    links::of_business(business, &path(job))
}

async fn render(
    tenant_context: &TenantContext,
    status: StatusCode,
    fault: &str,
) -> Result<Response, Response> {
    let read =
        tenant_context.read_imports(|tx| Ok((jobs::latest(tx)?, import::latest(tx, LISTED)?)));
    let (jobs, imports) = read.await?.map_err(|error| page::failed(&error))?;
    let business = &tenant_context.membership;
    let (open, ended): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| job.stage != Stage::Ended);
    let is_open = |it: &Import| open.iter().any(|job| job.import == Some(it.id));
    let imports: Vec<_> = imports.into_iter().filter(|it| !is_open(it)).collect();
    let imports = imports.into_iter().map(|it| Row::of_import(it, &ended, business)).collect();
    let open = open.iter().map(|job| Row::of_job(job, business)).collect();
    let template = ImportsPage {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        open,
        imports,
        fault,
    };
    Ok(page::page(status, &template))
}

impl Row {
    fn of_job(job: &Listed, business: &Membership) -> Self {
        let state = match job.stage {
            Stage::Arriving => "Is arriving",
            Stage::LookingUp => "Is looked up",
            Stage::Ready => "Waits for you",
            Stage::Adding => "Is imported",
            Stage::Undoing => "Is undone",
            Stage::Ended | Stage::Removed => "",
        };
        Self {
            name: job.file_name.clone(),
            address: Some(address(business, job.id)),
            at: job.id.created_at(),
            state: state.to_owned(),
            undo: None,
        }
    }

    fn of_import(import: Import, jobs: &[Listed], business: &Membership) -> Self {
        let job = jobs.iter().find(|job| job.import == Some(import.id));
        let count = customers(import.added);
        let state = match import.state {
            Done::Running => format!("Not finished: {count} so far"),
            Done::Done => format!("{count} added"),
            Done::Stopped => "Stopped: nothing was added".to_owned(),
            Done::Undoing => "Not wholly undone".to_owned(),
            Done::Undone => "Undone".to_owned(),
        };
        Self {
            address: job.map(|job| address(business, job.id)),
            at: import.id.created_at(),
            state,
            undo: can_undo(&import).then_some(import.id),
            name: import.file_name,
        }
    }
}

/// Whether there is something to take back. One that did not come to its end may have added tags before customers.
const fn can_undo(import: &Import) -> bool {
    match import.state {
        Done::Running | Done::Undoing => true,
        Done::Done => import.added > 0,
        Done::Stopped | Done::Undone => false,
    }
}

/// A number of customers.
fn customers(count: i64) -> String {
    if count == 1 { "1 customer".to_owned() } else { format!("{} customers", grouped(count)) }
}

/// A number with a comma between its thousands.
fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let before = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == before {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
