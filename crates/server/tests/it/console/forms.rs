//! The forms of a customer's page.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use zoop_both::both;
use zoop_crm::arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::run;
use zoop_crm::identity::authenticate::Operator;
use zoop_crm::identity::users::tools::CreateUser;
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::testing::Business;
use zoop_db::{Db, Migrate, Options};

use super::filled::Filled;
use super::{OFFICE, TECH, browser_of, business, call, company, create, start, start_with};
use crate::http::Reply;
use crate::people::buttons::{buttons, leads_to};
use crate::people::{Browser, between, history, location};
use crate::server::Server;

/// Sends a form of a customer's page.
fn send(browser: &mut Browser<'_>, customer: &str, form: &str, fields: &[(&str, &str)]) -> Reply {
    let business = business(browser.server);
    let mut all = vec![("business", business.as_str())];
    all.extend(fields);
    browser.post(&format!("/customers/{customer}/{form}"), &all)
}

/// The newest entry of the history: its tool, and the user who is its author.
fn newest(server: &Server) -> (String, String) {
    let entry = &history(server)[0];
    let text =
        |name: &str| entry[name].as_str().unwrap_or_else(|| panic!("{name}: {entry}")).to_owned();
    (text("tool"), text("user_id"))
}

/// The page that a form leads to.
fn follow(browser: &mut Browser<'_>, reply: &Reply) -> String {
    let page = browser.get(location(reply));
    assert_eq!(page.status, 200, "{page:?}");
    page.body
}

#[both]
fn every_member_adds_notes_and_pins_their_own() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    for (email, access) in [(TECH, &server.business.tech), (OFFICE, &server.business.office)] {
        let user = Business::user(access).to_string();
        let mut browser = browser_of(&server, email);
        let body = format!("Hose from {email}\r\nis <b>old</b>.");
        let added = send(&mut browser, &customer, "notes", &[("body", &body)]);
        assert_eq!(newest(&server), ("notes.create".to_owned(), user.clone()));
        let page = follow(&mut browser, &added);
        assert!(page.contains("The note was added."), "{page}");
        assert!(
            page.contains(&format!("Hose from {email}\nis &#60;b&#62;old&#60;/b&#62;.")),
            "{page}"
        );
        assert!(between(&page, "<textarea", "</textarea>").ends_with(">\n"), "the box is empty");

        let note = between(&page, "name=\"note\" value=\"", "\"").to_owned();
        for (pinned, done) in [("true", "is pinned"), ("false", "no longer pinned")] {
            let fields = [("note", note.as_str()), ("pinned", pinned)];
            let sent = send(&mut browser, &customer, "pin", &fields);
            assert_eq!(newest(&server), ("notes.update".to_owned(), user.clone()));
            let page = follow(&mut browser, &sent);
            assert!(page.contains(done), "{page}");
            let stored = call(&server, "notes.get", json!({ "id": note }));
            assert_eq!(stored["pinned"], pinned == "true");
            assert_eq!(page.contains(">Unpin<"), pinned == "true", "{page}");
        }
    }
    // The office user sees a button on its own note only, and the tool refuses the other note.
    let page = browser_of(&server, OFFICE).get(&format!("/customers/{customer}")).body;
    assert_eq!(page.matches("name=\"pinned\"").count(), 1, "{page}");
    let owners = Browser::owner(&server).get(&format!("/customers/{customer}")).body;
    assert_eq!(owners.matches("name=\"pinned\"").count(), 2, "{owners}");
    let notes = call(&server, "notes.list", json!({ "customer_id": customer }));
    let of_tech = notes["rows"][1]["id"].as_str().expect("an id");
    let mut office = browser_of(&server, OFFICE);
    let refused = send(&mut office, &customer, "pin", &[("note", of_tech), ("pinned", "true")]);
    assert_eq!(refused.status, 400);
    let fault = between(&refused.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("author or an owner"), "{fault}");
}

#[both]
fn the_office_tags_archives_and_restores() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let tag = create(&server, "tags.create", json!({ "name": "HOA" }));
    let user = Business::user(&server.business.office).to_string();
    let mut office = browser_of(&server, OFFICE);
    let record = format!("/customers/{customer}");
    let page = office.get(&record).body;
    assert!(page.contains(&format!("<option value=\"{tag}\">HOA</option>")), "{page}");

    let attached = send(&mut office, &customer, "tag", &[("tag", &tag)]);
    assert_eq!(newest(&server), ("tags.attach".to_owned(), user.clone()));
    let page = follow(&mut office, &attached);
    assert!(page.contains("The tag was attached."), "{page}");
    assert!(between(&page, "<li class=\"tag\">", "</li>").contains("<bdi>HOA</bdi>"), "{page}");
    assert!(!page.contains("<option"), "no other tag can be attached: {page}");
    let detached = send(&mut office, &customer, "untag", &[("tag", &tag)]);
    assert_eq!(newest(&server), ("tags.detach".to_owned(), user.clone()));
    let page = follow(&mut office, &detached);
    assert!(
        page.contains("The tag was detached.") && !page.contains("<li class=\"tag\">"),
        "{page}"
    );

    // A new tag is created and attached at once, and only once.
    let key = between(&page, "name=\"key\" value=\"", "\"").to_owned();
    let fields = [("key", key.as_str()), ("name", "Gate code")];
    for _ in 0..2 {
        let made = send(&mut office, &customer, "new-tag", &fields);
        let page = follow(&mut office, &made);
        assert!(page.contains("The tag was attached."), "{page}");
        assert!(between(&page, "<li class=\"tag\">", "</li>").contains("<bdi>Gate code</bdi>"));
    }
    let taken = send(&mut office, &customer, "new-tag", &[("name", "hoa")]);
    assert_eq!(taken.status, 400);
    let fault = between(&taken.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("A tag with this name already exists"), "{fault}");
    assert!(taken.body.contains("value=\"hoa\""), "what was typed stays: {}", taken.body);
    let names = call(&server, "tags.list", json!({}))["rows"].clone();
    assert_eq!(names.as_array().expect("tags").len(), 2, "{names}");

    let ask = format!("{record}/archive?business={}", business(&server));
    assert_eq!(leads_to(&page, "Archive"), Some(ask.clone()), "{page}");
    let question = office.get(&ask);
    assert_eq!(question.status, 200);
    assert!(question.body.contains("Archive <bdi>Bay Bakery</bdi>?"), "{}", question.body);
    assert!(question.body.contains(&format!("href=\"{record}?business=")), "{}", question.body);
    let stored = call(&server, "customers.get", json!({ "id": customer }));
    assert_eq!(stored["archived_at"], json!(null), "asking archives nothing");
    let archived = send(&mut office, &customer, "archive", &[]);
    assert_eq!(newest(&server), ("customers.archive".to_owned(), user.clone()));
    let page = follow(&mut office, &archived);
    assert!(page.contains("The customer was archived.") && page.contains(">Restore<"), "{page}");
    for absent in ["/archive\"", "/edit\"", "/new?", "/tag\"", "/new-tag\"", "/untag\""] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
    assert!(!office.get("/customers").body.contains("Bay Bakery"));
    // Somebody goes back to the question.
    let again = office.get(&ask).body;
    assert!(again.contains("<bdi>Bay Bakery</bdi> is archived already"), "{again}");
    let restore = buttons(&again).into_iter().find(|it| it.name == "Restore");
    assert_eq!(restore.map(|it| it.address), Some(format!("{record}/restore")), "{again}");
    let again = send(&mut office, &customer, "archive", &[]);
    assert_eq!(again.status, 404);
    let fault = between(&again.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("already archived"), "{fault}");
    let restored = send(&mut office, &customer, "restore", &[]);
    assert_eq!(newest(&server), ("customers.restore".to_owned(), user));
    let page = follow(&mut office, &restored);
    assert!(page.contains("The customer was restored.") && !page.contains(">Restore<"), "{page}");
    assert!(office.get("/customers").body.contains("Bay Bakery"));
}

#[both]
fn a_tech_is_shown_no_form_that_they_may_not_use_and_a_forged_one_is_refused() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let archived = company(&server, "Harbor Hotel");
    call(&server, "customers.archive", json!({ "id": archived }));
    let tags =
        ["HOA", "Net 30"].map(|name| create(&server, "tags.create", json!({ "name": name })));
    call(&server, "tags.attach", json!({ "id": tags[0], "customer_id": customer }));
    let mut tech = browser_of(&server, TECH);
    for id in [&customer, &archived] {
        let page = tech.get(&format!("/customers/{id}")).body;
        assert!(page.contains("Add note"), "{page}");
        for absent in
            ["/archive", "/restore", "/tag\"", "/new-tag\"", "/untag\"", "<select", "Archive<"]
        {
            assert!(!page.contains(absent), "{absent}: {page}");
        }
    }
    let before = history(&server).len();
    for (id, form, tag) in [
        (&customer, "archive", ""),
        (&archived, "restore", ""),
        (&customer, "tag", tags[1].as_str()),
        (&customer, "untag", tags[0].as_str()),
    ] {
        let refused = send(&mut tech, id, form, &[("tag", tag)]);
        assert_eq!(refused.status, 403, "{form}: {refused:?}");
        assert!(refused.body.contains("Your role in this business does not allow it"), "{form}");
    }
    assert_eq!(tech.get(&format!("/customers/{customer}/archive")).status, 403);
    assert_eq!(history(&server).len(), before, "nothing was changed");
}

#[both]
fn an_error_keeps_the_note_that_was_typed() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let mut tech = browser_of(&server, TECH);
    let typed = "Gate </textarea><b>sticks</b>\u{7} & squeaks";
    let shown =
        "Gate &#60;/textarea&#62;&#60;b&#62;sticks&#60;/b&#62;\u{7} &#38; squeaks</textarea>";
    let refused = send(&mut tech, &customer, "notes", &[("body", typed)]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains(shown), "{}", refused.body);
    let fault = between(&refused.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("body must not contain control characters"), "{fault}");
    for nothing in ["", " \r\n "] {
        let refused = send(&mut tech, &customer, "notes", &[("body", nothing)]);
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(between(&refused.body, "role=\"alert\">", "</p>").contains("Write something"));
    }
    // More notes than a minute allows: the error says how long to wait, and the text stays.
    let left = (0..61).find_map(|_| {
        let reply = send(&mut tech, &customer, "notes", &[("body", "The last one")]);
        (reply.status != 303).then_some(reply)
    });
    let refused = left.expect("a limit");
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("The last one</textarea>"), "{}", refused.body);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    let customer_path = format!("/customers/{customer}");
    assert!(!tech.get(&customer_path).body.contains("The last one</textarea>"));
}

#[both]
fn what_was_typed_is_kept_when_the_server_cannot_answer() {
    let server = start_with(|settings| settings.request_deadline = Duration::from_secs(2));
    let customer = company(&server, "Bay Bakery");
    let mut tech = browser_of(&server, TECH);
    let (mut office, mut owner) = (browser_of(&server, OFFICE), Browser::owner(&server));
    let new = Filled::open(&mut office, "/customers/new").with("first_name", "Hana <b>N</b>");
    // Another process writes for the same business, and does not commit before the deadline.
    let options = Options::default();
    let other =
        Db::open(server.env.url(), &options, MIGRATIONS, Migrate::Refuse).expect("it opens");
    let (environment, operator) =
        (server.env.environment.clone(), Operator::of(server.business.account.id));
    let (run_sender, run_receiver) = mpsc::channel();
    let (release_sender, release_receiver) = mpsc::channel();
    let first = other.write::<_, Error>(Instant::now() + Duration::from_secs(60), move |tx| {
        let user = arguments!(CreateUser { name: "Bo", email: "bo@example.com", role: "office" });
        run::command(tx, &environment, &operator, user)?;
        run_sender.send(()).map_err(Error::internal)?;
        release_receiver.recv().map_err(Error::internal)
    });
    run_receiver.recv().expect("the first write has run");
    let typed = "Gate <b>sticks</b>";
    let business = business(&server);
    let of_note =
        [("business", &*business), ("key", "k"), ("body", typed), ("customer", &customer)];
    let (kept, kept_note, kept_form) = thread::scope(|scope| {
        let note = scope.spawn(|| send(&mut tech, &customer, "notes", &[("body", typed)]));
        let written = scope.spawn(|| owner.post("/notes/new", &of_note));
        let form = new.send(&mut office);
        (note.join(), written.join(), form)
    });
    let (kept, kept_note) = (kept.expect("an answer"), kept_note.expect("an answer"));
    release_sender.send(()).expect("the first write continues");
    first.wait().expect("the first write is committed");
    assert_eq!(kept.status, 503, "{kept:?}");
    assert_eq!(kept.header("retry-after"), Some("5"));
    assert!(kept.body.contains("Gate &#60;b&#62;sticks&#60;/b&#62;</textarea>"), "{}", kept.body);
    assert!(kept.body.contains(&format!("action=\"/customers/{customer}/notes")), "{}", kept.body);
    assert_eq!(kept_note.status, 503, "{kept_note:?}");
    assert!(kept_note.body.contains("sticks&#60;/b&#62;</textarea>"), "{}", kept_note.body);
    assert_eq!(between(&kept_note.body, "name=\"key\" value=\"", "\""), "k");
    assert!(kept_note.body.contains(&format!("value=\"{customer}\" checked")));
    assert_eq!(kept_form.status, 503, "{kept_form:?}");
    assert_eq!(kept_form.header("retry-after"), Some("5"));
    let again = Filled::of(&kept_form.body);
    assert_eq!(again.get("first_name"), "Hana &#60;b&#62;N&#60;/b&#62;");
    assert_eq!(again.get("key"), new.get("key"), "sent again, it is still one customer");
}

#[both]
fn a_note_as_long_as_the_box_allows_is_accepted_however_it_is_encoded() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let mut tech = browser_of(&server, TECH);
    let page = tech.get(&format!("/customers/{customer}")).body;
    let max: usize = between(&page, "maxlength=\"", "\"").parse().expect("a number");
    // Nine bytes of the form for each unit of the box's length, which is the worst case.
    let added = send(&mut tech, &customer, "notes", &[("body", &"\u{6c34}".repeat(max))]);
    assert_eq!(added.status, 303, "{added:?}");
    let notes = call(&server, "notes.list", json!({ "customer_id": customer }));
    let body = notes["rows"][0]["body"].as_str().expect("a body");
    assert_eq!(body.chars().count(), max);
}

#[both]
fn a_tag_that_was_deleted_meanwhile_is_named_on_the_page() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let tag = create(&server, "tags.create", json!({ "name": "HOA" }));
    call(&server, "tags.delete", json!({ "id": tag }));
    let mut office = browser_of(&server, OFFICE);
    let refused = send(&mut office, &customer, "tag", &[("tag", &tag)]);
    assert_eq!(refused.status, 404);
    assert!(refused.body.contains("There is no such tag any more."), "{}", refused.body);
    assert!(refused.body.contains("<h1><bdi>Bay Bakery</bdi></h1>"), "{}", refused.body);
}

#[both]
fn the_navigation_stays_with_the_customer_and_a_form_begins_in_its_first_field() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let body =
        json!({ "body": "Gate sticks.", "subject_type": "customer", "subject_id": customer });
    let note = create(&server, "notes.create", body);
    let mut owner = Browser::owner(&server);
    let account = business(&server);
    let here = |page: &str| between(page, "aria-current=\"page\">", "</a>").to_owned();
    for word in ["edit", "archive"] {
        let path = format!("/notes/{note}/{word}?business={account}");
        assert_eq!(here(&owner.get(&path).body), "Notes");
        let of_customer = format!("{path}&customer={customer}");
        assert_eq!(here(&owner.get(&of_customer).body), "Customers");
    }
    let form = owner.get("/customers/new").body;
    let first = between(&form, "name=\"first_name\"", ">");
    assert!(first.contains(" autofocus"), "{first}");
    assert_eq!(form.matches(" autofocus").count(), 1);
}
