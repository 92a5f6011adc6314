//! Every statement can be prepared, names the tenant, and neither scans a table, nor reads all of a tenant, nor sorts.

use zoop_db::Dialect;

use super::naming;
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE};
use crate::schema;
use crate::testing::{TestEnv, on};

/// Statements that may scan a table or sort.
const MAY_SCAN: &[(&str, &str)] = &[
    ("LIST", "tenants"),
    ("NUMBERS", "tenants"),
    ("NUMBERED", "tenants"),
    ("CLIENTS", "oauth clients"),
    // Read one row for each tenant, once a minute.
    ("UNMEASURED", "storage"),
    ("SUMS", "storage"),
    ("ABOVE", "storage"),
    // Read one row for each tenant, once a minute and once a copy.
    ("DUE", "notes reindexing"),
    // Visits a customer's own records, and sorts the ids of its notes.
    ("OF_CUSTOMER", "notes"),
    // Visits a customer's own records, and sorts the ids of the entries about them.
    ("OF_CUSTOMER", "customer history"),
    // Sorts a customer's few tags by name.
    ("TAGS", "customers"),
    // Reads a few rows of the engine's own catalog.
    ("CONTINUE_SEQUENCE", "transfer"),
];

/// Statements without a limit that may read everything that a tenant has in a table.
const MAY_READ_A_TENANT: &[(&str, &str)] = &[
    // The weekly measurement of what is stored.
    ("SIZE_OF_DRAFTS", "notes"),
    // The size of an account's files, from an index that has nothing else, and all of its files for a backup.
    ("TOTAL", "files"),
    ("SIZES", "files"),
    // The checks of foreign keys when a new tenant's number is chosen.
    ("INSERT", "tenants"),
    // Records of before a version, once, when an old export comes back.
    ("MOVE", "former quotes"),
    // The checks of foreign keys: an account has few categories and items.
    ("DELETE", "catalog_categories"),
    ("COUNT", "former quotes"),
    ("REMOVE", "former quotes"),
    ("MOVE", "former jobs"),
    ("COUNT", "former jobs"),
    ("REMOVE", "former jobs"),
    // What a tenant's people and programs hold, of which there is little.
    ("UNREVOKED_KEYS", "keys"),
    ("UNREVOKED_IDS", "oauth grants"),
];

/// Statements of a copy that drop and recreate an index on PostgreSQL: they have no plan there and do
/// nothing on SQLite.
fn builds_an_index(module: &str, name: &str) -> bool {
    module == "transfer" && name.ends_with("_TOKENS")
}

/// Maximum number of statements whose text differs between the engines. Statements of a copy do not count: one macro
/// generates all statements that write rows, and the statements that check the search index name its key. A list of ids
/// does not count either: all statements about one begin with the same text.
const DIALECT_PAIRS: usize = 15;

fn placeholders(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}

/// Every statement: (module, name, SQLite's text).
fn statements() -> Vec<(&'static str, &'static str, &'static str)> {
    let tenant = schema::statements().flat_map(|(module, statements)| {
        statements.iter().map(move |(name, sql)| (module, *name, sql.sqlite()))
    });
    let global = schema::global_statements().flat_map(|(module, statements)| {
        statements.iter().map(move |(name, sql)| (module, *name, sql.sqlite()))
    });
    tenant.chain(global).collect()
}

#[test]
fn every_statement_can_be_prepared_and_scans_no_table() {
    let env = TestEnv::new();
    for (module, name, sql) in statements() {
        let plan = env
            .read(move |tx| Ok(tx.plan(sql, placeholders(sql))?))
            .unwrap_or_else(|error| panic!("{module} {name}: {error:?}"));
        let counts = name == "COUNT" && module.starts_with("transfer ");
        if counts || builds_an_index(module, name) || MAY_SCAN.contains(&(name, module)) {
            continue;
        }
        for step in &plan {
            // The greatest id is the first entry in a scan of its index, or of a table in key order.
            let in_order = step.contains("USING COVERING INDEX") || step.split(' ').count() == 2;
            let reads_first = in_order && sql.ends_with("ORDER BY id DESC LIMIT 1");
            // The ids that a call names.
            let reads_named = step.contains("CONSTANT ROW") || step == "SCAN wanted";
            let scans = step.starts_with("SCAN")
                && !step.contains("VIRTUAL TABLE")
                && !reads_first
                && !reads_named;
            let sorts = step.contains("TEMP B-TREE");
            let reads_tenant = step.ends_with(" (tenant_no=?)")
                && !sql.contains("LIMIT")
                && !module.starts_with("transfer ")
                && !MAY_READ_A_TENANT.contains(&(name, module));
            assert!(!scans && !sorts && !reads_tenant, "{module} {name}: {plan:#?}");
        }
    }
}

#[test]
fn every_statement_can_be_prepared_on_postgresql() {
    on(Dialect::Postgres, || {
        let env = TestEnv::new();
        let tenant = schema::statements().flat_map(|(module, statements)| {
            statements.iter().map(move |(name, sql)| (module, *name, sql.postgres()))
        });
        let global = schema::global_statements().flat_map(|(module, statements)| {
            statements.iter().map(move |(name, sql)| (module, *name, sql.postgres()))
        });
        for (module, name, sql) in tenant.chain(global) {
            if builds_an_index(module, name) {
                continue;
            }
            // The plan for an empty table means nothing, but it proves that the server accepts the
            // statement.
            let plan = env.read(move |tx| Ok(tx.plan(sql, placeholders(sql))?));
            plan.unwrap_or_else(|error| panic!("{module} {name}: {error:?}"));
        }
    });
}

#[test]
fn every_tenant_statement_names_the_tenant() {
    for (module, statements) in schema::statements() {
        for (name, sql) in statements {
            let texts = [(Dialect::Sqlite, sql.sqlite()), (Dialect::Postgres, sql.postgres())];
            for (engine, text) in texts {
                let missing = naming::missing(engine, text);
                assert!(
                    missing.is_empty(),
                    "{module} {name}: {missing:?} without the tenant: {text}"
                );
            }
        }
    }
}

#[test]
fn few_statements_differ_between_the_engines() {
    let pairs = schema::statements()
        .filter(|(module, _)| !module.starts_with("transfer "))
        .flat_map(|(_, statements)| statements)
        .filter(|(_, sql)| {
            let (sqlite, postgres) = (sql.sqlite(), sql.postgres());
            let rest = sqlite.strip_prefix(WANTED_SQLITE).unwrap_or(sqlite);
            rest != postgres.strip_prefix(WANTED_POSTGRES).unwrap_or(postgres)
        })
        .count();
    assert!(pairs <= DIALECT_PAIRS, "{pairs} statements differ between the engines");
}
