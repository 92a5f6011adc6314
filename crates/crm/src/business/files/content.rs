//! Recognizes the type of a file by its content, piece by piece as it arrives. The name that it was sent with does not
//! matter.

use super::MediaType;

/// The beginning of a file that is kept to recognize it, in bytes. The size of a photo can be behind a thumbnail.
const HEAD: usize = 256 * 1024;
/// A mark can be cut by the end of a piece, so as many bytes are searched again with the next one.
const LONGEST_MARK: usize = 64;
/// How many lines show whether a text is a table.
const CSV_LINES: usize = 10;

/// The content is of no type that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unaccepted;

/// What is known of a whole file by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognized {
    /// Its type.
    pub media_type: MediaType,
    /// The width and the height of an image in pixels, if they are known.
    pub dimensions: Option<(u32, u32)>,
}

/// The content of a file so far.
#[derive(Debug, Default)]
pub struct Content {
    head: Vec<u8>,
    family: Option<Family>,
}

/// What the first bytes say.
#[derive(Debug)]
enum Family {
    /// The type is certain.
    Certain(MediaType),
    /// A text, as long as no byte is a control character.
    Text,
    /// A container of Office. Its kind is known by what it contains.
    Office(Marks),
}

/// What was found in a container of Office.
#[derive(Debug)]
struct Marks {
    known: &'static [(&'static [u8], Mark)],
    found: Vec<Mark>,
    /// The end of the last piece.
    tail: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The container is of this type.
    Is(MediaType),
    /// It follows the format, which other containers do not.
    IsOffice,
    /// It contains macros.
    HasMacros,
}

/// The names of parts in a ZIP file. They are also in the list at its end, which is never compressed.
const ZIP: &[(&[u8], Mark)] = &[
    (b"[Content_Types].xml", Mark::IsOffice),
    (b"word/document", Mark::Is(MediaType::Word)),
    (b"xl/workbook", Mark::Is(MediaType::Excel)),
    (b"ppt/presentation", Mark::Is(MediaType::PowerPoint)),
    (b"vbaProject.bin", Mark::HasMacros),
];

/// The names of streams in a compound file, in UTF-16.
const COMPOUND: &[(&[u8], Mark)] = &[
    (b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0", Mark::Is(MediaType::OldWord)),
    (b"W\0o\0r\0k\0b\0o\0o\0k\0", Mark::Is(MediaType::OldExcel)),
    (b"P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c\0", Mark::Is(MediaType::OldPowerPoint)),
    (b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", Mark::HasMacros),
];

impl Content {
    /// Takes the next piece.
    ///
    /// # Errors
    /// The content is of no type that is accepted, whatever follows.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Unaccepted> {
        let before = self.head.len();
        let room = HEAD - before;
        self.head.extend_from_slice(&piece[..piece.len().min(room)]);
        if self.family.is_none() && self.head.len() >= ENOUGH {
            self.family = Some(family(&self.head)?);
            // The few bytes before this piece were not looked at yet. The piece itself can be longer than the head.
            let unseen = self.head[..before].to_vec();
            self.see(&unseen)?;
        }
        self.see(piece)
    }

    /// Looks at a piece with what is known of the family.
    fn see(&mut self, piece: &[u8]) -> Result<(), Unaccepted> {
        match &mut self.family {
            Some(Family::Text) if piece.iter().any(|byte| is_control(*byte)) => Err(Unaccepted),
            Some(Family::Office(marks)) => {
                marks.search(piece);
                Ok(())
            }
            None | Some(Family::Text | Family::Certain(_)) => Ok(()),
        }
    }

    /// Recognizes the whole file, whose pieces have all been pushed.
    ///
    /// # Errors
    /// The content is of no type that is accepted.
    pub fn recognize(mut self) -> Result<Recognized, Unaccepted> {
        if self.family.is_none() {
            self.family = Some(family(&self.head)?);
            let head = std::mem::take(&mut self.head);
            self.see(&head)?;
            self.head = head;
        }
        let media_type = match self.family {
            Some(Family::Certain(media_type)) => media_type,
            Some(Family::Office(marks)) => marks.media_type()?,
            Some(Family::Text) | None => text(&self.head)?,
        };
        let dimensions = media_type.is_image().then(|| dimensions(&self.head)).flatten();
        Ok(Recognized { media_type, dimensions })
    }
}

/// How many bytes say what the family is.
const ENOUGH: usize = 16;

fn family(head: &[u8]) -> Result<Family, Unaccepted> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let has_at = |at: usize, words: &[&[u8]]| {
        head.get(at..).is_some_and(|rest| words.iter().any(|word| rest.starts_with(word)))
    };
    let certain = |media_type| Ok(Family::Certain(media_type));
    let office = |known| Ok(Family::Office(Marks { known, found: Vec::new(), tail: Vec::new() }));
    match head {
        [] => Err(Unaccepted),
        _ if starts(b"\xff\xd8\xff") => certain(MediaType::Jpeg),
        _ if starts(b"\x89PNG\r\n\x1a\n") => certain(MediaType::Png),
        _ if starts(b"GIF87a") || starts(b"GIF89a") => certain(MediaType::Gif),
        _ if starts(b"RIFF") && has_at(8, &[b"WEBP"]) => certain(MediaType::Webp),
        _ if has_at(4, &[b"ftyp"])
            && has_at(8, &[b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"]) =>
        {
            certain(MediaType::Heic)
        }
        _ if starts(b"%PDF-") => certain(MediaType::Pdf),
        _ if starts(b"PK\x03\x04") => office(ZIP),
        _ if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => office(COMPOUND),
        _ if head.iter().any(|byte| is_control(*byte)) => Err(Unaccepted),
        _ => Ok(Family::Text),
    }
}

/// Whether a byte is a control character that no text contains.
const fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)
}

impl Marks {
    fn search(&mut self, piece: &[u8]) {
        let whole = [self.tail.as_slice(), piece].concat();
        for (mark, means) in self.known {
            if !self.found.contains(means) && memchr::memmem::find(&whole, mark).is_some() {
                self.found.push(*means);
            }
        }
        self.tail = whole[whole.len().saturating_sub(LONGEST_MARK)..].to_vec();
    }

    fn media_type(&self) -> Result<MediaType, Unaccepted> {
        let needs_format = self.known.iter().any(|(_, means)| *means == Mark::IsOffice);
        let has = |mark| self.found.contains(&mark);
        if has(Mark::HasMacros) || needs_format && !has(Mark::IsOffice) {
            return Err(Unaccepted);
        }
        // A document can embed a table or slides, so the order of the marks matters.
        let of_known = |(_, means): &(&[u8], Mark)| match *means {
            Mark::Is(media_type) if has(Mark::Is(media_type)) => Some(media_type),
            _ => None,
        };
        self.known.iter().find_map(of_known).ok_or(Unaccepted)
    }
}

/// The type of a text, by its head: a page or a script is not accepted, even as text.
fn text(head: &[u8]) -> Result<MediaType, Unaccepted> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = head.to_ascii_lowercase();
    let has = |words: &[u8]| memchr::memmem::find(&lower, words).is_some();
    let is_page = lower.starts_with(b"<")
        || [&b"<script"[..], b"<html", b"<svg", b"<!doctype"].into_iter().any(has);
    if head.is_empty() || is_page || lower.starts_with(b"#!") {
        return Err(Unaccepted);
    }
    let is_table = [b',', b';', b'\t'].into_iter().any(|separator| is_csv(head, separator));
    Ok(if is_table { MediaType::Csv } else { MediaType::Text })
}

/// Whether the first lines all have the same number of separators, and at least one.
fn is_csv(head: &[u8], separator: u8) -> bool {
    let mut counts = Vec::new();
    let (mut count, mut is_quoted, mut has_content) = (0, false, false);
    for byte in head.iter().chain(b"\n") {
        match *byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => {
                if has_content {
                    counts.push(count);
                }
                (count, has_content) = (0, false);
                if counts.len() == CSV_LINES {
                    break;
                }
            }
            it if it == separator && !is_quoted => count += 1,
            b'\r' => {}
            _ => has_content = true,
        }
    }
    counts.len() >= 2 && counts[0] > 0 && counts.iter().all(|it| *it == counts[0])
}

fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(head).ok()?;
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognize(content: &[u8], piece: usize) -> Option<MediaType> {
        let mut whole = Content::default();
        for piece in content.chunks(piece) {
            whole.push(piece).ok()?;
        }
        whole.recognize().ok().map(|it| it.media_type)
    }

    #[test]
    fn a_type_is_recognized_by_content_however_it_arrives() {
        let compound = |name: &str| {
            let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
            bytes.extend([0; 600]);
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes
        };
        let zip = |names: &[&str]| format!("PK\x03\x04{}", names.join("..........")).into_bytes();
        let types = "[Content_Types].xml";
        for (content, expected) in [
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0rest of it".to_vec(), Some(MediaType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Some(MediaType::Png)),
            (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), Some(MediaType::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 \0\0\0\0".to_vec(), Some(MediaType::Webp)),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), Some(MediaType::Heic)),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3".to_vec(), Some(MediaType::Pdf)),
            (b"Gate code 4711\n".to_vec(), Some(MediaType::Text)),
            ("Müller, Zürich\nGrüße\n".into(), Some(MediaType::Text)),
            (b"name,city\nAnn,\"Oak, land\"\n".to_vec(), Some(MediaType::Csv)),
            (b"name;city\r\nAnn;Oakland\r\n".to_vec(), Some(MediaType::Csv)),
            (zip(&[types, "word/document.xml", "xl/workbook"]), Some(MediaType::Word)),
            (zip(&["xl/workbook.xml", types]), Some(MediaType::Excel)),
            (zip(&[types, "ppt/presentation.xml"]), Some(MediaType::PowerPoint)),
            (compound("WordDocument"), Some(MediaType::OldWord)),
            (compound("Workbook"), Some(MediaType::OldExcel)),
            (compound("PowerPoint Document"), Some(MediaType::OldPowerPoint)),
            (b"".to_vec(), None),
            (b" \n".to_vec(), None),
            (b"<html><script>alert(1)</script>".to_vec(), None),
            (b"\xef\xbb\xbf \n<!DOCTYPE html><title>A page</title>".to_vec(), None),
            (b"A text with a <SCRIPT src=x>".to_vec(), None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), None),
            (b"<?xml version='1.0'?><svg/>".to_vec(), None),
            (b"#!/bin/sh\nrm -rf /\n".to_vec(), None),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0".to_vec(), None),
            (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff".to_vec(), None),
            (b"text at first, and then \0 follows".to_vec(), None),
            (zip(&["META-INF/MANIFEST.MF", "Main.class"]), None),
            (zip(&[types, "word/document.xml", "word/vbaProject.bin"]), None),
            (compound("__substg1.0_0037001F"), None),
        ] {
            for piece in [1, 7, 4096] {
                let shown = String::from_utf8_lossy(&content);
                assert_eq!(recognize(&content, piece), expected, "{shown:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_first_piece_that_is_longer_than_the_head_is_looked_at_to_its_end() {
        let filler = "x".repeat(HEAD);
        let end = |beginning: &str, end: &[u8]| {
            recognize(&[beginning.as_bytes(), filler.as_bytes(), end].concat(), usize::MAX)
        };
        let document = "PK\x03\x04[Content_Types].xml";
        assert_eq!(end("", b"end"), Some(MediaType::Text));
        assert_eq!(end("", b"\0"), None);
        assert_eq!(end(document, b"word/document.xml"), Some(MediaType::Word));
        assert_eq!(end(document, b"word/document.xml, vbaProject.bin"), None);
    }

    #[test]
    fn the_size_of_an_image_is_read_from_its_head() {
        let mut content = Content::default();
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0";
        content.push(png).expect("an image");
        let recognized = content.recognize().expect("an image");
        assert_eq!(recognized.dimensions, Some((640, 480)));
    }
}
