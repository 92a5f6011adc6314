//! The content of a file as a resource, in a form and size that a model can use.

use zoop_crm::business::files::MediaType;
use zoop_crm::business::files::tools::open::OpenedFile;
use zoop_mcp::Refusal;

use super::context::RequestContext;
use super::{done, overloaded, refused, resources, unavailable};
use crate::answer::Answer;
use crate::files::pictures::{self, NoPicture, PictureSize, picture};

/// Maximum size in bytes of what is not scaled.
const MAX_BYTES: u64 = 1024 * 1024;

/// Answers `resources/read` of a file that the caller may read.
pub(super) async fn read(
    context: &RequestContext<'_>,
    uri: &str,
    opened: &OpenedFile,
) -> Result<Answer, Answer> {
    let responder = context.responder();
    if pictures::is_picture(opened.media_type) {
        let jpeg = scaled(context, uri, opened).await?;
        return Ok(done(responder.blob(uri, pictures::MEDIA_TYPE.word(), &jpeg)));
    }
    if opened.size > MAX_BYTES {
        return Err(refused(&unreadable(context, opened, "it is longer than 1 MiB")));
    }
    let store = context.shared.settings.files.as_ref();
    let store = store.ok_or_else(|| resources::unknown(context, uri))?;
    let bytes = store.content(opened).await.map_err(|error| store_failed(context, &error))?;
    let bytes = bytes.ok_or_else(|| resources::unknown(context, uri))?;
    let mime_type = opened.media_type.word();
    let is_text = matches!(opened.media_type, MediaType::Text | MediaType::Csv);
    Ok(done(match std::str::from_utf8(&bytes) {
        Ok(text) if is_text => responder.resource(uri, mime_type, text),
        _ => responder.blob(uri, mime_type, &bytes),
    }))
}

async fn scaled(
    context: &RequestContext<'_>,
    uri: &str,
    opened: &OpenedFile,
) -> Result<axum::body::Bytes, Answer> {
    let account = context.auth.authenticated().and_then(|it| it.account);
    let account = account.ok_or_else(|| resources::unknown(context, uri))?;
    let (shared, tenant) = (context.shared, account.number);
    let scaled = picture(shared, opened, tenant, PictureSize::Model, context.deadline).await;
    scaled.map_err(|reason| match reason {
        NoPicture::None => {
            refused(&unreadable(context, opened, "it is broken or has too many pixels"))
        }
        NoPicture::Missing => resources::unknown(context, uri),
        NoPicture::Busy => overloaded(context.request.reply_to()),
        NoPicture::Store(error) => store_failed(context, &error),
    })
}

/// A file that models cannot read here.
fn unreadable(context: &RequestContext<'_>, opened: &OpenedFile, why: &str) -> Refusal {
    let id = opened.id;
    context.request.reply_to().invalid_params(&format!(
        "this file cannot be read as a resource, because {why}; ask the person to open /files/{id} at this server"
    ))
}

/// The answer when the file store fails. The cause is for the operator.
fn store_failed(context: &RequestContext<'_>, error: &object_store::Error) -> Answer {
    tracing::error!(request_id = context.request_id, %error, "the file store failed");
    unavailable(context.request.reply_to())
}
