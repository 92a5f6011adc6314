//! Files that a browser adds to a note.

use serde_json::{Value, json};
use tempfile::TempDir;
use zoop_both::both;
use zoop_crm::business::files::MAX_FILES;
use zoop_server::FileStore;

use super::{OFFICE, TECH, browser_of, business, call, company, create, start_with};
use crate::http::{Connection, Reply};
use crate::people::{Browser, location};
use crate::server::{Server, wait_until};

const GIF: &str = "GIF89a\x01\0\x01\0\0\0\0;0123456789";
const TEXT: &str = "The code is 4711.";
const PAGE: &str = "<html><script>alert(1)</script></html>";

/// A server with a store, and a customer with a note of the owner.
struct Notes {
    server: Server,
    folder: TempDir,
    customer: String,
    note: String,
}

impl Notes {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let server = start_with(|settings| settings.files = Some(store));
        let customer = company(&server, "Bay Bakery");
        let body =
            json!({ "body": "Gate sticks.", "subject_type": "customer", "subject_id": customer });
        let note = create(&server, "notes.create", body);
        Self { server, folder, customer, note }
    }

    fn path(&self) -> String {
        format!("/notes/{}/files", self.note)
    }

    fn next(&self) -> String {
        format!("/customers/{}?business=x&done=note&after=y", self.customer)
    }

    /// A form as the page sends it.
    fn form(&self, files: &[(&str, &str)]) -> String {
        form(&[("business", &business(&self.server)), ("next", &self.next())], files)
    }

    fn names(&self) -> Vec<String> {
        let note = call(&self.server, "notes.get", json!({ "id": self.note }));
        let files = note["attachments"].as_array().expect("files").iter();
        files.map(|file| file["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The number of files in the store.
    fn stored(&self) -> usize {
        let tenant = self.folder.path().join(self.server.business.account.id.to_string());
        std::fs::read_dir(tenant).map_or(0, Iterator::count)
    }
}

fn form(fields: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("--zoop\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = |(name, content): &(&str, &str)| {
        format!(
            "--zoop\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n{content}\r\n"
        )
    };
    let parts = fields.iter().map(field).chain(files.iter().map(file));
    parts.chain(["--zoop--\r\n".to_owned()]).collect()
}

fn send(browser: &mut Browser<'_>, path: &str, form: &str, more: &[(&str, &str)]) -> Reply {
    let origin = browser.origin();
    let mut headers =
        vec![("Origin", origin.as_str()), ("Content-Type", "multipart/form-data; boundary=zoop")];
    headers.extend(more);
    browser.send("POST", path, &headers, form)
}

#[both]
fn a_browser_adds_files_to_a_note_and_comes_back_to_the_page() {
    let notes = Notes::start();
    let mut owner = Browser::owner(&notes.server);
    let two = notes.form(&[("gate.gif", GIF), ("code.txt", TEXT)]);
    let added = send(&mut owner, &notes.path(), &two, &[]);
    assert_eq!(added.status, 303, "{added:?}");
    assert_eq!(
        location(&added),
        format!(
            "/customers/{}?business={}&after=y&done=files&record={}#notes",
            notes.customer,
            business(&notes.server),
            notes.note
        )
    );
    assert_eq!(notes.names(), ["gate.gif", "code.txt"]);
    let page = owner.get(location(&added).trim_end_matches("#notes")).body;
    assert!(page.contains("The files were added."), "{page}");

    // A page that is not of this server, or that shows no notes, is not gone to.
    for next in ["https://evil.example", "//evil.example", "/account", ""] {
        let fields = [("business", &*business(&notes.server)), ("next", next)];
        let added = send(&mut owner, &notes.path(), &form(&fields, &[("a.gif", GIF)]), &[]);
        assert!(location(&added).starts_with("/notes?business="), "{next}: {added:?}");
    }
    let pages = notes.server.log.pages();
    let line = |line: &&Value| line["route"] == "/notes/{note}/files";
    assert_eq!(pages.iter().find(line).expect("a line")["outcome"], "ok");
}

#[test]
fn files_that_are_refused_say_why_and_leave_nothing() {
    let notes = Notes::start();
    let mut owner = Browser::owner(&notes.server);
    let (path, many) = (notes.path(), vec![("a.gif", GIF); MAX_FILES as usize + 1]);
    for (files, message) in [
        (&[("a.gif", GIF), ("photo.jpg", PAGE)][..], "photo.jpg: The content of this file is not"),
        (&[("a.gif", GIF), ("empty.txt", "")], "empty.txt is empty."),
        (&[("", "")], "There is no file in the form: choose one first."),
        (&many, "At most 20 files can be sent at once."),
    ] {
        let form = notes.form(files);
        let refused = send(&mut owner, &path, &form, &[]);
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.contains("<h1>The files were not added</h1>"), "{refused:?}");
        assert!(refused.body.contains(message), "{refused:?}");
        let back = format!("/customers/{}?business={}", notes.customer, business(&notes.server));
        assert!(refused.body.contains(&back), "{refused:?}");
        let for_script = send(&mut owner, &path, &form, &[("HX-Request", "true")]);
        assert_eq!(for_script.status, 400);
        let part = for_script.body.trim();
        assert!(part.starts_with("<p class=\"fault\" role=\"alert\">"), "{part}");
        assert!(part.ends_with("</p>") && part.contains(message), "{part}");
    }
    // The tool's own words.
    let mut tech = browser_of(&notes.server, TECH);
    let one = notes.form(&[("a.gif", GIF)]);
    let refused = send(&mut tech, &path, &one, &[]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("Only the note&#39;s author or an owner"), "{refused:?}");
    call(&notes.server, "notes.archive", json!({ "id": notes.note }));
    let refused = send(&mut owner, &path, &one, &[]);
    assert_eq!(refused.status, 404);
    call(&notes.server, "notes.restore", json!({ "id": notes.note }));

    // As in every form.
    let unknown = format!("/notes/{}/files", notes.server.business.account.id);
    let nameless = form(&[], &[("a.gif", GIF)]);
    let late = form(&[], &[("a.gif", GIF)]).replace("--zoop--", &one);
    let id = business(&notes.server);
    let twice = [("business", &*id); 2];
    let mut nobody = Browser::new(&notes.server);
    let foreign = [
        ("Origin", "https://evil.example"),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
    ];
    for (reply, status) in [
        (send(&mut owner, &unknown, &one, &[]), 404),
        (send(&mut owner, "/notes/none/files", &one, &[]), 404),
        (send(&mut owner, &path, &nameless, &[]), 404),
        (send(&mut owner, &path, &late, &[]), 404),
        (send(&mut owner, &path, &form(&twice, &[("a.gif", GIF)]), &[]), 400),
        (owner.post(&path, &[("business", &business(&notes.server))]), 404),
        (owner.send("POST", &path, &foreign, &one), 403),
        (send(&mut nobody, &path, &one, &[]), 303),
    ] {
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert_eq!((notes.names(), notes.stored()), (Vec::new(), 0));
}

#[test]
fn a_browser_that_leaves_leaves_nothing_behind() {
    let notes = Notes::start();
    let office = browser_of(&notes.server, OFFICE);
    let body = json!({ "body": "Mine." });
    let note = notes.server.env.create(&notes.server.business.office, "notes.create", body);
    let cookies: Vec<_> =
        office.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (cookies, origin) = (cookies.join("; "), office.origin());
    let mut connection = Connection::open(notes.server.public);
    let headers = [
        ("Cookie", cookies.as_str()),
        ("Origin", &origin),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
        ("Content-Length", "2000000"),
    ];
    connection.send_head("POST", &format!("/notes/{note}/files"), &headers);
    let form = notes.form(&[("a.gif", GIF), ("b.gif", GIF)]);
    connection.send(&form.as_bytes()[..form.len() - 12]);
    wait_until("the first file is stored", || notes.stored() == 1);
    drop(connection);
    wait_until("it is discarded", || notes.stored() == 0);
}
