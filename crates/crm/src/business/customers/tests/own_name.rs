//! A customer's own name comes before that of a contact.

use serde_json::{Value, json};
use zoop_both::both;

use super::{company, person, search};
use crate::testing::{Business, TestEnv, text};

/// A company with a contact.
fn company_of(env: &TestEnv, acme: &Business, name: &str, first: &str, last: &str) -> String {
    let id = company(env, acme, name);
    let contact = json!({ "customer_id": id, "first_name": first, "last_name": last });
    env.call(&acme.owner, "contacts.create", contact).expect("a contact");
    id
}

#[both]
fn a_customer_whose_own_name_matches_is_found_before_one_of_a_contact_on_every_page() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    person(&env, &acme, "Maria", json!({ "last_name": "Nguyen" }));
    company_of(&env, &acme, "Pallet & Prow", "Kim", "Nguyen");
    let renamed = person(&env, &acme, "Ben", json!({ "last_name": "Nguyen" }));
    company_of(&env, &acme, "Bay Bakery", "Minh", "Nguyen");
    person(&env, &acme, "Ann", json!({ "last_name": "Nguyenova" }));
    let all = ["Ben Nguyen", "Maria Nguyen", "Bay Bakery", "Pallet & Prow", "Ann Nguyenova"];
    assert_eq!(search(&env, &acme, json!({ "q": "nguyen" })), all);
    assert_eq!(search(&env, &acme, json!({ "q": "kim nguyen" })), ["Pallet & Prow"]);
    for limit in 1..=4 {
        let (mut found, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let arguments = json!({ "q": "nguyen", "limit": limit, "cursor": cursor });
            let page = env.call(&acme.owner, "customers.search", arguments).expect("a page");
            let rows = page["rows"].as_array().expect("rows");
            found.extend(rows.iter().map(|row| text(row, "display_name").to_owned()));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(found, all, "{limit} on a page");
    }
    let change = json!({ "id": renamed, "last_name": "Frye" });
    env.call(&acme.owner, "customers.update", change).expect("another name");
    assert_eq!(search(&env, &acme, json!({ "q": "nguyen" })), all[1..]);
}
