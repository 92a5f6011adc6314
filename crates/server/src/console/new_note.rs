//! The form for a new note on a customer's page, with files if some were chosen. The note is added first, so that a lost
//! connection or a file that is refused never loses what was typed. A note of files only is a draft until they are there,
//! and then says what they are.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use tokio::time::timeout;
use zoop_crm::arguments;
use zoop_crm::business::files::Attachment;
use zoop_crm::business::files::tools::add::AddedFiles;
use zoop_crm::business::notes::tools::create::CreateNote;
use zoop_crm::business::notes::tools::get::GetNote;
use zoop_crm::business::notes::tools::update::UpdateNote;
use zoop_crm::business::notes::{ShownNote, SubjectType};
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::arriving::{Refused, closing_unless};
use super::forms::show_error;
use super::messages::{self, Messages};
use super::note_files::{LeftOut, Received};
use super::{customer, key_of, links};
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::bodies;
use crate::files::{self, Arrival, Gone, Parts, Room};
use crate::network::Holder;
use crate::web::form::{self, Form};
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::{PageContext, either};
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The page that keeps a note that may not be saved.
#[derive(Template)]
#[template(path = "note_kept.html")]
struct KeptNote<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The customer's page.
    back: String,
    path: String,
    note: &'a str,
    /// The key of the form that was sent: the note is saved once, even if it was saved already.
    key: &'a str,
    max_note: usize,
}

/// A note that was added, or a draft of one.
struct Added {
    tenant_context: TenantContext,
    customer: Id<kinds::Customer>,
    note: Id<kinds::Note>,
}

/// Whether nothing was typed.
fn is_blank(form: &Form) -> bool {
    form.text("body").trim().is_empty()
}

/// `POST /customers/{customer}/notes`: a form that is sent twice adds one note.
pub(super) async fn add(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        if files::is_form(request.headers()) {
            return with_files(&app, request).await;
        }
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Customers).await?;
        Ok(add_note(tenant_context, &form, None).await?.say())
    };
    either(answer.await)
}

/// Adds the note, or a draft, or answers with what was typed.
async fn add_note(
    tenant_context: TenantContext,
    form: &Form,
    draft: Option<bool>,
) -> Result<Added, Response> {
    let customer = customer::id(&tenant_context.context)?;
    let subject_type = SubjectType::Customer.word();
    let arguments = arguments!(CreateNote { subject_type: subject_type, subject_id: customer })
        .with("body", form.get("body"))
        .with("draft", draft);
    let kept = |failed| keep_note(&tenant_context, customer, failed, form);
    let key = key_of(&tenant_context, form, form.text("body"));
    match tenant_context.command_once(key, arguments).await {
        Ok(Ok(note)) => Ok(Added { note: note.note.id, customer, tenant_context }),
        Ok(Err(error)) => {
            let error = match error {
                Error::InvalidInput { .. } if is_blank(form) => {
                    Error::invalid("Write something, or choose a photo or another file.")
                }
                error => error,
            };
            let shown = show_error(&tenant_context, customer, error, form, true).await;
            Err(either(shown.or_else(kept)))
        }
        Err(failed) => Err(either(kept(failed))),
    }
}

impl Added {
    /// Shows the customer again.
    fn say(&self) -> Response {
        let done = messages::NOTE_ADDED;
        page::go_to(&links::customer_after(&self.tenant_context, self.customer, done))
    }

    /// The note as it is now.
    async fn read(&self) -> Result<ShownNote, Refused> {
        let get = arguments!(GetNote { id: self.note });
        Ok(self.tenant_context.read(move |snapshot| snapshot.query(get)).await??)
    }

    /// Adds the files, unless the form was sent before and its files are there. Returns those that were left out.
    async fn add_files(&mut self, parts: &mut Parts, arrival: Arrival) -> Result<LeftOut, Refused> {
        let note = self.note;
        let has_none = |shown: &ShownNote| shown.note.attachments.is_empty();
        if !has_none(&self.read().await?) {
            return Ok(LeftOut::NONE);
        }
        let received = Received::of(&mut self.tenant_context, note, parts, arrival).await?;
        let (add, get) = (received.arguments(note), arguments!(GetNote { id: note }));
        let tenant_context = &self.tenant_context;
        let command = async {
            let answer = tenant_context.command_if(add, get, has_none).await?;
            // The same form may have been sent twice at once, and then these files are not added.
            Ok(answer.map(|added| added.unwrap_or_else(|| AddedFiles { attachments: Vec::new() })))
        };
        received.add(command).await
    }

    /// Makes a note of a draft whose files are there. It says what they are.
    async fn commit(&self) -> Result<(), Refused> {
        let ShownNote { note, .. } = self.read().await?;
        if note.draft {
            let body = in_words(&note.attachments);
            let arguments = arguments!(UpdateNote { id: note.id, body: body, draft: false });
            self.tenant_context.command(arguments).await??;
        }
        Ok(())
    }

    /// Says that the note was added, and what is wrong with the files that were left out.
    async fn say_without(&self, left_out: &LeftOut) -> Response {
        let done = "The note was added, but not all of its files.";
        self.show(left_out.status, done, &left_out.text).await
    }

    /// Says why there is no file, and whether there is a note.
    async fn refuse_files(&self, refused: Refused, done: &'static str) -> Response {
        let (status, text) = match refused {
            Refused::Because(status, text) => (status, text),
            Refused::Page(failed) => {
                let text =
                    "The server cannot answer right now. Attach them again in a few seconds.";
                (failed.status(), text.to_owned())
            }
        };
        self.show(status, done, &text).await
    }

    /// Shows the customer again, with what was done and what was not.
    async fn show(&self, status: StatusCode, done: &str, fault: &str) -> Response {
        let messages = Messages { done, fault, is_about_notes: true, ..Messages::default() };
        let shown = customer::render(&self.tenant_context, self.customer, status, messages).await;
        let title = if done.is_empty() { "The note was not added" } else { done };
        shown.unwrap_or_else(|_| page::stop(status, title.trim_end_matches('.'), fault))
    }
}

/// What a note of these files says.
fn in_words(files: &[Attachment]) -> String {
    let are_photos = files.iter().all(|file| file.r#type.is_image());
    match files {
        [_] if are_photos => "Photo".to_owned(),
        _ if are_photos => format!("{} photos", files.len()),
        _ => files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Receives the form with its files. They arrive after the other fields.
async fn with_files(app: &App, request: Request) -> Result<Response, Response> {
    let context = PageContext::begin(app, request, Action::Console)?;
    let body = context.take_body();
    if let Err(refusal) = form::require_own(&context.shared.settings.public_url, &context.headers) {
        return Err(closing_unless(bodies::let_go(body).await, refusal));
    }
    let parts = Parts::with_fields_of(&context.headers, body, form::MAX_LONG_BYTES);
    let answer = files::to_the_end(|gone| receive(context, parts, gone)).await;
    answer.ok_or_else(|| {
        page::stop(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "Look whether the note was added, and try again if it was not.",
        )
    })
}

/// Answers the form. What is not needed of it is read on for a while, so that the browser sees the answer.
async fn receive(context: PageContext, mut parts: Parts, gone: Gone) -> Response {
    let patience = files::drain_timeout(&context.shared);
    match added(context, &mut parts, gone).await {
        Ok(response) => response,
        Err(refusal) => {
            let is_read = timeout(patience, parts.drain()).await.unwrap_or(false);
            closing_unless(is_read, refusal)
        }
    }
}

/// The answer; `Err` if the form was not read to its end.
async fn added(
    mut context: PageContext,
    parts: &mut Parts,
    gone: Gone,
) -> Result<Response, Response> {
    let mut arrival = Arrival::begin(&context.shared, gone);
    // Nobody is known yet whose memory it is.
    let longest = u64::try_from(form::MAX_LONG_BYTES).unwrap_or(u64::MAX);
    let length = parts.most().min(longest);
    let mut room = Room::of(&context.shared, Holder::stranger(context.address), length);
    let expected = usize::try_from(length).unwrap_or(usize::MAX);
    room.fit(expected).await.map_err(|_| page::busy())?;
    let fields = arrival.next(parts.fields()).await;
    let fields = fields.map_err(|problem| {
        page::stop(problem.status(), "Something was wrong with the form", &problem.text())
    })?;
    let form = Form::of(fields).map_err(|_| form::unreadable())?;
    context.renew_deadline();
    let tenant_context = TenantContext::of_typed(context, &form, Section::Customers).await?;
    let is_files_only = parts.has_file() && is_blank(&form);
    let mut added = add_note(tenant_context, &form, is_files_only.then_some(true)).await?;
    drop(room);
    if !parts.has_file() {
        return Ok(added.say());
    }
    let answer = match added.add_files(parts, arrival).await {
        Ok(left_out) if is_files_only => added.commit().await.map(|()| left_out),
        answer => answer,
    };
    let done = if is_files_only { "" } else { "The note was added, but not its files." };
    // Of a form that was sent before, the files are not read.
    Err(match answer {
        Ok(left_out) if left_out.is_empty() => added.say(),
        Ok(left_out) => added.say_without(&left_out).await,
        Err(refused) => added.refuse_files(refused, done).await,
    })
}

/// If the server could not answer, shows the note that was typed instead of only saying so. Needs no database.
fn keep_note(
    tenant_context: &TenantContext,
    id: Id<kinds::Customer>,
    failed: Response,
    form: &Form,
) -> Result<Response, Response> {
    let (note, key) = (form.text("body"), form.text("key"));
    if note.is_empty() || !failed.status().is_server_error() {
        return Err(failed);
    }
    let business = &tenant_context.membership;
    let kept = KeptNote {
        frame: Frame::within(tenant_context),
        business,
        back: links::customer(business, id),
        path: links::customer_path(id),
        note,
        key,
        max_note: customer::MAX_NOTE,
    };
    let mut response = page::page(failed.status(), &kept);
    if let Some(seconds) = failed.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    Ok(response)
}
