//! Expressions over tokens, and how an engine is asked for them.
//!
//! Here lives the tree that every search becomes, and one rendering of it for each engine's index.
//! What the tokens mean is none of its business.

use std::fmt::Write;

use zoop_db::Dialect;

/// What a row's tokens must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The row has this token.
    Token(String),
    /// The row has a token that starts with this.
    Prefix(String),
    /// All of these hold. Never empty.
    All(Vec<Expression>),
    /// One of these holds at least. Never empty.
    Any(Vec<Expression>),
    /// The first holds and the second does not.
    Except(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// All parts hold; parts that say the same count once. `None` without parts.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        Self::join(parts, Self::All)
    }

    /// One part holds at least; parts that say the same count once, also inside parts that are
    /// choices themselves. `None` without parts.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let parts = parts.into_iter().flat_map(|part| match part {
            Self::Any(choices) => choices,
            other => vec![other],
        });
        Self::join(parts, Self::Any)
    }

    fn join(parts: impl IntoIterator<Item = Self>, join: fn(Vec<Self>) -> Self) -> Option<Self> {
        let mut distinct: Vec<Self> = Vec::new();
        for part in parts {
            if !distinct.contains(&part) {
                distinct.push(part);
            }
        }
        if distinct.len() > 1 { Some(join(distinct)) } else { distinct.pop() }
    }

    /// The expression as an engine's index is asked: the right side of an FTS5 `MATCH`, or a
    /// `tsquery`.
    ///
    /// Every token stands in quotes, in which only the quote itself means anything (and for a
    /// `tsquery` the backslash), and every group in parentheses, so that no text can become an
    /// operator and the order in which operators bind does not matter.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        let mut out = String::new();
        self.write(operators(dialect), &mut out);
        out
    }

    fn write(&self, operators: &Operators, out: &mut String) {
        match self {
            Self::Token(token) => (operators.quote)(token, out),
            Self::Prefix(token) => {
                (operators.quote)(token, out);
                out.push_str(operators.prefix);
            }
            Self::All(parts) => write_joined(parts, operators.all, operators, out),
            Self::Any(parts) => write_joined(parts, operators.any, operators, out),
            Self::Except(held, excluded) => {
                out.push('(');
                held.write(operators, out);
                out.push_str(operators.except);
                excluded.write(operators, out);
                out.push(')');
            }
        }
    }
}

/// How an index's language says things.
struct Operators {
    quote: fn(&str, &mut String),
    prefix: &'static str,
    all: &'static str,
    any: &'static str,
    except: &'static str,
}

const FTS5: Operators =
    Operators { quote: quote_fts5, prefix: " *", all: " AND ", any: " OR ", except: " NOT " };
const TSQUERY: Operators =
    Operators { quote: quote_tsquery, prefix: ":*", all: " & ", any: " | ", except: " & !" };

const fn operators(dialect: Dialect) -> &'static Operators {
    match dialect {
        Dialect::Sqlite => &FTS5,
        Dialect::Postgres => &TSQUERY,
    }
}

fn quote_fts5(token: &str, out: &mut String) {
    write!(out, "\"{}\"", token.replace('"', "\"\"")).expect("writing to a string cannot fail");
}

fn quote_tsquery(token: &str, out: &mut String) {
    write!(out, "'{}'", token.replace('\\', "\\\\").replace('\'', "''"))
        .expect("writing to a string cannot fail");
}

fn write_joined(parts: &[Expression], operator: &str, operators: &Operators, out: &mut String) {
    out.push('(');
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push_str(operator);
        }
        part.write(operators, out);
    }
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Expression {
        Expression::Token(text.to_owned())
    }

    #[test]
    fn groups_stand_in_parentheses_and_tokens_in_quotes() {
        let any =
            Expression::any([token("a"), Expression::Prefix("b".to_owned()), token("a")]).unwrap();
        let all = Expression::all([any.clone(), token("c\"d")]).unwrap();
        let rest = Expression::Except(Box::new(all), Box::new(any));
        assert_eq!(
            rest.text(Dialect::Sqlite),
            r#"((("a" OR "b" *) AND "c""d") NOT ("a" OR "b" *))"#
        );
        assert_eq!(rest.text(Dialect::Postgres), r#"((('a' | 'b':*) & 'c"d') & !('a' | 'b':*))"#);
        assert_eq!(token(r"o'\").text(Dialect::Postgres), r"'o''\\'");
    }

    #[test]
    fn one_part_needs_no_group() {
        assert_eq!(
            Expression::all([token("a"), token("a")]).unwrap().text(Dialect::Sqlite),
            r#""a""#
        );
        assert_eq!(Expression::any([]), None);
    }

    #[test]
    fn a_choice_inside_a_choice_is_asked_for_once() {
        let inner = Expression::any([token("a"), token("b")]).unwrap();
        let outer = Expression::any([token("b"), inner, token("c")]).unwrap();
        assert_eq!(outer.text(Dialect::Sqlite), r#"("b" OR "a" OR "c")"#);
    }
}
