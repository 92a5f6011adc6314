//! `zoop export` and `zoop restore-account`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use zoop_both::both;

use crate::client::Client;
use crate::env::{Folder, Server, database, text};

const TEXT: &str = "The code is 4711.";

/// The files of a folder, without the manifest.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).expect("a folder") {
            let path = entry.expect("an entry").path();
            let mode = fs::metadata(&path).expect("its mode").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is for others too", path.display());
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("manifest.json") {
                let name = path.strip_prefix(folder).expect("a file of the folder");
                found.insert(name.display().to_string(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn manifest(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

/// A folder with a business that has a file on a note, and the business's id and key.
fn business() -> (Folder, String, String) {
    let folder = Folder::new();
    let store = format!("[files]\nurl = 'file://{}'\n", folder.path("store").display());
    folder.write("zoop.toml", &store);
    let (tenant, _, key) = folder.business();
    let mut server = folder.serve(&[]);
    let client = Client::new(&server.url, &key);
    client.ask("tags.create", &json!({ "name": "HOA" }));
    let customer = json!({ "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
                           "phone": "510 555 0123", "tags": ["HOA"] });
    client.ask("customers.create", &customer);
    let note = client.ask("notes.create", &json!({ "body": "Gate sticks." }));
    let target = format!("{}/api/notes/{}/files", server.url, text(&note, "id"));
    let post = ureq::post(&target).header("Authorization", format!("Bearer {key}"));
    let post = post.header("Content-Disposition", "attachment; filename=\"code.txt\"");
    post.send(TEXT).expect("an answer");
    // A running server goes on.
    let exported = folder.json(&["export", "--to", "exported"]);
    assert_eq!((&exported["exported"], &exported["tenant_id"]), (&json!(true), &json!(tenant)));
    assert_eq!((&exported["files"], &exported["missing"]), (&json!(1), &json!(0)));
    // The history says who has all of it now.
    let newest = folder.json(&["history", "--limit", "1"])["rows"][0].clone();
    let said = (&newest["tool"], &newest["actor_kind"], &newest["can_revert"]);
    assert_eq!(said, (&json!("account.export"), &json!("operator"), &json!(false)), "{newest}");
    server.terminate();
    assert!(server.wait().success());
    (folder, tenant, key)
}

#[both]
fn an_account_moves_to_another_database_with_its_files() {
    let (folder, tenant, key) = business();
    let exported = folder.path("exported");
    let first = files(&exported);
    assert!(
        first
            .iter()
            .any(|(name, content)| name.ends_with("/code.txt") && content == TEXT.as_bytes())
    );

    let server = database();
    let elsewhere = Folder::new();
    let target = if folder.server().is_some() { "sqlite://there.db" } else { server.url() };
    let store = format!("[files]\nurl = 'file://{}'\n", elsewhere.path("store").display());
    elsewhere.write("zoop.toml", &store);
    let run = |arguments: &[&str]| {
        let all = [arguments, &["--database", target]].concat();
        elsewhere.zoop(&all)
    };
    let from = exported.display().to_string();
    run(&["migrate", "--json"]).json();
    let back = run(&["restore-account", &from, "--json"]).json();
    assert_eq!(
        (&back["tenant_id"], &back["files"], &back["pending"]),
        (&json!(tenant), &json!(1), &json!(1))
    );
    let again = run(&["export", "--to", "again", "--json"]).json();
    assert_eq!((&again["rows"], &again["missing"]), (&back["rows"], &json!(0)));
    assert_eq!(files(&elsewhere.path("again")), first);
    let parts = |manifest: Value| (manifest["business"].clone(), manifest["files"].clone());
    assert_eq!(parts(manifest(&elsewhere.path("again"))), parts(manifest(&exported)));

    let refused = run(&["restore-account", &from]);
    assert!(refused.failure().contains("not empty, it has customers"), "{}", refused.stderr);
    // The owner comes in again only by the operator, and no key does.
    let people = run(&["user", "list", "--json"]).json();
    assert_eq!(people["rows"][0]["is_waiting"], true, "{people}");
    let email = text(&people["rows"][0], "email");
    let all = ["user", "set-password", &email, "--database", target];
    let set = elsewhere.zoop_reading(&all, "correct horse battery staple");
    assert_eq!(set.code, 0, "{}", set.stderr);
    let people = run(&["user", "list", "--json"]).json();
    assert_eq!(
        (&people["rows"][0]["is_waiting"], &people["rows"][0]["role"]),
        (&json!(false), &json!("owner"))
    );
    let server = elsewhere.serve(&["--database", target]);
    let post =
        ureq::post(format!("{}/api/mcp", server.url)).config().http_status_as_error(false).build();
    let reply =
        post.header("Authorization", format!("Bearer {key}")).send("{}").expect("an answer");
    assert_eq!(reply.status(), 401);
}

#[test]
fn an_export_that_is_not_whole_is_refused() {
    let (folder, _, _) = business();
    let refused = |arguments: &[&str], hint: &str| {
        let answer = folder.zoop(arguments);
        assert!(answer.failure().contains(hint), "{hint}: {}", answer.stderr);
    };
    refused(&["export", "--to", "exported"], "exported is not empty");
    refused(&["restore-account", "nowhere"], "there is no whole export in this folder");
    refused(&["restore-account", "exported"], "the account is not empty");
    refused(&["restore-account", "exported", "--tenant", "Unknown"], "no business called");
    let new = [
        "tenant",
        "create",
        "--name",
        "New",
        "--owner-name",
        "Nia",
        "--owner-email",
        "nia@example.com",
    ];
    folder.json(&new);
    let rows = folder.path("exported/data/customers.jsonl");
    let text = fs::read_to_string(&rows).expect("the rows");
    fs::write(&rows, text.replace("Hana", "Anna")).expect("written");
    refused(
        &["restore-account", "exported", "--tenant", "New"],
        "customers.jsonl is not the file that was exported",
    );
    fs::write(&rows, text).expect("written");
    let back = folder.json(&["restore-account", "exported", "--tenant", "New"]);
    assert_eq!((&back["restored"], &back["files"]), (&json!(true), &json!(1)));
    fs::remove_file(folder.path("exported/manifest.json")).expect("removed");
    refused(&["restore-account", "exported"], "there is no whole export in this folder");
}

#[test]
fn the_sample_business_comes_back_on_the_other_engine_and_again() {
    let folder = Folder::new();
    let demo = folder.command(&["demo", "--listen", "127.0.0.1:0", "--json"]);
    let mut server = Server::start(demo);
    server.line();
    server.terminate();
    assert!(server.wait().success());
    let there = database();
    let urls = ["sqlite://zoop.db", there.url(), "sqlite://back.db"];
    for (number, url) in urls.iter().enumerate() {
        if number > 0 {
            let from = format!("export-{}", number - 1);
            folder.json(&["migrate", "--database", url]);
            folder.json(&["restore-account", &from, "--database", url]);
        }
        folder.json(&["export", "--to", &format!("export-{number}"), "--database", url]);
    }
    let [first, second, third] =
        [0, 1, 2].map(|number| files(&folder.path(&format!("export-{number}"))));
    let rows = |name: &str| first[name].split(|byte| *byte == b'\n').count();
    assert!(rows("data/customers.jsonl") > 100 && rows("data/notes.jsonl") > 100);
    for (name, content) in &first {
        assert!(second[name] == *content && third[name] == *content, "{name}");
    }
    assert_eq!((second.len(), third.len()), (first.len(), first.len()));
}
