//! The files in the body of an upload: one as the body itself, or several in a form.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_DISPOSITION;
use http_body_util::BodyExt;
use zoop_crm::business::files::{FileName, MAX_BYTES, MAX_FILES};

use super::disposition;
use super::form::{self, FormReader};

/// What a form adds to its files, in bytes: what is between them, and the other fields.
const FORM_BYTES: u64 = 1024 * 1024;
/// What of that the other fields may be together, with their heads.
const FIELD_BYTES: usize = 64 * 1024;
/// What the head of a field counts at least.
const HEAD_BYTES: usize = 64;

/// The maximum length of a body with one file, or with a form.
pub(crate) const fn limit(is_form: bool) -> u64 {
    if is_form { MAX_BYTES as u64 * MAX_FILES as u64 + FORM_BYTES } else { MAX_BYTES as u64 }
}

/// The body of an upload.
pub(crate) struct Parts {
    /// The length that its head says, in bytes.
    pub(crate) announced: Option<u64>,
    files: Files,
}

/// The files of a body.
enum Files {
    /// The body is the file, with its name. `None` when it was taken.
    One(Option<FileName>, Body),
    /// The body is a form.
    Form(FormParts),
}

/// The files of a form.
struct FormParts {
    reader: FormReader,
    /// The name of the file that comes next, if its head was read already.
    next: Option<FileName>,
    /// How long the fields may be that are not files.
    left: usize,
}

/// Why the body cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartFault {
    /// The body is longer than its limit.
    TooLarge,
    /// The client disconnected, or the body is not what its headers say.
    Broken,
}

/// The content of a file of the body.
pub(crate) enum Part<'a> {
    Body(&'a mut Body),
    Field(&'a mut FormReader),
}

/// Whether the body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    form::boundary(headers).is_some()
}

impl Parts {
    pub(crate) fn new(headers: &HeaderMap, body: Body) -> Self {
        let announced = body.size_hint().exact();
        let files = match form::boundary(headers) {
            Some(boundary) => {
                let reader = FormReader::new(body, &boundary, limit(true));
                Files::Form(FormParts { reader, next: None, left: FIELD_BYTES })
            }
            None => Files::One(Some(name(headers)), body),
        };
        Self { announced, files }
    }

    /// The most that the client may send, in bytes.
    pub(crate) fn most(&self) -> u64 {
        self.announced.unwrap_or(limit(matches!(self.files, Files::Form(_))))
    }

    /// The parts of a form whose other fields may have so many bytes.
    pub(crate) fn with_fields_of(headers: &HeaderMap, body: Body, bytes: usize) -> Self {
        let mut parts = Self::new(headers, body);
        if let Files::Form(form) = &mut parts.files {
            form.left = bytes;
        }
        parts
    }

    /// Whether a file comes next. Of a form, the fields before it must have been read.
    pub(crate) fn has_file(&self) -> bool {
        match &self.files {
            Files::One(name, _) => name.is_some(),
            Files::Form(form) => form.next.is_some(),
        }
    }

    /// The fields of a form before its first file, as names and values.
    pub(crate) async fn fields(&mut self) -> Result<Vec<(String, String)>, PartFault> {
        match &mut self.files {
            Files::One(..) => Ok(Vec::new()),
            Files::Form(form) => form.fields().await,
        }
    }

    /// The next file, with its name. Fields of a form that are not files are skipped.
    pub(crate) async fn next(&mut self) -> Result<Option<(FileName, Part<'_>)>, PartFault> {
        match &mut self.files {
            Files::One(name, body) => Ok(name.take().map(|name| (name, Part::Body(body)))),
            Files::Form(form) => {
                form.fields().await?;
                Ok(form.next.take().map(|name| (name, Part::Field(&mut form.reader))))
            }
        }
    }

    /// Drops a piece of the file that was taken last, and returns its length; none at the file's end.
    pub(super) async fn skip(&mut self) -> Result<Option<usize>, PartFault> {
        match &mut self.files {
            Files::One(..) => Ok(None),
            Files::Form(form) => Ok(form.reader.piece().await?.map(|piece| piece.len())),
        }
    }

    /// Reads and drops the rest, so that a client that sends before it reads sees the answer. Returns whether that was
    /// all.
    pub(crate) async fn drain(self) -> bool {
        match self.files {
            Files::One(_, body) => drain(body, limit(false)).await,
            Files::Form(form) => drain(form.reader.into_body(), limit(true)).await,
        }
    }
}

impl FormParts {
    /// The fields before the next file, whose head is read too.
    async fn fields(&mut self) -> Result<Vec<(String, String)>, PartFault> {
        let mut fields = Vec::new();
        while self.next.is_none() {
            let Some(head) = self.reader.next().await? else { break };
            if let Some(name) = head.file_name {
                self.next = Some(FileName::of(&name));
                break;
            }
            self.count(HEAD_BYTES + head.name.len())?;
            let mut value = Vec::new();
            while let Some(piece) = self.reader.piece().await? {
                self.count(piece.len())?;
                value.extend_from_slice(&piece);
            }
            fields.push((head.name, String::from_utf8_lossy(&value).into_owned()));
        }
        Ok(fields)
    }

    fn count(&mut self, bytes: usize) -> Result<(), PartFault> {
        self.left = self.left.checked_sub(bytes).ok_or(PartFault::TooLarge)?;
        Ok(())
    }
}

/// Reads and drops at most `left` bytes of a body. Returns whether that was all of it.
pub(super) async fn drain(mut body: Body, mut left: u64) -> bool {
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
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, PartFault> {
        match self {
            Self::Field(reader) => reader.piece().await,
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

/// The name in the headers of a file.
fn name(headers: &HeaderMap) -> FileName {
    let header = headers.get(CONTENT_DISPOSITION).map(|it| String::from_utf8_lossy(it.as_bytes()));
    let name = header.and_then(|header| disposition::name(&header));
    FileName::of(&name.unwrap_or_default())
}
