//! The form that changes a note, and archiving and restoring it. Only its author and owners may.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::files::MAX_FILES;
use zoop_crm::business::notes::ShownNote;
use zoop_crm::business::notes::restorable::IsRestorable;
use zoop_crm::business::notes::tools::archive::ArchiveNote;
use zoop_crm::business::notes::tools::get::GetNote;
use zoop_crm::business::notes::tools::restore::RestoreNote;
use zoop_crm::business::notes::tools::update::UpdateNote;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::scope::Scope;
use zoop_crm::call::tool::Command;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::archived::AlreadyArchived;
use super::messages::{self, Done};
use super::parts::usual;
use super::record_form::{self, Declaration, Field, FormPage, Input, Usage, Values};
use super::rows::{Link, NoteRow, SubjectNames};
use super::{Fault, customer, id_in_path, links, note_files, require, unread};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

pub(super) const FORM: Declaration = Declaration {
    groups: &[usual(&[Field::new("body", "Note", Input::Text(customer::MAX_NOTE)).required()])],
    together: &[],
};

/// The segment of the path with the id of the note.
pub(super) const NOTE: usize = 2;

/// The page that asks before a note is archived.
#[derive(Template)]
#[template(path = "note_archive.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    note: NoteRow,
    back: String,
    action: String,
}

/// The page that a note's form came from, and leads back to: its customer's, or all notes.
pub(super) struct Origin {
    customer: Option<Id<kinds::Customer>>,
}

impl Origin {
    pub(super) fn of(query: &Form) -> Self {
        Self { customer: Id::parse(query.text("customer")) }
    }

    /// The section that the navigation stays in.
    const fn section(&self) -> Section {
        if self.customer.is_some() { Section::Customers } else { Section::Notes }
    }

    pub(super) fn path(&self) -> String {
        self.customer.map_or_else(|| "/notes".to_owned(), links::customer_path)
    }

    pub(super) fn link(&self, business: &Membership) -> Link {
        match self.customer {
            Some(id) => Link {
                address: links::customer(business, id) + "#notes",
                text: "Customer".to_owned(),
            },
            None => Link { address: links::notes(business), text: "Notes".to_owned() },
        }
    }

    /// The action of a note's form.
    pub(super) fn action(&self, note: Id<kinds::Note>, form: &str) -> String {
        links::note_form(note, form, self.customer.map(|id| id.to_string()).as_deref())
    }
}

/// Begins a request for a page about a note. The navigation stays where the user came from.
pub(super) async fn page_about_note(
    app: &App,
    request: Request,
) -> Result<TenantContext, Response> {
    let mut tenant_context = TenantContext::page(app, request, Section::Notes).await?;
    tenant_context.section = Origin::of(&tenant_context.context.query).section();
    Ok(tenant_context)
}

/// `GET /notes/{note}/edit`
pub(super) async fn edit(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = page_about_note(&app, request).await?;
        let id = id_in_path(&tenant_context, NOTE)?;
        let shown = read(&tenant_context, id).await?;
        let page = page_of(&tenant_context, id);
        Ok(record_form::edit(&tenant_context, &page, &values(&shown)))
    };
    either(answer.await)
}

/// `POST /notes/{note}/edit`
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (mut tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Notes).await?;
        tenant_context.section = Origin::of(&tenant_context.context.query).section();
        let id = id_in_path(&tenant_context, NOTE)?;
        let page = page_of(&tenant_context, id);
        let query = arguments!(GetNote { id: id });
        let complete = |arguments: Arguments<UpdateNote>| arguments.with("id", id);
        record_form::save(&tenant_context, &page, &form, query, values, complete).await?;
        Ok(go_back(&tenant_context, messages::NOTE_SAVED, id))
    };
    either(answer.await)
}

/// `GET /notes/{note}/archive`: asks before the note is archived.
pub(super) async fn ask_to_archive(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = page_about_note(&app, request).await?;
        let id = id_in_path(&tenant_context, NOTE)?;
        let origin = Origin::of(&tenant_context.context.query);
        let is_archived = arguments!(IsRestorable { id: id });
        let is_archived = tenant_context.read(move |snapshot| snapshot.query(is_archived)).await?;
        if is_archived.is_ok_and(|it| it) {
            let already = AlreadyArchived {
                frame: Frame::within(&tenant_context),
                business: &tenant_context.membership,
                name: None,
                back: origin.link(&tenant_context.membership).address,
                restore: origin.action(id, "restore"),
            };
            return Ok(page::page(StatusCode::OK, &already));
        }
        let shown = read(&tenant_context, id).await?;
        let question = Question {
            frame: Frame::within(&tenant_context),
            business: &tenant_context.membership,
            note: NoteRow::with_customer(shown, &SubjectNames::new(), &tenant_context)
                .only_shown(MAX_FILES as usize),
            back: origin.link(&tenant_context.membership).address,
            action: origin.action(id, "archive"),
        };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /notes/{note}/archive`
pub(super) async fn archive(State(app): State<App>, request: Request) -> Response {
    let arguments = |id: Id<kinds::Note>| arguments!(ArchiveNote { id: id });
    either(change(&app, request, messages::NOTE_ARCHIVED, arguments).await)
}

/// `POST /notes/{note}/pin`: pins a note or unpins it, and shows the page again that the form is on.
pub(super) async fn pin(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Notes).await?;
        let id = id_in_path::<kinds::Note>(&tenant_context, NOTE)?;
        let is_pinned = form.text("pinned") == "true";
        let done = if is_pinned { messages::PINNED } else { messages::UNPINNED };
        let arguments = arguments!(UpdateNote { id: id, pinned: is_pinned });
        run(&tenant_context, arguments).await?;
        let from = note_files::from(&form);
        Ok(page::go_to(&links::back_after(from, &tenant_context, done, &id.to_string())))
    };
    either(answer.await)
}

/// `POST /notes/{note}/restore`
pub(super) async fn restore(State(app): State<App>, request: Request) -> Response {
    let arguments = |id: Id<kinds::Note>| arguments!(RestoreNote { id: id });
    either(change(&app, request, messages::NOTE_RESTORED, arguments).await)
}

/// Runs a tool that changes a note. Then shows the page that the form came from.
async fn change<T: Command<Output: Send>>(
    app: &App,
    request: Request,
    done: Done,
    arguments: impl Fn(Id<kinds::Note>) -> Arguments<T> + Send,
) -> Result<Response, Response> {
    let (tenant_context, _) = TenantContext::form(app, request, Section::Notes).await?;
    let id = id_in_path(&tenant_context, NOTE)?;
    run(&tenant_context, arguments(id)).await?;
    Ok(go_back(&tenant_context, done, id))
}

/// Runs a tool that changes a note. If it refuses, a page says why.
async fn run<T: Command<Output: Send>>(
    tenant_context: &TenantContext,
    arguments: Arguments<T>,
) -> Result<(), Response> {
    let Err(error) = tenant_context.command(arguments).await? else { return Ok(()) };
    let Fault { status, text } = Fault::of(error)?;
    Err(page::stop(status, "This note cannot be changed", &text))
}

/// A note that the user may change.
pub(super) async fn read(
    tenant_context: &TenantContext,
    id: Id<kinds::Note>,
) -> Result<ShownNote, Response> {
    let get = arguments!(GetNote { id: id });
    let read = tenant_context.read(move |snapshot| snapshot.query(get)).await?;
    let shown = read.map_err(|error| unread(&error))?;
    require(tenant_context, Scope::WriteNotes)?;
    if NoteRow::may_change(&shown, tenant_context) {
        return Ok(shown);
    }
    let message = "Only a note's author or an owner can change it.";
    Err(page::stop(StatusCode::FORBIDDEN, "You cannot do this", message))
}

fn values(ShownNote { note, .. }: &ShownNote) -> Values {
    Values::default().with("body", note.body.as_str())
}

fn page_of(tenant_context: &TenantContext, id: Id<kinds::Note>) -> FormPage {
    let origin = Origin::of(&tenant_context.context.query);
    FormPage {
        title: "Edit note",
        word: "note",
        declaration: &FORM,
        usage: Usage::Edit,
        back: origin.link(&tenant_context.membership),
        action: origin.action(id, "edit"),
        similar: None,
    }
}

fn go_back(tenant_context: &TenantContext, done: Done, id: Id<kinds::Note>) -> Response {
    let path = Origin::of(&tenant_context.context.query).path();
    page::go_to(&links::after(&path, tenant_context, done, &id.to_string()))
}
