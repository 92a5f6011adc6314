//! Rules for every section of the site. The sections are those that the navigation shows to an owner, so a new one is
//! covered as soon as it is listed.

use serde_json::json;
use zoop_both::both;
use zoop_crm::testing::Business;

use super::pages::start_with_pages;
use super::{Browser, OFFICE, OWNER, PASSWORD, between, location, set_password, start};
use crate::server::Server;

const TECH: &str = "tech@acme.example";
/// The sections that are not only for owners and the office.
const OF_EVERYBODY: [&str; 4] = ["/customers", "/notes", "/tags", "/account"];
/// The sections that are not only for owners.
const OF_THE_OFFICE: [&str; 6] =
    ["/customers", "/notes", "/tags", "/activity", TAX_RATES, "/account"];
/// The settings lead owners there. Members who only read it are not led there, but may open it.
const TAX_RATES: &str = "/settings/tax-rates";

/// A link of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    address: String,
    label: String,
    is_here: bool,
}

/// The links of a page's navigation.
fn links(page: &str) -> Vec<Link> {
    let navigations: Vec<_> = page.split("<nav aria-label=\"Main\">").skip(1).collect();
    let [bar, menu] = navigations[..] else { panic!("a bar and a menu: {page}") };
    let read = |navigation: &str| {
        let (links, _) = navigation.split_once("</nav>").expect("its end");
        let links = links.split("<a href=\"").skip(1).map(|link| {
            let (address, rest) = link.split_once('"').expect("an address");
            let (attributes, rest) = rest.split_once('>').expect("the end of the tag");
            let is_here = attributes == " aria-current=\"page\"";
            assert!(is_here || attributes.is_empty(), "{link}");
            let label = rest.trim_end_matches("</a>").to_owned();
            Link { address: address.to_owned(), label, is_here }
        });
        links.collect::<Vec<_>>()
    };
    let (_, details) =
        page.split_once("<details class=\"menu\"><summary>Menu</summary>").expect("a menu");
    let (details, _) = details.split_once("</details>").expect("its end");
    assert!(details.contains(menu.split("</nav>").next().expect("its links")), "{page}");
    assert!(details.contains("action=\"/sign-out\""), "{details}");
    assert_eq!(read(bar), read(menu), "the menu offers what the bar offers");
    read(bar)
}

fn browser_of<'s>(server: &'s Server, email: &'static str) -> Browser<'s> {
    let mut browser = Browser::new(server);
    browser.sign_in(email, PASSWORD);
    browser
}

/// The first pages of all sections.
fn sections(server: &Server) -> Vec<String> {
    let links = links(&Browser::owner(server).get("/account").body);
    links.into_iter().map(|link| link.address).collect()
}

/// A second business of the owner, in which the tech is an owner too, and the owner a tech.
fn second_business(server: &Server) -> String {
    let arguments = json!({ "name": "Second", "owner_name": "Tessa", "owner_email": TECH });
    let made = server.env.call_as_operator(None, "tenants.create", arguments);
    let id = made["tenant_id"].as_str().expect("an id").to_owned();
    let parsed = zoop_crm::values::id::Id::parse(&id).expect("an id");
    let read = move |tx: &mut zoop_db::ReadTx<'_>| zoop_crm::identity::tenants::account(tx, parsed);
    let account = server.env.read(read).expect("the account");
    let user = json!({ "name": "Olive", "email": OWNER, "role": "tech" });
    server.env.call_as_operator(Some(account), "users.create", user);
    id
}

#[both]
fn a_user_sees_the_sections_of_their_role_and_only_those_open() {
    let server = start();
    let all = sections(&server);
    let labels = |page: &str| links(page).into_iter().map(|it| it.label).collect::<Vec<_>>();
    assert_eq!(
        labels(&Browser::owner(&server).get("/account").body),
        [
            "Customers",
            "Notes",
            "Tags",
            "Activity",
            "Team",
            "API keys",
            "Connected apps",
            "Settings",
            "Account"
        ]
    );
    for email in [OFFICE, TECH] {
        set_password(&server, email, PASSWORD);
    }
    for (email, used) in [
        (OWNER, &all[..]),
        (OFFICE, &OF_THE_OFFICE.map(str::to_owned)),
        (TECH, &OF_EVERYBODY.map(str::to_owned)),
    ] {
        let mut browser = browser_of(&server, email);
        for path in &all {
            let reply = browser.get(path);
            let about = format!("{email} {path} {reply:?}");
            if !used.contains(path) {
                assert_eq!(reply.status, 403, "{about}");
                let named = format!("{path}?business={}", server.business.account.id);
                assert_eq!(browser.get(&named).body, reply.body, "{about}");
                continue;
            }
            assert_eq!(reply.status, 200, "{about}");
            let links = links(&reply.body);
            let shown: Vec<_> = links.iter().map(|it| it.address.clone()).collect();
            assert_eq!(shown, used, "{about}");
            let here: Vec<_> = links.iter().filter(|it| it.is_here).map(|it| &it.address).collect();
            assert_eq!(here, [path], "{about}");
        }
    }
    let office = json!({ "id": Business::user(&server.business.office) });
    server.env.call_as_operator(Some(server.business.account), "users.remove", office);
    let mut nobody = browser_of(&server, OFFICE);
    assert_eq!(labels(&nobody.get("/account").body), ["Account"]);
    for path in all.iter().filter(|path| *path != "/account") {
        assert_eq!(nobody.get(path).status, 403, "{path}");
    }
}

#[both]
fn the_business_survives_moving_between_sections() {
    let server = start();
    set_password(&server, TECH, PASSWORD);
    let all = sections(&server);
    let second = second_business(&server);
    let mut browser = browser_of(&server, TECH);
    let first = server.business.account.id.to_string();
    for (business, name, count) in
        [(&second, "Second", all.len()), (&first, "Acme", OF_EVERYBODY.len())]
    {
        let start = browser.get(&format!("/customers?business={business}")).body;
        let links_here = links(&start);
        assert_eq!(links_here.len(), count, "the sections of the role in {name}: {start}");
        for Link { address, .. } in &links_here {
            let path = address.strip_suffix(&format!("?business={business}"));
            let path = path.unwrap_or_else(|| panic!("{address} leaves {business}"));
            let page = browser.get(address);
            assert_eq!(page.status, 200, "{address} {page:?}");
            assert!(page.body.contains(&format!("<bdi>{name}")), "{address} {page:?}");
            let addresses =
                |links: Vec<Link>| links.into_iter().map(|it| it.address).collect::<Vec<_>>();
            assert_eq!(addresses(links(&page.body)), addresses(links_here.clone()), "{path}");
        }
    }
    // Without a business in the address, a section opens in a business in which it is used.
    let team = browser.get("/team").body;
    assert!(team.contains("<bdi>Second</bdi>"), "{team}");
    assert_eq!(browser.get(&format!("/team?business={first}")).status, 403);
}

#[both]
fn every_section_needs_a_sign_in_and_is_then_shown() {
    let server = start();
    let business = server.business.account.id;
    for path in sections(&server) {
        for asked in [path.clone(), format!("{path}?business={business}")] {
            let mut browser = Browser::new(&server);
            let sign_in = location(&browser.get(&asked)).to_owned();
            let asked_next = sign_in.split_once("/sign-in?next=").map_or("", |(_, next)| next);
            let next: String =
                form_urlencoded::parse(asked_next.as_bytes()).map(|(it, _)| it).collect();
            // The account is the same in every business.
            let expected = if path == "/account" { &path } else { &asked };
            assert_eq!(next, *expected);
            let fields = [("email", OWNER), ("password", PASSWORD), ("next", next.as_str())];
            assert_eq!(location(&browser.post("/sign-in", &fields)), next);
            assert_eq!(browser.get(&next).status, 200, "{asked}");
        }
    }
}

#[both]
fn a_business_that_the_user_does_not_belong_to_does_not_exist_for_them() {
    let server = start();
    let other = server.env.empty_business("Borealis").account.id.to_string();
    let mut owner = Browser::owner(&server);
    for path in sections(&server).into_iter().filter(|path| path != "/account") {
        let replies = [other.as_str(), "01890000-0000-7000-8000-000000000000", "x"]
            .map(|business| owner.get(&format!("{path}?business={business}")));
        for reply in &replies {
            assert_eq!(reply.status, 404, "{path} {reply:?}");
            assert_eq!(reply.body, replies[0].body, "{path}");
        }
        assert!(between(&replies[0].body, "<h1>", "</h1>").contains("Page not found"), "{path}");
    }
}

#[both]
fn every_page_of_a_section_needs_a_sign_in_and_the_role_of_the_section() {
    let (server, pages) = start_with_pages();
    let all = sections(&server);
    let business = server.business.account.id.to_string();
    let mut members = [OFFICE, TECH].map(|email| {
        set_password(&server, email, PASSWORD);
        browser_of(&server, email)
    });
    let mut visitor = Browser::new(&server);
    let send = |browser: &mut Browser<'_>, method: &str, path: &str| match method {
        "GET" => browser.get(&format!("{path}?business={business}")),
        _ => browser.post(path, &[("business", &business)]),
    };
    for (method, path) in &pages {
        let is_of = |section: &&String| {
            path.strip_prefix(section.as_str())
                .is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let Some(section) = all.iter().find(is_of) else { continue };
        server.env.clock.advance(4_000);
        let reply = send(&mut visitor, method, path);
        // A form with something typed is kept; all else is asked for again after signing in.
        let is_kept = *method == "POST" && reply.status == 401;
        assert!(is_kept || location(&reply).starts_with("/sign-in"), "{method} {path} {reply:?}");
        assert!(!is_kept || reply.body.contains("You are signed out"), "{method} {path}");
        // The laws of pages say who may do what there.
        if path.starts_with(TAX_RATES) {
            continue;
        }
        for (browser, used) in members.iter_mut().zip([&OF_THE_OFFICE[..], &OF_EVERYBODY]) {
            if used.contains(&section.as_str()) {
                continue;
            }
            let reply = send(browser, method, path);
            assert_eq!(reply.status, 403, "{method} {path} {reply:?}");
        }
    }
}
