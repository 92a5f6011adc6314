//! The second belt: on PostgreSQL another tenant's rows can be neither read nor written, whatever
//! statement is run as the application's role, and every key holds the tenant.

use std::collections::BTreeSet;

use serde_json::json;
use zoop_db::Dialect;
use zoop_postgres_cluster::Database;

use super::naming::declared;
use crate::call::run;
use crate::catalog;
use crate::schema::{SCHEMA_STEPS, SEARCH_TABLES, TABLES};
use crate::testing::{TestEnv, on};

/// The number of a tenant that has no row.
const NOBODY: u32 = 9_999;

/// Two businesses with a record of every kind; the second's number and the first's.
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
            let draft = json!({ "body": "Saved twice", "draft": true });
            let id = env.made(&business.office, "notes.create", draft);
            for change in [json!({ "body": "Saved" }), json!({ "draft": false })] {
                let mut update = change;
                update["id"] = json!(id);
                env.call(&business.office, "notes.update", update).expect("the draft is saved");
            }
        }
        test(&env, acme.account.number.0, other.account.number.0);
    });
}

/// The tables that stand above tenants by declaration.
fn above() -> BTreeSet<&'static str> {
    let declared = TABLES.iter().filter(|table| !table.is_of_tenants()).map(|table| table.name);
    declared.chain([SCHEMA_STEPS]).collect()
}

/// Every table that row-level security has to hold for.
fn protected(env: &TestEnv) -> BTreeSet<String> {
    let tables = ask(env, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    let above = above();
    let is_protected = |table: &&str| !above.contains(table) && !SEARCH_TABLES.contains(table);
    tables.lines().filter(is_protected).map(str::to_owned).collect()
}

fn server(env: &TestEnv) -> &Database {
    env.server().expect("an environment on PostgreSQL")
}

fn ask(env: &TestEnv, script: &str) -> String {
    server(env).run(script).unwrap_or_else(|error| panic!("{script}: {error:#}"))
}

/// A script that runs bound to a tenant.
fn bound(tenant: u32, script: &str) -> String {
    format!("BEGIN; SET LOCAL app.tenant = {tenant}; {script}; COMMIT")
}

/// How many rows a statement writes that runs bound to a tenant; nothing of it is kept.
fn touched(env: &TestEnv, tenant: u32, write: &str) -> String {
    let write = counting(write);
    let script = format!("BEGIN; SET LOCAL app.tenant = {tenant}; {write}; ROLLBACK");
    ask(env, &script).trim().to_owned()
}

/// A script that runs a statement and tells how many rows it wrote.
fn counting(write: &str) -> String {
    format!(
        "DO $$ DECLARE rows bigint; BEGIN {write}; GET DIAGNOSTICS rows = ROW_COUNT; \
         PERFORM set_config('test.touched', rows::text, true); END $$; \
         SELECT current_setting('test.touched')"
    )
}

#[test]
fn the_role_is_held_to_the_policies() {
    with_two_businesses(|env, _, _| {
        let role = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
        assert_eq!(ask(env, role).trim(), "f");
    });
}

#[test]
fn every_other_table_has_a_policy_that_holds_for_its_owner_too() {
    with_two_businesses(|env, _, _| {
        let tables = protected(env);
        let declared = declared(Dialect::Postgres).into_iter().map(str::to_owned);
        let others = above().into_iter().chain(SEARCH_TABLES.iter().copied());
        let others: BTreeSet<_> = others.map(str::to_owned).collect();
        assert_eq!(tables, &declared.collect() - &others);
        for table in tables {
            let of_table = format!(
                "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = '{table}'"
            );
            assert_eq!(ask(env, &of_table).trim(), "t", "{table}");
        }
    });
}

#[test]
fn another_tenants_rows_are_neither_seen_nor_changed() {
    with_two_businesses(|env, acme, other| {
        for table in protected(env) {
            let count = |script: String| ask(env, &script).trim().to_owned();
            let all = format!("SELECT count(*) FROM {table}");
            assert_eq!(count(all.clone()), "0", "{table} is seen without a tenant");
            let own = count(bound(acme, &all));
            assert_ne!(own, "0", "{table} has no row to try with");
            let foreign = format!("SELECT count(*) FROM {table} WHERE tenant_no = {acme}");
            assert_eq!(count(bound(other, &foreign)), "0", "{table} is seen by another tenant");
            let update = format!("UPDATE {table} SET tenant_no = tenant_no");
            assert_eq!(touched(env, acme, &update), own, "{table} is not its tenant's to change");
            let named = format!("WHERE tenant_no = {acme}");
            for (tenant, write) in [
                (other, format!("{update} {named}")),
                (other, format!("DELETE FROM {table} {named}")),
                // A statement that reads without a condition is limited only by the policies for writing.
                (NOBODY, format!("UPDATE {table} SET tenant_no = {NOBODY}")),
                (NOBODY, format!("DELETE FROM {table}")),
            ] {
                assert_eq!(touched(env, tenant, &write), "0", "{tenant} did {write}");
            }
        }
    });
}

/// A script that runs as a sweep does, bound to no tenant; nothing of it is kept.
fn sweeping(script: &str) -> String {
    format!("BEGIN; SET LOCAL app.sweep = 'on'; {script}; ROLLBACK")
}

#[test]
fn a_sweep_sees_and_removes_drafts_and_old_answers_and_nothing_else() {
    with_two_businesses(|env, _, _| {
        let draft = json!({ "body": "Half a thought", "draft": true });
        let business = env.business("Third");
        env.call(&business.office, "notes.create", draft).expect("a draft");
        // The newest answer is of this moment, one is of a clock that was ahead, and the others are old.
        server(env)
            .run_as_superuser(
                "UPDATE idempotency SET answered_at = now() - interval '25 hours';
                 INSERT INTO idempotency SELECT (jsonb_populate_record(NULL::idempotency,
                   to_jsonb(i) || jsonb_build_object('idempotency_key', 'of ' || moment,
                   'answered_at', moment))).* FROM (SELECT * FROM idempotency LIMIT 1) i,
                   (VALUES (now()), (now() + interval '1 year')) moments (moment)",
            )
            .expect("answers");
        for table in protected(env) {
            let goes = match table.as_str() {
                "notes" => "draft",
                "idempotency" => "abs(extract(epoch FROM now() - answered_at)) > 86400",
                _ => "false",
            };
            let expected = format!("SELECT count(*) FROM {table} WHERE {goes}");
            let expected = server(env).run_as_superuser(&expected).expect("a count");
            let expected = expected.trim();
            let seen = ask(env, &sweeping(&format!("SELECT count(*) FROM {table}")));
            assert_eq!(seen.trim(), expected, "{table} is seen by a sweep");
            for (write, touched) in [
                (format!("UPDATE {table} SET tenant_no = tenant_no"), "0"),
                (format!("DELETE FROM {table}"), expected),
            ] {
                let counted = ask(env, &sweeping(&counting(&write)));
                assert_eq!(counted.trim(), touched, "a sweep did {write}");
            }
        }
        assert_eq!(ask(env, &sweeping("SELECT count(*) FROM notes")).trim(), "1");
        assert_eq!(ask(env, &sweeping("SELECT count(*) FROM idempotency")).trim(), "3");
    });
}

#[test]
fn no_row_is_moved_to_another_tenant() {
    with_two_businesses(|env, acme, other| {
        for table in protected(env) {
            let move_away = format!("UPDATE {table} SET tenant_no = {acme}");
            let refusal = server(env).run(&bound(other, &move_away)).expect_err(&table).to_string();
            assert!(refusal.contains("row-level security"), "{table}: {refusal}");
        }
    });
}

#[test]
fn no_row_is_written_for_another_tenant() {
    with_two_businesses(|env, acme, other| {
        for table in protected(env) {
            let smuggle = format!(
                "CREATE TEMP TABLE copied AS SELECT * FROM {table}; \
                 UPDATE copied SET tenant_no = {acme}; INSERT INTO {table} SELECT * FROM copied"
            );
            // A key that the engine makes may be said, so nothing but the policy stands in the way.
            let refusal = server(env).run(&bound(other, &smuggle)).expect_err(&table).to_string();
            assert!(refusal.contains("row-level security"), "{table}: {refusal}");
        }
    });
}

/// Keeps the statements for Citus whole: a table that is not on the page is one that an operator of several
/// servers forgets.
#[test]
fn the_page_on_scaling_says_where_every_table_goes() {
    let page = include_str!("../../../../docs/scaling.md");
    let (_, citus) = page.split_once("## Citus").expect("a part of its own");
    let (on_each_node, by_tenant) =
        citus.split_once("SELECT create_distributed_table").expect("both ways");
    let (by_tenant, _) = by_tenant.split_once("ALTER ROLE").expect("its end");
    let named = |text: &'static str| -> BTreeSet<_> {
        let quoted = text.split('\'').skip(1).step_by(2);
        quoted.filter(|word| *word != "tenant_no").collect()
    };
    let above = above();
    assert_eq!(named(by_tenant), &declared(Dialect::Postgres) - &above);
    // The schema's own history stays where migrations are run.
    let copied = above.into_iter().filter(|table| *table != SCHEMA_STEPS).collect();
    assert_eq!(named(on_each_node), copied);
}

#[test]
fn every_key_of_a_tenants_table_holds_the_tenant() {
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
        let above = above();
        for question in [keys, references] {
            for line in ask(env, question).lines() {
                let (table, key) = line.split_once(' ').expect("two words");
                assert!(above.contains(table), "{key} of {table} does not hold the tenant");
            }
        }
    });
}
