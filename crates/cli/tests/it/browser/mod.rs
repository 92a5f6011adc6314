//! The pages in a real browser: they are accessible, work without scripts, and allow going back to a
//! program.

mod accessible;
mod days;
mod desk;
mod driver;
mod forms;
mod layout;
mod notes;
mod office;
mod people;
mod screenshots;

use std::future::Future;
use std::path::PathBuf;

use serde_json::{Value, json};

use self::driver::{Browser, DESKTOP, NO_SCRIPTS, Program};
use crate::env::{Folder, Server, text};

/// A running demo, and its owner's sign-in and key.
struct Demo {
    folder: Folder,
    _server: Server,
    url: String,
    email: String,
    password: String,
    /// The owner's API key.
    key: String,
}

impl Demo {
    fn open() -> Self {
        Self::open_with(&[])
    }

    /// A demo with these environment variables.
    fn open_with(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let mut command = folder.command(&["demo", "--listen", "127.0.0.1:0", "--json"]);
        command.envs(settings.iter().copied());
        let server = Server::start(command);
        let demo: Value = serde_json::from_str(&server.line()).expect("a JSON object");
        Self {
            url: text(&demo, "url"),
            email: text(&demo, "owner_email"),
            password: text(&demo, "owner_password"),
            key: text(&demo, "user_key"),
            folder,
            _server: server,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn type_password(&self, browser: &Browser, password: &str) {
        browser.fill("#email", &self.email).await;
        browser.fill("#password", password).await;
        browser.click("main button.primary").await;
    }

    async fn sign_in(&self, browser: &Browser) {
        browser.goto(&self.at("/sign-in")).await;
        self.type_password(browser, &self.password).await;
        browser.arrive("/").await;
    }

    /// The URL at which a new program requests all scopes.
    fn authorization_url(&self, program: &Program) -> String {
        self.authorization_url_for("Test program", program)
    }

    /// Like [`Self::authorization_url`], for a program with this name.
    fn authorization_url_for(&self, name: &str, program: &Program) -> String {
        let registration = json!({ "client_name": name, "redirect_uris": [program.callback] });
        let mut answer = ureq::post(self.at("/oauth/register"))
            .content_type("application/json")
            .send(registration.to_string())
            .expect("a registration");
        let body = answer.body_mut().read_to_string().expect("a body");
        let client: Value = serde_json::from_str(&body).expect("JSON");
        // The example of RFC 7636, appendix B.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        self.at(&format!(
            "/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&state=a-state\
             &code_challenge={challenge}&code_challenge_method=S256",
            text(&client, "client_id"),
            program.callback,
        ))
    }
}

/// A click on a page that leads to a question or a form.
struct Step {
    page: &'static str,
    click: &'static str,
    arrives: &'static str,
}

const QUESTIONS: [Step; 4] = [
    Step {
        page: "/tags",
        click: ".tag-list .to .btn",
        arrives: "form[method=post][action='/tags/edit']",
    },
    Step { page: "/tags", click: "main a.danger", arrives: "form[action='/tags/delete']" },
    Step { page: "/keys", click: "main li a.btn", arrives: "form[action^='/keys/rotate']" },
    Step {
        page: "/keys",
        click: "main .to .danger",
        arrives: "form[method=post][action='/keys/revoke']",
    },
];

/// The first page of every section in the navigation of the current page, so that a new section is covered as soon as
/// it is there.
async fn sections(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.top > nav a')].map((a) => a.pathname)";
    let paths = browser.run_script(script).await;
    serde_json::from_value(paths).expect("paths")
}

/// A small photo in the folder of a demo.
fn photo(demo: &Demo, name: &str) -> PathBuf {
    // One gray pixel.
    const PNG: [u8; 67] = [
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
        0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a,
        0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68,
        0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49,
        0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    let file = demo.folder.path(name);
    std::fs::write(&file, PNG).expect("a photo");
    file
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

/// A parameter of a query, without decoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[test]
fn a_wrong_password_is_reported_and_the_right_one_leads_to_consent() {
    let demo = Demo::open();
    let program = Program::start();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        browser.goto(&demo.authorization_url(&program)).await;
        demo.type_password(&browser, "not the password").await;
        assert!(browser.text("[role=alert]").await.contains("Wrong e-mail address or password"));
        demo.type_password(&browser, &demo.password).await;
        browser.click("input[name='write:notes']").await;
        browser.click("button[value=allow]").await;
        let query = program.answer();
        assert!(
            parameter(&query, "code").is_some_and(|code| code.starts_with("zoop_ac_")),
            "{query}"
        );
        assert_eq!(parameter(&query, "state"), Some("a-state"));
        let issuer = demo.url.replace(':', "%3A").replace('/', "%2F");
        let named = parameter(&query, "iss").expect("an issuer");
        assert!(named == issuer || named == demo.url, "{query}");

        browser.goto(&demo.authorization_url(&program)).await;
        browser.click("button[value=deny]").await;
        assert_eq!(parameter(&program.answer(), "error"), Some("access_denied"));
        // The console also reports the 403 of the refused sign-in.
        let errors = browser.console_errors();
        let policy =
            |line: &Value| line["message"].as_str().is_some_and(|it| it.contains("Policy"));
        assert!(!errors.iter().any(policy), "{errors:?}");
    });
}

#[test]
fn everything_works_without_scripts() {
    let demo = Demo::open();
    let program = Program::start();
    let (photo, panel) = (photo(&demo, "meter.png"), photo(&demo, "panel.png"));
    run(async {
        let browser = Browser::open(NO_SCRIPTS).await;
        demo.sign_in(&browser).await;
        assert!(browser.text("time").await.ends_with(" ago)"));
        browser.goto(&demo.at("/team")).await;
        let rows = "main ul.card li";
        let name = browser.text(&format!("{rows}:last-child .grow")).await;
        browser.click(&format!("{rows}:last-child a.danger")).await;
        browser.find("main a[href^='/team?']").await;
        browser.click("main form button.danger").await;
        assert!(browser.text(".success").await.contains("The person was removed"));
        assert!(!browser.text("main ul.card").await.contains(&name), "{name}");
        browser.goto(&demo.at("/customers")).await;
        let customer = browser.text(".rows li:first-child strong").await;
        browser.fill("#q", &customer).await;
        browser.click("form.search button").await;
        browser.find(".rows small").await;
        browser.click(".rows a").await;
        browser.find(".record").await;
        assert_eq!(browser.text("h1").await, customer);
        browser.fill("#body", "The gate sticks.\nLift it.").await;
        browser.choose_file(".composer", &photo).await;
        browser.click(".composer button").await;
        browser.find("#notes .success").await;
        assert_eq!(browser.text(".notes li:first-child .text").await, "The gate sticks.\nLift it.");
        browser.choose_file(".notes li:first-child", &panel).await;
        browser.click(".notes li:first-child .adding button").await;
        browser.find(".files li:nth-child(2)").await;
        assert!(browser.text("#notes .success").await.contains("The files were added."));
        assert!(browser.text(".files li:first-child").await.contains("meter.png\nPNG image, 67 B"));
        browser.click(".files a.danger").await;
        browser.click("main form button.danger").await;
        browser.find("#notes .success").await;
        assert_eq!(browser.text("#notes .success p").await, "The file meter.png was removed.");
        browser.click(".notes li:first-child [action$='/pin#notes'] button").await;
        browser.find(".notes li:first-child.pinned").await;
        browser.click(".whole .actions form button").await;
        browser.fill("#source", "the fair").await;
        browser.click(".save .primary").await;
        assert_eq!(browser.text(".success p").await, "The customer was saved.");
        assert!(browser.text(".rest .facts").await.contains("the fair"));
        browser.click("nav a[href='/notes']").await;
        browser.fill("#q", "gates lifting").await;
        browser.click("form.search button").await;
        browser.find("#q[value='gates lifting']").await;
        assert_eq!(browser.text(".notes li:first-child .text").await, "The gate sticks.\nLift it.");
        browser.click("form.search summary").await;
        browser.click("input[name=pinned]").await;
        browser.click("form.search button").await;
        browser.find("input[name=pinned][checked]").await;
        browser.click(".notes li:first-child a").await;
        browser.find(".record").await;
        assert_eq!(browser.text("h1").await, customer);
        // Half a number is enough. A tag comes and goes.
        let phone = browser.text(".reach dd a").await;
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        browser.goto(&demo.at("/")).await;
        browser.fill("#q", &digits[digits.len() - 7..]).await;
        browser.click("form.search button").await;
        let row = format!("//*[@id='rows']//a[contains(., '{customer}')]");
        browser.click_path(&row).await;
        browser.find(".record").await;
        browser.click(".new-tag summary").await;
        browser.fill("#new-tag", "Call in May").await;
        browser.click_path("//button[normalize-space(.)='Create and attach']").await;
        assert_eq!(browser.text(".success p").await, "The tag was attached.");
        browser.click_path("//li[contains(., 'Call in May')]//button[@class='detach']").await;
        assert_eq!(browser.text(".success p").await, "The tag was detached.");
        // A wrong click is undone, and what was archived is restored.
        for (button, done) in
            [("Undo", "The change was undone."), ("Restore", "The customer was restored.")]
        {
            browser.click(".archive button").await;
            browser.click("main form button.danger").await;
            assert_eq!(browser.text(".success p").await, "The customer was archived.");
            browser.click_path(&format!("//main//button[.='{button}']")).await;
            browser.find(".archive button").await;
            assert_eq!(browser.text(".success p").await, done);
        }
        // On a phone, the menu opens without a script too.
        browser.resize(390, 664);
        browser.click(".menu summary").await;
        browser.click(".menu a[href='/tags']").await;
        browser.fill(".tag-form #name", "Gate code").await;
        browser.click(".tag-form button").await;
        browser.find(".success").await;
        browser.goto(&demo.at("/keys")).await;
        browser.fill("#name", "Website").await;
        browser.click("input[name='read:customers']").await;
        browser.click("main form .primary").await;
        assert!(browser.text("#key").await.starts_with("zoop_uk_"));
        browser.click("main ul.card li:last-child .to .danger").await;
        browser.find("main a[href^='/keys?']").await;
        browser.click("main form button.danger").await;
        assert!(browser.text(".success").await.contains("The key was revoked."));
        let authorize = demo.authorization_url(&program);
        browser.goto(&authorize).await;
        browser.click("button[value=allow]").await;
        layout::connect(&demo, &authorize, &program);
        browser.goto(&demo.at("/apps")).await;
        browser.click("main li .to .danger").await;
        browser.find("form[method=post][action='/apps/disconnect']").await;
        browser.click("main form button.danger").await;
        assert!(browser.text(".success").await.contains("The program is disconnected"));
        assert!(browser.text("main .notice").await.contains("No program is connected yet."));
    });
}

#[test]
fn a_user_can_follow_the_link_back_to_the_program() {
    let demo = Demo::open();
    let program = Program::without_a_page();
    run(async {
        let browser = Browser::open(NO_SCRIPTS).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.authorization_url(&program)).await;
        browser.click("button[value=allow]").await;
        let redirected = program.answer();
        // The program has no page, so the browser is still on the page that redirected it.
        let refresh = browser.attribute("meta[http-equiv=refresh]", "content").await;
        let link = browser.attribute("main a.primary", "href").await;
        assert_eq!(refresh, format!("0;url={link}"));
        browser.click("main a.primary").await;
        assert_eq!(program.answer(), redirected, "the link gives the same answer");
        assert!(parameter(&redirected, "code").is_some(), "{redirected}");
    });
}
