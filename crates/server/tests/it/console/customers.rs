//! The list of customers.

use serde_json::json;
use zoop_both::both;

use super::{TECH, browser_of, business, call, company, create, start, unescaped};
use crate::people::{Browser, OWNER, PASSWORD, between, location, without_scripts};

#[both]
fn a_search_finds_customers_as_the_tool_does_and_says_why() {
    let server = start();
    let hana = create(
        &server,
        "customers.create",
        json!({
            "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
            "phone": "(510) 555-0199", "is_vip": true, "do_not_contact": true,
            "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" },
        }),
    );
    let bakery = company(&server, "Bay Bakery");
    let contact = json!({
        "customer_id": bakery, "first_name": "Ben", "last_name": "Ito", "phone": "510 555 0142",
    });
    create(&server, "contacts.create", contact);
    let mut owner = Browser::owner(&server);

    let all = owner.get("/customers").body;
    assert!(all.contains("Hana Nguyen") && all.contains("Bay Bakery"), "{all}");
    assert!(!all.contains("Found by"), "{all}");
    let found = owner.get("/customers?q=0199").body;
    assert!(!found.contains("Bay Bakery"), "{found}");
    let row = between(&found, "<ul class=\"card rows\" id=\"rows\">", "</ul>");
    let address = format!("href=\"/customers/{hana}?business={}\"", business(&server));
    for shown in [
        address.as_str(),
        "<bdi>Hana Nguyen</bdi>",
        "(510) 555-0199",
        "482 Oak Street",
        ">VIP<",
        ">Do not contact<",
        "Found by phone</small>",
        "C-0001",
    ] {
        assert!(row.contains(shown), "{shown}: {row}");
    }
    assert!(found.contains("name=\"q\" type=\"search\" value=\"0199\""), "{found}");
    assert!(found.contains("for=\"q\">Search customers</label>"), "{found}");
    let found = owner.get("/customers?q=Ito").body;
    assert!(found.contains("Found by contact <bdi>Ben Ito</bdi>"), "{found}");
    let found = owner.get("/customers?q=0142").body;
    assert!(found.contains("Found by phone of <bdi>Ben Ito</bdi>"), "{found}");

    // The number that was found is said if the row shows another one.
    let own = json!({ "id": bakery, "phone": "510 555 0100" });
    call(&server, "customers.update", own);
    let found = owner.get("/customers?q=0142").body;
    assert!(found.contains("Found by phone of <bdi>Ben Ito</bdi> (510) 555-0142<"), "{found}");
    let near = owner.get("/customers?q=Nguyem").body;
    assert!(near.contains("Near matches") && near.contains("Hana Nguyen"), "{near}");
    assert!(!owner.get("/customers?q=Nguyen").body.contains("Near matches"));
}

#[both]
fn filters_are_in_the_address_and_the_next_page_keeps_them() {
    let server = start();
    let tag = create(&server, "tags.create", json!({ "name": "HOA" }));
    for number in 0..27 {
        let id = company(&server, &format!("Harbor {number}"));
        call(&server, "tags.attach", json!({ "id": tag, "customer_id": id }));
    }
    company(&server, "Harbor without a tag");
    let gone = company(&server, "Harbor gone");
    call(&server, "customers.archive", json!({ "id": gone }));
    let mut owner = Browser::owner(&server);

    let filtered = format!(
        "/customers?business={}&q=harbor&status=&type=company&tag={tag}",
        business(&server)
    );
    let first = owner.get(&filtered).body;
    assert_eq!(first.matches("<li><a href=\"/customers/").count(), 25, "{first}");
    assert!(first.contains(&format!("value=\"{tag}\" selected>HOA<")), "{first}");
    assert!(first.contains("<details open>"), "{first}");
    let more = between(&first, "id=\"more\">", "More customers</a>");
    let more = unescaped(between(more, "href=\"", "\""));
    for kept in ["q=harbor", "type=company", &format!("tag={tag}"), "after="] {
        assert!(more.contains(kept), "{kept}: {more}");
    }
    let second = owner.get(&more).body;
    assert_eq!(second.matches("<li><a href=\"/customers/").count(), 2, "{second}");
    assert!(second.contains("value=\"harbor\"") && !second.contains("More customers"), "{second}");
    assert!(!second.contains("without a tag"), "{second}");

    let archived = owner.get("/customers?status=archived").body;
    assert!(archived.contains("Harbor gone") && archived.contains(">Archived</em>"), "{archived}");
    assert!(!owner.get("/customers?status=active&q=gone").body.contains("Harbor gone"));
    assert!(!owner.get("/customers?type=individual").body.contains("Harbor"));
}

#[both]
fn a_list_without_rows_says_what_to_do() {
    let server = start();
    let empty = Browser::owner(&server).get("/customers").body;
    assert!(
        empty.contains("There are no customers yet") && empty.contains("connect a program"),
        "{empty}"
    );
    let empty = browser_of(&server, TECH).get("/customers").body;
    assert!(empty.contains("Ask the office"), "{empty}");
    company(&server, "Bay Bakery");
    let mut owner = Browser::owner(&server);
    let none = owner.get("/customers?q=zzzzqqqq").body;
    assert!(none.contains("No customer matches") && none.contains("<bdi>zzzzqqqq</bdi>"), "{none}");
    assert!(none.contains("Show all customers"), "{none}");
    assert!(owner.get("/customers?q=+&status=").body.contains("Bay Bakery"), "nothing was asked");
}

#[both]
fn a_mistake_in_a_search_is_said_and_nothing_typed_is_lost() {
    let server = start();
    company(&server, "Bay Bakery");
    let mut owner = Browser::owner(&server);
    for (query, said) in
        [("q=%3F%3F", "q must"), ("q=bay&tag=x", "tag "), ("q=bay&status=x", "status ")]
    {
        let reply = owner.get(&format!("/customers?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        let fault = between(&reply.body, "role=\"alert\">", "</p>");
        assert!(fault.contains(said), "{query}: {fault}");
        let q = if query.contains("bay") { "bay" } else { "??" };
        assert!(reply.body.contains(&format!("value=\"{q}\"")), "{query}: {}", reply.body);
        assert!(!reply.body.contains("Bay Bakery"), "{query}");
    }
    let hostile = owner.get("/customers?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").body;
    assert!(!without_scripts(&hostile).contains("<script"), "{hostile}");
}

#[both]
fn everybody_with_a_business_gets_to_its_customers_and_nobody_else() {
    let server = start();
    company(&server, "Bay Bakery");
    let other = server.env.empty_business("Borealis");
    let arguments = json!({ "customer_type": "company", "company_name": "Aurora Motel" });
    server.env.create(&other.owner, "customers.create", arguments);

    let mut tech = browser_of(&server, TECH);
    assert!(tech.get("/account").body.contains("<a href=\"/customers\">Customers</a>"));
    let page = tech.get("/customers").body;
    assert!(page.contains("Bay Bakery") && !page.contains("Aurora Motel"), "{page}");
    assert!(page.contains("<a href=\"/customers\" aria-current=\"page\">"), "{page}");
    for strange in [other.account.id.to_string(), "x".to_owned()] {
        assert_eq!(tech.get(&format!("/customers?business={strange}")).status, 404);
    }

    let arguments = json!({ "name": "Second", "owner_name": "Olive", "owner_email": OWNER });
    let made = server.env.call_as_operator(None, "tenants.create", arguments);
    let second = made["tenant_id"].as_str().expect("an id").to_owned();
    let mut owner = Browser::owner(&server);
    let first = owner.get("/customers").body;
    assert!(first.contains(&format!("/customers?business={second}")), "{first}");
    let page = owner.get(&format!("/customers?business={second}")).body;
    assert!(page.contains("<bdi>Second</bdi>") && !page.contains("Bay Bakery"), "{page}");

    let office = json!({ "id": zoop_crm::testing::Business::user(&server.business.office) });
    server.env.call_as_operator(Some(server.business.account), "users.remove", office);
    let mut nobody = browser_of(&server, super::OFFICE);
    assert_eq!(nobody.get("/customers").status, 403);
    assert!(!nobody.get("/account").body.contains("href=\"/customers\""));
}

#[both]
fn a_visitor_signs_in_first_and_then_sees_the_page_that_was_asked_for() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let record = format!("/customers/{customer}");
    for path in ["/customers?q=bay", &record] {
        let mut browser = Browser::new(&server);
        let sign_in = location(&browser.get(path)).to_owned();
        let (_, next) = sign_in.split_once("/sign-in?next=").expect("the page comes next");
        let next: String = form_urlencoded::parse(next.as_bytes()).map(|(it, _)| it).collect();
        assert_eq!(next, path);
        let fields = [("email", OWNER), ("password", PASSWORD), ("next", path)];
        assert_eq!(location(&browser.post("/sign-in", &fields)), path);
        assert!(browser.get(path).body.contains("Bay Bakery"));
    }
    for form in ["pin", "tag", "new-tag", "untag", "archive", "restore"] {
        let fields = [("business", business(&server))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = Browser::new(&server).post(&format!("{record}/{form}"), &fields);
        assert_eq!(location(&reply), "/sign-in?next=%2Fcustomers", "{form}");
    }
    assert_eq!(location(&Browser::new(&server).get(&format!("{record}/archive"))), "/sign-in");
}

/// A search follows the typing, and everybody in an office has the same address.
#[test]
fn an_office_behind_one_address_opens_more_pages_than_a_stranger() {
    let server = start();
    let mut owner = Browser::owner(&server);
    for _ in 0..301 {
        assert_eq!(owner.get("/customers/similar").status, 200);
    }
    let mut stranger = Browser::new(&server);
    let statuses: Vec<_> = (0..301).map(|_| stranger.get("/sign-in").status).collect();
    assert!(statuses.contains(&429), "a stranger's pages are limited as before");
}

#[both]
fn a_row_shows_its_number_with_the_extension_and_a_likely_duplicate_the_number_that_is_the_same() {
    let server = start();
    let id = create(
        &server,
        "customers.create",
        json!({
            "customer_type": "company", "company_name": "Bay Bakery", "phone": "510.555.0123 x9",
            "primary_contact": {
                "first_name": "Hana", "last_name": "Nguyen", "phone": "(510) 555-0199",
            },
        }),
    );
    let mut owner = Browser::owner(&server);
    let page = owner.get("/customers?q=5550123").body;
    assert!(page.contains("<span>(510) 555-0123 ext. 9</span>"), "{page}");
    assert!(page.contains("<small>Found by phone</small>"), "the number is not said again: {page}");
    let similar = |owner: &mut Browser<'_>, phone: &str| {
        let path = format!("/customers/similar?business={}", business(&server));
        owner.get(&format!("{path}&customer_type=company&phone={phone}")).body
    };
    for (phone, shown) in [
        ("5105550199", "<span>Same phone <bdi>(510) 555-0199</bdi></span>"),
        ("5105550123", "<span>Same phone <bdi>(510) 555-0123 ext. 9</bdi></span>"),
    ] {
        let found = similar(&mut owner, phone);
        assert!(found.contains(&format!("/customers/{id}")) && found.contains(shown), "{found}");
    }
}

#[both]
fn a_row_shows_the_first_tags_of_its_customer_and_how_many_more_there_are() {
    let server = start();
    for (name, color) in [("A<b>", "#112233"), ("HOA", "#3B82F6"), ("VIP", "#FF0000")] {
        create(&server, "tags.create", json!({ "name": name, "color": color }));
    }
    for name in ["Winter", "zoned"] {
        create(&server, "tags.create", json!({ "name": name }));
    }
    for (name, tags) in [
        ("Harbor many", &["zoned", "VIP", "Winter", "HOA", "A<b>"][..]),
        ("Harbor three", &["VIP", "HOA", "A<b>"]),
        ("Harbor none", &[]),
    ] {
        let arguments = json!({
            "customer_type": "company", "company_name": name, "tags": tags,
        });
        create(&server, "customers.create", arguments);
    }
    let mut tech = browser_of(&server, TECH);
    for path in ["/customers", "/customers?q=harbor"] {
        let page = tech.get(path).body;
        let row = |name: &str| between(&page, &format!("<bdi>{name}</bdi>"), "</li>");
        let tag =
            |name: &str, color: &str| format!("fill=\"{color}\"/></svg><bdi>{name}</bdi></span>");
        for (name, more) in [("Harbor many", true), ("Harbor three", false)] {
            let row = row(name);
            let shown =
                [tag("A&#60;b&#62;", "#112233"), tag("HOA", "#3B82F6"), tag("VIP", "#FF0000")];
            let places: Vec<_> = shown.iter().map(|it| row.find(it.as_str())).collect();
            assert!(places.is_sorted() && places[0].is_some(), "{places:?}: {row}");
            assert_eq!(row.matches("<circle").count(), 3, "{row}");
            assert_eq!(row.contains("<span>+2<span class=\"vh\"> more</span>"), more, "{row}");
        }
        assert!(!row("Harbor none").contains("Tags"), "{page}");
    }
}
