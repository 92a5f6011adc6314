//! The contents of a database's tables, read without the product.

use std::collections::{BTreeMap, HashMap};

use super::source::{Row, Source};
use super::state::{Contact, Customer, Note, State, Tag, Tools, Word, writer};

/// The tables at one moment.
pub(crate) struct Tables {
    /// Each writer's records.
    pub(crate) states: Vec<State>,
    /// The ids of the records, by the words that they were created with.
    pub(crate) ids: HashMap<Word, String>,
}

impl Tables {
    /// Reads everything that the writers with `keys` have written. There must be no writes meanwhile.
    pub(crate) fn read(source: &Source<'_>, keys: &[String]) -> Self {
        let mut tables = Self { states: vec![State::default(); keys.len()], ids: HashMap::new() };
        let tools = tools(source);
        tables.customers(source, &tools);
        tables.notes(source, &tools);
        tables.tags(source, &tools);
        for (state, key) in tables.states.iter_mut().zip(keys) {
            let key = source.id(key);
            let entries = format!(
                "SELECT count(*) FROM history_entries h JOIN history_origins o \
                 ON o.tenant_no = h.tenant_no AND o.number = h.origin WHERE o.credential_id = {key}"
            );
            state.entries = source.rows(&entries)[0][0].parse().expect("a count");
            let remembered =
                format!("SELECT idempotency_key FROM idempotency WHERE credential_id = {key}");
            state.keys = source.rows(&remembered).into_iter().flatten().collect();
        }
        tables
    }

    fn customers(&mut self, source: &Source<'_>, tools: &HashMap<String, Tools>) {
        let id = source.digits("id");
        let sql = format!(
            "SELECT source, {id}, customer_type, coalesce(company_name, first_name), notes_internal \
             FROM customers"
        );
        for [word, id, kind, name, notes_internal] in rows(source, &sql) {
            let customer = Customer {
                kind,
                name,
                notes_internal,
                contacts: BTreeMap::new(),
                locations: BTreeMap::new(),
                tools: history(tools, &id),
            };
            let duplicate = self.states[writer(&word)].customers.insert(word.clone(), customer);
            assert_eq!(duplicate, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
        // An individual's own contact has no title.
        let id = source.digits("p.id");
        let sql = format!(
            "SELECT c.source, coalesce(p.title, c.source), p.first_name, \
             CASE WHEN p.is_primary THEN 'primary' ELSE '' END, {id} \
             FROM contacts p JOIN customers c ON c.id = p.customer_id"
        );
        for [customer, word, name, primary, id] in rows(source, &sql) {
            let is_primary = primary == "primary";
            let contact = Contact { name, is_primary, tools: history(tools, &id) };
            let duplicate = self.customer(&customer).contacts.insert(word, contact);
            assert_eq!(duplicate, None, "a contact of {customer} was created twice");
        }
        let id = source.digits("l.id");
        let sql = format!(
            "SELECT c.source, l.address_line1, {id} \
             FROM locations l JOIN customers c ON c.id = l.customer_id"
        );
        for [customer, address, id] in rows(source, &sql) {
            let duplicate = self.customer(&customer).locations.insert(address, history(tools, &id));
            assert_eq!(duplicate, None, "a location of {customer} was created twice");
        }
    }

    fn notes(&mut self, source: &Source<'_>, tools: &HashMap<String, Tools>) {
        let id = source.digits("t.id");
        let sql = format!(
            "SELECT substr(body, 1, 7), length(body), c.source, {id} \
             FROM notes t LEFT JOIN customers c ON c.id = t.subject_id"
        );
        for [word, characters, customer, id] in rows(source, &sql) {
            let characters = characters.parse().expect("a length");
            let customer = Some(customer).filter(|customer| !customer.is_empty());
            let note = Note { characters, customer, tools: history(tools, &id) };
            let duplicate = self.states[writer(&word)].notes.insert(word.clone(), note);
            assert_eq!(duplicate, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
    }

    fn tags(&mut self, source: &Source<'_>, tools: &HashMap<String, Tools>) {
        let sql = format!("SELECT color, name, {} FROM tags", source.digits("id"));
        for [color, name, id] in rows(source, &sql) {
            let word = color.replace('#', "w").to_lowercase();
            let tag = Tag { name, tools: history(tools, &id) };
            let duplicate = self.states[writer(&word)].tags.insert(word.clone(), tag);
            assert_eq!(duplicate, None, "{word} was created twice");
            self.ids.insert(word, id);
        }
    }

    fn customer(&mut self, word: &str) -> &mut Customer {
        self.states[writer(word)].customers.get_mut(word).expect("a customer")
    }
}

/// The tools that touched each record, oldest first.
fn tools(source: &Source<'_>) -> HashMap<String, Tools> {
    let sql = format!(
        "SELECT {}, o.tool FROM history_records r \
         JOIN history_entries h ON h.tenant_no = r.tenant_no AND h.id = r.entry_id \
         JOIN history_origins o ON o.tenant_no = h.tenant_no AND o.number = h.origin ORDER BY h.id",
        source.digits("r.record_id")
    );
    let mut tools: HashMap<String, Tools> = HashMap::new();
    for [record, tool] in rows(source, &sql) {
        tools.entry(record).or_default().push(tool);
    }
    tools
}

fn history(tools: &HashMap<String, Tools>, id: &str) -> Tools {
    tools.get(id).cloned().unwrap_or_default()
}

/// The rows of a query, each with `COLUMNS` columns.
fn rows<const COLUMNS: usize>(source: &Source<'_>, sql: &str) -> Vec<[String; COLUMNS]> {
    let columns = |row: Row| row.try_into().expect("as many columns as were asked for");
    source.rows(sql).into_iter().map(columns).collect()
}
