//! The search index of notes. Words of the body match by prefix or by their English stem, everything else matches by
//! its whole value.
//!
//! Defines the tokens of a note, the expression for a call of `notes.list`, and a check of one body that gives
//! the same result without the index. The store does not index drafts and archived notes.
//!
//! Text in scripts without spaces is indexed as pairs: each character with the next one, and the last character
//! of a run by itself. For a query of one or two characters the index is exact. A longer query is split into its
//! pairs, which a body may contain in another order, so the rows found must be verified
//! ([`NoteWords::needs_verification`]).
//!
//! The stem of a word ([`crate::values::stem`]) is one more word of the body. A word of a query finds every word that
//! begins with it, and every word that is its stem. So a note is found by what its text says even if its stems are not
//! in the index, as in a database of an earlier version ([`super::reindex`]).
//!
//! If a body has too many different words, writing them to the index would take too long. Such a note has a
//! facet instead, which every search for words finds, and is always verified ([`may_be_wordy`]).

use std::collections::HashSet;
use std::sync::Arc;

use crate::business::notes::{SubjectFilter, SubjectType};
use crate::search::{Expression, Field, Namespace, Prefix, TenantMark, Tokens, cut, numbered};
use crate::values::fold::QueryHasNoWord;
use crate::values::fold::{self, Kind, Word};
use crate::values::stem::stem;

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

/// A body with more distinct words and stems than this, or more bytes of them, has no words in the index: writing them
/// would take more than ten milliseconds, while every other write waits.
const MAX_WORDS: usize = 3_072;
const MAX_WORD_BYTES: usize = 36 * 1024;
/// Maximum letters that one byte of a text folds to: the three bytes of U+FDFA become eighteen letters.
const MAX_LETTERS_PER_BYTE: usize = 6;

fn author_facet(user: i64) -> String {
    numbered("by", user)
}

/// The distinct words of a body and their stems, as they are indexed. `None` if there are too many.
#[derive(Clone, Debug)]
pub struct BodyWords(Option<Arc<[Box<str>]>>);

impl BodyWords {
    /// The words of a body.
    #[must_use]
    pub fn of(body: &str) -> Self {
        let (mut words, mut bytes) = (HashSet::<Box<str>>::new(), 0);
        // Returns whether the word was added.
        let mut add = |word: &str| {
            let is_new =
                words.len() <= MAX_WORDS && bytes <= MAX_WORD_BYTES && !words.contains(word);
            if is_new {
                bytes += word.len();
                words.insert(word.into());
            }
            is_new
        };
        fold::each(body, |word, kind| match kind {
            Kind::Spaced => {
                if add(word)
                    && let Some(stem) = stem(word)
                {
                    add(&stem);
                }
            }
            Kind::Run => pairs(word).for_each(|pair| {
                add(pair);
            }),
        });
        let is_wordy = words.len() > MAX_WORDS || bytes > MAX_WORD_BYTES;
        Self((!is_wordy).then(|| words.into_iter().collect()))
    }
}

/// Whether a note with this body may have no words in the index. Only `false` is certain.
#[must_use]
pub fn may_be_wordy(body: &str) -> bool {
    // Every word begins at a different letter. In ASCII, every word but the last is followed by a separator, and a word
    // with a stem has at least three letters, so it takes the room of two words.
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
        let facet = |name: &str| Expression::Token(tenant.token(Field::Facet, name));
        let words = self.words.and_then(|words| Expression::all(words.expressions(tenant)));
        parts.extend(words.and_then(|words| Expression::any([words, facet(WORDY)])));
        parts.extend(facets.iter().flatten().map(|name| facet(name)));
        Expression::all(parts).unwrap_or_else(|| facet(EVERY_NOTE))
    }
}

/// The distinct words of a query (`q`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteWords(Vec<Wanted>);

/// A word of a query, and its stem if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    word: Word,
    stem: Option<String>,
}

impl NoteWords {
    /// Folds a query into words.
    ///
    /// # Errors
    /// If the query contains no word.
    pub fn new(q: &str) -> Result<Self, QueryHasNoWord> {
        let mut words = fold::words(q);
        words.sort();
        words.dedup();
        let wanted = |word: Word| {
            let stem = if word.kind == Kind::Spaced { stem(&word.text) } else { None };
            Wanted { word, stem }
        };
        if words.is_empty() {
            return Err(QueryHasNoWord);
        }
        Ok(Self(words.into_iter().map(wanted).collect()))
    }

    /// Whether the index may find rows that do not match, so that each row must be checked with
    /// [`Self::body_matches`].
    #[must_use]
    pub fn needs_verification(&self) -> bool {
        let is_long_run =
            |word: &Word| word.kind == Kind::Run && word.text.chars().nth(2).is_some();
        self.0.iter().any(|wanted| is_long_run(&wanted.word))
    }

    /// Whether every word occurs in the body: as a word, as the start of a word, or as another form of a word; or,
    /// for a run, as adjacent characters anywhere. Gives the same result as the index, for a body in memory.
    #[must_use]
    pub fn body_matches(&self, body: &str) -> bool {
        let mut missing: Vec<&Wanted> = self.0.iter().collect();
        fold::each(body, |word, kind| {
            missing.retain(|wanted| !wanted.occurs(word, kind));
        });
        missing.is_empty()
    }

    fn expressions(&self, tenant: TenantMark) -> impl Iterator<Item = Expression> {
        self.0.iter().flat_map(move |wanted| wanted.expressions(tenant))
    }
}

impl Wanted {
    fn occurs(&self, word: &str, kind: Kind) -> bool {
        self.word.kind == kind
            && match kind {
                Kind::Spaced => self.is_indexed_as(word) || self.is_form_of(word),
                Kind::Run => word.contains(&self.word.text),
            }
    }

    /// Whether this word finds a note with this word or stem in the index.
    fn is_indexed_as(&self, word: &str) -> bool {
        word.starts_with(&self.word.text) || self.stem.as_deref() == Some(word)
    }

    /// Whether this word finds a note by the stem of one of the note's words.
    fn is_form_of(&self, word: &str) -> bool {
        // Finding the stem takes much longer than comparing the first letters, which a word and its stem share.
        let may_be = word.bytes().next() == self.word.text.bytes().next();
        may_be && stem(word).is_some_and(|stem| self.is_indexed_as(&stem))
    }

    /// The expressions that must all match.
    fn expressions(&self, tenant: TenantMark) -> Vec<Expression> {
        let word = |text: &str| tenant.token(Field::Word, text);
        let Word { text, kind } = &self.word;
        let count = text.chars().count();
        if *kind == Kind::Spaced || count == 1 {
            let begins = Expression::Prefix(word(cut(text)));
            let stem = self.stem.iter().map(|stem| Expression::Token(word(stem)));
            return Expression::any([begins].into_iter().chain(stem)).into_iter().collect();
        }
        // Leaves out the last "pair", a single character: the index has those only at the end of a run.
        pairs(text).take(count - 1).map(|pair| Expression::Token(word(pair))).collect()
    }
}
