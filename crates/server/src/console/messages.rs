//! What a page says about what was just done, or about why it failed.

use axum::response::Response;
use zoop_crm::values::id::{Id, kinds};

use super::links;
use super::undo::Undo;
use crate::web::form::Form;
use crate::web::tenant_context::TenantContext;

/// The messages of the page.
#[derive(Default)]
pub(super) struct Messages<'a> {
    pub(super) done: &'a str,
    /// The name of the file that was removed.
    pub(super) removed: Option<String>,
    /// The button that undoes it.
    pub(super) undo: Option<Undo>,
    /// The action of the form that restores what was just archived, for who cannot undo.
    pub(super) restore: Option<String>,
    /// A tool's error.
    pub(super) fault: &'a str,
    /// The text of a note that was not added.
    pub(super) note: &'a str,
    /// The name of a tag that was not created.
    pub(super) tag: &'a str,
    /// Whether the form for tags stays open, for another one.
    pub(super) is_tagging: bool,
    /// Whether the message is shown beside the notes.
    pub(super) is_about_notes: bool,
}

/// Something that was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// The keyword in the URL of the page that says so.
    pub(super) word: &'static str,
    text: &'static str,
    pub(super) is_about_notes: bool,
    /// The segment of the path of the archived record, which can be restored at once.
    archived: Option<&'static str>,
}

pub(super) const NOTE_ADDED: Done = Done::about_notes("note", "The note was added.");
pub(super) const NOTE_SAVED: Done = Done::about_notes("note-saved", "The note was saved.");
pub(super) const NOTE_ARCHIVED: Done = Done {
    archived: Some("notes"),
    ..Done::about_notes("note-archived", "The note was archived. Lists and searches leave it out.")
};
pub(super) const NOTE_RESTORED: Done = Done::about_notes("note-restored", "The note was restored.");
pub(super) const FILES_ADDED: Done = Done::about_notes("files", "The files were added.");
pub(super) const FILE_REMOVED: Done = Done::about_notes("file-removed", "The file was removed.");
pub(super) const PINNED: Done = Done::about_notes("pinned", "The note is pinned.");
pub(super) const UNPINNED: Done = Done::about_notes("unpinned", "The note is no longer pinned.");
pub(super) const TAGGED: Done = Done::new("tagged", "The tag was attached.");
pub(super) const UNTAGGED: Done = Done::new("untagged", "The tag was detached.");
pub(super) const CREATED: Done = Done::new("created", "The customer was added.");
pub(super) const SAVED: Done = Done::new("saved", "The customer was saved.");
pub(super) const ARCHIVED: Done = Done::new("archived", "The customer was archived.");
pub(super) const RESTORED: Done = Done::new("restored", "The customer was restored.");
pub(super) const MERGED: Done = Done::new("merged", "The customers were merged.");
pub(super) const CONTACT_ADDED: Done = Done::new("contact-added", "The contact was added.");
pub(super) const CONTACT_SAVED: Done = Done::new("contact-saved", "The contact was saved.");
pub(super) const CONTACT_ARCHIVED: Done = Done {
    archived: Some("contacts"),
    ..Done::new("contact-archived", "The contact was archived.")
};
pub(super) const CONTACT_RESTORED: Done =
    Done::new("contact-restored", "The contact was restored.");
pub(super) const LOCATION_ADDED: Done = Done::new("location-added", "The location was added.");
pub(super) const LOCATION_SAVED: Done = Done::new("location-saved", "The location was saved.");
pub(super) const LOCATION_ARCHIVED: Done = Done {
    archived: Some("locations"),
    ..Done::new("location-archived", "The location was archived.")
};
pub(super) const LOCATION_RESTORED: Done =
    Done::new("location-restored", "The location was restored.");
pub(super) const UNDONE: Done = Done::new("undone", "The change was undone.");
const ALL: [Done; 24] = [
    UNDONE,
    NOTE_ADDED,
    NOTE_SAVED,
    NOTE_ARCHIVED,
    NOTE_RESTORED,
    FILES_ADDED,
    FILE_REMOVED,
    PINNED,
    UNPINNED,
    TAGGED,
    UNTAGGED,
    CREATED,
    SAVED,
    ARCHIVED,
    RESTORED,
    MERGED,
    CONTACT_ADDED,
    CONTACT_SAVED,
    CONTACT_ARCHIVED,
    CONTACT_RESTORED,
    LOCATION_ADDED,
    LOCATION_SAVED,
    LOCATION_ARCHIVED,
    LOCATION_RESTORED,
];

impl Done {
    const fn new(word: &'static str, text: &'static str) -> Self {
        Self { word, text, is_about_notes: false, archived: None }
    }

    const fn about_notes(word: &'static str, text: &'static str) -> Self {
        Self { is_about_notes: true, ..Self::new(word, text) }
    }

    /// The action of the form that restores the record that was archived.
    fn restore(self, record: &str, customer: Option<Id<kinds::Customer>>) -> Option<String> {
        match (self.archived?, customer) {
            ("notes", customer) => {
                let customer = customer.map(|id| id.to_string());
                Some(links::note_form(Id::parse(record)?, "restore", customer.as_deref()))
            }
            (segment, Some(customer)) => {
                let record = Id::<kinds::Record>::parse(record)?;
                Some(format!("{}/restore", links::part_path(customer, segment, record)))
            }
            (_, None) => None,
        }
    }
}

impl Messages<'_> {
    /// With the button that undoes what was done, if that is possible. `here` is the page's address.
    pub(super) async fn undoable(
        self,
        tenant_context: &TenantContext,
        here: &str,
    ) -> Result<Self, Response> {
        Ok(match Undo::offered(tenant_context, here).await? {
            Some(undo) => Self { undo: Some(undo), restore: None, ..self },
            None => self,
        })
    }

    /// The message for the keyword in a URL, on the page of a customer or of all notes; none for an unknown keyword.
    pub(super) fn of_query(query: &Form, customer: Option<Id<kinds::Customer>>) -> Self {
        let done = ALL.iter().find(|done| done.word == query.text("done"));
        done.map_or_else(Self::default, |done| Self {
            done: done.text,
            restore: done.restore(query.text("record"), customer),
            is_tagging: done.word == TAGGED.word,
            is_about_notes: done.is_about_notes,
            ..Self::default()
        })
    }
}
