//! Pages that read a file with a token, and heads.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Files, TEXT, url};
use crate::http::{self, Reply};
use crate::people::{self, Browser};

#[test]
fn a_page_of_an_allowed_origin_reads_a_file_and_a_head_needs_no_content() {
    let page = "https://app.example";
    let files = Files::start_with(|settings| {
        settings.allowed_origins = vec![page.parse().expect("an origin")];
    });
    let added = files.added("a.txt", TEXT);
    let ask = |method, headers: &[(&str, &str)]| {
        http::request(files.server.public, method, url(&added), headers, b"")
    };
    let allowed = |reply: &Reply| reply.header("access-control-allow-origin").map(str::to_owned);
    let asked = ask("OPTIONS", &[("Origin", page), ("Access-Control-Request-Method", "GET")]);
    assert_eq!((asked.status, allowed(&asked).as_deref()), (204, Some(page)), "{asked:?}");
    assert_eq!(asked.header("access-control-allow-methods"), Some("GET, HEAD"));
    assert_eq!(ask("OPTIONS", &[("Origin", "https://evil.example")]).status, 404);
    let read = files.get(url(&added), &[("Origin", page)]);
    assert_eq!((read.status, allowed(&read).as_deref()), (200, Some(page)), "{read:?}");
    assert_eq!(allowed(&files.get(url(&added), &[("Origin", "https://evil.example")])), None);

    // What a proxy wants for itself is not a token.
    let mut browser = Browser::new(&files.server);
    let fields = [("email", people::OWNER), ("password", people::PASSWORD), ("next", url(&added))];
    browser.post("/sign-in", &fields);
    let basic = [("Authorization", "Basic em9vcDp6b29w")];
    assert_eq!(browser.send("GET", url(&added), &basic, "").status, 200);

    std::fs::remove_file(&files.stored()[0]).expect("removed");
    let (path, key) = (url(&added), &files.server.business.owner_key);
    let head = format!(
        "HEAD {path} HTTP/1.1\r\nHost: zoop\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    let mut connection = TcpStream::connect(files.server.public).expect("a connection");
    connection.write_all(head.as_bytes()).expect("sent");
    let mut reply = String::new();
    connection.read_to_string(&mut reply).expect("an answer");
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(reply.contains(&format!("content-length: {}\r\n", TEXT.len())), "{reply}");
}
