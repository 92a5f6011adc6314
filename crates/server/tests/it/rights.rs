//! Writes that wait while another write withdraws their rights: on PostgreSQL a write waits for its tenant's lock
//! after its credential was looked up.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::call::error::Error;
use zoop_crm::call::run;
use zoop_crm::call::scope::Scope;
use zoop_crm::catalog;
use zoop_crm::identity::authenticate::Operator;
use zoop_crm::identity::sign_in::sessions;
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::testing::Business;
use zoop_crm::values::clock::Environment;
use zoop_db::{Db, Migrate, Options, WriteTx};

use crate::http::Reply;
use crate::oauth::{Browser, EVERY_SCOPE, Program};
use crate::people::{self, OFFICE, PASSWORD, location, set_password};
use crate::server::{Server, wait_until};

/// Counts the writes that wait for a lock in this database.
const WAITING_WRITES: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Runs `late` while another process has run the write `first` but not committed it, so that `late` has to wait.
/// `meanwhile` runs before that commit.
fn run_behind<T: Send>(
    server: &Server,
    first: impl Fn(&mut WriteTx<'_>, &Environment) -> Result<(), Error> + Send + 'static,
    meanwhile: impl FnOnce(),
    late: impl FnOnce() -> T + Send,
) -> T {
    let url = server.env.url();
    let other = Db::open(url, &Options::default(), MIGRATIONS, Migrate::Refuse).expect("it opens");
    let (run_sender, run_receiver) = mpsc::channel();
    let (release_sender, release_receiver) = mpsc::channel();
    let environment = server.env.environment.clone();
    let first = other.write::<_, Error>(Instant::now() + Duration::from_secs(60), move |tx| {
        first(tx, &environment)?;
        run_sender.send(()).map_err(Error::internal)?;
        release_receiver.recv().map_err(Error::internal)
    });
    run_receiver.recv().expect("the first write has run");
    let answer = std::thread::scope(|scope| {
        let second = scope.spawn(late);
        // On SQLite a write waits before it has read anything, and the test cannot see that it waits.
        if let Some(database) = server.env.server() {
            wait_until("the second write waits", || {
                database.run(WAITING_WRITES).is_ok_and(|count| count.trim() == "1")
            });
        }
        meanwhile();
        release_sender.send(()).expect("the first write continues");
        second.join().expect("an answer")
    });
    first.wait().expect("the first write is committed");
    answer
}

/// A write that calls a tool as the operator.
fn operator_call(
    server: &Server,
    tool: &str,
    arguments: &Value,
) -> impl Fn(&mut WriteTx<'_>, &Environment) -> Result<(), Error> + Send + 'static {
    let tool = catalog::find(tool).expect("a tool");
    let operator = Operator::of(server.business.account.id);
    let arguments = arguments.to_string();
    move |tx, environment| run::write(tx, environment, &operator, tool, &arguments, None).map(drop)
}

/// Creates a customer with `key` while a call of the operator is about to commit.
fn create_behind(
    server: &Server,
    key: &str,
    name: &str,
    arguments: &Value,
    meanwhile: impl FnOnce(),
) -> Reply {
    run_behind(server, operator_call(server, name, arguments), meanwhile, || create(server, key))
}

/// The arguments of `users.create` for a write that changes no rights.
fn unrelated_write() -> Value {
    json!({ "name": "Ann Ahead", "email": "ahead@acme.example", "role": "tech" })
}

fn create(server: &Server, key: &str) -> Reply {
    let arguments = json!({ "customer_type": "individual", "first_name": "Late" });
    let call = json!({ "name": "customers.create", "arguments": arguments });
    server.ask(key, "/api/mcp", "tools/call", call)
}

/// The reason why a request was rejected, or the kind of the tool's error.
fn refusal(reply: &Reply) -> String {
    let body = reply.json();
    if reply.status == 401 {
        return body["error"]["data"]["reason"].as_str().expect("a reason").to_owned();
    }
    assert_eq!(body["result"]["isError"], true, "{reply:?}");
    let text = body["result"]["content"][0]["text"].as_str().expect("a text");
    let error: Value = serde_json::from_str(text).expect("an error in JSON");
    error["error"]["kind"].as_str().or(error["kind"].as_str()).expect("a kind").to_owned()
}

fn customers(server: &Server) -> usize {
    let found = server.call("customers.search", json!({})).json();
    found["result"]["structuredContent"]["rows"].as_array().expect("rows").len()
}

#[both]
fn a_write_that_waited_while_its_rights_ended_is_refused() {
    let server = Server::start();
    let account = server.business.account;
    let office = || {
        let arguments = json!({ "name": "Otto", "email": "otto@acme.example", "role": "office" });
        let made = server.env.call_as_operator(Some(account), "users.create", arguments);
        made["user_id"].as_str().expect("an id").to_owned()
    };
    let key_of = |user: &str| server.env.key(account, Some(user), Scope::GRANTABLE);

    let made = json!({ "scopes": EVERY_SCOPE, "name": "short" });
    let made = server.env.call_as_operator(Some(account), "keys.create", made);
    let key = made["key"].as_str().expect("a key");
    let id = json!({ "id": made["key_id"] });
    let reply = create_behind(&server, key, "keys.revoke", &id, || {});
    assert_eq!(refusal(&reply), "key_revoked");

    let user = office();
    let key = key_of(&user);
    let to_tech = json!({ "id": user, "role": "tech" });
    let reply = create_behind(&server, &key, "users.set_role", &to_tech, || {});
    assert_eq!(refusal(&reply), "insufficient_scope");

    let to_office = json!({ "id": user, "role": "office" });
    server.env.call_as_operator(Some(account), "users.set_role", to_office);
    let reply = create_behind(&server, &key, "users.remove", &json!({ "id": user }), || {});
    assert_eq!(refusal(&reply), "key_revoked");
    assert_eq!(customers(&server), 0, "nothing was written");
}

#[both]
fn a_clients_write_that_waited_while_its_grant_ended_is_refused() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.office);
    let user = Business::user(&server.business.office).to_string();

    let token = program.connect(&browser, &server.business, EVERY_SCOPE).access;
    let account = Some(server.business.account);
    let grants = server.env.call_as_operator(account, "grants.list", json!({}));
    let id = json!({ "id": grants["rows"][0]["id"] });
    let reply = create_behind(&server, &token, "grants.revoke", &id, || {});
    assert_eq!(refusal(&reply), "key_revoked");

    let token = program.connect(&browser, &server.business, EVERY_SCOPE).access;
    let reply = create_behind(&server, &token, "users.remove", &json!({ "id": user }), || {});
    assert_eq!(refusal(&reply), "key_revoked");
    assert_eq!(customers(&server), 0, "nothing was written");
}

#[both]
fn a_credential_that_expires_while_its_write_waits_has_expired() {
    let server = Server::start();
    let account = Some(server.business.account);
    let made = json!({ "scopes": EVERY_SCOPE, "name": "short", "expires_in": 60 });
    let made = server.env.call_as_operator(account, "keys.create", made);
    let key = made["key"].as_str().expect("a key");
    let reply = create_behind(&server, key, "users.create", &unrelated_write(), || {
        server.env.clock.advance(60_000);
    });
    assert_eq!(refusal(&reply), "expired");
    assert_eq!(customers(&server), 0, "nothing was written");
}

#[both]
fn a_write_that_waited_and_kept_its_rights_is_dated_after_the_wait() {
    let server = Server::start();
    let key = &server.business.owner_key;
    let reply = create_behind(&server, key, "users.create", &unrelated_write(), || {
        server.env.clock.advance(3_000);
    });
    let made = &reply.json()["result"]["structuredContent"];
    assert_eq!(made["created_at"], "2026-06-13T18:00:03.000Z", "{reply:?}");
}

#[both]
fn a_form_that_waited_while_its_rights_ended_is_refused() {
    let server = people::start();
    let account = Some(server.business.account);
    let business = server.business.account.id.to_string();
    let office = Business::user(&server.business.office).to_string();
    let tech = Business::user(&server.business.tech).to_string();
    let set_role = |role: &str| json!({ "id": office, "role": role });
    server.env.call_as_operator(account, "users.set_role", set_role("owner"));
    set_password(&server, OFFICE, PASSWORD);
    let mut browser = people::Browser::new(&server);
    browser.sign_in(OFFICE, PASSWORD);
    let fields = [("business", business.as_str()), ("user", &tech), ("role", "office")];

    let lowered = operator_call(&server, "users.set_role", &set_role("office"));
    let reply = run_behind(&server, lowered, || {}, || browser.post("/team/role", &fields));
    assert_eq!(reply.status, 403, "{}", reply.body);

    server.env.call_as_operator(account, "users.set_role", set_role("owner"));
    let secret = browser.session();
    let signed_out = move |tx: &mut WriteTx<'_>, environment: &Environment| {
        sessions::sign_out(tx, environment, &secret, None)
    };
    let reply = run_behind(&server, signed_out, || {}, || browser.post("/team/role", &fields));
    assert!(location(&reply).starts_with("/sign-in"), "{reply:?}");

    let users = server.env.call_as_operator(account, "users.list", json!({}));
    let found =
        users["rows"].as_array().expect("rows").iter().find(|row| row["id"] == tech.as_str());
    assert_eq!(found.expect("the tech")["role"], "tech", "nothing was changed");
}
