//! Many uploads at once, slow ones, those that are sent again, and clients that leave.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use zoop_both::both;
use zoop_crm::business::files::{MAX_BYTES, MAX_FILES};
use zoop_crm::values::size::Size;
use zoop_server::FileStore;

use super::{Files, GIF, TEXT, multipart};
use crate::http::Connection;
use crate::server::Server;

#[test]
fn what_is_not_a_file_of_a_form_is_short() {
    let files = Files::start_with(|settings| settings.request_deadline = Duration::from_secs(1));
    let token = format!("Bearer {}", files.server.business.owner_key);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
        ("Content-Length", "400000000"),
    ];
    let field = "--zoop\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    let long = "a".repeat(400_000);
    for (beginning, status) in [
        (format!("--zoop\r\nX: {long}"), 400),
        (format!("--zoop\r\n{}", "X: a\r\n".repeat(60_000)), 400),
        (long.clone(), 400),
        (format!("{field}{long}"), 413),
        (format!("{field}\r\n").repeat(8_000), 413),
    ] {
        let mut connection = Connection::open(files.server.public);
        connection.send_head("POST", &files.target(), &headers);
        connection.send(beginning.as_bytes());
        assert_eq!(connection.receive().status, status, "{}", &beginning[..40]);
    }
}

#[test]
fn a_form_that_stops_arriving_is_given_up() {
    let files = Files::start_with(|settings| settings.request_deadline = Duration::from_secs(1));
    let token = format!("Bearer {}", files.server.business.owner_key);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
        ("Content-Length", "4000"),
    ];
    let whole = multipart(&[("a.gif", GIF)]);
    for beginning in [&b"--zoop\r\nX: "[..], &whole[..whole.len() - 9]] {
        let mut connection = Connection::open(files.server.public);
        connection.send_head("POST", &files.target(), &headers);
        connection.send(beginning);
        assert_eq!(connection.receive().status, 408);
    }
    assert_eq!(files.stored(), Vec::<PathBuf>::new());
}

#[test]
fn uploads_that_have_only_begun_leave_room_to_others() {
    let files = Files::start();
    let token = format!("Bearer {}", files.server.business.owner_key);
    let headers = [("Authorization", token.as_str()), ("Content-Length", "20000000")];
    let begun: Vec<_> = (0..12)
        .map(|_| {
            let mut connection = Connection::open(files.server.public);
            let expects = [&headers[..], &[("Expect", "100-continue")]].concat();
            connection.send_head("POST", &files.target(), &expects);
            assert_eq!(connection.receive().status, 100, "it is being received");
            connection.send(GIF);
            connection
        })
        .collect();
    files.added("a.gif", GIF);
    drop(begun);
}

#[test]
fn a_client_that_leaves_leaves_nothing_behind() {
    let files = Files::start();
    let token = format!("Bearer {}", files.server.business.owner_key);
    let mut connection = Connection::open(files.server.public);
    let headers = [("Authorization", token.as_str()), ("Content-Length", "20000000")];
    connection.send_head("POST", &files.target(), &headers);
    connection.send(&[GIF, &vec![b'a'; 8 << 20]].concat());
    crate::server::wait_until("a part is stored", || !files.stored().is_empty());
    drop(connection);
    crate::server::wait_until("it is discarded", || files.stored().is_empty());

    // Of a form, also the files before.
    let mut connection = Connection::open(files.server.public);
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "multipart/form-data; boundary=zoop"),
        ("Content-Length", "20000000"),
    ];
    connection.send_head("POST", &files.target(), &headers);
    let form = multipart(&[("a.gif", GIF), ("b.gif", GIF), ("c.gif", GIF)]);
    connection.send(&form[..form.len() - 20]);
    crate::server::wait_until("two files are stored", || files.stored().len() == 2);
    drop(connection);
    crate::server::wait_until("they are discarded", || files.stored().is_empty());
    assert_eq!(files.attachments(), json!([]));
}

#[test]
fn a_client_that_leaves_while_its_files_are_being_added_leaves_no_content_without_a_file() {
    let files = Files::start();
    let token = format!("Bearer {}", files.server.business.owner_key);
    let abandoned = || {
        let requests = files.server.log.requests();
        requests.iter().any(|line| line["outcome"] == "abandoned")
    };
    std::thread::scope(|scope| {
        let (release, released) = mpsc::channel::<()>();
        let (writes, is_writing) = mpsc::channel();
        let env = &files.server.env;
        scope.spawn(move || {
            let write = move |_: &mut zoop_db::WriteTx<'_>| {
                writes.send(()).expect("the test waits");
                // Until the test drops it.
                let _ = released.recv();
                Ok::<_, zoop_crm::call::error::Error>(())
            };
            env.write(write).expect("a write");
        });
        is_writing.recv().expect("other writes wait");
        let mut connection = Connection::open(files.server.public);
        let length = GIF.len().to_string();
        let headers = [("Authorization", token.as_str()), ("Content-Length", &length)];
        connection.send_head("POST", &files.target(), &headers);
        connection.send(GIF);
        crate::server::wait_until("the content is stored", || files.stored().len() == 1);
        drop(connection);
        crate::server::wait_until("the server has noticed", abandoned);
        drop(release);
    });
    let get = || {
        let (env, owner) = (&files.server.env, &files.server.business.owner);
        env.call(owner, "notes.get", json!({ "id": files.note })).expect("the note")
    };
    crate::server::wait_until("it is added, or its content deleted", || {
        get()["attachments"].as_array().expect("files").len() == files.stored().len()
    });
}

#[test]
fn the_limits_of_a_note_and_of_an_account_are_told_before_the_content_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = Server::start_with_environment(
        |environment| environment.files_limit = Size(100),
        |settings| settings.files = Some(store),
    );
    let owner = server.business.owner.clone();
    let note = server.env.create(&owner, "notes.create", json!({ "body": "Gate sticks." }));
    let target = format!("/api/notes/{note}/files");
    let token = format!("Bearer {}", server.business.owner_key);
    let mut connection = Connection::open(server.public);
    let headers = [("Authorization", token.as_str()), ("Content-Length", "101")];
    connection.send_head("POST", &target, &[&headers[..], &[("Expect", "100-continue")]].concat());
    let full = connection.receive();
    assert_eq!((full.status, &full.json()["kind"]), (409, &json!("conflict")), "{full:?}");
    assert!(full.body.contains("reached their limit (100 B"), "{full:?}");
    let added = server.post(&target, &[], &[b'a'; 100]);
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(server.post(&target, &[], TEXT).status, 409);
}

#[test]
fn many_long_files_are_uploaded_at_once() {
    let files = Files::start();
    let long = [GIF, &vec![b'a'; MAX_BYTES as usize - GIF.len()]].concat();
    std::thread::scope(|scope| {
        let upload = || files.upload("long.gif", &long).status;
        let uploads: Vec<_> = (0..6).map(|_| scope.spawn(upload)).collect();
        for upload in uploads {
            assert_eq!(upload.join().expect("an answer"), 201);
        }
    });
    assert_eq!(files.stored().len(), 6);
}

#[test]
fn what_is_being_sent_counts_for_the_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let server = Server::start_with_environment(
        |environment| environment.files_limit = Size(30 << 20),
        |settings| settings.files = Some(store),
    );
    let owner = server.business.owner.clone();
    let note = server.env.create(&owner, "notes.create", json!({ "body": "Gate sticks." }));
    let target = format!("/api/notes/{note}/files");
    let token = format!("Bearer {}", server.business.owner_key);
    let started = |length: (&str, &str)| {
        let mut connection = Connection::open(server.public);
        let headers = [("Authorization", token.as_str()), length, ("Expect", "100-continue")];
        connection.send_head("POST", &target, &headers);
        let reply = connection.receive();
        (connection, reply)
    };
    let long = ("Content-Length", "20000000");
    let (first, begun) = started(long);
    assert_eq!(begun.status, 100, "{begun:?}");
    for length in [long, ("Transfer-Encoding", "chunked")] {
        let (_, full) = started(length);
        assert_eq!((full.status, &full.json()["kind"]), (409, &json!("conflict")), "{full:?}");
        assert!(full.body.contains("reached their limit (30 MiB)"), "{full:?}");
    }
    assert_eq!(server.post(&target, &[], TEXT).status, 201, "there is room for little more");
    drop(first);
    crate::server::wait_until("its room is free again", || started(long).1.status == 100);
}

#[both]
fn an_upload_that_is_repeated_with_its_key_adds_nothing_again() {
    let files = Files::start();
    let owner = &files.server.business.owner;
    let send = |key: &str, name: &str, content: &[u8]| {
        let named = format!("attachment; filename=\"{name}\"");
        let headers = [("Content-Disposition", named.as_str()), ("Idempotency-Key", key)];
        files.server.post(&files.target(), &headers, content)
    };
    let first = send("one", "code.txt", TEXT);
    assert_eq!(first.status, 201, "{first:?}");
    let present = vec![("other.txt", TEXT); MAX_FILES as usize - 1];
    files.server.env.add_files(owner, &files.note, &present).expect("there is room");
    let again = send("one", "code.txt", TEXT);
    assert_eq!((again.status, again.json()), (201, first.json()), "although the note is full");
    assert_eq!(files.stored().len(), 1, "the content is not kept twice");
    for (name, content) in [("code.txt", GIF), ("other.txt", TEXT)] {
        let other = send("one", name, content);
        assert_eq!((other.status, &other.json()["kind"]), (409, &json!("conflict")), "{other:?}");
        assert!(other.body.contains("used for another call"), "{other:?}");
    }
    assert_eq!(send("two", "code.txt", TEXT).status, 409, "the note is full");
    let long = "k".repeat(256);
    let refused = send(&long, "code.txt", TEXT);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["fields"][0]["field"], "idempotency_key", "{refused:?}");
    assert_eq!(files.stored().len(), 1);
    let count = files.attachments().as_array().expect("files").len();
    assert_eq!(count, MAX_FILES as usize);
}

#[test]
fn a_form_that_is_repeated_with_its_key_answers_the_same() {
    let files = Files::start();
    let headers =
        [("Content-Type", "multipart/form-data; boundary=zoop"), ("Idempotency-Key", "one")];
    let form = multipart(&[("a.gif", GIF), ("b.txt", TEXT)]);
    let send = || files.server.post(&files.target(), &headers, &form);
    let (first, again) = (send(), send());
    assert_eq!((first.status, &first.body), (201, &again.body), "{first:?}");
    assert_eq!(again.json()["attachments"], files.attachments());
    assert_eq!(files.stored().len(), 2);
    let twice = [headers[1], ("Idempotency-Key", "two")];
    assert_eq!(files.server.post(&files.target(), &twice, TEXT).status, 400);
}
