//! A cluster's data survives a crash of its server, and the cluster is removed when its owner ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zoop_postgres_cluster::{APPLICATION, Cluster, VARIABLE};

fn folder(url: &str) -> PathBuf {
    let (_, options) = url.split_once("host=").expect("a socket's folder");
    PathBuf::from(options.split('&').next().expect("a folder"))
}

fn ask(url: &str, sql: &str) -> String {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", sql]).arg(url);
    let output = psql.output().expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn wait_until_removed(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while path.exists() {
        assert!(Instant::now() < deadline, "{} still exists", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn data_survives_a_crash_of_the_server_and_is_removed_with_the_cluster() {
    let mut cluster = Cluster::start().expect("a cluster");
    let folder = folder(&cluster.url());
    let database = cluster.fresh_database().expect("a database");
    ask(database.url(), "CREATE TABLE kept (n integer)");
    cluster.stop_immediately().expect("stopped");
    assert!(folder.exists());
    cluster.restart().expect("started");
    assert_eq!(ask(database.url(), "SELECT count(*) FROM kept"), "0");
    drop(database);
    assert_eq!(ask(&cluster.url(), "SELECT count(*) FROM pg_database"), "3");
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn the_application_is_subject_to_row_level_security() {
    let database = zoop_postgres_cluster::database().expect("a database");
    let rights = "SELECT rolsuper OR rolbypassrls OR rolcreatedb FROM pg_roles \
                  WHERE rolname = current_user";
    assert_eq!(ask(database.url(), rights), "f");
}

#[test]
fn a_cluster_is_removed_when_its_owner_is_killed() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_zoop-postgres-cluster"))
        .args(["run", "--", "sh", "-c", "echo $ZOOP_TEST_POSTGRES; cat"])
        .env_remove(VARIABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut url = String::new();
    let output = run.stdout.take().expect("piped");
    BufReader::new(output).read_line(&mut url).expect("a URL");
    let folder = folder(&url);
    assert!(folder.exists());
    run.kill().expect("killed");
    run.wait().expect("ended");
    wait_until_removed(&folder);
}

#[test]
fn a_named_server_is_used_even_if_it_asks_for_passwords() {
    let cluster = Cluster::start_with_passwords().expect("a cluster");
    let url = cluster.url();
    let (_, server) = url.split_once('@').expect("a user before the server");
    let mut without_password = Command::new("psql");
    without_password.args(["--no-password", &format!("postgres://postgres@{server}")]);
    let refused = without_password.env_remove("PGPASSWORD").output().expect("psql runs");
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(stderr.contains("no password supplied"), "{stderr}");

    let run = Command::new(env!("CARGO_BIN_EXE_zoop-postgres-cluster"))
        .args(["run", "--"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_application_is_subject_to_row_level_security"])
        .env(VARIABLE, &url)
        .output()
        .expect("the program runs");
    let stdout = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && stdout.contains(" 1 passed"), "{run:?}");
    // The test used this server, and has left nothing but the role.
    let role = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{APPLICATION}'");
    assert_eq!(ask(&url, &role), "1");
    assert_eq!(ask(&url, "SELECT count(*) FROM pg_database"), "3");
}
