//! The commands that run the installation, on a database without a server.

use serde_json::Value;
use zoop_both::both;
use zoop_crm::access::{Scope, Scopes};
use zoop_crm::clock::Environment;
use zoop_crm::id::Id;
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::testing::connect;
use zoop_db::{Db, Migrate, Options};

use crate::world::{Folder, text};

/// How many rows a list has.
fn count(list: &Value) -> usize {
    list["rows"].as_array().expect("rows").len()
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_reading() {
    let folder = Folder::new();
    for command in [
        &["tenant", "list"][..],
        &["user", "list"],
        &["key", "list"],
        &["grant", "list"],
        &["client", "list"],
        &["history"],
        &["backup", "copy.db"],
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0", "--ops-listen", "none"],
    ] {
        let answer = folder.zoop(command);
        assert!(answer.failure().contains("zoop demo"), "{command:?}: {}", answer.stderr);
    }
    assert!(!folder.path("zoop.db").exists());
    assert_eq!(folder.json(&["migrate"])["migrated"], true);
    assert!(folder.path("zoop.db").exists());
    let answer = folder.zoop(&["user", "list"]);
    assert!(answer.failure().contains("zoop tenant create"), "{}", answer.stderr);
}

#[test]
fn an_old_schema_is_changed_only_by_migrate_and_serve() {
    let folder = Folder::new();
    // A database that has taken no step of the schema yet.
    folder.write("zoop.db", "");
    for command in [
        &["tenant", "list"][..],
        &["serve", "--no-migrate", "--listen", "127.0.0.1:0", "--ops-listen", "none"],
    ] {
        let answer = folder.zoop(command);
        assert!(answer.failure().contains("`zoop migrate`"), "{command:?}: {}", answer.stderr);
    }
    drop(folder.serve(&[]));
    assert_eq!(count(&folder.json(&["tenant", "list"])), 0);
    let old = ["--database", "sqlite://old.db"];
    folder.write("old.db", "");
    folder.json(&[&["migrate"], &old[..]].concat());
    assert_eq!(count(&folder.json(&[&["tenant", "list"], &old[..]].concat())), 0);
}

#[both]
fn tenants_and_users_come_and_go() {
    let folder = Folder::new();
    let (tenant, owner, _) = folder.business();
    let tenants = folder.json(&["tenant", "list"]);
    assert_eq!(tenants["rows"][0]["id"], tenant.as_str());
    assert_eq!(tenants["rows"][0]["country"], "US");

    let create =
        ["user", "create", "--tenant", &tenant, "--name", "Sam", "--email", "sam@example.com"];
    let made = folder.json(&[&create[..], &["--role", "tech"]].concat());
    let sam = text(&made, "user_id");
    assert_eq!(made.as_object().map(|fields| fields.len()), Some(1));
    assert_eq!(count(&folder.json(&["user", "list"])), 2, "the only tenant needs no --tenant");
    let changed = folder.json(&["user", "set-role", &sam, "office", "--tenant", &tenant]);
    assert_eq!(changed, serde_json::json!({ "user_id": sam, "role": "office" }));
    let removed = folder.json(&["user", "remove", &sam, "--tenant", &tenant]);
    assert_eq!(removed, serde_json::json!({ "removed": true, "id": sam }));

    for last in [&["user", "remove", &owner][..], &["user", "set-role", &owner, "tech"]] {
        let answer = folder.zoop(last);
        assert!(answer.failure().contains("last owner"), "{}", answer.stderr);
    }
    let answer = folder.zoop(&["user", "create", "--name", "X", "--email", "x", "--role", "tech"]);
    assert!(answer.failure().starts_with("email "), "{}", answer.stderr);
    assert!(folder.zoop(&["user", "list"]).stdout.contains("dana@example.com  owner"));
}

#[both]
fn with_several_businesses_one_has_to_be_named() {
    let folder = Folder::new();
    let (first, ..) = folder.business();
    folder.json(&[
        "tenant",
        "create",
        "--name",
        "Second",
        "--owner-name",
        "Second Owner",
        "--owner-email",
        "second@example.com",
        "--country",
        "CA",
    ]);
    let answer = folder.zoop(&["user", "list"]);
    assert!(answer.failure().contains("--tenant"), "{}", answer.stderr);
    assert_eq!(count(&folder.json(&["user", "list", "--tenant", &first])), 1);
    let unknown = "0198c0de-0000-7000-8000-000000000000";
    let answer = folder.zoop(&["user", "list", "--tenant", unknown]);
    assert!(answer.failure().contains("zoop tenant list"), "{}", answer.stderr);
    let answer = folder.zoop(&["user", "list", "--tenant", "first"]);
    assert!(answer.failure().contains("--tenant is no id"), "{}", answer.stderr);
}

#[both]
fn keys_are_shown_once() {
    let folder = Folder::new();
    folder.business();
    let create = [
        "key",
        "create",
        "--scope",
        "read:customers",
        "--scope",
        "read:notes",
        "--name",
        "reports",
        "--expires",
        "90d",
        "--limit",
        "30",
    ];
    let made = folder.json(&create);
    assert_eq!(made["actor_kind"], "tenant");
    let (id, secret) = (text(&made, "key_id"), text(&made, "key"));
    let list = folder.json(&["key", "list"]);
    let key = &list["rows"][1];
    assert_eq!((key["id"].as_str(), &key["limit"]), (Some(id.as_str()), &30.into()));
    assert_eq!(key["scopes"], serde_json::json!(["read:customers", "read:notes"]));
    assert!(key["expires_at"].is_string());

    let shown = folder.zoop(&create);
    assert_eq!(shown.code, 0);
    let table = folder.zoop(&["key", "list"]).stdout;
    assert!(table.contains("reports"), "{table}");
    let whole = shown.stdout.lines().next().expect("the key");
    assert_eq!(whole.len(), secret.len(), "never cut: {whole}");
    for secret in [secret.as_str(), whole] {
        assert!(!table.contains(secret) && !list.to_string().contains(secret), "{table}");
    }

    let new = folder.json(&["key", "rotate", &id, "--overlap", "24h"]);
    assert_ne!(new["key_id"], id.as_str());
    assert_eq!(new["actor_kind"], "tenant");
    let revoked = folder.json(&["key", "revoke", &id]);
    assert_eq!(revoked, serde_json::json!({ "revoked": true, "id": id }));
    let answer = folder.zoop(&["key", "revoke", &id]);
    assert!(answer.failure().contains("revoked already"), "{}", answer.stderr);
}

#[both]
fn connected_programs_are_listed_and_disconnected() {
    let folder = Folder::new();
    let (tenant, owner, _) = folder.business();
    assert_eq!(count(&folder.json(&["grant", "list"])), 0);
    assert_eq!(count(&folder.json(&["client", "list"])), 0);
    let file = format!("sqlite://{}", folder.path("zoop.db").display());
    let url = folder.server().map_or(file.as_str(), |server| server.url());
    let db = Db::open(url, &Options::default(), MIGRATIONS, Migrate::Refuse);
    let environment = Environment::from_system().expect("randomness");
    let (tenant, owner) = (Id::parse(&tenant).expect("an id"), Id::parse(&owner).expect("an id"));
    let scopes = Scopes::of(&[Scope::ReadNotes]);
    let (grant, tokens) = connect(&db.expect("it opens"), &environment, tenant, owner, scopes);

    let list = folder.json(&["grant", "list"]);
    assert_eq!(list["rows"][0]["id"], grant.to_string());
    assert_eq!(list["rows"][0]["scopes"], serde_json::json!(["read:notes"]));
    let table = folder.zoop(&["grant", "list"]).stdout;
    assert!(table.contains("Program") && table.contains("read:notes"), "{table}");
    let clients = folder.json(&["client", "list"]);
    assert_eq!((count(&clients), &clients["rows"][0]["grants"]), (1, &1.into()));
    assert!(folder.zoop(&["client", "list"]).stdout.contains("registered"));
    for secret in [tokens.access.expose(), tokens.refresh.expose()] {
        assert!(!list.to_string().contains(secret) && !table.contains(secret));
    }
    let id = grant.to_string();
    let revoked = folder.json(&["grant", "revoke", &id]);
    assert_eq!(revoked, serde_json::json!({ "revoked": true, "id": id }));
    assert_eq!(count(&folder.json(&["grant", "list"])), 0);
    let answer = folder.zoop(&["grant", "revoke", &id]);
    assert!(answer.failure().contains("disconnected already"), "{}", answer.stderr);
    assert_eq!(folder.json(&["client", "list"])["rows"][0]["grants"], 0);
}

#[both]
fn the_history_is_paged_through_and_newest_first() {
    let folder = Folder::new();
    let (tenant, owner, _) = folder.business();
    for role in ["office", "tech"] {
        let email = format!("{role}@example.com");
        folder.json(&["user", "create", "--name", role, "--email", &email, "--role", role]);
    }
    let all = folder.json(&["history", "--tenant", &tenant]);
    let tools: Vec<_> = all["rows"].as_array().unwrap().iter().map(|row| &row["tool"]).collect();
    assert_eq!(tools, ["users.create", "users.create", "keys.create", "tenants.create"]);
    assert_eq!(all["rows"][0]["actor_kind"], "operator");
    assert_eq!(all.as_object().map(|fields| fields.len()), Some(1));
    assert_eq!(count(&folder.json(&["history", "--limit", "2"])), 2);
    assert_eq!(count(&folder.json(&["history", "--record", &owner])), 1);
    let table = folder.zoop(&["history", "--limit", "1"]).stdout;
    assert!(table.contains("users.create") && table.contains("role: - → tech"), "{table}");
}

#[test]
fn doctor_tells_what_is_wrong() {
    let folder = Folder::new();
    let answer = folder.zoop(&["doctor"]);
    assert_eq!(answer.code, 1, "{}", answer.stdout);
    assert!(answer.stdout.contains("✗ database: there is no database"), "{}", answer.stdout);
    folder.business();
    let report = folder.json(&["doctor"]);
    assert_eq!(report["ok"], true, "{report}");
    assert!(report["checks"].as_array().is_some_and(|checks| checks.len() >= 6), "{report}");
    folder.write("broken.db", &"this is no database at all ".repeat(100));
    let answer = folder.zoop(&["doctor", "--database", "sqlite://broken.db", "--json"]);
    assert_eq!(answer.code, 1);
    let report: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!(report["ok"], false, "{report}");
    let answer = folder.zoop(&["tenant", "list", "--database", "mysql://x"]);
    assert!(answer.failure().contains("sqlite://"), "{}", answer.stderr);
}
