//! Checks that migrations are compatible with processes of the previous version, which may still be running: see the
//! rules in CONTRIBUTING.md. The check is simple and rejects every statement that it does not know. It cannot tell
//! which tables are too large for a new index.

use std::collections::BTreeSet;

use zoop_db::Migration;

use crate::schema::{MIGRATIONS, TABLES};

/// The statements of a migration, each on one line and without comments.
fn statements(migration: &str) -> Vec<String> {
    let lines = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ");
    // In a block between two `$$`, a semicolon does not end the statement.
    let mut statements = vec![String::new()];
    for (number, part) in text.split("$$").enumerate() {
        let mut pieces =
            if number % 2 == 0 { part.split(';').collect() } else { vec![part] }.into_iter();
        if let (Some(last), Some(first)) = (statements.last_mut(), pieces.next()) {
            last.push_str(first);
        }
        statements.extend(pieces.map(str::to_owned));
    }
    let on_one_line =
        |statement: &String| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    statements.iter().map(on_one_line).filter(|statement| !statement.is_empty()).collect()
}

/// The table that a CREATE TABLE statement creates.
fn created_table(statement: &str) -> Option<String> {
    let upper = statement.to_uppercase();
    let start = ["CREATE TABLE ", "CREATE VIRTUAL TABLE "]
        .into_iter()
        .find(|start| upper.starts_with(start))?;
    name_at(&statement[start.len()..])
}

fn name_at(text: &str) -> Option<String> {
    let name = text.split([' ', '(']).next()?.trim_matches('"');
    (!name.is_empty()).then(|| name.to_lowercase())
}

/// The table after a keyword of a statement.
fn table_after(word: &str, statement: &str) -> Option<String> {
    let start = statement.to_uppercase().find(word)?;
    name_at(&statement[start + word.len()..])
}

/// Policies that a migration replaces with narrower ones. Sweeps of the previous version remove the same rows under
/// either policy.
const REPLACED_POLICIES: &[&str] =
    &["DROP POLICY sweep ON notes", "DROP POLICY sweep ON idempotency"];

/// Unique indexes on a column that the same migration adds. Until all processes are replaced, the previous version
/// writes NULL there, which these indexes leave out.
const INDEXES_OF_NEW_COLUMNS: &[&str] =
    &["CREATE UNIQUE INDEX customers_external_id ON customers (tenant_no, external_id) \
     WHERE external_id IS NOT NULL"];

/// A table of SQLite that a migration builds again under the same name, with the same columns and constraints: a
/// process of the previous version prepares its statements again and finds everything. Writes wait meanwhile, about
/// as long as a copy of the table takes.
const REBUILT_TABLE: &[&str] = &[
    "DROP TABLE locations",
    "CREATE UNIQUE INDEX locations_one_primary ON locations (tenant_no, customer_id, location_type) WHERE is_primary",
];

/// Settings of SQLite's search indexes, which every version reads again when they change.
const SETTINGS: &[&str] = &[
    "INSERT INTO customer_search (customer_search, rank) VALUES ('usermerge', 2)",
    "INSERT INTO note_search (note_search, rank) VALUES ('usermerge', 2)",
];

/// Subjects of notes that become records of their own. Of the kinds that only the operator's tool created, the previous
/// version says until it is replaced that they are not there. The policy is gone when the migration ends.
const MOVED_SUBJECTS: &[&str] = &[
    "DELETE FROM subjects WHERE subject_type = 'quote'",
    "DROP POLICY moving_quotes ON subjects",
    "INSERT INTO document_numbers (tenant_no, letter, last) SELECT tenant_no, 'J', count(*) FROM jobs GROUP BY tenant_no",
    "DELETE FROM subjects WHERE subject_type = 'job'",
    "DROP POLICY moving_jobs ON subjects",
    "DROP POLICY moving_jobs ON document_numbers",
];

/// Why a statement may break the previous version, given the tables that the migration itself has created.
fn objection(statement: &str, new: &BTreeSet<String>) -> Option<&'static str> {
    let upper = statement.to_uppercase();
    let is_new = |word| table_after(word, statement).is_some_and(|table| new.contains(&table));
    if created_table(statement).is_some() {
        return None;
    }
    let allowed = [INDEXES_OF_NEW_COLUMNS, REBUILT_TABLE, SETTINGS, MOVED_SUBJECTS];
    if allowed.iter().any(|statements| statements.contains(&statement)) {
        return None;
    }
    if upper.starts_with("CREATE UNIQUE INDEX ") {
        return (!is_new(" ON ")).then_some("the previous version may violate a new unique index");
    }
    if upper.starts_with("CREATE INDEX ") || (upper.starts_with("INSERT INTO ") && is_new("INTO "))
    {
        return None;
    }
    // A new policy only shows more rows, unless it is restrictive.
    if upper.starts_with("CREATE POLICY ") && (is_new(" ON ") || !upper.contains("RESTRICTIVE")) {
        return None;
    }
    if upper.starts_with("ALTER TABLE ") && is_new("ALTER TABLE ") {
        return None;
    }
    if upper.starts_with("ALTER TABLE ") {
        return objection_to_alter(&upper);
    }
    if REPLACED_POLICIES.contains(&statement) {
        return None;
    }
    if upper.starts_with("DROP ") {
        return Some("the previous version may use what is dropped");
    }
    if upper.starts_with("DO ") {
        return Some("a block cannot be checked: write out its statements");
    }
    Some("not known to be safe: rewrite it, or add it to this test with the reason")
}

/// The objection to an ALTER TABLE of a table that the previous version knows. The statement is in capitals.
fn objection_to_alter(statement: &str) -> Option<&'static str> {
    let has = |words: &str| format!(" {statement} ").contains(&format!(" {words} "));
    if statement.contains(',') {
        return Some(
            "several changes in one statement cannot be checked: write one statement for each",
        );
    }
    // Removing a constraint is safe.
    if has("DROP NOT NULL") || has("DROP CONSTRAINT") {
        return None;
    }
    if has("DROP") || has("RENAME") {
        return Some("the previous version reads or writes what is dropped or renamed");
    }
    if has("TYPE") && has("ALTER COLUMN") {
        return Some(
            "the previous version expects the old type of the column, and the table is rewritten",
        );
    }
    let constraints = ["CHECK", "UNIQUE", "REFERENCES", "PRIMARY KEY", "CONSTRAINT", "SECURITY"];
    if constraints.iter().any(|it| has(it) || statement.contains(&format!(" {it}("))) {
        return Some("the previous version may violate a new constraint on a table that it writes");
    }
    if !has("ADD COLUMN") {
        return Some("not known to be safe: rewrite it, or add it to this test with the reason");
    }
    if statement.split_once(" DEFAULT ").is_some_and(|(_, default)| default.contains('(')) {
        return Some("a computed default rewrites the table");
    }
    (has("NOT NULL") && !has("DEFAULT")).then_some(
        "the previous version does not fill the column: make it nullable, or give it a default",
    )
}

/// All objections to the statements of a migration.
fn objections(migration: &str) -> Vec<String> {
    let mut new = BTreeSet::new();
    let mut objections = Vec::new();
    for statement in statements(migration) {
        if let Some(why) = objection(&statement, &new) {
            objections.push(format!("{why}: {statement}"));
        }
        new.extend(created_table(&statement));
    }
    objections
}

#[test]
fn migrations_are_compatible_with_the_previous_version() {
    for migration in &MIGRATIONS[1..] {
        for (engine, text) in [("sqlite", migration.sqlite), ("postgres", migration.postgres)] {
            let objections = objections(text);
            assert!(
                objections.is_empty(),
                "migrations/{engine}/{}.sql breaks the migration rules in CONTRIBUTING.md:\n{}",
                migration.name,
                objections.join("\n")
            );
        }
    }
}

#[test]
fn incompatible_migrations_are_found() {
    for statement in [
        "DROP TABLE notes",
        "DROP INDEX notes_drafts",
        "DROP POLICY tenant ON notes",
        "CREATE POLICY fewer ON notes AS RESTRICTIVE USING (pinned)",
        "ALTER TABLE notes RENAME TO remarks",
        "ALTER TABLE notes RENAME COLUMN body TO words",
        "ALTER TABLE notes DROP COLUMN body",
        "alter table notes alter column pinned type bigint",
        "ALTER TABLE notes ALTER COLUMN pinned SET DATA TYPE bigint",
        "ALTER TABLE notes ALTER COLUMN subject_id SET NOT NULL",
        "ALTER TABLE notes ADD COLUMN weight bigint NOT NULL",
        "ALTER TABLE notes ADD weight bigint NOT NULL",
        "ALTER TABLE notes ADD COLUMN made_at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "ALTER TABLE notes ADD COLUMN weight bigint, DROP COLUMN body",
        "ALTER TABLE notes ADD COLUMN weight bigint CHECK (weight > 0)",
        "ALTER TABLE notes ADD COLUMN job_id uuid REFERENCES jobs (id)",
        "ALTER TABLE notes ADD COLUMN weight bigint UNIQUE",
        "ALTER TABLE notes ADD CONSTRAINT light CHECK (weight < 9)",
        "ALTER TABLE notes ADD PRIMARY KEY (id)",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE UNIQUE INDEX notes_once ON notes (tenant_no, body)",
        "UPDATE notes SET body = ''",
        "CREATE TRIGGER t BEFORE INSERT ON notes EXECUTE FUNCTION f()",
        "DO $$ BEGIN ALTER TABLE notes DROP COLUMN body; END $$",
        "CREATE TABLE jobs (n bigint); -- and\n DROP TABLE\n notes;",
    ] {
        assert_eq!(objections(statement).len(), 1, "{statement}: {:?}", objections(statement));
    }
    let compatible = "-- A table; with what belongs to it.
        CREATE TABLE jobs (
          n bigint NOT NULL UNIQUE, id uuid REFERENCES users (id)
        );
        CREATE UNIQUE INDEX jobs_once ON jobs (id);
        ALTER TABLE jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON jobs AS RESTRICTIVE USING (true);
        CREATE POLICY more ON notes FOR SELECT USING (pinned);
        INSERT INTO jobs (n) VALUES (1);
        CREATE INDEX notes_by_weight ON notes (weight);
        ALTER TABLE notes ADD COLUMN weight bigint;
        ALTER TABLE notes ADD COLUMN type text;
        ALTER TABLE notes ADD COLUMN height bigint NOT NULL DEFAULT 0;
        ALTER TABLE notes ALTER COLUMN body DROP NOT NULL;
        ALTER TABLE notes DROP CONSTRAINT notes_check;";
    assert_eq!(objections(compatible), Vec::<String>::new());
}

/// Every column of the only location, in a fixed order, as SQL literals.
fn location(file: &rusqlite::Connection) -> String {
    let table = TABLES.iter().find(|table| table.name == "locations").expect("the table");
    let literals: Vec<_> =
        table.columns.iter().map(|column| format!("quote({})", column.name)).collect();
    let query = format!("SELECT {} FROM locations", literals.join(" || ', ' || "));
    file.query_row(&query, [], |row| row.get(0)).expect("one location")
}

#[test]
fn locations_survive_the_new_layout_of_their_table() {
    let file = rusqlite::Connection::open_in_memory().expect("a database");
    let run = |script: &str| file.execute_batch(script).expect(script);
    let migrate = |migrations: &[Migration]| {
        for migration in migrations {
            run(migration.sqlite);
        }
    };
    run("PRAGMA foreign_keys = ON");
    let position = MIGRATIONS.iter().position(|migration| migration.name == "0010_locations");
    let (before, rest) = MIGRATIONS.split_at(position.expect("the migration"));
    migrate(before);
    run("INSERT INTO tenants (no, id, name, country) VALUES (7, x'01', 'Acme', 'US'); \
         INSERT INTO customers (tenant_no, id, customer_number, customer_type, first_name, status, is_vip, \
           do_not_contact, updated_at) VALUES (7, x'02', 1, 'individual', 'Ann', 'active', 0, 0, 3); \
         INSERT INTO locations VALUES (7, x'02', x'04', 'billing', 'Home', '1 Elm Street', 'Unit 5', 'Oakland', 'CA', \
           '94607', 'US', 0, 'code', 'behind', 'dog', 1.5, -2.5, 'place', 8, 9)");
    let old = location(&file);
    migrate(rest);
    assert_eq!(location(&file), old);
    let one_more = "INSERT INTO locations SELECT * FROM locations";
    assert!(file.execute_batch(one_more).is_err(), "the keys are still unique");
}
