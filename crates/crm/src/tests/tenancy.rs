//! The second line of defense: on PostgreSQL, no statement that the application's role runs can read or write another
//! tenant's rows, and every key contains the tenant.

use std::collections::BTreeSet;

use serde_json::json;
use zoop_db::Dialect;
use zoop_postgres_cluster::Database;

use super::naming::declared;
use crate::business::import::tests::account as import;
use crate::call::run;
use crate::catalog;
use crate::database_identity;
use crate::schema::{OWN_TABLES, SEARCH_TABLES, TABLES};
use crate::testing::{TestEnv, on};

/// The number of a tenant that has no row.
const NOBODY: u32 = 9_999;

/// Runs a test with two businesses that have records of every kind. The test gets their tenant numbers.
fn with_two_businesses(test: impl FnOnce(&TestEnv, u32, u32)) {
    on(Dialect::Postgres, || {
        let env = TestEnv::new();
        let (acme, other) = (env.business("Acme"), env.business("Other"));
        for business in [&acme, &other] {
            let (access, environment) = (business.office.clone(), env.environment.clone());
            let tool = catalog::find("notes.create").expect("a tool");
            let note = json!({ "body": "Remembered and counted." }).to_string();
            let written = env
                .write(move |tx| run::write(tx, &environment, &access, tool, &note, Some("a key")));
            written.expect("a note");
            let pair = json!({
                "customer_id": business.id("customer"), "other_id": business.id("archived_customer"),
            });
            env.call(&business.office, "customers.mark_different", pair).expect("a pair");
            import::add(&env, business, "Name,Tags\nIvy Imported,Weekly\n");
            let erased = json!({ "id": env.create(&business.office, "customers.create", json!({
                "customer_type": "company", "company_name": "Erased" })) });
            env.call_as_operator(Some(business.account), "customers.erase", erased);
            env.prepare_import(&business.owner, "Name\nIvy Imported\n");
            let draft = json!({ "body": "Saved twice", "draft": true });
            let id = env.create(&business.office, "notes.create", draft);
            for change in [json!({ "body": "Saved" }), json!({ "draft": false })] {
                let mut update = change;
                update["id"] = json!(id);
                env.call(&business.office, "notes.update", update).expect("the draft is saved");
            }
        }
        for business in [&acme, &other] {
            // Only an earlier version adds such rows.
            let tenant = business.account.number.0;
            let former = format!(
                "INSERT INTO history (tenant_no, id, actor_kind, credential_id, tool, changes) \
                 VALUES ({tenant}, gen_random_uuid(), 'operator', gen_random_uuid(), 'sign_out', '[]')"
            );
            run(&env, &as_tenant(tenant, &former));
        }
        test(&env, acme.account.number.0, other.account.number.0);
    });
}

/// The tables that are declared as shared by all tenants.
fn shared_tables() -> BTreeSet<&'static str> {
    let declared = TABLES.iter().filter(|table| !table.is_per_tenant()).map(|table| table.name);
    declared.chain(OWN_TABLES.iter().copied()).collect()
}

/// Every table that row-level security must protect.
fn protected_tables(env: &TestEnv) -> BTreeSet<String> {
    let tables = run(env, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    let shared = shared_tables();
    let is_protected = |table: &&str| !shared.contains(table) && !SEARCH_TABLES.contains(table);
    tables.lines().filter(is_protected).map(str::to_owned).collect()
}

fn server(env: &TestEnv) -> &Database {
    env.server().expect("an environment on PostgreSQL")
}

fn run(env: &TestEnv, script: &str) -> String {
    server(env).run(script).unwrap_or_else(|error| panic!("{script}: {error:#}"))
}

/// Wraps a script so that it runs bound to a tenant.
fn as_tenant(tenant: u32, script: &str) -> String {
    format!("BEGIN; SET LOCAL app.tenant = {tenant}; {script}; COMMIT")
}

/// The number of rows that a statement writes when it runs bound to a tenant. The changes are rolled back.
fn rows_written(env: &TestEnv, tenant: u32, write: &str) -> String {
    let write = with_row_count(write);
    let script = format!("BEGIN; SET LOCAL app.tenant = {tenant}; {write}; ROLLBACK");
    run(env, &script).trim().to_owned()
}

/// Wraps a statement so that it returns the number of rows that it wrote.
fn with_row_count(write: &str) -> String {
    format!(
        "DO $$ DECLARE rows bigint; BEGIN {write}; GET DIAGNOSTICS rows = ROW_COUNT; \
         PERFORM set_config('test.rows', rows::text, true); END $$; \
         SELECT current_setting('test.rows')"
    )
}

#[test]
fn the_application_role_cannot_bypass_row_security() {
    with_two_businesses(|env, _, _| {
        let role = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
        assert_eq!(run(env, role).trim(), "f");
    });
}

#[test]
fn every_per_tenant_table_has_a_policy_that_binds_its_owner_too() {
    with_two_businesses(|env, _, _| {
        let tables = protected_tables(env);
        let declared = declared(Dialect::Postgres).into_iter().map(str::to_owned);
        let unprotected = shared_tables().into_iter().chain(SEARCH_TABLES.iter().copied());
        let unprotected: BTreeSet<_> = unprotected.map(str::to_owned).collect();
        assert_eq!(tables, &declared.collect() - &unprotected);
        for table in tables {
            let of_table = format!(
                "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = '{table}'"
            );
            assert_eq!(run(env, &of_table).trim(), "t", "{table}");
        }
    });
}

#[test]
fn another_tenants_rows_are_neither_seen_nor_changed() {
    with_two_businesses(|env, acme, other| {
        for table in protected_tables(env) {
            let count = |script: String| run(env, &script).trim().to_owned();
            let all = format!("SELECT count(*) FROM {table}");
            assert_eq!(count(all.clone()), "0", "{table} is visible without a tenant");
            let own = count(as_tenant(acme, &all));
            assert_ne!(own, "0", "{table} has no rows to test with");
            let foreign = format!("SELECT count(*) FROM {table} WHERE tenant_no = {acme}");
            assert_eq!(
                count(as_tenant(other, &foreign)),
                "0",
                "{table} is visible to another tenant"
            );
            let update = format!("UPDATE {table} SET tenant_no = tenant_no");
            assert_eq!(
                rows_written(env, acme, &update),
                own,
                "{table} cannot be changed by its tenant"
            );
            let named = format!("WHERE tenant_no = {acme}");
            for (tenant, write) in [
                (other, format!("{update} {named}")),
                (other, format!("DELETE FROM {table} {named}")),
                // Only the policies for writing limit a write without a condition.
                (NOBODY, format!("UPDATE {table} SET tenant_no = {NOBODY}")),
                (NOBODY, format!("DELETE FROM {table}")),
            ] {
                assert_eq!(rows_written(env, tenant, &write), "0", "tenant {tenant}: {write}");
            }
        }
    });
}

/// Wraps a script so that it runs as a sweep does, bound to no tenant. Its changes are rolled back.
fn as_sweep(script: &str) -> String {
    format!("BEGIN; SET LOCAL app.sweep = 'on'; {script}; ROLLBACK")
}

#[test]
fn a_sweep_sees_and_removes_only_drafts_and_old_answers() {
    with_two_businesses(|env, _, _| {
        let draft = json!({ "body": "Half a thought", "draft": true });
        let business = env.business("Third");
        env.call(&business.office, "notes.create", draft).expect("a draft");
        // One answer is current, one was dated by a clock running ahead, and the others are old.
        server(env)
            .run_as_superuser(
                "UPDATE idempotency SET answered_at = now() - interval '25 hours';
                 INSERT INTO idempotency SELECT (jsonb_populate_record(NULL::idempotency,
                   to_jsonb(i) || jsonb_build_object('idempotency_key', 'of ' || moment,
                   'answered_at', moment))).* FROM (SELECT * FROM idempotency LIMIT 1) i,
                   (VALUES (now()), (now() + interval '1 year')) moments (moment)",
            )
            .expect("answers");
        for table in protected_tables(env) {
            let removable = match table.as_str() {
                "notes" => "draft",
                "idempotency" => "abs(extract(epoch FROM now() - answered_at)) > 86400",
                _ => "false",
            };
            let expected = format!("SELECT count(*) FROM {table} WHERE {removable}");
            let expected = server(env).run_as_superuser(&expected).expect("a count");
            let expected = expected.trim();
            let seen = run(env, &as_sweep(&format!("SELECT count(*) FROM {table}")));
            assert_eq!(seen.trim(), expected, "rows of {table} that a sweep sees");
            for (write, rows) in [
                (format!("UPDATE {table} SET tenant_no = tenant_no"), "0"),
                (format!("DELETE FROM {table}"), expected),
            ] {
                let counted = run(env, &as_sweep(&with_row_count(&write)));
                assert_eq!(counted.trim(), rows, "rows that a sweep writes: {write}");
            }
        }
        assert_eq!(run(env, &as_sweep("SELECT count(*) FROM notes")).trim(), "1");
        assert_eq!(run(env, &as_sweep("SELECT count(*) FROM idempotency")).trim(), "3");
    });
}

#[test]
fn a_restored_dump_has_the_id_of_its_database_but_another_place() {
    with_two_businesses(|env, _, _| {
        let before = env.read(database_identity::get).expect("an id").to_string();
        let restore = "CREATE TABLE restored (LIKE database_identity INCLUDING ALL);
             INSERT INTO restored SELECT * FROM database_identity;
             DROP TABLE database_identity; ALTER TABLE restored RENAME TO database_identity";
        run(env, restore);
        let after = env.read(database_identity::get).expect("an id").to_string();
        assert_ne!(before, after);
        assert_eq!(before.split(' ').next(), after.split(' ').next(), "the same id");
    });
}

#[test]
fn no_row_can_be_moved_to_another_tenant() {
    with_two_businesses(|env, acme, other| {
        for table in protected_tables(env) {
            let move_away = format!("UPDATE {table} SET tenant_no = {acme}");
            let refusal =
                server(env).run(&as_tenant(other, &move_away)).expect_err(&table).to_string();
            assert!(refusal.contains("row-level security"), "{table}: {refusal}");
        }
    });
}

#[test]
fn no_row_can_be_added_to_another_tenant() {
    with_two_businesses(|env, acme, other| {
        for table in protected_tables(env) {
            let smuggle = format!(
                "CREATE TEMP TABLE copied AS SELECT * FROM {table}; \
                 UPDATE copied SET tenant_no = {acme}; INSERT INTO {table} SELECT * FROM copied"
            );
            // The engine accepts explicit values for generated keys, so only the policy prevents this.
            let refusal =
                server(env).run(&as_tenant(other, &smuggle)).expect_err(&table).to_string();
            assert!(refusal.contains("row-level security"), "{table}: {refusal}");
        }
    });
}

/// Keeps the statements for Citus complete: an operator of several servers would forget a table that is not on the
/// page.
#[test]
fn the_page_on_scaling_lists_every_table() {
    let page = include_str!("../../../../docs/scaling.md");
    let (_, citus) = page.split_once("## Citus").expect("a section on Citus");
    let (on_each_node, by_tenant) =
        citus.split_once("SELECT create_distributed_table").expect("distributed tables");
    let (by_tenant, _) = by_tenant.split_once("ALTER ROLE").expect("the end of the section");
    let named = |text: &'static str| -> BTreeSet<_> {
        let quoted = text.split('\'').skip(1).step_by(2);
        quoted.filter(|word| *word != "tenant_no").collect()
    };
    let shared = shared_tables();
    assert_eq!(named(by_tenant), &declared(Dialect::Postgres) - &shared);
    // What is about the database itself stays on the node where the migrations run.
    let copied = shared.into_iter().filter(|table| !OWN_TABLES.contains(table)).collect();
    assert_eq!(named(on_each_node), copied);
}

#[test]
fn every_key_of_a_per_tenant_table_contains_the_tenant() {
    with_two_businesses(|env, _, _| {
        let keys = "SELECT DISTINCT i.indrelid::regclass || ' ' || i.indexrelid::regclass \
                    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
                    WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique \
                    AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid \
                    AND a.attname = 'tenant_no' AND a.attnum = ANY (i.indkey))";
        let references = "SELECT k.conrelid::regclass || ' ' || k.conname FROM pg_constraint k \
                    WHERE k.contype = 'f' \
                    AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid \
                    AND a.attname = 'tenant_no' AND a.attnum = ANY (k.conkey))";
        let shared = shared_tables();
        for question in [keys, references] {
            for line in run(env, question).lines() {
                let (table, key) = line.split_once(' ').expect("a table and a key");
                assert!(shared.contains(table), "{key} of {table} does not contain the tenant");
            }
        }
    });
}
