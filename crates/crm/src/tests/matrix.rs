//! Who may not: every tool × {missing scope, wrong actor, another tenant's id, no record's id}.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::ToolDef;
use crate::call::error::Error;
use crate::call::run;
use crate::call::scope::Scope;
use crate::call::tool::ActorRule;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, public_error};

/// An id that no record has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

fn caller<'a>(tool: &ToolDef, business: &'a Business, operator: &'a Caller) -> &'a Caller {
    if tool.scope.is_grantable() { &business.owner } else { operator }
}

#[both]
fn without_its_scope_a_tool_says_which_one_it_needs() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for scope in Scope::GRANTABLE {
        let others: Vec<_> =
            Scope::GRANTABLE.iter().copied().filter(|other| other != scope).collect();
        let access = env.access(&env.key(acme.account, None, &others));
        for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == *scope) {
            let refused = env.call_text(&access, tool.name, &acme.fill(tool.example));
            let told = public_error(&refused.expect_err(tool.name));
            assert_eq!(told["kind"], "insufficient_scope", "{}", tool.name);
            assert_eq!(told["required"], json!([scope.name()]), "{}", tool.name);
        }
    }
}

#[both]
fn no_credential_runs_the_installation() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for tool in catalog::tools().filter(|tool| !tool.scope.is_grantable()) {
        for access in [&acme.owner, &acme.tenant] {
            let refused = env.call_text(access, tool.name, &acme.fill(tool.example));
            let told = public_error(&refused.expect_err(tool.name));
            assert_eq!(told["kind"], "insufficient_scope", "{}", tool.name);
        }
    }
}

#[both]
fn a_tool_that_needs_a_person_refuses_the_account() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for tool in catalog::tools().filter(|tool| tool.actor == ActorRule::User) {
        let refused = env.call(&acme.tenant, tool.name, json!({}));
        let told = public_error(&refused.expect_err(tool.name));
        assert_eq!(told["kind"], "invalid_input", "{}", tool.name);
        assert!(told["message"].as_str().unwrap().contains("zoop_uk_"), "{told}");
    }
}

/// What the crew may do, by hand: the rule itself, which the roles' declarations must match.
const CREW: &[Scope] = &[Scope::ReadCustomers, Scope::ReadNotes, Scope::WriteNotes];

#[both]
fn the_crew_reads_customers_and_writes_notes_alone() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let allowed = CREW.contains(&tool.scope);
        let answer = env.try_out(&acme.tech, tool.name, &acme.fill(tool.example));
        let refused = matches!(&answer, Err(Error::InsufficientScope { attainable: false, .. }));
        assert_eq!(refused, !allowed, "{}: {answer:?}", tool.name);
    }
}

/// The arguments of a tool's example that are ids. The example has each that is required.
fn ids(arguments: &Value, tool: &ToolDef) -> Vec<&'static str> {
    let fields = tool.fields().into_iter().filter(|field| field.schema["format"] == "uuid");
    let sent = fields.filter(|field| {
        let is_sent = arguments.get(field.name).is_some();
        assert!(is_sent || !field.required, "{}: no {} in its example", tool.name, field.name);
        is_sent
    });
    sent.map(|field| field.name).collect()
}

#[both]
fn another_tenants_record_and_no_record_answer_the_same_bytes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let operator = Caller::operator(Some(acme.account));
    let mut checked = 0;
    for tool in catalog::tools() {
        let access = caller(tool, &acme, &operator);
        let own: Value = serde_json::from_str(&acme.fill(tool.example)).expect(tool.name);
        let foreign: Value = serde_json::from_str(&other.fill(tool.example)).expect(tool.name);
        for name in ids(&own, tool) {
            let answer = |id: &Value| {
                let mut arguments = own.clone();
                arguments[name] = id.clone();
                env.try_out(access, tool.name, &arguments.to_string())
                    .map_err(|error| error.public_json("test"))
            };
            let nobodys = answer(&json!(NOBODY));
            assert_eq!(answer(&foreign[name]), nobodys, "{} {name}", tool.name);
            if let Err(told) = &nobodys {
                assert!(told.contains(r#""kind":"not_found""#), "{} {name}: {told}", tool.name);
            }
            checked += 1;
        }
    }
    assert!(checked > 0, "no id was tried: does the schema of an id say so?");
}

#[both]
fn another_tenants_ids_as_filters_find_nothing() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let author = Business::user(&other.owner).to_string();
    for (tool, filter) in [
        ("customers.search", json!({ "tag": other.id("tag") })),
        ("notes.list", json!({ "subject_id": other.id("customer") })),
        ("notes.list", json!({ "subject_type": "job", "subject_id": other.id("job") })),
        ("notes.list", json!({ "created_by": author })),
        ("notes.list", json!({ "created_by": NOBODY })),
    ] {
        let page = env.call(&acme.owner, tool, filter).expect(tool);
        assert_eq!(page, json!({ "rows": [], "nextCursor": null, "hasMore": false }), "{tool}");
    }
}

#[both]
fn what_is_no_id_is_told_by_its_field() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let own: Value = serde_json::from_str(&acme.fill(tool.example)).expect(tool.name);
        for name in ids(&own, tool) {
            for id in
                [json!("42"), json!(42), json!({}), json!("{01890000-0000-7000-8000-000000000000}")]
            {
                let mut arguments = own.clone();
                arguments[name] = id.clone();
                let told = public_error(
                    &env.call(&acme.owner, tool.name, arguments).expect_err(tool.name),
                );
                assert_eq!(told["kind"], "invalid_input", "{} {name} {id}", tool.name);
                assert_eq!(told["fields"][0]["field"], name, "{} {name} {id}", tool.name);
            }
        }
    }
}

#[both]
fn a_revoked_key_a_removed_person_and_a_new_role_act_on_the_next_call() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let account = Some(acme.account);
    let office = acme.id("office_user");
    let first = env.key(acme.account, Some(office), Scope::GRANTABLE);
    let second = env.key(acme.account, Some(office), Scope::GRANTABLE);
    let keys = env.operate(account, "keys.list", json!({}));
    let newest = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    env.operate(account, "keys.revoke", json!({ "id": newest }));
    assert_eq!(env.authenticate(&second).unwrap_err(), "key_revoked");
    assert!(env.access(&first).scopes.has(Scope::WriteCustomers));
    env.operate(account, "users.set_role", json!({ "id": office, "role": "tech" }));
    assert!(!env.access(&first).scopes.has(Scope::WriteCustomers));
    env.operate(account, "users.remove", json!({ "id": office }));
    assert_eq!(env.authenticate(&first).unwrap_err(), "key_revoked");
    assert_eq!(env.authenticate("zoop_uk_nonsense").unwrap_err(), "invalid_token");
}

#[both]
fn a_key_expires_and_a_rotated_one_overlaps_as_told() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let account = Some(acme.account);
    let made = env.operate(
        account,
        "keys.create",
        json!({
            "scopes": "read:notes", "expires_in": 60,
        }),
    );
    let key = made["key"].as_str().unwrap();
    env.clock.advance(59_999);
    env.access(key);
    let rotated = env.operate(account, "keys.rotate", json!({ "id": made["key_id"] }));
    assert_eq!(env.authenticate(key).unwrap_err(), "key_revoked", "no overlap was asked for");
    env.access(rotated["key"].as_str().unwrap());
    env.clock.advance(1);
    let expired = env.authenticate(rotated["key"].as_str().unwrap());
    assert_eq!(expired.unwrap_err(), "expired", "the new key keeps the old one's end");

    let old = env.key(acme.account, None, &[Scope::ReadNotes]);
    let keys = env.operate(account, "keys.list", json!({}));
    let id = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    env.operate(account, "keys.rotate", json!({ "id": id, "overlap": 10 }));
    env.access(&old);
    env.clock.advance(10_000);
    assert_eq!(env.authenticate(&old).unwrap_err(), "expired");
}

#[both]
fn the_last_owner_stays() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    let operator = Caller::operator(Some(acme.account));
    for (tool, arguments) in [
        ("users.set_role", json!({ "id": owner, "role": "office" })),
        ("users.remove", json!({ "id": owner })),
    ] {
        let told = public_error(&env.call(&operator, tool, arguments).expect_err(tool));
        assert_eq!(told["kind"], "conflict", "{tool}");
    }
    let arguments = json!({ "id": acme.id("office_user"), "role": "owner" });
    env.operate(Some(acme.account), "users.set_role", arguments);
    env.operate(Some(acme.account), "users.remove", json!({ "id": owner }));
}

/// [`crate::call::run::Runner`] makes a read job of a query and a write job of a command; should a caller of
/// [`run::read`] and [`run::write()`] mix them up, the tool does not run.
#[both]
fn a_query_and_a_command_are_not_taken_for_each_other() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    let history =
        || env.operate(Some(acme.account), "history.list", json!({ "limit": 100 }))["rows"].clone();
    let before = history();
    for tool in catalog::tools() {
        let (proof, environment) =
            (caller(tool, &acme, &operator).clone(), env.environment.clone());
        let arguments = acme.fill(tool.example);
        let (answer, told) = if tool.is_read_only() {
            let run =
                env.write(move |tx| run::write(tx, &environment, &proof, tool, &arguments, None));
            (run, "reads; it was run as a write")
        } else {
            let run = env.read(move |tx| run::read(tx, &environment, &proof, tool, &arguments));
            (run, "writes; it was run as a read")
        };
        let Err(Error::Internal { cause }) = answer else { panic!("{}: {answer:?}", tool.name) };
        assert_eq!(cause.to_string(), format!("{} {told}", tool.name));
    }
    assert_eq!(history(), before, "nothing was written");
}
