//! Who may not: every tool × {missing scope, wrong actor, another tenant's id, no record's id}.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::ToolDef;
use crate::call::error::Error;
use crate::call::run;
use crate::call::scope::Scope;
use crate::call::tool::ActorRule;
use crate::catalog;
use crate::testing::{Business, Caller, World, told};

/// An id that no record has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

fn caller<'a>(tool: &ToolDef, business: &'a Business, operator: &'a Caller) -> &'a Caller {
    if tool.scope.is_grantable() { &business.owner } else { operator }
}

#[both]
fn without_its_scope_a_tool_says_which_one_it_needs() {
    let world = World::new();
    let acme = world.business("Acme");
    for scope in Scope::GRANTABLE {
        let others: Vec<_> =
            Scope::GRANTABLE.iter().copied().filter(|other| other != scope).collect();
        let access = world.access(&world.key(acme.account, None, &others));
        for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == *scope) {
            let refused = world.call_text(&access, tool.name, &acme.fill(tool.example));
            let told = told(&refused.expect_err(tool.name));
            assert_eq!(told["kind"], "insufficient_scope", "{}", tool.name);
            assert_eq!(told["required"], json!([scope.name()]), "{}", tool.name);
        }
    }
}

#[both]
fn no_credential_runs_the_installation() {
    let world = World::new();
    let acme = world.business("Acme");
    for tool in catalog::tools().filter(|tool| !tool.scope.is_grantable()) {
        for access in [&acme.owner, &acme.tenant] {
            let refused = world.call_text(access, tool.name, &acme.fill(tool.example));
            let told = told(&refused.expect_err(tool.name));
            assert_eq!(told["kind"], "insufficient_scope", "{}", tool.name);
        }
    }
}

#[both]
fn a_tool_that_needs_a_person_refuses_the_account() {
    let world = World::new();
    let acme = world.business("Acme");
    for tool in catalog::tools().filter(|tool| tool.actor == ActorRule::User) {
        let refused = world.call(&acme.tenant, tool.name, json!({}));
        let told = told(&refused.expect_err(tool.name));
        assert_eq!(told["kind"], "invalid_input", "{}", tool.name);
        assert!(told["message"].as_str().unwrap().contains("zoop_uk_"), "{told}");
    }
}

#[both]
fn the_crew_reads_customers_and_writes_notes_alone() {
    let world = World::new();
    let acme = world.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let allowed = tool.scope != Scope::WriteCustomers;
        let answer = world.try_out(&acme.tech, tool.name, &acme.fill(tool.example));
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
    let world = World::new();
    let acme = world.business("Acme");
    let other = world.business("Other");
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
                world
                    .try_out(access, tool.name, &arguments.to_string())
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
    let world = World::new();
    let acme = world.business("Acme");
    let other = world.business("Other");
    let author = Business::user(&other.owner).to_string();
    for (tool, filter) in [
        ("customers.search", json!({ "tag": other.id("tag") })),
        ("notes.list", json!({ "subject_id": other.id("customer") })),
        ("notes.list", json!({ "subject_type": "job", "subject_id": other.id("job") })),
        ("notes.list", json!({ "created_by": author })),
        ("notes.list", json!({ "created_by": NOBODY })),
    ] {
        let page = world.call(&acme.owner, tool, filter).expect(tool);
        assert_eq!(page, json!({ "rows": [], "nextCursor": null, "hasMore": false }), "{tool}");
    }
}

#[both]
fn what_is_no_id_is_told_by_its_field() {
    let world = World::new();
    let acme = world.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let own: Value = serde_json::from_str(&acme.fill(tool.example)).expect(tool.name);
        for name in ids(&own, tool) {
            for id in
                [json!("42"), json!(42), json!({}), json!("{01890000-0000-7000-8000-000000000000}")]
            {
                let mut arguments = own.clone();
                arguments[name] = id.clone();
                let told =
                    told(&world.call(&acme.owner, tool.name, arguments).expect_err(tool.name));
                assert_eq!(told["kind"], "invalid_input", "{} {name} {id}", tool.name);
                assert_eq!(told["fields"][0]["field"], name, "{} {name} {id}", tool.name);
            }
        }
    }
}

#[both]
fn a_revoked_key_a_removed_person_and_a_new_role_act_on_the_next_call() {
    let world = World::new();
    let acme = world.business("Acme");
    let account = Some(acme.account);
    let office = acme.id("office_user");
    let first = world.key(acme.account, Some(office), Scope::GRANTABLE);
    let second = world.key(acme.account, Some(office), Scope::GRANTABLE);
    let keys = world.operate(account, "keys.list", json!({}));
    let newest = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    world.operate(account, "keys.revoke", json!({ "id": newest }));
    assert_eq!(world.authenticate(&second).unwrap_err(), "key_revoked");
    assert!(world.access(&first).scopes.has(Scope::WriteCustomers));
    world.operate(account, "users.set_role", json!({ "id": office, "role": "tech" }));
    assert!(!world.access(&first).scopes.has(Scope::WriteCustomers));
    world.operate(account, "users.remove", json!({ "id": office }));
    assert_eq!(world.authenticate(&first).unwrap_err(), "key_revoked");
    assert_eq!(world.authenticate("zoop_uk_nonsense").unwrap_err(), "invalid_token");
}

#[both]
fn a_key_expires_and_a_rotated_one_overlaps_as_told() {
    let world = World::new();
    let acme = world.business("Acme");
    let account = Some(acme.account);
    let made = world.operate(
        account,
        "keys.create",
        json!({
            "scopes": "read:notes", "expires_in": 60,
        }),
    );
    let key = made["key"].as_str().unwrap();
    world.clock.advance(59_999);
    world.access(key);
    let rotated = world.operate(account, "keys.rotate", json!({ "id": made["key_id"] }));
    assert_eq!(world.authenticate(key).unwrap_err(), "key_revoked", "no overlap was asked for");
    world.access(rotated["key"].as_str().unwrap());
    world.clock.advance(1);
    let expired = world.authenticate(rotated["key"].as_str().unwrap());
    assert_eq!(expired.unwrap_err(), "expired", "the new key keeps the old one's end");

    let old = world.key(acme.account, None, &[Scope::ReadNotes]);
    let keys = world.operate(account, "keys.list", json!({}));
    let id = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    world.operate(account, "keys.rotate", json!({ "id": id, "overlap": 10 }));
    world.access(&old);
    world.clock.advance(10_000);
    assert_eq!(world.authenticate(&old).unwrap_err(), "expired");
}

#[both]
fn the_last_owner_stays() {
    let world = World::new();
    let acme = world.business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    let operator = Caller::operator(Some(acme.account));
    for (tool, arguments) in [
        ("users.set_role", json!({ "id": owner, "role": "office" })),
        ("users.remove", json!({ "id": owner })),
    ] {
        let told = told(&world.call(&operator, tool, arguments).expect_err(tool));
        assert_eq!(told["kind"], "conflict", "{tool}");
    }
    let arguments = json!({ "id": acme.id("office_user"), "role": "owner" });
    world.operate(Some(acme.account), "users.set_role", arguments);
    world.operate(Some(acme.account), "users.remove", json!({ "id": owner }));
}

/// [`crate::call::run::Runner`] makes a read job of a query and a write job of a command; should a caller of
/// [`run::read`] and [`run::write()`] mix them up, the tool does not run.
#[both]
fn a_query_and_a_command_are_not_taken_for_each_other() {
    let world = World::new();
    let acme = world.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    let history = || {
        world.operate(Some(acme.account), "history.list", json!({ "limit": 100 }))["rows"].clone()
    };
    let before = history();
    for tool in catalog::tools() {
        let (proof, environment) =
            (caller(tool, &acme, &operator).clone(), world.environment.clone());
        let arguments = acme.fill(tool.example);
        let (answer, told) = if tool.is_read_only() {
            let run =
                world.write(move |tx| run::write(tx, &environment, &proof, tool, &arguments, None));
            (run, "reads; it was run as a write")
        } else {
            let run = world.read(move |tx| run::read(tx, &environment, &proof, tool, &arguments));
            (run, "writes; it was run as a read")
        };
        let Err(Error::Internal { cause }) = answer else { panic!("{}: {answer:?}", tool.name) };
        assert_eq!(cause.to_string(), format!("{} {told}", tool.name));
    }
    assert_eq!(history(), before, "nothing was written");
}
