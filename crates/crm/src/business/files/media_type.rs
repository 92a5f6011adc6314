//! The types of file that are accepted.

use super::content::Unaccepted;

crate::call::argument::choices! {
    /// A type of file that is accepted.
    pub enum MediaType {
        /// A photo.
        Jpeg = "image/jpeg",
        /// An image.
        Png = "image/png",
        /// An image.
        Webp = "image/webp",
        /// An image.
        Gif = "image/gif",
        /// A photo of a phone.
        Heic = "image/heic",
        /// A document.
        Pdf = "application/pdf",
        /// Text.
        Text = "text/plain",
        /// A table as text.
        Csv = "text/csv",
        /// A document of Word.
        Word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        /// A table of Excel.
        Excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        /// Slides.
        PowerPoint = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        /// A document of Word before 2007.
        OldWord = "application/msword",
        /// A table of Excel before 2007.
        OldExcel = "application/vnd.ms-excel",
        /// Slides before 2007.
        OldPowerPoint = "application/vnd.ms-powerpoint",
    }
}

impl MediaType {
    /// Whether a browser shows it by itself, as an image or a PDF.
    pub const fn is_shown(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp | Self::Gif | Self::Heic | Self::Pdf)
    }

    /// Whether it is an image.
    pub const fn is_image(self) -> bool {
        self.is_shown() && !matches!(self, Self::Pdf)
    }
}

impl Unaccepted {
    /// What is accepted, for the person who sent the file.
    pub const TEXT: &'static str = "The content of this file is not of a type that is accepted: JPEG, PNG, WebP, GIF, \
        HEIC, PDF, plain text, CSV, Word, Excel or PowerPoint without macros.";
}
