//! Search: what is indexed of a customer or a note, and what is asked of the index.
//!
//! Here lives the whole vocabulary of the search index: the tokens of a row ([`CustomerDocument`],
//! [`NoteDocument`]) and the expressions over tokens that a search is ([`CustomerQuery`],
//! [`NoteQuery`]). Both sides are made by the same functions, so they cannot drift apart. Everything
//! is pure: no SQL, no transaction and no record of a table may be named here. The `store` files
//! write the tokens and run the expressions.
//!
//! # Tokens
//!
//! A token is the tenant's four characters ([`TenantMark`]), a mark that says what it is, and folded
//! text ([`crate::fold`]). The fixed width of the beginning is what makes an index of one, two and
//! three letters possible, and another tenant's row is found by no expression of this tenant.
//!
//! | token | meaning |
//! | --- | --- |
//! | `0001:nguyen` | customers: every tail of every word of a name, so that a prefix finds what is inside; notes: the words of the body, and for scripts without spaces each character with its follower |
//! | `0001#5550199` | every tail of every form of a phone's digits; apart from words, since a word of one or two digits must not find phones |
//! | `0001=w:nguyen` `0001=p:15105550199` | a whole word, a whole phone: what the first rows of an answer have |
//! | `0001=active` `0001=tag:7` … | facets: what a filter asks for exactly |
//! | `0001;nguyen` `0001%5550199` `0001~tag:7` … | the same of archived customers |
//!
//! An archived customer has marks of its own (`Shelf`). Nearly every search leaves such customers
//! out, and needs no condition for it: one that nearly every row meets costs more than all the rest,
//! since the index walks it beside each word.
//!
//! Every token is made of `0-9 a-z : ; # % = ~` and characters beyond ASCII, and is at most 64
//! characters of text long. The FTS5 table that keeps them whole is
//!
//! ```sql
//! CREATE VIRTUAL TABLE … USING fts5(x, content='', contentless_delete=1, detail=none,
//!     prefix='6 7 8', tokenize="ascii tokenchars ':;#%=~'")
//! ```
//!
//! `prefix` counts the tenant and the mark: it answers one, two and three letters without gathering
//! all that begins with them. Words of notes are common, and whole; their index goes to eight.
//!
//! # Hangul
//!
//! NFKD makes letters of syllables, on both sides. So the start of a syllable finds it (`가` finds
//! `강`), as an input method that is still composing would have it, and nothing else changes.

mod customers;
mod expression;
mod notes;

pub use customers::{CustomerDocument, CustomerQuery, Tiers, with_email, with_phone};
pub use expression::Expression;
pub use notes::{NoteDocument, NoteQuery, NoteWords};

/// The rows that an expression finds on PostgreSQL, newest first, as the table expression `found` of
/// a statement with the tenant as `$1` and the expression as `$2`; `$bounds` says which rows may be
/// found, by their number `n`.
///
/// A GIN index gives all rows that a word has, in no order; looking through the newest rows one by one
/// gives a page of a common word at once. So some hundred are looked through first. If they do not fill
/// the page, fifty rows from all over the tenant tell how common the word is, since the newest rows
/// may have nothing of what all others have: an import from another town, for one. For each of the
/// fifty that has the word four thousand earlier rows are looked through, about as many as the index
/// would give of a large tenant's, and two hundred for each of the newest that has it, since fifty probes
/// may all miss what every thirtieth row has; only then is the index asked. So a page never takes much
/// longer than it would by the quicker of the two ways. A planner would choose by statistics that know
/// little of one tenant's words among those of all. That the index's rows are held against the bounds
/// apart keeps it from reading the tenant's whole key beside them; that the word of the earlier rows
/// comes from a query of its own keeps it from expecting so many that it reads whole tables to join them.
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

/// The same for an expression that few rows have, such as a whole telephone number: the index tells them
/// quicker than a walk. Only what very many share, such as a telephone number that stands for none, is
/// among the newest rows; of those it would give thousands.
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

use std::fmt::{self, Write};

use crate::fold::LONGEST_WORD;

/// The `q` of a search folds to no word at all, so there is nothing that a row could contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryHasNoWord;

impl QueryHasNoWord {
    /// The problem in words that say what to change; goes behind the name of the argument.
    #[must_use]
    pub fn text(self) -> &'static str {
        "must hold at least one letter or digit"
    }
}

/// The four characters with which every token of a tenant begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantMark([u8; 4]);

impl TenantMark {
    /// How many tenants one database can have: what four digits of base 36 can count.
    pub const TENANTS: i64 = 36 * 36 * 36 * 36;

    /// The mark of the tenant with this number; `None` if it is negative, or
    /// [`Self::TENANTS`] or more.
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

    fn chars(self) -> impl Iterator<Item = char> {
        self.0.into_iter().map(char::from)
    }

    /// One token of this tenant, of a row that is not archived.
    fn token(self, space: Space, text: &str) -> String {
        Place { tenant: self, shelf: Shelf::Current }.token(space, text)
    }
}

impl fmt::Display for TenantMark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|letter| out.write_char(letter))
    }
}

/// What a token says of its row; tokens of different spaces are never equal.
#[derive(Clone, Copy)]
enum Space {
    Word,
    Phone,
    WholeWord,
    WholePhone,
    Facet,
}

impl Space {
    fn mark(self, on: Shelf) -> &'static str {
        match (self, on) {
            (Self::Word, Shelf::Current) => ":",
            (Self::Word, Shelf::Archived) => ";",
            (Self::Phone, Shelf::Current) => "#",
            (Self::Phone, Shelf::Archived) => "%",
            (Self::WholeWord, Shelf::Current) => "=w:",
            (Self::WholeWord, Shelf::Archived) => "~w:",
            (Self::WholePhone, Shelf::Current) => "=p:",
            (Self::WholePhone, Shelf::Archived) => "~p:",
            (Self::Facet, Shelf::Current) => "=",
            (Self::Facet, Shelf::Archived) => "~",
        }
    }
}

/// Which of a tenant's rows: an archived one is found by no token of the current ones.
#[derive(Clone, Copy)]
enum Shelf {
    Current,
    Archived,
}

/// Where a row's tokens are.
#[derive(Clone, Copy)]
struct Place {
    tenant: TenantMark,
    shelf: Shelf,
}

impl Place {
    fn token(self, space: Space, text: &str) -> String {
        format!("{}{}{text}", self.tenant, space.mark(self.shelf))
    }
}

/// The tokens of one row while they are collected: all of them in one buffer, since a note has up
/// to a hundred thousand.
struct Tokens {
    place: Place,
    buffer: String,
    ends: Vec<usize>,
}

impl Tokens {
    fn new(place: Place) -> Self {
        Self { place, buffer: String::new(), ends: Vec::new() }
    }

    fn add(&mut self, space: Space, text: &str) {
        self.buffer.extend(self.place.tenant.chars());
        self.buffer.push_str(space.mark(self.place.shelf));
        self.buffer.push_str(cut(text));
        self.ends.push(self.buffer.len());
    }

    /// Adds the text from each of its characters on.
    fn add_tails(&mut self, space: Space, text: &str) {
        for (start, _) in text.char_indices() {
            self.add(space, &text[start..]);
        }
    }

    /// Each token once, parted by spaces: the value of the index's one column.
    fn finish(self) -> String {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut tokens: Vec<&str> =
            starts.zip(&self.ends).map(|(start, end)| &self.buffer[start..*end]).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.join(" ")
    }
}

/// As much of a text as one token holds.
fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST_WORD).map_or(text, |(end, _)| &text[..end])
}

/// A number inside a token. Tokens hold no minus sign, so what is negative comes out large.
fn numbered(name: &str, number: i64) -> String {
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
        let mut tokens = Tokens::new(Place { tenant, shelf: Shelf::Current });
        tokens.add_tails(Space::Word, "anna");
        tokens.add(Space::WholeWord, &"東".repeat(70));
        let whole = format!("0001=w:{}", "東".repeat(64));
        assert_eq!(tokens.finish(), format!("0001:a 0001:anna 0001:na 0001:nna {whole}"));
    }

    #[test]
    fn numbers_hold_no_sign() {
        assert_eq!(numbered("tag", 7), "tag:7");
        assert!(!numbered("tag", -7).contains('-'));
    }
}
