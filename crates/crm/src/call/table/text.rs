//! The statements that name every column of a table, as text that is built at compile time.

use zoop_db::Kind;
use zoop_db::sql_text::Draft;

use super::{Column, Role};

/// The columns of a record's table.
pub(crate) struct Columns {
    /// The table's name.
    pub(crate) table: &'static str,
    /// The names of the key's columns in order, after the tenant's.
    pub(crate) key: &'static [&'static str],
    /// The record's fields, then the columns that the record does not hold.
    pub(crate) all: &'static [Column],
    /// How many fields the record has.
    pub(crate) fields: usize,
}

/// Some of a table's columns.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// All columns of the table.
    Stored,
    /// Those that the record holds.
    Read,
    /// Those that INSERT writes.
    Inserted,
    /// Those that UPDATE writes.
    Updated,
}

impl Columns {
    const fn has(&self, part: Part, at: usize) -> bool {
        let Column { name, role, .. } = self.all[at];
        match part {
            Part::Stored => !matches!(role, Role::Derived),
            Part::Read => !matches!(role, Role::Derived) && at < self.fields,
            Part::Inserted => matches!(role, Role::Changing | Role::Fixed),
            Part::Updated => matches!(role, Role::Changing) && !is_among(name, self.key),
        }
    }

    /// The number of columns in a part.
    pub(crate) const fn count(&self, part: Part) -> usize {
        let (mut count, mut at) = (0, 0);
        while at < self.all.len() {
            count += self.has(part, at) as usize;
            at += 1;
        }
        count
    }

    /// All columns, the key's first.
    pub(crate) const fn key_first<const N: usize>(&self) -> [Column; N] {
        let mut columns = [self.all[0]; N];
        let (mut filled, mut at) = (0, 0);
        while filled < self.key.len() {
            columns[filled] = self.all[self.place(self.key[filled])];
            filled += 1;
        }
        while at < self.all.len() {
            if self.has(Part::Stored, at) && !is_among(self.all[at].name, self.key) {
                columns[filled] = self.all[at];
                filled += 1;
            }
            at += 1;
        }
        columns
    }

    /// The index of the column with this name. An unknown name does not compile.
    const fn place(&self, name: &str) -> usize {
        let mut at = 0;
        while !is_same(self.all[at].name, name) {
            at += 1;
        }
        at
    }

    /// The number of the record's fields that are parameters of the statement that writes a part.
    pub(crate) const fn parameters(&self, part: Part) -> usize {
        let (mut count, mut at) = (self.keys_of(part), 0);
        while at < self.fields {
            count += self.has(part, at) as usize;
            at += 1;
        }
        count
    }

    /// Which of the record's fields are parameters of the statement that writes a part, in order.
    pub(crate) const fn places<const N: usize>(&self, part: Part) -> [usize; N] {
        let (mut places, mut filled, mut at) = ([0; N], 0, 0);
        while filled < self.keys_of(part) {
            places[filled] = self.place(self.key[filled]);
            filled += 1;
        }
        while at < self.fields {
            if self.has(part, at) {
                places[filled] = at;
                filled += 1;
            }
            at += 1;
        }
        places
    }

    /// UPDATE finds the row by its key. The key's parameters come before those of the columns that it
    /// writes.
    const fn keys_of(&self, part: Part) -> usize {
        if matches!(part, Part::Updated) { self.key.len() } else { 0 }
    }

    /// The columns that the record holds, as a SELECT lists them, each after `alias`.
    pub(crate) const fn selected(&self, alias: &str) -> Draft {
        let mut draft = Draft::of(&[]);
        let mut at = 0;
        while at < self.all.len() {
            if self.has(Part::Read, at) {
                separate(&mut draft);
                draft.push(alias);
                draft.push(self.all[at].name);
            }
            at += 1;
        }
        draft
    }

    /// Adds a row to a tenant.
    pub(crate) const fn insert(&self) -> Draft {
        let mut draft = Draft::of(&["INSERT INTO ", self.table, " (tenant_no"]);
        let mut at = 0;
        while at < self.all.len() {
            if self.has(Part::Inserted, at) {
                draft.push(", ");
                draft.push(self.all[at].name);
            }
            at += 1;
        }
        draft.push(") VALUES (");
        placeholders(&mut draft, 1, 1 + self.count(Part::Inserted));
        draft.push(")");
        draft
    }

    /// Writes the columns of a tenant's row that can change.
    pub(crate) const fn update(&self) -> Draft {
        let mut draft = Draft::of(&["UPDATE ", self.table, " SET "]);
        let first = 2 + self.key.len();
        let (mut number, mut at) = (first, 0);
        while at < self.all.len() {
            if self.has(Part::Updated, at) {
                if number > first {
                    draft.push(", ");
                }
                assign(&mut draft, self.all[at].name, number);
                number += 1;
            }
            at += 1;
        }
        draft.push(" WHERE tenant_no = $1");
        let mut at = 0;
        while at < self.key.len() {
            draft.push(" AND ");
            assign(&mut draft, self.key[at], 2 + at);
            at += 1;
        }
        draft
    }
}

/// Builds the statements that copy a table.
pub(crate) struct Copying<'t> {
    table: &'t str,
    columns: &'t [Column],
    key: usize,
    /// The condition that selects the tenant's rows.
    tenant: Option<&'t str>,
}

impl<'t> Copying<'t> {
    /// For a table whose rows belong to tenants. The first `key` columns are its key.
    pub(crate) const fn of_tenants(table: &'t str, columns: &'t [Column], key: usize) -> Self {
        Self { table, columns, key, tenant: Some("tenant_no = $1") }
    }

    /// For a table above tenants. The first `key` columns are its key.
    pub(crate) const fn above_tenants(table: &'t str, columns: &'t [Column], key: usize) -> Self {
        Self { table, columns, key, tenant: None }
    }

    /// The number of the first parameter after the tenant.
    const fn first(&self) -> usize {
        1 + self.tenant.is_some() as usize
    }

    /// Counts the rows.
    pub(crate) const fn count(&self) -> Draft {
        let mut draft = Draft::of(&["SELECT count(*) FROM ", self.table]);
        if let Some(tenant) = self.tenant {
            draft.push(" WHERE ");
            draft.push(tenant);
        }
        draft
    }

    /// Counts the rows, and adds up the lengths of all their texts.
    pub(crate) const fn size(&self) -> Draft {
        let mut draft = Draft::of(&["SELECT count(*), coalesce(sum(0"]);
        let mut at = 0;
        while at < self.columns.len() {
            if matches!(self.columns[at].kind, Kind::Text | Kind::Bytes) {
                draft.push(" + coalesce(octet_length(");
                draft.push(self.columns[at].name);
                draft.push("), 0)");
            }
            at += 1;
        }
        draft.push("), 0) FROM ");
        draft.push(self.table);
        if let Some(tenant) = self.tenant {
            draft.push(" WHERE ");
            draft.push(tenant);
        }
        draft
    }

    /// The next rows after a key: the limit is the first parameter, the key follows it.
    pub(crate) const fn page(&self) -> Draft {
        let mut draft = Draft::of(&["SELECT "]);
        names(&mut draft, self.columns, self.columns.len());
        draft.push(" FROM ");
        draft.push(self.table);
        draft.push(" WHERE ");
        if let Some(tenant) = self.tenant {
            draft.push(tenant);
            draft.push(" AND ");
        }
        draft.push("(");
        names(&mut draft, self.columns, self.key);
        draft.push(") > (");
        placeholders(&mut draft, self.first() + 1, self.key);
        draft.push(") ORDER BY ");
        names(&mut draft, self.columns, self.key);
        draft.push(" LIMIT ");
        draft.placeholder(self.first());
        draft
    }

    /// Adds one row.
    pub(crate) const fn add_one(&self) -> Draft {
        let mut draft = self.add_to();
        draft.push(" VALUES (");
        placeholders(&mut draft, 1, self.first() - 1 + self.columns.len());
        draft.push(")");
        draft
    }

    /// Adds many rows on PostgreSQL, from an array of each column's values.
    pub(crate) const fn add_all(&self) -> Draft {
        let mut draft = self.add_to();
        draft.push(" SELECT ");
        if self.tenant.is_some() {
            draft.push("$1::integer, ");
        }
        draft.push("* FROM unnest(");
        let mut at = 0;
        while at < self.columns.len() {
            if at > 0 {
                draft.push(", ");
            }
            draft.placeholder(self.first() + at);
            draft.push(array(self.columns[at].kind));
            at += 1;
        }
        draft.push(")");
        draft
    }

    const fn add_to(&self) -> Draft {
        let mut draft = Draft::of(&["INSERT INTO ", self.table, " ("]);
        if self.tenant.is_some() {
            draft.push("tenant_no, ");
        }
        names(&mut draft, self.columns, self.columns.len());
        draft.push(")");
        draft
    }
}

/// PostgreSQL's cast to an array of this kind.
const fn array(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "::bigint[]",
        Kind::Boolean => "::boolean[]",
        Kind::Real => "::double precision[]",
        Kind::Text => "::text[]",
        Kind::Bytes => "::bytea[]",
        Kind::Id => "::uuid[]",
        Kind::Time => "::timestamptz[]",
    }
}

/// Adds the names of the first `count` columns.
const fn names(draft: &mut Draft, columns: &[Column], count: usize) {
    let mut at = 0;
    while at < count {
        if at > 0 {
            draft.push(", ");
        }
        draft.push(columns[at].name);
        at += 1;
    }
}

/// Adds `count` placeholders, from number `first` on.
const fn placeholders(draft: &mut Draft, first: usize, count: usize) {
    let mut at = 0;
    while at < count {
        if at > 0 {
            draft.push(", ");
        }
        draft.placeholder(first + at);
        at += 1;
    }
}

/// Adds a comma, unless the draft is empty.
const fn separate(draft: &mut Draft) {
    if draft.length() > 0 {
        draft.push(", ");
    }
}

/// Adds `name = $number`, as an assignment or a condition.
const fn assign(draft: &mut Draft, name: &str, number: usize) {
    draft.push(name);
    draft.push(" = ");
    draft.placeholder(number);
}

const fn is_among(name: &str, names: &[&str]) -> bool {
    let mut at = 0;
    while at < names.len() {
        if is_same(name, names[at]) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other, mut at) = (one.as_bytes(), other.as_bytes(), 0);
    if one.len() != other.len() {
        return false;
    }
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
