//! What a customer's page says about what was just done, or about why it failed.

/// The messages of the page.
#[derive(Default)]
pub(super) struct Messages<'a> {
    pub(super) done: &'a str,
    /// A tool's error.
    pub(super) fault: &'a str,
    /// The text of a note that was not added.
    pub(super) note: &'a str,
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
}

pub(super) const NOTE_ADDED: Done = Done::about_notes("note", "The note was added.");
pub(super) const PINNED: Done = Done::about_notes("pinned", "The note is pinned.");
pub(super) const UNPINNED: Done = Done::about_notes("unpinned", "The note is no longer pinned.");
pub(super) const TAGGED: Done = Done::new("tagged", "The tag was attached.");
pub(super) const UNTAGGED: Done = Done::new("untagged", "The tag was detached.");
pub(super) const ARCHIVED: Done = Done::new("archived", "The customer was archived.");
pub(super) const RESTORED: Done = Done::new("restored", "The customer was restored.");
const ALL: [Done; 7] = [NOTE_ADDED, PINNED, UNPINNED, TAGGED, UNTAGGED, ARCHIVED, RESTORED];

impl Done {
    const fn new(word: &'static str, text: &'static str) -> Self {
        Self { word, text, is_about_notes: false }
    }

    const fn about_notes(word: &'static str, text: &'static str) -> Self {
        Self { is_about_notes: true, ..Self::new(word, text) }
    }
}

impl Messages<'_> {
    /// The message for the keyword in a URL; none for an unknown keyword.
    pub(super) fn of_word(word: &str) -> Self {
        let done = ALL.iter().find(|done| done.word == word);
        done.map_or_else(Self::default, |done| Self {
            done: done.text,
            is_about_notes: done.is_about_notes,
            ..Self::default()
        })
    }
}
