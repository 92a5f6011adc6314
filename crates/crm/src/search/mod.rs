//! Search: the tokens and expressions of the search index, for any kind of record.
//!
//! Defines what a token is (`Field`, `Namespace`, `Tokens`) and the [`Expression`] that a search
//! becomes. Each group that can be searched defines in its own `index.rs` the tokens of a record and the
//! expression for a search. Both use the functions of this module, so they cannot drift apart. The `store`
//! files write the tokens and run the expressions.
//!
//! What must never live here, apart from two SQL fragments: SQL, transactions, or the records of a table.
//!
//! # Tokens
//!
//! A token consists of the tenant's four characters ([`TenantMark`]), a mark for its kind, and folded
//! text ([`crate::values::fold`]). An expression of one tenant never finds rows of another tenant.
//!
//! | token | meaning |
//! | --- | --- |
//! | `0001:nguyen` | customers: every suffix of every word of a name, so that a prefix query finds any part; notes: the words of the body and their English stems, and for scripts without spaces each character with the next one |
//! | `0001#5550199` | every suffix of every form of a phone's digits; separate from words, because a word of one or two digits must not find phones |
//! | `0001=w:nguyen` `0001=p:15105550199` | a whole word, a whole phone: such matches come first in the result |
//! | `0001=a:bremer` | a word of an address |
//! | `0001=s:nkn` | how a word of a name sounds, for searches that find nothing else |
//! | `0001=active` `0001=tag:7` … | facets: the exact value of a filter |
//! | `0001;nguyen` `0001%5550199` `0001~tag:7` … | the same tokens for archived customers |
//!
//! The tokens of archived customers have other marks (`Namespace`). Nearly every search excludes archived
//! customers, and so it needs no condition for that. Such a condition would cost more than all others
//! together: nearly every row meets it, and the index would read all these rows for each search.
//!
//! A token contains only `0-9 a-z : ; # % = ~` and non-ASCII characters. Its text is at most 64
//! characters long. This FTS5 table does not split tokens:
//!
//! ```sql
//! CREATE VIRTUAL TABLE … USING fts5(x, content='', contentless_delete=1, detail=none,
//!     prefix='6 7 8', tokenize="ascii tokenchars ':;#%=~'")
//! ```
//!
//! The lengths in `prefix` include the tenant's four characters and the mark. So a query of one,
//! two or three letters does not collect every token that begins with these letters. For notes, `prefix`
//! covers up to eight letters, because many notes have the same words.
//!
//! # Hangul
//!
//! NFKD splits syllables into letters, in tokens and in queries. So the start of a syllable finds the
//! whole syllable (`가` finds `강`), which helps while an input method is still composing.

mod expression;

pub use expression::Expression;

/// The common table expression `found`: the numbers `n` of the newest rows that an expression finds on
/// PostgreSQL. The statement has the tenant as `$1` and the expression as `$2`. `$bounds` is a condition
/// on `n`, and `$count` the number of rows that fill a page.
///
/// A GIN index returns all rows with a word, in no particular order. For a common word it is faster to
/// scan the newest rows, which soon fill a page. The statement combines both:
///
/// 1. Scan the newest 500 rows.
/// 2. If they do not fill the page, probe fifty rows spread over the tenant to estimate how common the
///    word is. The newest rows alone may mislead, for example after an import from another town.
/// 3. Scan earlier rows. Each probe with the word allows 4,000 more, about as many as the index would
///    return for a large tenant. Each of the newest rows with the word allows 200 more, since all fifty
///    probes may miss a word that every thirtieth row has.
/// 4. If the page is still not full, query the index.
///
/// So a page never takes much longer than with the faster of the two ways. The planner could not choose
/// between them, because its statistics cover all tenants and say little about one tenant's words.
///
/// `matching` leaves the bounds to `far`. With bounds, the planner would also read the tenant's whole key.
/// `earlier` has the expression in a subquery. Otherwise the planner would expect so many rows that it would
/// read whole tables to join them.
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

/// Like `found_on_postgres`, for an expression that few rows match, such as a whole phone number: the index
/// finds them faster than a long scan. A short scan of the newest rows still comes first, because some values,
/// such as a placeholder phone number, are so common that the index would return thousands of rows.
macro_rules! found_rare_on_postgres {
    ($table:literal, $count:literal, $bounds:literal) => {
        concat!(
            "newest AS MATERIALIZED (SELECT n, tokens FROM ",
            $table,
            " \
             WHERE tenant_no = $1 AND ",
            $bounds,
            " ORDER BY n DESC LIMIT 50), \
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
             found AS (SELECT n FROM near UNION SELECT n FROM matching WHERE tenant_no = $1 AND ",
            $bounds,
            " ORDER BY n DESC LIMIT ",
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

    /// The mark of the tenant with this number. `None` if the number is negative, or is
    /// [`Self::TENANTS`] or more.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        if number >= Self::TENANTS {
            return None;
        }
        let mut rest = usize::try_from(number).ok()?;
        let mut mark = [b'0'; 4];
        for digit in mark.iter_mut().rev() {
            *digit = DIGITS[rest % DIGITS.len()];
            rest /= DIGITS.len();
        }
        Some(Self(mark))
    }

    pub(crate) fn chars(self) -> impl Iterator<Item = char> {
        self.0.into_iter().map(char::from)
    }

    /// A token of a row of this tenant that is not archived.
    pub(crate) fn token(self, field: Field, text: &str) -> String {
        Prefix { tenant: self, namespace: Namespace::Current }.token(field, text)
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
    AddressWord,
    Sound,
    Facet,
}

impl Field {
    fn mark(self, namespace: Namespace) -> &'static str {
        match (self, namespace) {
            (Self::Word, Namespace::Current) => ":",
            (Self::Word, Namespace::Archived) => ";",
            (Self::Phone, Namespace::Current) => "#",
            (Self::Phone, Namespace::Archived) => "%",
            (Self::WholeWord, Namespace::Current) => "=w:",
            (Self::WholeWord, Namespace::Archived) => "~w:",
            (Self::WholePhone, Namespace::Current) => "=p:",
            (Self::WholePhone, Namespace::Archived) => "~p:",
            (Self::AddressWord, Namespace::Current) => "=a:",
            (Self::AddressWord, Namespace::Archived) => "~a:",
            (Self::Sound, Namespace::Current) => "=s:",
            (Self::Sound, Namespace::Archived) => "~s:",
            (Self::Facet, Namespace::Current) => "=",
            (Self::Facet, Namespace::Archived) => "~",
        }
    }
}

/// Whether a row is archived. A token for current rows never finds an archived row.
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
    pub(crate) fn token(self, field: Field, text: &str) -> String {
        format!("{}{}{text}", self.tenant, field.mark(self.namespace))
    }
}

/// A row with this many distinct tokens, or bytes of them, gets no more optional tokens: a larger row takes more
/// than ten milliseconds to write, while every other write waits.
const MAX_TOKENS: usize = 8_192;
const MAX_TOKEN_BYTES: usize = 96 * 1024;

/// Collects the distinct tokens of one row.
pub(crate) struct Tokens {
    prefix: Prefix,
    distinct: HashSet<Box<str>>,
    bytes: usize,
    /// A buffer for the token that is being added.
    token: String,
}

impl Tokens {
    pub(crate) fn new(prefix: Prefix) -> Self {
        Self { prefix, distinct: HashSet::new(), bytes: 0, token: String::new() }
    }

    pub(crate) fn add(&mut self, field: Field, text: &str) {
        self.token.clear();
        self.token.extend(self.prefix.tenant.chars());
        self.token.push_str(field.mark(self.prefix.namespace));
        self.token.push_str(cut(text));
        if !self.distinct.contains(&*self.token) {
            self.distinct.insert(self.token.as_str().into());
            self.bytes += self.token.len() + 1;
        }
    }

    /// Adds every suffix of the text except the text itself, longest first, while there is room.
    pub(crate) fn add_inner(&mut self, field: Field, text: &str) {
        for (start, _) in text.char_indices().skip(1) {
            if !self.has_room() {
                return;
            }
            self.add(field, &text[start..]);
        }
    }

    /// Whether there is room for more optional tokens.
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

/// Cuts a text to the maximum length that it may have in a token.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_WORD).map_or(text, |(end, _)| &text[..end])
}

/// The text of a token with a number, such as `tag:7`. A token cannot contain a minus sign, so a negative
/// number becomes a large one.
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
    fn tokens_are_distinct_and_cut() {
        let tenant = TenantMark::new(1).unwrap();
        let mut tokens = Tokens::new(Prefix { tenant, namespace: Namespace::Current });
        tokens.add(Field::Word, "anna");
        tokens.add_inner(Field::Word, "anna");
        tokens.add(Field::WholeWord, &"東".repeat(70));
        let whole = format!("0001=w:{}", "東".repeat(64));
        assert_eq!(tokens.finish(), format!("0001:a 0001:anna 0001:na 0001:nna {whole}"));
    }

    #[test]
    fn numbers_have_no_sign() {
        assert_eq!(numbered("tag", 7), "tag:7");
        assert!(!numbered("tag", -7).contains('-'));
    }
}
