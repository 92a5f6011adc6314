//! Files that a browser adds to a note.

use serde_json::{Value, json};
use tempfile::TempDir;
use zoop_both::both;
use zoop_crm::business::files::MAX_FILES;
use zoop_server::FileStore;

use super::{
    OFFICE, TECH, browser_of, business, call, company, create, start_with, unescaped,
    without_change,
};
use crate::http::{Connection, Reply};
use crate::people::{Browser, between, location};
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

pub(super) fn form(fields: &[(&str, &str)], files: &[(&str, &str)]) -> String {
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

pub(super) fn send(
    browser: &mut Browser<'_>,
    path: &str,
    form: &str,
    more: &[(&str, &str)],
) -> Reply {
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
        without_change(&added),
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
        (&[("photo.jpg", PAGE)][..], "photo.jpg: The content of this file is not"),
        (&[("empty.txt", ""), ("b.txt", "")], "empty.txt is empty. b.txt is empty."),
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

#[both]
fn the_good_files_of_a_form_are_added_and_the_others_are_named() {
    let notes = Notes::start();
    let mut owner = Browser::owner(&notes.server);
    let files = [("empty.txt", ""), ("a.gif", GIF), ("photo.jpg", PAGE), ("code.txt", TEXT)];
    let form = notes.form(&files);
    let partial = send(&mut owner, &notes.path(), &form, &[]);
    assert_eq!(partial.status, 400, "{partial:?}");
    assert!(partial.body.contains("<h1>Not all files were added</h1>"), "{partial:?}");
    let said = between(&partial.body, "role=\"alert\" data-partial>", "</p>");
    assert!(said.starts_with("empty.txt is empty. photo.jpg: The content of"), "{said}");
    assert_eq!((notes.names(), notes.stored()), (vec!["a.gif".into(), "code.txt".into()], 2));
    let for_script = send(&mut owner, &notes.path(), &form, &[("HX-Request", "true")]).body;
    assert!(for_script.starts_with("<p class=\"fault\" role=\"alert\" data-partial>"));

    // The same with a new note.
    let partial = notes.send_new(&mut owner, "k1", "Two of four.", &files);
    assert_eq!(partial.status, 400, "{partial:?}");
    assert!(partial.body.contains("The note was added, but not all of its files."), "{partial:?}");
    assert!(partial.body.contains("empty.txt is empty. photo.jpg: The content"), "{partial:?}");
    let two = vec!["a.gif".to_owned(), "code.txt".to_owned()];
    assert_eq!(notes.all()[0], ("Two of four.".to_owned(), two));
    // Sent again, nothing is added again.
    notes.send_new(&mut owner, "k1", "Two of four.", &files);
    assert_eq!((notes.all().len(), notes.stored()), (2, 6));
}

#[both]
fn a_note_of_files_only_says_what_they_are() {
    let notes = Notes::start();
    let mut tech = browser_of(&notes.server, TECH);
    let page = tech.get(&format!("/customers/{}", notes.customer)).body;
    let text = between(&page, "<textarea", ">");
    assert!(!text.contains("required"), "a photo is enough: {text}");
    let (gif, text) = (("gate.gif", GIF), ("code.txt", TEXT));
    for (key, files, body) in [
        ("k1", &[gif][..], "Photo"),
        ("k2", &[gif, ("empty.gif", ""), gif], "2 photos"),
        ("k3", &[text], "code.txt"),
        ("k4", &[gif, text], "gate.gif, code.txt"),
    ] {
        let before = notes.all().len();
        for _ in 0..2 {
            let added = notes.send_new(&mut tech, key, "", files);
            assert!([303, 400].contains(&added.status), "{added:?}");
        }
        let (said, names) = notes.all().swap_remove(0);
        let count = files.iter().filter(|(_, content)| !content.is_empty()).count();
        assert_eq!((said.as_str(), names.len()), (body, count));
        assert_eq!(notes.all().len(), before + 1);
    }
    // Without a file there is no note, and with one there is.
    let before = notes.all().len();
    let refused = notes.send_new(&mut tech, "k5", " ", &[("empty.gif", "")]);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("empty.gif is empty."), "{refused:?}");
    assert!(!refused.body.contains("The note was added"), "{refused:?}");
    let nothing = notes.send_new(&mut tech, "k6", "", &[("", "")]);
    assert!(nothing.status == 400 && nothing.body.contains("Write something, or choose a photo"));
    assert_eq!(notes.all().len(), before);
    assert_eq!(notes.send_new(&mut tech, "k5", " ", &[gif]).status, 303);
    assert_eq!(notes.all()[0].0, "Photo");
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

#[both]
fn pages_show_the_files_of_a_note_and_who_may_remove_one_is_asked_first() {
    let notes = Notes::start();
    let server = &notes.server;
    let add = |name: &str, content: &str| {
        let added =
            server.env.add_file(&server.business.owner, &notes.note, name, content.as_bytes());
        added.expect("a file").id.to_string()
    };
    let photo = add("<gate>.gif", GIF);
    let text = add("\u{5e9}\u{5dd}.txt", TEXT);
    call(server, "notes.update", json!({ "id": notes.note, "pinned": true }));
    let mut owner = Browser::owner(server);
    let (customer, id) = (format!("/customers/{}", notes.customer), business(server));
    for path in [customer.as_str(), "/notes", "/"] {
        let page = owner.get(path).body;
        let files = unescaped(between(&page, "<ul class=\"files\"", "</ul>"));
        for part in [
            &format!(
                "<a class=\"pic\" href=\"/files/{photo}\" target=\"_blank\" rel=\"noopener\">"
            ),
            &format!(
                "<img src=\"/files/{photo}/thumbnail\" width=\"96\" height=\"72\" loading=\"lazy\" \
                      alt=\"&#60;gate&#62;.gif\"></a>"
            ),
            "<bdi>&#60;gate&#62;.gif</bdi><small>GIF image, 24 B</small>",
            &format!(
                "<a href=\"/files/{text}\"><bdi>\u{5e9}\u{5dd}.txt</bdi></a><small>Text, 17 B</small>"
            ),
        ] {
            assert!(files.contains(part), "{path}: {part}: {files}");
        }
        // The first page only shows notes.
        let may = path != "/";
        assert_eq!(files.matches(">Remove<").count(), if may { 2 } else { 0 }, "{path}: {files}");
        assert_eq!(page.contains(">Attach file<"), may, "{path}");
    }
    let others = browser_of(server, TECH).get(&customer).body;
    assert!(others.contains("class=\"files\"") && !others.contains(">Remove<"), "{others}");
    assert!(!others.contains(">Attach file<") && others.contains("id=\"files\""), "{others}");

    let ask = format!("/notes/{}/files/{photo}/remove", notes.note);
    let asked = format!("{ask}?business={id}&customer={}", notes.customer);
    let page = owner.get(&customer).body;
    assert!(unescaped(&page).contains(&format!("href=\"{asked}\"")), "{page}");
    let question = owner.get(&asked).body;
    assert!(question.contains("<h1>Remove this file?</h1>"), "{question}");
    assert!(question.contains("<bdi>&#60;gate&#62;.gif</bdi>"), "{question}");
    let action = unescaped(between(&question, "class=\"row\" method=\"post\" action=\"", "\""));
    let mut tech = browser_of(server, TECH);
    assert_eq!(tech.get(&asked).status, 403);
    let refused = tech.post(&action, &[("business", &id)]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("Only the note&#39;s author or an owner"), "{refused:?}");
    let removed = owner.post(&action, &[("business", &id)]);
    let page = owner.get(location(&removed).trim_end_matches("#notes")).body;
    assert!(page.contains("<p>The file <bdi>&#60;gate&#62;.gif</bdi> was removed.</p>"), "{page}");
    assert_eq!(notes.names(), ["\u{5e9}\u{5dd}.txt"]);
    assert_eq!(owner.get(&asked).status, 404);
    assert_eq!(owner.post(&action, &[("business", &id)]).status, 404);
    for path in ["/notes/x/files/y/remove", &ask.replace(&photo, &notes.note)] {
        assert_eq!(owner.get(path).status, 404, "{path}");
    }
    // The name is not told of a file that is there, or of another business.
    let page = owner.get(&format!("/notes?done=file-removed&record={text}")).body;
    assert!(page.contains("<p>The file was removed.</p>"), "{page}");

    let story = owner.get(&format!("{customer}/history")).body;
    for line in ["removed the file</", "added the file"] {
        assert!(story.contains(line.trim_end_matches("</")), "{line}: {story}");
    }
    assert!(!story.contains("attachments"), "{story}");
    let activity = owner.get("/activity?event=notes.remove_file").body;
    assert!(activity.contains("removed the file <bdi>&#60;gate&#62;.gif</bdi>"), "{activity}");
}

impl Notes {
    /// A new note, as the customer's page sends it.
    fn send_new(
        &self,
        browser: &mut Browser<'_>,
        key: &str,
        body: &str,
        files: &[(&str, &str)],
    ) -> Reply {
        let fields = [("business", &*business(&self.server)), ("key", key), ("body", body)];
        let path = format!("/customers/{}/notes", self.customer);
        send(browser, &path, &form(&fields, files), &[])
    }

    /// The customer's notes with the names of their files, newest first.
    fn all(&self) -> Vec<(String, Vec<String>)> {
        let listed = call(&self.server, "notes.list", json!({ "customer_id": self.customer }));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let note = |note: &Value| {
            let files = note["attachments"].as_array().expect("files").iter();
            (text(&note["body"]), files.map(|file| text(&file["name"])).collect())
        };
        listed["rows"].as_array().expect("rows").iter().map(note).collect()
    }
}

#[both]
fn a_new_note_comes_with_its_files_and_only_once() {
    let notes = Notes::start();
    let mut tech = browser_of(&notes.server, TECH);
    let page = tech.get(&format!("/customers/{}", notes.customer)).body;
    let composer = between(&page, "<form class=\"card composer\"", "</form>");
    assert!(composer.contains("enctype=\"multipart/form-data\""), "{composer}");
    assert!(composer.contains("data-files=\"20\" data-bytes=\"26214400\""), "{composer}");
    assert!(
        composer.contains("<input type=\"file\" id=\"files\" name=\"file\" multiple"),
        "{composer}"
    );
    let key = between(composer, "name=\"key\" value=\"", "\"").to_owned();
    let files = [("gate.gif", GIF), ("code.txt", TEXT)];
    for _ in 0..2 {
        let added = notes.send_new(&mut tech, &key, "A photo.", &files);
        assert_eq!(added.status, 303, "{added:?}");
        let page = tech.get(location(&added).trim_end_matches("#notes")).body;
        assert!(page.contains("The note was added."), "{page}");
    }
    let with_files = ("A photo.".to_owned(), vec!["gate.gif".to_owned(), "code.txt".to_owned()]);
    assert_eq!(notes.all()[0], with_files);
    assert_eq!((notes.all().len(), notes.stored()), (2, 2));

    // A form without a file, as browsers send it, and one that is longer than other forms may be.
    let long = "x".repeat(99_000);
    for (body, files) in [("Only text.", &[("", "")][..]), (&long, &[])] {
        let added = notes.send_new(&mut tech, &key, body, files);
        assert_eq!(added.status, 303, "{added:?}");
        assert_eq!(notes.all()[0], (body.to_owned(), Vec::new()));
    }
    assert_eq!(notes.all().len(), 4);
}

#[test]
fn a_new_note_is_there_even_if_its_file_is_refused() {
    let notes = Notes::start();
    let mut owner = Browser::owner(&notes.server);
    let bad = [("photo.jpg", PAGE)];
    for _ in 0..2 {
        let refused = notes.send_new(&mut owner, "k1", "Kept.", &bad);
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.contains("The note was added, but not its files."), "{refused:?}");
        let fault = between(&refused.body, "role=\"alert\">", "</p>");
        assert!(fault.starts_with("photo.jpg: The content of this file is not"), "{fault}");
        let text = between(&refused.body, "<textarea", "</textarea>");
        assert!(text.ends_with(">\n"), "it is not typed again: {text}");
    }
    assert_eq!(notes.all()[0], ("Kept.".to_owned(), Vec::new()));
    assert_eq!((notes.all().len(), notes.stored()), (2, 0));
    // The same form with a file that is accepted.
    assert_eq!(notes.send_new(&mut owner, "k1", "Kept.", &[("a.gif", GIF)]).status, 303);
    assert_eq!(notes.all()[0], ("Kept.".to_owned(), vec!["a.gif".to_owned()]));
    // A note that is refused keeps its text, and none of its files.
    let longest = "x".repeat(100_001);
    let refused = notes.send_new(&mut owner, "k3", &longest, &[("a.gif", GIF)]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains(&longest), "what was typed stays");
    // A form that is too long is not read to its end, and what ended its session meanwhile loses no text.
    let refused = notes.send_new(&mut owner, "k4", &"x".repeat(1_100_000), &[]);
    assert_eq!(refused.status, 413, "{refused:?}");
    let kept = notes.send_new(&mut Browser::new(&notes.server), "k5", "Typed.", &[("a.gif", GIF)]);
    assert_eq!(kept.status, 401, "{kept:?}");
    assert!(kept.body.contains("name=\"body\" value=\"Typed.\""), "{kept:?}");
    assert!(kept.body.contains("chosen files have to be attached again"), "{kept:?}");
    let foreign = [
        ("Origin", "https://evil.example"),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
    ];
    let path = format!("/customers/{}/notes", notes.customer);
    assert_eq!(owner.send("POST", &path, &foreign, &form(&[], &[])).status, 403);
    assert_eq!((notes.all().len(), notes.stored()), (2, 1));
}

#[test]
fn a_server_without_a_store_offers_no_files() {
    let server = super::start();
    let customer = company(&server, "Bay Bakery");
    let body =
        json!({ "body": "Gate sticks.", "subject_type": "customer", "subject_id": customer });
    create(&server, "notes.create", body);
    let page = Browser::owner(&server).get(&format!("/customers/{customer}")).body;
    assert!(page.contains("Gate sticks.") && !page.contains("type=\"file\""), "{page}");
}
