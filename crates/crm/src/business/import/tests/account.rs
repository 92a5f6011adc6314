//! What an import does to an account.

use serde_json::{Value, json};
use zoop_both::both;

use super::super::columns::Meaning;
use super::super::{Importer, Plan, Planned, Reading, Source, State, WhenRejected, run, undo};
use super::{importer, plan, source};
use crate::testing::{Business, TestEnv, text};
use crate::values::country::Country;

pub(super) const FILE: &str = "Name,Phone,Email,Street,City,State,Zip,Tags,Notes\n\
    Marco Reyes,510-555-0123,marco@example.com,482 Oak Street,Oakland,CA,94607,\"Weekly, HOA\",Has a dog.\n\
    Marco Reyes,510-555-0123,,9 Mill Road,Oakland,CA,94601,,\n\
    Bob & Jane Doe,510-555-0124,,,,,,Weekly,\n\
    Acme LLC,,office@acme.example,1 Main St,Oakland,CA,94601,,\n";

pub(super) fn search(env: &TestEnv, business: &Business, filter: &Value) -> Vec<Value> {
    let found = env.call(&business.owner, "customers.search", filter.clone()).expect("a list");
    found["rows"].as_array().expect("rows").clone()
}

pub(super) fn names(env: &TestEnv, business: &Business, filter: &Value) -> Vec<String> {
    let rows = search(env, business, filter);
    rows.iter().map(|row| text(row, "display_name").to_owned()).collect()
}

pub(super) fn run_all(importer: &Importer, file: &str) -> super::super::Outcome {
    let source = source("customers.csv", file.as_bytes());
    let plan = plan(importer, &source);
    run(importer, &source, &plan, WhenRejected::AddNone, &|_, _| Ok(())).expect("an import")
}

/// Imports the text of a file in the name of the owner.
pub(crate) fn add(env: &TestEnv, business: &Business, file: &str) {
    run_all(&importer(env, business), file);
}

/// That many lines of a file.
pub(super) fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// Which rows are added, and why the others are not.
fn fates(plan: &Plan) -> Vec<String> {
    let fate = |planned: &Planned| match planned {
        Planned::Add { similar: None } => "add".to_owned(),
        Planned::Add { similar: Some(other) } => {
            format!("add, like {}: {}", other.shown, other.why)
        }
        Planned::Here(found) => format!("here: {}", found.why),
        Planned::Unusable(unusable) => format!("unusable: {}", unusable.why),
    };
    plan.customers.iter().map(fate).collect()
}

#[both]
fn a_file_becomes_customers_with_all_that_belongs_to_them() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let file = source("customers.csv", FILE.as_bytes());
    let planned = plan(&importer, &file);
    assert_eq!(planned.new_tags, ["HOA", "Weekly"]);
    assert!(names(&env, &acme, &json!({})).is_empty(), "a plan writes nothing");
    let outcome =
        run(&importer, &file, &planned, WhenRejected::AddNone, &|_, _| Ok(())).expect("an import");
    assert_eq!((outcome.import.state, outcome.import.added), (State::Done, 3));
    assert_eq!(names(&env, &acme, &json!({})), ["Acme LLC", "Bob Doe", "Marco Reyes"]);
    assert_eq!(
        names(&env, &acme, &json!({ "q": "mill road" })),
        ["Marco Reyes"],
        "its second place"
    );
    assert_eq!(names(&env, &acme, &json!({ "q": "jane doe" })), ["Bob Doe"], "who lives with him");
    let marco = &search(&env, &acme, &json!({ "q": "marco" }))[0];
    let marco =
        env.call(&acme.owner, "customers.get", json!({ "id": marco["id"] })).expect("Marco");
    assert_eq!(marco["locations"].as_array().map(Vec::len), Some(2));
    let tags: Vec<_> =
        marco["tags"].as_array().expect("tags").iter().map(|tag| text(tag, "name")).collect();
    assert_eq!(tags, ["HOA", "Weekly"]);
    let about = json!({ "customer_id": marco["id"] });
    let notes = env.call(&acme.owner, "notes.list", about).expect("notes");
    assert_eq!(notes["rows"][0]["body"], "Has a dog.");
    let history = env
        .call(&acme.owner, "changes.list", json!({ "record_id": marco["id"] }))
        .expect("changes");
    assert_eq!(history["rows"][0]["tool"], "customers.import");
    assert_eq!(history["rows"][0]["user_name"], "Olive Owner");
}

#[both]
fn the_same_file_adds_nothing_again_and_known_customers_are_found() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let existing = |first: &str, last: &str, phone: &str| {
        let customer = json!({ "customer_type": "individual", "first_name": first, "last_name": last, "phone": phone });
        env.create(&acme.owner, "customers.create", customer);
    };
    existing("Robert", "Doe", "(510) 555-0124");
    existing("Ana", "Reyes", "(510) 555-0123");
    let file = source("customers.csv", FILE.as_bytes());
    let first = plan(&importer, &file);
    assert_eq!(
        fates(&first),
        ["add", "here: same phone and nickname", "add"],
        "Bob is Robert; Ana has Marco's phone and another name"
    );
    run_all(&importer, FILE);
    let again = plan(&importer, &file);
    let same = "here: the same rows were imported before";
    assert_eq!(fates(&again), [same, "here: same phone and nickname", same]);
    let outcome = run_all(&importer, FILE);
    assert_eq!(outcome.import.added, 0);
    assert_eq!(names(&env, &acme, &json!({})).len(), 4);
    assert_ne!(first.token, again.token);
}

#[both]
fn a_plan_has_the_same_token_until_something_changes() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let file = source("customers.csv", FILE.as_bytes());
    let token = plan(&importer, &file).token;
    assert_eq!(plan(&importer, &file).token, token);
    let marco = json!({ "customer_type": "individual", "first_name": "Marco", "last_name": "Reyes", "phone": "5105550123" });
    env.create(&acme.owner, "customers.create", marco);
    assert_ne!(plan(&importer, &file).token, token);
    let other = FILE.replace("Has a dog.", "Has a cat.");
    let other = source("customers.csv", other.as_bytes());
    assert_ne!(plan(&importer, &other).token, token);
}

#[both]
fn a_row_that_cannot_be_added_stops_all_unless_the_others_are_wanted() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let bad = format!("{FILE}{},510-555-0177,,,,,,,\n,510-555-0178,,,,,,,\n", "x".repeat(200));
    let file = source("customers.csv", bad.as_bytes());
    let planned = plan(&importer, &file);
    let refused = run(&importer, &file, &planned, WhenRejected::AddNone, &|_, _| Ok(()));
    let message = format!("{:?}", refused.expect_err("two bad rows"));
    assert!(
        message.contains("line 6 first_name") && message.contains("line 7 first_name is required"),
        "{message}"
    );
    assert!(names(&env, &acme, &json!({})).is_empty());
    let outcome = run(&importer, &file, &planned, WhenRejected::AddOthers, &|_, _| Ok(()))
        .expect("an import");
    let lines: Vec<_> = outcome.rejected.iter().map(|it| it.lines.clone()).collect();
    assert_eq!((outcome.import.added, lines), (3, vec![vec![6], vec![7]]));
}

#[both]
fn what_was_added_meanwhile_stops_an_import_and_is_not_added_twice() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let many = lines(25, |n| format!("Customer{n} Number{n},510-555-{:04},\n", 1000 + n));
    let file = source("many.csv", format!("Name,Phone,Email\n{many}").as_bytes());
    let planned = plan(&importer, &file);
    let late = json!({ "customer_type": "individual", "first_name": "Customer24", "last_name": "Number24", "phone": "510-555-1024" });
    env.create(&acme.owner, "customers.create", late);
    let refused = run(&importer, &file, &planned, WhenRejected::AddNone, &|_, _| Ok(()));
    let message = format!("{:?}", refused.expect_err("a customer of the file is there"));
    assert!(
        message.contains("Line 26 is in the account meanwhile: C-0001 Customer24 Number24"),
        "{message}"
    );
    assert_eq!(
        names(&env, &acme, &json!({})),
        ["Customer24 Number24"],
        "the others were taken back"
    );
    let outcome = run(&importer, &file, &planned, WhenRejected::AddOthers, &|_, _| Ok(()))
        .expect("an import");
    assert_eq!((outcome.import.added, outcome.rejected.len()), (24, 1));
}

#[both]
fn archived_and_marked_customers_stay_so() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let file = "Name,Phone,Archived,Do not contact,VIP\nOld One,510-555-0101,true,,\nNo Calls,510-555-0102,,yes,x\n";
    run_all(&importer, file);
    assert_eq!(names(&env, &acme, &json!({ "status": "archived" })), ["Old One"]);
    assert_eq!(
        names(&env, &acme, &json!({ "do_not_contact": true, "is_vip": true })),
        ["No Calls"]
    );
}

#[both]
fn an_import_ends_with_the_membership_and_reaches_no_other_business() {
    let env = TestEnv::new();
    let (acme, other) = (env.business("Acme"), env.business("Other"));
    let mut stranger = importer(&env, &acme);
    stranger.member.tenant = other.account.id;
    let file = source("customers.csv", FILE.as_bytes());
    assert!(Plan::make(&stranger, &file, &|_, _| Ok(())).is_err(), "not a member there");
    let mut tech = importer(&env, &acme);
    tech.member.user = Business::user(&acme.tech);
    let refused = Plan::make(&tech, &file, &|_, _| Ok(())).expect_err("technicians do not import");
    assert!(format!("{refused:?}").contains("InsufficientScope"), "{refused:?}");
    let outcome = run_all(&importer(&env, &acme), FILE);
    let mine = importer(&env, &other);
    let found =
        undo(&mine, outcome.import.id, &|_, _| Ok(())).expect_err("another business's import");
    assert!(format!("{found:?}").contains("NotFound"), "{found:?}");
}

#[both]
fn every_person_of_a_company_becomes_a_contact() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let file = "First name,Last name,Company,Phone\nAnn,Able,Acme LLC,510-555-0101\n\
        Bea,Best,Acme LLC,510-555-0102\nCal,Cook,Acme LLC,510-555-0103\n";
    run_all(&importer(&env, &acme), file);
    let [company] = &search(&env, &acme, &json!({}))[..] else { panic!("one company") };
    let company =
        env.call(&acme.owner, "customers.get", json!({ "id": company["id"] })).expect("it");
    let contacts = company["contacts"].as_array().expect("contacts").iter();
    let shown = contacts
        .map(|it| format!("{} {}", text(it, "first_name"), it["phone"]))
        .collect::<Vec<_>>();
    assert_eq!(shown, ["Ann null", "Bea \"+15105550102\"", "Cal \"+15105550103\""]);
}

#[both]
fn namesakes_and_other_ids_are_told_apart() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let plan_of = |file: &str| fates(&plan(&importer, &source("f.csv", file.as_bytes())));
    let namesakes = "Name,Phone\nJohn Smith,555-0101\nJohn Smith,555-0999\nJohn Church,510-555-0101\n\
        John Church,510-555-0102\n";
    assert_eq!(plan_of(namesakes), ["add", "add", "add", "add"]);
    let first =
        "Name,ID,Phone,Street,City,State,Zip\nAnn Able,1,510-555-0101,1 Elm St,Oakland,CA,94601\n";
    run_all(&importer, first);
    let other = "Name,ID,Phone\nZed Zee,1,510-555-0177\nAnn Abel,1,\n";
    let [fate] = &plan_of(other)[..] else { panic!("the same id is one customer") };
    assert!(fate.starts_with("unusable: has the id of C-0001 Ann Able"), "{fate}");
    let son = "Name,Phone,Street,City,State,Zip\nAnn Able,510-555-0199,1 Elm St,Oakland,CA,94601\n";
    let [fate] = &plan_of(son)[..] else { panic!("one") };
    assert!(fate.starts_with("add, like C-0001 Ann Able: same name and address"), "{fate}");
    let known = "Name,Phone\nAnn Able,510-555-0177 / 510-555-0101\n";
    assert_eq!(plan_of(known), ["here: same phone and name"]);
}

#[both]
fn what_is_planned_for_other_defaults_or_another_business_has_another_token() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let token = |business: &Business, defaults: &[(Meaning, &str)]| {
        let defaults = defaults.iter().map(|it| (it.0, it.1.to_owned())).collect();
        let reading = Reading { columns: Vec::new(), defaults };
        let file = b"Name,Street,City,Zip\nAnn Able,1 Elm St,Oakland,94601\n";
        let source = Source::read("f.csv", file, reading, Country::US).expect("a file");
        plan(&importer(&env, business), &source).token
    };
    let plain = token(&acme, &[]);
    assert_eq!(token(&acme, &[]), plain);
    assert_ne!(token(&acme, &[(Meaning::ServiceState, "CA")]), plain);
    assert_ne!(token(&acme, &[(Meaning::DoNotContact, "yes")]), plain);
    assert_ne!(token(&other, &[]), plain);
}
