//! `changes.revert`: what it puts back, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zoop_both::both;

use super::{rows, session};
use crate::business::tags::tools::DETACHED_AT_ONCE;
use crate::call::definition::ToolKind;
use crate::call::scope::{Scope, Scopes};
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json, text};

/// Each customer, contact, location, tag and note that is there, by its id, without the times of its last change.
/// Records that are archived say so.
pub(super) fn state(env: &TestEnv, acme: &Business) -> BTreeMap<String, Value> {
    let operator = Caller::operator(Some(acme.account));
    let list = |tool: &str, mut arguments: Value| {
        let mut rows = Vec::new();
        loop {
            let page = env.call(&operator, tool, arguments.clone()).expect(tool);
            rows.extend(page["rows"].as_array().expect("rows").iter().cloned());
            if page["hasMore"] == false {
                return rows;
            }
            arguments["cursor"] = page["nextCursor"].clone();
        }
    };
    let mut records = list("tags.list", json!({}));
    records.extend(list("notes.list", json!({})));
    for archived in [false, true] {
        records.extend(list("catalog_items.list", json!({ "archived": archived })));
    }
    for status in ["active", "inactive", "archived"] {
        for row in list("customers.search", json!({ "status": status })) {
            let customer_id = text(&row, "id");
            let get = json!({ "id": customer_id });
            let mut customer = env.call(&operator, "customers.get", get).expect("a customer");
            for part in ["contacts", "locations"] {
                customer.as_object_mut().expect("a record").remove(part);
                for archived in [false, true] {
                    let of = json!({ "customer_id": customer_id, "archived": archived });
                    records.extend(list(&format!("{part}.list"), of));
                }
            }
            records.push(customer);
        }
    }
    let by_id = records.into_iter().map(|mut record| {
        record.as_object_mut().expect("a record").remove("updated_at");
        (text(&record, "id").to_owned(), record)
    });
    by_id.collect()
}

/// Without the records that are archived and were not there before: those that a reverted call added.
pub(super) fn without_reverted(
    mut now: BTreeMap<String, Value>,
    before: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let of_gone = |customer: &Value, now: &BTreeMap<String, Value>| {
        customer.as_str().is_some_and(|id| !now.contains_key(id))
    };
    now.retain(|id, record| before.contains_key(id) || record["archived_at"].is_null());
    // The contacts and locations of an archived customer stay as they are.
    let customers = now.clone();
    now.retain(|_, record| !of_gone(&record["customer_id"], &customers));
    now
}

/// Fails with the records that differ.
pub(super) fn assert_same(
    now: &BTreeMap<String, Value>,
    expected: &BTreeMap<String, Value>,
    after: &str,
) {
    let ids: BTreeSet<_> = now.keys().chain(expected.keys()).collect();
    let different = ids.into_iter().filter(|id| now.get(*id) != expected.get(*id));
    let different: Vec<_> = different.map(|id| (now.get(id), expected.get(id))).collect();
    assert!(different.is_empty(), "{different:#?} after {after}");
}

pub(super) fn newest(env: &TestEnv, caller: &Caller) -> Value {
    let page = env.call(caller, "changes.list", json!({ "limit": 1 })).expect("the history");
    page["rows"][0].clone()
}

fn revert(env: &TestEnv, caller: &Caller, entry: &Value) -> Value {
    let id = &entry["id"];
    env.call(caller, "changes.revert", json!({ "id": id })).expect("it can be reverted")
}

fn refused(env: &TestEnv, caller: &Caller, entry: &Value) -> Value {
    let answer = env.call(caller, "changes.revert", json!({ "id": entry["id"] }));
    error_json(&answer.expect_err("it cannot be reverted"))
}

#[both]
fn every_command_is_undone_redone_and_undone_again() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let before = state(&env, &acme);
    let mut undone = 0;
    let tools = catalog::tools().filter(|tool| tool.is_public());
    for tool in tools.filter(|tool| matches!(tool.kind, ToolKind::Command { .. })) {
        env.clock.advance(60_000_000);
        env.call_text(&acme.owner, tool.name, &acme.fill(tool.example)).expect(tool.name);
        let entry = newest(&env, &acme.owner);
        assert_eq!(entry["can_revert"], true, "{entry}");
        let after = state(&env, &acme);
        // What these two change is in no list.
        let is_unseen = ["notes.archive", "customers.mark_different"].contains(&tool.name);
        assert!(after != before || is_unseen, "{} changed nothing", tool.name);
        let asked = json!({ "id": entry["id"], "dry_run": true });
        let asked = env.call(&acme.owner, "changes.revert", asked).expect("a dry run");
        assert_same(&state(&env, &acme), &after, tool.name);
        let answer = revert(&env, &acme.owner, &entry);
        assert_eq!(answer["steps"], asked["steps"], "{}", tool.name);
        assert_eq!((&answer["reverted"], &asked["reverted"]), (&json!(true), &json!(false)));
        assert_same(&without_reverted(state(&env, &acme), &before), &before, tool.name);
        let again = refused(&env, &acme.owner, &entry);
        assert_eq!(again["message"], "It was undone already.", "{}", tool.name);

        let undoing = newest(&env, &acme.owner);
        assert_eq!(undoing["tool"], "changes.revert");
        revert(&env, &acme.owner, &undoing);
        assert_same(&state(&env, &acme), &after, tool.name);
        revert(&env, &acme.owner, &entry);
        assert_same(&without_reverted(state(&env, &acme), &before), &before, tool.name);
        undone += 1;
    }
    assert!(undone >= 20, "{undone}");
}

#[both]
fn five_of_the_fields_that_were_changed_since_are_named_and_the_others_counted() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let fields = [
        "label",
        "address_line1",
        "address_line2",
        "city",
        "access_notes",
        "parking_notes",
        "service_notes",
    ];
    let set = |caller: &Caller, value: &str| {
        let mut arguments =
            json!({ "id": acme.id("location"), "customer_id": acme.id("customer") });
        for field in fields {
            arguments[field] = json!(format!("{value} {field}"));
        }
        env.clock.advance(1_000);
        env.call(caller, "locations.update", arguments).expect("an update");
        newest(&env, &acme.owner)
    };
    let first = set(&acme.owner, "First");
    set(&acme.office, "Second");
    let error = refused(&env, &acme.owner, &first);
    let message = text(&error, "message");
    assert_eq!(message.matches(", set by Oscar Office").count(), 5, "{message}");
    assert!(message.contains("set by Oscar Office; and 2 more. Undo the later"), "{message}");
    let listed = rows(&env, &acme.owner, &json!({ "record_id": acme.id("location") }));
    let listed = text(&listed[1], "cannot_revert");
    assert_eq!(listed.matches(" of the location").count(), 5, "{listed}");
    assert!(listed.ends_with(" of the location and 2 more."), "{listed}");
}

#[both]
fn what_was_changed_since_is_named_with_its_value_and_who_set_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let customer = acme.id("customer");
    let update = |caller: &Caller, fields: Value| {
        let mut arguments = json!({ "id": customer });
        arguments
            .as_object_mut()
            .expect("fields")
            .extend(fields.as_object().expect("fields").clone());
        env.clock.advance(1_000);
        env.call(caller, "customers.update", arguments).expect("an update");
        newest(&env, &acme.owner)
    };
    let first = update(&acme.owner, json!({ "source": "referral", "is_vip": true }));
    let other_field = update(&acme.office, json!({ "notes_internal": "Has a dog" }));
    let second = update(&acme.office, json!({ "source": "google" }));
    let error = refused(&env, &acme.owner, &first);
    assert_eq!(error["kind"], "conflict");
    let expected = format!(
        "Changed since: source of customer {customer} is now \"google\", set by Oscar Office. Undo the later \
         changes first, or change the fields by hand."
    );
    assert_eq!(error["message"], expected);
    let dry =
        env.call(&acme.owner, "changes.revert", json!({ "id": first["id"], "dry_run": true }));
    assert_eq!(error_json(&dry.expect_err("a dry run is refused too"))["message"], expected);
    let listed = rows(&env, &acme.owner, &json!({ "record_id": customer }));
    let listed: Vec<_> = listed[..3].iter().map(|row| row["cannot_revert"].clone()).collect();
    assert_eq!(listed, [json!(null), json!(null), json!("Changed since: source of the customer.")]);

    revert(&env, &acme.owner, &second);
    revert(&env, &acme.owner, &first);
    let now = env.call(&acme.owner, "customers.get", json!({ "id": customer })).expect("it");
    assert_eq!((&now["source"], &now["is_vip"]), (&json!(null), &json!(false)));
    assert_eq!(now["notes_internal"], "Has a dog", "other fields stay");
    revert(&env, &acme.owner, &other_field);

    let note = acme.id("note");
    let edit = |body: &str| {
        env.clock.advance(1_000);
        env.call(&acme.owner, "notes.update", json!({ "id": note, "body": body }))
            .expect("an edit");
        newest(&env, &acme.owner)
    };
    let (first, second) = (edit("Gate is mended."), edit("Gate is new."));
    let error = refused(&env, &acme.owner, &first);
    let named = format!("Changed since: body of note {note}, set by Olive Owner.");
    assert!(text(&error, "message").starts_with(&named), "{error}");
    assert!(!error.to_string().contains("Gate"), "a note's text is not repeated: {error}");
    revert(&env, &acme.owner, &second);
    revert(&env, &acme.owner, &first);
    let now = env.call(&acme.owner, "notes.get", json!({ "id": note })).expect("it");
    assert_eq!(now["body"], "Gate sticks.");
}

#[both]
fn only_those_who_may_change_the_records_can_undo() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office_id = Business::user(&acme.office).to_string();
    let key = |scopes: &[Scope]| env.access(&env.key(acme.account, Some(&office_id), scopes));
    let vip = json!({ "id": acme.id("customer"), "is_vip": true });
    env.call(&acme.tenant, "customers.update", vip).expect("an update");
    let of_customer = newest(&env, &acme.owner);
    env.clock.advance(1_000);
    let pinned = json!({ "id": acme.id("note"), "pinned": true });
    env.call(&acme.owner, "notes.update", pinned).expect("an update");
    let of_note = newest(&env, &acme.owner);

    let history = Scope::ReadHistory;
    let reader = key(&[history, Scope::ReadCustomers, Scope::ReadNotes, Scope::WriteNotes]);
    let writer = key(&[history, Scope::WriteCustomers, Scope::ReadNotes]);
    let person = "changes.revert needs a person to act: use a user key (zoop_uk_) or an OAuth token \
                  instead of a tenant key.";
    let scope = "To undo it, you need the scope write:customers.";
    let author = "Only the note's author or an owner can undo it.";
    for (caller, entry, kind, why) in [
        (&acme.tenant, &of_customer, "invalid_input", person),
        (&reader, &of_customer, "insufficient_scope", scope),
        (&reader, &of_note, "conflict", author),
        (&acme.office, &of_note, "conflict", author),
    ] {
        let error = refused(&env, caller, entry);
        assert_eq!(error["kind"], kind, "{error}");
        let listed = rows(&env, caller, &json!({}));
        let row = listed.iter().find(|row| row["id"] == entry["id"]).expect("the entry is listed");
        assert_eq!(row["can_revert"], false, "{row}");
        let shown = if kind == "invalid_input" { "Only a person can undo changes." } else { why };
        assert_eq!(row["cannot_revert"], shown);
        if kind != "insufficient_scope" {
            assert_eq!(error["message"], why);
        }
    }
    // Who may not read a record does not learn of its changes.
    let error = refused(&env, &writer, &of_customer);
    assert_eq!(error["kind"], "not_found", "{error}");
    let other = env.business("Other");
    let unknown = json!({ "id": "0190a0a0-0000-7000-8000-000000000000" });
    let foreign = refused(&env, &other.owner, &of_customer);
    assert_eq!(foreign, refused(&env, &other.owner, &unknown));
    revert(&env, &acme.office, &of_customer);
    revert(&env, &acme.owner, &of_note);
}

#[both]
fn changes_of_people_keys_and_programs_cannot_be_undone() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let owner = session(&env, &acme, Business::user(&acme.owner));
    for entry in rows(&env, &owner, &json!({})) {
        let changes = entry["changes"].as_array().expect("changes");
        let is = |types: &[&str]| {
            changes.iter().any(|change| types.contains(&text(change, "record_type")))
        };
        let why = if is(&["tenant", "user", "key", "grant", "session", "invitation", "subject"]) {
            "Only changes of customers, contacts, locations, notes, files and tags can be undone."
        } else {
            continue;
        };
        assert_eq!(entry["cannot_revert"], why, "{entry}");
        assert_eq!(refused(&env, &owner, &entry)["message"], why);
    }
}

/// As its deletion, in several transactions.
#[both]
fn a_deleted_tag_comes_back_with_its_id_and_all_its_customers() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let tag = env.create(&acme.owner, "tags.create", json!({ "name": "Common" }));
    for number in 0..=2 * DETACHED_AT_ONCE {
        let company = json!({ "customer_type": "company", "company_name": format!("Company {number}"),
                              "tags": [tag] });
        env.create(&acme.owner, "customers.create", company);
    }
    let before = state(&env, &acme);
    let tagged = || {
        let found = json!({ "tag": tag, "limit": 100 });
        let (mut count, mut arguments) = (0, found.clone());
        loop {
            let Ok(page) = env.call(&acme.owner, "customers.search", arguments) else { return 0 };
            count += page["rows"].as_array().expect("rows").len();
            if page["hasMore"] == false {
                return count;
            }
            arguments = found.clone();
            arguments["cursor"] = page["nextCursor"].clone();
        }
    };
    env.clock.advance(60_000_000);
    env.call(&acme.owner, "tags.delete", json!({ "id": tag })).expect("a deletion");
    let deletion = newest(&env, &acme.owner);
    let part = &rows(&env, &acme.owner, &json!({ "tool": "tags.delete" }))[1];
    assert_eq!(refused(&env, &acme.owner, part)["message"], "The tag was deleted since.");
    assert_eq!(tagged(), 0);
    let asked = json!({ "id": deletion["id"], "dry_run": true });
    let asked = env.call(&acme.owner, "changes.revert", asked).expect("a dry run");
    let answer = revert(&env, &acme.owner, &deletion);
    assert_eq!(answer["reverted"], true);
    assert_eq!(answer["steps"][0], format!("bring back tag {tag}"));
    for part in ["steps", "more_steps"] {
        assert_eq!(answer[part], asked[part], "{part}");
    }
    assert_same(&state(&env, &acme), &before, "all");
    assert_eq!(tagged(), 2 * DETACHED_AT_ONCE + 1, "a search finds them by the tag");
    assert_eq!(refused(&env, &acme.owner, &deletion)["message"], "It was undone already.");

    // The undo is undone as a whole, and can be done again, by either entry.
    for again in [true, false] {
        let undo = newest(&env, &acme.owner);
        revert(&env, &acme.owner, &undo);
        assert_eq!(tagged(), 0);
        let undo = newest(&env, &acme.owner);
        revert(&env, &acme.owner, if again { &deletion } else { &undo });
        assert_same(&state(&env, &acme), &before, "undone once more");
        assert_eq!(tagged(), 2 * DETACHED_AT_ONCE + 1);
    }

    // The name may be taken by then.
    env.call(&acme.owner, "tags.delete", json!({ "id": tag })).expect("a deletion");
    let deletion = newest(&env, &acme.owner);
    let other = env.create(&acme.owner, "tags.create", json!({ "name": "common" }));
    assert_eq!(refused(&env, &acme.owner, &deletion)["kind"], "conflict");
    env.call(&acme.owner, "tags.delete", json!({ "id": other })).expect("a deletion");
    revert(&env, &acme.owner, &deletion);
    assert_same(&state(&env, &acme), &before, "all");
}

#[both]
fn two_hundred_changes_of_an_assistant_are_undone_by_its_filter() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let scopes = Scopes::of(Scope::GRANTABLE);
    let (_, issued) = env.connect(acme.account, Business::user(&acme.owner), scopes);
    let assistant = env.authenticate(issued.access.expose()).expect("a valid token");
    let before = state(&env, &acme);
    for number in 0..50 {
        let name = json!({ "customer_type": "company", "company_name": format!("Wrong {number}") });
        let customer = env.create(&assistant, "customers.create", name);
        let update = json!({ "id": customer, "phone": "510-555-0199" });
        env.call(&assistant, "customers.update", update).expect("an update");
        env.call(&assistant, "customers.archive", json!({ "id": customer })).expect("archived");
        let vip = json!({ "id": acme.id("customer"), "source": format!("source {number}") });
        env.call(&assistant, "customers.update", vip).expect("an update");
    }
    let own = json!({ "id": acme.id("customer"), "is_vip": true });
    env.call(&acme.owner, "customers.update", own.clone()).expect("an update by a person");
    let changes = rows(&env, &acme.owner, &json!({ "client": "Program" }));
    assert_eq!(changes.len(), 200);
    for entry in &changes {
        assert_eq!(
            (&entry["client"], &entry["user_name"]),
            (&json!("Program"), &json!("Olive Owner"))
        );
        revert(&env, &acme.owner, entry);
    }
    let mut expected = before.clone();
    expected.get_mut(acme.id("customer")).expect("it")["is_vip"] = json!(true);
    assert_same(&without_reverted(state(&env, &acme), &before), &expected, "all");
}

/// The place of the primary contact goes back to the one who had it, and a company gets its placeholder again.
#[both]
fn a_promotion_gives_the_place_back() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (customer, hana) = (acme.id("customer"), acme.id("contact"));
    let before = state(&env, &acme);
    env.call(&acme.owner, "contacts.archive", json!({ "id": hana, "customer_id": customer }))
        .expect("the primary contact is archived");
    let entry = newest(&env, &acme.owner);
    assert_ne!(state(&env, &acme), before);
    revert(&env, &acme.owner, &entry);
    assert_same(&state(&env, &acme), &before, "all");

    let company = json!({ "customer_type": "company", "company_name": "Grommet" });
    let company = env.create(&acme.owner, "customers.create", company);
    let person = json!({ "customer_id": company, "first_name": "Gus", "last_name": "Grommet" });
    let first = env.create(&acme.owner, "contacts.create", person.clone());
    let added = newest(&env, &acme.owner);
    let rename = |name: &str| {
        let renamed = json!({ "id": company, "company_name": name });
        env.call(&acme.owner, "customers.update", renamed).expect("an update");
    };
    rename("Grommet Hardware");
    revert(&env, &acme.owner, &added);
    let now = env.call(&acme.owner, "customers.get", json!({ "id": company })).expect("it");
    assert_eq!(now["contacts"][0]["first_name"], "Grommet Hardware");
    rename("Grommet & Son");
    let now = env.call(&acme.owner, "customers.get", json!({ "id": company })).expect("it");
    assert_eq!(
        now["contacts"][0]["first_name"], "Grommet & Son",
        "the placeholder follows the name"
    );
    let again = env.create(&acme.owner, "contacts.create", person);
    assert_eq!(again, first, "and a person takes its place");
}

/// Contacts A, who is primary, B and C of one customer, by their ids.
fn three_contacts(env: &TestEnv, acme: &Business) -> [String; 3] {
    let customer = acme.id("customer");
    let third = json!({ "customer_id": customer, "first_name": "Cleo", "last_name": "Nguyen" });
    let third = env.create(&acme.owner, "contacts.create", third);
    [acme.id("contact").to_owned(), acme.id("other_contact").to_owned(), third]
}

#[both]
fn a_place_that_somebody_else_got_since_is_not_taken_away() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let customer = acme.id("customer");
    let [a, b, c] = three_contacts(&env, &acme);
    let contact = |verb: &str, id: &str, mut fields: Value| {
        env.clock.advance(1_000);
        fields["id"] = json!(id);
        if verb != "restore" {
            fields["customer_id"] = json!(customer);
        }
        env.call(&acme.owner, &format!("contacts.{verb}"), fields).expect(verb);
        newest(&env, &acme.owner)
    };
    let promoted = contact("update", &b, json!({ "is_primary": true }));
    contact("update", &c, json!({ "is_primary": true }));
    let error = refused(&env, &acme.owner, &promoted);
    let expected =
        format!("Changed since: is_primary of contact {c} is now true, set by Olive Owner.");
    assert!(text(&error, "message").starts_with(&expected), "{error}");
    revert(&env, &acme.owner, &newest(&env, &acme.owner));
    revert(&env, &acme.owner, &promoted);
    let now = env.call(&acme.owner, "contacts.get", json!({ "id": a })).expect("it");
    assert_eq!(now["is_primary"], true);

    // The last contact stays.
    contact("archive", &a, json!({}));
    let restored = contact("restore", &a, json!({}));
    contact("archive", &b, json!({}));
    contact("archive", &c, json!({}));
    let error = refused(&env, &acme.owner, &restored);
    let expected = "A customer keeps at least one contact: add another contact first.";
    assert_eq!(error["message"], expected);
}

/// A type of location may have no primary one, so undoing promotes none that was not.
#[both]
fn undoing_a_locations_promotion_promotes_no_other() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (customer, first) = (acme.id("customer"), acme.id("location"));
    let address = |fields: Value| {
        let mut all = json!({ "customer_id": customer, "address_line1": "9 Elm St", "city": "Oakland",
                              "state": "CA", "postal_code": "94607" });
        all.as_object_mut().expect("fields").extend(fields.as_object().expect("fields").clone());
        all
    };
    let second = env.create(&acme.owner, "locations.create", address(json!({})));
    let update = |id: &str, fields: Value| {
        let mut all = fields;
        all["id"] = json!(id);
        all["customer_id"] = json!(customer);
        env.call(&acme.owner, "locations.update", all).expect("an update");
    };
    update(first, json!({ "is_primary": false }));
    let before = state(&env, &acme);
    let steps: [&dyn Fn(); 3] = [
        &|| update(&second, json!({ "is_primary": true })),
        &|| {
            env.create(&acme.owner, "locations.create", address(json!({ "is_primary": true })));
        },
        &|| {
            let archived = json!({ "id": second, "customer_id": customer });
            env.call(&acme.owner, "locations.archive", archived).expect("archived");
        },
    ];
    for (number, step) in steps.iter().enumerate() {
        step();
        assert!(state(&env, &acme) != before);
        revert(&env, &acme.owner, &newest(&env, &acme.owner));
        let now = without_reverted(state(&env, &acme), &before);
        assert_same(&now, &before, &format!("step {number}"));
    }
}

#[both]
fn an_undone_customer_gives_back_only_the_external_id_that_it_was_added_with() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let add = |fields: Value| {
        let mut all = json!({ "customer_type": "company", "company_name": "Bay Bakery" });
        all.as_object_mut().expect("fields").extend(fields.as_object().expect("fields").clone());
        let id = env.create(&acme.owner, "customers.create", all);
        (id, newest(&env, &acme.owner))
    };
    let (_, imported) = add(json!({ "external_id": "X-1" }));
    revert(&env, &acme.owner, &imported);
    let (_, imported) = add(json!({ "external_id": "X-1" }));
    revert(&env, &acme.owner, &imported);
    let (id, added) = add(json!({}));
    let synced = json!({ "id": id, "external_id": "X-2" });
    env.call(&acme.owner, "customers.update", synced).expect("an update");
    revert(&env, &acme.owner, &added);
    let operator = Caller::operator(Some(acme.account));
    let now = env.call(&operator, "customers.get", json!({ "id": id })).expect("it");
    assert_eq!((&now["external_id"], &now["status"]), (&json!("X-2"), &json!("archived")));
}

/// An id of a later change may come before that of an earlier one, if the earlier one was made by a clock that was ahead.
#[both]
fn a_text_that_a_set_back_clock_hid_is_not_overwritten() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let note = acme.id("note");
    let edit = |body: &str| {
        env.call(&acme.owner, "notes.update", json!({ "id": note, "body": body }))
            .expect("an edit");
    };
    env.clock.advance(60_000);
    edit("Gate is mended.");
    let ahead = newest(&env, &acme.owner);
    env.clock.advance(-30_000);
    edit("Gate is new.");
    let error = refused(&env, &acme.owner, &ahead);
    assert!(text(&error, "message").starts_with("Changed since: body of note"), "{error}");
}
