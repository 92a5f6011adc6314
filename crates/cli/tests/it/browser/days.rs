//! A day of the office and a day of the crew: what each does with the pages, from the morning on.

use rmcp::RoleClient;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RunningService, ServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Map, Value, json};

use super::driver::{Browser, DESKTOP, Look, Program};
use super::{Demo, photo, run};

const PHONE: Look = Look { width: 390, ..DESKTOP };

impl Browser {
    /// Clicks the first link or button with this name, up to its hidden words. Until then the page has loaded nothing
    /// from elsewhere.
    async fn choose(&self, name: &str) {
        let elsewhere = "return performance.getEntriesByType('resource').map((it) => it.name) \
                         .filter((it) => new URL(it).origin !== location.origin)";
        assert_eq!(self.run_script(elsewhere).await, json!([]), "before {name}");
        let path = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space(text())='{name}']"
        );
        self.click_path(&path).await;
    }

    /// The labels of the navigation.
    async fn sections(&self) -> Value {
        let labels =
            "return [...document.querySelectorAll('.top > nav a')].map((a) => a.textContent)";
        self.run_script(labels).await
    }
}

/// An assistant that the official Rust client connects, with its user's consent in the browser.
async fn connect(demo: &Demo, browser: &Browser) -> RunningService<RoleClient, ()> {
    let program = Program::start();
    let endpoint = demo.at("/api/mcp");
    let mut state = OAuthState::new(&endpoint, None).await.expect("a client");
    let request = AuthorizationRequest::new(&program.callback).with_client_name("Office assistant");
    state.start_authorization(request).await.expect("the server is found");
    browser.goto(&state.get_authorization_url().await.expect("an address")).await;
    assert!(browser.text("h1").await.contains("Office assistant"));
    browser.choose("Allow").await;
    let answer = format!("{}?{}", program.callback, program.answer());
    state.handle_callback_url(&answer).await.expect("a token");
    let manager = state.into_authorization_manager().expect("connected");
    let token = manager.get_access_token().await.expect("a token");
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    ().serve(transport).await.expect("a connection")
}

fn search(q: &str) -> CallToolRequestParams {
    let arguments: Map<_, _> = [("q".to_owned(), json!(q))].into_iter().collect();
    CallToolRequestParams::new("customers.search").with_arguments(arguments)
}

#[test]
fn the_office_does_its_day() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;

        // Somebody calls, and the display shows half a number.
        browser.goto(&demo.at("/customers?q=frye")).await;
        let phone = browser.text("#rows .r2 span").await;
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        browser.goto(&demo.at("/")).await;
        browser.fill("#q", &digits[digits.len() - 7..]).await;
        browser.choose("Search").await;
        browser.find("#q[value]").await;
        let found = browser.text("#found").await;
        assert!(found.contains("Frye"), "{digits}: {found}");
        browser.click("#rows a").await;
        browser.find("#record .record h1").await;
        assert!(browser.text("#record h1").await.contains("Frye"));

        // What was said is noted with a photo and pinned, and the customer is tagged with a tag that is new.
        browser.fill("#body", "Wants the annual inspection moved to May.").await;
        browser.choose_file(".composer", &photo(&demo, "letter.png")).await;
        browser.choose("Add note").await;
        browser.find_text("The note was added.").await;
        assert!(browser.text(".note .files").await.contains("letter.png"));
        browser.choose("Pin").await;
        browser.find_text("The note is pinned.").await;
        browser.click(".new-tag summary").await;
        browser.fill("#new-tag", "Call in May").await;
        browser.choose("Create and attach").await;
        browser.find_text("The tag was attached.").await;
        assert!(browser.text("#record .tags").await.contains("Call in May"));

        // A wrong click is taken back at once.
        browser.click(".archive button").await;
        browser.find("form[method=post][action$='/archive']").await;
        browser.choose("Archive").await;
        browser.find_text("The customer was archived.").await;
        browser.choose("Undo").await;
        browser.find_text("The change was undone.").await;
        browser.click(".archive button").await;
        browser.find("form[method=post][action$='/archive']").await;
        browser.choose("Archive").await;
        browser.find_text("The customer was archived.").await;
        browser.choose("Restore").await;
        browser.find_text("The customer was restored.").await;
        browser.goto(&demo.at("/")).await;
        let morning = browser.text("main").await;
        assert!(morning.contains("annual inspection moved to May"), "{morning}");

        // The website gets a key, which is lost, and revoked.
        browser.click("nav a[href='/keys']").await;
        browser.fill("#name", "Website").await;
        browser.click("input[name='read:customers']").await;
        browser.choose("Create key").await;
        let key = browser.text("#key").await;
        assert!(key.starts_with("zoop_uk_"), "{key}");
        browser.click("main li:has(strong) form[action='/keys/revoke'] button").await;
        browser.find("form[method=post][action='/keys/revoke']").await;
        browser.choose("Revoke").await;
        browser.find_text("The key was revoked. It no longer works.").await;

        // An assistant is connected, answers, and is disconnected.
        let assistant = connect(&demo, &browser).await;
        let found = assistant.call_tool(search("frye")).await.expect("a result");
        let rows = found.structured_content.expect("customers")["rows"].clone();
        assert_eq!(rows.as_array().expect("rows").len(), 1, "{rows}");
        browser.goto(&demo.at("/apps")).await;
        assert!(browser.text("main li").await.contains("Office assistant"));
        browser.choose("Disconnect").await;
        browser.find("form[method=post][action='/apps/disconnect']").await;
        browser.choose("Disconnect").await;
        browser.find(".success").await;
        assistant.call_tool(search("frye")).await.expect_err("it is disconnected");
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}

#[test]
fn a_technician_does_a_day_on_a_phone() {
    let demo = Demo::open();
    let (email, password) = ("luis@copper-creek.example", "a phrase for the van");
    let set = ["user", "set-password", email];
    assert_eq!(demo.folder.zoop_reading(&set, password).code, 0);
    run(async {
        let browser = Browser::open(PHONE).await;
        browser.goto(&demo.at("/sign-in")).await;
        browser.fill("#email", email).await;
        browser.fill("#password", password).await;
        browser.click("main button.primary").await;
        browser.arrive("/").await;
        assert_eq!(browser.sections().await, json!(["Customers", "Notes", "Tags", "Account"]));

        // Where to go, whom to call, and how to get in.
        browser.fill("#q", "frye").await;
        browser.choose("Search").await;
        browser.click("#rows a").await;
        browser.find("#record .record h1").await;
        assert!(browser.attribute(".facts a", "href").await.starts_with("tel:+"));
        let map = browser.attribute(".parts a[rel=noreferrer]", "href").await;
        assert!(map.starts_with("https://"), "{map}");
        let record = browser.text("main").await;
        for absent in ["New contact", "Add tag", "Attach tag", "Archive", "History"] {
            assert!(!record.contains(absent), "{absent}: {record}");
        }

        // What was done is noted on the way out, with a thumb.
        browser.choose("Notes").await;
        browser.fill("#body", "Replaced the valve. The gate code is new: ask.").await;
        browser.choose("Add note").await;
        browser.find_text("The note was added.").await;
        let is_seen =
            "const { top, bottom } = document.querySelector('.success').getBoundingClientRect();
                       return top >= 0 && bottom <= innerHeight;";
        assert_eq!(browser.run_script(is_seen).await, json!(true), "the page stays where it was");
        browser.choose_file(".note", &photo(&demo, "valve.png")).await;
        browser.find_text("The files were added.").await;
        browser.choose("Pin").await;
        browser.find_text("The note is pinned.").await;
        let width = "return document.documentElement.scrollWidth";
        assert_eq!(browser.run_script(width).await, json!(390), "nothing is cut off");
        browser.click(".menu summary").await;
        browser.click(".menu a[href='/notes']").await;
        browser.find(".notes").await;
        assert!(browser.text(".notes li").await.contains("Replaced the valve."));
        assert!(browser.text(".notes li").await.contains("valve.png"));
        assert_eq!(browser.console_errors(), Vec::<Value>::new());

        // The pages of the office are not for the crew.
        for page in ["/team", "/keys", "/apps", "/settings", "/activity"] {
            browser.goto(&demo.at(page)).await;
            assert_eq!(browser.text("h1").await, "You cannot do this", "{page}");
        }
    });
}
