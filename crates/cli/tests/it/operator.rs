//! The operator's commands, on a database without a server.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::Value;
use zoop_both::both;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::testing::connect;
use zoop_crm::values::clock::Environment;
use zoop_crm::values::id::Id;
use zoop_db::{Db, Migrate, Options};

use crate::env::{Answer, Folder, text};

/// How many rows a list has.
fn count(list: &Value) -> usize {
    list["rows"].as_array().expect("rows").len()
}

#[test]
fn read_commands_do_not_create_a_database() {
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
fn only_migrate_and_serve_change_an_old_schema() {
    let folder = Folder::new();
    // A database without any migration.
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
fn tenants_and_users_are_created_changed_and_removed() {
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
fn a_business_gets_a_time_zone_and_a_currency() {
    let folder = Folder::new();
    folder.json(&["migrate"]);
    let create = |name: &'static str, more: &[&'static str]| {
        let owner = ["--owner-name", "Ada", "--owner-email", "ada@example.com"];
        folder.zoop(&[&["tenant", "create", "--name", name][..], &owner, more].concat())
    };
    let made = create("Lawns", &["--time-zone", "America/Denver", "--currency", "CAD"]);
    assert!(made.stdout.contains("created the business Lawns"), "{}", made.stderr);
    assert!(!made.stdout.contains("UTC"), "{}", made.stdout);
    let made = create("Pipes", &[]);
    assert!(made.stdout.contains("zoop tenant update --tenant"), "{}", made.stdout);
    let refused = create("No", &["--time-zone", "Mars", "--currency", "dollars"]);
    let refused = refused.failure();
    assert!(refused.contains("time_zone must be an IANA time zone"), "{refused}");
    assert!(refused.contains("currency must be"), "{refused}");

    let update = ["tenant", "update", "--tenant", "pipes"];
    let zone = folder.json(&[&update[..], &["--time-zone", "europe/berlin"]].concat());
    assert_eq!(zone["time_zone"], "Europe/Berlin");
    assert!(zone["tenant_id"].is_string(), "{zone}");
    for wrong in [["--time-zone", "Mars"], ["--currency", "XAU"]] {
        let refused = folder.zoop(&[&update[..], &wrong].concat());
        assert_eq!(refused.code, 2, "{}", refused.stderr);
    }
    let changed = ["--name", "Rohre", "--country", "DE"];
    let changed = folder.zoop(&[&update[..], &changed].concat());
    let words = "the business Rohre has country DE, time zone Europe/Berlin and currency EUR";
    assert!(changed.stdout.contains(words), "{}", changed.stdout);
    let nothing = folder.zoop(&update);
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);

    let tenants = folder.json(&["tenant", "list"]);
    let shown = |row: usize, key: &str| tenants["rows"][row][key].clone();
    let expected = [("Lawns", "America/Denver", "CAD"), ("Rohre", "Europe/Berlin", "EUR")];
    for (row, (name, zone, currency)) in expected.into_iter().enumerate() {
        let found = ["name", "time_zone", "currency"].map(|key| shown(row, key));
        assert_eq!(found, [name, zone, currency].map(Value::from));
        assert!(shown(row, "storage_bytes").as_u64() > Some(0), "{tenants}");
    }
    assert!(folder.zoop(&["tenant", "list"]).stdout.contains("Europe/Berlin"));
}

#[both]
fn with_several_businesses_a_command_must_name_one() {
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
    assert!(answer.failure().contains("no business called first"), "{}", answer.stderr);
    let second = folder.json(&["user", "list", "--tenant", " SECOND "]);
    assert_eq!(second["rows"][0]["email"], "second@example.com", "a business is found by its name");
    let reset = ["user", "reset-second-factor"];
    let answer = folder.zoop(&[&reset[..], &["Second Owner"]].concat());
    assert!(answer.failure().contains("--tenant"), "{}", answer.stderr);
    for person in [&["Second Owner", "--tenant", "Second"][..], &["second@example.com"]] {
        let found = folder.json(&[&reset[..], person].concat());
        assert_eq!(found["user_id"], second["rows"][0]["id"], "{person:?}");
    }
    folder.json(&[
        "tenant",
        "create",
        "--name",
        "second",
        "--owner-name",
        "Third Owner",
        "--owner-email",
        "third@example.com",
    ]);
    let answer = folder.zoop(&["user", "list", "--tenant", "Second"]);
    let ids = folder.json(&["tenant", "list"]);
    for row in &ids["rows"].as_array().expect("rows")[1..] {
        assert!(answer.failure().contains(&text(row, "id")), "{}", answer.stderr);
    }
}

#[both]
fn users_and_keys_are_found_by_name() {
    let folder = Folder::new();
    let (_, owner, _) = folder.business();
    let add = |name: &str, email: &str| {
        let made =
            folder.json(&["user", "create", "--name", name, "--email", email, "--role", "tech"]);
        text(&made, "user_id")
    };
    let (sam, _) = (add("Sam Lee", "sam@example.com"), add("Sam Lee", "samuel@example.com"));
    let changed = folder.json(&["user", "set-role", "SAM@example.com", "office"]);
    assert_eq!(changed["user_id"], sam.as_str());
    let answer = folder.zoop(&["user", "set-role", "sam lee", "office"]);
    let output = answer.failure();
    assert!(output.contains("2 people are called sam lee") && output.contains(&sam), "{output}");
    assert!(output.contains("Sam Lee (samuel@example.com)"), "{output}");
    let answer = folder.zoop(&["user", "remove", "nobody@example.com"]);
    assert!(answer.failure().contains("no person called nobody@example.com"), "{}", answer.stderr);
    for command in ["set-password", "reset-second-factor"] {
        let answer = folder.zoop(&["user", command, "sam lee"]);
        let output = answer.failure();
        assert!(
            output.contains("2 people are called sam lee") && output.contains(&sam),
            "{output}"
        );
        let answer = folder.zoop(&["user", command, "Nobody"]);
        assert!(answer.failure().contains("no person called Nobody"), "{}", answer.stderr);
    }
    let set = ["user", "set-password", "DANA whitfield", "--json"];
    let set = folder.zoop_reading(&set, "correct horse battery\n").json();
    assert_eq!(set["user_id"], owner.as_str());
    let reset = folder.json(&["user", "reset-second-factor", "Dana Whitfield"]);
    assert_eq!(reset["user_id"], owner.as_str());

    let create = |name: &str, limit: &str| {
        let scope = ["--scope", "read:notes", "--limit", limit];
        let user = ["key", "create", "--user", "dana whitfield", "--name", name];
        folder.json(&[&user[..], &scope].concat())
    };
    let (unlimited, slow) = (create("sync", "0"), create("sync", "7"));
    let list = folder.json(&["key", "list"]);
    let row_of = |key: &Value| {
        let rows = list["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["id"] == key["key_id"]).expect("the key").clone()
    };
    assert_eq!((&row_of(&unlimited)["limit"], &row_of(&slow)["limit"]), (&0.into(), &7.into()));
    assert_eq!(row_of(&slow)["user_id"], owner.as_str());
    let answer = folder.zoop(&["key", "revoke", "sync"]);
    assert!(answer.failure().contains(&text(&slow, "key_id")), "{}", answer.stderr);
    folder.json(&["key", "revoke", &text(&row_of(&slow), "hint")]);
    let table = folder.zoop(&["key", "list"]).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].contains("sync") && lines[1].contains("Dana Whitfield"), "{table}");
    assert!(lines[1].contains("  none  "), "the limit is shown: {table}");
    assert!(
        lines.last().is_some_and(|line| line.contains("  7  ")),
        "revoked keys are last: {table}"
    );
    // Only one of two keys with this name is left.
    folder.json(&["key", "rotate", "sync", "--overlap", "1h"]);
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
    assert_eq!(whole.len(), secret.len(), "a new key is never cut: {whole}");
    for secret in [secret.as_str(), whole] {
        assert!(!table.contains(secret) && !list.to_string().contains(secret), "{table}");
    }

    let new = folder.json(&["key", "rotate", &id, "--overlap", "24h"]);
    assert_ne!(new["key_id"], id.as_str());
    assert_eq!(new["actor_kind"], "tenant");
    let revoked = folder.json(&["key", "revoke", &id]);
    assert_eq!(revoked, serde_json::json!({ "revoked": true, "id": id }));
    let answer = folder.zoop(&["key", "revoke", &id]);
    assert!(answer.failure().contains("already revoked"), "{}", answer.stderr);
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
    assert!(answer.failure().contains("already disconnected"), "{}", answer.stderr);
    assert_eq!(folder.json(&["client", "list"])["rows"][0]["grants"], 0);
}

#[both]
fn the_history_lists_all_pages_newest_first() {
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
    assert_eq!(count(&folder.json(&["history", "--limit", "0"])), 4);
    for record in [owner.as_str(), "dana@example.com", "Dana Whitfield"] {
        assert_eq!(count(&folder.json(&["history", "--record", record])), 1);
    }
    let answer = folder.zoop(&["history", "--record", "nothing"]);
    assert!(answer.failure().contains("no record called nothing"), "{}", answer.stderr);
    folder.json(&["user", "set-role", "tech@example.com", "office"]);
    let table = folder.zoop(&["history", "--limit", "1"]).stdout;
    assert!(table.contains("users.set_role  by the command line"), "{table}");
    assert!(table.contains("  user tech\n    role: tech → office\n"), "{table}");
    folder.json(&["user", "set-role", "tech@example.com", "tech"]);
    let table = folder.zoop(&["history", "--record", "tech@example.com"]).stdout;
    assert!(
        table.contains("users.create")
            && table.contains("+ user tech: name tech, email tech@example.com, role tech"),
        "{table}"
    );
}

#[test]
fn the_doctor_reports_what_is_wrong() {
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

#[test]
fn the_doctor_checks_the_configured_services() {
    let folder = Folder::new();
    folder.business();
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    folder.write(
        "zoop.toml",
        &format!(
            "[server]\npublic_url = 'http://crm.office.lan'\n\
             [mail]\nurl = 'smtp://{closed}'\nfrom = 'zoop@example.com'\n\
             [company]\nissuer = 'http://{closed}'\nclient_id = 'zoop'\nclient_secret = 's3cret'\n"
        ),
    );
    let output = folder.zoop(&["doctor"]);
    assert_eq!(output.code, 0, "zoop works without these services: {}", output.stdout);
    for line in [
        "! public URL: http://crm.office.lan is plain HTTP: no one can sign in there",
        "! mail server: the mail server cannot be reached",
        "! company's provider: ",
        "no one can sign in there: check company.issuer",
    ] {
        assert!(output.stdout.contains(line), "{line}: {}", output.stdout);
    }
    assert!(!output.stdout.contains("s3cret"));
    folder.write("zoop.toml", "[server]\npublic_url = 'http://localhost:8080'\n");
    let output = folder.zoop(&["doctor"]).stdout;
    assert!(output.contains("✓ public URL") && !output.contains("mail server"), "{output}");
}

#[test]
fn the_doctor_checks_the_store_of_files() {
    let folder = Folder::new();
    folder.business();
    let told = folder.zoop(&["doctor"]).stdout;
    assert!(told.contains("✓ files: files on notes are stored in zoop.db-files"), "{told}");
    assert!(!folder.path("zoop.db-files").exists(), "it was never used");
    std::fs::write(folder.path("zoop.db-files"), "no folder").expect("a file");
    let told = folder.zoop(&["doctor"]);
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stdout.contains("✗ files: files on notes cannot be stored"), "{}", told.stdout);
    folder.write("zoop.toml", "[files]\nurl = 'ftp://files'\n");
    let told = folder.zoop(&["doctor"]).stdout;
    assert!(told.contains("✗ files: files.url must be file:///folder or s3://"), "{told}");
}

#[both]
fn commands_use_the_address_of_the_running_server() {
    let folder = Folder::new();
    folder.business();
    let invite = |email: &str| {
        folder.zoop(&["user", "invite", "--name", "N", "--email", email, "--role", "tech"])
    };
    let output = invite("first@example.com");
    assert!(output.stdout.starts_with("http://127.0.0.1:8080/invitations/"), "{}", output.stdout);
    assert!(output.stderr.contains("no server is known to run"), "{}", output.stderr);

    let mut server = folder.serve(&[]);
    let output = invite("second@example.com");
    assert!(
        output.stdout.starts_with(&format!("{}/invitations/", server.url)),
        "{}",
        output.stdout
    );
    assert!(output.stderr.contains(&format!("runs at {}", server.url)), "{}", output.stderr);
    let output = folder.zoop(&["user", "password-link", "dana@example.com"]);
    assert!(output.stdout.starts_with(&format!("{}/password/", server.url)), "{}", output.stdout);
    assert!(output.stderr.contains(&format!("runs at {}", server.url)), "{}", output.stderr);
    let doctor = folder.zoop(&["doctor"]).stdout;
    assert!(doctor.contains(&format!("clients use {}/api/mcp", server.url)), "{doctor}");
    let clients = folder.zoop(&["demo", "--clients"]).stdout;
    assert!(clients.contains(&server.url) && clients.contains("YOUR_KEY"), "{clients}");

    let mut command = folder.command(&["user", "invite", "--role", "tech"]);
    command.args(["--name", "N", "--email", "third@example.com", "--json"]);
    command.env("ZOOP_SERVER_PUBLIC_URL", "https://crm.example.com");
    let own = Answer::from(command.output().expect("zoop runs")).json();
    assert!(
        text(&own, "link").starts_with("https://crm.example.com/"),
        "the configured address is used: {own}"
    );

    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    let output = invite("fourth@example.com");
    assert!(output.stderr.contains("no server is known to run"), "{}", output.stderr);
}

#[test]
fn irreversible_commands_ask_only_on_a_terminal() {
    let folder = Folder::new();
    folder.business();
    let add = |email: &str| {
        folder.json(&["user", "create", "--name", "Sam", "--email", email, "--role", "tech"]);
        folder.json(&["key", "create", "--scope", "read:notes", "--name", "reports"]);
        folder.json(&["backup", "copy.db", "--force"]);
    };
    let remaining = |email: &str| {
        let list = folder.zoop(&["user", "list"]).stdout;
        list.contains(email)
    };
    add("sam@example.com");
    let remove = ["user", "remove", "sam@example.com"];
    for (answer, is_left) in [("n", true), ("", true), ("y", false)] {
        let shown = on_terminal(&folder, &remove, answer);
        assert!(shown.contains("Remove Sam (sam@example.com)?"), "{shown}");
        assert_eq!(shown.contains("nothing was changed"), is_left, "{shown}");
        assert_eq!(remaining("sam@example.com"), is_left, "{shown}");
    }
    for (arguments, question) in [
        (&["key", "revoke", "reports"][..], "Revoke the key reports ("),
        (&["key", "rotate", "reports"], "Replace the key reports ("),
        (&["user", "reset-second-factor", "dana@example.com"], "second factor of Dana Whitfield"),
        (&["restore-backup", "copy.db", "--force"], "Replace zoop.db with copy.db?"),
    ] {
        let shown = on_terminal(&folder, arguments, "n");
        assert!(shown.contains(question) && shown.contains("nothing was changed"), "{shown}");
    }
    let shown = on_terminal(&folder, &["key", "revoke", "reports", "--yes"], "n");
    assert!(shown.contains("revoked reports") && !shown.contains("[y/N]"), "{shown}");
    add("bo@example.com");
    let piped = folder.zoop(&["user", "remove", "bo@example.com"]);
    assert_eq!(piped.code, 0, "a script is not asked: {}", piped.stderr);
}

#[test]
fn tables_and_the_history_fit_a_terminal_and_are_not_cut_elsewhere() {
    let folder = Folder::new();
    let (_, owner, _) = folder.business();
    for command in [&["key", "list"][..], &["user", "list"], &["history"], &["tenant", "list"]] {
        let shown = on_terminal(&folder, command, "");
        let wide = shown.lines().find(|line| line.trim_end().chars().count() > 80);
        assert_eq!(wide, None, "{command:?}: {shown}");
        assert!(shown.contains("Dana Whitfield") || shown.contains("Copper Creek"), "{shown}");
    }
    assert!(folder.zoop(&["user", "list"]).stdout.contains(&owner));
    assert!(folder.zoop(&["key", "list"]).stdout.lines().all(|line| line.len() > 80));
}

/// Runs a command in a terminal and types one line; returns the terminal's output.
fn on_terminal(folder: &Folder, arguments: &[&str], typed: &str) -> String {
    let zoop = folder.command(arguments);
    let words = std::iter::once(zoop.get_program()).chain(zoop.get_args());
    let line: Vec<_> = words.map(|word| word.to_str().expect("UTF-8")).collect();
    let mut terminal = Command::new("script");
    terminal.args([
        "--quiet",
        "--return",
        "--echo",
        "never",
        "--command",
        &line.join(" "),
        "/dev/null",
    ]);
    terminal.current_dir(folder.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = terminal.spawn().expect("script runs");
    let mut keyboard = child.stdin.take().expect("a pipe");
    writeln!(keyboard, "{typed}").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn completions_and_man_pages_cover_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.zoop(&["completions", shell]).stdout;
        assert!(script.contains("restore-backup") && script.contains("set-role"), "{shell}");
    }
    folder.json(&["man", "--dir", "pages/man1"]);
    let page = |name: &str| std::fs::read_to_string(folder.path(&format!("pages/man1/{name}.1")));
    for name in ["zoop", "zoop-serve", "zoop-key", "zoop-key-create", "zoop-restore-backup"] {
        assert!(
            page(name).is_ok_and(|text| text.starts_with(".ie") || text.contains(".TH")),
            "{name}"
        );
    }
}
