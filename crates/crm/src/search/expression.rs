//! Expressions over tokens, and their text for each engine's index. Every search becomes an expression.
//!
//! What must never live here: the meaning of a token.

use std::fmt::Write;

use zoop_db::Dialect;

/// A condition on the tokens of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The row has this token.
    Token(String),
    /// The row has a token with this prefix.
    Prefix(String),
    /// All of these match. Never empty.
    All(Vec<Expression>),
    /// At least one of these matches. Never empty.
    Any(Vec<Expression>),
    /// The first matches and the second does not.
    Except(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// All parts match. Duplicates are removed. `None` if there are no parts.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        Self::join(parts, Self::All)
    }

    /// At least one part matches. Nested `Any` parts are flattened and duplicates removed. `None`
    /// if there are no parts.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
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

    /// The expression in the engine's query language: the right side of an FTS5 `MATCH`, or a
    /// `tsquery`.
    ///
    /// Every token is quoted, so no text can become an operator. Inside quotes only the quote itself is
    /// special (and the backslash in a `tsquery`). Every group is parenthesized, so operator precedence
    /// does not matter.
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
            Self::Except(included, excluded) => {
                out.push('(');
                included.write(operators, out);
                out.push_str(operators.except);
                excluded.write(operators, out);
                out.push(')');
            }
        }
    }
}

/// The syntax of an engine's query language.
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
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
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
    fn groups_are_parenthesized_and_tokens_are_quoted() {
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
    fn nested_choices_are_flattened_without_duplicates() {
        let inner = Expression::any([token("a"), token("b")]).unwrap();
        let outer = Expression::any([token("b"), inner, token("c")]).unwrap();
        assert_eq!(outer.text(Dialect::Sqlite), r#"("b" OR "a" OR "c")"#);
    }
}
