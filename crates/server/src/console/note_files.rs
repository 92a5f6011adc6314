//! The form that adds files to a note. It is received as it arrives, so its other fields come before its files.
//!
//! | field | what it says |
//! | --- | --- |
//! | `business` | the business, as in every form |
//! | `next` | the page that the form is on, which is shown again |
//! | any, with files | the files |

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use zoop_crm::arguments;
use zoop_crm::business::files::tools::add::{AddFiles, AddedFiles, StoredFile};
use zoop_crm::business::files::tools::check::CheckFile;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::values::id::{Id, kinds};

use super::arriving::{self, Answering, Refused};
use super::note_form::NOTE;
use super::{id_in_path, links, messages};
use crate::app::App;
use crate::files::{self, Arrival, Gone, Parts, Receiver, Unreceived};
use crate::network::Holder;
use crate::web::form::{self, Form};
use crate::web::frame::Frame;
use crate::web::page_context::{PageContext, either};
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;
use crate::web::{next, page};

/// The header of a request that the console's script makes.
const SCRIPT: &str = "hx-request";

/// The page that says why no file was added, or why some were not.
#[derive(Template)]
#[template(path = "files_refused.html")]
struct RefusedPage<'a> {
    frame: Frame,
    text: &'a str,
    /// Whether others were added.
    is_partial: bool,
    back: String,
}

/// The same for the script, which shows it beside the files.
#[derive(Template)]
#[template(path = "_files_refused.html")]
struct RefusedPart<'a> {
    text: &'a str,
    /// Whether others were added. Then the script shows the note again.
    is_partial: bool,
}

/// `POST /notes/{note}/files`
pub(super) async fn add(State(app): State<App>, request: Request) -> Response {
    let add: Answering =
        |context, signed_in, parts, gone| added(context, signed_in, parts, gone).boxed();
    either(arriving::answer(&app, request, Section::Notes, add).await)
}

async fn added(
    context: PageContext,
    signed_in: SignedIn,
    parts: &mut Parts,
    gone: Gone,
) -> Result<Response, Response> {
    let mut arrival = Arrival::begin(&context.shared, gone);
    let fields = arrival.next(parts.fields()).await;
    let fields = fields.map_err(|problem| {
        page::stop(problem.status(), "Something was wrong with the form", &problem.text())
    })?;
    let form = Form::of(fields).map_err(|_| form::unreadable())?;
    let mut tenant_context =
        arriving::in_business(context, signed_in, Section::Notes, &form).await?;
    let from = from(&form);
    let added = match id_in_path(&tenant_context, NOTE) {
        Ok(note) => add_all(&mut tenant_context, note, parts, arrival).await,
        Err(page) => Err(page.into()),
    };
    match added {
        Ok((note, left_out)) if left_out.is_empty() => {
            let note = note.to_string();
            Ok(page::go_to(&links::back_after(from, &tenant_context, messages::FILES_ADDED, &note)))
        }
        Ok((_, left_out)) => {
            let part = RefusedPart { text: &left_out.text, is_partial: true };
            Ok(refused(&tenant_context, from, left_out.status, part))
        }
        Err(Refused::Page(page)) => Err(page),
        Err(Refused::Because(status, text)) => {
            let part = RefusedPart { text: &text, is_partial: false };
            Err(refused(&tenant_context, from, status, part))
        }
    }
}

/// The page that the form is on. Only a page of notes is shown again.
pub(super) fn from(form: &Form) -> &str {
    let next = next::next_page(form.get("next"));
    let sections = [Section::Notes, Section::Customers];
    let has_notes = sections.iter().any(|section| next.starts_with(section.path()));
    if has_notes { next } else { Section::Notes.path() }
}

/// Receives the files and adds them to the note, of which the id is returned, with the files that were left out.
async fn add_all(
    tenant_context: &mut TenantContext,
    note: Id<kinds::Note>,
    parts: &mut Parts,
    arrival: Arrival,
) -> Result<(Id<kinds::Note>, LeftOut), Refused> {
    let received = Received::of(tenant_context, note, parts, arrival).await?;
    let arguments = received.arguments(note);
    let left_out = received.add(tenant_context.command(arguments)).await?;
    Ok((note, left_out))
}

/// The files of a form that cannot be added. The others are.
pub(super) struct LeftOut {
    pub(super) status: StatusCode,
    /// What is wrong with each of them.
    pub(super) text: String,
}

impl LeftOut {
    pub(super) const NONE: Self = Self { status: StatusCode::OK, text: String::new() };

    fn of(refused: &[Unreceived]) -> Self {
        let status = refused.first().map_or(StatusCode::OK, Unreceived::status);
        let texts: Vec<_> = refused.iter().map(Unreceived::text).collect();
        Self { status, text: texts.join(" ") }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Files whose content is stored, and which are to be added to a note.
pub(super) struct Received {
    receiver: Receiver,
    files: Vec<StoredFile>,
    left_out: LeftOut,
}

impl Received {
    /// Receives the files for a note, if there is room for them. Those that are not accepted are left out.
    pub(super) async fn of(
        tenant_context: &mut TenantContext,
        note: Id<kinds::Note>,
        parts: &mut Parts,
        arrival: Arrival,
    ) -> Result<Self, Refused> {
        let size = parts.announced.unwrap_or(0);
        if size > files::limit(true) {
            return Err(Unreceived::TooLarge(files::limit(true)).into());
        }
        let check = arguments!(CheckFile { note_id: note, size: size });
        let checked = tenant_context.read(move |snapshot| snapshot.query(check)).await??;
        let holder = Holder::Tenant(tenant_context.membership.account.number);
        let shared = &tenant_context.context.shared;
        let under_way = files::reserve(shared, checked, parts.most())?;
        let mut receiver = Receiver::begin(shared, under_way, holder, arrival)?;
        let (files, refused) = receiver.receive_accepted(parts).await?;
        tenant_context.context.renew_deadline();
        let left_out = LeftOut::of(&refused);
        if files.is_empty() {
            return Err(Refused::Because(left_out.status, left_out.text));
        }
        Ok(Self { receiver, files, left_out })
    }

    pub(super) fn arguments(&self, note: Id<kinds::Note>) -> Arguments<AddFiles> {
        arguments!(AddFiles { note_id: note, files: self.files.clone() })
    }

    /// Adds them with a command that names them. What is not on the note then is deleted.
    pub(super) async fn add(
        self,
        answer: impl Future<Output = Result<Result<AddedFiles, Error>, Response>>,
    ) -> Result<LeftOut, Refused> {
        let command = async { answer.await.map_err(Err)?.map_err(Ok::<Error, Response>) };
        match self.receiver.add(&self.files, command, |problem| problem.as_ref().ok()).await {
            Ok(_) => Ok(self.left_out),
            Err(Ok(error)) if files::is_uncertain(&error) => {
                Err(Refused::Because(StatusCode::SERVICE_UNAVAILABLE, files::UNCERTAIN.to_owned()))
            }
            Err(Ok(error)) => Err(error.into()),
            Err(Err(page)) => Err(page.into()),
        }
    }
}

/// Says why files were not added: on a page, or to the script.
fn refused(
    tenant_context: &TenantContext,
    from: &str,
    status: StatusCode,
    part: RefusedPart<'_>,
) -> Response {
    if tenant_context.context.headers.contains_key(SCRIPT) {
        return page::page(status, &part);
    }
    let RefusedPart { text, is_partial } = part;
    let (frame, back) =
        (Frame::within(tenant_context), links::back(from, &tenant_context.membership));
    page::page(status, &RefusedPage { frame, text, is_partial, back })
}
