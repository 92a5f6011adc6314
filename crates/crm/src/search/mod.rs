//! Search: the language of the search index, whatever is indexed.
//!
//! Defines what a token is (`Field`, `Namespace`, `Tokens`) and the [`Expression`] that a search
//! becomes. A group that can be searched says in its own `index.rs` which tokens a record has and which
//! expression a search is, with the same functions, so that the two cannot drift apart. Everything is pure:
//! apart from two SQL fragments, no SQL, no transaction and no record of a table may be named here. The
//! `store` files write the tokens and run the expressions.
//!
//! # Tokens
//!
//! A token consists of the tenant's four characters ([`TenantMark`]), a mark for its kind, and folded
//! text ([`crate::values::fold`]). The fixed width of the start makes an index of one, two and three letters
//! possible. No expression of one tenant finds a row of another.
//!
//! | token | meaning |
//! | --- | --- |
//! | `0001:nguyen` | customers: every suffix of every word of a name, so that a prefix query finds any part; notes: the words of the body, and for scripts without spaces each character with the next one |
//! | `0001#5550199` | every suffix of every form of a phone's digits; separate from words, because a word of one or two digits must not find phones |
//! | `0001=w:nguyen` `0001=p:15105550199` | a whole word, a whole phone: such matches come first in the result |
//! | `0001=active` `0001=tag:7` … | facets: the exact value of a filter |
//! | `0001;nguyen` `0001%5550199` `0001~tag:7` … | the same for archived customers |
//!
//! An archived customer has its own marks (`Namespace`). Nearly every search excludes archived customers
//! and needs no condition for it: a condition that nearly every row meets costs more than all the
//! others together, since the index walks its rows along with those of each word.
//!
//! A token contains only `0-9 a-z : ; # % = ~` and non-ASCII characters. Its text is at most 64
//! characters long. This FTS5 table keeps tokens whole:
//!
//! ```sql
//! CREATE VIRTUAL TABLE … USING fts5(x, content='', contentless_delete=1, detail=none,
//!     prefix='6 7 8', tokenize="ascii tokenchars ':;#%=~'")
//! ```
//!
//! `prefix` includes the tenant and the mark: it answers queries of one, two and three letters
//! without collecting every token that begins with them. Words of notes are common, and whole; their
//! index goes to eight.
//!
//! # Hangul
//!
//! NFKD splits syllables into letters, in tokens and in queries. So the start of a syllable finds it
//! (`가` finds `강`), which helps while an input method is still composing. Nothing else changes.

mod expression;

pub use expression::Expression;

/// The rows that an expression finds on PostgreSQL, newest first, as the common table expression
/// `found` of a statement with the tenant as `$1` and the expression as `$2`. `$bounds` limits the rows
/// by their number `n`.
///
/// A GIN index returns every row with a word, in no order. Scanning the newest rows one by one fills a
/// page of a common word at once. The statement combines both:
///
/// 1. Scan the newest few hundred rows.
/// 2. If they do not fill the page, probe fifty rows spread over the tenant to estimate how common the
///    word is. The newest rows may differ from all others, for example after an import from another
///    town.
/// 3. Scan four thousand earlier rows for each probe with the word, about as many as the index would
///    return for a large tenant, and two hundred for each of the newest rows with it, since fifty
///    probes may all miss a word that every thirtieth row has.
/// 4. Only then query the index.
///
/// So a page never takes much longer than with the faster of the two ways. The planner would choose by
/// statistics over all tenants, which say little about the words of one. The index's rows are compared
/// with the bounds in a separate step, which keeps the planner from also reading the tenant's whole
/// key. The word for the earlier rows comes from a subquery, which keeps the planner from expecting so
/// many rows that it reads whole tables to join them.
macro_rules! found_on_postgres {
    ($table:literal, $count:literal, $bounds:literal) => {
        concat!(
            "newest AS MATERIALIZED (SELECT n, tokens FROM ", $table, " \
             WHERE tenant_no = $1 AND ", $bounds, " ORDER BY n DESC LIMIT 500), \
             near AS MATERIALIZED (SELECT n FROM newest WHERE tokens @@ $2::text::tsquery \
             ORDER BY n DESC LIMIT ", $count, "), \
             edge AS MATERIALIZED (SELECT min(n) AS n FROM newest \
             HAVING count(*) = 500 AND (SELECT count(*) FROM near) < ", $count, "), \
             probes AS MATERIALIZED (SELECT count(*) AS hits FROM edge, \
             LATERAL (SELECT n FROM ", $table, " \
             WHERE tenant_no = $1 AND ", $bounds, " ORDER BY n LIMIT 1) oldest, \
             LATERAL generate_series(oldest.n, edge.n - 1, (edge.n - oldest.n) / 50 + 1) place, \
             LATERAL (SELECT tokens FROM ", $table, " \
             WHERE tenant_no = $1 AND ", $bounds, " AND n <= place ORDER BY n DESC LIMIT 1) probe \
             WHERE tokens @@ $2::text::tsquery), \
             earlier AS MATERIALIZED (SELECT n FROM (SELECT n, tokens FROM ", $table, " \
             WHERE tenant_no = $1 AND ", $bounds, " AND n < (SELECT n FROM edge) ORDER BY n DESC \
             LIMIT (SELECT hits * 4000 + 200 * (SELECT count(*) FROM near) FROM probes)) passed WHERE tokens @@ (SELECT $2::text::tsquery) \
             ORDER BY n DESC LIMIT ", $count, "), \
             matching AS MATERIALIZED (SELECT tenant_no, n FROM ", $table, " \
             WHERE EXISTS (SELECT FROM edge) \
             AND (SELECT count(*) FROM near) + (SELECT count(*) FROM earlier) < ", $count, " \
             AND tokens @@ $2::text::tsquery), \
             far AS (SELECT n FROM matching WHERE tenant_no = $1 AND ", $bounds, " \
             AND n < coalesce((SELECT min(n) FROM earlier), (SELECT n FROM edge)) \
             ORDER BY n DESC LIMIT ", $count, "), \
             found AS (SELECT n FROM near UNION ALL SELECT n FROM earlier UNION ALL SELECT n FROM far)"
        )
    };
}
pub(crate) use found_on_postgres;

/// The same for an expression that few rows match, such as a whole phone number: the index finds them
/// faster than a long scan. A short scan of the newest rows still comes first, because of values that very
/// many rows share, such as a placeholder phone number: for those the index would return thousands.
macro_rules! found_rare_on_postgres {
    ($table:literal, $count:literal) => {
        concat!(
            "newest AS MATERIALIZED (SELECT n, tokens FROM ",
            $table,
            " \
             WHERE tenant_no = $1 ORDER BY n DESC LIMIT 50), \
             near AS MATERIALIZED (SELECT n FROM newest WHERE tokens @@ $2::text::tsquery \
             ORDER BY n DESC LIMIT ",
            $count,
            "), \
             matching AS MATERIALIZED (SELECT tenant_no, n FROM ",
            $table,
            " \
             WHERE (SELECT count(*) FROM near) < ",
            $count,
            " AND tokens @@ $2::text::tsquery), \
             found AS (SELECT n FROM near UNION SELECT n FROM matching WHERE tenant_no = $1 \
             ORDER BY n DESC LIMIT ",
            $count,
            ")"
        )
    };
}
pub(crate) use found_rare_on_postgres;

use std::collections::HashSet;
use std::fmt::{self, Write};

use crate::values::fold::MAX_WORD;

/// The four characters that every token of a tenant begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantMark([u8; 4]);

impl TenantMark {
    /// Maximum number of tenants in one database: four digits in base 36.
    pub const TENANTS: i64 = 36 * 36 * 36 * 36;

    /// The mark of the tenant with this number; `None` unless it is from 0 to below
    /// [`Self::TENANTS`].
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        if number >= Self::TENANTS {
            return None;
        }
        let mut rest = usize::try_from(number).ok()?;
        let mut mark = [b'0'; 4];
        for place in mark.iter_mut().rev() {
            *place = DIGITS[rest % DIGITS.len()];
            rest /= DIGITS.len();
        }
        Some(Self(mark))
    }

    pub(crate) fn chars(self) -> impl Iterator<Item = char> {
        self.0.into_iter().map(char::from)
    }

    /// A token of a row of this tenant that is not archived.
    pub(crate) fn token(self, space: Field, text: &str) -> String {
        Prefix { tenant: self, namespace: Namespace::Current }.token(space, text)
    }
}

impl fmt::Display for TenantMark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|letter| out.write_char(letter))
    }
}

/// What a token says about its row. Tokens of different fields are never equal.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Word,
    Phone,
    WholeWord,
    WholePhone,
    Facet,
}

impl Field {
    fn mark(self, on: Namespace) -> &'static str {
        match (self, on) {
            (Self::Word, Namespace::Current) => ":",
            (Self::Word, Namespace::Archived) => ";",
            (Self::Phone, Namespace::Current) => "#",
            (Self::Phone, Namespace::Archived) => "%",
            (Self::WholeWord, Namespace::Current) => "=w:",
            (Self::WholeWord, Namespace::Archived) => "~w:",
            (Self::WholePhone, Namespace::Current) => "=p:",
            (Self::WholePhone, Namespace::Archived) => "~p:",
            (Self::Facet, Namespace::Current) => "=",
            (Self::Facet, Namespace::Archived) => "~",
        }
    }
}

/// Whether a row is archived. No token for current rows finds an archived one.
#[derive(Clone, Copy)]
pub(crate) enum Namespace {
    Current,
    Archived,
}

/// The prefix of a row's tokens: tenant and namespace.
#[derive(Clone, Copy)]
pub(crate) struct Prefix {
    pub(crate) tenant: TenantMark,
    pub(crate) namespace: Namespace,
}

impl Prefix {
    pub(crate) fn token(self, space: Field, text: &str) -> String {
        format!("{}{}{text}", self.tenant, space.mark(self.namespace))
    }
}

/// Maximum distinct tokens of a row, and maximum bytes of all of them, before those that it can do without
/// are left out. A row of more takes more than ten milliseconds to write, while every other write waits.
const MAX_TOKENS: usize = 8_192;
const MAX_TOKEN_BYTES: usize = 96 * 1024;

/// Collects the distinct tokens of one row.
pub(crate) struct Tokens {
    place: Prefix,
    distinct: HashSet<Box<str>>,
    bytes: usize,
    /// The token being added.
    token: String,
}

impl Tokens {
    pub(crate) fn new(place: Prefix) -> Self {
        Self { place, distinct: HashSet::new(), bytes: 0, token: String::new() }
    }

    pub(crate) fn add(&mut self, space: Field, text: &str) {
        self.token.clear();
        self.token.extend(self.place.tenant.chars());
        self.token.push_str(space.mark(self.place.namespace));
        self.token.push_str(cut(text));
        if !self.distinct.contains(&*self.token) {
            self.distinct.insert(self.token.as_str().into());
            self.bytes += self.token.len() + 1;
        }
    }

    /// Adds every suffix of the text but the text itself, the longest first, as long as there is room.
    pub(crate) fn add_inner(&mut self, space: Field, text: &str) {
        for (start, _) in text.char_indices().skip(1) {
            if !self.has_room() {
                return;
            }
            self.add(space, &text[start..]);
        }
    }

    /// Whether there is room for tokens that the row can do without.
    pub(crate) fn has_room(&self) -> bool {
        self.distinct.len() < MAX_TOKENS && self.bytes < MAX_TOKEN_BYTES
    }

    /// The tokens, space-separated: the value of the index's only column.
    pub(crate) fn finish(self) -> String {
        let mut tokens: Vec<_> = self.distinct.into_iter().collect();
        tokens.sort_unstable();
        tokens.join(" ")
    }
}

/// Cuts a text to the maximum length in a token.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_WORD).map_or(text, |(end, _)| &text[..end])
}

/// A number in a token. Tokens cannot contain a minus sign, so a negative number becomes a large one.
pub(crate) fn numbered(name: &str, number: i64) -> String {
    format!("{name}:{}", number.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_have_four_characters() {
        for (number, mark) in
            [(0, "0000"), (1, "0001"), (35, "000z"), (36, "0010"), (1_679_615, "zzzz")]
        {
            assert_eq!(TenantMark::new(number).unwrap().to_string(), mark);
        }
        for number in [-1, TenantMark::TENANTS, i64::MAX, i64::MIN] {
            assert_eq!(TenantMark::new(number), None);
        }
    }

    #[test]
    fn tokens_come_once_and_are_cut() {
        let tenant = TenantMark::new(1).unwrap();
        let mut tokens = Tokens::new(Prefix { tenant, namespace: Namespace::Current });
        tokens.add(Field::Word, "anna");
        tokens.add_inner(Field::Word, "anna");
        tokens.add(Field::WholeWord, &"東".repeat(70));
        let whole = format!("0001=w:{}", "東".repeat(64));
        assert_eq!(tokens.finish(), format!("0001:a 0001:anna 0001:na 0001:nna {whole}"));
    }

    #[test]
    fn numbers_hold_no_sign() {
        assert_eq!(numbered("tag", 7), "tag:7");
        assert!(!numbered("tag", -7).contains('-'));
    }
}
