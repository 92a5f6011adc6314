//! How what is stored of a file is named in the store: by the ids of its tenant and its own, and by nothing of a caller's text.

use object_store::path::Path;
use zoop_crm::business::files::inventory::Kept;
use zoop_crm::business::files::tools::open::OpenedFile;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Timestamp;

use super::pictures::PictureSize;

/// The key of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) tenant: Id<kinds::Tenant>,
    pub(crate) file: Id<kinds::File>,
}

impl Key {
    pub(super) fn path(self) -> Path {
        self.path_of(Object::Content)
    }

    pub(super) fn path_of(self, object: Object) -> Path {
        let Self { tenant, file } = self;
        match object {
            Object::Content => Path::from(format!("{tenant}/{file}")),
            Object::Picture(size) => Path::from(format!("{tenant}/{file}{}", size.suffix())),
        }
    }
}

/// What is stored of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// Its content.
    Content,
    /// A smaller copy of a picture.
    Picture(PictureSize),
}

impl Object {
    /// The file and the object that have this name.
    pub(super) fn parse(name: &str) -> Option<(Id<kinds::File>, Self)> {
        if let Some(file) = Id::parse(name) {
            return Some((file, Self::Content));
        }
        PictureSize::ALL.into_iter().find_map(|size| {
            let file = name.strip_suffix(size.suffix())?;
            Some((Id::parse(file)?, Self::Picture(size)))
        })
    }
}

impl From<&OpenedFile> for Key {
    fn from(opened: &OpenedFile) -> Self {
        Self { tenant: opened.tenant, file: opened.id }
    }
}

impl From<&Kept> for Key {
    fn from(kept: &Kept) -> Self {
        Self { tenant: kept.tenant, file: kept.file }
    }
}

/// An object that is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) file: Id<kinds::File>,
    pub(super) object: Object,
    /// Its size in bytes.
    pub(super) size: u64,
    /// When it was stored, by the clock of the bucket. A folder does not say: a copy of a file is as new as the copying.
    pub(super) since: Option<Timestamp>,
}
