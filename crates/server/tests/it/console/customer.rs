//! One customer's page.

use serde_json::json;
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{TECH, browser_of, business, call, company, create, start, unescaped};
use crate::people::{Browser, OWNER, without_scripts};
use crate::server::Server;

/// A customer with everything that a page shows.
fn full_customer(server: &Server) -> String {
    let customer = create(
        server,
        "customers.create",
        json!({
            "customer_type": "company", "company_name": "Bay Bakery", "phone": "(510) 555-0123 x9",
            "email": "desk+1@bakery.example", "is_vip": true, "do_not_contact": true,
            "do_not_contact_reason": "Asked us to write only.", "source": "Referral",
            "external_id": "QB-77", "notes_internal": "Pays late.\nStill a friend.",
            "primary_contact": { "first_name": "Ben", "last_name": "Ito", "phone": "510 555 0142",
                         "email": "ben@bakery.example", "role": "billing", "title": "Manager" },
            "location": { "address_line1": "1 Pier Road", "address_line2": "Unit 4",
                          "city": "Oakland", "state": "CA", "postal_code": "94607",
                          "label": "Main shop", "access_notes": "Gate code 4711",
                          "parking_notes": "Behind the mill", "service_notes": "Ring twice" },
        }),
    );
    let tag = create(server, "tags.create", json!({ "name": "HOA", "color": "#3B82F6" }));
    call(server, "tags.attach", json!({ "id": tag, "customer_id": customer }));
    customer
}

#[both]
fn the_page_shows_everything_about_a_customer() {
    let server = start();
    let customer = full_customer(&server);
    let page = Browser::owner(&server).get(&format!("/customers/{customer}"));
    assert_eq!(page.status, 200);
    let page = unescaped(&page.body);
    for shown in [
        "<h1><bdi>Bay Bakery</bdi></h1>",
        "<title>Bay Bakery",
        ">C-0001<",
        ">Company<",
        ">Active<",
        ">VIP<",
        "Do not contact.</strong> <bdi>Asked us to write only.</bdi>",
        "<a href=\"tel:+15105550123;ext=9\">(510) 555-0123 ext. 9</a>",
        "<a href=\"mailto:desk%2B1@bakery.example\"><bdi>desk+1@bakery.example</bdi></a>",
        "<bdi>Referral</bdi>",
        "<bdi>QB-77</bdi>",
        "Pays late.\nStill a friend.",
        "<bdi>Ben Ito</bdi>",
        "<a href=\"tel:+15105550142\">(510) 555-0142</a>",
        "<a href=\"mailto:ben@bakery.example\">",
        ">Billing<",
        "<bdi>Manager</bdi>",
        "<bdi>Main shop</bdi>",
        "<bdi>1 Pier Road</bdi><bdi>Unit 4</bdi><bdi>Oakland, CA 94607</bdi>",
        "<em class=\"mark\">Primary service address</em>",
        "href=\"sms:+15105550123\"",
        "No longer a customer?",
        "<dt>Access</dt><dd class=\"text\" dir=\"auto\">Gate code 4711</dd>",
        "<dt>Parking</dt><dd class=\"text\" dir=\"auto\">Behind the mill</dd>",
        "<dt>For the crew</dt><dd class=\"text\" dir=\"auto\">Ring twice</dd>",
        "href=\"https://www.google.com/maps/search/?api=1&query=1+Pier+Road%2C+Oakland",
        "fill=\"#3B82F6\"",
        "<bdi>HOA</bdi>",
        &format!("<a href=\"/customers?business={}\">Customers</a>", business(&server)),
        "No notes yet.",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // What is needed on the way to the customer is first, what is rarely needed is last.
    let order = [
        "<h1",
        "<bdi>HOA</bdi>",
        "tel:+15105550123",
        "Gate code 4711",
        "<bdi>Ben Ito</bdi>",
        "Add note",
        "Pays late.",
        "No longer a customer?",
    ];
    let places: Vec<_> = order.iter().map(|it| page.find(it).expect("shown")).collect();
    assert!(places.is_sorted(), "{places:?} {page}");
}

#[both]
fn a_number_or_address_of_the_primary_contact_says_whose_it_is() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let contact = json!({
        "customer_id": customer, "first_name": "Ben", "last_name": "Ito", "phone": "510 555 0142",
        "email": "ben@bakery.example", "is_primary": true, "phone_can_sms": false,
    });
    create(&server, "contacts.create", contact);
    let mut owner = Browser::owner(&server);
    let page = owner.get(&format!("/customers/{customer}")).body;
    for shown in ["<dt>Phone of <bdi>Ben Ito</bdi></dt>", "<dt>E-mail of <bdi>Ben Ito</bdi></dt>"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("sms:"), "the number takes no text messages: {page}");
    let own = json!({ "id": customer, "phone": "510 555 0123", "email": "desk@bakery.example" });
    call(&server, "customers.update", own);
    let page = owner.get(&format!("/customers/{customer}")).body;
    for shown in ["<dt>Phone</dt>", "<dt>E-mail</dt>", "sms:+15105550123"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[both]
fn notes_on_the_customer_and_on_what_belongs_to_it_are_shown_pinned_ones_first() {
    let server = start();
    let customer = full_customer(&server);
    let full = call(&server, "customers.get", json!({ "id": customer }));
    let id = |list: &str| full[list][0]["id"].as_str().expect("an id").to_owned();
    let subjects = [
        ("customer", customer.clone(), "First"),
        ("customer_contact", id("contacts"), "Second"),
        ("customer_location", id("locations"), "Third"),
    ];
    for (subject_type, subject, body) in subjects {
        server.env.clock.advance(60_000);
        let pinned = body == "First";
        let arguments = json!({
            "body": body, "subject_type": subject_type, "subject_id": subject, "pinned": pinned,
        });
        create(&server, "notes.create", arguments);
    }
    let crew = [Business::user(&server.business.tech).to_string()];
    let job = json!({ "customer_id": customer, "title": "Oven", "assignee_ids": crew });
    let job = create(&server, "jobs.create", job);
    let on_job = json!({ "body": "Fourth", "subject_type": "job", "subject_id": job });
    server.env.create(&server.business.tech, "notes.create", on_job);
    let other = company(&server, "Harbor Hotel");
    let elsewhere = json!({ "body": "Elsewhere", "subject_type": "customer", "subject_id": other });
    create(&server, "notes.create", elsewhere);

    let page = Browser::owner(&server).get(&format!("/customers/{customer}")).body;
    let notes: Vec<_> = page.split("<li class=\"card note").skip(1).collect();
    assert_eq!(notes.len(), 4, "{page}");
    for (note, shown) in notes.iter().zip([
        ["First", "<em class=\"mark\">Pinned</em><strong>", " pinned\" id=\"note-", ">Unpin<"],
        ["Fourth", "about job", "<bdi>Tessa Tech</bdi>", "Jun 13, 2026, 6:03 PM UTC"],
        ["Third", "about location <bdi>Main shop</bdi>", "<bdi>Olive Owner</bdi>", "6:03 PM UTC"],
        ["Second", "about contact <bdi>Ben Ito</bdi>", "<bdi>Olive Owner</bdi>", "6:02 PM UTC"],
    ]) {
        for shown in shown {
            assert!(note.contains(shown), "{shown}: {note}");
        }
    }
    assert!(!notes[2].contains("Pinned") && notes[2].contains(">Pin<"), "{}", notes[2]);
    assert!(!notes[0].contains("about"), "a note on the customer itself: {}", notes[0]);
}

#[both]
fn older_notes_are_on_the_next_pages_and_every_note_is_shown_once() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    // More pinned notes than are shown first.
    let is_pinned = |number: &usize| (10..20).contains(number) || (30..35).contains(number);
    for number in 10..70 {
        let arguments = json!({
            "body": format!("Note {number}"), "subject_type": "customer", "subject_id": customer,
            "pinned": is_pinned(&number),
        });
        create(&server, "notes.create", arguments);
    }
    let mut owner = Browser::owner(&server);
    let (mut seen, mut path) = (Vec::new(), Some(format!("/customers/{customer}")));
    while let Some(asked) = path {
        let page = owner.get(&asked).body;
        assert_eq!(page.contains("Newest notes"), !seen.is_empty(), "{page}");
        let bodies = page.split("<p class=\"text\" dir=\"auto\">Note ").skip(1);
        seen.push(bodies.map(|it| it[..2].parse().expect("a number")).collect::<Vec<usize>>());
        path = page.split_once("\">Older notes</a>").map(|(before, _)| {
            let older = unescaped(before.rsplit_once("href=\"").expect("its address").1);
            older.strip_suffix("#notes").expect("the place of the notes").to_owned()
        });
    }
    let pinned = (10..70).rev().filter(is_pinned).take(10);
    let first: Vec<_> = pinned.collect();
    let others = (10..70).rev().filter(|number| !first.contains(number));
    let expected: Vec<_> = first.iter().copied().chain(others).collect();
    assert_eq!(seen.concat(), expected, "every note once, ten pinned ones first");
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[both]
fn a_page_with_the_longest_texts_is_bounded_and_the_next_one_goes_on() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let letters = ["a", "b", "c", "d", "e"];
    for letter in letters {
        let body = format!("{letter}: {}", letter.repeat(99_997));
        let arguments = json!({ "body": body, "subject_type": "customer", "subject_id": customer });
        create(&server, "notes.create", arguments);
    }
    let longest = 2_000;
    for number in 0..120 {
        let place = json!({
            "customer_id": customer, "address_line1": format!("{number} Pier Road"),
            "city": "Oakland", "state": "CA", "postal_code": "94607",
            "access_notes": "x".repeat(longest), "parking_notes": "y".repeat(longest),
        });
        create(&server, "locations.create", place);
    }
    let mut owner = Browser::owner(&server);
    let mut seen = (Vec::new(), 0);
    for list in ["Older notes", "More locations"] {
        let mut path = Some(format!("/customers/{customer}"));
        while let Some(asked) = path {
            let page = owner.get(&asked).body;
            assert!(page.len() < 1024 * 1024, "{}", page.len());
            if list == "Older notes" {
                let shown = |it: &&&str| page.contains(&format!("{it}: {it}{it}"));
                seen.0.push(letters.iter().filter(shown).copied().collect::<String>());
            } else {
                seen.1 += page.matches("Pier Road</bdi></strong>").count();
            }
            path = page.split_once(&format!("\">{list}</a>")).map(|(before, _)| {
                let address = before.rsplit_once("href=\"").expect("its address").1;
                unescaped(address.trim_end_matches("#notes"))
            });
        }
    }
    assert_eq!(seen, (vec!["cde".to_owned(), "ab".to_owned()], 120), "every row once");
}

#[both]
fn stored_text_is_shown_as_text() {
    let server = start();
    let script = "<script>alert('x')</script>";
    let customer = create(
        &server,
        "customers.create",
        json!({
            "customer_type": "company", "company_name": script, "source": script,
            "do_not_contact": true, "do_not_contact_reason": script, "notes_internal": script,
            "primary_contact": { "first_name": script, "last_name": script, "title": script },
            "location": { "address_line1": script, "city": script, "state": script,
                          "postal_code": "94607", "label": script, "access_notes": script },
        }),
    );
    let tag = create(&server, "tags.create", json!({ "name": script }));
    call(&server, "tags.attach", json!({ "id": tag, "customer_id": customer }));
    create(&server, "tags.create", json!({ "name": format!("{script}2") }));
    let note = json!({ "body": script, "subject_type": "customer", "subject_id": customer });
    create(&server, "notes.create", note);
    let mut owner = Browser::owner(&server);
    let record = format!("/customers/{customer}");
    let pages = [record.clone(), format!("{record}/archive"), "/customers?q=script".to_owned()];
    for (path, least) in pages.iter().zip([12, 1, 2]) {
        let page = without_scripts(&owner.get(path).body);
        assert!(!page.contains("<script"), "{path}: {page}");
        let shown = page.matches("alert(&#39;x&#39;)").count();
        assert!(shown >= least, "{path}: {shown} {page}");
    }
}

#[both]
fn an_id_that_is_unknown_or_of_another_business_or_no_id_is_the_same_page() {
    let server = start();
    let own = company(&server, "Bay Bakery");
    let other = server.env.empty_business("Borealis");
    let arguments = json!({ "customer_type": "company", "company_name": "Aurora Motel" });
    let theirs = server.env.create(&other.owner, "customers.create", arguments);
    let unknown = "01890000-0000-7000-8000-000000000000";
    let (acme, borealis) = (business(&server), other.account.id.to_string());
    for email in [OWNER, TECH] {
        let mut browser = browser_of(&server, email);
        assert_eq!(browser.get(&format!("/customers/{own}")).status, 200);
        let strange = [theirs.as_str(), unknown, "x", "%00", "%ff"];
        for suffix in ["", "/archive"] {
            let asked = strange.iter().flat_map(|id| {
                let path = format!("/customers/{id}{suffix}");
                [format!("{path}?business={acme}"), format!("{path}?business={borealis}"), path]
            });
            let of_stranger = format!("/customers/{own}{suffix}?business={borealis}");
            let replies: Vec<_> =
                asked.chain([of_stranger]).map(|path| browser.get(&path)).collect();
            for reply in &replies {
                assert_eq!((reply.status, &reply.body), (404, &replies[0].body), "{reply:?}");
            }
            assert!(replies[0].body.contains("<h1>Page not found</h1>"), "{:?}", replies[0]);
        }
        // A form learns no more than a page.
        for form in ["notes", "pin", "tag", "new-tag", "untag", "archive", "restore"] {
            let send = |browser: &mut Browser<'_>, id: &str, business: &str| {
                let fields = [
                    ("business", business),
                    ("body", "Hello"),
                    ("note", unknown),
                    ("tag", unknown),
                    ("name", "HOA"),
                ];
                browser.post(&format!("/customers/{id}/{form}"), &fields)
            };
            let refused = [
                send(&mut browser, unknown, &acme),
                send(&mut browser, &theirs, &acme),
                send(&mut browser, &theirs, &borealis),
            ];
            let expected = if refused[0].status == 403 { 403 } else { 404 };
            assert_eq!(refused[0].status, expected, "{form}: {:?}", refused[0]);
            assert_eq!(refused[1].body, refused[0].body, "{form}");
            assert_eq!(refused[2].status, 404, "{form}");
        }
    }
    let notes = server.env.call(&other.owner, "notes.list", json!({})).expect("notes");
    assert_eq!(notes["rows"], json!([]));
}
