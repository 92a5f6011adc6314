//! axe-core finds nothing wrong with any page, in light and dark, wide and narrow.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::driver::{Browser, DESKTOP, Program};
use super::layout::{FORMS, connect};
use super::{Demo, QUESTIONS, Step, photo, run, sections};
use crate::env::text;

/// Whether the scheme is dark, and how wide the window is.
const LOOKS: [(bool, u32); 4] = [(false, 1280), (true, 1280), (true, 390), (false, 390)];

/// The pages that this test does not open.
const OTHERS: [(&str, &str); 8] = [
    ("/customers/download", "is no page: a browser saves it"),
    ("/notes/download", "is no page: a browser saves it"),
    ("/import/{}/report", "is no page: a browser saves it"),
    ("/import/{}/rejected", "is no page: a browser saves it"),
    ("/customers/{}/erase/certificate", "is no page: a browser saves it"),
    ("/customers/similar", "is no page: the form for a new customer shows it"),
    ("/sign-in/second-factor", "is checked where somebody signs in with a code"),
    ("/account/email/{}", "people.rs follows its link"),
];

/// What is open, and what was checked.
struct Visit<'b> {
    browser: &'b Browser,
    /// The paths of the pages, with `{}` for what is particular to a record.
    seen: BTreeSet<String>,
}

impl Visit<'_> {
    async fn open(&mut self, address: &str) {
        self.browser.goto(address).await;
        self.check(address).await;
    }

    /// Checks the current page in all looks. It fits their widths too.
    async fn check(&mut self, about: &str) {
        for (is_dark, width) in LOOKS {
            self.browser.prefer_dark(is_dark);
            self.browser.resize(width, 900);
            let script = "return [matchMedia('(prefers-color-scheme: dark)').matches, innerWidth, \
                          document.documentElement.scrollWidth <= innerWidth]";
            let seen = self.browser.run_script(script).await;
            assert_eq!(seen, json!([is_dark, width, true]), "{about}");
            let found = self.browser.violations().await;
            assert_eq!(found, Vec::<String>::new(), "{about} {is_dark} {width}");
        }
        self.browser.prefer_dark(false);
        self.browser.resize(1280, 900);
        let here = self.browser.client.current_url().await.expect("an address");
        let is_particular = |part: &str| part.len() > 30;
        let parts =
            here.path().split('/').map(|part| if is_particular(part) { "{}" } else { part });
        self.seen.insert(parts.collect::<Vec<_>>().join("/"));
    }
}

/// The paths of all pages, with `{}` for what is particular to a record. A router does not list its routes, so they are
/// read from its source.
fn pages() -> BTreeSet<String> {
    let sources = [
        include_str!("../../../../server/src/people/mod.rs"),
        include_str!("../../../../server/src/console/mod.rs"),
    ];
    let routes = sources.iter().flat_map(|source| source.split(".route(\"").skip(1));
    let pages = routes.filter_map(|route| {
        let (path, handlers) = route.split_once('"').expect("a path");
        let handlers = handlers.split(".route").next().unwrap_or_default();
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        handlers.contains("get(").then(|| parts.collect::<Vec<_>>().join("/"))
    });
    pages.collect()
}

#[test]
fn axe_finds_nothing_wrong_with_any_page_in_light_and_dark_wide_and_narrow() {
    // A mail server adds pages. None is sent.
    let mail = [("ZOOP_MAIL_URL", "smtp://127.0.0.1:9"), ("ZOOP_MAIL_FROM", "zoop@example.com")];
    let demo = Demo::open_with(&mail);
    demo.folder.write("zoop.toml", &format!("[server]\npublic_url = '{}'\n", demo.url));
    let who = ["--name", "Nadia New", "--email", "nadia@example.com", "--role", "office"];
    let invitation = text(&demo.folder.json(&[&["user", "invite"][..], &who].concat()), "link");
    let lost = ["user", "password-link", "luis@copper-creek.example"];
    let lost = text(&demo.folder.json(&lost), "link");
    let key = ["key", "create", "--name", "Twins", "--scope", "read:customers,write:customers"];
    let key = text(&demo.folder.json(&key), "key");
    let program = Program::start();
    let photo = photo(&demo, "meter.png");
    let sheet = demo.folder.path("list.csv");
    let rows = "Name,Phone,Tags,Zugang\nIvy & Oscar Imported,202-555-0177,Gold,4711\n,,Gold,\n";
    std::fs::write(&sheet, rows).expect("a list");
    run(async {
        let browser = Browser::open(DESKTOP).await;
        let mut visit = Visit { browser: &browser, seen: BTreeSet::new() };
        for address in [&demo.at("/sign-in"), &demo.at("/sign-in/forgot"), &invitation, &lost] {
            visit.open(address).await;
        }
        demo.sign_in(&browser).await;
        let others = [
            "/",
            "/account?done=joined",
            "/customers?q=nothinglikethis",
            "/customers?tag=01890000-0000-7000-8000-000000000000",
            "/notes/new",
            "/notes?q=nothinglikethis",
            "/notes?after=2026-02-30&pinned=true",
            "/notes?author=me&before=9999-12-31",
            "/activity?event=customers.create&person=me",
            "/nothing",
            "/api/mcp",
        ];
        for path in sections(&browser).await.iter().map(String::as_str).chain(others) {
            visit.open(&demo.at(path)).await;
        }
        browser.goto(&demo.at("/keys")).await;
        browser.resize(390, 900);
        browser.click(".menu summary").await;
        let found = browser.violations().await;
        assert_eq!(found, Vec::<String>::new(), "the menu");
        browser.resize(1280, 900);

        browser.goto(&demo.at("/customers")).await;
        browser.click(".rows a").await;
        browser.find("#record .record").await;
        let record = browser.client.current_url().await.expect("an address").to_string();
        browser.fill("#body", "A photo.").await;
        browser.choose_file(".composer", &photo).await;
        browser.click("#add-note").await;
        browser.find(".note .files").await;
        visit.check("a note with a file").await;
        let name = browser.text("#record h1").await;
        let customer = [
            (".archive .danger", "form[method=post][action$='/archive']"),
            (".files a.danger", "form[action*='/remove']"),
        ];
        for (leads, there) in FORMS.into_iter().chain(customer) {
            browser.goto(&record).await;
            browser.click(leads).await;
            browser.find(there).await;
            visit.check(leads).await;
        }
        browser.goto(&record).await;
        browser.click(".rest a[href*='/erase']").await;
        browser.find("#number").await;
        visit.check("the question before an erasure").await;
        browser.fill("#number", "x").await;
        browser.click("main .danger").await;
        browser.find("[role=alert]").await;
        visit.check("another number").await;
        // The forms of contacts, locations and notes are made of the same parts.
        browser.goto(&demo.at("/customers/new")).await;
        browser.fill("#email", "x").await;
        browser.click(".save .primary").await;
        browser.find("[aria-invalid]").await;
        visit.check("faults").await;
        browser.fill("#email", "").await;
        browser.fill("#first_name", &name).await;
        browser.click(".save .primary").await;
        browser.find("#similar").await;
        visit.check("a duplicate").await;
        for phone in ["202-555-0107", "202-555-0108"] {
            let twin = json!({ "customer_type": "individual", "first_name": "Ida", "last_name": "Marlow",
                               "email": "ida@example.com", "phone": phone });
            let twin = twin.to_string();
            let call = ["call", "customers.create", &twin, "--url", &demo.url, "--key", &key];
            demo.folder.json(&call);
        }
        visit.open(&demo.at("/duplicates")).await;
        browser.click("form.to .primary").await;
        browser.find("#merged .primary").await;
        visit.check("the result of a merge").await;
        visit.open(&demo.at("/import")).await;
        browser.choose_file("main form.fields", &sheet).await;
        browser.click("main form.fields .primary").await;
        browser.find("form[action$='/start']").await;
        browser.click("details.plan summary").await;
        visit.check("what a file would add").await;
        browser.click("form[action$='/start'] .primary").await;
        browser.find("main .success").await;
        visit.check("what a file has added").await;
        browser.goto(&demo.at("/customers?q=marlow")).await;
        browser.click(".rows a").await;
        browser.find("#record .record").await;
        let number = browser.text(".marks span").await;
        browser.click(".rest a[href*='/erase']").await;
        browser.fill("#number", number.trim()).await;
        browser.click("main .danger").await;
        browser.find("a[download]").await;
        visit.check("a certificate").await;
        visit.open(&demo.at("/settings/erased")).await;
        browser.goto(&demo.at("/team")).await;
        browser.click("a.danger").await;
        browser.find("form[action='/team/remove']").await;
        visit.check("the question before a removal").await;
        for Step { page, click, arrives } in QUESTIONS {
            browser.goto(&demo.at(page)).await;
            browser.click(click).await;
            browser.find(arrives).await;
            visit.check(arrives).await;
        }
        browser.goto(&demo.at("/settings/tax-rates")).await;
        browser.fill("#name", "County").await;
        browser.fill("#rate_percentage", "8.25").await;
        browser.click("main form.begin .primary").await;
        browser.find(".rate-list").await;
        visit.check("a tax rate").await;
        for question in ["edit", "archive"] {
            browser.goto(&demo.at("/settings/tax-rates")).await;
            browser.click(&format!("form[action='/settings/tax-rates/{question}'] .btn")).await;
            let form = format!("form[method=post][action='/settings/tax-rates/{question}']");
            browser.find(&form).await;
            visit.check(question).await;
        }
        browser.goto(&demo.at("/keys")).await;
        browser.fill("#name", "Website").await;
        browser.click("main form.begin .primary").await;
        browser.find("#scopes-problem").await;
        visit.check("a mistake").await;
        browser.click("input[name='read:customers']").await;
        browser.click("main form.begin .primary").await;
        browser.find("#key").await;
        visit.check("a new key").await;

        let authorize = demo.authorization_url(&program);
        visit.open(&authorize).await;
        browser.click("button[value=allow]").await;
        connect(&demo, &authorize, &program);
        for page in ["/account", "/apps"] {
            browser.goto(&demo.at(page)).await;
            visit.check("a connected program").await;
            browser.click("main .to .danger").await;
            browser.find("form[method=post][action$='/disconnect']").await;
            visit.check("the question before a program is disconnected").await;
        }

        let mut missing = pages();
        for (page, why) in OTHERS {
            assert!(missing.remove(page) && !visit.seen.contains(page), "{page} {why}");
        }
        missing.retain(|page| !visit.seen.contains(page));
        assert_eq!(missing, BTreeSet::new(), "these pages were checked: {:?}", visit.seen);
        // The console also reports the error statuses of `/nothing` and `/api/mcp`, and of the forms with mistakes.
        let mut errors = browser.console_errors();
        errors.retain(|line| {
            !line["message"].as_str().is_some_and(|it| it.contains("the server responded"))
        });
        assert_eq!(errors, Vec::<Value>::new());
    });
}
