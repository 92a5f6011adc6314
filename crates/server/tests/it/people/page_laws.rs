//! Who reaches which page, what a page says about records that its user does not have, and how long it is. What holds
//! for every page follows from the list of pages.

use serde_json::{Value, json};
use zoop_both::both;

use super::pages::{For, Ids, PAGES};
use super::{Browser, OFFICE, OWNER, PASSWORD, set_password, start};
use crate::http::Reply;
use crate::server::Server;

const TECH: &str = "tech@acme.example";
/// Most bytes of a page without what it loads.
const MAX_PAGE: usize = 60 * 1024;

/// Opens a page, or sends its form with values that make sense in some form, among them records of the business.
fn ask(browser: &mut Browser<'_>, method: &str, path: &str, own: &Ids) -> Reply {
    let business = browser.server.business.account.id.to_string();
    if method == "GET" {
        return browser
            .get(&format!("{path}?business={business}&tag={}&rate={}", own.tag, own.rate));
    }
    if method == "POST" && (path.ends_with("/files") || path == "/import") {
        let origin = browser.origin();
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"business\"\r\n\r\n{business}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\nText.\r\n--x--\r\n"
        );
        let headers = [("Origin", &*origin), ("Content-Type", "multipart/form-data; boundary=x")];
        return browser.send(method, path, &headers, &body);
    }
    let fields = [
        ("business", &*business),
        ("name", "Typed"),
        ("color", "#112233"),
        ("body", "Typed"),
        ("note", &own.note),
        ("tag", &own.tag),
        ("rate", &own.rate),
        ("rate_percentage", "9"),
        ("pinned", "true"),
        ("customer_type", "company"),
        ("company_name", "Typed"),
        ("first_name", "Typed"),
        ("last_name", "Typed"),
        ("address_line1", "Typed"),
        ("city", "Typed"),
        ("state", "CA"),
        ("postal_code", "94607"),
        ("import", &own.job),
    ];
    browser.post(path, &fields)
}

/// What an answer says, without the ids that the request named, and the random key of a form.
fn said(reply: &Reply, ids: &Ids) -> (u16, String) {
    let all =
        [&ids.customer, &ids.contact, &ids.location, &ids.note, &ids.file, &ids.entry, &ids.job];
    let body = all.iter().fold(reply.body.clone(), |body, id| body.replace(id.as_str(), "{id}"));
    let mut parts = body.split("name=\"key\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').expect("the end of a key").1);
    (reply.status, rest.fold(first, |body, part| body + "{key}" + part))
}

#[both]
fn records_of_another_business_and_unknown_ones_answer_the_same() {
    let server = start();
    let owner = &server.business.owner;
    let own = Ids::create(&server, owner, owner);
    let borealis = server.env.empty_business("Borealis");
    let theirs = Ids::create(&server, &borealis.owner, &borealis.owner);
    let id = |number: u8| format!("01890000-0000-7000-8000-0000000000{number:02}");
    let unknown = Ids {
        customer: id(1),
        contact: id(2),
        location: id(3),
        note: id(4),
        file: id(5),
        entry: id(6),
        other: id(7),
        job: id(8),
        tag: own.tag.clone(),
        rate: own.rate.clone(),
    };
    // The records of one's own that hold a strange one.
    let within = |strange: &Ids| Ids {
        contact: strange.contact.clone(),
        location: strange.location.clone(),
        file: strange.file.clone(),
        other: strange.other.clone(),
        ..own.clone()
    };
    let mut browser = Browser::owner(&server);
    let (mut asked, mut different) = (0, Vec::new());
    for (method, path, _) in PAGES.iter().filter(|(_, path, _)| path.contains('{')) {
        server.env.clock.advance(4_000);
        let mut pairs = vec![(theirs.clone(), unknown.clone())];
        if path.matches('{').count() > 1 {
            pairs.push((within(&theirs), within(&unknown)));
        }
        for (theirs, unknown) in pairs {
            let known = ask(&mut browser, method, &theirs.path(path), &own);
            let reply = ask(&mut browser, method, &unknown.path(path), &own);
            let (known, reply) = (said(&known, &theirs), said(&reply, &unknown));
            if known != reply || known.0 != 404 {
                different.push(format!("{method} {path}: {known:?}, unknown: {reply:?}"));
            }
            asked += 1;
        }
    }
    assert_eq!(different, Vec::<String>::new());
    assert!(asked > 40, "{asked}");
    let history = server.env.call(&borealis.owner, "changes.list", json!({ "limit": 1 }));
    assert_eq!(
        history.expect("theirs")["rows"][0]["id"],
        json!(theirs.entry),
        "nothing was changed"
    );
}

#[both]
fn a_page_is_refused_to_whom_it_is_not_for_and_to_nobody_else() {
    let server = start();
    for email in [OFFICE, TECH] {
        set_password(&server, email, PASSWORD);
    }
    let mut wrong = Vec::new();
    for (email, may) in [(TECH, For::Members), (OFFICE, For::Office), (OWNER, For::Owners)] {
        let author = match may {
            For::Members => &server.business.tech,
            For::Office => &server.business.office,
            _ => &server.business.owner,
        };
        let ids = Ids::create(&server, &server.business.owner, author);
        let signed_in = || {
            let mut browser = Browser::new(&server);
            browser.sign_in(email, PASSWORD);
            browser
        };
        let mut browser = signed_in();
        for (method, path, whom) in PAGES {
            server.env.clock.advance(60_000);
            if !browser.is_signed_in() {
                browser = signed_in();
            }
            let reply = ask(&mut browser, method, &ids.path(path), &ids);
            let is_right = match whom {
                For::Anyone => true,
                _ if *whom > may => [403, 404].contains(&reply.status),
                _ => reply.status != 403,
            };
            if !is_right {
                wrong.push(format!("{email} {method} {path} {whom:?}: {}", reply.status));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A business with as much as the pages show of each kind.
fn filled(server: &Server) -> Ids {
    let owner = &server.business.owner;
    let ids = Ids::create(server, owner, owner);
    let create = |tool: &str, arguments: Value| server.env.create(owner, tool, arguments);
    let tags = ["Annual service", "Gate code", "HOA", "Winter", "Water heater"];
    for name in tags {
        create("tags.create", json!({ "name": name }));
    }
    let body = "Replaced the pressure regulator and tested the main valve; the pressure is 62 psi now. The dog is friendly, \
                but keep the side gate closed. Wants the estimate for the water heater before the end of the month.";
    for number in 0..30 {
        server.env.clock.advance(4_000);
        let customer = create(
            "customers.create",
            json!({
                "customer_type": "company", "company_name": format!("Harbor View Apartments {number}"),
                "phone": format!("510 555 {:04}", 100 + number), "email": format!("office{number}@harbor.example"),
                "is_vip": true, "tags": tags,
                "primary_contact": { "first_name": "Guadalupe", "last_name": "Hernandez" },
                "location": { "address_line1": format!("{} San Leandro Boulevard", 100 + number),
                              "city": "San Leandro", "state": "CA", "postal_code": "94577" },
            }),
        );
        let note = json!({ "body": body, "subject_type": "customer", "subject_id": customer, "pinned": true });
        create("notes.create", note);
        let note = json!({ "body": body, "subject_type": "customer", "subject_id": ids.customer, "pinned": number < 10 });
        let note = create("notes.create", note);
        if number < 5 {
            server
                .env
                .add_file(owner, &note, "estimate of the water heater.txt", b"Text.")
                .expect("a file");
        }
        let contact = json!({
            "customer_id": ids.customer, "first_name": "Guadalupe", "last_name": format!("Hernandez {number}"),
            "phone": format!("415 555 {:04}", 100 + number), "email": format!("g{number}@harbor.example"),
        });
        if number < 6 {
            create("contacts.create", contact);
        }
        let key = json!({ "name": format!("Website form {number}"), "scopes": "read:customers" });
        server.env.call_as_operator(Some(server.business.account), "keys.create", key);
    }
    ids
}

#[test]
fn every_page_is_short() {
    let server = start();
    let ids = filled(&server);
    let mut browser = Browser::owner(&server);
    let pages = PAGES.iter().filter(|(method, ..)| *method == "GET");
    let mut sizes: Vec<_> = pages
        .map(|(method, path, _)| {
            server.env.clock.advance(4_000);
            (ask(&mut browser, method, &ids.path(path), &ids).body.len(), *path)
        })
        .collect();
    sizes.sort_unstable();
    sizes.reverse();
    eprintln!("The longest pages: {:?}", &sizes[..3]);
    assert!(sizes[0].0 <= MAX_PAGE, "{sizes:?}");
    let lists: Vec<_> = sizes.iter().filter(|(size, _)| *size > 10_000).collect();
    assert!(lists.len() > 5, "pages without anything would be short: {sizes:?}");
}
