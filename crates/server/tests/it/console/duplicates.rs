//! The page of likely pairs, as a browser without scripts sees it.

use serde_json::json;
use zoop_both::both;

use super::{OFFICE, browser_of, business, call, create, start};
use crate::people::{between, location};
use crate::server::Server;

fn person(server: &Server, first: &str, phone: &str) -> String {
    let street = if first == "Bob" { "12 oak st" } else { "12 Oak Street" };
    let fields = json!({
        "customer_type": "individual", "first_name": first, "last_name": "Doe", "phone": phone,
        "location": { "address_line1": street, "city": "Oakland", "state": "CA",
                      "postal_code": "94607" },
    });
    create(server, "customers.create", fields)
}

#[both]
fn likely_pairs_are_side_by_side_to_merge_or_to_mark_as_different() {
    let server = start();
    let account = business(&server);
    let mut office = browser_of(&server, OFFICE);
    let list = format!("/duplicates?business={account}");
    assert!(office.get(&list).body.contains("None found."));
    let older = person(&server, "Robert", "510-555-0123");
    let newer = person(&server, "Bob", "510-555-0199");
    let page = office.get(&list).body;
    for text in
        ["Robert Doe", "Bob Doe", "Short form of the name", "Same address", "(510) 555-0123"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    // What differs is marked, and what is the same is not.
    assert!(page.contains("<mark><bdi>(510) 555-0199</bdi></mark>"), "{page}");
    assert!(page.contains("12 oak st") && !page.contains("<mark><bdi>12"), "{page}");
    assert!(page.contains(&format!("action=\"/customers/{older}/merge/{newer}\"")), "{page}");
    // The same pair from either of the two.
    for id in [&older, &newer] {
        let own = office.get(&format!("{list}&customer={id}")).body;
        assert!(
            own.contains("Different people") && own.contains(&format!("/merge/{newer}")),
            "{own}"
        );
    }

    let fields = [("business", &*account), ("one", &*older), ("other", &*newer)];
    let marked = office.post("/duplicates/different", &fields);
    assert_eq!(marked.status, 303, "{marked:?}");
    let page = office.get(location(&marked)).body;
    assert!(page.contains("They are different.") && page.contains("None found."), "{page}");
    // It can be taken back at once.
    let form = between(&page, "action=\"/duplicates/different\"", "</form>");
    let value = |name: &str| between(form, &format!("name=\"{name}\" value=\""), "\"").to_owned();
    let (one, other, different) = (value("one"), value("other"), value("different"));
    let fields =
        [("business", &*account), ("one", &*one), ("other", &*other), ("different", &*different)];
    let undone = office.post("/duplicates/different", &fields);
    assert!(office.get(location(&undone)).body.contains("Bob Doe"));

    call(&server, "customers.merge", json!({ "keep_id": older, "merge_id": newer }));
    assert!(office.get(&list).body.contains("None found."));
    let gone = office.post("/duplicates/different", &fields);
    assert_eq!(gone.status, 404, "{gone:?}");
    assert!(gone.body.contains("was merged into another one"), "{gone:?}");
}

#[both]
fn a_page_of_pairs_goes_on_after_customers_without_any() {
    let server = start();
    let account = business(&server);
    person(&server, "Robert", "510-555-0123");
    person(&server, "Bob", "510-555-0123");
    // More than one read visits.
    for number in 0..220 {
        let fields = json!({ "customer_type": "company", "company_name": format!("Q{number}x") });
        create(&server, "customers.create", fields);
    }
    let mut office = browser_of(&server, OFFICE);
    let first = office.get(&format!("/duplicates?business={account}")).body;
    assert!(first.contains("None among the newest customers."), "{first}");
    let more = super::unescaped(between(&first, "class=\"btn\" href=\"/duplicates", "\""));
    let next = office.get(&format!("/duplicates{more}")).body;
    assert!(next.contains("Robert Doe") && next.contains("Same phone"), "{next}");
}
