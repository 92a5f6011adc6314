//! One file that is imported: what its columns mean, what it would add, how far that is, and what it has added.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream;
use zoop_crm::business::import::columns::{Column, Meaning, Said};
use zoop_crm::business::import::jobs::{self, Job, Outcome, Stage, StoredFile};
use zoop_crm::business::import::preview::{Preview, Remarks, ShownColumn};
use zoop_crm::business::import::{self, Import, Reading, State as Done, WhenRejected};
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::super::{Fault, id_in_path, links, require};
use super::meanings::{self, GROUPS, Group};
use super::said::{are, count, number, said};
use super::{PATH, can_undo, handed_over, path};
use crate::app::App;
use crate::export::attachment::{Saved, attachment};
use crate::files::sending_body;
use crate::unread::Cut;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The position of the job's id in the path.
const JOB: usize = 2;
/// How many columns can be given a meaning on the page. Each has a list of all meanings, about 2 KiB.
const CHOSEN: usize = 20;
/// What the form calls the state of addresses without one.
const STATE: &str = "state";
/// What has that state.
const STATES: [Meaning; 3] = [Meaning::ServiceState, Meaning::Service2State, Meaning::BillingState];
/// What is said of work that needs no open page.
const GOES_ON: &str = "You can close this page: it goes on.";
/// The length of a table is known only at its end.
const UNKNOWN_LENGTH: u64 = u64::MAX;

#[derive(Template)]
#[template(path = "import.html")]
struct JobPage<'a> {
    frame: Frame,
    business: &'a Membership,
    job: &'a Job,
    /// The path of this page, with which those of its forms begin.
    path: String,
    /// The address of this page.
    address: String,
    list: String,
    customers: String,
    view: View<'a>,
    problem: &'a str,
}

/// What the page shows of a job.
enum View<'a> {
    /// A server works on it.
    Work { what: &'static str, hint: &'static str, can_stop: bool, can_remove: bool },
    /// A person decides.
    Choice {
        columns: Columns,
        preview: Option<&'a Preview>,
        remarks: Vec<(String, &'a Remarks)>,
        /// How many customers would be added, in words.
        added: String,
        state: &'a str,
    },
    /// It was done.
    Result {
        said: Vec<String>,
        /// What an undo has left, if anything.
        kept: Option<&'a Outcome>,
        undo: Option<Id<kinds::Import>>,
    },
}

/// The columns of the file that have values.
struct Columns {
    chosen: Vec<ChosenColumn>,
    /// What was said of others before, which stays.
    kept: Vec<(usize, &'static str)>,
    /// The others that have values, with what they mean.
    others: Vec<String>,
    groups: &'static [Group],
}

/// A column whose meaning can be chosen.
struct ChosenColumn {
    at: usize,
    name: String,
    samples: String,
    meaning: Option<Meaning>,
}

impl Columns {
    fn of(columns: &[ShownColumn], reading: &Reading) -> Self {
        let filled = columns.iter().enumerate().filter(|(_, it)| !it.samples.is_empty());
        let mut filled: Vec<_> = filled.collect();
        // Columns without a known meaning have to be chosen first.
        filled.sort_by_key(|(_, it)| it.meaning.is_some());
        let others = filled.split_off(filled.len().min(CHOSEN));
        filled.sort_by_key(|(at, _)| *at);
        let chosen = filled.iter().map(|(at, it)| ChosenColumn {
            at: *at,
            name: if it.name.is_empty() { format!("Column {}", at + 1) } else { it.name.clone() },
            samples: it.samples.join(" · "),
            meaning: it.meaning,
        });
        let others = others.iter().map(|(_, it)| match it.meaning {
            Some(meaning) => format!("{} ({})", it.name, meanings::label(meaning)),
            None => format!("{} (not imported)", it.name),
        });
        let chosen: Vec<_> = chosen.collect();
        let said = reading.columns.iter().filter_map(|said| match said.column {
            Column::At(at) => Some((at, said.meaning.map_or("", Meaning::word))),
            Column::Named(_) => None,
        });
        let kept = said.filter(|(at, _)| chosen.iter().all(|it| it.at != *at)).collect();
        Self { chosen, kept, others: others.collect(), groups: GROUPS }
    }
}

impl<'a> View<'a> {
    fn of(job: &'a Job, import: Option<&Import>) -> Self {
        match job.stage {
            Stage::Arriving => Self::Work {
                what: "The file is arriving.",
                hint: "If the page that sent it is closed, remove the file and send it again.",
                can_stop: false,
                can_remove: true,
            },
            Stage::LookingUp => Self::work("Looking up the customers of the file."),
            Stage::Adding if job.import.is_none() => {
                Self::work("Checking that nothing has changed since you looked.")
            }
            Stage::Adding => Self::work("Adding the customers."),
            Stage::Undoing => Self::Work {
                what: "Taking back what was added.",
                hint: GOES_ON,
                can_stop: false,
                can_remove: false,
            },
            Stage::Ready => Self::Choice {
                columns: Columns::of(&job.columns, &job.reading),
                preview: job.preview.as_ref(),
                remarks: job.preview.as_ref().map(remarks).unwrap_or_default(),
                added: count(job.preview.as_ref().map_or(0, |preview| preview.counts.added)),
                state: default_state(&job.reading),
            },
            Stage::Ended | Stage::Removed => {
                let state = import.map(|it| it.state);
                let is_left = state == Some(Done::Undoing) && job.result.kept_count > 0;
                Self::Result {
                    said: said(job, state),
                    kept: is_left.then_some(&job.result),
                    undo: import.filter(|it| can_undo(it)).map(|it| it.id),
                }
            }
        }
    }

    const fn work(what: &'static str) -> Self {
        Self::Work { what, hint: GOES_ON, can_stop: true, can_remove: false }
    }
}

/// The state that addresses without one are said to be in.
fn default_state(reading: &Reading) -> &str {
    let state = reading.defaults.iter().find(|(meaning, _)| *meaning == STATES[0]);
    state.map_or("", |(_, state)| state)
}

impl JobPage<'_> {
    /// Whether a server works on it, so that the page changes by itself.
    fn is_working(&self) -> bool {
        matches!(self.view, View::Work { .. })
    }
}

/// The remarks about the rows, each kind with a heading.
fn remarks(preview: &Preview) -> Vec<(String, &Remarks)> {
    let Preview { unusable, similar, here, said, skipped, .. } = preview;
    let rows = if skipped.count == 1 { "row describes" } else { "rows describe" };
    let cells = if said.count == 1 { "cell was" } else { "cells were" };
    let all = [
        (format!("{} cannot be added", number(unusable.count)), unusable),
        (
            format!("{} added and may be the same as a customer you have", are(similar.count)),
            similar,
        ),
        (format!("{} there already", are(here.count)), here),
        (format!("{} {cells} taken apart, or kept in a note", number(said.count)), said),
        (format!("{} {rows} no customer", number(skipped.count)), skipped),
    ];
    all.into_iter().filter(|(_, remarks)| remarks.count > 0).collect()
}

/// `GET /import/{job}`
pub(in crate::console) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = TenantContext::page(&app, request, Section::Customers).await?;
        require(&context, Scope::WriteCustomers)?;
        render(&context, StatusCode::OK, "").await
    };
    either(answer.await)
}

async fn render(
    context: &TenantContext,
    status: StatusCode,
    problem: &str,
) -> Result<Response, Response> {
    let id = id_in_path(context, JOB)?;
    let read = context.read_imports(move |tx| {
        let job = jobs::get(tx, id)?;
        let import = job.import.map(|import| import::get(tx, import)).transpose()?;
        Ok((job, import))
    });
    let (job, import) = read.await?.map_err(|error| page::failed(&error))?;
    let business = &context.membership;
    let problem = if problem.is_empty() { &*job.problem } else { problem };
    let template = JobPage {
        frame: Frame::within(context),
        business,
        path: path(id),
        address: super::address(business, id),
        list: links::of_business(business, PATH),
        customers: links::customers(business),
        view: View::of(&job, import.as_ref()),
        job: &job,
        problem,
    };
    Ok(page::page(status, &template))
}

/// Answers a form about a job that gives a server something to do.
async fn change(
    app: &App,
    request: Request,
    work: impl FnOnce(&TenantContext, &Form) -> Result<Change, Response>,
) -> Response {
    let answer = async {
        let (context, form) = TenantContext::form(app, request, Section::Customers).await?;
        let id = id_in_path(&context, JOB)?;
        let change = work(&context, &form)?;
        let changed = context.write_imports(move |ctx| match &change {
            Change::Read(reading) => jobs::read_as(ctx, id, reading),
            Change::Start { plan, when_rejected } => jobs::start(ctx, id, plan, *when_rejected),
            Change::Stop => jobs::cancel(ctx, id),
        });
        match changed.await? {
            Ok(()) => Ok(handed_over(&context, id)),
            Err(error) => {
                let fault = Fault::of(error)?;
                render(&context, fault.status, &fault.text).await
            }
        }
    };
    either(answer.await)
}

/// What a form about a job asks for.
enum Change {
    Read(Reading),
    Start { plan: String, when_rejected: WhenRejected },
    Stop,
}

/// `POST /import/{job}/columns`: reads the file in another way.
pub(in crate::console) async fn columns(State(app): State<App>, request: Request) -> Response {
    change(&app, request, |_, form| Ok(Change::Read(reading(form)))).await
}

fn reading(form: &Form) -> Reading {
    let chosen = form.fields().into_iter().filter_map(|(name, word)| {
        let at = name.strip_prefix('c')?.parse().ok()?;
        Some(Said { column: Column::At(at), meaning: Meaning::from_word(word) })
    });
    let mut columns: Vec<_> = chosen.collect();
    columns.sort_by_key(|said| match said.column {
        Column::At(at) => at,
        Column::Named(_) => usize::MAX,
    });
    let state = form.text(STATE).trim().to_owned();
    let defaults = STATES.iter().filter(|_| !state.is_empty()).map(|it| (*it, state.clone()));
    Reading { defaults: defaults.collect(), columns }
}

/// `POST /import/{job}/start`
pub(in crate::console) async fn start(State(app): State<App>, request: Request) -> Response {
    let start = |_: &TenantContext, form: &Form| {
        let when_rejected = WhenRejected::from_word(form.text("rejected"));
        Ok(Change::Start {
            plan: form.text("plan").to_owned(),
            when_rejected: when_rejected.unwrap_or(WhenRejected::AddNone),
        })
    };
    change(&app, request, start).await
}

/// `POST /import/{job}/stop`
pub(in crate::console) async fn stop(State(app): State<App>, request: Request) -> Response {
    change(&app, request, |_, _| Ok(Change::Stop)).await
}

/// `POST /import/{job}/remove`
pub(in crate::console) async fn remove(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, _) = TenantContext::form(&app, request, Section::Customers).await?;
        let id = id_in_path(&context, JOB)?;
        match context.write_imports(move |ctx| jobs::remove(ctx, id)).await? {
            Ok(()) => {
                context.context.shared.importing.wake();
                Ok(page::go_to(&links::of_business(&context.membership, PATH)))
            }
            Err(error) => {
                let fault = Fault::of(error)?;
                render(&context, fault.status, &fault.text).await
            }
        }
    };
    either(answer.await)
}

/// `GET /import/{job}/report`
pub(in crate::console) async fn report(State(app): State<App>, request: Request) -> Response {
    either(table(&app, request, StoredFile::Report, "what becomes of each row.csv").await)
}

/// `GET /import/{job}/rejected`
pub(in crate::console) async fn rejected(State(app): State<App>, request: Request) -> Response {
    either(table(&app, request, StoredFile::Rejected, "rows that were left out.csv").await)
}

async fn table(
    app: &App,
    request: Request,
    file: StoredFile,
    name: &str,
) -> Result<Response, Response> {
    let cut = request.extensions().get::<Cut>().cloned().unwrap_or_default();
    let context = TenantContext::page(app, request, Section::Customers).await?;
    let id = id_in_path(&context, JOB)?;
    let read = context.read_imports(move |tx| jobs::part(tx, id, file, 0)).await?;
    let first = read.map_err(|error| page::failed(&error))?.ok_or_else(page::not_found)?;
    let (shared, tenant) = (context.context.shared.clone(), context.membership.account.number);
    let rest = stream::try_unfold((context, 1), move |(mut context, part)| async move {
        context.renew_deadline();
        let read = context.read_imports(move |tx| jobs::part(tx, id, file, part)).await;
        let bytes = read.map_err(|_| unread())?.map_err(|_| unread())?;
        Ok(bytes.map(|bytes| (Bytes::from(bytes), (context, part + 1))))
    });
    let bytes = stream::once(async { Ok(Bytes::from(first)) }).chain(rest).boxed();
    Ok(attachment(name, Saved::Table, sending_body(shared, tenant, cut, bytes, UNKNOWN_LENGTH)))
}

/// A part that cannot be read ends the table with an error, so that no one takes it for whole.
fn unread() -> object_store::Error {
    let source = "a part of the table could not be read".into();
    object_store::Error::Generic { store: "import", source }
}
