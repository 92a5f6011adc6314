//! Files on notes, with a folder as their store.

mod pages;
mod uploads;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use zoop_both::both;
use zoop_crm::business::files::{MAX_BYTES, MAX_FILES};
use zoop_crm::call::scope::Scope;
use zoop_server::{FileStore, Settings};

use crate::http::{self, Connection, Reply};
use crate::people::{self, Browser};
use crate::server::Server;

/// An image of one pixel, whose bytes are all ASCII.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;0123456789";
const TEXT: &[u8] = b"The code is 4711.";

/// A server with a store.
pub(crate) struct Files {
    pub(crate) server: Server,
    folder: TempDir,
    pub(crate) note: String,
}

impl Files {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// [`Self::start`], with other changes to the settings.
    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path().join("files"));
        let server = people::start_with(|settings| {
            settings.files = Some(store);
            change(settings);
        });
        let note = server.env.create(
            &server.business.owner,
            "notes.create",
            json!({ "body": "Gate sticks." }),
        );
        Self { server, folder, note }
    }

    /// Everything in the store, by its path, except what says to which database it belongs: the server writes that once it
    /// notices the store.
    pub(crate) fn stored(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            let Ok(entries) = std::fs::read_dir(folder) else { return };
            for entry in entries {
                let path = entry.expect("an entry").path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder.path().join("files"), &mut found);
        found.retain(|path| path.file_name().is_none_or(|name| name != "zoop-database"));
        found.sort();
        found
    }

    pub(crate) fn target(&self) -> String {
        format!("/api/notes/{}/files", self.note)
    }

    pub(crate) fn upload(&self, name: &str, content: &[u8]) -> Reply {
        let named = format!("attachment; filename=\"{name}\"");
        self.server.post(&self.target(), &[("Content-Disposition", &named)], content)
    }

    /// Uploads a file, and returns its attachment.
    pub(crate) fn added(&self, name: &str, content: &[u8]) -> Value {
        let reply = self.upload(name, content);
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    pub(crate) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Reply {
        let token = format!("Bearer {}", self.server.business.owner_key);
        let mut all = vec![("Authorization", token.as_str())];
        all.extend(headers);
        http::request(self.server.public, "GET", url, &all, b"")
    }

    fn attachments(&self) -> Value {
        let (_, note) = self.server.call("notes.get", json!({ "id": self.note })).tool();
        note["attachments"].clone()
    }
}

pub(crate) fn url(attachment: &Value) -> &str {
    attachment["url"].as_str().expect("a URL")
}

fn multipart(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body =
        b"--zoop\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\nhello\r\n".to_vec();
    for (name, content) in files {
        let head = format!(
            "--zoop\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--zoop--\r\n");
    body
}

#[both]
fn a_file_is_uploaded_shown_with_its_note_and_sent() {
    let files = Files::start();
    let image = files.added("C:\\photos\\Gate \u{1f3e1}.gif", GIF);
    assert_eq!(image["name"], "Gate \u{1f3e1}.gif");
    assert_eq!((&image["type"], &image["size"]), (&json!("image/gif"), &json!(GIF.len())));
    let text = files.added("code.html", TEXT);
    assert_eq!(text["type"], "text/plain", "the name does not matter");
    assert_eq!(files.attachments(), json!([image, text]));
    let tenant = files.server.business.account.id.to_string();
    let key = |file: &Value| {
        files.folder.path().join("files").join(&tenant).join(file["id"].as_str().expect("an id"))
    };
    assert_eq!(files.stored(), [key(&image), key(&text)], "no text of the caller is in a key");

    let sent = files.get(url(&image), &[]);
    assert_eq!((sent.status, sent.body.as_bytes()), (200, GIF));
    let disposition = "inline; filename=\"Gate _.gif\"; filename*=UTF-8''Gate%20%F0%9F%8F%A1.gif";
    for (name, value) in [
        ("content-type", "image/gif"),
        ("content-disposition", disposition),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        ("cross-origin-resource-policy", "same-origin"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(sent.header(name), Some(value), "{name}");
    }
    let saved = files.get(url(&text), &[]);
    assert_eq!((saved.status, saved.body.as_bytes()), (200, TEXT));
    assert!(saved.header("content-disposition").expect("a header").starts_with("attachment; "));

    let tag = sent.header("etag").expect("a tag").to_owned();
    let known = files.get(url(&image), &[("If-None-Match", &tag)]);
    assert_eq!((known.status, known.header("etag")), (304, Some(tag.as_str())));
    let part = files.get(url(&image), &[("Range", "bytes=-4"), ("If-Range", &tag)]);
    assert_eq!((part.status, part.body.as_str()), (206, "6789"));
    let size = GIF.len();
    let range = format!("bytes {}-{}/{size}", size - 4, size - 1);
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    let outside = files.get(url(&image), &[("Range", "bytes=1000-")]);
    assert_eq!(outside.status, 416);
    assert_eq!(outside.header("content-range"), Some(format!("bytes */{size}").as_str()));

    let logged = files.server.log.requests();
    let tools: Vec<_> = logged.iter().map(|line| line["tool"].as_str().expect("a tool")).collect();
    assert!(tools.contains(&"notes.add_files") && tools.contains(&"files/read"), "{tools:?}");
}

#[test]
fn a_form_uploads_all_of_its_files_or_none() {
    let files = Files::start();
    let kind = [("Content-Type", "multipart/form-data; boundary=zoop")];
    let send = |body: &[u8]| files.server.post(&files.target(), &kind, body);
    let reply = send(&multipart(&[("a.gif", GIF), ("b.txt", TEXT)]));
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.json()["attachments"], files.attachments());
    assert_eq!(files.stored().len(), 2);

    let page: &[u8] = b"<html><script>alert(1)</script></html>";
    for (body, message) in [
        (multipart(&[("a.gif", GIF), ("photo.jpg", page)]), "not of a type that is accepted"),
        (multipart(&[]), "the form has none"),
        (multipart(&[("a.gif", GIF)])[..180].to_vec(), "did not arrive whole"),
        (multipart(&[("a.txt", TEXT); MAX_FILES as usize + 1]), "at most 20"),
    ] {
        let reply = send(&body);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(reply.body.contains(message), "{reply:?}");
    }
    assert_eq!(files.stored().len(), 2, "nothing of a refused form is kept");
    assert_eq!(files.attachments().as_array().expect("files").len(), 2);
}

#[test]
fn a_form_with_too_many_files_for_the_note_adds_none() {
    let files = Files::start();
    let owner = &files.server.business.owner;
    let present = vec![("code.txt", TEXT); MAX_FILES as usize - 1];
    files.server.env.add_files(owner, &files.note, &present).expect("there is room");
    let kind = [("Content-Type", "multipart/form-data; boundary=zoop")];
    let form = multipart(&[("a.gif", GIF), ("b.txt", TEXT)]);
    let full = files.server.post(&files.target(), &kind, &form);
    assert_eq!(full.status, 409, "{full:?}");
    assert!(full.body.contains("room for only 1 more"), "{full:?}");
    assert_eq!(files.attachments().as_array().expect("files").len(), MAX_FILES as usize - 1);
    assert_eq!(files.stored(), Vec::<PathBuf>::new());
}

#[test]
fn what_cannot_be_added_is_refused_and_leaves_nothing() {
    let files = Files::start();
    for content in [
        &b"<html><body>A page</body></html>"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"#!/bin/sh\nrm -rf /\n",
        b"MZ\x01\x02\x03\x04 a program",
        b"a text at first, and then a byte \0 that no text has",
        b"",
    ] {
        let reply = files.upload("photo.jpg", content);
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.json()["kind"], "invalid_input");
        assert_eq!(reply.json()["fields"][0]["field"], "file");
    }
    let business = &files.server.business;
    let note =
        |caller| files.server.env.create(caller, "notes.create", json!({ "body": "Another." }));
    let archived = note(&business.owner);
    files.server.call("notes.archive", json!({ "id": archived })).tool();
    for (note, status) in
        [(archived.as_str(), 404), ("none", 400), (&business.account.id.to_string(), 404)]
    {
        let reply = files.server.post(&format!("/api/notes/{note}/files"), &[], TEXT);
        assert_eq!(reply.status, status, "{reply:?}");
    }
    let ask = |headers: &[(&str, &str)]| {
        http::request(files.server.public, "POST", &files.target(), headers, TEXT)
    };
    let reader = format!("Bearer {}", files.server.key(&[Scope::ReadNotes], true));
    let tenant = format!("Bearer {}", business.tenant_key);
    let unknown = format!("Bearer {}", crate::server::unknown_token(1));
    for (headers, status, kind) in [
        (vec![], 401, "unauthorized"),
        (vec![("Authorization", "Bearer nonsense")], 401, "unauthorized"),
        (vec![("Authorization", unknown.as_str())], 401, "unauthorized"),
        (vec![("Authorization", reader.as_str())], 403, "insufficient_scope"),
        (vec![("Authorization", tenant.as_str())], 400, "invalid_input"),
        (vec![("Origin", "https://evil.example")], 403, "origin_refused"),
    ] {
        let reply = ask(&headers);
        assert_eq!((reply.status, &reply.json()["kind"]), (status, &json!(kind)), "{reply:?}");
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
    let wrong = http::request(files.server.public, "PUT", &files.target(), &[], TEXT);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert_eq!(files.stored(), Vec::<PathBuf>::new());
    assert_eq!(files.attachments(), json!([]));
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let files = Files::start();
    let token = format!("Bearer {}", files.server.business.owner_key);
    let target = files.target();
    let too_long = (u64::from(MAX_BYTES) + 1).to_string();
    let mut connection = Connection::open(files.server.public);
    connection.send_head(
        "POST",
        &target,
        &[("Authorization", &token), ("Content-Length", &too_long)],
    );
    let refused = connection.receive();
    assert_eq!(refused.status, 413, "{refused:?}");
    assert!(refused.json()["message"].as_str().expect("text").contains("25 MiB"), "{refused:?}");

    // A body of unknown length is cut.
    let mut connection = Connection::open(files.server.public);
    let chunked = [("Authorization", token.as_str()), ("Transfer-Encoding", "chunked")];
    connection.send_head("POST", &target, &chunked);
    let megabyte = [b"100000\r\n", &vec![b'a'; 1 << 20][..], b"\r\n"].concat();
    for _ in 0..26 {
        connection.send(&megabyte);
    }
    connection.send(b"0\r\n\r\n");
    assert_eq!(connection.receive().status, 413);
    crate::server::wait_until("it is discarded", || files.stored().is_empty());

    // A file that is longer than a part of the store is stored in parts.
    let long = [GIF, &vec![b'a'; 11 << 20]].concat();
    let added = files.added("long.gif", &long);
    assert_eq!(added["size"], long.len());
    let part = files.get(url(&added), &[("Range", "bytes=11534330-")]);
    assert_eq!((part.status, part.body.len()), (206, long.len() - 11_534_330));
}

#[test]
fn without_a_store_uploads_are_refused_and_say_what_to_set() {
    let server = Server::start();
    let owner = server.business.owner.clone();
    let note = server.env.create(&owner, "notes.create", json!({ "body": "Gate sticks." }));
    let refused = server.post(&format!("/api/notes/{note}/files"), &[], TEXT);
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("files.url"), "{refused:?}");
}

#[test]
fn a_file_whose_content_is_missing_is_unknown() {
    let files = Files::start();
    let added = files.added("a.txt", TEXT);
    let (content, unknown) = (&files.stored()[0], files.get("/no-such-address", &[]));
    let is_unknown = |headers: &[(&str, &str)]| {
        let sent = files.get(url(&added), headers);
        assert_eq!((sent.status, &sent.body), (404, &unknown.body), "{sent:?}");
        assert_eq!(sent.header("etag"), None);
    };
    std::fs::write(content, "The").expect("only the beginning is left");
    is_unknown(&[]);
    is_unknown(&[("Range", "bytes=0-1")]);
    is_unknown(&[("Range", "bytes=8-")]);
    std::fs::remove_file(content).expect("removed");
    is_unknown(&[]);
}

#[test]
fn a_file_that_is_not_read_is_counted_and_only_a_little_of_it_is_in_memory() {
    let files = Files::start();
    let long = files.added("long.gif", &[GIF, &vec![b'a'; 20 << 20]].concat());
    let token = format!("Bearer {}", files.server.business.owner_key);
    let mut connection = Connection::open(files.server.public);
    connection.send_head("GET", url(&long), &[("Authorization", &token)]);
    let unread = || {
        let metrics = files.server.metrics();
        let line = metrics.lines().find_map(|line| line.strip_prefix("zoop_answers_unread_bytes "));
        line.expect("the metric").parse::<u64>().expect("a number")
    };
    crate::server::wait_until("some of it waits to be read", || unread() > 0);
    assert!(unread() <= 256 * 1024, "{}", unread());
    drop(connection);
    crate::server::wait_until("it is forgotten", || unread() == 0);
}

#[both]
fn a_file_that_one_may_not_read_is_as_unknown_as_any_address() {
    let files = Files::start();
    let server = &files.server;
    let (kept, removed) = (files.added("a.txt", TEXT), files.added("b.txt", TEXT));
    let (is_error, _) = server.call("notes.remove_file", json!({ "id": removed["id"] })).tool();
    assert!(!is_error);
    assert_eq!(files.attachments(), json!([kept]));
    let other = server.env.empty_business("Other");
    let as_other = [("Authorization", &*format!("Bearer {}", other.owner_key))];
    let as_owner = [("Authorization", &*format!("Bearer {}", server.business.owner_key))];
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let reply = http::request(server.public, "GET", path, headers, b"");
        let headers: Vec<_> =
            reply.headers.into_iter().filter(|(name, _)| name != "date").collect();
        (reply.status, headers, reply.body)
    };
    let unknown = ask("/no-such-address", &as_owner);
    assert_eq!(unknown.0, 404);
    for (path, headers) in [
        (url(&kept), &as_other),
        (url(&removed), &as_owner),
        (&format!("/files/{}", files.note), &as_owner),
        ("/files/none", &as_owner),
        ("/files/%ff", &as_owner),
    ] {
        assert_eq!(ask(path, headers), unknown, "{path}");
    }
    for _ in 0..301 {
        // More than the pages that an address may open.
        assert_eq!(ask("/files/none", &[]).0, 401);
    }
    let person = [("Accept", "text/html,application/xhtml+xml;q=0.9")];
    for path in [url(&kept), url(&removed)] {
        let sent = http::request(server.public, "GET", path, &person, b"");
        let next = format!("/sign-in?next={}", path.replace('/', "%2F"));
        assert_eq!((sent.status, sent.header("location")), (303, Some(next.as_str())));
    }
    let (stranger, nobody) = (ask(url(&kept), &[]), ask("/files/none", &[]));
    assert_eq!((stranger.0, stranger.2), (401, nobody.2), "a stranger learns nothing of an id");
    assert_eq!(nobody.0, 401);

    let mut browser = Browser::new(server);
    let fields = [("email", people::OWNER), ("password", people::PASSWORD), ("next", url(&kept))];
    assert_eq!(browser.post("/sign-in", &fields).header("location"), Some(url(&kept)));
    let shown = browser.get(url(&kept));
    assert_eq!((shown.status, shown.body.as_bytes()), (200, TEXT));
    assert_eq!(browser.get(url(&removed)).status, 404);
    assert_eq!(browser.get(&format!("/files/{}", files.note)).status, 404);
}
