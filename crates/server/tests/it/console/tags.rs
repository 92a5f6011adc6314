//! The tags of a business.

use serde_json::{Value, json};
use zoop_both::both;

use super::{
    OFFICE, TECH, browser_of, business, call, company, create, start, unescaped, without_change,
};
use crate::people::{Browser, between, location};
use crate::server::Server;

/// A tag, and the ids of this many customers who have it.
fn tagged(server: &Server, name: &str, count: usize) -> (String, Vec<String>) {
    let tag = create(server, "tags.create", json!({ "name": name, "color": "#3B82F6" }));
    let customers: Vec<_> =
        (0..count).map(|number| company(server, &format!("{name} {number}"))).collect();
    for customer in &customers {
        call(server, "tags.attach", json!({ "id": tag, "customer_id": customer }));
    }
    (tag, customers)
}

fn rows(server: &Server) -> Vec<Value> {
    call(server, "tags.list", json!({}))["rows"].as_array().expect("rows").clone()
}

/// What the page says about the tags: names and counts.
fn shown(page: &str) -> Vec<(&str, &str)> {
    let rows = page.split("<svg class=\"dot\"").skip(1);
    let row = |row| {
        let count = between(row, "<small>", "<");
        let count = if count.is_empty() {
            between(row, "<small><a", "<span").rsplit('>').next()
        } else {
            Some(count)
        };
        (between(row, "<bdi>", "</bdi>"), count.expect("a count"))
    };
    rows.map(row).collect()
}

#[both]
fn every_tag_says_how_many_customers_have_it_and_opens_them() {
    let server = start();
    let (vip, customers) = tagged(&server, "VIP", 2);
    call(&server, "customers.archive", json!({ "id": customers[0] }));
    tagged(&server, "HOA", 1);
    tagged(&server, "Seasonal", 0);
    // A tag of another business with a customer is neither shown nor counted.
    let other = server.env.empty_business("Borealis");
    server.env.create(&other.owner, "tags.create", json!({ "name": "Theirs" }));
    let mut office = browser_of(&server, OFFICE);
    let page = office.get("/tags").body;
    let expected = [("HOA", "1 customer"), ("Seasonal", "No customers"), ("VIP", "2 customers")];
    assert_eq!(shown(&page), expected, "{page}");
    assert!(page.contains("fill=\"#3B82F6\""), "{page}");
    let link = format!("/customers?business={}&tag={vip}", business(&server));
    assert!(unescaped(&page).contains(&format!("<a href=\"{link}\">")), "{page}");
    let list = office.get(&link).body;
    assert!(list.contains("VIP 1</bdi>") && !list.contains("HOA 0</bdi>"), "{list}");

    // The crew sees the same, but changes nothing.
    let mut tech = browser_of(&server, TECH);
    let page = tech.get("/tags").body;
    assert_eq!(shown(&page), expected, "{page}");
    for absent in ["Add tag", "Edit", "Delete"] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
    for path in ["edit", "delete"] {
        let asked = format!("/tags/{path}?tag={vip}");
        assert_eq!(tech.get(&asked).status, 403, "{path}");
    }
    let account = business(&server);
    for path in ["/tags", "/tags/edit", "/tags/delete"] {
        let fields = [("business", &*account), ("tag", &*vip), ("name", "x"), ("color", "#000000")];
        assert_eq!(tech.post(path, &fields).status, 403, "{path}");
    }
    assert_eq!(rows(&server).len(), 3);
}

#[both]
fn a_tag_is_added_changed_and_deleted_after_a_question() {
    let server = start();
    let account = business(&server);
    let mut office = browser_of(&server, OFFICE);
    let empty = office.get("/tags").body;
    assert!(empty.contains("There are no tags yet."), "{empty}");
    let fields = [("business", &*account), ("name", "Winter"), ("color", "#3b82f6")];
    let added = office.post("/tags", &fields);
    assert_eq!(without_change(&added), format!("/tags?business={account}&done=added"));
    assert!(office.get(location(&added)).body.contains("The tag was added."));
    let tag = rows(&server)[0]["id"].as_str().expect("an id").to_owned();
    let customer = company(&server, "Bay Bakery");
    call(&server, "tags.attach", json!({ "id": tag, "customer_id": customer }));

    let form = office.get(&format!("/tags/edit?business={account}&tag={tag}")).body;
    assert!(form.contains("name=\"name\" value=\"Winter\""), "{form}");
    assert!(form.contains("type=\"color\" value=\"#3b82f6\""), "{form}");
    let was = [("was_name", "Winter"), ("was_color", "#3b82f6")];
    let fields =
        [("business", &*account), ("tag", &*tag), ("name", "Summer"), ("color", "#3b82f6")];
    let saved = office.post("/tags/edit", &[&fields[..], &was].concat());
    assert_eq!(without_change(&saved), format!("/tags?business={account}&done=saved"));
    let stored = || {
        let row = rows(&server).remove(0);
        (row["name"].clone(), row["color"].clone())
    };
    assert_eq!(stored(), (json!("Summer"), json!("#3b82f6")));
    // Somebody else still has the form from before: their color is saved, and the name stays.
    let was = [("was_name", "Winter"), ("was_color", "#3b82f6"), ("name", "Winter")];
    let fields = [("business", &*account), ("tag", &*tag), ("color", "#00ff00")];
    assert_eq!(
        without_change(&office.post("/tags/edit", &[&fields[..], &was].concat())),
        without_change(&saved)
    );
    assert_eq!(stored(), (json!("Summer"), json!("#00ff00")));
    let fields = [("business", &*account), ("tag", &*tag), ("color", "#3b82f6")];
    let same = office.post("/tags/edit", &[&fields[..], &was].concat());
    assert_eq!(location(&same), format!("/tags?business={account}&done=same"));

    let question = format!("/tags/delete?business={account}&tag={tag}");
    let asked = office.get(&question).body;
    assert!(asked.contains("<strong>1 customer</strong> loses this tag."), "{asked}");
    assert_eq!(rows(&server).len(), 1, "the question deletes nothing");
    let fields = [("business", &*account), ("tag", &*tag)];
    let deleted = office.post("/tags/delete", &fields);
    assert_eq!(without_change(&deleted), format!("/tags?business={account}&done=deleted"));
    assert_eq!(rows(&server), Vec::<Value>::new());
    assert_eq!(office.get(&question).status, 404);
    assert_eq!(office.post("/tags/delete", &fields).status, 404);
}

#[both]
fn a_mistake_is_said_beside_the_field_and_nothing_typed_is_lost() {
    let server = start();
    let (vip, _) = tagged(&server, "VIP", 2);
    let (hoa, _) = tagged(&server, "HOA", 0);
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let long = "x".repeat(65);
    for (name, color, field, said) in [
        (&*long, "#112233", "name-problem", "Name must be at most 64 characters."),
        ("", "#112233", "name-problem", "Name "),
        ("Fine", "red", "color-problem", "Color must be a color in the form #RRGGBB"),
        ("vip", "#112233", "", "A tag with this name already exists"),
    ] {
        for path in ["/tags", "/tags/edit"] {
            let was = [("was_name", "HOA"), ("was_color", "#3B82F6")];
            let fields = [("business", &*account), ("tag", &hoa), ("name", name), ("color", color)];
            let fields = [&fields[..], &was].concat();
            let reply = owner.post(path, &fields);
            assert_eq!(reply.status, 400, "{path} {name} {reply:?}");
            let beside =
                if field.is_empty() { "role=\"alert\">" } else { &format!("id=\"{field}\">") };
            let text = between(&reply.body, beside, "</p>");
            assert!(text.starts_with(said), "{path}: {text}");
            let described = reply.body.matches("aria-invalid=\"true\"").count();
            assert_eq!(described, usize::from(!field.is_empty()), "{path} {}", reply.body);
            assert!(
                reply.body.contains(&format!("name=\"name\" value=\"{name}\"")),
                "{}",
                reply.body
            );
            let typed = format!("type=\"color\" value=\"{color}\"");
            assert!(reply.body.contains(&typed), "{}", reply.body);
        }
    }
    let asked = owner.get(&format!("/tags/delete?tag={vip}")).body;
    assert!(asked.contains("<strong>2 customers</strong> lose this tag."), "{asked}");
    let asked = owner.get(&format!("/tags/delete?tag={hoa}")).body;
    assert!(asked.contains("No customer has this tag."), "{asked}");
    assert_eq!(rows(&server).len(), 2);
}

#[both]
fn a_tag_of_another_business_or_none_answers_the_same() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    let theirs = server.env.create(&other.owner, "tags.create", json!({ "name": "Theirs" }));
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    for path in ["/tags/edit", "/tags/delete"] {
        let unknown = owner.get(&format!("{path}?tag=01890000-0000-7000-8000-000000000000"));
        assert_eq!(unknown.status, 404);
        for tag in [&*theirs, "x", ""] {
            assert_eq!(owner.get(&format!("{path}?tag={tag}")).body, unknown.body, "{path} {tag}");
            let fields =
                [("business", &*account), ("tag", tag), ("name", "Mine"), ("color", "#000000")];
            let reply = owner.post(path, &fields);
            assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{path} {tag}");
        }
    }
    let listed = server.env.call(&other.owner, "tags.list", json!({})).expect("their tags");
    assert_eq!(listed["rows"][0]["name"], "Theirs");
}

#[both]
fn many_tags_are_listed_page_by_page() {
    let server = start();
    for number in 0..51 {
        create(&server, "tags.create", json!({ "name": format!("<b>{number:03}") }));
    }
    let mut tech = browser_of(&server, TECH);
    let first = tech.get("/tags").body;
    assert!(!first.contains("<b>"), "a name is text");
    assert!(first.len() < 60 * 1024, "{}", first.len());
    assert_eq!(shown(&first).len(), 50);
    let (before, _) = first.split_once("\">More tags</a>").expect("a next page");
    let more = unescaped(before.rsplit_once("href=\"").expect("its address").1);
    let second = tech.get(&more).body;
    assert_eq!(shown(&second), [("&#60;b&#62;050", "No customers")]);
    assert!(!second.contains("More tags"), "{second}");
}

#[both]
fn a_tag_that_somebody_else_changed_meanwhile_is_said_before_it_is_overwritten() {
    let server = start();
    let account = business(&server);
    let tag = create(&server, "tags.create", json!({ "name": "Winter", "color": "#3B82F6" }));
    call(&server, "tags.update", json!({ "id": tag, "name": "Su<b>", "color": "#FF0000" }));
    let mut office = browser_of(&server, OFFICE);
    let mut send = |name: &str, color: &str, was: [&str; 2]| {
        let fields = [("business", &*account), ("tag", &*tag), ("name", name), ("color", color)];
        let was = [("was_name", was[0]), ("was_color", was[1])];
        office.post("/tags/edit", &[&fields[..], &was].concat())
    };
    let stored = || (rows(&server)[0]["name"].clone(), rows(&server)[0]["color"].clone());
    let before = stored();

    let reply = send("Autumn", "#3b82f6", ["Winter", "#3B82F6"]);
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(stored(), before, "nothing was saved");
    for shown in [
        "role=\"alert\">Nothing was saved: what is marked below was changed elsewhere",
        "aria-describedby=\"name-news\"",
        "id=\"name-news\">This was changed elsewhere meanwhile to: <bdi class=\"text\">Su&#60;b&#62;</bdi>",
        "name=\"name\" value=\"Autumn\"",
        "name=\"was_name\" value=\"Su&#60;b&#62;\"",
        // The user did not change the color, which a browser writes in lower case.
        "type=\"color\" value=\"#FF0000\"",
        "name=\"was_color\" value=\"#FF0000\"",
    ] {
        assert!(reply.body.contains(shown), "{shown}: {}", reply.body);
    }
    assert!(!reply.body.contains("color-news"), "{}", reply.body);
    let reply = send("Su<b>", "#00ff00", ["Winter", "#3B82F6"]);
    assert_eq!(reply.status, 409, "{reply:?}");
    assert!(reply.body.contains("id=\"color-news\""), "{}", reply.body);
    assert!(!reply.body.contains("name-news"), "both typed the same name: {}", reply.body);

    // What was said is saved.
    let saved = send("Autumn", "#ff0000", ["Su<b>", "#FF0000"]);
    assert_eq!(without_change(&saved), format!("/tags?business={account}&done=saved"));
    assert_eq!(stored(), (json!("Autumn"), json!("#FF0000")));
    // Who may not change tags is shown no form either.
    let mut tech = browser_of(&server, TECH);
    let fields = [("business", &*account), ("tag", &*tag), ("name", "x"), ("was_name", "y")];
    assert_eq!(tech.post("/tags/edit", &fields).status, 403);
}
