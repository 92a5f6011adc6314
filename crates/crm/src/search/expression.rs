//! Expressions over tokens, and how an engine is asked for them.
//!
//! Here lives the tree that every search becomes, and one rendering of it for each engine's index.
//! What the tokens mean is none of its business.

use std::fmt::Write;

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

    /// The expression as the right side of an FTS5 `MATCH`.
    ///
    /// Every token stands in quotes, in which only the quote itself means anything, and every
    /// group in parentheses, so that no text can become an operator and the order in which FTS5
    /// binds its operators does not matter.
    #[must_use]
    pub fn to_fts5(&self) -> String {
        let mut out = String::new();
        self.write_fts5(&mut out);
        out
    }

    fn write_fts5(&self, out: &mut String) {
        match self {
            Self::Token(token) => write_quoted(token, out),
            Self::Prefix(token) => {
                write_quoted(token, out);
                out.push_str(" *");
            }
            Self::All(parts) => write_joined(parts, " AND ", out),
            Self::Any(parts) => write_joined(parts, " OR ", out),
            Self::Except(held, excluded) => {
                out.push('(');
                held.write_fts5(out);
                out.push_str(" NOT ");
                excluded.write_fts5(out);
                out.push(')');
            }
        }
    }
}

fn write_quoted(token: &str, out: &mut String) {
    write!(out, "\"{}\"", token.replace('"', "\"\"")).expect("writing to a string cannot fail");
}

fn write_joined(parts: &[Expression], operator: &str, out: &mut String) {
    out.push('(');
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push_str(operator);
        }
        part.write_fts5(out);
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
        assert_eq!(rest.to_fts5(), r#"((("a" OR "b" *) AND "c""d") NOT ("a" OR "b" *))"#);
    }

    #[test]
    fn one_part_needs_no_group() {
        assert_eq!(Expression::all([token("a"), token("a")]).unwrap().to_fts5(), r#""a""#);
        assert_eq!(Expression::any([]), None);
    }

    #[test]
    fn a_choice_inside_a_choice_is_asked_for_once() {
        let inner = Expression::any([token("a"), token("b")]).unwrap();
        let outer = Expression::any([token("b"), inner, token("c")]).unwrap();
        assert_eq!(outer.to_fts5(), r#"("b" OR "a" OR "c")"#);
    }
}
