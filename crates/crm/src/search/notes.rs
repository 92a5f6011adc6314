//! Notes in the index: the words of the body by their beginnings, the rest by whole values.
//!
//! Here lives which tokens a note has, which expression a `notes.list` is, and the test of one body
//! that answers the same question without the index. Drafts and archived notes have no tokens; the
//! store leaves them out.
//!
//! Scripts without spaces are indexed as pairs: each character with the one behind it, the last one
//! of a run alone. A pair or a single character is answered by the index exactly. A longer run is
//! the pairs it is made of, and a body may have them in another order, so its candidates are
//! verified ([`NoteWords::needs_verification`]).

use super::{Expression, Place, QueryHasNoWord, Shelf, Space, TenantMark, Tokens, cut, numbered};
use crate::fold::{self, Kind, Word};
use crate::notes::{SubjectFilter, SubjectType};

/// The facet of what a note is about, or of standing alone: no token holds an underscore, which
/// would split it.
const fn subject_facet(subject: Option<SubjectType>) -> &'static str {
    match subject {
        Some(SubjectType::Customer) => "customer",
        Some(SubjectType::CustomerContact) => "contact",
        Some(SubjectType::CustomerLocation) => "location",
        Some(SubjectType::Job) => "job",
        Some(SubjectType::Invoice) => "invoice",
        Some(SubjectType::Quote) => "quote",
        Some(SubjectType::LawnEstimate) => "estimate",
        None => "standalone",
    }
}

/// The facet that every note has, so that a search without any filter is an expression too.
const EVERY_NOTE: &str = "note";
const PINNED: &str = "pinned";

fn author_facet(user: i64) -> String {
    numbered("by", user)
}

/// What the index knows of one note.
#[derive(Clone, Copy, Debug)]
pub struct NoteDocument<'a> {
    /// The text.
    pub body: &'a str,
    /// Whether it is pinned.
    pub pinned: bool,
    /// The number of the user who wrote it.
    pub created_by: i64,
    /// What it is about; `None` if it stands alone.
    pub subject: Option<SubjectType>,
}

impl NoteDocument<'_> {
    /// The note's tokens, parted by spaces: the value of the index's one column.
    ///
    /// Time and memory grow with the length of the body alone.
    #[must_use]
    pub fn tokens(&self, tenant: TenantMark) -> String {
        let mut tokens = Tokens::new(Place { tenant, shelf: Shelf::Current });
        fold::each(self.body, |word, kind| match kind {
            Kind::Spaced => tokens.add(Space::Word, word),
            Kind::Run => pairs(word).for_each(|pair| tokens.add(Space::Word, pair)),
        });
        tokens.add(Space::Facet, EVERY_NOTE);
        if self.pinned {
            tokens.add(Space::Facet, PINNED);
        }
        tokens.add(Space::Facet, &author_facet(self.created_by));
        tokens.add(Space::Facet, subject_facet(self.subject));
        tokens.finish()
    }
}

/// Each character of a run with the one behind it; the last one stands alone.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().map(|(start, _)| {
        let pair = &run[start..];
        pair.char_indices().nth(2).map_or(pair, |(end, _)| &pair[..end])
    })
}

/// What a list of notes asks for; what is `None` or `false` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteQuery<'a> {
    /// The words that must occur in the body.
    pub words: Option<&'a NoteWords>,
    /// Pinned notes only.
    pub pinned: bool,
    /// The number of the user who wrote them.
    pub created_by: Option<i64>,
    /// What they are about.
    pub subject: Option<SubjectFilter>,
}

impl NoteQuery<'_> {
    /// The expression that finds the rows, and with [`NoteWords::needs_verification`] some others.
    #[must_use]
    pub fn expression(&self, tenant: TenantMark) -> Expression {
        let facets = [
            self.created_by.map(author_facet),
            self.subject.map(|subject| subject_facet(subject.subject_type()).to_owned()),
            self.pinned.then(|| PINNED.to_owned()),
        ];
        let mut parts: Vec<Expression> = Vec::new();
        parts.extend(self.words.into_iter().flat_map(|words| words.expressions(tenant)));
        let facet = |name: &str| Expression::Token(tenant.token(Space::Facet, name));
        parts.extend(facets.iter().flatten().map(|name| facet(name)));
        Expression::all(parts).unwrap_or_else(|| facet(EVERY_NOTE))
    }
}

/// The words of a `q`, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteWords(Vec<Word>);

impl NoteWords {
    /// Reads the words of a `q`.
    ///
    /// # Errors
    /// There is no word in it.
    pub fn new(q: &str) -> Result<Self, QueryHasNoWord> {
        let mut words = fold::words(q);
        words.sort();
        words.dedup();
        if words.is_empty() { Err(QueryHasNoWord) } else { Ok(Self(words)) }
    }

    /// Whether the index finds rows that do not match, so that [`Self::body_matches`] must be asked
    /// about each row before it is shown.
    #[must_use]
    pub fn needs_verification(&self) -> bool {
        self.0.iter().any(|word| word.kind == Kind::Run && word.text.chars().nth(2).is_some())
    }

    /// Whether each word occurs in the body as a word or the start of one; a run of characters
    /// anywhere, together. What the index answers, for a body that is at hand.
    #[must_use]
    pub fn body_matches(&self, body: &str) -> bool {
        let mut missing: Vec<&Word> = self.0.iter().collect();
        fold::each(body, |word, kind| {
            missing.retain(|sought| !occurs(sought, word, kind));
        });
        missing.is_empty()
    }

    fn expressions(&self, tenant: TenantMark) -> impl Iterator<Item = Expression> {
        self.0.iter().flat_map(move |word| word_expressions(tenant, word))
    }
}

fn occurs(sought: &Word, word: &str, kind: Kind) -> bool {
    sought.kind == kind
        && match kind {
            Kind::Spaced => word.starts_with(&sought.text),
            Kind::Run => word.contains(&sought.text),
        }
}

fn word_expressions(tenant: TenantMark, word: &Word) -> Vec<Expression> {
    let count = word.text.chars().count();
    if word.kind == Kind::Spaced || count == 1 {
        return vec![Expression::Prefix(tenant.token(Space::Word, cut(&word.text)))];
    }
    // The last of the pairs is a character alone, which is in the index only at the end of a run.
    let pairs = pairs(&word.text).take(count - 1);
    pairs.map(|pair| Expression::Token(tenant.token(Space::Word, pair))).collect()
}
