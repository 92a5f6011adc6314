//! `manifest.json`: what an export is and what is in it, and `README.txt`, which says the same to a person.

use serde::{Deserialize, Serialize};

use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

/// The number of the format. A version that writes another format has a greater number, and still reads this one.
pub const FORMAT: u32 = 3;

/// The name of the manifest in an export. It is written last, so that an export without it is known to be incomplete.
pub const NAME: &str = "manifest.json";

/// What an export is, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The number of the format.
    pub format: u32,
    /// The program that wrote it, with its version.
    pub product: String,
    /// The moment of the snapshot.
    pub taken_at: Moment,
    /// The business.
    pub business: Business,
    /// The files, except the manifest itself.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Whether the export has a file with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }
}

/// The business that an export is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    /// Its id.
    pub id: Id<kinds::Tenant>,
    /// Its name.
    pub name: String,
    /// Its country, ISO 3166-1.
    pub country: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its ISO 4217 currency.
    pub currency: String,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name, with `/` between folders.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The number of its rows, without the header; for a file of cards, the number of cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

/// What a file of an export is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It is read when the account is brought back.
    Data,
    /// It is for people and other programs.
    Information,
}

impl Manifest {
    /// The file's text.
    pub fn text(&self) -> String {
        // A value of these types can always be serialized.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The text of `README.txt`.
pub(super) fn read_me(business: &str) -> String {
    format!(
        "This folder has everything that {business} has stored.\n\n\
         tables/       Lists for a spreadsheet: customers, contacts, locations, notes, tags,\n\
         \x20             tax rates, catalog items, quotes and changes.\n\
         contacts.vcf  The contacts, for an address book on a phone or computer.\n\
         files/        The photos and documents on notes, each in a folder named by its id.\n\
         data/         The same records, complete and exact, one JSON object a line. The program reads these\n              \
         files to bring the account back.\n\
         columns.csv   What each column of each file is.\n\
         manifest.json The name, rows, size and SHA-256 checksum of each file.\n\n\
         In the lists, a text that a spreadsheet would run as a formula begins with an apostrophe ('). Remove one\n\
         apostrophe to get the text itself. Times are those of the clocks where the business is.\n\n\
         Passwords and keys are not in here: this folder opens nothing. But it has the personal data of all\n\
         customers. Store it as safely as the account itself, and delete it when you no longer need it.\n"
    )
}
