//! The forms that create and change customers, contacts and locations.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::filled::Filled;
use super::{
    OFFICE, TECH, browser_of, business, call, company, create, start, unescaped, without_change,
};
use crate::http::Reply;
use crate::people::buttons::leads_to;
use crate::people::{Browser, between, history, location, without_scripts};
use crate::server::Server;

/// The page that a form leads to.
fn follow(browser: &mut Browser<'_>, reply: &Reply) -> String {
    let page = browser.get(location(reply));
    assert_eq!(page.status, 200, "{page:?}");
    page.body
}

fn customer(server: &Server, id: &str) -> Value {
    call(server, "customers.get", json!({ "id": id }))
}

/// The id of the customer whose page a form leads to.
fn id_of(reply: &Reply) -> String {
    between(location(reply), "/customers/", "?").to_owned()
}

/// What is said beside a field.
fn fault<'p>(page: &'p str, id: &str) -> &'p str {
    between(page, &format!("id=\"{id}-fault\">"), "</p>")
}

#[both]
fn the_office_adds_a_customer_and_a_form_that_is_sent_twice_adds_one() {
    let server = start();
    let mut office = browser_of(&server, OFFICE);
    let list = unescaped(&office.get("/customers").body);
    let address = format!("/customers/new?business={}", business(&server));
    assert_eq!(leads_to(&list, "New customer"), Some(address.clone()), "{list}");
    let form = Filled::open(&mut office, &address)
        .with("customer_type", "company")
        .with("first_name", "typed before the type was changed")
        .with("company_name", "Bay Bakery")
        .with("phone", "(510) 555-0199")
        .with("is_vip", "true")
        .with("notes_internal", "Two\r\nlines")
        .with("primary_contact.first_name", "Ben")
        .with("primary_contact.last_name", "Ito")
        .with("primary_contact.role", "billing")
        .with("location.address_line1", "482 Oak Street")
        .with("location.city", "Oakland")
        .with("location.state", "CA")
        .with("location.postal_code", "94607")
        .with("location.latitude", "37.8")
        .with("location.longitude", "-122.27");
    let sent = form.send(&mut office);
    let page = follow(&mut office, &sent);
    assert!(page.contains("The customer was added."), "{page}");
    let newest = &history(&server)[0];
    assert_eq!(newest["tool"], "customers.create");
    assert_eq!(newest["user_id"], Business::user(&server.business.office).to_string());
    let stored = customer(&server, &id_of(&sent));
    assert_eq!(stored["company_name"], "Bay Bakery");
    assert_eq!(stored["is_vip"], true);
    assert_eq!(stored["notes_internal"], "Two\nlines");
    assert_eq!(stored["contacts"][0]["role"], "billing");
    assert_eq!(stored["contacts"][0]["phone_can_sms"], true);
    assert_eq!(stored["locations"][0]["latitude"], json!(37.8));
    assert_eq!(stored["locations"][0]["country"], "US");

    let again = form.send(&mut office);
    assert_eq!(without_change(&again), without_change(&sent), "the same customer");
    let found = call(&server, "customers.search", json!({}));
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(1), "{found}");
    // The same form with other names, as after going back, is another customer.
    let other = form
        .with("company_name", "Harbor Hotel")
        .with("phone", "")
        .with("primary_contact.first_name", "Kim")
        .with("primary_contact.last_name", "Sato");
    let sent = other.send(&mut office);
    assert_eq!(customer(&server, &id_of(&sent))["company_name"], "Harbor Hotel");
}

#[both]
fn what_is_wrong_is_said_beside_the_fields_and_everything_typed_is_kept() {
    let server = start();
    let mut office = browser_of(&server, OFFICE);
    let typed = "\"><script>alert('x')</script>";
    let form = Filled::open(&mut office, "/customers/new")
        .with("last_name", typed)
        .with("phone", "12")
        .with("notes_internal", "</textarea> & more")
        .with("location.city", "Oakland");
    let before = history(&server).len();
    let refused = form.send(&mut office);
    assert_eq!(refused.status, 400);
    let page = &refused.body;
    assert_eq!(history(&server).len(), before, "nothing was saved");
    assert_eq!(fault(page, "first_name"), "First name is required for an individual.");
    assert!(fault(page, "phone").starts_with("Phone is not a possible phone number"), "{page}");
    assert_eq!(fault(page, "location-postal_code"), "ZIP or postal code is required.");
    assert!(page.contains("Correct the 5 marked fields."), "{page}");
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 5);
    let first = between(page, "name=\"first_name\"", ">");
    assert!(first.contains("aria-describedby=\"first_name-fault\""), "{first}");
    assert!(first.contains(" autofocus"), "the page begins at the first of them: {first}");
    assert_eq!(page.matches(" autofocus").count(), 1);
    for open in ["Address", "More"] {
        assert!(page.contains(&format!(" open><summary>{open}</summary>")), "{open}: {page}");
    }
    assert!(page.contains("\"><summary>Contact person</summary>"), "{page}");
    assert!(!without_scripts(page).contains("<script"));
    let again = Filled::of(page);
    for (name, value) in &form.fields {
        if name != "key" {
            let shown = again.get(name).replace("&#60;", "<").replace("&#62;", ">");
            let shown = shown.replace("&#34;", "\"").replace("&#39;", "'");
            assert_eq!(&shown, value, "{name}");
        }
    }
    let unknown = Filled::open(&mut office, "/customers/new").with("customer_type", "x");
    assert_eq!(unknown.send(&mut office).status, 400);
}

#[both]
fn a_customer_that_may_exist_already_is_shown_before_it_is_added_again() {
    let server = start();
    let arguments = json!({
        "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
        "phone": "(510) 555-0199", "email": "hana@example.com",
    });
    let hana = create(&server, "customers.create", arguments);
    company(&server, "Bay Bakery");
    let mut office = browser_of(&server, OFFICE);
    let form = Filled::open(&mut office, "/customers/new").with("first_name", "Mei");
    for (name, value, why) in [
        ("phone", "510.555.0199", Some("Same phone")),
        ("email", "HANA@example.com", Some("Same e-mail")),
        ("last_name", "Bakery", None),
    ] {
        let shown = form.clone().with(name, value).send(&mut office);
        let Some(why) = why else {
            assert_eq!(shown.status, 303, "{value}: {shown:?}");
            continue;
        };
        assert_eq!(shown.status, 200, "{value}: {shown:?}");
        let similar = between(&shown.body, "id=\"similar\"", "</ul>");
        assert!(similar.contains(why) && similar.contains("<bdi>Hana Nguyen</bdi>"), "{similar}");
        assert!(similar.contains(&format!("/customers/{hana}?business=")), "{similar}");
        assert_eq!(Filled::of(&shown.body).get(name), value);
    }
    let shown = form.with("first_name", "Hanna").with("last_name", "Nguyen").send(&mut office);
    let similar = between(&shown.body, "id=\"similar\"", "</ul>");
    assert!(similar.contains("Similar name") && similar.contains("C-0001"), "{similar}");
    let again = Filled::of(&shown.body);
    let same = again.clone().with("first_name", "hana").send(&mut office);
    assert!(between(&same.body, "id=\"similar\"", "</ul>").contains("Same name"), "{same:?}");
    assert_eq!(again.send(&mut office).status, 200, "Save asks again");
    let anyway = between(&shown.body, "name=\"anyway\" value=\"", "\"");
    let anyway = again.with("anyway", anyway);
    // Another customer than the one that was shown is asked about.
    let other = anyway.clone().with("customer_type", "company").with("company_name", "Bay Bakerey");
    assert!(other.send(&mut office).body.contains("<bdi>Bay Bakery</bdi>"));
    let sent = anyway.send(&mut office);
    assert_eq!(customer(&server, &id_of(&sent))["display_name"], "Hanna Nguyen");
    assert_eq!(without_change(&anyway.send(&mut office)), without_change(&sent), "sent twice");

    let mut tech = browser_of(&server, TECH);
    let invisible = tech.get("/customers/similar?first_name=%E2%80%8B").body;
    assert_eq!(invisible.trim(), "", "no pairs of the account: {invisible}");
    let pairs = tech.get("/customers/similar?customer_type=company").body;
    assert_eq!(pairs.trim(), "", "{pairs}");
    let fragment = tech.get("/customers/similar?first_name=Hana&last_name=Nguyen&phone=555");
    assert_eq!(fragment.status, 200);
    assert!(fragment.body.trim_start().starts_with("<div class=\"notice\" id=\"similar\""));
    assert!(fragment.body.contains("C-0001") && !fragment.body.contains("<html"));
    let nothing = tech.get("/customers/similar?first_name=Zoe&phone=%3F&email=x&last_name=").body;
    assert_eq!(nothing.trim(), "");
}

/// By the rules of the tool: also a short form of a name at the same address, or a contact who is a customer.
#[both]
fn possible_duplicates_of_a_new_customer_are_those_of_the_tool_with_its_evidence() {
    let server = start();
    let home = json!({ "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                       "postal_code": "94607" });
    let bob = json!({ "customer_type": "individual", "first_name": "Bob", "last_name": "Reyes",
                      "phone": "(510) 555-0142", "location": home });
    create(&server, "customers.create", bob);
    let mut office = browser_of(&server, OFFICE);
    let why = |page: &str| {
        let similar = between(page, "id=\"similar\"", "</ul>");
        assert!(similar.contains("<bdi>Bob Reyes</bdi>"), "{similar}");
        unescaped(similar).replace("<bdi>", "").replace("</bdi>", "")
    };
    let robert = Filled::open(&mut office, "/customers/new")
        .with("first_name", "Robert")
        .with("last_name", "Reyes")
        .with("phone", "510 5")
        .with("location.address_line1", "482 Oak St.")
        .with("location.city", "Oakland")
        .with("location.postal_code", "94607");
    // The script sends the fields that the page names.
    let page = unescaped(&office.get("/customers/new").body);
    let sent = between(&page, "hx-include=\"", "\"").replace('\'', "");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        robert.fields.iter().filter(|(name, _)| sent.contains(&format!("[name={name}]"))),
    );
    let query = query.finish();
    let typing = why(&office.get(&format!("/customers/similar?{query}")).body);
    for said in ["Short form of the name", "Same address 482 Oak Street, Oakland, CA 94607"] {
        assert!(typing.contains(&format!("<span>{said}</span>")), "{typing}");
    }
    assert!(typing.contains("<span>(510) 555-0142</span>"), "what is not the same: {typing}");
    let robert = robert.with("phone", "510 555 0142").with("location.state", "CA");
    let saving = why(&robert.send(&mut office).body);
    assert!(saving.contains("<span>Same phone (510) 555-0142</span>"), "{saving}");
    let company = Filled::open(&mut office, "/customers/new")
        .with("customer_type", "company")
        .with("company_name", "Reyes Plumbing")
        .with("primary_contact.first_name", "Bob")
        .with("primary_contact.last_name", "Reyes")
        .with("primary_contact.phone", "510 555 0142");
    let saving = why(&company.send(&mut office).body);
    for said in ["Same phone (510) 555-0142", "Same contact Bob Reyes"] {
        assert!(saving.contains(&format!("<span>{said}</span>")), "{saving}");
    }
    let other = Filled::open(&mut office, "/customers/new")
        .with("first_name", "Anna")
        .with("last_name", "Reyes")
        .with("location.address_line1", "482 Oak St.")
        .with("location.city", "Oakland")
        .with("location.state", "CA")
        .with("location.postal_code", "94607");
    assert_eq!(other.send(&mut office).status, 303, "a member of the household");
}

#[both]
fn a_change_sends_what_was_changed_and_empty_fields_are_cleared() {
    let server = start();
    let arguments = json!({
        "customer_type": "company", "company_name": "Bay Bakery", "source": "referral",
        "is_vip": true,
        "primary_contact": { "first_name": "Ben", "last_name": "Ito", "phone": "510 555 0142" },
    });
    let id = create(&server, "customers.create", arguments);
    let mut office = browser_of(&server, OFFICE);
    let path = format!("/customers/{id}/edit");
    let page = unescaped(&office.get(&format!("/customers/{id}")).body);
    let form = format!("{path}?business={}", business(&server));
    assert_eq!(leads_to(&page, "Edit"), Some(form), "{page}");
    let form = Filled::open(&mut office, &path);
    assert_eq!(form.get("company_name"), "Bay Bakery");
    assert_eq!(form.get("phone"), "", "the contact's phone is not the company's");
    let before = history(&server).len();
    let nothing = form.send(&mut office);
    assert!(location(&nothing).contains("done=saved"), "{nothing:?}");
    assert_eq!(history(&server).len(), before, "nothing was changed");

    let mut changed = form.with("source", " ").with("status", "inactive").with("email", "b@x.test");
    changed.fields.retain(|(name, _)| name != "is_vip");
    let sent = changed.send(&mut office);
    let page = follow(&mut office, &sent);
    assert!(page.contains("The customer was saved."), "{page}");
    let stored = customer(&server, &id);
    assert_eq!(stored["source"], Value::Null);
    assert_eq!(stored["is_vip"], false);
    assert_eq!(stored["status"], "inactive");
    assert_eq!(stored["primary_phone"], "+15105550142");
    let entry = &history(&server)[0];
    let mut fields: Vec<_> = entry["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| change["field"].as_str().expect("a field"))
        .filter(|field| *field != "updated_at")
        .collect();
    fields.sort_unstable();
    assert_eq!(fields, ["email", "is_vip", "source", "status"], "{entry}");
    // A second click finds its own changes.
    assert_eq!(without_change(&changed.send(&mut office)), without_change(&sent));
    let form = Filled::open(&mut office, &path).with("company_name", "").with("email", "x");
    let refused = form.send(&mut office);
    assert_eq!(refused.status, 400);
    assert_eq!(fault(&refused.body, "company_name"), "Company name cannot be cleared.");
    assert!(fault(&refused.body, "email").starts_with("E-mail "), "{}", refused.body);
    assert_eq!(customer(&server, &id)["company_name"], "Bay Bakery");
}

#[both]
fn what_somebody_else_changed_meanwhile_is_said_before_it_is_overwritten() {
    let server = start();
    let id = company(&server, "Bay Bakery");
    let mut office = browser_of(&server, OFFICE);
    let form = Filled::open(&mut office, &format!("/customers/{id}/edit"));
    let theirs = json!({ "id": id, "source": "google", "email": "theirs@example.com" });
    call(&server, "customers.update", theirs);
    let stale = form.clone().with("email", "mine@example.com").with("company_name", "Bay Bread");
    let told = stale.send(&mut office);
    assert_eq!(told.status, 409, "{told:?}");
    assert!(told.body.contains("this customer was changed elsewhere meanwhile"), "{}", told.body);
    let news = between(&told.body, "id=\"email-news\">", "</p>");
    assert!(news.contains("theirs@example.com"), "{news}");
    let news = between(&told.body, "id=\"source-news\">", "</p>");
    assert!(news.contains("google"), "{news}");
    let again = Filled::of(&told.body);
    assert_eq!(again.get("email"), "mine@example.com", "what was typed stays");
    assert_eq!(again.get("company_name"), "Bay Bread");
    assert_eq!(again.get("source"), "google", "what was not touched is theirs");
    let stored = customer(&server, &id);
    assert_eq!(stored["primary_email"], "theirs@example.com", "nothing was saved");

    let saved = again.send(&mut office);
    assert!(location(&saved).contains("done=saved"), "{saved:?}");
    let stored = customer(&server, &id);
    assert_eq!(stored["primary_email"], "mine@example.com");
    assert_eq!(stored["source"], "google");
    assert_eq!(stored["company_name"], "Bay Bread");
    // A tag is no field of the form, so attaching it is no conflict.
    let form = Filled::open(&mut office, &format!("/customers/{id}/edit"));
    let tag = create(&server, "tags.create", json!({ "name": "HOA" }));
    call(&server, "tags.attach", json!({ "id": tag, "customer_id": id }));
    assert_eq!(form.with("source", "fair").send(&mut office).status, 303);
    // A form without what it began with overwrites nothing.
    let mut form = Filled::open(&mut office, &format!("/customers/{id}/edit"));
    form.fields.retain(|(name, _)| name != "seen");
    assert_eq!(form.with("source", "radio").send(&mut office).status, 409);
    let form = Filled::open(&mut office, &format!("/customers/{id}/edit")).with("source", "tv");
    call(&server, "customers.archive", json!({ "id": id }));
    let told = form.send(&mut office);
    assert_eq!(told.status, 409);
    let refused = Filled::of(&told.body).send(&mut office);
    assert_eq!(refused.status, 404);
    assert!(between(&refused.body, "role=\"alert\">", "</p>").contains("is archived"));
    assert_eq!(Filled::of(&refused.body).get("source"), "tv");
}
