//! Erasing a customer, as an owner's browser without scripts does it.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use zoop_both::both;
use zoop_crm::arguments;
use zoop_crm::business::customers::erase::EraseCustomer;
use zoop_crm::call::error::Error;
use zoop_crm::call::run;
use zoop_crm::identity::authenticate::Operator;
use zoop_crm::identity::users::tools::CreateUser;
use zoop_crm::schema::MIGRATIONS;
use zoop_db::{Db, Migrate, Options, WriteTx};
use zoop_server::FileStore;

use super::{OFFICE, TECH, browser_of, business, call, create, start, start_with, unescaped};
use crate::http::Reply;
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

/// Lets the last step of an erasure fail.
const FAILING: [&str; 2] = [
    "CREATE TRIGGER failing BEFORE UPDATE ON customers WHEN NEW.erased_at IS NOT NULL \
     BEGIN SELECT RAISE(ABORT, 'no'); END",
    "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; \
     CREATE TRIGGER failing BEFORE UPDATE ON customers FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL) \
     EXECUTE FUNCTION failing()",
];
const NOT_FAILING: [&str; 2] = ["DROP TRIGGER failing", "DROP TRIGGER failing ON customers"];

/// Runs a script on SQLite or PostgreSQL.
fn change(server: &Server, [sqlite, postgres]: [&str; 2]) {
    match server.env.server() {
        None => {
            let file = rusqlite::Connection::open(server.env.path()).expect("the file");
            file.execute_batch(sqlite).expect("a change");
        }
        Some(server) => drop(server.run_as_superuser(postgres).expect("a change")),
    }
}

/// Adds a file to a note over HTTP.
fn upload(server: &Server, note: &str) -> Reply {
    let named = "attachment; filename=\"quibnark.txt\"";
    let headers = [("Content-Disposition", named), ("Idempotency-Key", "one")];
    server.post(&format!("/api/notes/{note}/files"), &headers, b"Quibnark's code is 4711.")
}

/// How many files in a folder have the content.
fn contents(folder: &Path) -> usize {
    let count = |path: &Path| {
        if path.is_dir() {
            return contents(path);
        }
        let content = std::fs::read_to_string(path).expect("a file");
        usize::from(content.contains("4711"))
    };
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| count(&entry.expect("an entry").path())).sum()
}

#[both]
fn of_an_erasure_that_fails_the_content_of_erased_files_goes_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = start_with(|settings| settings.files = Some(store));
    let (id, number, note) = customer(&server);
    assert_eq!(upload(&server, &note).status, 201);
    assert_eq!(contents(folder.path()), 1);
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let path = format!("/customers/{id}/erase");
    let form = [("business", &*account), ("number", &*number)];
    change(&server, FAILING);
    assert_eq!(owner.post(&path, &form).status, 500);
    assert_eq!(contents(folder.path()), 0);
    change(&server, NOT_FAILING);
    let address = format!("{path}?business={account}");
    let page = owner.get(&address).body;
    assert!(page.contains("An erasure of this customer was interrupted"), "{page}");
    assert!(page.contains("<dt>Files</dt><dd>1</dd>"), "{page}");
    assert_eq!(owner.post(&path, &form).status, 303);
    let page = owner.get(&address).body;
    assert!(page.contains("<dt>Contents of files</dt><dd>1</dd>"), "{page}");
}

#[both]
fn the_answer_to_an_upload_is_erased_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = start_with(|settings| settings.files = Some(store));
    let (id, number, note) = customer(&server);
    assert_eq!(upload(&server, &note).status, 201);
    // What was answered in the last minutes is looked for once more.
    server.env.clock.advance(600_000);
    let account = business(&server);
    let form = [("business", &*account), ("number", &*number)];
    let erased = Browser::owner(&server).post(&format!("/customers/{id}/erase"), &form);
    assert_eq!(erased.status, 303, "{erased:?}");
    let again = upload(&server, &note);
    assert!(!again.body.contains("quibnark"), "{again:?}");
    assert_eq!(again.status, 404, "{again:?}");
}

#[both]
fn the_certificate_says_which_content_is_not_deleted_yet() {
    let server = start();
    let (id, _, note) = customer(&server);
    server.env.add_file(&server.business.owner, &note, "code.txt", b"4711").expect("a file");
    // The call alone deletes no content.
    let account = server.business.account;
    server.env.call_as_operator(Some(account), "customers.erase", json!({ "id": id }));
    let mut owner = Browser::owner(&server);
    let account = account.id;
    let page = owner.get(&format!("/customers/{id}/erase?business={account}")).body;
    let left = "0, and a server deletes 1 more within days";
    assert!(page.contains(&format!("<dt>Contents of files</dt><dd>{left}</dd>")), "{page}");
    let file = owner.get(&format!("/customers/{id}/erase/certificate?business={account}")).body;
    assert!(file.contains(&format!("  Contents of files: {left}\n")), "{file}");
}

/// Does something while another process writes, which commits only then.
fn while_another_process_writes<T>(
    server: &Server,
    mut work: impl FnMut(&mut WriteTx<'_>) -> Result<(), Error> + Send + 'static,
    meanwhile: impl FnOnce() -> T,
) -> T {
    let other = Db::open(server.env.url(), &Options::default(), MIGRATIONS, Migrate::Refuse);
    let other = other.expect("it opens");
    let (run_sender, run_receiver) = mpsc::channel();
    let (release_sender, release_receiver) = mpsc::channel();
    let write = other.write::<_, Error>(Instant::now() + Duration::from_secs(60), move |tx| {
        work(tx)?;
        run_sender.send(()).map_err(Error::internal)?;
        release_receiver.recv().map_err(Error::internal)
    });
    run_receiver.recv().expect("the write has run");
    let done = meanwhile();
    release_sender.send(()).expect("the write continues");
    write.wait().expect("the write is committed");
    done
}

#[both]
fn an_interrupted_erasure_says_how_to_go_on_although_the_time_is_over() {
    let server = start_with(|settings| settings.request_deadline = Duration::from_secs(2));
    let (id, number, _) = customer(&server);
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let path = format!("/customers/{id}/erase");
    let form = [("business", &*account), ("number", &*number)];
    change(&server, FAILING);
    assert_eq!(owner.post(&path, &form).status, 500);
    change(&server, NOT_FAILING);
    let environment = server.env.environment.clone();
    let operator = Operator::of(server.business.account.id);
    let add = move |tx: &mut WriteTx<'_>| {
        let user = arguments!(CreateUser { name: "Bo", email: "bo@example.com", role: "office" });
        run::command(tx, &environment, &operator, user).map(drop)
    };
    let stopped = while_another_process_writes(&server, add, || owner.post(&path, &form));
    assert_eq!(stopped.status, 503, "{stopped:?}");
    let fault = between(&stopped.body, "role=\"alert\">", "</p>");
    assert!(fault.contains("To go on, type the number again."), "{fault}");
    assert_eq!(owner.post(&path, &form).status, 303);
}

#[both]
fn an_erasure_that_another_process_has_just_done_shows_the_certificate() {
    let server = start();
    let (id, number, _) = customer(&server);
    let account = business(&server);
    let (mut owner, mut reader) = (Browser::owner(&server), Browser::owner(&server));
    let path = format!("/customers/{id}/erase");
    let address = format!("{path}?business={account}");
    let form = [("business", &*account), ("number", &*number)];
    let environment = server.env.environment.clone();
    let operator = Operator::of(server.business.account.id);
    let customer = id.clone();
    let erase = move |tx: &mut WriteTx<'_>| {
        let erase = arguments!(EraseCustomer { id: &*customer });
        run::command(tx, &environment, &operator, erase).map(drop)
    };
    let reply = thread::scope(|scope| {
        let sent = while_another_process_writes(&server, erase, || {
            let sent = scope.spawn(|| owner.post(&path, &form));
            // The other process is not done, and the form has time to arrive.
            for _ in 0..5 {
                assert!(reader.get(&address).body.contains("Quibnark"));
            }
            sent
        });
        sent.join().expect("an answer")
    });
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains(&format!("<h1>{number} was erased</h1>")), "{}", reply.body);
}

#[both]
fn an_interrupted_erasure_of_a_customer_that_was_merged_leads_to_the_kept_one() {
    let server = start();
    let account = business(&server);
    let (kept, kept_number, _) = customer(&server);
    let (merged, number, _) = customer(&server);
    let mut owner = Browser::owner(&server);
    let path = format!("/customers/{merged}/erase");
    change(&server, FAILING);
    let form = [("business", &*account), ("number", &*number)];
    assert_eq!(owner.post(&path, &form).status, 500);
    change(&server, NOT_FAILING);
    call(&server, "customers.merge", json!({ "keep_id": kept, "merge_id": merged }));
    let list = format!("/settings/erased?business={account}");
    assert!(owner.get(&list).body.contains("Interrupted: open it to go on"));
    let path = format!("/customers/{kept}/erase");
    let reply = owner.get(&format!("/customers/{merged}/erase?business={account}"));
    assert_eq!(location(&reply), format!("{path}?business={account}"));
    let form = [("business", &*account), ("number", &*kept_number)];
    assert_eq!(owner.post(&path, &form).status, 303);
    let list = owner.get(&list).body;
    assert!(list.contains(&kept_number) && !list.contains("Interrupted"), "{list}");
}
