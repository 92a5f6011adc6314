//! The notes of a whole business.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{OFFICE, TECH, browser_of, business, company, create, start, unescaped};
use crate::people::{Browser, OWNER, PASSWORD, between, location, set_password, without_scripts};
use crate::server::Server;

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Every note that a page shows, newest first.
fn shown(page: &str) -> Vec<&str> {
    let notes = page.split("<li class=\"card note").skip(1);
    notes.map(|note| between(note, "<p class=\"text\" dir=\"auto\">", "</p>")).collect()
}

fn on_customer(customer: &str, body: &str) -> Value {
    json!({ "body": body, "subject_type": "customer", "subject_id": customer })
}

/// Notes of three authors on three days: the first two on Saturday, 13 June 2026, in the business's time zone.
fn notes_of_three_days(server: &Server) {
    let zone = json!({ "time_zone": "America/Los_Angeles" });
    server.env.call_as_operator(Some(server.business.account), "tenants.update", zone);
    let customer = company(server, "Bay Bakery");
    let authors = [&server.business.owner, &server.business.tech, &server.business.office];
    for (author, body, pinned, wait) in [
        (0, "Saturday noon: valve", true, 0),
        (1, "Saturday night: valve", false, DAY / 2),
        (1, "Sunday: valve", true, DAY / 2),
        (1, "Monday: hose", true, DAY),
        (2, "Monday: valve", false, 0),
    ] {
        server.env.clock.advance(wait);
        let mut note = on_customer(&customer, body);
        note["pinned"] = json!(pinned);
        server.env.create(authors[author], "notes.create", note);
    }
}

#[both]
fn a_search_finds_notes_by_other_forms_of_a_word_and_shows_whom_they_are_about() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let mut heater = on_customer(&customer, "The heater hums.");
    heater["pinned"] = json!(true);
    server.env.create(&server.business.tech, "notes.create", heater);
    create(&server, "notes.create", on_customer(&customer, "The gate sticks."));
    let mut owner = Browser::owner(&server);

    let all = owner.get("/notes").body;
    assert_eq!(shown(&all), ["The gate sticks.", "The heater hums."]);
    assert!(all.contains("for=\"q\">Search notes</label>"), "{all}");
    let found = owner.get("/notes?q=heaters");
    assert_eq!(found.status, 200);
    let found = unescaped(&found.body);
    assert_eq!(shown(&found), ["The heater hums."]);
    assert!(found.contains("name=\"q\" type=\"search\" value=\"heaters\""), "{found}");
    let note = between(&found, "<li class=\"card note", "</li>");
    let link = format!("href=\"/customers/{customer}?business={}\"", business(&server));
    for part in [
        " pinned\" id=\"note-",
        "<em class=\"mark\">Pinned</em>",
        "<strong><bdi>Tessa Tech</bdi></strong>",
        "<time datetime=\"2026-06-13T18:0",
        ">Jun 13, 2026, 6:00 PM UTC <span class=\"ago\">(",
        &format!("about <a {link}><bdi>Bay Bakery</bdi></a></span>"),
    ] {
        assert!(note.contains(part), "{part}: {note}");
    }
    let page = owner.get(&format!("/customers/{customer}")).body;
    assert!(page.contains("The heater hums.") && !page.contains("about <a"), "{page}");
}

#[both]
fn a_note_says_what_its_subject_is_if_there_is_one() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let crew = [Business::user(&server.business.tech).to_string()];
    let job = json!({ "customer_id": customer, "title": "Oven", "assignee_ids": crew });
    let job = create(&server, "jobs.create", job);
    let on_job = json!({ "body": "On a job", "subject_type": "job", "subject_id": job });
    create(&server, "notes.create", on_job);
    create(&server, "notes.create", json!({ "body": "Standalone" }));
    let page = Browser::owner(&server).get("/notes").body;
    assert_eq!(shown(&page), ["Standalone", "On a job"]);
    let notes: Vec<_> = page.split("<li class=\"card note").skip(1).collect();
    assert!(!notes[0].contains("about ") && !notes[0].contains("/customers/"), "{page}");
    let subject = "<bdi>Bay Bakery</bdi></a> (job <bdi>Oven</bdi>)</span>";
    assert!(notes[1].contains(subject), "{}", notes[1]);
    assert!(!notes[1].contains(" pinned\"") && !notes[1].contains("Pinned"), "{}", notes[1]);
}

#[both]
fn every_filter_works_alone_and_with_the_others() {
    let server = start();
    notes_of_three_days(&server);
    let mut tech = browser_of(&server, TECH);
    let owner = Business::user(&server.business.owner);
    let everything = [
        "Monday: valve",
        "Monday: hose",
        "Sunday: valve",
        "Saturday night: valve",
        "Saturday noon: valve",
    ];
    let [monday_valve, hose, sunday, night, noon] = everything;
    for (query, expected) in [
        // What the form sends if nothing was chosen.
        ("q=&after=&before=&author=".to_owned(), &everything[..]),
        ("q=+".to_owned(), &everything),
        ("after=2026-06-14".to_owned(), &[monday_valve, hose, sunday]),
        // 23:00 on Saturday in Los Angeles is Sunday in UTC.
        ("before=2026-06-14".to_owned(), &[night, noon]),
        ("after=2026-06-14&before=2026-06-15".to_owned(), &[sunday]),
        ("author=me".to_owned(), &[hose, sunday, night]),
        (format!("author={owner}"), &[noon]),
        ("pinned=true".to_owned(), &[hose, sunday, noon]),
        ("pinned=true&author=me".to_owned(), &[hose, sunday]),
        ("q=valves&pinned=true".to_owned(), &[sunday, noon]),
        ("q=valves&author=me&before=2026-06-14".to_owned(), &[night]),
        ("q=valves&after=2026-06-14&before=2026-06-16&author=me&pinned=true".to_owned(), &[sunday]),
        (format!("author={owner}&after=2026-06-14"), &[]),
    ] {
        let reply = tech.get(&format!("/notes?business={}&{query}", business(&server)));
        assert_eq!(reply.status, 200, "{query}: {reply:?}");
        assert_eq!(shown(&reply.body), expected, "{query}");
    }
}

#[both]
fn filters_offer_the_team_and_keep_what_was_chosen() {
    let server = start();
    let mut tech = browser_of(&server, TECH);
    let page = tech.get("/notes").body;
    assert!(page.contains("<details>"), "{page}");
    assert!(page.contains("<option value=\"me\">Me</option>"), "{page}");
    let members = [&server.business.owner, &server.business.office, &server.business.tech];
    let names = ["Olive Owner", "Oscar Office", "Tessa Tech"];
    for (access, name) in members.into_iter().zip(names) {
        let option = format!("<option value=\"{}\">{name}</option>", Business::user(access));
        assert!(page.contains(&option), "{option}: {page}");
    }
    let office = Business::user(&server.business.office);
    assert_eq!(page.matches(" type=\"date\" value=\"\"").count(), 2, "{page}");
    for (query, kept) in [
        ("after=2026-06-14", "name=\"after\" type=\"date\" value=\"2026-06-14\"".to_owned()),
        ("before=2026-06-15", "name=\"before\" type=\"date\" value=\"2026-06-15\"".to_owned()),
        ("author=me", "value=\"me\" selected>Me<".to_owned()),
        (&format!("author={office}"), format!("value=\"{office}\" selected>Oscar Office<")),
        ("pinned=true", "name=\"pinned\" value=\"true\" checked>".to_owned()),
    ] {
        let page = tech.get(&format!("/notes?{query}")).body;
        assert!(page.contains(&kept), "{kept}: {page}");
        assert!(page.contains("<details open>"), "{query}");
    }
    assert!(tech.get("/notes?q=x").body.contains("<details>"), "a search is no filter");
}

#[both]
fn filters_are_in_the_address_and_the_next_page_keeps_them() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    for number in 10..37 {
        let mut note = on_customer(&customer, &format!("Note {number}"));
        note["pinned"] = json!(true);
        create(&server, "notes.create", note);
    }
    create(&server, "notes.create", on_customer(&customer, "Note without a pin"));
    let of_tech = json!({ "body": "Note of the tech", "pinned": true });
    server.env.create(&server.business.tech, "notes.create", of_tech);
    let mut owner = Browser::owner(&server);

    let filters = "q=notes&after=2026-06-13&before=2026-06-14&author=me&pinned=true";
    let first = owner.get(&format!("/notes?business={}&{filters}", business(&server))).body;
    let notes = shown(&first);
    assert_eq!((notes.len(), notes[0], notes[24]), (25, "Note 36", "Note 12"), "{first}");
    let (before, _) = first.split_once("\">Older notes</a>").expect("a link to older notes");
    let older = unescaped(before.rsplit_once("href=\"").expect("its address").1);
    let kept = format!("/notes?business={}&{filters}&cursor=", business(&server));
    assert!(older.starts_with(&kept), "{older}");
    let second = owner.get(&older).body;
    assert_eq!(shown(&second), ["Note 11", "Note 10"]);
    assert!(
        second.contains("value=\"notes\"") && second.contains("value=\"2026-06-14\""),
        "{second}"
    );
    assert!(second.contains("selected>Me<") && second.contains(" checked>"), "{second}");
    assert!(!second.contains("Older notes"), "{second}");
}

#[both]
fn a_page_with_the_longest_notes_is_bounded_and_the_next_one_goes_on() {
    let server = start();
    for letter in ["a", "b", "c", "d", "e"] {
        let body = format!("{letter} {}", "long ".repeat(19_999));
        create(&server, "notes.create", json!({ "body": body }));
    }
    let mut owner = Browser::owner(&server);
    let (mut seen, mut path) = (Vec::new(), Some("/notes?q=long".to_owned()));
    while let Some(asked) = path {
        let page = owner.get(&asked).body;
        assert!(page.len() < 512 * 1024, "{}", page.len());
        seen.push(shown(&page).into_iter().map(|body| &body[..1]).collect::<String>());
        path = page
            .split_once("\">Older notes</a>")
            .map(|(before, _)| unescaped(before.rsplit_once("href=\"").expect("its address").1));
    }
    assert_eq!(seen, ["edc", "ba"], "every note once");
}

#[both]
fn a_mistake_is_said_in_the_tools_words_and_nothing_typed_is_lost() {
    let server = start();
    create(&server, "notes.create", json!({ "body": "The heater hums.", "pinned": true }));
    let mut owner = Browser::owner(&server);
    for (query, said) in [
        ("after=2026-02-30", "created_after must be a date that exists"),
        ("before=2026-13-01", "created_before must be a date that exists"),
        ("after=soon", "created_after must be a date such as"),
        ("author=x", "created_by "),
        ("q=%3F%3F", "q must"),
        ("cursor=x", "cursor "),
    ] {
        let has_q = query.starts_with("q=");
        let q = if has_q { "" } else { "&q=heater" };
        let reply = owner.get(&format!("/notes?{query}{q}&pinned=true"));
        assert_eq!(reply.status, 400, "{query}");
        let fault = between(&reply.body, "role=\"alert\">", "</p>");
        assert!(fault.contains(said), "{query}: {fault}");
        let q = if has_q { "??" } else { "heater" };
        let (name, typed) = query.split_once('=').expect("a field");
        let typed = match name {
            // A date box would be empty, because this is no date.
            "after" | "before" => format!("name=\"{name}\" type=\"text\" value=\"{typed}\""),
            "author" => format!("<option value=\"{typed}\" selected>Unknown"),
            _ => String::new(),
        };
        for kept in [&format!("type=\"search\" value=\"{q}\""), " checked>", &typed] {
            assert!(reply.body.contains(kept), "{query}: {kept}: {}", reply.body);
        }
        assert!(!reply.body.contains("hums") && !reply.body.contains("No note"), "{}", reply.body);
    }
    let both = owner.get("/notes?after=2026-02-30&before=2026-13-01").body;
    let fault = between(&both, "role=\"alert\">", "</p>");
    assert!(fault.contains("created_after") && fault.contains("created_before"), "{fault}");
}

#[both]
fn text_of_notes_and_of_the_address_is_shown_as_text() {
    let server = start();
    let script = "<script>alert('x')</script>";
    let customer = company(&server, script);
    let email = "hostile@acme.example";
    let user = json!({ "name": script, "email": email, "role": "tech" });
    server.env.call_as_operator(Some(server.business.account), "users.create", user);
    set_password(&server, email, PASSWORD);
    let fields = [("business", business(&server)), ("body", script.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let added = browser_of(&server, email).post(&format!("/customers/{customer}/notes"), &fields);
    assert_eq!(added.status, 303, "{added:?}");
    let mut owner = Browser::owner(&server);
    let hostile = "%22%3E%3Cscript%3Ealert(%27x%27)%3C%2Fscript%3E";
    let pages = [
        // The text, the author, the customer, and the author in the filter.
        ("/notes".to_owned(), 4),
        (format!("/notes?q={hostile}"), 3),
        (format!("/notes?after={hostile}&before={hostile}&author={hostile}"), 4),
    ];
    for (path, least) in pages {
        let page = owner.get(&path).body;
        let page = without_scripts(&page);
        assert!(!page.contains("<script"), "{path}: {page}");
        let escaped = page.matches("alert(&#39;x&#39;)").count();
        assert!(escaped >= least, "{path}: {escaped} {page}");
    }
}

#[both]
fn a_list_without_notes_says_what_to_do() {
    let server = start();
    let mut tech = browser_of(&server, TECH);
    let empty = tech.get("/notes").body;
    assert!(empty.contains("There are no notes yet."), "{empty}");
    let customers = format!("<a href=\"/customers?business={}\">customer</a>", business(&server));
    assert!(unescaped(&empty).contains(&customers), "{empty}");
    create(&server, "notes.create", json!({ "body": "The heater hums." }));
    let none = tech.get("/notes?q=zzzzqqqq").body;
    assert!(none.contains("No note matches <strong><bdi>zzzzqqqq</bdi></strong>."), "{none}");
    assert!(none.contains("Try fewer words") && !none.contains("fewer filters"), "{none}");
    let all = format!("<a class=\"btn\" href=\"/notes?business={}\">", business(&server));
    assert!(none.contains(&all) && none.contains("Show all notes"), "{none}");
    let none = tech.get("/notes?author=me").body;
    assert!(none.contains("No note matches.") && none.contains("fewer filters"), "{none}");
}

#[both]
fn notes_of_another_business_are_never_shown() {
    let server = start();
    create(&server, "notes.create", json!({ "body": "Our heater" }));
    let other = server.env.empty_business("Borealis");
    let theirs = json!({ "body": "Their heater", "pinned": true });
    server.env.create(&other.owner, "notes.create", theirs);
    let stranger = Business::user(&other.owner);
    let mut tech = browser_of(&server, TECH);
    for query in ["", "?q=heater"] {
        assert_eq!(shown(&tech.get(&format!("/notes{query}")).body), ["Our heater"]);
    }
    for query in [format!("?author={stranger}"), "?pinned=true".to_owned(), "?q=their".to_owned()] {
        let page = tech.get(&format!("/notes{query}")).body;
        assert!(page.contains("No note matches") && shown(&page).is_empty(), "{query}: {page}");
    }
    for strange in [other.account.id.to_string(), "x".to_owned()] {
        let reply = tech.get(&format!("/notes?business={strange}"));
        assert_eq!(reply.status, 404, "{strange}");
        assert!(reply.body.contains("<h1>Page not found</h1>"), "{}", reply.body);
    }
}

#[both]
fn everybody_with_a_business_gets_to_its_notes_and_nobody_else() {
    let server = start();
    create(&server, "notes.create", json!({ "body": "The heater hums." }));
    for email in [OWNER, OFFICE, TECH] {
        let mut browser = browser_of(&server, email);
        let page = browser.get("/notes").body;
        assert!(page.contains("<a href=\"/notes\" aria-current=\"page\">Notes</a>"), "{page}");
        assert_eq!(shown(&page), ["The heater hums."], "{email}");
    }
    let arguments = json!({ "name": "Second", "owner_name": "Olive", "owner_email": OWNER });
    let made = server.env.call_as_operator(None, "tenants.create", arguments);
    let second = made["tenant_id"].as_str().expect("an id").to_owned();
    let mut owner = Browser::owner(&server);
    let first = owner.get("/notes").body;
    assert!(first.contains(&format!("href=\"/notes?business={second}\"")), "{first}");
    let page = owner.get(&format!("/notes?business={second}")).body;
    assert!(page.contains("<bdi>Second</bdi>") && shown(&page).is_empty(), "{page}");
    assert!(page.contains(&format!("name=\"business\" value=\"{second}\"")), "{page}");

    let office = json!({ "id": Business::user(&server.business.office) });
    server.env.call_as_operator(Some(server.business.account), "users.remove", office);
    let mut nobody = browser_of(&server, OFFICE);
    assert_eq!(nobody.get("/notes").status, 403);
    assert!(!nobody.get("/account").body.contains("href=\"/notes\""));
}

#[both]
fn a_visitor_signs_in_first_and_then_sees_the_search_that_was_asked_for() {
    let server = start();
    create(&server, "notes.create", json!({ "body": "The heater hums." }));
    let path = "/notes?q=heaters&author=me";
    let mut browser = Browser::new(&server);
    let sign_in = location(&browser.get(path)).to_owned();
    let (_, next) = sign_in.split_once("/sign-in?next=").expect("the page comes next");
    let next: String = form_urlencoded::parse(next.as_bytes()).map(|(it, _)| it).collect();
    assert_eq!(next, path);
    let fields = [("email", OWNER), ("password", PASSWORD), ("next", path)];
    assert_eq!(location(&browser.post("/sign-in", &fields)), path);
    assert_eq!(shown(&browser.get(path).body), ["The heater hums."]);
}

#[both]
fn ones_own_notes_and_those_of_this_week_are_one_press_away() {
    let server = start();
    create(&server, "notes.create", json!({ "body": "Last week" }));
    // Saturday in London, and Monday soon after.
    let zone = json!({ "time_zone": "Europe/London" });
    server.env.call_as_operator(Some(server.business.account), "tenants.update", zone);
    server.env.clock.advance(30 * 3_600 * 1_000);
    create(&server, "notes.create", json!({ "body": "By the owner" }));
    let by_tech = json!({ "body": "By the crew" });
    server.env.create(&server.business.tech, "notes.create", by_tech);
    let mut tech = browser_of(&server, TECH);
    let page = tech.get("/notes?q=by").body;
    let links = unescaped(between(&page, "<p class=\"quick\">", "</p>"));
    let account = business(&server);
    for (label, address) in [
        ("Mine", format!("/notes?business={account}&q=by&author=me")),
        ("This week", format!("/notes?business={account}&q=by&after=2026-06-15")),
    ] {
        assert!(links.contains(&format!("href=\"{address}\">{label}</a>")), "{links}");
    }
    assert_eq!(shown(&tech.get("/notes?author=me").body), ["By the crew"]);
    let page = tech.get("/notes?after=2026-06-15").body;
    assert_eq!(shown(&page), ["By the crew", "By the owner"]);
    let all = format!("href=\"/notes?business={account}\" aria-current=\"true\">This week</a>");
    assert!(unescaped(&page).contains(&all), "pressed again, it shows all: {page}");
}
