//! The declarations of tables: what they say about copying, export and erasure is consistent, and `docs/tables.md`
//! shows it. `transfer/tests.rs` compares them with the tables of both engines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::reference::assert_current;
use crate::call::table::{Erasure, Export, Rows, Table};
use crate::schema::{OWN_TABLES, SEARCH_TABLES, TABLES};

fn has(table: &Table, column: &str) -> bool {
    table.columns.iter().any(|known| known.name == column)
}

#[test]
fn a_table_is_listed_once() {
    let names: BTreeSet<_> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(names.len(), TABLES.len());
}

#[test]
fn credentials_are_copied_after_all_rows_of_tenants() {
    let last = TABLES.iter().rposition(|table| table.is_per_tenant()).expect("a per-tenant table");
    for table in &TABLES[..last] {
        let authenticates = table.exported == Export::Secret || has(table, "hash");
        assert!(!authenticates, "{} is copied before the rows of tenants", table.name);
    }
}

#[test]
fn rows_are_erased_with_what_they_are_about() {
    for table in TABLES {
        let erases = |erasure| table.erased.contains(&erasure);
        let of_tenant = table.is_per_tenant() || has(table, "tenant_no");
        let of_user = !table.is_per_tenant() && has(table, "user_id");
        let name = table.name;
        assert!(!of_tenant || erases(Erasure::WithTenant) || erases(Erasure::OnExpiry), "{name}");
        assert!(!table.is_per_tenant() || erases(Erasure::WithTenant), "{name}");
        assert!(!of_user || erases(Erasure::WithUser), "{name}");
        assert!(!has(table, "customer_id") || erases(Erasure::WithCustomer), "{name}");
        assert!(!table.erased.is_empty(), "{name}");
    }
}

#[test]
fn the_page_of_tables_is_current() {
    assert_current("docs/tables.md", &page());
}

/// `docs/tables.md`: how each table is copied, exported and erased.
fn page() -> String {
    let mut page = String::from(
        "# Tables\n\n\
         For developers; generated from the table declarations; do not edit by hand\n\
         (`crates/crm/src/tests/tables.rs`).\n\n\
         `zoop copy` copies the rows of these tables in this order. The last two columns say whose export
\
         contains the rows, and what erases them: `zoop export` exports a tenant ([export.md](export.md)), and
\
         `zoop erase` erases a customer. Users have no export, and neither they nor tenants are erased so far.
\
         Hashes and secrets are never exported. For tables that belong to a tenant, the primary key also begins
\
         with `tenant_no`, which is not shown.

\
         | table | key | rows of | exported | erased |\n| --- | --- | --- | --- | --- |\n",
    );
    for table in TABLES {
        let key: Vec<_> = table.columns[..table.key].iter().map(|column| column.name).collect();
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {} |",
            table.name,
            key.join("`, `"),
            rows_of(table),
            exported(table.exported),
            table.erased.iter().copied().map(erased).collect::<Vec<_>>().join(", "),
        );
    }
    let search = SEARCH_TABLES.join("` and `");
    let own = OWN_TABLES.join("` and `");
    let _ = writeln!(
        page,
        "\n`{search}` are rebuilt from the records that they index.\n\
         `{own}` are not copied: each database has its own.",
    );
    page
}

fn rows_of(table: &Table) -> String {
    match table.rows {
        Rows::PerTenant { .. } => "one tenant".to_owned(),
        Rows::Shared { why, .. } => format!("all tenants: {why}"),
    }
}

const fn exported(export: Export) -> &'static str {
    match export {
        Export::WithTenant => "with the tenant",
        Export::WithUser => "with the user",
        Export::Secret => "no: authentication secrets only",
        Export::Internal => "no: internal to the server",
    }
}

const fn erased(erasure: Erasure) -> &'static str {
    match erasure {
        Erasure::WithCustomer => "with the customer",
        Erasure::WithUser => "with the user",
        Erasure::WithTenant => "with the tenant",
        Erasure::OnExpiry => "on expiry",
    }
}
