//! The history of a customer and of all that belongs to it.

use serde_json::json;
use zoop_both::both;

use super::company;
use crate::arguments;
use crate::business::customers::history::CustomerHistory;
use crate::business::customers::named::NamedRecords;
use crate::call::access::Source;
use crate::call::answer::Page;
use crate::call::error::Error;
use crate::call::history::HistoryEntry;
use crate::call::run;
use crate::call::scope::{Scope, Scopes};
use crate::testing::{Business, Caller, TestEnv};
use crate::values::id::{Id, kinds};

fn session(env: &TestEnv, business: &Business, user: Id<kinds::User>) -> Caller {
    let (_, signed_in) = env.sign_in(user);
    env.in_tenant(signed_in.in_tenant(business.account.id, Source::default()))
}

fn page(
    env: &TestEnv,
    caller: &Caller,
    customer: &str,
    after: Option<String>,
) -> Result<Page<HistoryEntry>, Error> {
    let (environment, caller) = (env.environment.clone(), caller.clone());
    let arguments = arguments!(CustomerHistory { customer_id: customer }).page(after, 4);
    env.read(move |tx| Ok(run::list(tx, &environment, &caller, arguments))).expect("an answer")
}

#[both]
fn a_customers_history_has_the_changes_of_all_that_belongs_to_it() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office = session(&env, &acme, Business::user(&acme.office));
    let owner = &acme.owner;
    let bakery = company(&env, &acme, "Bay Bakery");
    let other = company(&env, &acme, "Harbor Hotel");
    let tag = env.create(owner, "tags.create", json!({ "name": "VIP" }));
    let mut expected = vec!["customers.create"];
    let mut call = |tool: &'static str, arguments| {
        expected.push(tool);
        env.call(owner, tool, arguments).expect(tool)["id"].as_str().map(str::to_owned)
    };
    let contact = call(
        "contacts.create",
        json!({ "customer_id": bakery, "first_name": "Ana", "last_name": "Ruiz" }),
    );
    let location = call(
        "locations.create",
        json!({ "customer_id": bakery, "address_line1": "1", "city": "C", "state": "S",
                "postal_code": "P" }),
    );
    let about = |kind: &str, id: &str| json!({ "body": "The gate sticks.", "subject_type": kind, "subject_id": id });
    let note = call("notes.create", about("customer", &bakery));
    call("notes.create", about("customer_contact", &contact.expect("an id")));
    call("notes.create", about("customer_location", &location.expect("an id")));
    call("notes.archive", json!({ "id": note }));
    call("tags.attach", json!({ "id": tag, "customer_id": bakery }));
    // Not about this customer.
    for arguments in [about("customer", &other), json!({ "body": "On no record." })] {
        env.call(owner, "notes.create", arguments).expect("a note");
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page(&env, &office, &bakery, after).expect("a page");
        found.extend(page.rows.into_iter().map(|entry| entry.tool));
        after = page.next_cursor;
        if after.is_none() {
            break;
        }
    }
    expected.reverse();
    assert_eq!(found, expected);

    let theirs = env.business("Other");
    let stranger = session(&env, &theirs, Business::user(&theirs.owner));
    assert!(page(&env, &stranger, &bakery, None).expect("a page").rows.is_empty());
    let tech = session(&env, &acme, Business::user(&acme.tech));
    for refused in [&tech, &acme.tech] {
        page(&env, refused, &bakery, None).expect_err("only owners and the office");
    }
}

#[both]
fn the_records_of_an_entry_are_named_with_their_customer() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.business("Other");
    let body = "The gate sticks. ".repeat(10);
    let note = |kind: &str, id: &str| {
        let note = json!({ "body": body, "subject_type": kind, "subject_id": id });
        env.create(&acme.owner, "notes.create", note)
    };
    let [customer, contact, location, job] =
        ["customer", "contact", "location", "job"].map(|name| acme.id(name).to_owned());
    let (hana, home) = (Some("Hana Nguyen"), Some("482 Oak Street"));
    let expected = [
        (note("customer", &customer), None),
        (note("customer_contact", &contact), None),
        (note("customer_location", &location), None),
        (note("job", &job), None),
        (customer, None),
        (contact, hana),
        (location, home),
        (job, Some("Repipe")),
    ];
    // Another business's record, and records that have no customer.
    let others =
        [other.id("customer"), acme.id("tag"), &acme.account.id.to_string()].map(str::to_owned);
    let ids: Vec<_> = expected.iter().map(|(id, _)| id.clone()).chain(others).collect();
    let standalone = env.create(&acme.owner, "notes.create", json!({ "body": body }));
    let archived = note("customer", acme.id("customer"));
    env.call(&acme.owner, "notes.archive", json!({ "id": archived })).expect("archived");
    let ids: Vec<_> = ids.into_iter().chain([standalone.clone(), archived.clone()]).collect();
    let named = |caller: &Caller| {
        let (environment, caller) = (env.environment.clone(), caller.clone());
        let arguments = arguments!(NamedRecords { records: ids.clone() });
        env.read(move |tx| run::query(tx, &environment, &caller, arguments)).expect("the names")
    };
    let found = named(&acme.owner);
    assert_eq!(found.len(), expected.len() + 2, "{found:?}");
    let beginnings = found.iter().filter_map(|it| it.note.as_deref());
    assert_eq!(beginnings.collect::<Vec<_>>(), [&body[..100]; 5], "not of the archived one");
    let own = found.iter().find(|it| it.id.to_string() == standalone).expect("the note");
    assert!(own.customer.is_none(), "{own:?}");
    let only = Scopes::of(&[Scope::ReadCustomers]);
    let (_, issued) = env.connect(acme.account, Business::user(&acme.owner), only);
    let reader = env.authenticate(issued.access.expose()).expect("a valid token");
    assert!(named(&reader).iter().all(|it| it.note.is_none()), "without the right to read notes");
    for (id, name) in &expected {
        let named = found.iter().find(|it| it.id.to_string() == *id).expect("a name");
        let customer = named.customer.as_ref().expect("a customer");
        assert_eq!((&*customer.name, named.name.as_deref()), ("Hana Nguyen", *name));
        assert_eq!(customer.id.to_string(), acme.id("customer"));
    }
}
