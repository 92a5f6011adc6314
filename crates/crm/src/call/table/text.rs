//! Builds the statements that name every column of a table, at compile time.

use zoop_db::Kind;
use zoop_db::sql_text::Draft;

use super::{Column, Role};

/// The columns of a record's table.
pub(crate) struct Columns {
    /// The table's name.
    pub(crate) table: &'static str,
    /// The names of the key columns in order, without `tenant_no`.
    pub(crate) key: &'static [&'static str],
    /// The record's fields, followed by the columns outside the record.
    pub(crate) all: &'static [Column],
    /// The number of the record's fields.
    pub(crate) fields: usize,
}

/// A set of a table's columns.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// All columns of the table.
    Stored,
    /// The columns of the record.
    Read,
    /// The columns that INSERT writes.
    Inserted,
    /// The columns that UPDATE writes.
    Updated,
}

impl Columns {
    const fn is_in(&self, part: Part, index: usize) -> bool {
        let Column { name, role, .. } = self.all[index];
        match part {
            Part::Stored => !matches!(role, Role::Derived),
            Part::Read => !matches!(role, Role::Derived) && index < self.fields,
            Part::Inserted => matches!(role, Role::Changing | Role::Fixed),
            Part::Updated => matches!(role, Role::Changing) && !is_among(name, self.key),
        }
    }

    /// The number of columns in a part.
    pub(crate) const fn count(&self, part: Part) -> usize {
        let (mut count, mut index) = (0, 0);
        while index < self.all.len() {
            count += self.is_in(part, index) as usize;
            index += 1;
        }
        count
    }

    /// All columns of the table, key columns first.
    pub(crate) const fn key_first<const N: usize>(&self) -> [Column; N] {
        let mut columns = [self.all[0]; N];
        let (mut filled, mut index) = (0, 0);
        while filled < self.key.len() {
            columns[filled] = self.all[self.index_of(self.key[filled])];
            filled += 1;
        }
        while index < self.all.len() {
            if self.is_in(Part::Stored, index) && !is_among(self.all[index].name, self.key) {
                columns[filled] = self.all[index];
                filled += 1;
            }
            index += 1;
        }
        columns
    }

    /// The index of the column with this name. An unknown name does not compile.
    const fn index_of(&self, name: &str) -> usize {
        let mut index = 0;
        while !is_same(self.all[index].name, name) {
            index += 1;
        }
        index
    }

    /// The number of parameters that the record has in the statement that writes `part`.
    pub(crate) const fn parameter_count(&self, part: Part) -> usize {
        let (mut count, mut index) = (self.leading_keys(part), 0);
        while index < self.fields {
            count += self.is_in(part, index) as usize;
            index += 1;
        }
        count
    }

    /// The index of the record's field for each of these parameters, in order.
    pub(crate) const fn parameter_indexes<const N: usize>(&self, part: Part) -> [usize; N] {
        let (mut indexes, mut filled, mut index) = ([0; N], 0, 0);
        while filled < self.leading_keys(part) {
            indexes[filled] = self.index_of(self.key[filled]);
            filled += 1;
        }
        while index < self.fields {
            if self.is_in(part, index) {
                indexes[filled] = index;
                filled += 1;
            }
            index += 1;
        }
        indexes
    }

    /// The number of key columns whose parameters come before those of the written columns. UPDATE has them,
    /// because it finds the row by its key.
    const fn leading_keys(&self, part: Part) -> usize {
        if matches!(part, Part::Updated) { self.key.len() } else { 0 }
    }

    /// The columns of the record, as a SELECT lists them, each with the prefix `alias`.
    pub(crate) const fn selected(&self, alias: &str) -> Draft {
        let mut draft = Draft::of(&[]);
        let mut index = 0;
        while index < self.all.len() {
            if self.is_in(Part::Read, index) {
                push_comma(&mut draft);
                draft.push(alias);
                draft.push(self.all[index].name);
            }
            index += 1;
        }
        draft
    }

    /// The INSERT of one row.
    pub(crate) const fn insert(&self) -> Draft {
        let mut draft = Draft::of(&["INSERT INTO ", self.table, " (tenant_no"]);
        let mut index = 0;
        while index < self.all.len() {
            if self.is_in(Part::Inserted, index) {
                draft.push(", ");
                draft.push(self.all[index].name);
            }
            index += 1;
        }
        draft.push(") VALUES (");
        push_placeholders(&mut draft, 1, 1 + self.count(Part::Inserted));
        draft.push(")");
        draft
    }

    /// The UPDATE of all changeable columns of one row.
    pub(crate) const fn update(&self) -> Draft {
        let mut draft = Draft::of(&["UPDATE ", self.table, " SET "]);
        let first = 2 + self.key.len();
        let (mut number, mut index) = (first, 0);
        while index < self.all.len() {
            if self.is_in(Part::Updated, index) {
                if number > first {
                    draft.push(", ");
                }
                push_equals(&mut draft, self.all[index].name, number);
                number += 1;
            }
            index += 1;
        }
        draft.push(" WHERE tenant_no = $1");
        let mut index = 0;
        while index < self.key.len() {
            draft.push(" AND ");
            push_equals(&mut draft, self.key[index], 2 + index);
            index += 1;
        }
        draft
    }
}

/// Builds the statements that copy a table.
pub(crate) struct Copying<'t> {
    table: &'t str,
    columns: &'t [Column],
    key: usize,
    /// The condition that selects the tenant's rows, if rows belong to tenants.
    tenant: Option<&'t str>,
}

impl<'t> Copying<'t> {
    /// For a table whose rows belong to tenants. The first `key` columns are its key.
    pub(crate) const fn per_tenant(table: &'t str, columns: &'t [Column], key: usize) -> Self {
        Self { table, columns, key, tenant: Some("tenant_no = $1") }
    }

    /// For a table shared by all tenants. The first `key` columns are its key.
    pub(crate) const fn shared(table: &'t str, columns: &'t [Column], key: usize) -> Self {
        Self { table, columns, key, tenant: None }
    }

    /// The number of the first parameter that is not the tenant.
    const fn first_parameter(&self) -> usize {
        1 + self.tenant.is_some() as usize
    }

    /// The SELECT that counts the rows.
    pub(crate) const fn count(&self) -> Draft {
        let mut draft = Draft::of(&["SELECT count(*) FROM ", self.table]);
        if let Some(tenant) = self.tenant {
            draft.push(" WHERE ");
            draft.push(tenant);
        }
        draft
    }

    /// The SELECT that counts the rows and adds up the lengths of their text and bytes.
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

    /// The SELECT of the next rows after a key. Its parameters are the limit and then the key.
    pub(crate) const fn page(&self) -> Draft {
        let mut draft = Draft::of(&["SELECT "]);
        push_names(&mut draft, self.columns, self.columns.len());
        draft.push(" FROM ");
        draft.push(self.table);
        draft.push(" WHERE ");
        if let Some(tenant) = self.tenant {
            draft.push(tenant);
            draft.push(" AND ");
        }
        draft.push("(");
        push_names(&mut draft, self.columns, self.key);
        draft.push(") > (");
        push_placeholders(&mut draft, self.first_parameter() + 1, self.key);
        draft.push(") ORDER BY ");
        push_names(&mut draft, self.columns, self.key);
        draft.push(" LIMIT ");
        draft.placeholder(self.first_parameter());
        draft
    }

    /// The INSERT of one row.
    pub(crate) const fn add_one(&self) -> Draft {
        let mut draft = self.insert_into();
        draft.push(" VALUES (");
        push_placeholders(&mut draft, 1, self.first_parameter() - 1 + self.columns.len());
        draft.push(")");
        draft
    }

    /// The INSERT of many rows on PostgreSQL. Its parameters are one array for each column.
    pub(crate) const fn add_all(&self) -> Draft {
        let mut draft = self.insert_into();
        draft.push(" SELECT ");
        if self.tenant.is_some() {
            draft.push("$1::integer, ");
        }
        draft.push("* FROM unnest(");
        let mut index = 0;
        while index < self.columns.len() {
            if index > 0 {
                draft.push(", ");
            }
            draft.placeholder(self.first_parameter() + index);
            draft.push(array_cast(self.columns[index].kind));
            index += 1;
        }
        draft.push(")");
        draft
    }

    const fn insert_into(&self) -> Draft {
        let mut draft = Draft::of(&["INSERT INTO ", self.table, " ("]);
        if self.tenant.is_some() {
            draft.push("tenant_no, ");
        }
        push_names(&mut draft, self.columns, self.columns.len());
        draft.push(")");
        draft
    }
}

/// The number of columns that the engine does not number.
pub(crate) const fn count_lasting(columns: &[Column]) -> usize {
    let (mut count, mut index) = (0, 0);
    while index < columns.len() {
        count += !matches!(columns[index].role, Role::Numbered) as usize;
        index += 1;
    }
    count
}

/// The columns that the engine does not number, in their order.
pub(crate) const fn lasting<const N: usize>(columns: &[Column]) -> [Column; N] {
    let mut lasting = [columns[0]; N];
    let (mut filled, mut index) = (0, 0);
    while index < columns.len() {
        if !matches!(columns[index].role, Role::Numbered) {
            lasting[filled] = columns[index];
            filled += 1;
        }
        index += 1;
    }
    lasting
}

/// PostgreSQL's cast to an array of values of this kind.
const fn array_cast(kind: Kind) -> &'static str {
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

/// Appends the names of the first `count` columns.
const fn push_names(draft: &mut Draft, columns: &[Column], count: usize) {
    let mut index = 0;
    while index < count {
        if index > 0 {
            draft.push(", ");
        }
        draft.push(columns[index].name);
        index += 1;
    }
}

/// Appends `count` placeholders, numbered from `first`.
const fn push_placeholders(draft: &mut Draft, first: usize, count: usize) {
    let mut index = 0;
    while index < count {
        if index > 0 {
            draft.push(", ");
        }
        draft.placeholder(first + index);
        index += 1;
    }
}

/// Appends a comma, unless the draft is empty.
const fn push_comma(draft: &mut Draft) {
    if draft.length() > 0 {
        draft.push(", ");
    }
}

/// Appends `name = $number`, which is an assignment or a condition.
const fn push_equals(draft: &mut Draft, name: &str, number: usize) {
    draft.push(name);
    draft.push(" = ");
    draft.placeholder(number);
}

const fn is_among(name: &str, names: &[&str]) -> bool {
    let mut index = 0;
    while index < names.len() {
        if is_same(name, names[index]) {
            return true;
        }
        index += 1;
    }
    false
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other, mut index) = (one.as_bytes(), other.as_bytes(), 0);
    if one.len() != other.len() {
        return false;
    }
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
