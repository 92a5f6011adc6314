//! What the office does with scripts: looks a caller up while typing, reads and changes the record beside the list,
//! and loses nothing.

use serde_json::{Value, json};

use super::driver::{Browser, DESKTOP, Look};
use super::{Demo, run};

const NARROW: Look = Look { width: 390, ..DESKTOP };
/// Keys, as the browser is sent them.
const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";

async fn press(browser: &Browser, css: &str, keys: &str) {
    browser.find(css).await.send_keys(keys).await.expect("keys");
}

/// The id of the element that has the focus.
async fn focus(browser: &Browser) -> Value {
    browser.run_script("return document.activeElement.id").await
}

async fn path(browser: &Browser) -> String {
    browser.client.current_url().await.expect("an address").path().to_owned()
}

#[test]
fn the_office_finds_a_caller_while_typing_and_works_beside_the_list() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers")).await;

        // The list follows the typing, and so does the address.
        press(&browser, "body", "/").await;
        assert_eq!(focus(&browser).await, "q");
        press(&browser, "#q", "frye").await;
        browser.find("#found[data-said='1 customer']").await;
        assert_eq!(
            browser.run_script("return document.getElementById('said').textContent").await,
            "1 customer"
        );
        let query = browser.client.current_url().await.expect("an address");
        assert!(query.query_pairs().any(|pair| pair == ("q".into(), "frye".into())), "{query}");
        assert_eq!(focus(&browser).await, "q");

        // Keys lead to the record, which opens beside the list.
        press(&browser, "#q", DOWN).await;
        press(&browser, "#rows a", ENTER).await;
        browser.find("#rows a[aria-current]").await;
        browser.find("#record .record h1").await;
        assert!(path(&browser).await.starts_with("/customers/"));

        // A note and its pin are changed in place, and the focus stays.
        browser.fill("#body", "The gate sticks.").await;
        let kept = "return Object.values(localStorage).join()";
        assert_eq!(browser.run_script(kept).await, "The gate sticks.");
        browser.click("#add-note").await;
        browser.find_text("The note was added.").await;
        assert_eq!(focus(&browser).await, "add-note");
        assert_eq!(browser.run_script(kept).await, "");
        browser.fill("#body", "And the next").await;
        browser.click("button[id^=pin-]").await;
        browser.find_text("The note is pinned.").await;
        let pin = focus(&browser).await;
        assert!(pin.as_str().is_some_and(|it| it.starts_with("pin-")), "{pin}");
        let body = "return document.getElementById('body').value";
        assert_eq!(browser.run_script(body).await, "And the next", "a note that was being typed");
        assert!(browser.text("#rows").await.contains("Frye"), "the list is still there");
        assert_eq!(browser.violations().await, Vec::<String>::new());

        // Back leads to the list alone; the record's own address shows both again.
        let record = browser.client.current_url().await.expect("an address");
        browser.client.back().await.expect("the page before");
        browser.find("#record > .none").await;
        browser.goto(record.as_str()).await;
        browser.find("#rows a").await;
        // Who may be a duplicate is shown while a new customer is being typed.
        browser.goto(&demo.at("/customers/new")).await;
        browser.fill("#first_name", "Wilbur").await;
        browser.fill("#last_name", "Frye").await;
        assert!(browser.text("#similar").await.contains("Wilbur Frye"));
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}

#[test]
fn a_note_that_was_being_typed_is_there_again_until_it_is_saved_or_the_user_signs_out() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(NARROW).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers?q=frye")).await;
        browser.click("#rows a").await;
        browser.find(".record").await;
        let record = browser.client.current_url().await.expect("an address");
        let typed = "return document.getElementById('body').value";
        browser.fill("#body", "Call back on Monday.").await;
        browser.goto(record.as_str()).await;
        assert_eq!(browser.run_script(typed).await, "Call back on Monday.");

        // Without a session, the answer keeps the note and offers to send it again.
        browser.client.delete_all_cookies().await.expect("no cookies");
        browser.click("#add-note").await;
        browser.find_text("You are signed out").await;
        let kept =
            "return [...document.querySelectorAll('form [name=body]')].map((it) => it.value)";
        assert_eq!(browser.run_script(kept).await, json!(["Call back on Monday."]));

        demo.sign_in(&browser).await;
        browser.goto(record.as_str()).await;
        assert_eq!(browser.run_script(typed).await, "Call back on Monday.");
        browser.click("summary").await;
        browser.click(".menu form button").await;
        browser.find("#email").await;
        assert_eq!(browser.run_script("return localStorage.length").await, 0);
    });
}
