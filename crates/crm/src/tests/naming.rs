//! Finds the per-tenant tables that a statement reads or writes without naming the tenant. This is a simple parser
//! for our own statements, which have keywords in capitals, spaces around `=` and no quoted names. It also reports
//! tables, joins and keywords in any other form, because it cannot check these.

use std::collections::BTreeSet;

use zoop_db::Dialect;

use crate::schema::{MIGRATIONS, SEARCH_TABLES};

/// The tables of an engine.
struct Tables {
    per_tenant: BTreeSet<&'static str>,
    global: BTreeSet<&'static str>,
    /// SQLite's search index. These tables have no tenant column: the `rowid` of a row is the number `n` of the record
    /// that the row is about.
    by_number: &'static [&'static str],
}

fn tables(engine: Dialect) -> Tables {
    let by_number = if engine == Dialect::Sqlite { SEARCH_TABLES } else { &[] };
    let (mut per_tenant, mut global) = (BTreeSet::new(), BTreeSet::new());
    for migration in MIGRATIONS {
        let text = if engine == Dialect::Sqlite { migration.sqlite } else { migration.postgres };
        for declared in text.split("CREATE TABLE ").skip(1) {
            let (name, columns) = declared.split_once(" (\n").expect("a table's columns");
            let columns = columns.split_once("\n)").expect("the end of the columns").0;
            let is_per_tenant = columns.lines().any(|line| line.starts_with("  tenant_no "));
            if is_per_tenant {
                per_tenant.insert(name)
            } else {
                global.insert(name)
            };
        }
    }
    Tables { per_tenant, global, by_number }
}

/// Every table that the migrations create on an engine, except virtual tables.
pub(super) fn declared(engine: Dialect) -> BTreeSet<&'static str> {
    let tables = tables(engine);
    tables.per_tenant.into_iter().chain(tables.global).collect()
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

/// Something that a query reads from or writes to.
struct Source<'a> {
    /// The name of a table or of a subquery in WITH. `None` for a subquery in parentheses and for a function.
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
struct Query<'a> {
    sources: Vec<Source<'a>>,
    equal: Vec<Equal<'a>>,
    /// Whether the query returns the column `tenant_no`, so that a query that reads from it can name the tenant.
    returns_tenant: bool,
    has_or: bool,
    /// Words that this parser does not understand.
    unknown: Vec<&'a str>,
}

/// The keywords before a table.
const BEFORE_TABLE: &[&str] = &["FROM", "JOIN", "UPDATE", "INTO", "USING"];

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_keyword(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The source that begins with these tokens. `None` if its form is unknown.
fn source<'a>(tokens: &[Token<'a>], is_insert: bool) -> Option<Source<'a>> {
    let tokens = match tokens {
        [Word("LATERAL"), rest @ ..] => rest,
        all => all,
    };
    let (first, rest) = tokens.split_first()?;
    let (table, rest) = match (first, rest) {
        (Group(query), _) if matches!(query[..], [Word("SELECT" | "WITH" | "VALUES"), ..]) => {
            (None, rest)
        }
        // A function call.
        (Word(name), [Group(_), rest @ ..]) if is_name(name) && !is_insert => (None, rest),
        (Word(table), _) if is_name(table) => (Some(*table), rest),
        _ => return None,
    };
    let alias = match rest {
        [Word("AS"), Word(alias), ..] => alias,
        [Word(alias), ..] if is_name(alias) => alias,
        _ => table.unwrap_or_default(),
    };
    Some(Source { table, alias, is_insert })
}

fn parse<'a>(tokens: &[Token<'a>]) -> Query<'a> {
    let mut query = Query::default();
    let (mut lists_sources, mut left_join) = (false, None);
    for (index, token) in tokens.iter().enumerate() {
        let (before, after) = (&tokens[..index], &tokens[index + 1..]);
        match token {
            // `ON CONFLICT … DO UPDATE SET` and `FOR UPDATE` name no table.
            Word("UPDATE") if matches!(before, [.., Word("DO" | "FOR")]) => {
                (lists_sources, left_join) = (false, None);
            }
            // `IS DISTINCT FROM` compares two values.
            Word("FROM") if matches!(before, [.., Word("IS" | "NOT"), Word("DISTINCT")]) => {}
            Word(word) if BEFORE_TABLE.contains(word) => {
                let join = before.last().filter(|_| *word == "JOIN");
                if let Some(Word(kind)) = join
                    && is_keyword(kind)
                    // The sources of a CROSS JOIN are restricted in WHERE, like those of a comma.
                    && !matches!(*kind, "LEFT" | "CROSS")
                {
                    query.unknown.push(*kind);
                }
                left_join = (join == Some(&Word("LEFT"))).then_some(query.sources.len());
                lists_sources = matches!(*word, "FROM" | "JOIN" | "USING");
                query.add_source(word, source(after, *word == "INTO"));
            }
            Word(word) if BEFORE_TABLE.contains(&&*word.to_uppercase()) => {
                query.unknown.push(*word);
            }
            Comma if lists_sources => query.add_source(",", source(after, false)),
            Word("WHERE" | "GROUP" | "HAVING" | "ORDER" | "LIMIT" | "SET") => {
                (lists_sources, left_join) = (false, None);
            }
            Word("OR") => query.has_or = true,
            Word("tenant_no") if query.sources.is_empty() => query.returns_tenant = true,
            Word("=") => {
                if let ([.., Word("WHERE" | "AND" | "ON"), Word(one)], [Word(other), ..]) =
                    (before, after)
                {
                    query.equal.push(Equal { sides: [one, other], left_join });
                }
            }
            _ => {}
        }
    }
    query
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

impl<'a> Query<'a> {
    /// Adds the source that follows the word `before`, if the form of the source is known.
    fn add_source(&mut self, before: &'a str, source: Option<Source<'a>>) {
        match source {
            Some(source) => self.sources.push(source),
            None => self.unknown.push(before),
        }
    }

    /// Whether the source at `index` is restricted to the tenant's rows. `restricted` says for which sources this is
    /// already known.
    ///
    /// A row of a table with a tenant is restricted by its column `tenant_no`: it must equal `$1`, or `tenant_no` of a
    /// restricted source. A row of the search index is restricted by its `rowid`: it must equal `$2`, which is the
    /// record's number, or `n` of a restricted source.
    fn is_restricted(
        &self,
        tables: &Tables,
        tokens: &[Token<'_>],
        index: usize,
        restricted: &[bool],
    ) -> bool {
        let Source { table, alias, is_insert } = &self.sources[index];
        let by_number = table.is_some_and(|table| tables.by_number.contains(&table));
        let (own_column, joined_column, value) =
            if by_number { ("rowid", "n", "$2") } else { ("tenant_no", "tenant_no", "$1") };
        if *is_insert {
            return sets_first_column(tokens, own_column, value);
        }
        let is_alone = self.sources.iter().filter(|source| !source.is_insert).count() == 1;
        let is_own = |side: &str| {
            side == format!("{alias}.{own_column}") || (is_alone && side == own_column)
        };
        let is_tenants = |side: &str| {
            let has_column = |(source, is_restricted): (&Source<'_>, &bool)| {
                *is_restricted
                    && source.table.is_some()
                    && side == format!("{}.{joined_column}", source.alias)
            };
            side == value || self.sources.iter().zip(restricted).any(has_column)
        };
        !self.has_or
            && self.equal.iter().any(|Equal { sides: [one, other], left_join }| {
                left_join.is_none_or(|joined| joined == index)
                    && ((is_own(one) && is_tenants(other)) || (is_own(other) && is_tenants(one)))
            })
    }
}

/// A subquery in WITH.
struct Subquery<'a> {
    name: &'a str,
    /// Whether each query that reads from this subquery must name the tenant. This is so if the subquery does not name
    /// the tenant itself, but returns `tenant_no` of its only source.
    reader_needs_tenant: bool,
}

struct Check<'a> {
    tables: Tables,
    subqueries: Vec<Subquery<'a>>,
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
                self.subqueries.push(Subquery { name, reader_needs_tenant: false });
            }
            self.check_queries(inner, name);
        }
        for tokens in tokens.split(|token| *token == Word("UNION")) {
            self.check_query(tokens, name);
        }
    }

    /// Checks one query. `name` is its name, if it is a subquery in WITH.
    fn check_query(&mut self, tokens: &[Token<'a>], name: Option<&'a str>) {
        let query = parse(tokens);
        self.missing.extend(query.unknown.iter().map(|word| format!("unknown form: {word}")));
        let mut restricted = vec![false; query.sources.len()];
        // Each round may find more restricted sources: those joined to the sources that the previous round found.
        for _ in 0..restricted.len() {
            for index in 0..restricted.len() {
                restricted[index] = query.is_restricted(&self.tables, tokens, index, &restricted);
            }
        }
        for (source, is_restricted) in query.sources.iter().zip(restricted) {
            let Some(table) = source.table else { continue };
            if is_restricted || !self.needs_tenant(table) {
                continue;
            }
            let subquery = self.subqueries.iter_mut().rfind(|it| Some(it.name) == name);
            match subquery {
                Some(subquery) if query.returns_tenant && query.sources.len() == 1 => {
                    subquery.reader_needs_tenant = true;
                }
                _ => self.missing.push(format!("{table} {}", source.alias)),
            }
        }
    }

    fn needs_tenant(&self, table: &str) -> bool {
        match self.subqueries.iter().rfind(|subquery| subquery.name == table) {
            Some(subquery) => subquery.reader_needs_tenant,
            None => !self.tables.global.contains(table),
        }
    }
}

/// The sources for which a statement should name the tenant but does not, each as its table and its alias. An unknown
/// table counts as a per-tenant table. Forms that the parser does not understand are returned too.
pub(super) fn missing(engine: Dialect, statement: &str) -> Vec<String> {
    let mut check = Check { tables: tables(engine), subqueries: Vec::new(), missing: Vec::new() };
    check.check_queries(&tokens(statement), None);
    check.missing
}

#[test]
fn the_tables_are_found() {
    for engine in [Dialect::Sqlite, Dialect::Postgres] {
        let tables = tables(engine);
        assert!(["customers", "memberships"].iter().all(|table| tables.per_tenant.contains(table)));
        assert!(["tenants", "users"].iter().all(|table| tables.global.contains(table)));
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
        ("SELECT id FROM \"tags\" WHERE id = $2", "unknown form: FROM"),
        ("SELECT id FROM notes n, \"tags\" WHERE n.tenant_no = $1", "unknown form: ,"),
        ("SELECT id FROM ONLY tags WHERE id = $2", "unknown form: FROM"),
        ("SELECT id FROM ONLY (tags) WHERE id = $2", "unknown form: FROM"),
        ("SELECT n.id FROM (tags JOIN notes n ON n.tenant_no = $1)", "unknown form: FROM"),
        ("UPDATE ONLY tags SET name = $3 WHERE id = $2", "unknown form: UPDATE"),
        ("DELETE FROM tags USING notes n WHERE tags.tenant_no = $1", "notes n"),
        ("select id from tags where id = $2", "unknown form: from"),
        (
            "SELECT c.id FROM customers c LEFT OUTER JOIN contacts p ON p.tenant_no = c.tenant_no \
             AND c.tenant_no = $1 WHERE c.id = $2",
            "unknown form: OUTER",
        ),
        (
            "SELECT c.id FROM customers c FULL JOIN contacts p ON p.tenant_no = c.tenant_no \
             AND c.tenant_no = $1 WHERE c.id = $2",
            "unknown form: FULL",
        ),
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
