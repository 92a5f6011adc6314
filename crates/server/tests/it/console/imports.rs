//! Imports in the console, as a browser without scripts sees them. The server does the work in the background.

use serde_json::json;
use zoop_both::both;
use zoop_crm::business::import::sheet::MAX_BYTES;
use zoop_crm::business::import::{Importer, undo};
use zoop_crm::call::access::{Credential, Source};
use zoop_crm::identity::sign_in::ActingMember;
use zoop_crm::testing::Business;
use zoop_crm::values::id::Id;

use super::note_files::{form, send};
use super::{OFFICE, TECH, browser_of, business, call, start, unescaped};
use crate::http::Reply;
use crate::people::{Browser, between, location};
use crate::server::{Server, wait_until};

const FILE: &str = "Name,Phone,Zugang,Tags\nAnn Able,510-555-0101,Gate 4711,Gold\nBob Baker,510-555-0102,,\n\
                    ,510-555-0103,,\nTotal: 3 customers,,,\n";

fn sent(server: &Server, browser: &mut Browser<'_>, name: &str, content: &str) -> Reply {
    let form = form(&[("business", &business(server))], &[(name, content)]);
    send(browser, "/import", &form, &[])
}

/// The page of a job, once no server works on it.
fn waited(browser: &mut Browser<'_>, address: &str) -> String {
    let mut page = String::new();
    wait_until("the server has done its work", || {
        page = browser.get(address).body;
        !page.contains("<progress")
    });
    page
}

/// Sends a form of the page of a job. Returns the page, once no server works on the job.
fn answered(
    server: &Server,
    browser: &mut Browser<'_>,
    path: &str,
    fields: &[(&str, &str)],
) -> String {
    let business = business(server);
    let fields: Vec<_> =
        [("business", &*business)].into_iter().chain(fields.iter().copied()).collect();
    let answer = browser.post(path, &fields);
    assert_eq!(answer.status, 303, "{answer:?}");
    waited(browser, &unescaped(location(&answer)))
}

fn names(server: &Server) -> Vec<String> {
    let rows = call(server, "customers.search", json!({}));
    let rows = rows["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["display_name"].as_str().expect("a name").to_owned()).collect()
}

#[both]
fn a_file_is_sent_read_as_a_person_says_imported_and_undone() {
    let server = start();
    let before = names(&server);
    let mut office = browser_of(&server, OFFICE);
    let answer = sent(&server, &mut office, "my list.csv", FILE);
    assert_eq!(answer.status, 303, "{answer:?}");
    let address = unescaped(location(&answer));
    let path = address.split('?').next().expect("a path").to_owned();
    let page = waited(&mut office, &address);
    for text in [
        "my list.csv",
        "2 customers</strong> from 3 rows",
        "Ann Able",
        "New tags",
        "Gold",
        "1 cannot be added",
        "1 row describes no customer",
        "leave out 1",
        "Gate 4711",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(names(&server), before, "nothing is written");
    let column = between(&page, "<select id=\"c2\"", "</select>");
    assert!(!column.contains(" selected"), "its name says nothing: {column}");

    let columns =
        [("c0", "name"), ("c1", "phone"), ("c2", "service_notes"), ("c3", "tags"), ("state", "")];
    let page = answered(&server, &mut office, &format!("{path}/columns"), &columns);
    let column = between(&page, "<select id=\"c2\"", "</select>");
    assert!(column.contains("value=service_notes selected"), "{column}");
    let columns = [("c0", "name"), ("c1", "phone"), ("c2", "notes"), ("c3", "tags"), ("state", "")];
    let page = answered(&server, &mut office, &format!("{path}/columns"), &columns);
    assert!(page.contains("1 note"), "{page}");

    let report = office.get(&format!("{path}/report?business={}", business(&server)));
    assert_eq!(report.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(report.body.contains("4,,not added,first_name is required"), "{}", report.body);

    let plan = between(&page, "name=\"plan\" value=\"", "\"").to_owned();
    let other =
        office.post(&format!("{path}/start"), &[("business", &*business(&server)), ("plan", "00")]);
    assert_eq!(other.status, 400);
    assert!(other.body.contains("was read in another way meanwhile"), "{}", other.body);
    let start = [("plan", &*plan), ("rejected", "add_others")];
    let page = answered(&server, &mut office, &format!("{path}/start"), &start);
    for text in ["2 customers were added.", "1 is left out.", "first_name is required"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let after = names(&server);
    assert_eq!(after.len(), before.len() + 2);
    let rejected = office.get(&format!("{path}/rejected?business={}", business(&server)));
    assert!(rejected.body.contains(",510-555-0103,,,first_name is required"), "{}", rejected.body);

    let list = office.get(&format!("/import?business={}", business(&server))).body;
    assert!(list.contains("2 customers added"), "{list}");
    let import = between(&list, "name=\"import\" value=\"", "\"").to_owned();
    let page = answered(&server, &mut office, "/import/undo", &[("import", &import)]);
    assert!(page.contains("Undone: 3 customers and tags were taken back."), "{page}");
    assert_eq!(names(&server), before);
}

#[both]
fn what_cannot_be_imported_is_refused_and_nothing_of_it_is_kept() {
    let server = start();
    let mut office = browser_of(&server, OFFICE);
    let list = format!("/import?business={}", business(&server));
    let empty = sent(&server, &mut office, "empty.csv", "");
    assert_eq!(empty.status, 400);
    assert!(empty.body.contains("This file is empty."), "{}", empty.body);
    let none = send(&mut office, "/import", &form(&[("business", &business(&server))], &[]), &[]);
    assert_eq!(none.status, 400);
    assert!(none.body.contains("There is no file in the form"), "{}", none.body);
    let large = "a,b\n".repeat(MAX_BYTES / 4 + 1);
    let large = sent(&server, &mut office, "large.csv", &large);
    assert_eq!(large.status, 413);
    assert!(large.body.contains("larger than 64 MiB"), "{}", large.body);
    wait_until("nothing is left", || !office.get(&list).body.contains("Waiting"));

    let answer = sent(&server, &mut office, "unknown.csv", "Wer,Wo\nAnn Able,Oakland\n");
    let page = waited(&mut office, &unescaped(location(&answer)));
    assert!(page.contains("No column is known to have the names"), "{page}");
    assert!(page.contains("Read again") && !page.contains("/start"), "{page}");
    let path = location(&answer).split('?').next().expect("a path").to_owned();
    let columns = [("c0", "name"), ("c1", "service_city"), ("state", "CA")];
    let page = answered(&server, &mut office, &format!("{path}/columns"), &columns);
    assert!(page.contains("1 customer</strong> from 1 rows"), "{page}");
    assert!(page.contains("name=\"state\" value=\"CA\""), "{page}");
    let removed = office.post(&format!("{path}/remove"), &[("business", &*business(&server))]);
    assert_eq!(removed.status, 303);
    assert_eq!(office.get(&format!("{path}?business={}", business(&server))).status, 404);

    let mut tech = browser_of(&server, TECH);
    assert_eq!(sent(&server, &mut tech, "list.csv", FILE).status, 403);
    let mut stranger = Browser::new(&server);
    assert_eq!(sent(&server, &mut stranger, "list.csv", FILE).status, 303, "to sign in");
    let form = form(&[("business", &business(&server))], &[("list.csv", FILE)]);
    let headers = [
        ("Origin", "https://evil.example"),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
    ];
    assert_eq!(office.send("POST", "/import", &headers, &form).status, 403, "from elsewhere");
}

/// Imports a file as it is. Returns the page of the job and its address.
fn imported(server: &Server, browser: &mut Browser<'_>, file: &str) -> (String, String) {
    let answer = sent(server, browser, "list.csv", file);
    let address = unescaped(location(&answer));
    let path = address.split('?').next().expect("a path").to_owned();
    let page = waited(browser, &address);
    let plan = between(&page, "name=\"plan\" value=\"", "\"").to_owned();
    let start = [("plan", &*plan), ("rejected", "add_none")];
    (answered(server, browser, &format!("{path}/start"), &start), address)
}

/// Undoes an import as the command line does. Returns how much stays.
fn undone_by_command(server: &Server, import: &str) -> usize {
    let account = server.business.account;
    let member = ActingMember {
        tenant: account.id,
        user: Business::user(&server.business.owner),
        credential: Credential::CommandLine,
        source: Source::default(),
    };
    let importer =
        Importer { db: server.env.db.clone(), environment: server.env.environment.clone(), member };
    let import = Id::parse(import).expect("an id");
    undo(&importer, import, &|_, _| Ok(())).expect("undone").kept.len()
}

#[both]
fn what_an_undo_leaves_is_shown_until_it_is_undone_too_from_wherever() {
    let server = start();
    let mut office = browser_of(&server, OFFICE);
    let file = "Name,Phone\nAnn Able,510-555-0101\nBob Baker,510-555-0102\n";
    let (page, address) = imported(&server, &mut office, file);
    assert!(page.contains("2 customers were added."), "{page}");
    let import = between(&page, "name=\"import\" value=\"", "\"").to_owned();
    let ann =
        call(&server, "customers.search", json!({ "q": "ann able" }))["rows"][0]["id"].clone();
    call(&server, "customers.update", json!({ "id": ann, "is_vip": true }));
    for _ in 0..2 {
        let page = answered(&server, &mut office, "/import/undo", &[("import", &import)]);
        for text in [
            "Not wholly undone: 1 customer or tag was taken back.",
            "1 stays",
            "was changed since",
            "Undo this import",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
    }
    let list = office.get(&format!("/import?business={}", business(&server))).body;
    assert!(list.contains("Not wholly undone") && list.contains(&import), "{list}");
    call(&server, "customers.archive", json!({ "id": ann }));
    assert_eq!(undone_by_command(&server, &import), 0);
    let page = office.get(&address).body;
    assert!(page.contains("The import was undone."), "{page}");
    assert!(!page.contains("stays") && !page.contains("Undo this import"), "{page}");
}
