//! Erasing a customer, as an owner's browser without scripts does it.

use serde_json::json;
use zoop_both::both;
use zoop_server::FileStore;

use super::{OFFICE, TECH, browser_of, business, call, create, start, start_with, unescaped};
use crate::people::{Browser, between, location};
use crate::server::Server;

/// A customer with a note, and its number.
fn customer(server: &Server) -> (String, String, String) {
    let fields = json!({
        "customer_type": "individual", "first_name": "Quibnark", "last_name": "Doe",
        "email": "quibnark@example.com",
    });
    let id = create(server, "customers.create", fields);
    let note = json!({ "body": "Quibnark called.", "subject_type": "customer", "subject_id": id });
    let note = create(server, "notes.create", note);
    let number = call(server, "customers.get", json!({ "id": id }))["customer_number"].clone();
    (id, number.as_str().expect("a number").to_owned(), note)
}

#[both]
fn an_owner_erases_a_customer_and_keeps_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = start_with(|settings| settings.files = Some(store));
    let (id, number, note) = customer(&server);
    let owner = &server.business.owner;
    server.env.add_file(owner, &note, "code.txt", b"Quibnark's code is 4711.").expect("a file");
    let account = business(&server);
    let path = format!("/customers/{id}/erase");
    let address = format!("{path}?business={account}");
    let mut browser = Browser::owner(&server);
    let record = unescaped(&browser.get(&format!("/customers/{id}?business={account}")).body);
    assert!(record.contains(&address), "{record}");
    let page = browser.get(&address);
    assert_eq!(page.status, 200);
    for text in [
        "<h1>Erase <bdi>Quibnark Doe</bdi> for good</h1>",
        "<dt>Notes</dt><dd>1</dd>",
        "<dt>Files</dt><dd>1</dd>",
        "Backups, copies and exports made before",
        &format!("Type {number} to confirm"),
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }

    let send = |browser: &mut Browser<'_>, typed: &str| {
        browser.post(&path, &[("business", &account), ("number", typed)])
    };
    for typed in ["", "C-9999", "Quibnark Doe"] {
        let refused = send(&mut browser, typed);
        assert_eq!(refused.status, 400, "{typed}");
        assert!(refused.body.contains("This is not its number."), "{}", refused.body);
    }
    call(&server, "customers.get", json!({ "id": id }));
    let typed = number.to_lowercase();
    let erased = send(&mut browser, &format!(" {typed} "));
    assert_eq!((erased.status, location(&erased)), (303, &*address), "{erased:?}");
    let page = browser.get(location(&erased)).body;
    for text in [
        &*format!("<h1>{number} was erased</h1>"),
        "<dt>Notes</dt><dd>1</dd>",
        "<dt>Files</dt><dd>1</dd>",
        "<dt>Contents of files</dt><dd>1</dd>",
        "until they are written again: that begins on",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Quibnark") && !page.contains(">Undo"), "{page}");
    // A form that is sent again only shows the certificate.
    assert_eq!(send(&mut browser, &number).status, 200);

    let file = browser.get(&format!("{path}/certificate?business={account}"));
    assert_eq!(file.header("content-type"), Some("text/plain; charset=utf-8"));
    let disposition = file.header("content-disposition").unwrap_or_default();
    assert!(disposition.contains(&format!("Erasure of {number}.txt")), "{disposition}");
    assert!(file.body.contains("Notes: 1\n") && file.body.contains("This stays:"), "{}", file.body);
    let list = unescaped(&browser.get(&format!("/settings/erased?business={account}")).body);
    assert!(list.contains(&format!("<a href=\"{address}\">{number}</a>")), "{list}");

    let gone = browser.get(&format!("/customers/{id}?business={account}"));
    assert_eq!((gone.status, location(&gone)), (303, &*address), "{gone:?}");
    let gone = browser_of(&server, OFFICE).get(&format!("/customers/{id}?business={account}"));
    assert_eq!(gone.status, 404, "{gone:?}");
    let activity = browser.get(&format!("/activity?business={account}")).body;
    let entries = activity.split("<ol").nth(1).expect("a list");
    let entry =
        entries.split("<li>").find(|entry| entry.contains("erased a customer")).expect("an entry");
    assert!(!activity.contains("Quibnark") && !entry.contains(">Undo"), "{entry}");
}

#[both]
fn only_owners_erase_and_see_what_was_erased() {
    let server = start();
    let (id, number, _) = customer(&server);
    let account = business(&server);
    for email in [OFFICE, TECH] {
        let mut browser = browser_of(&server, email);
        let record = browser.get(&format!("/customers/{id}?business={account}")).body;
        assert!(!record.contains("/erase"), "{email}: {record}");
        for path in [format!("/customers/{id}/erase"), "/settings/erased".to_owned()] {
            let page = browser.get(&format!("{path}?business={account}"));
            assert_eq!(page.status, 403, "{email} {path}");
        }
        let form = [("business", &*account), ("number", &*number)];
        let refused = browser.post(&format!("/customers/{id}/erase"), &form);
        assert_eq!(refused.status, 403, "{email}");
    }
    call(&server, "customers.get", json!({ "id": id }));
}

#[both]
fn an_archived_customer_is_erased_and_a_merged_one_leads_to_the_kept_one() {
    let server = start();
    let account = business(&server);
    let (archived, number, _) = customer(&server);
    let (kept, ..) = customer(&server);
    let (merged, ..) = customer(&server);
    call(&server, "customers.merge", json!({ "keep_id": kept, "merge_id": merged }));
    call(&server, "customers.archive", json!({ "id": archived }));
    let mut owner = Browser::owner(&server);
    let reply = owner.get(&format!("/customers/{merged}/erase?business={account}"));
    assert!(location(&reply).starts_with(&format!("/customers/{kept}?")), "{reply:?}");
    let record = owner.get(&format!("/customers/{archived}?business={account}")).body;
    assert!(record.contains("Erase for good"), "{record}");
    let form = [("business", &*account), ("number", &*number)];
    let erased = owner.post(&format!("/customers/{archived}/erase"), &form);
    assert_eq!(erased.status, 303, "{erased:?}");
}

#[both]
fn nothing_is_erased_if_the_content_of_files_could_not_be_deleted() {
    let server = start();
    let (id, number, note) = customer(&server);
    server.env.add_file(&server.business.owner, &note, "code.txt", b"4711").expect("a file");
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let form = [("business", &*account), ("number", &*number)];
    let refused = owner.post(&format!("/customers/{id}/erase"), &form);
    assert_eq!(refused.status, 409, "{refused:?}");
    let fault = between(&refused.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("Nothing was erased."), "{fault}");
    call(&server, "notes.get", json!({ "id": note }));
}
