//! The tax rates of a business.

use serde_json::{Value, json};
use zoop_both::both;

use super::{OFFICE, TECH, browser_of, business, call, create, start, unescaped, without_change};
use crate::people::{Browser, between, location};
use crate::server::Server;

const PATH: &str = "/settings/tax-rates";

fn add(server: &Server, name: &str, percent: f64, is_default: bool) -> String {
    let rate = json!({ "name": name, "rate_percentage": percent, "is_default": is_default });
    create(server, "tax_rates.create", rate)
}

/// The rates that are not archived: name, percentage, and whether new documents have it.
fn stored(server: &Server) -> Vec<(String, Value, bool)> {
    let rows = call(server, "tax_rates.list", json!({}))["rows"].clone();
    let rate = |row: &Value| {
        let name = row["name"].as_str().expect("a name").to_owned();
        (name, row["rate_percentage"].clone(), row["is_default"] == true)
    };
    rows.as_array().expect("rows").iter().map(rate).collect()
}

/// What the page says about the rates: names and what follows them.
fn shown(page: &str) -> Vec<(String, String)> {
    let (_, list) = page.split_once("<ul class=\"card rate-list after\">").unwrap_or_default();
    let row = |row: &str| {
        let name = between(row, "<bdi>", "</bdi>").to_owned();
        let rest = between(row, "</strong>", "</span>").replace("<em class=\"mark\">", "");
        (name, rest.replace("</em>", "").trim().to_owned())
    };
    list.split("<li>").skip(1).map(row).collect()
}

/// Sends a form of the page, and returns the page that follows.
fn send(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let reply = browser.post(path, fields);
    assert_eq!(reply.status, 303, "{path} {reply:?}");
    browser.get(location(&reply)).body
}

/// Presses *Undo* in the message, and returns the page that follows.
fn undo(browser: &mut Browser<'_>, server: &Server, page: &str) -> String {
    let (_, form) = page.split_once("action=\"/changes/").expect("a button");
    let (entry, form) = form.split_once('"').expect("an entry");
    let next = unescaped(between(form, "name=\"next\" value=\"", "\""));
    let fields = [("business", &*business(server)), ("next", &next)];
    let page = send(browser, &format!("/changes/{entry}"), &fields);
    assert!(page.contains("The change was undone."), "{page}");
    page
}

#[both]
fn owners_and_the_office_are_led_to_the_rates_and_the_crew_only_reads_them() {
    let server = start();
    let account = business(&server);
    let county = add(&server, "County", 8.25, true);
    add(&server, "City", 9.0, false);
    let other = server.env.empty_business("Borealis");
    let theirs = json!({ "name": "Theirs", "rate_percentage": 1 });
    server.env.create(&other.owner, "tax_rates.create", theirs);
    let expected = [("City", "9 %"), ("County", "8.25 % Default")]
        .map(|(name, percent)| (name.to_owned(), percent.to_owned()));

    let mut owner = Browser::owner(&server);
    let settings = owner.get("/settings").body;
    let link = format!("{PATH}?business={account}");
    assert!(settings.contains(&format!("href=\"{link}\">Tax rates</a>")), "{settings}");
    let page = owner.get(&link).body;
    assert_eq!(shown(&page), expected, "{page}");
    let back = format!("<a href=\"/settings?business={account}\">Settings</a>");
    assert!(page.contains(&back), "{page}");
    assert!(page.contains("href=\"/settings\" aria-current=\"page\""), "{page}");

    let mut office = browser_of(&server, OFFICE);
    let home = office.get("/").body;
    assert!(home.contains(&format!("<a href=\"{PATH}\">Tax rates</a>")), "{home}");
    let page = office.get(PATH).body;
    assert_eq!(shown(&page), expected, "{page}");
    assert!(page.contains("Add tax rate") && !page.contains("class=\"back\""), "{page}");

    let mut tech = browser_of(&server, TECH);
    assert!(!tech.get("/").body.contains(PATH), "the crew is not led there");
    let page = tech.get(PATH).body;
    assert_eq!(shown(&page), expected, "{page}");
    for absent in ["Add tax rate", "Edit", "Make default", "No default", "Archive"] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
    for path in ["edit", "archive"] {
        assert_eq!(tech.get(&format!("{PATH}/{path}?rate={county}")).status, 403, "{path}");
    }
    for path in ["", "/edit", "/default", "/archive"] {
        let sent = [("business", &*account), ("rate", &county), ("name", "x")];
        let fields = [&sent[..], &[("rate_percentage", "1")]].concat();
        assert_eq!(tech.post(&format!("{PATH}{path}"), &fields).status, 403, "{path}");
    }
    assert_eq!(stored(&server).len(), 2);
}

#[both]
fn a_rate_is_added_changed_and_archived_and_each_is_undone_from_its_message() {
    let server = start();
    let account = business(&server);
    let mut office = browser_of(&server, OFFICE);
    let empty = office.get(PATH).body;
    assert!(empty.contains("There are no tax rates yet."), "{empty}");
    let fields = [("business", &*account), ("name", "County"), ("rate_percentage", "8.25")];
    let added = office.post(PATH, &[&fields[..], &[("is_default", "true")]].concat());
    assert_eq!(without_change(&added), format!("{PATH}?business={account}&done=added"));
    let page = office.get(location(&added)).body;
    assert!(page.contains("The tax rate was added."), "{page}");
    assert_eq!(stored(&server), [("County".to_owned(), json!(8.25), true)]);
    let page = undo(&mut office, &server, &page);
    assert_eq!(stored(&server), []);
    undo(&mut office, &server, &page);
    assert_eq!(stored(&server).len(), 1, "undoing it again brings the rate back");

    let rate = call(&server, "tax_rates.list", json!({}))["rows"][0]["id"].clone();
    let rate = rate.as_str().expect("an id");
    let form = office.get(&format!("{PATH}/edit?business={account}&rate={rate}")).body;
    assert!(form.contains("name=\"name\" value=\"County\""), "{form}");
    assert!(form.contains("name=\"rate_percentage\" value=\"8.25\""), "{form}");
    let was = [("was_name", "County"), ("was_rate_percentage", "8.25")];
    let change = |name: &'static str, percent: &'static str| {
        let fields = [("business", &*account), ("rate", rate), ("name", name)];
        [&fields[..], &[("rate_percentage", percent)], &was].concat()
    };
    let edit = format!("{PATH}/edit");
    let same = office.post(&edit, &change("County", " 8.250"));
    assert_eq!(location(&same), format!("{PATH}?business={account}&done=same"));
    let page = send(&mut office, &edit, &change("Parish", "9"));
    assert!(page.contains("The tax rate was saved."), "{page}");
    let (name, percent, _) = stored(&server).remove(0);
    assert_eq!((&*name, percent), ("Parish", json!(9)));
    undo(&mut office, &server, &page);
    let (name, percent, _) = stored(&server).remove(0);
    assert_eq!((&*name, percent), ("County", json!(8.25)));

    call(&server, "tax_rates.update", json!({ "id": rate, "is_default": true }));
    let question = format!("{PATH}/archive?business={account}&rate={rate}");
    let asked = office.get(&question).body;
    assert!(asked.contains("until another one is the default"), "{asked}");
    assert_eq!(stored(&server).len(), 1, "the question archives nothing");
    let fields = [("business", &*account), ("rate", rate)];
    let page = send(&mut office, &format!("{PATH}/archive"), &fields);
    assert!(page.contains("The tax rate was archived."), "{page}");
    assert_eq!(stored(&server), []);
    for path in ["edit", "archive"] {
        assert_eq!(office.get(&format!("{PATH}/{path}?rate={rate}")).status, 404, "{path}");
    }
    for path in ["edit", "default", "archive"] {
        let reply = office.post(&format!("{PATH}/{path}"), &fields);
        assert_eq!(reply.status, 404, "{path} {reply:?}");
    }
    let page = undo(&mut office, &server, &page);
    assert_eq!(shown(&page)[0].0, "County");
}

#[both]
fn new_documents_have_one_rate_or_none_and_the_change_is_undone() {
    let server = start();
    let account = business(&server);
    let county = add(&server, "County", 8.25, true);
    let city = add(&server, "City", 4.5, false);
    let mut office = browser_of(&server, OFFICE);
    let path = format!("{PATH}/default");
    let defaults = || {
        let rates = stored(&server).into_iter().filter(|rate| rate.2);
        rates.map(|rate| rate.0).collect::<Vec<_>>()
    };
    let fields = [("business", &*account), ("rate", &*city), ("is_default", "true")];
    let page = send(&mut office, &path, &fields);
    assert!(page.contains("New quotes and invoices now have this tax rate."), "{page}");
    assert_eq!(defaults(), ["City"]);
    assert_eq!(shown(&page)[0].1, "4.5 % Default", "{page}");
    undo(&mut office, &server, &page);
    assert_eq!(defaults(), ["County"]);
    let page = send(&mut office, &path, &[("business", &account), ("rate", &county)]);
    assert!(page.contains("New quotes and invoices now have no tax rate."), "{page}");
    assert_eq!(defaults(), Vec::<String>::new());
    undo(&mut office, &server, &page);
    assert_eq!(defaults(), ["County"]);
}

#[both]
fn a_mistake_is_said_beside_the_field_and_nothing_typed_is_lost() {
    let server = start();
    let account = business(&server);
    let county = add(&server, "County", 8.25, false);
    let mut owner = Browser::owner(&server);
    let long = "x".repeat(65);
    for (name, percent, field, said) in [
        (&*long, "9", "name-problem", "Name must be at most 64 characters."),
        ("", "9", "name-problem", "Name "),
        ("Fine", "", "rate_percentage-problem", "Percent "),
        ("Fine", "100", "rate_percentage-problem", "Percent must be from 0 to 99.9999."),
        ("Fine", "9%", "rate_percentage-problem", "Percent must be a number such as 8.25."),
        ("Fine", "1.23456", "rate_percentage-problem", "Percent must have at most 4 decimals."),
    ] {
        for path in [PATH, &format!("{PATH}/edit")] {
            let was = [("was_name", "County"), ("was_rate_percentage", "8.25")];
            let fields = [("business", &*account), ("rate", &county), ("name", name)];
            let typed = [("rate_percentage", percent), ("is_default", "true")];
            let reply = owner.post(path, &[&fields[..], &typed, &was].concat());
            assert_eq!(reply.status, 400, "{path} {name} {reply:?}");
            let page = &reply.body;
            let text = between(page, &format!("id=\"{field}\">"), "</p>");
            assert!(text.starts_with(said), "{path}: {text}");
            assert_eq!(page.matches("aria-invalid=\"true\"").count(), 1, "{path} {page}");
            assert!(page.contains(&format!("name=\"name\" value=\"{name}\"")), "{page}");
            let typed = format!("name=\"rate_percentage\" value=\"{percent}\"");
            assert!(page.contains(&typed), "{page}");
            assert_eq!(page.contains("value=\"true\" checked"), path == PATH, "{page}");
        }
    }
    assert_eq!(stored(&server), [("County".to_owned(), json!(8.25), false)]);
}

#[both]
fn a_rate_of_another_business_or_none_answers_the_same() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    let rate = json!({ "name": "Theirs", "rate_percentage": 7 });
    let theirs = server.env.create(&other.owner, "tax_rates.create", rate);
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let unknown = owner.get(&format!("{PATH}/edit?rate=01890000-0000-7000-8000-000000000000"));
    assert_eq!(unknown.status, 404);
    for rate in [&*theirs, "x", ""] {
        for path in ["edit", "archive"] {
            let reply = owner.get(&format!("{PATH}/{path}?rate={rate}"));
            assert_eq!(reply.body, unknown.body, "{path} {rate}");
        }
        for path in ["edit", "default", "archive"] {
            let fields = [("business", &*account), ("rate", rate), ("name", "Mine")];
            let reply = owner.post(&format!("{PATH}/{path}"), &fields);
            assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{path} {rate}");
        }
    }
    let listed = server.env.call(&other.owner, "tax_rates.list", json!({})).expect("theirs");
    assert_eq!(listed["rows"][0]["name"], "Theirs");
}

#[both]
fn many_rates_are_listed_page_by_page() {
    let server = start();
    for number in 0..41 {
        add(&server, &format!("<b>{number:059}"), 8.25, false);
    }
    let mut owner = Browser::owner(&server);
    let first = owner.get(PATH).body;
    assert!(!first.contains("<b>"), "a name is text");
    assert!(first.len() < 60 * 1024, "{}", first.len());
    assert_eq!(shown(&first).len(), 40);
    let (before, _) = first.split_once("\">More tax rates</a>").expect("a next page");
    let more = unescaped(before.rsplit_once("href=\"").expect("its address").1);
    let second = owner.get(&more).body;
    assert_eq!(shown(&second), [(format!("&#60;b&#62;{:059}", 0), "8.25 %".to_owned())]);
    assert!(!second.contains("More tax rates"), "{second}");
}

#[both]
fn a_rate_that_was_changed_meanwhile_is_said_before_it_is_overwritten() {
    let server = start();
    let account = business(&server);
    let rate = add(&server, "County", 8.25, false);
    call(&server, "tax_rates.update", json!({ "id": rate, "name": "Pa<b>", "rate_percentage": 9 }));
    let mut office = browser_of(&server, OFFICE);
    let mut send = |name: &str, percent: &str, was: [&str; 2]| {
        let fields = [("business", &*account), ("rate", &rate), ("name", name)];
        let was = [("was_name", was[0]), ("was_rate_percentage", was[1])];
        let percent = [("rate_percentage", percent)];
        office.post(&format!("{PATH}/edit"), &[&fields[..], &percent, &was].concat())
    };
    let before = stored(&server);
    let reply = send("State", "8.25", ["County", "8.25"]);
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(stored(&server), before, "nothing was saved");
    for shown in [
        "id=\"name-news\">This was changed elsewhere meanwhile to: <bdi class=\"text\">Pa&#60;b&#62;</bdi>",
        "name=\"name\" value=\"State\"",
        // The user did not change the percentage.
        "name=\"rate_percentage\" value=\"9\"",
        "name=\"was_rate_percentage\" value=\"9\"",
    ] {
        assert!(reply.body.contains(shown), "{shown}: {}", reply.body);
    }
    assert!(!reply.body.contains("rate_percentage-news"), "{}", reply.body);
    let reply = send("Pa<b>", "7", ["County", "8.25"]);
    assert!(reply.body.contains("id=\"rate_percentage-news\""), "{}", reply.body);
    // What was said is saved.
    let saved = send("State", "9.00", ["Pa<b>", "9"]);
    assert_eq!(without_change(&saved), format!("{PATH}?business={account}&done=saved"));
    assert_eq!(stored(&server), [("State".to_owned(), json!(9), false)]);
}

#[both]
fn the_history_says_in_words_what_was_done_to_a_rate() {
    let server = start();
    let county = add(&server, "County", 8.25, true);
    add(&server, "City", 4.5, true);
    let update = |fields: Value| call(&server, "tax_rates.update", fields);
    update(json!({ "id": county, "rate_percentage": 9 }));
    update(json!({ "id": county, "name": "Pa<b>rish" }));
    update(json!({ "id": county, "is_default": true }));
    call(&server, "tax_rates.archive", json!({ "id": county }));
    let page = browser_of(&server, OFFICE).get("/activity").body;
    let sentences = page.split("<p class=\"does\">").skip(1).map(|sentence| {
        let (sentence, _) = sentence.split_once("</p>").expect("a sentence");
        let mut text = sentence.to_owned();
        for tag in ["<strong>", "</strong>", "<bdi>", "</bdi>"] {
            text = text.replace(tag, "");
        }
        text.replace("&#60;", "<").replace("&#62;", ">")
    });
    let expected = [
        "Olive Owner archived the tax rate Pa<b>rish",
        "Olive Owner made the tax rate City no longer the default; made the tax rate Pa<b>rish the default",
        "Olive Owner changed name of the tax rate Pa<b>rish from County to Pa<b>rish",
        "Olive Owner changed percentage of the tax rate Pa<b>rish from 8.25 % to 9 %",
        "Olive Owner made the tax rate Pa<b>rish no longer the default; added the tax rate City",
        "Olive Owner added the tax rate Pa<b>rish",
    ];
    assert_eq!(sentences.take(expected.len()).collect::<Vec<_>>(), expected, "{page}");
    assert!(page.contains(">Added a tax rate</option>"), "{page}");
}
