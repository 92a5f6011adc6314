//! Who changed what: a customer's history, the activity of the business, and the page to start with.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::{Business, Caller};

use super::{OFFICE, TECH, browser_of, business, company, create, start, unescaped};
use crate::people::{Browser, OWNER, PASSWORD, location, set_password};
use crate::server::{Server, wait_until};

/// A program that the office connected.
fn program(server: &Server) -> Caller {
    let (account, office) = (server.business.account, Business::user(&server.business.office));
    let (_, issued) = server.env.connect(account, office, Scopes::of(Scope::GRANTABLE));
    server.env.authenticate(issued.access.expose()).expect("a valid token")
}

fn by(server: &Server, caller: &Caller, tool: &str, arguments: Value) {
    server.env.call(caller, tool, arguments).expect(tool);
}

/// The sentences of the entries, newest first, without tags.
fn sentences(page: &str) -> Vec<String> {
    let sentences = page.split("<p class=\"does\">").skip(1);
    let plain = |html: &str| {
        let html = html.split("</p>").next().expect("a sentence");
        let mut text = String::new();
        for (index, piece) in html.split(['<', '>']).enumerate() {
            text.push_str(if index % 2 == 0 { piece } else { "" });
        }
        unescaped(&text)
    };
    sentences.map(plain).collect()
}

#[both]
fn a_customers_history_says_in_words_who_or_which_program_changed_what() {
    let server = start();
    let owner = &server.business.owner;
    let hana = json!({ "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
                       "phone": "(510) 555-0123" });
    let customer = create(&server, "customers.create", hana);
    let tag = create(&server, "tags.create", json!({ "name": "VIP" }));
    let contact = json!({ "customer_id": customer, "first_name": "Ben", "last_name": "<b>Ito" });
    let contact = create(&server, "contacts.create", contact);
    let change = |mut fields: Value| {
        fields["id"] = json!(customer);
        fields
    };
    let phone = change(json!({ "phone": "(510) 555-0199" }));
    by(&server, &program(&server), "customers.update", phone);
    let title =
        json!({ "id": contact, "customer_id": customer, "title": "Boss", "role": "billing" });
    by(&server, owner, "contacts.update", title);
    by(&server, owner, "customers.update", change(json!({ "is_vip": true })));
    let long = "Ring twice. ".repeat(30);
    by(&server, owner, "customers.update", change(json!({ "notes_internal": long })));
    by(&server, owner, "tags.attach", json!({ "id": tag, "customer_id": customer }));
    let note =
        json!({ "body": "The gate sticks.", "subject_type": "customer", "subject_id": customer });
    let note = create(&server, "notes.create", note);
    by(&server, owner, "notes.update", json!({ "id": note, "body": "Fixed.", "pinned": true }));
    by(&server, owner, "customers.archive", json!({ "id": customer }));

    let mut office = browser_of(&server, OFFICE);
    let page = office.get(&format!("/customers/{customer}")).body;
    let path = format!("/customers/{customer}/history?business={}", business(&server));
    assert!(unescaped(&page).contains(&format!("href=\"{path}\">History</a>")), "{page}");
    let page = office.get(&path).body;
    let kept = long.chars().take(120).collect::<String>();
    let expected = [
        "Olive Owner archived the customer",
        "Olive Owner pinned a note: “Fixed.”; edited a note, which said The gate sticks.",
        "Olive Owner added a note: “Fixed.”",
        "Olive Owner attached the tag VIP",
        &format!("Olive Owner set General remarks to {}…", kept.trim_end()),
        "Olive Owner changed VIP from no to yes",
        "Olive Owner changed Role of the contact Ben <b>Ito from General to Billing; \
         set Job title of the contact Ben <b>Ito to Boss",
        "Oscar Office (via Program) changed Phone from (510) 555-0123 to (510) 555-0199",
        "Olive Owner added the contact Ben <b>Ito",
        "Olive Owner added the customer Hana Nguyen",
    ];
    let found: Vec<_> =
        sentences(&page).iter().map(|it| it.replace("&#60;", "<").replace("&#62;", ">")).collect();
    assert_eq!(found, expected, "{page}");
    let filtered = format!("/activity?business={}&record={customer}", business(&server));
    assert!(unescaped(&page).contains(&format!("href=\"{filtered}\"")), "{page}");
    assert!(!page.contains("<b>"), "names are data: {page}");
    let whole = format!(
        "<details><summary>General remarks now</summary><p class=\"text\" dir=\"auto\">{}",
        long.trim()
    );
    assert!(page.contains(&whole), "{page}");
    assert!(page.contains("<time datetime="), "{page}");

    // The crew does not see it, and an id says nothing.
    let mut tech = browser_of(&server, TECH);
    let page = tech.get(&format!("/customers/{customer}"));
    assert!(page.status == 200 && !page.body.contains("/history"), "{page:?}");
    assert_eq!(tech.get(&path).status, 403);
    let other = server.env.business("Other");
    for browser in [&mut office, &mut tech] {
        let [unknown, theirs, invalid] =
            ["01890000-0000-7000-8000-000000000000", other.id("customer"), "x"]
                .map(|id| browser.get(&format!("/customers/{id}/history")));
        assert_eq!(unknown.status, 404);
        assert_eq!((&unknown.body, &unknown.body), (&theirs.body, &invalid.body));
    }
}

#[both]
fn the_activity_is_filtered_by_person_program_and_event_and_goes_on() {
    let server = start();
    let bakery = company(&server, "Bay Bakery");
    let hotel = company(&server, "Harbor Hotel");
    let change = |source: &str| json!({ "id": bakery, "source": source });
    by(&server, &program(&server), "customers.update", change("fair"));
    by(&server, &server.business.tenant, "customers.update", change("flyer"));
    let mut office = browser_of(&server, OFFICE);
    let page = office.get("/activity").body;
    assert!(page.contains("about <a href=\"/customers/"), "{page}");
    let all = [
        "An API key of the business changed Source from fair to flyer",
        "Oscar Office (via Program) set Source to fair",
        "Olive Owner added the customer Harbor Hotel",
        "Olive Owner added the customer Bay Bakery",
    ];
    assert_eq!(sentences(&page), all, "{page}");
    let owner = Business::user(&server.business.owner).to_string();
    let mut shown = |query: &str| sentences(&office.get(&format!("/activity?{query}")).body);
    assert_eq!(shown("person=me"), [all[1]]);
    assert_eq!(shown(&format!("person={owner}")), all[2..]);
    assert_eq!(shown("program=Program"), [all[1]]);
    assert_eq!(shown("program=Nobody"), Vec::<String>::new());
    assert_eq!(shown("event=customers.create"), all[2..]);
    assert_eq!(shown("event=sign_in"), Vec::<String>::new());
    assert_eq!(shown(&format!("record={hotel}")), [all[2]]);
    assert_eq!(shown("program=Program&event=customers.create"), Vec::<String>::new());
    assert_eq!(shown("from=2026-06-14"), Vec::<String>::new());
    assert_eq!(shown("from=2026-06-13&to=2026-06-14&person=me"), [all[1]]);
    let chosen = office.get(&format!("/activity?record={hotel}&from=soon"));
    assert_eq!(chosen.status, 400);
    assert!(chosen.body.contains("name=\"from\" type=\"text\" value=\"soon\""), "{chosen:?}");
    let chosen = office.get(&format!("/activity?record={hotel}&from=2026-06-13")).body;
    assert!(chosen.contains("name=\"from\" type=\"date\" value=\"2026-06-13\""), "{chosen}");
    assert!(chosen.contains("<bdi>Harbor Hotel</bdi></a>.</p>"), "{chosen}");
    let chosen = office.get("/activity?program=Nobody").body;
    assert!(chosen.contains("<option value=\"Nobody\" selected>Nobody"), "{chosen}");
    for query in ["person=x", "record=x", "cursor=x"] {
        let reply = office.get(&format!("/activity?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.body.contains("class=\"fault\""), "{query} {reply:?}");
    }

    // Owners see also what is done about people, keys and programs.
    let page = Browser::owner(&server).get("/activity").body;
    let found = sentences(&page);
    for said in [
        "Olive Owner signed in",
        "Oscar Office (via Program) connected the program Program",
        all[3],
    ] {
        assert!(found.iter().any(|it| it == said), "{said}: {found:?}");
    }
    assert!(page.contains("<option value=\"keys.create\">Created an API key"), "{page}");
    // They can choose what is connected, also where nothing that it did is shown.
    let offered = "<option value=\"Program\">Program</option>";
    let page = Browser::owner(&server).get("/activity?from=2026-06-14").body;
    assert!(sentences(&page).is_empty() && page.contains(offered), "{page}");
    assert!(!office.get("/activity?from=2026-06-14").body.contains(offered));

    for number in 0..30 {
        by(&server, &server.business.owner, "customers.update", change(&number.to_string()));
    }
    let page = office.get("/activity?event=customers.update").body;
    assert_eq!(sentences(&page).len(), 25);
    let older = page.rsplit_once("<a class=\"btn\" href=\"").expect("a link").1;
    let (older, _) = older.split_once("\">Older</a>").expect("older changes");
    let page = office.get(&unescaped(older)).body;
    assert_eq!(sentences(&page)[5..], all[..2], "{page}");
    assert!(page.contains("<option value=\"customers.update\" selected>"), "{page}");
    assert!(!page.contains(">Older</a>"), "{page}");
}

#[both]
fn entries_about_people_keys_and_settings_say_whom_and_what_they_are_about() {
    let server = start();
    let env = &server.env;
    let account = server.business.account;
    let mut owner = Browser::owner(&server);
    let acme = business(&server);
    let mut post = |path: &str, fields: &[(&str, &str)]| {
        let reply = owner.post(path, &[&[("business", acme.as_str())], fields].concat());
        assert!(reply.status < 400, "{path}: {reply:?}");
    };
    post("/keys", &[("name", "Website form"), ("read:customers", "true"), ("acts_for", "me")]);
    let keys = env.call_as_operator(Some(account), "keys.list", json!({}));
    let rows = keys["rows"].as_array().expect("keys");
    let key = rows.iter().find(|key| key["name"] == "Website form").expect("the key");
    post("/keys/revoke", &[("key", key["id"].as_str().expect("an id"))]);
    post("/settings", &[("time_zone", "America/Denver"), ("was_time_zone", "UTC")]);
    let eve = json!({ "name": "Eve", "email": "eve@acme.example", "role": "tech" });
    env.call_as_operator(Some(account), "invitations.create", eve);
    let office = Business::user(&server.business.office);
    let role = json!({ "id": office, "role": "tech" });
    env.call_as_operator(Some(account), "users.set_role", role);
    let wrong = [("email", TECH), ("password", "not this one")];
    assert_eq!(Browser::new(&server).post("/sign-in", &wrong).status, 403);
    let note = json!({ "body": "One two three. ".repeat(9) });
    create(&server, "notes.create", note);

    let mut found = Vec::new();
    wait_until("the refusal is recorded", || {
        found = sentences(&owner.get("/activity").body);
        found.iter().any(|it| it.contains("failed"))
    });
    for said in [
        "Olive Owner created the API key Website form",
        "Olive Owner revoked the API key Website form",
        "Olive Owner changed time zone from UTC to America/Denver",
        "An administrator of the server invited Eve",
        "An administrator of the server changed the role of Oscar Office to tech",
        "Somebody failed to sign in as Tessa Tech",
        "Olive Owner added a note: “One two three. One two three. One two three. One two three…”",
    ] {
        assert!(found.iter().any(|it| it == said), "{said}: {found:?}");
    }
}

#[both]
fn the_brand_leads_to_the_search_the_pinned_notes_and_what_the_user_did() {
    let server = start();
    server.env.empty_business("Borealis");
    for email in ["owner@borealis.example", "tech@borealis.example"] {
        set_password(&server, email, PASSWORD);
    }
    let mut owner = browser_of(&server, "owner@borealis.example");
    let page = owner.get("/").body;
    for step in
        [">New customer</button>", "/api/mcp</code>", "data-copy=\"mcp-address\"", ">Team</a>"]
    {
        assert!(page.contains(step), "{step}: {page}");
    }
    assert!(!page.contains("aria-current"), "the page belongs to no section: {page}");
    let mut tech = browser_of(&server, "tech@borealis.example");
    let page = tech.get("/").body;
    assert!(page.contains("/api/mcp</code>") && !page.contains(">New customer</button>"), "{page}");
    assert!(!page.contains("Invite a colleague"), "{page}");

    let bakery = company(&server, "Bay Bakery");
    for number in 0..6 {
        let note = json!({ "body": format!("Note {number}."), "pinned": true,
                           "subject_type": "customer", "subject_id": bakery });
        create(&server, "notes.create", note);
    }
    create(&server, "notes.create", json!({ "body": "Not pinned." }));
    let long = format!("{}the end.", "Long. ".repeat(200));
    create(&server, "notes.create", json!({ "body": long, "pinned": true }));
    by(&server, &program(&server), "customers.update", json!({ "id": bakery, "source": "fair" }));
    let mut office = browser_of(&server, OFFICE);
    let page = office.get("/").body;
    assert!(page.contains("<form class=\"search\" method=\"get\" action=\"/customers\""), "{page}");
    assert!(page.contains(">Search customers</label>"), "{page}");
    assert!(page.contains("Note 2.") && !page.contains("Note 1."), "the newest five: {page}");
    assert!(page.contains("Long. …") && !page.contains("the end."), "{page}");
    assert!(page.contains("All pinned notes") && !page.contains("Not pinned."), "{page}");
    assert_eq!(sentences(&page), ["Oscar Office (via Program) set Source to fair"]);
    let lately = |page: &str| {
        let links = page.split_once("aria-label=\"Lately\"").map(|(_, links)| links.to_owned());
        let links = links.map(|links| links.split("</nav>").next().unwrap_or_default().to_owned());
        links.map(|it| it.matches("<a ").count())
    };
    let link = format!("href=\"/customers/{bakery}?business={}\"", business(&server));
    assert!(lately(&page) == Some(1) && page.contains(&link), "{page}");
    assert!(!page.contains("First steps"), "{page}");
    let mut tech = browser_of(&server, TECH);
    let page = tech.get("/").body;
    assert!(page.contains("Note 5.") && sentences(&page).is_empty(), "{page}");
    assert_eq!(lately(&page), None);
    let hotel = company(&server, "Harbor Hotel");
    for id in [&hotel, &bakery, &hotel] {
        let note = json!({ "body": "Mine.", "subject_type": "customer", "subject_id": id });
        server.env.create(&server.business.tech, "notes.create", note);
    }
    let page = tech.get("/").body;
    assert_eq!(lately(&page), Some(2), "each of them once");
    let places = ["<bdi>Harbor Hotel</bdi>", "<bdi>Bay Bakery</bdi>"].map(|it| page.find(it));
    assert!(places[0].is_some() && places[0] < places[1], "the newest first: {page}");

    let user = json!({ "id": Business::user(&server.business.office) });
    server.env.call_as_operator(Some(server.business.account), "users.remove", user);
    assert_eq!(location(&browser_of(&server, OFFICE).get("/")), "/account");
    assert_eq!(browser_of(&server, OWNER).get("/?business=x").status, 404);
}

#[both]
fn changes_of_keys_hide_no_changes_of_records_on_the_first_page() {
    let server = start();
    for number in 0..9 {
        create(&server, "tags.create", json!({ "name": format!("Tag {number}") }));
    }
    let mut owner = Browser::owner(&server);
    let acme = business(&server);
    for number in 0..9 {
        let name = format!("Key {number}");
        let fields = [("business", &*acme), ("name", &*name), ("read:customers", "true")];
        assert_eq!(owner.post("/keys", &fields).status, 200);
    }
    let page = owner.get("/").body;
    let expected: Vec<_> =
        (1..9).rev().map(|number| format!("Olive Owner added the tag Tag {number}")).collect();
    assert_eq!(sentences(&page), expected);
}
