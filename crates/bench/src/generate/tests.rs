//! Tiny databases: the same seed gives the same rows, and the product finds them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_crm::call::run::Runner;
use zoop_crm::identity::authenticate::Bearer;
use zoop_crm::values::clock::Environment;
use zoop_crm::{catalog, schema};
use zoop_db::{Db, Migrate, Options};

use super::{Landmarks, Parameters, to_file};

fn tiny(seed: u64) -> Parameters {
    Parameters { tenants: Some(3), largest_share: 0.8, seed, ..Parameters::of(600) }
}

/// Every row of every table, as text, without the id that each database has of its own.
fn rows(path: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(path).unwrap();
    let tables: Vec<String> = database
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%' \
                  AND name <> 'database_identity'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.iter().any(|table| table == "customers"), "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut read = statement.query([]).unwrap();
        while let Some(row) = read.next().unwrap() {
            let cells = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
            rows.push(format!("{table} {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    rows
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |name: &str, seed| {
        let path = folder.path().join(name);
        (to_file(&tiny(seed), &path).unwrap(), rows(&path))
    };
    let (one, again, other) =
        (generate("one.db", 1), generate("again.db", 1), generate("other.db", 2));
    assert_eq!(one, again);
    assert_ne!(one.1, other.1);
}

#[test]
fn the_product_finds_what_the_landmarks_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.db");
    to_file(&tiny(1), &path).unwrap();
    let landmarks = Landmarks::load(&path).unwrap();
    let ranks: Vec<&str> = landmarks.businesses.iter().map(|it| it.place.as_str()).collect();
    assert_eq!(ranks, ["largest", "second", "smallest"]);

    let url = format!("sqlite://{}", path.display());
    let db = Db::open(&url, &Options::default(), schema::MIGRATIONS, Migrate::Refuse).unwrap();
    let ask = |key: &str, tool: &str, arguments: &Value| -> Value {
        let (key, arguments) = (key.to_owned(), arguments.to_string());
        let environment = Environment::from_system().unwrap();
        let tool = catalog::find(tool).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let runner = Runner { db: &db, environment: &environment, deadline };
        let answer = runner.call(Bearer::new(key), tool, arguments, None);
        serde_json::from_str(&answer.wait().unwrap()).unwrap()
    };
    let count_found = |key: &str, tool: &str, arguments: Value| {
        let rows = ask(key, tool, &arguments)["rows"].as_array().unwrap().len();
        assert!(rows > 0, "{tool} {arguments} finds nothing");
        rows
    };

    let largest = &landmarks.businesses[0];
    assert_eq!((largest.customers, largest.notes), (480, 480));
    let key = &largest.owner_key;
    let terms = &largest.terms;
    for q in [
        &terms.customer_one_letter,
        &terms.customer_common_name,
        &terms.customer_middling_name,
        &terms.customer_rare_name,
        &terms.customer_name_part,
        &terms.customer_phone_part,
        &terms.customer_area_code,
    ] {
        assert!(!q.is_empty());
        for q in q {
            count_found(key, "customers.search", json!({ "q": q }));
        }
    }
    for q in [
        &terms.note_rare_word,
        &terms.note_middling_word,
        &terms.note_common_word,
        &terms.note_one_letter,
    ] {
        assert!(!q.is_empty());
        for q in q {
            count_found(key, "notes.list", json!({ "q": q }));
        }
    }
    count_found(key, "customers.search", json!({ "tag": largest.tag_ids[0] }));
    let subject =
        json!({ "subject_type": "customer", "subject_id": largest.noted_customer_ids[0] });
    count_found(key, "notes.list", subject);
    let archived = count_found(key, "customers.search", json!({ "status": "archived" }));
    assert_eq!(archived, 480 / 200);
    for id in &largest.customer_ids {
        assert_eq!(ask(key, "customers.get", &json!({ "id": id }))["id"], json!(id));
    }

    let deadline = Instant::now() + Duration::from_secs(60);
    let faults = db.read::<_, zoop_db::Error>(deadline, |tx| tx.faults()).wait().unwrap();
    assert!(faults.is_empty(), "{faults:?}");
}
