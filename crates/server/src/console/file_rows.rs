//! The files of a note as pages show them, and what the forms say that add some.

use zoop_crm::business::files::{Attachment, MAX_BYTES, MAX_FILES, MediaType};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::size::Size;

use super::{links, words};

/// What a browser offers to choose. HEIC is accepted but not offered: phones then send their photos as JPEG, which every
/// browser shows. What a file is, its content decides.
const OFFERED: &str =
    "image/jpeg,image/png,image/webp,image/gif,.pdf,.txt,.csv,.docx,.xlsx,.pptx,.doc,.xls,.ppt";

/// What the forms that add files say about them.
pub(super) struct FileLimits {
    pub(super) offered: &'static str,
    pub(super) files: u32,
    pub(super) bytes: u32,
}

impl FileLimits {
    pub(super) const fn of_notes() -> Self {
        Self { offered: OFFERED, files: MAX_FILES, bytes: MAX_BYTES }
    }

    pub(super) fn size(&self) -> Size {
        Size(u64::from(self.bytes))
    }
}

/// A file of a note.
pub(super) struct FileRow {
    pub(super) name: String,
    /// What it is.
    pub(super) kind: &'static str,
    /// The same in a few letters, where there is no picture.
    pub(super) letters: &'static str,
    pub(super) size: Size,
    pub(super) address: String,
    /// Whether a browser shows it by itself.
    pub(super) is_shown: bool,
    /// A small picture of it, if it can have one.
    pub(super) thumbnail: Option<String>,
    /// The page that asks before it is removed, for those who may remove it.
    pub(super) remove: Option<String>,
}

impl FileRow {
    /// A file that the user may not remove.
    pub(super) fn of(file: Attachment) -> Self {
        let (kind, letters) = words::file_type(file.r#type);
        let has_picture = file.r#type.is_image() && file.r#type != MediaType::Heic;
        Self {
            kind,
            letters,
            size: Size(file.size),
            is_shown: file.r#type.is_shown(),
            thumbnail: has_picture.then(|| links::thumbnail(file.id)),
            address: file.url,
            name: file.name,
            remove: None,
        }
    }

    /// A file on a note that the user may change, on a page of this business and, if it is one, of this customer.
    pub(super) fn removable(
        file: Attachment,
        note: Id<kinds::Note>,
        business: &str,
        customer: &str,
    ) -> Self {
        let fields = [("business", business), ("customer", customer)];
        let remove = links::with_query(&links::file_removal(note, file.id), &fields);
        Self { remove: Some(remove), ..Self::of(file) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_type_but_heic_is_offered() {
        let offered: Vec<_> = OFFERED.split(',').collect();
        for media_type in MediaType::ALL {
            let ending = match media_type {
                MediaType::Pdf => ".pdf",
                MediaType::Text => ".txt",
                MediaType::Csv => ".csv",
                MediaType::Word => ".docx",
                MediaType::Excel => ".xlsx",
                MediaType::PowerPoint => ".pptx",
                MediaType::OldWord => ".doc",
                MediaType::OldExcel => ".xls",
                MediaType::OldPowerPoint => ".ppt",
                image => image.word(),
            };
            assert_eq!(offered.contains(&ending), *media_type != MediaType::Heic, "{ending}");
        }
        assert_eq!(offered.len(), MediaType::ALL.len() - 1);
    }
}
