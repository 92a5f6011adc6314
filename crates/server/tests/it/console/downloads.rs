//! What a browser saves: lists as tables for spreadsheets, and everything as one ZIP.

use std::io::{Cursor, Read};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Business;
use zoop_server::FileStore;

use super::{OFFICE, TECH, browser_of, business, call, company, create, start, start_with};
use crate::http::Reply;
use crate::people::Browser;
use crate::server::Server;

const TEXT: &str = "The code is 4711.";

/// The rows of a table, after checking how it is sent.
fn table(reply: &Reply, name: &str) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    let saved = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
    assert_eq!(reply.header("content-disposition"), Some(&*saved));
    let text = reply.body.strip_prefix('\u{feff}').expect("a mark");
    text.trim_end().split("\r\n").map(str::to_owned).collect()
}

#[both]
fn the_customers_that_a_page_shows_can_be_saved_as_a_table() {
    let server = start();
    // More than one page of the list.
    for number in 0..120 {
        company(&server, if number < 20 { "Pier" } else { "Harbor" });
    }
    let new = json!({ "customer_type": "company", "company_name": "=Bakery, \"Bay\"", "is_vip": true,
                      "phone": "(510) 555-0177", "email": "bay@example.com", "do_not_contact": true });
    create(&server, "customers.create", new);
    let mut tech = browser_of(&server, TECH);
    let business = business(&server);
    let all = tech.get(&format!("/customers/download?business={business}"));
    let rows = table(&all, "customers.csv");
    assert_eq!(rows.len(), 122);
    assert_eq!(
        rows[0],
        "Customer number,Name,Type,Status,Phone,Phone as typed,E-mail,Address,VIP,Do not contact,Customer id"
    );
    let bakery = "C-0121,\"'=Bakery, \"\"Bay\"\"\",company,active,+15105550177,(510) 555-0177,\
                  bay@example.com,,yes,yes,";
    assert!(rows[1].starts_with(bakery), "{}", rows[1]);

    let page = tech.get(&format!("/customers?business={business}&q=pier")).body;
    let link = page.split("href=\"").find(|link| link.starts_with("/customers/download"));
    let link = super::unescaped(link.expect("a link").split('"').next().expect("its address"));
    let rows = table(&tech.get(&link), "customers.csv");
    assert_eq!(rows.len(), 21, "{rows:?}");
    assert!(rows[1..].iter().all(|row| row.contains("Pier")), "{rows:?}");

    let refused = tech.get(&format!("/customers/download?business={business}&status=unknown"));
    assert_eq!(refused.status, 400, "{refused:?}");
    let signed_out = Browser::new(&server).get(&link);
    assert_eq!(signed_out.status, 303, "{signed_out:?}");
}

#[both]
fn the_notes_that_a_page_shows_can_be_saved_as_a_table() {
    let server = start();
    let customer = company(&server, "Bay Bakery");
    let note =
        |body: &str| json!({ "body": body, "subject_type": "customer", "subject_id": customer });
    create(&server, "notes.create", note("Gate sticks."));
    create(&server, "notes.create", note("-1+1\nTwo lines"));
    let draft = json!({ "body": "Secret draft", "draft": true });
    create(&server, "notes.create", draft);
    let mut tech = browser_of(&server, TECH);
    let business = business(&server);
    let all = tech.get(&format!("/notes/download?business={business}"));
    let rows = table(&all, "notes.csv");
    assert_eq!(
        rows[0],
        "Created,Author,Note,Pinned,About,Customer name,Files,Changed,Note id,Customer id"
    );
    let newest = "2026-06-13 18:00:00,Olive Owner,\"'-1+1\nTwo lines\",,customer,Bay Bakery,,2026-06-13 18:00:00,";
    assert!(rows[1].starts_with(newest), "{rows:?}");
    assert_eq!(rows.len(), 3, "{rows:?}");
    let found = tech.get(&format!("/notes/download?business={business}&q=gate"));
    let rows = table(&found, "notes.csv");
    assert!(rows.len() == 2 && rows[1].contains("Gate sticks."), "{rows:?}");
}

/// Asks for everything.
fn everything(browser: &mut Browser<'_>, server: &Server) -> Reply {
    browser.post("/settings/export", &[("business", &business(server))])
}

#[both]
fn an_owner_downloads_everything_as_one_zip() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = start_with(|settings| settings.files = Some(store));
    let customer = company(&server, "Bay Bakery");
    let body =
        json!({ "body": "Gate sticks.", "subject_type": "customer", "subject_id": customer });
    let note = create(&server, "notes.create", body);
    let mut owner = Browser::owner(&server);
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"business\"\r\n\r\n{}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"files\"; filename=\"code.txt\"\r\n\r\n{TEXT}\r\n--x--\r\n",
        business(&server)
    );
    let origin = owner.origin();
    let headers = [("Origin", &*origin), ("Content-Type", "multipart/form-data; boundary=x")];
    let added = owner.send("POST", &format!("/notes/{note}/files"), &headers, &form);
    assert_eq!(added.status, 303, "{added:?}");
    // Its content is not in the store.
    let lost =
        server.env.add_file(&server.business.owner, &note, "lost.txt", b"Lost.").expect("a row");
    let page = owner.get("/settings").body;
    assert!(page.contains("action=\"/settings/export\""), "{page}");

    let reply = everything(&mut owner, &server);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/zip")));
    let saved = reply.header("content-disposition").expect("a name");
    assert!(saved.starts_with("attachment; filename=\"Acme.zip\""), "{saved}");
    // The history says who has all of it now.
    let account = Some(server.business.account);
    let newest = server.env.call_as_operator(account, "changes.list", json!({ "limit": 1 }));
    let newest = &newest["rows"][0];
    let owner_id = Business::user(&server.business.owner);
    let expected = (&json!("account.export"), &json!(owner_id), &json!(false));
    assert_eq!((&newest["tool"], &newest["user_id"], &newest["can_revert"]), expected);
    let activity = owner.get("/activity").body;
    assert!(activity.contains("exported everything"), "{activity}");
    let mut zip = zip::ZipArchive::new(Cursor::new(reply.picture)).expect("a ZIP");
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).expect(name).read_to_string(&mut text).expect("UTF-8");
        text
    };
    let manifest: Value = serde_json::from_str(&read("manifest.json")).expect("JSON");
    let names: Vec<_> = manifest["files"].as_array().expect("files").iter().collect();
    let names: Vec<_> = names.iter().map(|file| file["name"].as_str().expect("a name")).collect();
    let id = call(&server, "notes.get", json!({ "id": note }))["attachments"][0]["id"].clone();
    let content = format!("files/{}/code.txt", id.as_str().expect("an id"));
    assert!(names.contains(&&*content), "{names:?}");
    assert!(!names.iter().any(|name| name.contains(&lost.id.to_string())), "{names:?}");
    assert_eq!(read(&content), TEXT);
    assert!(read("tables/customers.csv").contains("Bay Bakery"));
    assert!(read("README.txt").contains("Acme has stored"));
    for file in manifest["files"].as_array().expect("files") {
        let name = file["name"].as_str().expect("a name");
        let content = read(name);
        assert_eq!(file["bytes"], content.len(), "{name}");
    }
    // Another download finds room again.
    for _ in 0..5 {
        assert_eq!(everything(&mut owner, &server).status, 200);
    }
    for email in [OFFICE, TECH] {
        let refused = everything(&mut browser_of(&server, email), &server);
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    let foreign = [("Origin", "https://evil.example")];
    let form = format!("business={}", business(&server));
    assert_eq!(owner.send("POST", "/settings/export", &foreign, &form).status, 403);
}
