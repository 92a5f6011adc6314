//! Rules for every page.

use serde_json::{Value, json};
use zoop_both::both;
use zoop_crm::testing::Caller;
use zoop_server::Settings;

use self::For::{Anyone, Members, Office, Owners};
use super::{Browser, PASSWORD, between, form, set_password, start, without_scripts};
use crate::server::Server;

/// For whom a page is. Others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum For {
    /// Whoever has an account, or wants one.
    Anyone,
    /// Every member of a business.
    Members,
    /// Members who may change what is known about customers.
    Office,
    Owners,
}

/// The method and path of every page, and for whom it is; `{customer}` stands for the id of a customer, `{part}` for that
/// of one of its contacts or locations, `{note}` for that of a note, `{file}` for that of its file, `{entry}` for that
/// of an entry of the history, `{other}` for that of another customer, and `{job}` for that
/// of an import that waits for a decision. Add new pages here too: the laws of pages follow from this list.
pub(super) const PAGES: &[(&str, &str, For)] = &[
    ("GET", "/sign-in", Anyone),
    ("POST", "/sign-in", Anyone),
    ("GET", "/sign-in/second-factor", Anyone),
    ("POST", "/sign-in/second-factor", Anyone),
    ("GET", "/sign-in/forgot", Anyone),
    ("POST", "/sign-in/forgot", Anyone),
    ("GET", "/password/x", Anyone),
    ("POST", "/password/x", Anyone),
    ("POST", "/sign-out", Anyone),
    ("GET", "/invitations/x", Anyone),
    ("POST", "/invitations/x", Anyone),
    ("GET", "/account", Anyone),
    ("POST", "/account/name", Anyone),
    ("POST", "/account/email", Anyone),
    ("GET", "/account/email/x", Anyone),
    ("POST", "/account/email/x", Anyone),
    ("POST", "/account/password", Anyone),
    ("POST", "/account/second-factor", Anyone),
    ("POST", "/account/second-factor/confirm", Anyone),
    ("POST", "/account/second-factor/off", Anyone),
    ("POST", "/account/second-factor/codes", Anyone),
    ("POST", "/account/sessions/end", Anyone),
    ("POST", "/account/sessions/end-others", Anyone),
    ("GET", "/account/programs/disconnect", Anyone),
    ("POST", "/account/programs/disconnect", Anyone),
    ("GET", "/team", Owners),
    ("POST", "/team/role", Owners),
    ("GET", "/team/remove", Owners),
    ("POST", "/team/remove", Owners),
    ("POST", "/team/invite", Owners),
    ("POST", "/team/password-link", Owners),
    ("POST", "/team/revoke", Owners),
    ("GET", "/", Members),
    ("GET", "/customers", Members),
    ("GET", "/customers/new", Office),
    ("POST", "/customers/new", Office),
    ("GET", "/customers/similar", Members),
    ("GET", "/customers/download", Members),
    ("GET", "/customers/{customer}", Members),
    ("GET", "/customers/{customer}/edit", Office),
    ("POST", "/customers/{customer}/edit", Office),
    ("POST", "/customers/{customer}/notes", Members),
    ("POST", "/customers/{customer}/pin", Members),
    ("POST", "/customers/{customer}/tag", Office),
    ("POST", "/customers/{customer}/new-tag", Office),
    ("POST", "/customers/{customer}/untag", Office),
    ("GET", "/customers/{customer}/archive", Office),
    ("POST", "/customers/{customer}/archive", Office),
    ("POST", "/customers/{customer}/restore", Office),
    ("GET", "/customers/{customer}/erase", Owners),
    ("POST", "/customers/{customer}/erase", Owners),
    ("GET", "/customers/{customer}/erase/certificate", Owners),
    ("GET", "/customers/{customer}/merge/{other}", Office),
    ("POST", "/customers/{customer}/merge/{other}", Office),
    ("GET", "/customers/{customer}/contacts/new", Office),
    ("POST", "/customers/{customer}/contacts/new", Office),
    ("GET", "/customers/{customer}/contacts/{part}/edit", Office),
    ("POST", "/customers/{customer}/contacts/{part}/edit", Office),
    ("GET", "/customers/{customer}/contacts/{part}/archive", Office),
    ("POST", "/customers/{customer}/contacts/{part}/archive", Office),
    ("POST", "/customers/{customer}/contacts/{part}/restore", Office),
    ("GET", "/customers/{customer}/locations/new", Office),
    ("POST", "/customers/{customer}/locations/new", Office),
    ("GET", "/customers/{customer}/locations/{part}/edit", Office),
    ("POST", "/customers/{customer}/locations/{part}/edit", Office),
    ("GET", "/customers/{customer}/locations/{part}/archive", Office),
    ("POST", "/customers/{customer}/locations/{part}/archive", Office),
    ("POST", "/customers/{customer}/locations/{part}/restore", Office),
    ("GET", "/customers/{customer}/archived", Members),
    ("GET", "/customers/{customer}/history", Office),
    ("GET", "/duplicates", Office),
    ("POST", "/duplicates/different", Office),
    ("GET", "/import", Office),
    ("POST", "/import", Office),
    ("POST", "/import/undo", Office),
    ("GET", "/import/{job}", Office),
    ("POST", "/import/{job}/columns", Office),
    ("POST", "/import/{job}/start", Office),
    ("POST", "/import/{job}/stop", Office),
    ("POST", "/import/{job}/remove", Office),
    ("GET", "/import/{job}/report", Office),
    ("GET", "/import/{job}/rejected", Office),
    ("GET", "/notes", Members),
    ("GET", "/notes/download", Members),
    ("GET", "/notes/new", Members),
    ("POST", "/notes/new", Members),
    ("GET", "/tags", Members),
    ("POST", "/tags", Office),
    ("GET", "/tags/edit", Office),
    ("POST", "/tags/edit", Office),
    ("GET", "/tags/delete", Office),
    ("POST", "/tags/delete", Office),
    ("GET", "/activity", Office),
    ("POST", "/changes/{entry}/undo", Office),
    ("GET", "/keys", Owners),
    ("POST", "/keys", Owners),
    ("GET", "/keys/rotate", Owners),
    ("POST", "/keys/rotate", Owners),
    ("GET", "/keys/revoke", Owners),
    ("POST", "/keys/revoke", Owners),
    ("GET", "/apps", Owners),
    ("GET", "/apps/disconnect", Owners),
    ("POST", "/apps/disconnect", Owners),
    ("GET", "/settings", Owners),
    ("POST", "/settings", Owners),
    ("POST", "/settings/export", Owners),
    ("GET", "/settings/erased", Owners),
    ("GET", "/settings/tax-rates", Members),
    ("POST", "/settings/tax-rates", Office),
    ("GET", "/settings/tax-rates/edit", Office),
    ("POST", "/settings/tax-rates/edit", Office),
    ("POST", "/settings/tax-rates/default", Office),
    ("GET", "/settings/tax-rates/archive", Office),
    ("POST", "/settings/tax-rates/archive", Office),
    ("GET", "/notes/{note}/edit", Members),
    ("POST", "/notes/{note}/edit", Members),
    ("GET", "/notes/{note}/archive", Members),
    ("POST", "/notes/{note}/archive", Members),
    ("POST", "/notes/{note}/pin", Members),
    ("POST", "/notes/{note}/files", Members),
    ("GET", "/notes/{note}/files/{file}/remove", Members),
    ("POST", "/notes/{note}/files/{file}/remove", Members),
    ("POST", "/notes/{note}/restore", Members),
];

/// The ids that the paths of pages contain.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) customer: String,
    pub(super) contact: String,
    pub(super) location: String,
    pub(super) note: String,
    pub(super) file: String,
    pub(super) entry: String,
    /// A customer that may be the same as the first.
    pub(super) other: String,
    /// An import that waits for a decision.
    pub(super) job: String,
    /// Only forms name it.
    pub(super) tag: String,
    /// A tax rate, which only forms name.
    pub(super) rate: String,
}

impl Ids {
    /// Those of new records in the business of this owner; the note is by the author.
    pub(super) fn create(server: &Server, owner: &Caller, author: &Caller) -> Self {
        let arguments = json!({
            "customer_type": "company", "company_name": "Bay Bakery",
            "primary_contact": { "first_name": "Ben", "last_name": "Ito" },
            "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                          "postal_code": "94607" },
        });
        let customer = server.env.create(owner, "customers.create", arguments);
        let other = json!({ "customer_type": "company", "company_name": "Bay Bakery LLC" });
        let other = server.env.create(owner, "customers.create", other);
        let names = server.env.call(owner, "tags.list", json!({})).expect("the tags");
        let count = names["rows"].as_array().map_or(0, Vec::len);
        let tag =
            server.env.create(owner, "tags.create", json!({ "name": format!("Tag {count}") }));
        let rate = json!({ "name": "County", "rate_percentage": 8.25 });
        let rate = server.env.create(owner, "tax_rates.create", rate);
        let note = json!({ "body": "The gate sticks." });
        let note = server.env.create(author, "notes.create", note);
        let file = server.env.add_file(author, &note, "code.txt", b"The code is 4711.");
        let file = file.expect("a file").id.to_string();
        let job = server.env.prepare_import(owner, "Name\nAnn Able\n");
        let whole = server.env.call(owner, "customers.get", json!({ "id": customer }));
        let whole = whole.expect("the customer");
        let newest = server.env.call(owner, "changes.list", json!({ "limit": 1 }));
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        Self {
            customer,
            other,
            tag,
            rate,
            contact: text(&whole["contacts"][0]["id"]),
            location: text(&whole["locations"][0]["id"]),
            note,
            file,
            job: job.to_string(),
            entry: text(&newest.expect("the history")["rows"][0]["id"]),
        }
    }

    /// The path of a page about these records.
    pub(super) fn path(&self, path: &str) -> String {
        let part = if path.contains("/contacts/") { &self.contact } else { &self.location };
        let path = path.replace("{customer}", &self.customer).replace("{part}", part);
        let path = path.replace("{note}", &self.note).replace("{file}", &self.file);
        path.replace("{entry}", &self.entry)
            .replace("{other}", &self.other)
            .replace("{job}", &self.job)
    }
}

/// A server, and every page of it, with the ids of records in the paths.
pub(super) fn start_with_pages() -> (Server, Vec<(&'static str, String)>) {
    let server = start();
    let owner = &server.business.owner;
    let ids = Ids::create(&server, owner, owner);
    let pages = PAGES.iter().map(|(method, path, _)| (*method, ids.path(path)));
    let pages = pages.collect();
    (server, pages)
}

/// The headers of a page that is not in the list are not tested. A router does not list its routes, so the test reads
/// them from the source.
#[test]
fn the_list_of_pages_is_complete() {
    let sources =
        [include_str!("../../../src/people/mod.rs"), include_str!("../../../src/console/mod.rs")];
    let routes: Vec<_> = sources
        .iter()
        .flat_map(|source| source.split(".route(").skip(1))
        .flat_map(|route| {
            let route = route.trim_start().strip_prefix('"').expect("a path");
            let (path, rest) = route.split_once('"').expect("a path");
            // The last route ends with its function.
            let handlers = rest.split("\n}").next().unwrap_or_default();
            let handlers = handlers.split(".route").next().unwrap_or_default();
            let has = |word: &str| handlers.contains(word);
            let path = path.replace("{token}", "x");
            let get = has("get(").then(|| ("GET".to_owned(), path.clone()));
            get.into_iter().chain(has("post(").then(|| ("POST".to_owned(), path)))
        })
        .collect();
    let listed: Vec<_> =
        PAGES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routes, listed);
}

/// The glossary has one word for one thing.
#[test]
fn pages_call_a_program_a_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let templates = std::fs::read_dir(folder).expect("the templates");
    let paths: Vec<_> = templates.map(|entry| entry.expect("a template").path()).collect();
    assert!(paths.len() > 50, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a template").to_lowercase();
        assert!(!text.contains("assistant"), "{}", path.display());
    }
}

#[both]
fn every_page_sends_security_headers() {
    let (server, pages) = start_with_pages();
    for is_in in [false, true] {
        let mut browser = Browser::new(&server);
        for (method, path) in &pages {
            server.env.clock.advance(60_000);
            // A page may have ended the session.
            if is_in && !browser.is_signed_in() {
                browser = Browser::owner(&server);
            }
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
            assert!(policy.contains("script-src 'self'; connect-src 'self';"), "{about}");
            let body = without_scripts(&reply.body);
            assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{about}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{about}");
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{about}");
            assert_eq!(reply.header("referrer-policy"), Some("same-origin"), "{about}");
            assert!(!body.contains("<script") && !body.contains("style="), "{about}");
        }
    }
}

#[test]
fn the_files_of_a_page_are_small_and_kept_for_ever() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let page = browser.get("/account").body;
    let files: Vec<_> = page.split('"').filter(|it| it.starts_with("/assets/")).collect();
    let (pictures, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|it| it.contains("home-screen"));
    assert_eq!((pictures.len(), files.len()), (1, 6), "{files:?}");
    // Neither is a text.
    let mut length = include_bytes!("../../../assets/inter.woff2").len()
        + include_bytes!("../../../assets/home-screen.png").len();
    for file in files {
        let reply = browser.get(file);
        assert_eq!(reply.status, 200, "{file}");
        assert_eq!(reply.header("content-encoding"), None, "{file}");
        let refused = browser.send("GET", file, &[("Accept-Encoding", "br, gzip;q=0")], "");
        assert_eq!(refused.body, reply.body, "{file}");
        let reply = browser.send("GET", file, &[("Accept-Encoding", "br, gzip;q=0.5")], "");
        assert_eq!(reply.status, 200, "{file}");
        let coding = reply.header("content-encoding");
        assert_eq!(coding, Some("gzip"), "{file}");
        assert_eq!(reply.header("vary"), Some("accept-encoding"), "{file}");
        assert!(reply.header("cache-control").is_some_and(|it| it.contains("immutable")), "{file}");
        length += reply.picture.len();
    }
    assert!(length < 120_000, "{length}");
}

#[test]
fn a_phone_can_put_the_console_on_its_home_screen() {
    let server = start();
    let mut browser = Browser::owner(&server);
    let page = browser.get("/").body;
    let path = between(&page, "<link rel=\"manifest\" href=\"", "\"");
    let reply = browser.get(path);
    assert_eq!(reply.header("content-type"), Some("application/manifest+json"), "{reply:?}");
    let manifest = reply.json();
    for (member, value) in [
        ("name", "Zoop"),
        ("short_name", "Zoop"),
        ("start_url", "/customers"),
        ("display", "standalone"),
    ] {
        assert_eq!(manifest[member], value, "{manifest}");
    }
    let start = manifest["start_url"].as_str().expect("an address");
    assert_eq!(browser.get(start).status, 200);
    for color in ["theme_color", "background_color"] {
        let color = manifest[color].as_str().expect("a color");
        assert!(color.starts_with('#') && color.len() == 7, "{manifest}");
    }
    let icons = manifest["icons"].as_array().expect("icons");
    let sizes: Vec<_> = icons.iter().map(|icon| icon["sizes"].as_str()).collect();
    assert_eq!(sizes, [Some("any"), Some("512x512")], "{manifest}");
    for icon in icons {
        let reply = browser.get(icon["src"].as_str().expect("an address"));
        assert_eq!(reply.status, 200, "{icon}");
        assert_eq!(reply.header("content-type"), icon["type"].as_str(), "{icon}");
    }
}

#[both]
fn a_form_from_another_site_is_rejected_without_effect() {
    let (server, pages) = start_with_pages();
    let mut browser = Browser::owner(&server);
    let session = browser.cookies.clone();
    let own = browser.origin();
    let nothing: &[(&str, &str)] = &[];
    for (method, path) in pages.iter().filter(|(method, _)| *method == "POST") {
        for headers in [
            nothing,
            &[("Origin", "https://evil.example")],
            &[("Origin", "null")],
            &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Referer", &format!("{own}/account"))],
        ] {
            server.env.clock.advance(4_000);
            let body = form(&[("email", super::OWNER), ("password", super::PASSWORD)]);
            let reply = browser.send(method, path, headers, &body);
            assert_eq!(reply.status, 403, "{path} {headers:?}");
            assert!(reply.body.contains("own pages"), "{path} {headers:?}");
        }
    }
    assert_eq!(browser.cookies, session);
    assert!(browser.is_signed_in());
    // A browser may send no `Origin`, if it says in `Sec-Fetch-Site` that the form is from the same origin.
    let reply = browser.send("POST", "/sign-out", &[("Sec-Fetch-Site", "same-origin")], "");
    assert_eq!(reply.status, 303);
}

#[both]
fn a_form_with_a_duplicate_field_or_too_much_data_is_refused() {
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
    assert!(!without_scripts(&reply.body).contains("<script"), "{}", reply.body);
}

/// The header that Chromium sends when a user types an address.
const ACCEPT: (&str, &str) =
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8");

#[both]
fn an_error_is_a_page_in_a_browser_and_unchanged_for_programs() {
    let (server, pages) = start_with_pages();
    let forms = pages.iter().filter(|(method, _)| *method == "POST").map(|(_, path)| path);
    let only_forms = forms.filter(|path| !pages.contains(&("GET", (*path).clone())));
    let only_forms = only_forms.map(String::as_str);
    let programs = ["/api/mcp", "/oauth/token", "/oauth/register", "/oauth/revoke"];
    let refusals = ["/nothing", "/mcp", "/assets/nothing", "/.well-known/nothing"]
        .map(|path| (path, 404))
        .into_iter()
        .chain(only_forms.chain(programs).map(|path| (path, 405)));
    for (path, status) in refusals {
        let request = |headers: &[(&str, &str)]| {
            crate::http::request(server.public, "GET", path, headers, b"")
        };
        let page = request(&[ACCEPT]);
        assert_eq!(page.status, status, "{path} {page:?}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(page.header("content-security-policy").is_some(), "{path}");
        assert!(page.body.contains("<h1>") && page.body.contains("href=\"/\">Back"), "{path}");
        for headers in [&[][..], &[("Accept", "*/*")], &[("Accept", "text/event-stream")]] {
            let plain = request(headers);
            assert_eq!(plain.status, status, "{path}");
            assert!(!plain.body.contains('<'), "{path} {plain:?}");
            assert_eq!(plain.header("allow"), page.header("allow"), "{path}");
        }
        let posted = crate::http::request(server.public, "POST", path, &[ACCEPT], b"{}");
        assert!(status == 405 || !posted.body.contains('<'), "{path} {posted:?}");
    }
    let ready = crate::http::request(server.public, "GET", "/readyz", &[ACCEPT], b"");
    assert_eq!(
        ready.header("content-type"),
        Some("application/json"),
        "the answer to a probe stays JSON"
    );
}

#[both]
fn names_of_any_direction_do_not_affect_the_text_around_them() {
    let server = start();
    // Letters written from right to left. Controls that change the direction are not stored.
    let name = "Acme \u{5d0}\u{5d1}";
    let typed = format!("\u{202e}{name}");
    let arguments =
        json!({ "name": typed, "owner_name": typed, "owner_email": "rtl@acme.example" });
    server.env.call_as_operator(None, "tenants.create", arguments);
    set_password(&server, "rtl@acme.example", PASSWORD);
    let mut browser = Browser::new(&server);
    browser.sign_in("rtl@acme.example", PASSWORD);
    let team = browser.get("/team").body;
    let business = between(&team, "name=\"business\" value=\"", "\"").to_owned();
    let user = between(&team, "name=\"user\" value=\"", "\"").to_owned();
    let removal = browser.get(&format!("/team/remove?business={business}&user={user}"));
    assert_eq!(removal.status, 200, "{removal:?}");
    for (page, times) in [(browser.get("/account").body, 3), (team, 5), (removal.body, 3)] {
        // A field keeps to itself what is typed in it.
        let page = page.replace(&format!("value=\"{name}\""), "");
        let isolated = page.matches(&format!("<bdi>{name}</bdi>")).count();
        assert_eq!((isolated, page.matches(name).count()), (times, times), "{page}");
    }
}

#[both]
fn the_sign_in_page_warns_where_browsers_keep_no_session() {
    let warns = |server: &Server| {
        crate::http::get(server.public, "/sign-in")
            .body
            .contains("do not keep a session without HTTPS")
    };
    assert!(!warns(&start()), "on this machine");
    let within = |settings: &mut Settings| {
        settings.public_url = "http://10.0.0.5".parse().expect("an origin");
    };
    assert!(warns(&Server::start_with(within, None)));
}
