//! What holds for every page.

use zoop_both::both;

use super::{Browser, form, start};

/// Every path with a page, and by which method it is asked: a new one belongs here too.
const PAGES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/second-factor"),
    ("POST", "/sign-in/second-factor"),
    ("POST", "/sign-out"),
    ("GET", "/invitations/x"),
    ("POST", "/invitations/x"),
    ("GET", "/account"),
    ("POST", "/account/password"),
    ("POST", "/account/second-factor"),
    ("POST", "/account/second-factor/confirm"),
    ("POST", "/account/second-factor/off"),
    ("POST", "/account/sessions/end"),
    ("POST", "/account/sessions/end-others"),
    ("POST", "/account/programs/disconnect"),
    ("GET", "/team"),
    ("POST", "/team/role"),
    ("POST", "/team/remove"),
    ("POST", "/team/invite"),
    ("POST", "/team/revoke"),
];

#[test]
fn the_list_of_pages_is_whole() {
    let source = include_str!("../../../src/people/mod.rs");
    let routes: Vec<_> = source
        .split(".route(\"")
        .skip(1)
        .flat_map(|route| {
            let (path, rest) = route.split_once('"').expect("a path");
            let handlers = rest.split(".route").next().unwrap_or_default();
            let has = |word: &str| handlers.contains(word);
            let path = path.replace("{token}", "x");
            let get = has("get(").then(|| ("GET".to_owned(), path.clone()));
            get.into_iter().chain(has("post(").then(|| ("POST".to_owned(), path)))
        })
        .collect();
    let listed: Vec<_> =
        PAGES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routes, listed);
}

#[both]
fn every_page_is_dressed_and_framed_by_nobody() {
    let server = start();
    for is_in in [false, true] {
        let mut browser = if is_in { Browser::owner(&server) } else { Browser::new(&server) };
        let session = browser.cookies.clone();
        for (method, path) in PAGES {
            server.world.clock.advance(60_000);
            browser.cookies.clone_from(&session);
            let origin = browser.origin();
            let headers = [("Origin", origin.as_str())];
            let headers = if *method == "POST" { &headers[..] } else { &[] };
            let reply = browser.send(method, path, headers, "");
            let about = format!("{method} {path} {reply:?}");
            assert!(reply.status < 500 && reply.status != 405, "{about}");
            let policy = reply.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("default-src 'none'"), "{about}");
            assert!(policy.contains("frame-ancestors 'none'"), "{about}");
            assert!(!policy.contains("unsafe"), "{about}");
            assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{about}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{about}");
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{about}");
            assert_eq!(reply.header("referrer-policy"), Some("same-origin"), "{about}");
            assert!(!reply.body.contains("<script") && !reply.body.contains("style="), "{about}");
        }
    }
}

#[both]
fn no_form_is_taken_from_another_site_and_nothing_is_done() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let session = browser.cookies.clone();
    let own = browser.origin();
    let nothing: &[(&str, &str)] = &[];
    for (method, path) in PAGES.iter().filter(|(method, _)| *method == "POST") {
        for headers in [
            nothing,
            &[("Origin", "https://evil.example")],
            &[("Origin", "null")],
            &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Referer", &format!("{own}/account"))],
        ] {
            server.world.clock.advance(4_000);
            let body = form(&[("email", super::OWNER), ("password", super::PASSWORD)]);
            let reply = browser.send(method, path, headers, &body);
            assert_eq!(reply.status, 403, "{path} {headers:?}");
            assert!(reply.body.contains("another site"), "{path} {headers:?}");
        }
    }
    assert_eq!(browser.cookies, session);
    assert!(browser.is_in());
    // An old browser that names no sender, but says that it is the same.
    let reply = browser.send("POST", "/sign-out", &[("Sec-Fetch-Site", "same-origin")], "");
    assert_eq!(reply.status, 303);
}

#[both]
fn a_form_with_a_field_twice_or_too_much_in_it_is_refused() {
    let server = start();
    let mut browser = Browser::new(&server);
    let origin = browser.origin();
    let headers = [("Origin", origin.as_str())];
    let twice = "email=a%40b.c&password=x&email=d%40e.f";
    assert_eq!(browser.send("POST", "/sign-in", &headers, twice).status, 400);
    let long = format!("email=a%40b.c&password={}", "x".repeat(70_000));
    assert_eq!(browser.send("POST", "/sign-in", &headers, &long).status, 400);
    assert_eq!(browser.get("/sign-in?next=%2Fteam&next=%2Faccount").status, 400);
    let marked = "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&password=x";
    let reply = browser.send("POST", "/sign-in", &headers, marked);
    assert!(!reply.body.contains("<script"), "{}", reply.body);
}
