//! What the tables of a database file hold, read past the product.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::state::{Contact, Customer, Note, State, Tag, Tools, Word, writer};

/// The tables of one moment.
pub(crate) struct Tables {
    /// Each writer's records.
    pub(crate) states: Vec<State>,
    /// The ids by the words that the records were created with.
    pub(crate) ids: HashMap<Word, String>,
}

/// Fails unless the file is sound: its structure, its references, and that the search index holds
/// each row of the tables and no other.
#[track_caller]
pub(crate) fn assert_sound(path: &Path) {
    let file = open(path);
    let lines = |sql: &str| all(&file, sql, |row| row.get::<_, String>(0).expect("a text"));
    assert_eq!(lines("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(lines("PRAGMA foreign_key_check"), [""; 0]);
    for (index, rows) in [("customer_search", "customers"), ("note_search", "notes")] {
        let differences = format!(
            "SELECT 'only in the table: ' || n FROM (SELECT n FROM {rows} EXCEPT SELECT rowid FROM {index}) \
             UNION ALL \
             SELECT 'only in the index: ' || rowid FROM (SELECT rowid FROM {index} EXCEPT SELECT n FROM {rows})"
        );
        assert_eq!(lines(&differences), [""; 0], "{index}");
    }
}

impl Tables {
    /// Reads everything that `keys`, each a writer's, have written.
    pub(crate) fn read(path: &Path, keys: &[String]) -> Self {
        let file = open(path);
        file.execute_batch("BEGIN").expect("a snapshot");
        let mut tables = Self { states: vec![State::default(); keys.len()], ids: HashMap::new() };
        let tools = tools(&file);
        tables.customers(&file, &tools);
        tables.notes(&file, &tools);
        tables.tags(&file, &tools);
        for (state, key) in tables.states.iter_mut().zip(keys) {
            let key = key.replace('-', "");
            let entries = format!("SELECT count(*) FROM history WHERE credential_id = x'{key}'");
            state.entries = file.query_row(&entries, [], |row| row.get(0)).expect("a count");
            let remembered =
                format!("SELECT idempotency_key FROM idempotency WHERE credential_id = x'{key}'");
            state.keys = all(&file, &remembered, |row| text(row, 0)).into_iter().collect();
        }
        tables
    }

    fn customers(&mut self, file: &Connection, tools: &HashMap<String, Tools>) {
        let sql = "SELECT source, lower(hex(id)), customer_type, coalesce(company_name, first_name), \
                   notes_internal FROM customers";
        for (word, id, kind, name, notes_internal) in all(file, sql, |row| {
            (text(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4))
        }) {
            let customer = Customer {
                kind,
                name,
                notes_internal,
                contacts: BTreeMap::new(),
                locations: BTreeMap::new(),
                tools: history(tools, &id),
            };
            let twin = self.states[writer(&word)].customers.insert(word.clone(), customer);
            assert_eq!(twin, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
        // An individual's own contact has no title.
        let sql = "SELECT c.source, coalesce(p.title, c.source), p.first_name, p.is_primary, \
                   lower(hex(p.id)) FROM contacts p JOIN customers c ON c.id = p.customer_id";
        for (customer, word, name, is_primary, id) in all(file, sql, |row| {
            (text(row, 0), text(row, 1), text(row, 2), row.get(3), text(row, 4))
        }) {
            let is_primary = is_primary.expect("a truth");
            let contact = Contact { name, is_primary, tools: history(tools, &id) };
            let twin = self.customer(&customer).contacts.insert(word, contact);
            assert_eq!(twin, None, "a contact of {customer} was created twice");
        }
        let sql = "SELECT c.source, l.address_line1, lower(hex(l.id)) \
                   FROM locations l JOIN customers c ON c.id = l.customer_id";
        for (customer, address, id) in
            all(file, sql, |row| (text(row, 0), text(row, 1), text(row, 2)))
        {
            let twin = self.customer(&customer).locations.insert(address, history(tools, &id));
            assert_eq!(twin, None, "a location of {customer} was created twice");
        }
    }

    fn notes(&mut self, file: &Connection, tools: &HashMap<String, Tools>) {
        let sql = "SELECT substr(body, 1, 7), length(body), c.source, lower(hex(t.id)) \
                   FROM notes t LEFT JOIN customers c ON c.id = t.subject_id";
        for (word, characters, customer, id) in all(file, sql, |row| {
            (
                text(row, 0),
                row.get::<_, u32>(1).expect("a length"),
                row.get(2).expect("a text"),
                text(row, 3),
            )
        }) {
            let characters = characters as usize;
            let note = Note { characters, customer, tools: history(tools, &id) };
            let twin = self.states[writer(&word)].notes.insert(word.clone(), note);
            assert_eq!(twin, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
    }

    fn tags(&mut self, file: &Connection, tools: &HashMap<String, Tools>) {
        let sql = "SELECT color, name, lower(hex(id)) FROM tags";
        for (color, name, id) in all(file, sql, |row| (text(row, 0), text(row, 1), text(row, 2))) {
            let word = color.replace('#', "w").to_lowercase();
            let tag = Tag { name, tools: history(tools, &id) };
            let twin = self.states[writer(&word)].tags.insert(word.clone(), tag);
            assert_eq!(twin, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
    }

    fn customer(&mut self, word: &str) -> &mut Customer {
        self.states[writer(word)].customers.get_mut(word).expect("a customer")
    }
}

/// The tools that touched each record, oldest first.
fn tools(file: &Connection) -> HashMap<String, Tools> {
    let sql = "SELECT lower(hex(r.record_id)), h.tool FROM history_records r \
               JOIN history h ON h.tenant_no = r.tenant_no AND h.id = r.entry_id ORDER BY h.id";
    let mut tools: HashMap<String, Tools> = HashMap::new();
    for (record, tool) in all(file, sql, |row| (text(row, 0), text(row, 1))) {
        tools.entry(record).or_default().push(tool);
    }
    tools
}

fn history(tools: &HashMap<String, Tools>, id: &str) -> Tools {
    tools.get(id).cloned().unwrap_or_default()
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

fn text(row: &Row<'_>, column: usize) -> String {
    row.get::<_, Option<String>>(column).expect("a text").unwrap_or_default()
}

fn all<T>(file: &Connection, sql: &str, mut read: impl FnMut(&Row<'_>) -> T) -> Vec<T> {
    let mut statement = file.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| Ok(read(row))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}
