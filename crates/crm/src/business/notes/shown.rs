//! Notes as tools show them: with the names of the people they concern.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Row;

use super::Note;
use crate::business::customers;
use crate::call::error::Result;
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

/// A note as shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShownNote {
    /// The note.
    #[serde(flatten)]
    pub note: Note,
    /// The people that it concerns.
    #[serde(flatten)]
    pub names: Names,
}

/// The names that a note is shown with. They are read with the note and not stored with it, so they are current.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Names {
    /// The author's name in this account.
    pub created_by_name: Option<String>,
    /// The customer that it is about or that its subject belongs to; null if standalone.
    pub customer_id: Option<Id<kinds::Customer>>,
    /// That customer's name; null if standalone.
    pub customer_name: Option<String>,
    /// Whether it may have files, which must then be read.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) has_files: bool,
}

impl ShownNote {
    /// Reads the columns of `store::SHOWN`.
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { note: Note::read(row)?, names: Names::read(row)? })
    }
}

impl Names {
    /// Reads the columns of `store::NAMES`.
    pub(super) fn read(row: &mut Row<'_>) -> Result<Self> {
        let created_by_name = row.take()?;
        let customer_id: Option<Id<kinds::Customer>> = row.take()?;
        let name = customers::store::name(row)?;
        let customer_name = customer_id.map(|_| name);
        let has_files = row.take()?;
        Ok(Self { created_by_name, customer_id, customer_name, has_files })
    }
}
