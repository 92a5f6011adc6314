//! What callers are told who send a field under another name than the tool's.

use serde_json::{Value, json};
use zoop_both::both;

use crate::business::{customers, notes, tags};
use crate::call::argument::{Hint, Instead};
use crate::catalog;
use crate::testing::{Business, TestEnv, error_json, text};

/// The hints of each group.
const GROUPS: &[(&str, &[Hint])] = &[
    ("customers", customers::hints::SEARCH),
    ("customers", customers::hints::DUPLICATES),
    ("customers", customers::hints::PAIR),
    ("customers", customers::hints::ONE),
    ("contacts", customers::contacts::hints::HINTS),
    ("locations", customers::locations::hints::HINTS),
    ("tags", tags::hints::HINTS),
    ("notes", notes::hints::HINTS),
];

/// The problem with an additional field in a tool's example. The field's path may lead into an object.
fn problem(env: &TestEnv, business: &Business, tool: &str, path: &str) -> String {
    let example = catalog::find(tool).expect("a tool").example;
    let mut arguments: Value = serde_json::from_str(&business.fill(example)).expect("JSON");
    let target = path.split('.').fold(&mut arguments, |object, name| &mut object[name]);
    *target = json!("x");
    let error = error_json(&env.call(&business.owner, tool, arguments).expect_err(path));
    let fields = error["fields"].as_array().expect("fields");
    let field = fields.iter().find(|field| field["field"] == path);
    text(field.unwrap_or_else(|| panic!("{tool} {path}: {error}")), "problem").to_owned()
}

#[both]
fn another_name_for_a_field_is_answered_with_the_right_one() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (tool, sent, expected) in [
        ("customers.search", "kind", "use type"),
        ("customers.search", "name", "use q"),
        ("customers.search", "phone_number", "use q"),
        ("customers.search", "perPage", "use limit"),
        ("customers.create", "name", "use first_name or company_name"),
        ("customers.create", "frist_name", "the nearest one is first_name"),
        ("customers.create", "emailAddress", "use email"),
        ("customers.create", "phone_number", "use phone"),
        ("customers.create", "address", "use location"),
        ("customers.create", "street", "use location.address_line1"),
        ("customers.create", "zip", "use location.postal_code"),
        ("customers.create", "location.zip", "use postal_code"),
        ("customers.create", "location.street", "use address_line1"),
        ("customers.create", "notes", "use notes.create to add a note"),
        ("customers.update", "note", "use notes.create to add a note"),
        ("customers.update", "address", "use locations.update or locations.create"),
        ("customers.update", "tags", "tags.attach"),
        ("customers.update", "vip", "use is_vip"),
        ("customers.get", "customer_id", "use id"),
        ("contacts.create", "name", "use first_name and last_name"),
        ("contacts.update", "mobile", "use phone"),
        ("contacts.get", "contact_id", "use id"),
        ("locations.create", "address", "use address_line1"),
        ("locations.update", "zip", "use postal_code"),
        ("locations.create", "AddressLine_2", "use address_line2"),
        ("tags.create", "colour", "use color"),
        ("notes.create", "text", "use body"),
        ("notes.create", "customer_id", "with subject_id"),
        ("notes.list", "query", "use q"),
    ] {
        let problem = problem(&env, &acme, tool, sent);
        assert!(problem.contains(expected), "{tool} {sent}: {problem}");
    }
    for (tool, sent) in [
        ("customers.get", "photo"),
        ("customers.create", "loyalty_points"),
        ("customers.update", "loyalty"),
        ("notes.get", "x"),
    ] {
        let problem = problem(&env, &acme, tool, sent);
        assert!(problem.contains("which takes"), "{tool} {sent}: {problem}");
    }
}

/// A hint that names a field or tool that does not exist would send callers in circles.
#[test]
fn every_hint_names_fields_of_its_group_and_existing_tools() {
    for (group, hints) in GROUPS {
        let tools =
            catalog::GROUPS.iter().find(|known| known.name == *group).expect("a group").tools;
        let fields: Vec<_> = tools.iter().flat_map(|tool| tool.fields()).collect();
        let is_field = |path: &str| match path.split_once('.') {
            None => fields.iter().any(|field| field.name == path),
            Some((object, name)) => fields.iter().any(|field| {
                field.name == object && field.schema["properties"].get(name).is_some()
            }),
        };
        for hint in *hints {
            for instead in hint.instead() {
                match instead {
                    Instead::Fields(names) | Instead::OneOf(names) => {
                        assert!(names.iter().all(|name| is_field(name)), "{group}: {names:?}");
                    }
                    Instead::Advice(advice) => {
                        let words = advice.split(|letter: char| {
                            !(letter.is_alphanumeric() || ".:_".contains(letter))
                        });
                        let named = words
                            .map(|word| word.trim_matches(['.', ':']))
                            .filter(|word| word.contains('.'));
                        for tool in named {
                            assert!(catalog::find(tool).is_some(), "{group}: {tool} in {advice}");
                        }
                    }
                }
            }
            // A field of the group's every tool would never be unknown.
            for name in hint.names() {
                let has_it = |tool: &&crate::call::definition::ToolDef| {
                    tool.fields().iter().any(|field| field.name == *name)
                };
                assert!(
                    !tools.iter().all(|tool| has_it(&tool)),
                    "{group}: {name} is never unknown"
                );
            }
        }
    }
}

/// Rows and records call it `customer_type`.
#[both]
fn a_search_takes_customer_type_for_type() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for name in ["Ines and Co", "Jonas and Co", "Karl and Co"] {
        let company = json!({ "customer_type": "company", "company_name": name });
        env.create(&acme.owner, "customers.create", company);
    }
    let search = |arguments: Value| env.call(&acme.owner, "customers.search", arguments);
    let first = search(json!({ "customer_type": "company", "limit": 2 })).expect("a page");
    assert_eq!(first, search(json!({ "type": "company", "limit": 2 })).expect("a page"));
    assert_eq!(first["rows"].as_array().expect("rows").len(), 2);
    for name in ["type", "customer_type"] {
        let next = json!({ "cursor": first["nextCursor"], name: "company" });
        let rest = search(next).expect("the next page");
        assert_eq!(rest["rows"].as_array().expect("rows").len(), 1, "{name}");
        let other = json!({ "cursor": first["nextCursor"], name: "individual" });
        let error = error_json(&search(other).expect_err(name));
        assert_eq!(error["fields"][0]["field"], "type", "{name}: {error}");
    }
    let twice = |kind: &str| search(json!({ "customer_type": "company", "type": kind }));
    assert_eq!(twice("company").expect("the same")["rows"].as_array().expect("rows").len(), 3);
    let different = error_json(&twice("individual").expect_err("two types"));
    assert_eq!(different["fields"][0]["field"], "customer_type");
    assert!(text(&different["fields"][0], "problem").contains("use type"), "{different}");
    let wrong = error_json(&search(json!({ "customer_type": "person" })).expect_err("no type"));
    assert_eq!(wrong["fields"][0]["field"], "type");
}
