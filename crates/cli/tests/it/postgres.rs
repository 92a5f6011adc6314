//! The command line on PostgreSQL: errors for an unusable server, the doctor's checks, and printed backup commands.

use std::process::Command;

use serde_json::Value;
use zoop_db::Dialect;
use zoop_postgres_cluster::{APPLICATION, Cluster, own_database};

use crate::env::{Answer, Folder, database, wait_until};

/// A folder whose database is on PostgreSQL.
fn folder() -> Folder {
    let mut folder = None;
    zoop_crm::testing::on(Dialect::Postgres, || folder = Some(Folder::new()));
    folder.expect("a folder")
}

/// Fails unless every command that opens this database fails with these `hints` and shows no password.
#[track_caller]
fn assert_refused(url: &str, hints: &[&str]) {
    let folder = Folder::new();
    for command in [
        &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "none"][..],
        &["migrate"],
        &["tenant", "list"],
    ] {
        let answer = folder.zoop(&[command, &["--database", url]].concat());
        let message = answer.failure();
        for hint in hints {
            assert!(message.contains(hint), "{command:?}: {hint} in {message}");
        }
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
    }
}

/// The folder of the server's socket, for a URL.
fn host(cluster: &Cluster) -> String {
    cluster.socket().parent().expect("a folder").display().to_string()
}

/// Runs a script as the superuser.
fn as_superuser(url: &str, script: &str) -> String {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", script, url])
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn a_rejected_connection_says_what_to_do() {
    let cluster = Cluster::start().expect("a cluster");
    let (host, superuser) = (host(&cluster), cluster.url());
    let url = |rest: &str| format!("postgres:///{rest}host={host}&user=zoop&password=s3cret");
    assert_refused(
        "postgres://zoop:s3cret@127.0.0.1:1/zoop",
        &["at 127.0.0.1:1/zoop", "server is running"],
    );
    assert_refused(&url("postgres?port=1&"), &["server is running", "/postgres"]);
    assert_refused(
        &url("postgres?"),
        &["role \"zoop\" does not exist", "check the user and the password"],
    );

    as_superuser(&superuser, "CREATE ROLE zoop LOGIN PASSWORD 'right'");
    assert_refused(&url("nowhere?"), &["\"nowhere\" does not exist", "CREATE DATABASE"]);
    let answer = Folder::new().zoop(&["migrate", "--database", &url("postgres?")]);
    let message = answer.failure();
    let forbidden = ["permission denied for schema public", "must own the database"];
    assert!(forbidden.iter().all(|hint| message.contains(hint)), "{message}");

    let file = as_superuser(&superuser, "SHOW hba_file");
    let rules = "local all postgres trust\nlocal all all scram-sha-256\n";
    std::fs::write(file, rules).expect("the server's rules");
    as_superuser(&superuser, "SELECT pg_reload_conf()");
    let probe = url("postgres?");
    wait_until("the server asks for the password", || {
        let asked = Command::new("psql").args(["--command", "SELECT 1", &probe]).output();
        !asked.expect("psql runs").status.success()
    });
    let hints =
        ["password authentication failed", "check the user and the password", "pg_hba.conf"];
    assert_refused(&probe, &hints);
    let none = format!("postgres:///postgres?host={host}&user=zoop");
    assert_refused(&none, &["that the URL contains a password"]);

    as_superuser(&superuser, "ALTER ROLE zoop CONNECTION LIMIT 0");
    let right = probe.replace("s3cret", "right");
    assert_refused(&right, &["too many connections", "max_connections", "storage.readers"]);
}

#[test]
fn a_database_that_is_not_zoops_or_of_another_version_is_refused() {
    let (theirs, newer, odd) = (database(), database(), database());
    theirs.run("CREATE TABLE theirs (n integer)").expect("a table");
    assert_refused(theirs.url(), &["another program's tables", "choose another database"]);
    let folder = Folder::new();
    let old = folder.zoop(&["tenant", "list", "--database", newer.url()]);
    assert!(old.failure().contains("`zoop migrate`"), "{}", old.stderr);
    let strict = ["serve", "--no-migrate", "--listen", "127.0.0.1:0", "--ops-listen", "none"];
    let strict = [&strict[..], &["--database", newer.url()]].concat();
    assert!(folder.zoop(&strict).failure().contains("`zoop migrate`"));
    folder.json(&["migrate", "--database", newer.url()]);
    newer.run("INSERT INTO schema_steps VALUES (99, '0100_later', '')").expect("a later step");
    assert_refused(newer.url(), &["newer zoop"]);
    let name = "SELECT current_database()";
    let name = odd.run(name).expect("a name").trim().to_owned();
    let remade =
        format!("CREATE DATABASE {name}_latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    as_superuser(odd.superuser_url(), &remade);
    let latin = odd.url().replace(&name, &format!("{name}_latin"));
    assert_refused(&latin, &["LATIN1", "ENCODING 'UTF8'"]);
    as_superuser(odd.superuser_url(), &format!("DROP DATABASE {name}_latin"));
}

/// One of the doctor's checks: whether it is ok, whether it is a warning, and its detail.
fn check(report: &Value, name: &str) -> (bool, bool, String) {
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("{name} in {report}"));
    let detail = check["detail"].as_str().expect("a detail").to_owned();
    (check["ok"] == true, check["warning"] == true, detail)
}

#[test]
fn the_doctor_checks_the_server() {
    let folder = folder();
    folder.json(&["migrate"]);
    let report = folder.json(&["doctor"]);
    assert_eq!(report["ok"], true, "{report}");
    for name in ["server", "role", "server's clock", "connections", "structure", "reading"] {
        let (ok, warning, detail) = check(&report, name);
        assert!(ok && !warning, "{name}: {detail}");
    }
    let (_, _, detail) = check(&report, "connections");
    assert!(detail.contains("opens 16 connections"), "{detail}");

    let mut greedy = folder.command(&["doctor", "--json"]);
    greedy.env("ZOOP_STORAGE_READERS", "4").env("ZOOP_STORAGE_WRITERS", "300");
    let report = Answer::from(greedy.output().expect("zoop runs")).json();
    let (ok, warning, detail) = check(&report, "connections");
    assert!(ok && warning && detail.contains("opens 304 connections"), "{detail}");
    assert!(detail.contains("max_connections") && detail.contains("storage.writers"), "{detail}");

    let empty = database();
    let superuser = empty.superuser_url();
    folder.json(&["migrate", "--database", superuser]);
    let report = folder.json(&["doctor", "--database", superuser]);
    let (ok, warning, detail) = check(&report, "role");
    assert!(ok && warning && detail.contains("NOBYPASSRLS"), "{detail}");
    let shown = folder.zoop(&["doctor", "--database", superuser]);
    assert!(shown.stdout.contains("! role: "), "{}", shown.stdout);
}

#[test]
fn the_doctor_reports_a_role_that_bypasses_row_level_security() {
    let folder = folder();
    folder.json(&["migrate"]);
    let server = folder.server().expect("a server");
    let role =
        format!("{}_bypasses", server.run("SELECT current_database()").expect("a name").trim());
    // The role has the application's rights, and sees the rows of all tenants.
    let made = format!(
        "CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{APPLICATION}' IN ROLE {APPLICATION}"
    );
    server.run_as_superuser(&made).expect("a role");
    let url = server.url().replace(&format!("user={APPLICATION}"), &format!("user={role}"));
    let report = folder.json(&["doctor", "--database", &url]);
    let (ok, warning, detail) = check(&report, "role");
    assert!(ok && warning && detail.contains("NOBYPASSRLS"), "{detail}");
    server.run_as_superuser(&format!("DROP ROLE {role}")).expect("no role");
}

/// Runs a printed command unchanged.
fn run(message: &str) {
    let command = message.split_once("role: ").expect("a command").1;
    let command = command.split_once(" (or").expect("its end").0;
    let output = Command::new("sh").args(["-c", command]).output().expect("sh runs");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_printed_commands_back_up_a_servers_database() {
    // The commands use the superuser of a new server, and contain no password.
    let own = || own_database().expect("a database");
    let folder = Folder::over(own());
    let (tenant, ..) = folder.business();
    let copy = folder.path("copy.dump").display().to_string();
    let message = folder.zoop(&["backup", &copy]);
    run(message.failure());
    let fresh = own();
    let into = ["restore-backup", &copy, "--database", fresh.url()];
    run(folder.zoop(&into).failure());
    let list = folder.json(&["tenant", "list", "--database", fresh.url()]);
    assert_eq!(list["rows"][0]["id"], tenant.as_str());
    let secret = "postgres://zoop:s3cret@db.example.com/zoop?password=s3cret";
    let message = folder.zoop(&["backup", "x", "--database", secret]);
    assert!(message.failure().contains("'postgres://db.example.com/zoop'"), "{}", message.stderr);
    assert!(!message.stderr.contains("s3cret"));
}
