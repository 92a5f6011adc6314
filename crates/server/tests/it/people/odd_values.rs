//! Pages with the longest and oddest values of every field.

use std::collections::BTreeSet;

use serde_json::json;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::testing::Business;
use zoop_server::FileStore;

use super::pages::{Ids, PAGES};
use super::{Browser, location, start_with, without_scripts};

/// Text that reads from right to left, by which odd values are recognized.
const RIGHT_TO_LEFT: &str = "שָׁלוֹם";
/// What could end a text or a tag, letters of four bytes, combining marks, and one very long word.
const ODD: &str = "שָׁלוֹם 𝒜🛠\u{fe0f} e\u{301}\u{323}\u{316} <script>x</script> \"' onload=x &amp; </textarea></title> {{ x }} %7B";

/// The templates with a title of their own that the pages here do not show, and who does.
const OTHERS: [&str; 12] = [
    // What somebody sees who signs in, connects a program, or follows a link: nothing of the business is on it but a
    // name and an address.
    "Sign in",
    "Code",
    "Forgot password",
    "You are signed out",
    "Invitation",
    "New password",
    "New e-mail address",
    "Connect a program",
    "Back to the program",
    "Second factor",
    "Recovery codes",
    // It is shown when the server cannot answer.
    "The note may not be saved",
];

/// An odd value of the greatest length.
fn odd(length: usize) -> String {
    let rest = std::iter::repeat('W');
    ODD.chars().chain(rest).take(length).collect()
}

/// The titles of the templates, as far as they are fixed.
fn titles() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let files = std::fs::read_dir(folder).expect("the templates");
    let texts = files
        .map(|file| std::fs::read_to_string(file.expect("a template").path()).expect("a template"));
    let titles = texts.filter_map(|text| {
        let (_, title) = text.split_once("{% block title %}")?;
        let title = title.split("{% endblock %}").next()?;
        (!title.contains('{')).then(|| title.to_owned())
    });
    titles.filter(|it| !it.is_empty()).collect()
}

/// What is wrong with a page: elements that do not end where they should, and texts of the business that could change
/// the order of the words around them.
fn faults(page: &str) -> Vec<String> {
    const VOID: [&str; 6] = ["!doctype", "meta", "link", "input", "img", "br"];
    let mut faults = Vec::new();
    // The elements that are open, with their tags.
    let mut open: Vec<(&str, &str)> = Vec::new();
    for part in page.split('<').skip(1) {
        // No attribute contains `>`, which is escaped.
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some((last, _)) if last == name => {}
                other => faults.push(format!("</{name}> ends {other:?}")),
            }
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push((name, tag));
        }
        // What is between quotation marks is a value.
        if tag.split('"').step_by(2).any(|it| it.contains("onload")) {
            faults.push(format!("<{tag}> has an attribute of somebody else"));
        }
        let isolates = |(name, tag): &(&str, &str)| {
            ["bdi", "title", "option"].contains(name) || tag.contains("dir=\"auto\"")
        };
        if text.contains(RIGHT_TO_LEFT) && !open.iter().any(isolates) {
            let text: String = text.chars().take(60).collect();
            faults.push(format!("{:?} {text}", open.last()));
        }
    }
    faults
}

#[test]
fn every_page_shows_the_longest_and_oddest_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start_with(|settings| settings.files = Some(FileStore::folder(folder.path())));
    let (owner, account) = (&server.business.owner, server.business.account);
    let ids = Ids::create(&server, owner, owner);
    let mut browser = Browser::owner(&server);
    let create = |tool: &str, arguments: serde_json::Value| {
        server.env.clock.advance(4_000);
        server.env.create(owner, tool, arguments)
    };
    assert_eq!(
        location(&browser.post("/account/name", &[("name", &odd(256))])),
        "/account?done=name"
    );
    server.env.call_as_operator(Some(account), "tenants.update", json!({ "name": odd(256) }));
    let tag = create("tags.create", json!({ "name": odd(64) }));
    let rate = json!({ "name": odd(64), "rate_percentage": 99.9999, "is_default": true });
    let rate = create("tax_rates.create", rate);
    let email = format!("{}'&@{}.example", "x".repeat(58), "host".repeat(15));
    let place = json!({
        "address_line1": odd(256), "address_line2": odd(256), "city": odd(128), "state": odd(128),
        "postal_code": odd(16), "label": odd(128), "access_notes": odd(10_000), "parking_notes": odd(10_000),
        "service_notes": odd(10_000),
    });
    let customer = create(
        "customers.create",
        json!({
            "customer_type": "company", "company_name": odd(256), "phone": "+1 510 555 0100 ext. 12345", "email": email,
            "notes_internal": odd(10_000), "is_vip": true, "do_not_contact": true,
            "do_not_contact_reason": odd(500), "source": odd(64), "external_id": odd(128), "tags": [tag],
            "primary_contact": { "first_name": odd(128), "last_name": odd(128), "title": odd(128), "email": email },
            "location": place,
        }),
    );
    let whole = server.env.call(owner, "customers.get", json!({ "id": customer })).expect("it");
    let text = |value: &serde_json::Value| value.as_str().expect("an id").to_owned();
    let (contact, site) = (text(&whole["contacts"][0]["id"]), text(&whole["locations"][0]["id"]));
    let about = |kind: &str, id: &str, pinned: bool| json!({ "body": odd(10_000), "subject_type": kind, "subject_id": id, "pinned": pinned });
    let note = create("notes.create", about("customer", &customer, true));
    create("notes.create", about("customer_contact", &contact, false));
    create("notes.create", about("customer_location", &site, true));
    let name = format!("{}.txt", odd(120).replace(['/', '"', '<', '>'], "_"));
    let file = server.env.add_file(owner, &note, &name, b"The code is 4711.").expect("a file");
    let key = json!({ "name": odd(128), "scopes": "read:customers" });
    let key = server.env.call_as_operator(Some(account), "keys.create", key);
    let (grant, _) =
        server.env.connect(account, Business::user(owner), Scopes::of(Scope::GRANTABLE));
    for email in ["odd@acme.example", "other@acme.example"] {
        let person = json!({ "name": odd(256), "email": email, "role": "tech" });
        server.env.call_as_operator(Some(account), "users.create", person);
        let person = json!({ "name": odd(256), "email": format!("x{email}"), "role": "tech" });
        server.env.call_as_operator(Some(account), "invitations.create", person);
    }
    // Every cell is quoted, so its quotes are doubled. One row is there already, and one cannot be added.
    let cell = |length: usize| format!("\"{}\"", odd(length).replace('"', "\"\""));
    let (name, long) = (cell(128), cell(2_000));
    let sheet = format!(
        "Name,Company,{name},Tags,Notes,Address\n,{name},{long},{},{long},{long}\n,,{long},,,\n",
        cell(64)
    );
    let job = server.env.prepare_import(owner, &sheet).to_string();
    let file = file.id.to_string();
    let ids = Ids { customer, contact, location: site, note, file, tag, rate, job, ..ids };

    let business = account.id.to_string();
    let key = text(&key["key_id"]);
    let typed = form_urlencoded::byte_serialize(ODD.as_bytes()).collect::<String>();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut look = |path: &str, status: u16, body: &str| {
        assert!(status < 500, "{path}: {body}");
        let tables = ["/download", "/report", "/rejected"];
        let path = path.split('?').next().unwrap_or_default();
        if tables.iter().any(|end| path.ends_with(end)) {
            // A list for spreadsheets, which no browser shows.
            return;
        }
        let body = without_scripts(body);
        assert!(!body.contains("<script"), "{path}: {body}");
        let title = body.split("<title>").nth(1).and_then(|it| it.split(" · Zoop").next());
        seen.insert(title.unwrap_or_default().to_owned());
        wrong.extend(faults(&body).into_iter().map(|it| format!("{path}: {it}")));
    };
    let user = Business::user(&server.business.office);
    let query = format!(
        "?business={business}&tag={}&rate={}&key={key}&program={grant}&user={user}",
        ids.tag, ids.rate
    );
    for (method, path, _) in PAGES {
        if *method == "GET" {
            server.env.clock.advance(4_000);
            for query in [
                query.clone(),
                format!("{query}&q={typed}&first_name={typed}&company_name={typed}"),
            ] {
                let reply = browser.get(&(ids.path(path) + &query));
                look(path, reply.status, &reply.body);
            }
        }
    }
    // What somebody typed is shown again where something is wrong with it.
    let odd_text = odd(300);
    for (method, path, _) in PAGES {
        let is_form = [
            "new",
            "edit",
            "/tags",
            "/settings",
            "/tax-rates",
            "/keys",
            "/team/invite",
            "/files",
            "password",
        ];
        if *method == "POST" && is_form.iter().any(|end| path.ends_with(end)) {
            server.env.clock.advance(4_000);
            let names = [
                "name",
                "first_name",
                "last_name",
                "company_name",
                "phone",
                "email",
                "body",
                "label",
                "city",
                "state",
                "postal_code",
                "address_line1",
                "title",
                "color",
                "rate_percentage",
                "time_zone",
                "limit",
                "find",
                "q",
            ];
            let mut fields: Vec<_> = names.iter().map(|name| (*name, odd_text.as_str())).collect();
            fields.extend([
                ("business", business.as_str()),
                ("tag", &ids.tag),
                ("rate", &ids.rate),
                ("customer_type", "company"),
            ]);
            let reply = browser.post(&ids.path(path), &fields);
            look(path, reply.status, &reply.body);
        }
    }
    let path = ids.path("/customers/{customer}/archive");
    browser.post(&path, &[("business", &business)]);
    let reply = browser.get(&format!("{path}?business={business}"));
    look(&path, reply.status, &reply.body);
    assert_eq!(wrong, Vec::<String>::new());
    let mut missing = titles();
    for other in OTHERS {
        assert!(missing.remove(other), "{other} is the title of no template");
    }
    missing.retain(|it| !seen.contains(it));
    assert_eq!(missing, BTreeSet::new(), "{seen:?}");
}
