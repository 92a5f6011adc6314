//! Removing a file from a note. Only the note's author and owners may, and the page asks first.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::files::tools::remove::RemoveFile;
use zoop_crm::business::files::tools::removed::RemovedFile;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::file_rows::FileRow;
use super::messages::{self, Messages};
use super::note_form::{self, NOTE, Origin};
use super::{Fault, id_in_path, links};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The segment of the path with the id of the file.
const FILE: usize = 4;

/// The page that asks before a file is removed.
#[derive(Template)]
#[template(path = "file_remove.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    file: FileRow,
    back: String,
    action: String,
}

/// `GET /notes/{note}/files/{file}/remove`: asks before the file is removed.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = note_form::page_about_note(&app, request).await?;
        let note = id_in_path(&tenant_context, NOTE)?;
        let file = id_in_path::<kinds::File>(&tenant_context, FILE)?;
        let shown = note_form::read(&tenant_context, note).await?;
        let found = shown.note.attachments.into_iter().find(|it| it.id == file);
        let origin = Origin::of(&tenant_context.context.query);
        let question = Question {
            frame: Frame::within(&tenant_context),
            business: &tenant_context.membership,
            file: FileRow::of(found.ok_or_else(page::not_found)?),
            back: origin.link(&tenant_context.membership).address,
            action: origin.action(note, &format!("files/{file}/remove")),
        };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /notes/{note}/files/{file}/remove`
pub(super) async fn remove(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, _) = TenantContext::form(&app, request, Section::Notes).await?;
        let file = id_in_path::<kinds::File>(&tenant_context, FILE)?;
        match tenant_context.command(arguments!(RemoveFile { id: file })).await? {
            Ok(_) => {
                let done = messages::FILE_REMOVED;
                let path = Origin::of(&tenant_context.context.query).path();
                Ok(page::go_to(&links::after(&path, &tenant_context, done, &file.to_string())))
            }
            Err(error) => {
                let Fault { status, text } = Fault::of(error)?;
                Err(page::stop(status, "This file cannot be removed", &text))
            }
        }
    };
    either(answer.await)
}

/// Adds the name of the file, if the page says that one was removed.
pub(super) async fn named<'a>(
    tenant_context: &TenantContext,
    mut messages: Messages<'a>,
) -> Result<Messages<'a>, Response> {
    let query = &tenant_context.context.query;
    if query.text("done") == messages::FILE_REMOVED.word
        && let Some(file) = Id::<kinds::File>::parse(query.text("record"))
    {
        let named = arguments!(RemovedFile { id: file });
        let read = tenant_context.read(move |snapshot| snapshot.query(named)).await?;
        // After a day, nothing is known of the file any more.
        messages.removed = read.ok();
    }
    Ok(messages)
}
