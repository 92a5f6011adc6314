//! Calls that are not allowed: every tool × {missing scope, wrong actor, another tenant's id, unknown id}.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::definition::ToolDef;
use crate::call::error::Error;
use crate::call::run;
use crate::call::scope::Scope;
use crate::call::tool::ActorRule;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json};

/// An id that no record has.
const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

fn caller<'a>(tool: &ToolDef, business: &'a Business, operator: &'a Caller) -> &'a Caller {
    if tool.is_public() { &business.owner } else { operator }
}

#[both]
fn a_call_without_the_required_scope_names_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for scope in Scope::GRANTABLE {
        let others: Vec<_> =
            Scope::GRANTABLE.iter().copied().filter(|other| other != scope).collect();
        let access = env.access(&env.key(acme.account, None, &others));
        for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == *scope) {
            let refused = env.call_text(&access, tool.name, &acme.fill(tool.example));
            let error = error_json(&refused.expect_err(tool.name));
            assert_eq!(error["kind"], "insufficient_scope", "{}", tool.name);
            assert_eq!(error["required"], json!([scope.name()]), "{}", tool.name);
        }
    }
}

#[both]
fn no_credential_may_call_an_operators_tool() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for tool in catalog::tools().filter(|tool| !tool.is_public()) {
        for access in [&acme.owner, &acme.tenant] {
            let refused = env.call_text(access, tool.name, &acme.fill(tool.example));
            let error = error_json(&refused.expect_err(tool.name));
            assert_eq!(error["kind"], "insufficient_scope", "{}", tool.name);
        }
    }
}

#[both]
fn a_tool_that_requires_a_user_rejects_a_tenant_key() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let tools = catalog::tools().filter(|tool| tool.is_public());
    for tool in tools.filter(|tool| tool.actor != ActorRule::Anyone) {
        let refused = env.call(&acme.tenant, tool.name, json!({}));
        let error = error_json(&refused.expect_err(tool.name));
        assert_eq!(error["kind"], "invalid_input", "{}", tool.name);
        assert!(error["message"].as_str().unwrap().contains("zoop_uk_"), "{error}");
    }
}

/// What techs may do, listed by hand: this is the rule itself, which the declarations must match.
const TECH: &[Scope] = &[
    Scope::ReadCustomers,
    Scope::ReadNotes,
    Scope::WriteNotes,
    Scope::ReadTaxRates,
    Scope::ReadCatalogCategories,
    Scope::ReadCatalogItems,
    Scope::ReadJobs,
    Scope::WriteJobs,
    Scope::ReadQuotes,
    Scope::WriteQuotes,
    Scope::AnyRead,
    Scope::Nothing,
];

#[both]
fn a_tool_for_every_reader_rejects_a_caller_who_only_writes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    for scope in Scope::GRANTABLE {
        let reads = Scope::READING.contains(scope);
        for user in [None, Some(owner.as_str())] {
            let caller = env.access(&env.key(acme.account, user, &[*scope]));
            for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == Scope::AnyRead) {
                let answer = env.call_text(&caller, tool.name, &acme.fill(tool.example));
                assert_eq!(answer.is_ok(), reads, "{} {scope:?}: {answer:?}", tool.name);
                if let Err(refused) = answer {
                    let error = error_json(&refused);
                    assert_eq!(error["kind"], "insufficient_scope", "{error}");
                    assert_eq!(error["required"], json!(["read:customers"]), "{error}");
                }
            }
            for (_, tool) in catalog::mcp_tools().filter(|(_, tool)| tool.scope == Scope::Nothing) {
                env.call_text(&caller, tool.name, &acme.fill(tool.example)).expect(tool.name);
            }
        }
    }
}

#[both]
fn a_tech_may_only_read_customers_and_tax_rates_and_read_and_write_notes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (_, tool) in catalog::mcp_tools() {
        let allowed = TECH.contains(&tool.scope);
        let answer = env.try_out(&acme.tech, tool.name, &acme.fill(tool.example));
        let refused = matches!(&answer, Err(Error::InsufficientScope { attainable: false, .. }));
        assert_eq!(refused, !allowed, "{}: {answer:?}", tool.name);
    }
}

/// The arguments of a tool's example that are ids. The example must have every required id.
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
fn another_tenants_record_and_a_missing_record_get_identical_answers() {
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
            let unknown = answer(&json!(NOBODY));
            assert_eq!(answer(&foreign[name]), unknown, "{} {name}", tool.name);
            if let Err(error) = &unknown {
                assert!(error.contains(r#""kind":"not_found""#), "{} {name}: {error}", tool.name);
            }
            checked += 1;
        }
    }
    assert!(checked > 0, "no id was tried: do the schemas of ids have the format uuid?");
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
fn an_invalid_id_is_reported_for_its_field() {
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
                let error =
                    error_json(&env.call(&acme.owner, tool.name, arguments).expect_err(tool.name));
                assert_eq!(error["kind"], "invalid_input", "{} {name} {id}", tool.name);
                assert_eq!(error["fields"][0]["field"], name, "{} {name} {id}", tool.name);
            }
        }
    }
}

#[both]
fn a_revoked_key_a_removed_user_and_a_new_role_take_effect_on_the_next_call() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let account = Some(acme.account);
    let office = acme.id("office_user");
    let first = env.key(acme.account, Some(office), Scope::GRANTABLE);
    let second = env.key(acme.account, Some(office), Scope::GRANTABLE);
    let keys = env.call_as_operator(account, "keys.list", json!({}));
    let newest = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    env.call_as_operator(account, "keys.revoke", json!({ "id": newest }));
    assert_eq!(env.authenticate(&second).unwrap_err(), "key_revoked");
    assert!(env.access(&first).scopes.has(Scope::WriteCustomers));
    env.call_as_operator(account, "users.set_role", json!({ "id": office, "role": "tech" }));
    assert!(!env.access(&first).scopes.has(Scope::WriteCustomers));
    env.call_as_operator(account, "users.remove", json!({ "id": office }));
    assert_eq!(env.authenticate(&first).unwrap_err(), "key_revoked");
    assert_eq!(env.authenticate("zoop_uk_nonsense").unwrap_err(), "invalid_token");
}

#[both]
fn a_key_expires_and_a_rotated_key_overlaps_as_requested() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let account = Some(acme.account);
    let created = env.call_as_operator(
        account,
        "keys.create",
        json!({
            "scopes": "read:notes", "expires_in": 60,
        }),
    );
    let key = created["key"].as_str().unwrap();
    env.clock.advance(59_999);
    env.access(key);
    let rotated = env.call_as_operator(account, "keys.rotate", json!({ "id": created["key_id"] }));
    assert_eq!(env.authenticate(key).unwrap_err(), "key_revoked", "no overlap was requested");
    env.access(rotated["key"].as_str().unwrap());
    env.clock.advance(1);
    let expired = env.authenticate(rotated["key"].as_str().unwrap());
    assert_eq!(expired.unwrap_err(), "expired", "the new key expires with the old key");

    let old = env.key(acme.account, None, &[Scope::ReadNotes]);
    let keys = env.call_as_operator(account, "keys.list", json!({}));
    let id = &keys["rows"].as_array().unwrap().last().unwrap()["id"];
    env.call_as_operator(account, "keys.rotate", json!({ "id": id, "overlap": 10 }));
    env.access(&old);
    env.clock.advance(10_000);
    assert_eq!(env.authenticate(&old).unwrap_err(), "expired");
}

#[both]
fn the_last_owner_can_be_neither_demoted_nor_removed() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = Business::user(&acme.owner).to_string();
    let operator = Caller::operator(Some(acme.account));
    for (tool, arguments) in [
        ("users.set_role", json!({ "id": owner, "role": "office" })),
        ("users.remove", json!({ "id": owner })),
    ] {
        let error = error_json(&env.call(&operator, tool, arguments).expect_err(tool));
        assert_eq!(error["kind"], "conflict", "{tool}");
    }
    let arguments = json!({ "id": acme.id("office_user"), "role": "owner" });
    env.call_as_operator(Some(acme.account), "users.set_role", arguments);
    env.call_as_operator(Some(acme.account), "users.remove", json!({ "id": owner }));
}

/// [`crate::call::run::Runner`] runs queries as reads and commands as writes. If a caller of [`run::read`] and
/// [`run::write()`] confuses them, the tool does not run.
#[both]
fn a_query_is_never_run_as_a_write_nor_a_command_as_a_read() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let operator = Caller::operator(Some(acme.account));
    let history = || {
        env.call_as_operator(Some(acme.account), "changes.list", json!({ "limit": 100 }))["rows"]
            .clone()
    };
    let before = history();
    for tool in catalog::tools() {
        let (proof, environment) =
            (caller(tool, &acme, &operator).clone(), env.environment.clone());
        let arguments = acme.fill(tool.example);
        let (answer, error) = if tool.is_read_only() {
            let run =
                env.write(move |tx| run::write(tx, &environment, &proof, tool, &arguments, None));
            (run, "reads; it was run as a write")
        } else {
            let run = env.read(move |tx| run::read(tx, &environment, &proof, tool, &arguments));
            (run, "writes; it was run as a read")
        };
        let Err(Error::Internal { cause }) = answer else { panic!("{}: {answer:?}", tool.name) };
        assert_eq!(cause.to_string(), format!("{} {error}", tool.name));
    }
    assert_eq!(history(), before, "nothing was written");
}
