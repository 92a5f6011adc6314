//! [`FormReader`]: reads a form piece by piece. It holds hardly more than one piece of the body at a time, whatever is
//! sent: the head of a part is short, and the content of a part is handed on as it arrives.
//!
//! Source: RFC 7578; RFC 2046, 5.1.1.

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use memchr::memmem::find;

use super::disposition;
use super::parts::PartFault;

/// Maximum length of the head of a part, and of what is before the first part, in bytes.
const MAX_HEAD: usize = 8 * 1024;
/// Maximum length of a boundary.
const MAX_BOUNDARY: usize = 70;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The boundary of the form that the headers announce, if they announce one.
pub(super) fn boundary(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = header.split(';').next().unwrap_or_default().trim();
    let boundary = disposition::parameter(header, "boundary")?;
    let is_form = media_type.eq_ignore_ascii_case("multipart/form-data")
        && (1..=MAX_BOUNDARY).contains(&boundary.len());
    is_form.then_some(boundary)
}

/// A form that is being read.
pub(crate) struct FormReader {
    body: Body,
    /// How much more of the body may follow, in bytes.
    left: u64,
    /// What has arrived.
    buffer: Vec<u8>,
    /// Where in it begins what was not handed on yet.
    start: usize,
    /// What is between two parts.
    delimiter: Vec<u8>,
    /// Whether the content of a part, or what is before the first part, was not read to its end yet.
    is_within: bool,
}

/// The head of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The name of the form's field.
    pub(super) name: String,
    /// The name of the file, if it is one.
    pub(super) file_name: Option<String>,
}

impl FormReader {
    pub(super) fn new(body: Body, boundary: &str, limit: u64) -> Self {
        // With these bytes, the first delimiter looks like all others.
        let buffer = b"\r\n".to_vec();
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Self { body, left: limit, buffer, start: 0, delimiter, is_within: true }
    }

    /// The body, of which some is read already.
    pub(super) fn into_body(self) -> Body {
        self.body
    }

    /// The head of the next part. The content of the part before must have been read to its end.
    pub(super) async fn next(&mut self) -> Result<Option<Head>, PartFault> {
        let mut before = 0;
        while let Some(piece) = self.piece().await? {
            before += piece.len();
            if before > MAX_HEAD {
                return Err(PartFault::Broken);
            }
        }
        let end = loop {
            if self.rest().starts_with(b"--") {
                return Ok(None);
            }
            match find(self.rest(), END_OF_HEAD) {
                Some(end) if end <= MAX_HEAD => break end,
                None if self.rest().len() <= MAX_HEAD => self.fill().await?,
                _ => return Err(PartFault::Broken),
            }
        };
        let head = self.take(end + END_OF_HEAD.len());
        self.is_within = true;
        head_of(&head[..end]).map(Some)
    }

    /// The next piece of the content of a part. `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, PartFault> {
        while self.is_within {
            if let Some(at) = find(self.rest(), &self.delimiter) {
                if at > 0 {
                    return Ok(Some(self.take(at)));
                }
                self.take(self.delimiter.len());
                self.is_within = false;
                break;
            }
            // The end of the buffer may be the beginning of a delimiter.
            let certain = (self.rest().len() + 1).saturating_sub(self.delimiter.len());
            if certain > 0 {
                return Ok(Some(self.take(certain)));
            }
            self.fill().await?;
        }
        Ok(None)
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn take(&mut self, count: usize) -> Bytes {
        let taken = Bytes::copy_from_slice(&self.rest()[..count]);
        self.start += count;
        taken
    }

    /// Reads the next piece of the body into the buffer.
    async fn fill(&mut self) -> Result<(), PartFault> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| PartFault::Broken)?;
            let Ok(piece) = frame.into_data() else { continue };
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(length).ok_or(PartFault::TooLarge)?;
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.extend_from_slice(&piece);
            return Ok(());
        }
        Err(PartFault::Broken)
    }
}

/// The head of a part: the rest of the line of the delimiter, and header lines.
fn head_of(head: &[u8]) -> Result<Head, PartFault> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    if !lines.next().unwrap_or_default().trim().is_empty() {
        return Err(PartFault::Broken);
    }
    let headers = lines.filter_map(|line| line.split_once(':'));
    let is_named =
        |(name, _): &(&str, &str)| name.trim().eq_ignore_ascii_case("content-disposition");
    let found = headers.map(|(name, value)| (name, value.trim())).find(is_named);
    let disposition = found.map(|(_, value)| value).unwrap_or_default();
    Ok(Head {
        name: disposition::parameter(disposition, "name").unwrap_or_default(),
        // A browser sends an empty name if no file was chosen.
        file_name: disposition::name(disposition).filter(|name| !name.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    type Read = Vec<(Head, Vec<u8>)>;

    /// The parts of a form that arrives in pieces of this length.
    fn read(form: &[u8], piece: usize) -> Result<Read, PartFault> {
        let pieces: Vec<_> = form
            .chunks(piece)
            .map(|it| Ok::<_, std::io::Error>(Bytes::copy_from_slice(it)))
            .collect();
        let mut reader = FormReader::new(Body::from_stream(stream::iter(pieces)), "zoop", 1 << 20);
        let all = async {
            let mut parts = Vec::new();
            while let Some(head) = reader.next().await? {
                let mut content = Vec::new();
                while let Some(piece) = reader.piece().await? {
                    content.extend_from_slice(&piece);
                }
                parts.push((head, content));
            }
            Ok(parts)
        };
        all.now_or_never().expect("everything has arrived")
    }

    fn head(name: &str, file_name: Option<&str>) -> Head {
        Head { name: name.to_owned(), file_name: file_name.map(str::to_owned) }
    }

    #[test]
    fn a_form_is_read_however_it_arrives() {
        let form = b"A preamble\r\n--zoop \r\ncontent-disposition: form-data; name=\"business\"\r\n\r\nAcme\r\n\
            --zoop\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\
            \r\n\r\nOne\r\n--zoo\r\r\nTwo\r\n--zoop\r\n\r\n\r\n--zoop\r\nContent-Disposition: form-data; \
            name=\"file\"; filename=\"\"\r\n\r\n\r\n--zoop--\r\nAn epilogue";
        for piece in 1..form.len() {
            let parts = read(form, piece).expect("a form");
            assert_eq!(
                parts,
                [
                    (head("business", None), b"Acme".to_vec()),
                    (head("file", Some("a.txt")), b"One\r\n--zoo\r\r\nTwo".to_vec()),
                    (head("", None), Vec::new()),
                    (head("file", None), Vec::new()),
                ],
                "in pieces of {piece}"
            );
        }
    }

    #[test]
    fn what_is_no_form_is_not_read() {
        let long = "a".repeat(MAX_HEAD + 1);
        for form in [
            "",
            "no form",
            "--zoop",
            "--zoop\r\n\r\ncut",
            "--zoop\r\nContent-Disposition: form-data\r\n",
            "--zoopa\r\n\r\n\r\n--zoop--",
            &format!("{long}\r\n--zoop--"),
            &format!("--zoop\r\nX: {long}\r\n\r\n\r\n--zoop--"),
        ] {
            for piece in [1, 100, form.len().max(1)] {
                read(form.as_bytes(), piece).expect_err(form);
            }
        }
        assert_eq!(read(b"--zoop--", 3).expect("an empty form"), []);
    }

    #[test]
    fn only_a_form_has_a_boundary() {
        let of = |media_type: &str| {
            let value = media_type.parse().expect("a header");
            boundary(&HeaderMap::from_iter([(CONTENT_TYPE, value)]))
        };
        assert_eq!(of("multipart/form-data; boundary=zoop").as_deref(), Some("zoop"));
        assert_eq!(of("Multipart/Form-Data; x; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(of("multipart/form-data"), None);
        assert_eq!(of("multipart/form-data; boundary="), None);
        assert_eq!(of(&format!("multipart/form-data; boundary={}", "a".repeat(71))), None);
        assert_eq!(of("text/plain; boundary=zoop"), None);
    }
}
