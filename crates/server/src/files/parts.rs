//! The files in the body of an upload: one as the body itself, or several in a form.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body_util::BodyExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use zoop_crm::business::files::{FileName, MAX_BYTES, MAX_FILES};

use super::disposition;

/// What a form adds to its files, in bytes.
const FORM_BYTES: u64 = 1024 * 1024;

/// The maximum length of a body with one file, or with a form.
pub(super) const fn limit(is_form: bool) -> u64 {
    if is_form { MAX_BYTES as u64 * MAX_FILES as u64 + FORM_BYTES } else { MAX_BYTES as u64 }
}

/// The body of an upload.
pub(super) enum Parts {
    /// The body is the file, with its name. `None` when it was taken.
    One(Option<FileName>, Body),
    /// The body is a form.
    Form(Multipart<'static>),
}

/// Why the body cannot be read on.
#[derive(Debug)]
pub(super) enum PartFault {
    /// The body is longer than its limit.
    TooLarge,
    /// The client disconnected, or the body is not what its headers say.
    Broken,
}

/// One file of the body.
pub(super) enum Part<'a> {
    Body(&'a mut Body),
    Field(Box<Field<'static>>),
}

/// Whether the body is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    boundary(headers).is_some()
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

impl Parts {
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Self {
        match boundary(headers) {
            Some(boundary) => {
                let limits = SizeLimit::new().whole_stream(limit(true));
                let constraints = Constraints::new().size_limit(limits);
                let stream = body.into_data_stream();
                Self::Form(Multipart::with_constraints(stream, boundary, constraints))
            }
            None => Self::One(Some(name(headers)), body),
        }
    }

    /// The next file, with its name. Fields of a form that are not files are skipped.
    pub(super) async fn next(&mut self) -> Result<Option<(FileName, Part<'_>)>, PartFault> {
        match self {
            Self::One(name, body) => Ok(name.take().map(|name| (name, Part::Body(body)))),
            Self::Form(form) => {
                while let Some(field) = form.next_field().await.map_err(fault)? {
                    if field.file_name().is_some() {
                        return Ok(Some((name(field.headers()), Part::Field(Box::new(field)))));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Reads and drops the rest, so that a client that sends before it reads sees the answer. Returns whether that was
    /// all; a form is never read on.
    pub(super) async fn drain(self) -> bool {
        match self {
            Self::One(_, body) => drain(body).await,
            Self::Form(_) => false,
        }
    }
}

/// Reads and drops a body of a file. Returns whether that was all of it.
pub(super) async fn drain(mut body: Body) -> bool {
    let mut left = limit(false);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(u64::try_from(length).unwrap_or(u64::MAX)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    body.is_end_stream()
}

impl Part<'_> {
    /// The next piece of the content.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, PartFault> {
        match self {
            Self::Field(field) => field.chunk().await.map_err(fault),
            Self::Body(body) => {
                while let Some(frame) = body.frame().await {
                    if let Ok(piece) = frame.map_err(|_| PartFault::Broken)?.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Ok(None)
            }
        }
    }
}

fn fault(error: multer::Error) -> PartFault {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
            PartFault::TooLarge
        }
        _ => PartFault::Broken,
    }
}

/// The name in the headers of a file.
fn name(headers: &HeaderMap) -> FileName {
    let header = headers.get(CONTENT_DISPOSITION).map(|it| String::from_utf8_lossy(it.as_bytes()));
    let name = header.and_then(|header| disposition::name(&header));
    FileName::of(&name.unwrap_or_default())
}
