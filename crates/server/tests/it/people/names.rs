//! The names of buttons and fields that people and their tools rely on.

use std::collections::BTreeSet;

use serde_json::json;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::Business;
use zoop_server::FileStore;

use super::buttons::buttons;
use super::pages::{Ids, PAGES};
use super::{Browser, location, start_with};

/// What the owner presses, each with whether one of these buttons has the name alone. The others stand beside one of
/// several records, and say after the name which one.
const NAMES: [(&str, bool); 13] = [
    ("New customer", true),
    ("Add note", true),
    ("Attach file", false),
    ("Pin", false),
    ("Unpin", false),
    ("Edit", true),
    ("Save", true),
    ("Archive", true),
    ("Restore", true),
    ("Undo", true),
    ("Create key", true),
    ("Revoke", true),
    ("Disconnect", true),
];

#[test]
fn what_is_pressed_is_a_button_with_the_name_that_people_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start_with(|settings| settings.files = Some(FileStore::folder(folder.path())));
    let owner = &server.business.owner;
    let ids = Ids::create(&server, owner, owner);
    let pinned = json!({ "body": "The gate sticks.", "pinned": true, "subject_type": "customer",
                         "subject_id": ids.customer });
    server.env.create(owner, "notes.create", pinned);
    let key = json!({ "name": "Website", "scopes": "read:customers" });
    let account = server.business.account;
    let key = server.env.call_as_operator(Some(account), "keys.create", key);
    let key = key["key_id"].as_str().expect("an id").to_owned();
    let (grant, _) =
        server.env.connect(account, Business::user(owner), Scopes::of(Scope::GRANTABLE));
    let mut browser = Browser::owner(&server);
    let business = account.id.to_string();
    let gone = ids.path("/customers/{customer}/archive");
    let query =
        format!("?business={business}&tag={}&rate={}&key={key}&program={grant}", ids.tag, ids.rate);
    let gets = PAGES.iter().filter(|(method, ..)| *method == "GET");
    let mut pages: Vec<_> = gets
        .map(|(_, path, _)| {
            server.env.clock.advance(4_000);
            browser.get(&(ids.path(path) + &query)).body
        })
        .collect();
    let archived = browser.post(&gone, &[("business", &business)]);
    pages.push(browser.get(location(&archived)).body);

    let found: BTreeSet<_> = pages.iter().flat_map(|it| buttons(it)).map(|it| it.name).collect();
    for (name, is_alone) in NAMES {
        let of_record = format!("{name} ");
        let has = |it: &String| if is_alone { it == name } else { it.starts_with(&of_record) };
        assert!(found.iter().any(has), "{name}: {found:?}");
        for page in &pages {
            let links = page.split("<a ").skip(1).filter_map(|link| link.split_once('>'));
            let mut texts = links.map(|(_, text)| text.split('<').next().unwrap_or_default());
            assert!(!texts.any(|it| it == name), "{name} is a link: {page}");
        }
    }
    for path in ["/", "/customers"] {
        let page = browser.get(path).body;
        assert!(page.contains("for=\"q\">Search customers</label>"), "{path}: {page}");
    }
}
