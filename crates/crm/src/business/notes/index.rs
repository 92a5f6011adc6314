//! The search index of notes. Words of the body match by prefix, everything else matches by its whole value.
//!
//! Defines the tokens of a note, the expression for a call of `notes.list`, and a check of one body that gives
//! the same result without the index. The store does not index drafts and archived notes.
//!
//! Text in scripts without spaces is indexed as pairs: each character with the next one, and the last character
//! of a run by itself. For a query of one or two characters the index is exact. A longer query is split into its
//! pairs, which a body may contain in another order, so the rows found must be verified
//! ([`NoteWords::needs_verification`]).
//!
//! If a body has too many different words, writing them to the index would take too long. Such a note has a
//! facet instead, which every search for words finds, and is always verified ([`may_be_wordy`]).

use std::collections::HashSet;
use std::sync::Arc;

use crate::business::notes::{SubjectFilter, SubjectType};
use crate::search::{Expression, Field, Namespace, Prefix, TenantMark, Tokens, cut, numbered};
use crate::values::fold::QueryHasNoWord;
use crate::values::fold::{self, Kind, Word};

/// The facet for the type of a note's subject, or `standalone`. Facets have no underscore, which would split the
/// token.
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

/// The facet of every note, so that a search without filters still has an expression.
const EVERY_NOTE: &str = "note";
const PINNED: &str = "pinned";
/// The facet of a note whose words are not in the index.
const WORDY: &str = "wordy";

/// A body with more distinct words than this, or more bytes of them, has no words in the index: writing them
/// would take more than ten milliseconds, while every other write waits.
const MAX_WORDS: usize = 3_072;
const MAX_WORD_BYTES: usize = 36 * 1024;
/// Maximum letters that one byte of a text folds to: the three bytes of U+FDFA become eighteen letters.
const MAX_LETTERS_PER_BYTE: usize = 6;

fn author_facet(user: i64) -> String {
    numbered("by", user)
}

/// The distinct words of a body, as they are indexed. `None` if there are too many.
#[derive(Clone, Debug)]
pub struct BodyWords(Option<Arc<[Box<str>]>>);

impl BodyWords {
    /// The words of a body.
    #[must_use]
    pub fn of(body: &str) -> Self {
        let (mut words, mut bytes) = (HashSet::<Box<str>>::new(), 0);
        let mut add = |word: &str| {
            if words.len() <= MAX_WORDS && bytes <= MAX_WORD_BYTES && !words.contains(word) {
                bytes += word.len();
                words.insert(word.into());
            }
        };
        fold::each(body, |word, kind| match kind {
            Kind::Spaced => add(word),
            Kind::Run => pairs(word).for_each(&mut add),
        });
        let is_wordy = words.len() > MAX_WORDS || bytes > MAX_WORD_BYTES;
        Self((!is_wordy).then(|| words.into_iter().collect()))
    }
}

/// Whether a note with this body may have no words in the index. Only `false` is certain.
#[must_use]
pub fn may_be_wordy(body: &str) -> bool {
    // Every word begins at a different letter. In ASCII, every word but the last is followed by a separator.
    let max_words =
        if body.is_ascii() { body.len() / 2 + 1 } else { body.len() * MAX_LETTERS_PER_BYTE };
    max_words > MAX_WORDS
}

/// The indexed fields of one note.
#[derive(Clone, Debug)]
pub struct NoteDocument {
    /// The words of the text.
    pub words: BodyWords,
    /// Whether it is pinned.
    pub pinned: bool,
    /// The internal number of the author.
    pub created_by: i64,
    /// The type of the note's subject; `None` for a standalone note.
    pub subject: Option<SubjectType>,
}

impl NoteDocument {
    /// The note's tokens, space-separated: the value of the index's only column. Their number is bounded.
    #[must_use]
    pub fn tokens(&self, tenant: TenantMark) -> String {
        let mut tokens = Tokens::new(Prefix { tenant, namespace: Namespace::Current });
        match &self.words.0 {
            Some(words) => words.iter().for_each(|word| tokens.add(Field::Word, word)),
            None => tokens.add(Field::Facet, WORDY),
        }
        tokens.add(Field::Facet, EVERY_NOTE);
        if self.pinned {
            tokens.add(Field::Facet, PINNED);
        }
        tokens.add(Field::Facet, &author_facet(self.created_by));
        tokens.add(Field::Facet, subject_facet(self.subject));
        tokens.finish()
    }
}

/// Each character of a run with the next one; the last character by itself.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().map(|(start, _)| {
        let pair = &run[start..];
        pair.char_indices().nth(2).map_or(pair, |(end, _)| &pair[..end])
    })
}

/// The filters of a list of notes. `None` and `false` mean no filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteQuery<'a> {
    /// Words that must all occur in the body.
    pub words: Option<&'a NoteWords>,
    /// Whether only pinned notes match.
    pub pinned: bool,
    /// The internal number of the author.
    pub created_by: Option<i64>,
    /// The type of the subject.
    pub subject: Option<SubjectFilter>,
}

impl NoteQuery<'_> {
    /// The expression that finds the rows. It may find rows that do not match: any rows if
    /// [`NoteWords::needs_verification`], otherwise only rows whose body [`may_be_wordy`].
    #[must_use]
    pub fn expression(&self, tenant: TenantMark) -> Expression {
        let facets = [
            self.created_by.map(author_facet),
            self.subject.map(|subject| subject_facet(subject.subject_type()).to_owned()),
            self.pinned.then(|| PINNED.to_owned()),
        ];
        let mut parts: Vec<Expression> = Vec::new();
        let words = self.words.and_then(|words| Expression::all(words.expressions(tenant)));
        let facet = |name: &str| Expression::Token(tenant.token(Field::Facet, name));
        parts.extend(words.and_then(|words| Expression::any([words, facet(WORDY)])));
        parts.extend(facets.iter().flatten().map(|name| facet(name)));
        Expression::all(parts).unwrap_or_else(|| facet(EVERY_NOTE))
    }
}

/// The distinct words of a query (`q`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteWords(Vec<Word>);

impl NoteWords {
    /// Folds a query into words.
    ///
    /// # Errors
    /// If the query contains no word.
    pub fn new(q: &str) -> Result<Self, QueryHasNoWord> {
        let mut words = fold::words(q);
        words.sort();
        words.dedup();
        if words.is_empty() { Err(QueryHasNoWord) } else { Ok(Self(words)) }
    }

    /// Whether the index may find rows that do not match, so that each row must be checked with
    /// [`Self::body_matches`].
    #[must_use]
    pub fn needs_verification(&self) -> bool {
        self.0.iter().any(|word| word.kind == Kind::Run && word.text.chars().nth(2).is_some())
    }

    /// Whether every word occurs in the body: as a word or as the start of a word, or, for a run, as adjacent
    /// characters anywhere. Gives the same result as the index, for a body in memory.
    #[must_use]
    pub fn body_matches(&self, body: &str) -> bool {
        let mut missing: Vec<&Word> = self.0.iter().collect();
        fold::each(body, |word, kind| {
            missing.retain(|wanted| !occurs(wanted, word, kind));
        });
        missing.is_empty()
    }

    fn expressions(&self, tenant: TenantMark) -> impl Iterator<Item = Expression> {
        self.0.iter().flat_map(move |word| word_expressions(tenant, word))
    }
}

fn occurs(wanted: &Word, word: &str, kind: Kind) -> bool {
    wanted.kind == kind
        && match kind {
            Kind::Spaced => word.starts_with(&wanted.text),
            Kind::Run => word.contains(&wanted.text),
        }
}

fn word_expressions(tenant: TenantMark, word: &Word) -> Vec<Expression> {
    let count = word.text.chars().count();
    if word.kind == Kind::Spaced || count == 1 {
        return vec![Expression::Prefix(tenant.token(Field::Word, cut(&word.text)))];
    }
    // Leaves out the last "pair", a single character: the index has those only at the end of a run.
    let pairs = pairs(&word.text).take(count - 1);
    pairs.map(|pair| Expression::Token(tenant.token(Field::Word, pair))).collect()
}
