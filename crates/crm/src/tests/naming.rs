//! Finds the per-tenant tables that a statement reads or writes without naming the tenant. This is a simple parser
//! for our own statements, which have keywords in capitals and spaces around `=`. It also reports what it does not
//! understand, so that no unusual statement passes.

use std::collections::BTreeSet;

use zoop_db::Dialect;

use crate::schema::{MIGRATIONS, SEARCH_TABLES};

/// The tables of an engine.
struct Tables {
    per_tenant: BTreeSet<&'static str>,
    others: BTreeSet<&'static str>,
    /// Tables without a tenant column, whose rows are referenced by number: SQLite's search index.
    by_number: &'static [&'static str],
}

fn tables(engine: Dialect) -> Tables {
    let by_number = if engine == Dialect::Sqlite { SEARCH_TABLES } else { &[] };
    let (mut per_tenant, mut others) = (BTreeSet::new(), BTreeSet::new());
    for migration in MIGRATIONS {
        let text = if engine == Dialect::Sqlite { migration.sqlite } else { migration.postgres };
        for declared in text.split("CREATE TABLE ").skip(1) {
            let (name, columns) = declared.split_once(" (\n").expect("a table's columns");
            let columns = columns.split_once("\n)").expect("their end").0;
            let is_per_tenant = columns.lines().any(|line| line.starts_with("  tenant_no "));
            if is_per_tenant {
                per_tenant.insert(name)
            } else {
                others.insert(name)
            };
        }
    }
    Tables { per_tenant, others, by_number }
}

/// Every table that the migrations create on an engine.
pub(super) fn declared(engine: Dialect) -> BTreeSet<&'static str> {
    let tables = tables(engine);
    tables.per_tenant.into_iter().chain(tables.others).collect()
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Comma,
    /// The tokens in parentheses.
    Group(Vec<Token<'a>>),
}
use Token::{Comma, Group, Word};

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut open = vec![Vec::new()];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let ends_word = |c: char| c.is_ascii_whitespace() || "(),'".contains(c);
        let length = match first {
            '\'' => rest[1..].find('\'').expect("the end of a string") + 2,
            _ if ends_word(first) => 1,
            _ => rest.find(ends_word).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        let token = match token {
            "(" => {
                open.push(Vec::new());
                continue;
            }
            ")" => Group(open.pop().expect("an opening parenthesis")),
            "," => Comma,
            blank if blank.trim().is_empty() => continue,
            word => Word(word),
        };
        open.last_mut().expect("an enclosing group").push(token);
    }
    open.pop().filter(|_| open.is_empty()).expect("balanced parentheses")
}

/// A table, or a query that is used like one.
struct Source<'a> {
    table: Option<&'a str>,
    alias: &'a str,
    is_insert: bool,
}

/// A condition that two sides are equal.
struct Equal<'a> {
    sides: [&'a str; 2],
    /// If this is the condition of a LEFT JOIN: the index of the joined source, the only one that it restricts.
    left_join: Option<usize>,
}

/// One SELECT, INSERT, UPDATE or DELETE, without its parts in parentheses.
#[derive(Default)]
struct Select<'a> {
    sources: Vec<Source<'a>>,
    equal: Vec<Equal<'a>>,
    shows_tenant: bool,
    has_or: bool,
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

fn source<'a>(tokens: &[Token<'a>], is_insert: bool) -> Option<Source<'a>> {
    let tokens = match tokens {
        [Word("LATERAL"), rest @ ..] => rest,
        all => all,
    };
    let (first, rest) = tokens.split_first()?;
    let (table, rest) = match (first, rest) {
        (Group(_), _) => (None, rest),
        // A function call.
        (Word(_), [Group(_), rest @ ..]) if !is_insert => (None, rest),
        (Word(table), _) if is_name(table) => (Some(*table), rest),
        // `DO UPDATE SET` names no table: it follows an INSERT.
        _ => return None,
    };
    let alias = match rest {
        [Word("AS"), Word(alias), ..] => alias,
        [Word(alias), ..] if is_name(alias) => alias,
        _ => table.unwrap_or_default(),
    };
    Some(Source { table, alias, is_insert })
}

fn select<'a>(tokens: &[Token<'a>]) -> Select<'a> {
    let mut select = Select::default();
    let (mut lists_sources, mut left_join) = (false, None);
    for (index, token) in tokens.iter().enumerate() {
        let (before, after) = (&tokens[..index], &tokens[index + 1..]);
        match token {
            Word(word @ ("FROM" | "JOIN" | "UPDATE" | "INTO")) => {
                let is_left = matches!(before, [.., Word("LEFT")]);
                left_join = is_left.then_some(select.sources.len());
                lists_sources = matches!(*word, "FROM" | "JOIN");
                select.sources.extend(source(after, *word == "INTO"));
            }
            Comma if lists_sources => select.sources.extend(source(after, false)),
            Word("WHERE" | "GROUP" | "HAVING" | "ORDER" | "LIMIT" | "SET") => {
                (lists_sources, left_join) = (false, None);
            }
            Word("OR") => select.has_or = true,
            Word("tenant_no") if select.sources.is_empty() => select.shows_tenant = true,
            Word("=") => {
                if let ([.., Word("WHERE" | "AND" | "ON"), Word(one)], [Word(other), ..]) =
                    (before, after)
                {
                    select.equal.push(Equal { sides: [one, other], left_join });
                }
            }
            _ => {}
        }
    }
    select
}

/// Whether the first column of an INSERT is `column`, and its value is `value`.
fn sets_first_column(tokens: &[Token<'_>], column: &str, value: &str) -> bool {
    let Some(into) = tokens.iter().position(|token| *token == Word("INTO")) else { return false };
    let [_, Group(columns), values @ ..] = &tokens[into + 1..] else { return false };
    let first = match values {
        [Word("VALUES"), Group(values), ..] => values.first(),
        [Word("SELECT"), first, ..] => Some(first),
        _ => None,
    };
    let is_value = |word: &str| word.split("::").next() == Some(value);
    columns.first() == Some(&Word(column)) && matches!(first, Some(Word(word)) if is_value(word))
}

impl Select<'_> {
    /// Whether source `which` is restricted to the tenant's rows. `known` says which sources were found to be.
    fn is_restricted(
        &self,
        tables: &Tables,
        tokens: &[Token<'_>],
        which: usize,
        known: &[bool],
    ) -> bool {
        let Source { table, alias, is_insert } = &self.sources[which];
        let by_number = table.is_some_and(|table| tables.by_number.contains(&table));
        if *is_insert {
            let (column, value) = if by_number { ("rowid", "$2") } else { ("tenant_no", "$1") };
            return sets_first_column(tokens, column, value);
        }
        let is_alone = self.sources.iter().filter(|source| !source.is_insert).count() == 1;
        let (own, others) = if by_number { ("rowid", "n") } else { ("tenant_no", "tenant_no") };
        let is_own = |side: &str| side == format!("{alias}.{own}") || (is_alone && side == own);
        let is_known = |side: &str| {
            let is_known_source = |(source, known): (&Source<'_>, &bool)| {
                *known && source.table.is_some() && side == format!("{}.{others}", source.alias)
            };
            let value = if by_number { "$2" } else { "$1" };
            side == value || self.sources.iter().zip(known).any(is_known_source)
        };
        !self.has_or
            && self.equal.iter().any(|Equal { sides: [one, other], left_join }| {
                left_join.is_none_or(|joined| joined == which)
                    && ((is_own(one) && is_known(other)) || (is_own(other) && is_known(one)))
            })
    }
}

struct Check<'a> {
    tables: Tables,
    /// The names of subqueries, each with whether a query that reads it must name the tenant.
    queries: Vec<(&'a str, bool)>,
    missing: Vec<String>,
}

impl<'a> Check<'a> {
    /// Checks the queries in parentheses first, since the enclosing queries use their names.
    fn check_queries(&mut self, tokens: &[Token<'a>], name: Option<&'a str>) {
        for (index, token) in tokens.iter().enumerate() {
            let Group(inner) = token else { continue };
            let name = match &tokens[..index] {
                [.., Word(name), Word("AS")]
                | [.., Word(name), Word("AS"), Word("MATERIALIZED")] => Some(*name),
                _ => None,
            };
            if let Some(name) = name {
                self.queries.push((name, false));
            }
            self.check_queries(inner, name);
        }
        for tokens in tokens.split(|token| *token == Word("UNION")) {
            self.check_select(tokens, name);
        }
    }

    fn check_select(&mut self, tokens: &[Token<'a>], name: Option<&'a str>) {
        let select = select(tokens);
        let mut known = vec![false; select.sources.len()];
        // Each round may find more restricted sources: those joined to the sources that the previous round found.
        for _ in 0..known.len() {
            for which in 0..known.len() {
                known[which] = select.is_restricted(&self.tables, tokens, which, &known);
            }
        }
        for (source, is_restricted) in select.sources.iter().zip(known) {
            let Some(table) = source.table else { continue };
            if is_restricted || !self.needs_tenant(table) {
                continue;
            }
            let query = self.queries.iter_mut().rfind(|(query, _)| Some(*query) == name);
            match query {
                Some((_, must_name)) if select.shows_tenant && select.sources.len() == 1 => {
                    *must_name = true;
                }
                _ => self.missing.push(format!("{table} {}", source.alias)),
            }
        }
    }

    fn needs_tenant(&self, table: &str) -> bool {
        match self.queries.iter().rfind(|(query, _)| *query == table) {
            Some((_, must_name)) => *must_name,
            None => !self.tables.others.contains(table),
        }
    }
}

/// The per-tenant tables and the unknown tables for which a statement does not name the tenant.
pub(super) fn missing(engine: Dialect, statement: &str) -> Vec<String> {
    let mut check = Check { tables: tables(engine), queries: Vec::new(), missing: Vec::new() };
    check.check_queries(&tokens(statement), None);
    check.missing
}

#[test]
fn the_tables_are_found() {
    for engine in [Dialect::Sqlite, Dialect::Postgres] {
        let tables = tables(engine);
        assert!(["customers", "memberships"].iter().all(|table| tables.per_tenant.contains(table)));
        assert!(["tenants", "users"].iter().all(|table| tables.others.contains(table)));
        assert_eq!(tables.per_tenant.contains("note_search"), engine == Dialect::Postgres);
    }
}

#[test]
fn a_missing_tenant_condition_is_found() {
    for (statement, expected) in [
        ("SELECT id FROM tags", "tags tags"),
        ("SELECT id FROM tags WHERE id = $2", "tags tags"),
        ("SELECT id FROM tags WHERE tenant_no = $2", "tags tags"),
        ("SELECT id FROM tags WHERE NOT tenant_no = $1", "tags tags"),
        ("SELECT id FROM tags WHERE tenant_no = $1 OR id = $2", "tags tags"),
        ("SELECT id FROM tags t WHERE u.tenant_no = $1", "tags t"),
        ("UPDATE tags SET tenant_no = $1 WHERE id = $2", "tags tags"),
        ("DELETE FROM tags WHERE id = $2", "tags tags"),
        ("INSERT INTO tags (id, tenant_no) VALUES ($1, $2)", "tags tags"),
        ("INSERT INTO tags (tenant_no, id) VALUES ($2, $1)", "tags tags"),
        (
            "SELECT t.id FROM customer_tags c JOIN tags t ON t.id = c.tag_id WHERE c.tenant_no = $1",
            "tags t",
        ),
        (
            "SELECT t.id FROM customer_tags c, tags t WHERE t.tenant_no = $1 AND t.id = c.tag_id",
            "customer_tags c",
        ),
        (
            "SELECT c.id FROM customers c LEFT JOIN contacts p ON p.tenant_no = c.tenant_no \
             AND c.tenant_no = $1 WHERE c.id = $2",
            "customers c",
        ),
        (
            "SELECT c.id FROM customers c JOIN contacts p ON p.tenant_no = c.tenant_no",
            "customers c",
        ),
        (
            "SELECT id FROM tags WHERE tenant_no = $1 AND id IN (SELECT tag_id FROM customer_tags)",
            "customer_tags customer_tags",
        ),
        (
            "WITH found AS (SELECT tenant_no, id FROM tags WHERE id = $2) SELECT id FROM found",
            "found found",
        ),
        ("WITH found AS (SELECT id FROM tags) SELECT id FROM found", "tags tags"),
        (
            "SELECT id FROM tags WHERE tenant_no = $1 UNION ALL SELECT id FROM notes WHERE id = $2",
            "notes notes",
        ),
        ("SELECT id FROM what WHERE id = $2", "what what"),
    ] {
        for engine in [Dialect::Sqlite, Dialect::Postgres] {
            assert!(
                missing(engine, statement).contains(&expected.to_owned()),
                "{statement}: {:?}",
                missing(engine, statement)
            );
        }
    }
    for (statement, expected) in [
        (
            "SELECT c.id FROM customer_search JOIN customers c ON c.id = $3 \
             WHERE customer_search MATCH $2 AND c.tenant_no = $1",
            "customer_search customer_search",
        ),
        (
            "SELECT c.id FROM customer_search JOIN customers c ON c.n = customer_search.rowid \
             WHERE customer_search MATCH $2",
            "customers c",
        ),
    ] {
        assert!(missing(Dialect::Sqlite, statement).contains(&expected.to_owned()), "{statement}");
    }
}
